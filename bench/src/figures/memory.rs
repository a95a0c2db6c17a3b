//! Memory of a deployed process: idle, and after it has worked.

use std::time::Duration;

use crate::engines::Engines;
use crate::lab::Lab;
use crate::load::{self, Bounds, Call};
use crate::proc::resident_memory;
use crate::server::Server;
use crate::service::Parts;
use crate::table::Row;

const AIM: u64 = 12_000_000;
const REQUESTS: Bounds = Bounds {
    requests: 10_000,
    time: Duration::from_secs(60),
};
/// After the start and after the load, so that nothing is half done.
const SETTLE: Duration = Duration::from_secs(2);

pub(super) fn measure(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    let alone = row(lab, Parts::None, &[])?;
    let engines = Engines::start()?;
    let with_engines = row(lab, Parts::PostgresRedis, &engines.variables())?;
    Ok(vec![alone, with_engines])
}

fn row(lab: &Lab, parts: Parts, variables: &[(&str, String)]) -> anyhow::Result<Row> {
    let service = lab.released(parts)?;
    if parts != Parts::None {
        service.migrate(lab, variables)?;
    }
    let mut command = service.serve(variables);
    let server = Server::start(lab.guard(), &mut command, "/healthcheck")?;
    std::thread::sleep(SETTLE);
    let idle = resident_memory(server.id())?;

    let runtime = tokio::runtime::Runtime::new()?;
    let list = Call {
        method: "GET",
        path: "/v1/items",
        body: "",
        status: 200,
    };
    runtime.block_on(load::run(server.address(), list, REQUESTS))?;
    std::thread::sleep(SETTLE);
    let after = resident_memory(server.id())?;

    let measured = format!(
        "{}; {} after {} requests",
        megabytes(idle),
        megabytes(after),
        REQUESTS.requests
    );
    let row = Row::new(format!("memory of an idle process, {parts}"), measured);
    Ok(row.aim("under 12 MB", idle < AIM))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a process of 2^53 bytes is no concern of this table"
)]
fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
