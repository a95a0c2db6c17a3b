//! The second listener, for operators: `/metrics`, `/info`, `/log`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use healthcheck::Identity;
use serde::{Deserialize, Serialize};

use crate::lifecycle::Phases;
use crate::pools::Pools;
use crate::telemetry::{LogControl, LogFilter, Metrics};
use crate::{About, Problem};

/// What the admin endpoints show and change.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) about: About,
    pub(crate) identity: Arc<Identity>,
    pub(crate) phases: Phases,
    pub(crate) pools: Arc<std::sync::OnceLock<Pools>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Arc<LogControl>,
}

pub(crate) fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/info", get(info))
        .route("/log", get(log).put(set_log).delete(restore_log))
        .with_state(admin)
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    if let Some(pools) = admin.pools.get() {
        pools.record_use();
    }
    for result in admin
        .phases
        .monitor()
        .map(|monitor| monitor.report().results)
        .unwrap_or_default()
    {
        ::metrics::gauge!("healthcheck_passed", "check" => result.name.to_string())
            .set(if result.passed { 1.0 } else { 0.0 });
    }
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        admin.metrics.render(),
    )
}

#[derive(Serialize)]
struct Info {
    name: &'static str,
    version: &'static str,
    commit: &'static str,
    realm: String,
    phase: &'static str,
    uptime_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_version: Option<&'static str>,
    framework_version: &'static str,
}

/// An allow-list of facts: nothing of the configuration, so nothing secret.
async fn info(State(admin): State<Admin>) -> Json<Info> {
    Json(Info {
        name: admin.about.name,
        version: admin.about.version,
        commit: admin.about.commit,
        realm: admin.identity.realm.clone(),
        phase: admin.phases.phase().as_str(),
        uptime_seconds: admin
            .identity
            .started
            .elapsed()
            .unwrap_or_default()
            .as_secs(),
        template_version: admin.about.template_version,
        framework_version: env!("CARGO_PKG_VERSION"),
    })
}

async fn log(State(admin): State<Admin>) -> impl IntoResponse {
    Json(admin.log.state())
}

/// `{"level": "debug,sqlx=info", "for": "10m"}`; without `for`, ten minutes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetLog {
    level: String,
    r#for: Option<String>,
}

async fn set_log(
    State(admin): State<Admin>,
    Json(wanted): Json<SetLog>,
) -> Result<impl IntoResponse, Problem> {
    let refused = || Problem::invalid("the log level stays as it is");
    let filter: LogFilter = wanted
        .level
        .parse()
        .map_err(|error: String| refused().violation("level", error))?;
    let duration = match wanted.r#for.as_deref() {
        None => DEFAULT_TIME,
        Some(text) => humantime::parse_duration(text)
            .ok()
            .filter(|duration| (Duration::from_secs(1)..=LONGEST_TIME).contains(duration))
            .ok_or_else(|| {
                refused().violation(
                    "for",
                    "expected a duration between 1s and 24h, such as `10m`",
                )
            })?,
    };
    admin.log.set_for(filter, duration);
    Ok(Json(admin.log.state()))
}

async fn restore_log(State(admin): State<Admin>) -> impl IntoResponse {
    admin.log.restore();
    Json(admin.log.state())
}

const DEFAULT_TIME: Duration = Duration::from_mins(10);
/// A verbose log that nobody remembers fills disks; a day is longer than any search for a fault.
const LONGEST_TIME: Duration = Duration::from_hours(24);
