//! The sections of the framework. Every key has its default here or in the realm's built-in layer.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use smart_config::{Realm, Secret, duration, size};

use crate::telemetry::LogFilter;

/// The whole configuration of one service.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings<S> {
    pub(crate) app: S,
    #[serde(default)]
    pub(crate) service: ServiceConfig,
    #[serde(default)]
    pub(crate) http: HttpConfig,
    #[serde(default)]
    pub(crate) admin: AdminConfig,
    #[serde(default)]
    pub(crate) log: LogConfig,
    #[serde(default)]
    pub(crate) health: HealthConfig,
    #[serde(default)]
    pub(crate) sentry: SentryConfig,
    #[cfg(feature = "postgres")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postgres: Option<crate::pools::PostgresConfig>,
    #[cfg(feature = "sqlite")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sqlite: Option<crate::pools::SqliteConfig>,
    #[cfg(feature = "redis")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redis: Option<crate::pools::RedisConfig>,
}

/// Where in its life a service may wait, and how long.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServiceConfig {
    /// Longest time a starting service waits for its databases.
    #[serde(with = "duration")]
    pub(crate) start_budget: Duration,
    /// Time between the first red readiness answer and the closed listener, so that load balancers look away first.
    #[serde(with = "duration")]
    pub(crate) unready_wait: Duration,
    /// Longest time a stopping service waits for requests in flight.
    #[serde(with = "duration")]
    pub(crate) drain: Duration,
    /// Whether a start applies pending migrations itself; otherwise `NAME migrate` does.
    pub(crate) migrate_on_start: bool,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            start_budget: Duration::from_secs(30),
            unready_wait: Duration::from_secs(10),
            drain: Duration::from_secs(20),
            migrate_on_start: false,
        }
    }
}

/// The main listener, and what it accepts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Largest request body.
    #[serde(with = "size")]
    pub(crate) body_limit: usize,
    /// Longest time a handler may take, the reading of the body included.
    #[serde(with = "duration")]
    pub(crate) request_timeout: Duration,
    /// Longest time between the first byte of a request and the end of its headers.
    #[serde(with = "duration")]
    pub(crate) header_timeout: Duration,
    /// Longest time a connection may stay open without a request, or without taking a byte of its answer.
    #[serde(with = "duration")]
    pub(crate) idle_timeout: Duration,
    /// Connections open at once; further ones wait in the kernel's queue.
    pub(crate) max_connections: NonZeroU32,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            body_limit: 2 * 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            header_timeout: Duration::from_secs(10),
            // Above the 60 s that load balancers keep an idle connection, so that they close it first and never race us.
            idle_timeout: Duration::from_secs(75),
            max_connections: const { NonZeroU32::new(10_000).expect("above zero") },
        }
    }
}

/// The admin listener: metrics, info, log level.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AdminConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8081,
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    pub(crate) level: LogFilter,
    pub(crate) format: LogFormat,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people at a terminal.
    Pretty,
    /// One JSON object a line.
    #[default]
    Json,
}

/// How often checks run and what they decide.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HealthConfig {
    #[serde(with = "duration")]
    pub(crate) success_ttl: Duration,
    #[serde(with = "duration")]
    pub(crate) failure_ttl: Duration,
    #[serde(with = "duration")]
    pub(crate) deadline: Duration,
    pub(crate) unready_after_failures: u32,
    pub(crate) ready_after_successes: u32,
    /// Status code of a red `/healthcheck`: 503, or 500 as Runscope had it.
    pub(crate) failure_status: FailureStatus,
}

impl Default for HealthConfig {
    fn default() -> Self {
        let healthcheck::MonitorConfig {
            success_ttl,
            failure_ttl,
            deadline,
            unready_after_failures,
            ready_after_successes,
            ..
        } = healthcheck::MonitorConfig::default();
        let failure_status = FailureStatus(StatusCode::SERVICE_UNAVAILABLE);
        Self {
            success_ttl,
            failure_ttl,
            deadline,
            unready_after_failures,
            ready_after_successes,
            failure_status,
        }
    }
}

/// 503 or 500.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub(crate) struct FailureStatus(pub(crate) StatusCode);

impl TryFrom<u16> for FailureStatus {
    type Error = String;

    fn try_from(code: u16) -> Result<Self, String> {
        match code {
            503 => Ok(Self(StatusCode::SERVICE_UNAVAILABLE)),
            500 => Ok(Self(StatusCode::INTERNAL_SERVER_ERROR)),
            other => Err(format!("expected 503 or 500, found {other}")),
        }
    }
}

impl From<FailureStatus> for u16 {
    fn from(status: FailureStatus) -> Self {
        status.0.as_u16()
    }
}

/// Where errors are reported; without a DSN nothing is sent.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SentryConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dsn: Option<Secret>,
}

/// The lowest layer: what depends on the realm, and the empty section of a service without settings of its own.
pub(crate) fn built_in(realm: &Realm) -> &'static str {
    if realm.is_local() {
        "app = {}\nservice.unready_wait = \"0s\"\nlog.format = \"pretty\"\n"
    } else {
        "app = {}\nservice.unready_wait = \"10s\"\nlog.format = \"json\"\n"
    }
}
