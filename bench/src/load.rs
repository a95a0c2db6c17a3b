//! A bounded load on loopback: callers on kept connections, each with one request on its way at a time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What every caller asks for, and the answer that counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    pub(crate) status: u16,
}

/// When the load ends: at whichever comes first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) requests: usize,
    pub(crate) time: Duration,
}

/// What was answered, and how fast.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) latencies: Vec<Duration>,
    pub(crate) time: Duration,
}

impl Answers {
    pub(crate) fn add(&mut self, more: Self) {
        self.latencies.extend(more.latencies);
        self.time += more.time;
    }
}

pub(crate) const CONNECTIONS: usize = 32;

/// Runs the load; an answer that does not count is an error.
pub(crate) async fn run(
    address: SocketAddr,
    call: Call,
    bounds: Bounds,
) -> anyhow::Result<Answers> {
    let left = Arc::new(AtomicUsize::new(bounds.requests));
    let began = Instant::now();
    let deadline = began + bounds.time;
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        callers.spawn(caller(address, call, left.clone(), deadline));
    }
    let mut answers = Answers::default();
    while let Some(latencies) = callers.join_next().await {
        answers.latencies.extend(latencies??);
    }
    answers.time = began.elapsed();
    Ok(answers)
}

async fn caller(
    address: SocketAddr,
    call: Call,
    left: Arc<AtomicUsize>,
    deadline: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this function.
    let mut driver = JoinSet::new();
    driver.spawn(connection);

    let mut latencies = Vec::new();
    while Instant::now() < deadline && take_one(&left) {
        let began = Instant::now();
        let response = sender.send_request(call.request()?).await?;
        let status = response.status();
        response.into_body().collect().await?;
        latencies.push(began.elapsed());
        ensure!(
            status == StatusCode::from_u16(call.status)?,
            "{} {} was answered with {status}",
            call.method,
            call.path
        );
    }
    Ok(latencies)
}

fn take_one(left: &AtomicUsize) -> bool {
    let less = |count: usize| count.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

impl Call {
    fn request(self) -> anyhow::Result<Request<Full<Bytes>>> {
        let request = Request::builder()
            .method(Method::from_bytes(self.method.as_bytes())?)
            .uri(self.path)
            .header(header::HOST, "localhost");
        let request = if self.body.is_empty() {
            request
        } else {
            request.header(header::CONTENT_TYPE, "application/json")
        };
        let body = Full::new(Bytes::from_static(self.body.as_bytes()));
        request.body(body).context("cannot make a request")
    }
}
