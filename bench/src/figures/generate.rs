//! `smart generate-service`: from command to green receipt.

use std::time::Duration;

use crate::lab::Lab;
use crate::sample::seconds;
use crate::service::{Generation, Parts, Service};
use crate::table::Row;

const AIM: Duration = Duration::from_secs(20);

pub(super) fn measure(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    // Empty, as on a machine that never built a service.
    let builds = lab.folder("shared-builds")?;
    let mut rows = Vec::new();
    for parts in [Parts::PostgresRedis, Parts::None, Parts::Sqlite] {
        let is_first = rows.is_empty();
        let generate = |number: &str| {
            eprintln!("bench: generate: {number} service with {parts}");
            let name = format!("{}-{number}", parts.word());
            let (_, generation) = Service::generate(lab, &name, parts, builds.clone(), true)?;
            anyhow::Ok(generation)
        };
        let (first, second) = (generate("first")?, generate("second")?);
        let what = if is_first {
            format!("first service on a machine, with {parts}, command to green receipt")
        } else {
            format!("first service with {parts} after those above")
        };
        rows.push(Row::new(what, shown(&first)));
        let met = second.whole < AIM;
        let row = Row::new(format!("second service with {parts}"), shown(&second));
        rows.push(row.aim("under 20 s", met));
    }
    Ok(rows)
}

/// The whole time, and the three steps that took most of it.
fn shown(generation: &Generation) -> String {
    let mut steps: Vec<_> = generation.steps.iter().collect();
    steps.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    let steps = steps.iter().take(3);
    let steps: Vec<String> = steps
        .map(|step| {
            let took = Duration::from_secs_f64(step.seconds);
            format!("{} {}", step.name, seconds(took))
        })
        .collect();
    format!("{} ({})", seconds(generation.whole), steps.join(", "))
}
