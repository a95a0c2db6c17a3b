//! Requests per second of the framework beside axum alone.

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::lab::Lab;
use crate::load::{self, Answers, Bounds, CONNECTIONS, Call};
use crate::proc::cpu_time;
use crate::rivals::Rival;
use crate::sample::Sample;
use crate::server::Server;
use crate::table::Row;

const ROUNDS: usize = 4;
const ROUND: Bounds = Bounds {
    requests: 1_000_000,
    time: Duration::from_secs(3),
};
const WARM_UP: Bounds = Bounds {
    requests: 1_000_000,
    time: Duration::from_secs(1),
};
const CALLS: [(&str, Call); 3] = [
    (
        "plain text GET",
        Call {
            method: "GET",
            path: "/hello",
            body: "",
            status: 200,
        },
    ),
    (
        "JSON GET",
        Call {
            method: "GET",
            path: "/v1/items/7",
            body: "",
            status: 200,
        },
    ),
    (
        "JSON POST",
        Call {
            method: "POST",
            path: "/v1/items",
            body: r#"{"name":"bolt","quantity":12}"#,
            status: 201,
        },
    ),
];

pub(super) fn measure(lab: &Lab) -> anyhow::Result<Vec<Row>> {
    let folder = lab.folder("framework-server")?;
    let config = folder.join("config");
    std::fs::create_dir_all(&config)?;
    std::fs::write(config.join("default.toml"), "")?;
    let start = |rival: Rival| {
        let mut command = rival.command(&folder)?;
        Server::start(lab.guard(), &mut command, "/hello")
    };
    let (framework, bare) = (start(Rival::Framework)?, start(Rival::Bare)?);
    let runtime = Runtime::new()?;
    CALLS
        .into_iter()
        .map(|(what, call)| compare(&runtime, what, call, &framework, &bare))
        .collect()
}

fn compare(
    runtime: &Runtime,
    what: &str,
    call: Call,
    framework: &Server<'_>,
    bare: &Server<'_>,
) -> anyhow::Result<Row> {
    eprintln!("bench: requests: {what}");
    let (mut ours, mut theirs) = (Work::default(), Work::default());
    for server in [framework, bare] {
        runtime.block_on(load::run(server.address(), call, WARM_UP))?;
    }
    // In turns, so that whatever drifts on this machine drifts for both.
    for _ in 0..ROUNDS {
        ours.add_round(runtime, call, framework)?;
        theirs.add_round(runtime, call, bare)?;
    }
    let (ours, theirs) = (ours.shown(), theirs.shown());
    let measured = format!(
        "{}; axum alone {}; ratio {:.2}, of processor time {:.1}",
        ours.text,
        theirs.text,
        ours.per_second / theirs.per_second,
        ours.cpu_per_request / theirs.cpu_per_request,
    );
    Ok(Row::new(
        format!("{what}, {CONNECTIONS} kept connections"),
        measured,
    ))
}

/// What one server did in all its rounds.
#[derive(Debug, Default)]
struct Work {
    answers: Answers,
    cpu: Duration,
}

struct Shown {
    text: String,
    per_second: f64,
    cpu_per_request: f64,
}

impl Work {
    fn add_round(
        &mut self,
        runtime: &Runtime,
        call: Call,
        server: &Server<'_>,
    ) -> anyhow::Result<()> {
        let before = cpu_time(server.id())?;
        self.answers
            .add(runtime.block_on(load::run(server.address(), call, ROUND))?);
        self.cpu += cpu_time(server.id())? - before;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "no run has 2^53 requests")]
    fn shown(self) -> Shown {
        let Self { answers, cpu } = self;
        let count = answers.latencies.len() as f64;
        let per_second = count / answers.time.as_secs_f64();
        let cpu_per_request = cpu.as_secs_f64() / count;
        let latencies = Sample::new(answers.latencies);
        let milliseconds = |percent| latencies.percentile(percent).as_secs_f64() * 1000.0;
        let text = format!(
            "{per_second:.0}/s (p50 {:.2} ms, p99 {:.2} ms, {:.0} µs of processor time each)",
            milliseconds(50),
            milliseconds(99),
            cpu_per_request * 1e6,
        );
        Shown {
            text,
            per_second,
            cpu_per_request,
        }
    }
}
