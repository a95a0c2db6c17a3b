//! A service with a route for each thing that the tests make happen to a running process.

use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use smart_service::config::{Secret, duration};
use smart_service::{App, Migrations, Problem, Service, StartError, about};

fn main() -> ExitCode {
    smart_service::program(about!())
        .migrations(Migrations::embedded(MIGRATIONS))
        .run(service)
}

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "create items", "create table items (name text)"),
    (
        2,
        "add price",
        "alter table items add column price bigint not null default 0",
    ),
];

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Secret>,
    max_page: u32,
    #[serde(with = "duration")]
    cache_ttl: Duration,
    start: Start,
}

/// How the service function ends.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Start {
    #[default]
    Well,
    Refuse,
    Panic,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key: None,
            max_page: 100,
            cache_ttl: Duration::from_secs(60),
            start: Start::Well,
        }
    }
}

async fn service(service: Service<Settings>) -> Result<App, StartError> {
    let Settings { key, start, .. } = service.settings();
    let key = key.as_ref().map(|key| key.expose().clone());
    let key = key.unwrap_or_default();
    match start {
        Start::Well => {}
        Start::Refuse => {
            return Err(StartError::new(format!(
                "careless start with {key} and {key:?}"
            )));
        }
        Start::Panic => panic!("careless start with {key} and {key:?}"),
    }
    // Most tests need no database, so its routes exist only where there is one.
    let mut routes = routes().merge(careless(key));
    if let Ok(postgres) = service.postgres() {
        routes = routes.merge(with_postgres(postgres));
    }
    if let Ok(redis) = service.redis() {
        routes = routes.merge(with_redis(redis));
    }
    Ok(service.routes(routes))
}

#[derive(Debug, Deserialize)]
struct Slow {
    ms: u64,
}

fn routes() -> Router {
    let slow = async |Query(Slow { ms }): Query<Slow>| {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        "slow"
    };
    let fail =
        async || -> Result<(), Problem> { Err(std::io::Error::other("the ledger is closed"))? };
    let panic = async || -> () { panic!("the counter overflowed") };
    let task = async || drop(tokio::spawn(async { panic!("the courier fell") }));
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/slow", get(slow))
        .route("/fail", get(fail))
        .route("/panic", get(panic))
        .route("/panic-in-task", get(task))
}

/// What a hasty programmer does with a secret.
fn careless(key: String) -> Router {
    let for_error = key.clone();
    let error = async move || -> Result<(), Problem> {
        tracing::info!("careless line with {for_error} and {for_error:?}");
        Err(std::io::Error::other(format!(
            "careless error with {for_error} and {for_error:?}"
        )))?
    };
    let panic = async move || -> () { panic!("careless panic with {key} and {key:?}") };
    Router::new()
        .route("/careless/error", get(error))
        .route("/careless/panic", get(panic))
}

fn with_postgres(pool: sqlx::PgPool) -> Router {
    let options = pool.connect_options();
    let count = async move || -> Result<String, Problem> {
        let (count,): (i64,) = sqlx::query_as("select count(*) from items where price = 0")
            .fetch_one(&pool)
            .await?;
        Ok(count.to_string())
    };
    // sqlx shows the password here.
    let options = async move || -> Result<(), Problem> {
        Err(std::io::Error::other(format!("careless pool: {options:?}")))?
    };
    Router::new()
        .route("/count", get(count))
        .route("/careless/pool", get(options))
}

fn with_redis(redis: redis::aio::ConnectionManager) -> Router {
    let visit = async move || -> Result<String, Problem> {
        let visits: i64 = redis::cmd("INCR")
            .arg("visits")
            .query_async(&mut redis.clone())
            .await?;
        Ok(visits.to_string())
    };
    Router::new().route("/visit", get(visit))
}
