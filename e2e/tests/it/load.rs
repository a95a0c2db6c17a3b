//! A bounded load on loopback that accounts for every connection it was given.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Callers that ask for `/hello` until the service takes no more connections.
#[derive(Debug)]
pub(crate) struct Load {
    answered: Arc<AtomicUsize>,
    callers: JoinSet<Vec<String>>,
}

/// Whether a caller keeps its connection from one request to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connections {
    Kept,
    New,
}

impl Load {
    /// Eight callers, a hundred requests a second each, for half a minute at most.
    pub(crate) fn start(address: SocketAddr, connections: Connections) -> Self {
        let answered = Arc::new(AtomicUsize::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(call(address, connections, answered.clone()));
        }
        Self { answered, callers }
    }

    /// Requests that were answered in full.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits until every caller was refused; returns what went wrong on connections that were accepted.
    pub(crate) async fn failures(self) -> Vec<String> {
        self.callers.join_all().await.concat()
    }
}

const CALLERS: usize = 8;
const PAUSE: Duration = Duration::from_millis(10);
const REQUESTS: usize = 3_000;

async fn call(
    address: SocketAddr,
    connections: Connections,
    answered: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut failures = Vec::new();
    let mut kept = None;
    let mut next = Instant::now();
    for request in 0..REQUESTS {
        let reused = kept.is_some();
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(address).await {
                Ok(stream) => BufReader::new(stream),
                // Nobody listens any more: this request was not accepted, and the next one would not be.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return failures,
                Err(error) => {
                    failures.push(format!("request {request} found no connection: {error}"));
                    continue;
                }
            },
        };
        match exchange(&mut stream).await {
            Ok(closes) => {
                answered.fetch_add(1, Ordering::Relaxed);
                kept = Some(stream).filter(|_| connections == Connections::Kept && !closes);
            }
            Err(error) => failures.push(format!(
                "request {request} failed on a {} connection: {error}",
                if reused { "kept" } else { "new" }
            )),
        }
        next += PAUSE;
        sleep_until(next).await;
    }
    failures.push(format!(
        "the service still accepts after {REQUESTS} requests"
    ));
    failures
}

/// One request and its answer, read to the last byte; returns whether the service closes the connection.
async fn exchange(stream: &mut BufReader<TcpStream>) -> io::Result<bool> {
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            let cut = format!("closed after {} bytes of the head", head.len());
            return Err(io::Error::new(ErrorKind::UnexpectedEof, cut));
        }
    }
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(format!("not a success: {head}")));
    }
    let mut body = [0; 5];
    stream.read_exact(&mut body).await?;
    if &body != b"hello" {
        return Err(io::Error::other(format!("another body: {body:?}")));
    }
    Ok(head.contains("connection: close"))
}
