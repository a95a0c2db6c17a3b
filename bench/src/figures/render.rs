//! `smart generate-service --no-verify`: how long it takes to write a service.

use std::time::Duration;

use anyhow::Context as _;

use crate::lab::Lab;
use crate::sample::{Sample, milliseconds};
use crate::service::{Parts, Service};
use crate::table::Row;

const RUNS: usize = 20;
const AIM: Duration = Duration::from_millis(100);

pub(super) fn measure(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    let builds = lab.folder("no-builds")?;
    let (mut rendering, mut whole) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let name = format!("rendered-{run}");
        let (_, generation) =
            Service::generate(lab, &name, Parts::PostgresRedis, builds.clone(), false)?;
        let files = generation.steps.iter().find(|step| step.name == "files");
        let files = files.context("the receipt has no step `files`")?;
        rendering.push(Duration::from_secs_f64(files.seconds));
        whole.push(generation.whole);
    }
    let row = |what: &str, sample: &Sample| {
        let shown = format!(
            "{}, worst {} of {RUNS}",
            milliseconds(sample.median()),
            milliseconds(sample.worst())
        );
        Row::new(what, shown)
    };
    let (rendering, whole) = (Sample::new(rendering), Sample::new(whole));
    Ok(vec![
        row("rendering the files of a service", &rendering)
            .aim("under 100 ms", rendering.median() < AIM),
        row(
            "writing it: files, lock file, git repository, first commit",
            &whole,
        ),
    ])
}
