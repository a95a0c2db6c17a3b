//! `cargo build` after one line of a handler was changed.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::lab::Lab;
use crate::sample::{Sample, seconds};
use crate::service::Profile;
use crate::table::Row;

const RUNS: usize = 5;
const AIM: Duration = Duration::from_secs(2);
/// In the handler that looks for one item.
const LINE: &str = "no item has the id";

pub(super) fn measure(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    let service = lab.alone()?;
    service.build(lab, Profile::Dev)?;
    let path = service.folder().join("src/routes.rs");
    let text = std::fs::read_to_string(&path)?;
    ensure!(text.contains(LINE), "src/routes.rs has no line `{LINE}`");
    let edit = |run: usize| {
        std::fs::write(&path, text.replace(LINE, &format!("{LINE} (edit {run})")))?;
        let began = Instant::now();
        service.build(lab, Profile::Dev)?;
        anyhow::Ok(began.elapsed())
    };
    // The first edit also makes the binary's commit a dirty one.
    edit(0)?;
    let times = (1..=RUNS).map(edit).collect::<Result<_, _>>()?;
    let times = Sample::new(times);
    let measured = format!(
        "{}, worst {} of {RUNS}",
        seconds(times.median()),
        seconds(times.worst())
    );
    let row = Row::new("one line of a handler changed to rebuilt", measured);
    Ok(vec![row.aim("under 2 s", times.median() < AIM)])
}
