//! `cargo build` of a fresh service with PostgreSQL and Redis when nothing was ever compiled.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::proc::cpu_time_of_ended_children;
use crate::sample::seconds;
use crate::service::Profile;
use crate::table::Row;

const AIM_TIME: Duration = Duration::from_secs(70);
const AIM_PACKAGES: usize = 300;

pub(super) fn measure(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    let service = lab.alone()?;
    let (cpu, began) = (cpu_time_of_ended_children()?, Instant::now());
    let messages = service.build(lab, Profile::Dev)?.stdout;
    let (wall, cpu) = (began.elapsed(), cpu_time_of_ended_children()? - cpu);

    let lock_file = std::fs::read_to_string(service.folder().join("Cargo.lock"))?;
    let locked = lock_file.matches("[[package]]").count();
    let compiled = packages(&messages);
    let time = Row::new(
        "cold build of a service with PostgreSQL and Redis, dev profile",
        format!("{}, {} of processor time", seconds(wall), seconds(cpu)),
    );
    let size = Row::new(
        "packages in its lock file",
        format!("{locked}, of which {compiled} are compiled for it on this platform"),
    );
    Ok(vec![
        time.aim("under 70 s", wall < AIM_TIME),
        size.aim("under 300", locked < AIM_PACKAGES),
    ])
}

/// How many packages cargo's messages say it compiled.
fn packages(messages: &str) -> usize {
    let packages = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_new = message["reason"] == "compiler-artifact" && message["fresh"] == false;
        is_new.then(|| message["package_id"].to_string())
    });
    packages.collect::<BTreeSet<_>>().len()
}
