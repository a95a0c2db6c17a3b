//! The health contract on the main listener: `/healthcheck`, `/livez`, `/readyz`, `/startupz`.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use healthcheck::result::CheckResult;
use healthcheck::{Identity, Report, Status};
use serde::Serialize;

use crate::lifecycle::{Phase, Phases};
use crate::problem::Finished;

/// What the endpoints read; requests only look at memory.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    pub(crate) phases: Phases,
    pub(crate) identity: Arc<Identity>,
    pub(crate) failure_status: StatusCode,
}

/// The four endpoints. GET, HEAD and OPTIONS: HAProxy asks with OPTIONS unless told otherwise.
pub(crate) fn routes(health: Health) -> Router {
    Router::new()
        .route("/healthcheck", probe(healthcheck))
        .route("/livez", probe(livez))
        .route("/readyz", probe(readyz))
        .route("/startupz", probe(startupz))
        .with_state(health)
}

fn probe<H, T>(handler: H) -> MethodRouter<Health>
where
    H: axum::handler::Handler<T, Health>,
    T: 'static,
{
    get(handler.clone()).options(handler)
}

/// Runscope's body, or the draft's by `Accept: application/health+json`.
async fn healthcheck(State(health): State<Health>, headers: HeaderMap) -> Response {
    let report = health
        .phases
        .monitor()
        .map_or_else(|| starting(&health.phases), |monitor| monitor.report());
    let status = if report.status == Status::Fail {
        health.failure_status
    } else {
        StatusCode::OK
    };
    if accepts_draft(&headers) {
        answer(
            status,
            "application/health+json",
            &report.health_json(&health.identity),
        )
    } else {
        answer(
            status,
            "application/json",
            &report.runscope(&health.identity),
        )
    }
}

fn accepts_draft(headers: &HeaderMap) -> bool {
    let ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|accept| accept.split(','));
    ranges.into_iter().any(|range| {
        let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
        // A weight of zero means: anything but this (RFC 9110, 12.4.2).
        let refused = parameters
            .split(';')
            .filter_map(|parameter| parameter.trim().strip_prefix("q="))
            .any(|weight| weight.trim_end_matches(['0', '.']).is_empty());
        kind.trim().eq_ignore_ascii_case("application/health+json") && !refused
    })
}

/// Before the checks exist, one entry tells what the service waits for.
fn starting(phases: &Phases) -> Report {
    let now = SystemTime::now();
    let output = phases
        .waiting_for()
        .unwrap_or_else(|| "the service is starting".to_owned());
    let result = CheckResult {
        name: "startup".into(),
        critical: true,
        passed: false,
        output: output.into(),
        timestamp: now,
        expires: now,
        response_time: None,
    };
    Report {
        status: Status::Fail,
        timestamp: now,
        results: vec![result],
    }
}

/// Alive means: this answer was written. No dependency has a place here, or its outage would restart every instance.
async fn livez() -> Response {
    answer(
        StatusCode::OK,
        "application/json",
        &Probe {
            status: "success",
            phase: None,
            failing: Vec::new(),
        },
    )
}

/// Ready means: started, not draining, and no critical check is red.
async fn readyz(State(health): State<Health>) -> Response {
    let phase = health.phases.phase();
    let readiness = health.phases.monitor().map(|monitor| monitor.readiness());
    let ready =
        phase == Phase::Serving && readiness.as_ref().is_some_and(|readiness| readiness.ready);
    let failing = readiness
        .map(|readiness| readiness.failing)
        .unwrap_or_default();
    probe_answer(ready, phase.as_str(), failing)
}

/// Started means: pools are connected and the service function has returned; it stays so until the end.
async fn startupz(State(health): State<Health>) -> Response {
    let phase = health.phases.phase();
    probe_answer(phase.has_started(), phase.as_str(), Vec::new())
}

#[derive(Serialize)]
struct Probe {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failing: Vec<String>,
}

fn probe_answer(passed: bool, phase: &'static str, failing: Vec<String>) -> Response {
    let (status, word) = if passed {
        (StatusCode::OK, "success")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "failure")
    };
    answer(
        status,
        "application/json",
        &Probe {
            status: word,
            phase: Some(phase),
            failing,
        },
    )
}

fn answer(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("a report always serialises");
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // The result is cached here already; a cache in between would make it older than it says.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Finished);
    response
}
