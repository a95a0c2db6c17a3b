//! From the start of a deployed process to its first healthy answer.

use std::time::Duration;

use crate::engines::Engines;
use crate::lab::Lab;
use crate::sample::{Sample, milliseconds};
use crate::server::Server;
use crate::service::Parts;
use crate::table::Row;

const RUNS: usize = 20;

pub(super) fn measure(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    let alone = row(lab, Parts::None, &[], 20)?;
    let engines = Engines::start()?;
    let with_engines = row(lab, Parts::PostgresRedis, &engines.variables(), 50)?;
    Ok(vec![alone, with_engines])
}

fn row(
    lab: &Lab,
    parts: Parts,
    variables: &[(&str, String)],
    aim_milliseconds: u64,
) -> anyhow::Result<Row> {
    let service = lab.released(parts)?;
    if parts != Parts::None {
        service.migrate(lab, variables)?;
    }
    let start = || {
        let mut command = service.serve(variables);
        let server = Server::start(lab.guard(), &mut command, "/healthcheck")?;
        anyhow::Ok(server.time_to_first_answer())
    };
    // The first one reads the binary from the disk.
    start()?;
    let times = (0..RUNS).map(|_| start()).collect::<Result<_, _>>()?;
    let times = Sample::new(times);
    let measured = format!(
        "{}, worst {} of {RUNS}",
        milliseconds(times.median()),
        milliseconds(times.worst())
    );
    let row = Row::new(
        format!("start to first 200 of `/healthcheck`, {parts}"),
        measured,
    );
    let met = times.median() < Duration::from_millis(aim_milliseconds);
    Ok(row.aim(format!("under {aim_milliseconds} ms"), met))
}
