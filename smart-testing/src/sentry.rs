//! An endpoint that takes error reports and keeps them.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Stands in for Sentry on loopback. Dropping it closes the port.
#[derive(Debug)]
pub struct FakeSentry {
    dsn: String,
    envelopes: Envelopes,
    _task: JoinSet<io::Result<()>>,
}

type Envelopes = Arc<Mutex<Vec<String>>>;

impl FakeSentry {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let dsn = format!("http://public@{}/1", listener.local_addr()?);
        let envelopes = Envelopes::default();
        let routes = Router::new()
            .route("/api/1/envelope/", post(keep))
            .with_state(envelopes.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            dsn,
            envelopes,
            _task: task,
        })
    }

    /// For `sentry.dsn`.
    #[must_use]
    pub fn dsn(&self) -> &str {
        &self.dsn
    }

    /// Everything received so far, as it came.
    #[must_use]
    pub fn envelopes(&self) -> Vec<String> {
        self.envelopes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The error events received so far.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.envelopes()
            .iter()
            .flat_map(|envelope| events(envelope))
            .collect()
    }
}

async fn keep(State(envelopes): State<Envelopes>, body: String) {
    envelopes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(body);
}

/// An envelope is lines of JSON: its header, then for each item a header and a payload.
fn events(envelope: &str) -> Vec<Value> {
    let lines: Vec<Value> = envelope
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let is_event = |pair: &&[Value]| pair[0]["type"] == "event";
    lines
        .windows(2)
        .filter(is_event)
        .map(|pair| pair[1].clone())
        .collect()
}
