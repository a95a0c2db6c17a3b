//! PostgreSQL, through sqlx.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use healthcheck::Check;
use serde::{Deserialize, Serialize};
use smart_config::{Secret, duration};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::Mutex;

use super::{Refused, Wait, patiently, refusal};
use crate::StartError;
use crate::error::chain;

/// Where PostgreSQL is. Separate fields, because a `#` or `@` in a password breaks a URL.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostgresConfig {
    pub(crate) host: String,
    #[serde(default = "default_port")]
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Secret,
    pub(crate) database: String,
    #[serde(default = "default_max_connections")]
    pub(crate) max_connections: NonZeroU32,
    /// Longest wait for a free connection of the pool.
    #[serde(with = "duration", default = "default_acquire_timeout")]
    pub(crate) acquire_timeout: Duration,
    #[serde(default)]
    pub(crate) tls: PostgresTls,
}

/// How the connection is protected, in libpq's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PostgresTls {
    /// Never TLS.
    Disable,
    /// TLS when the server offers it.
    #[default]
    Prefer,
    /// Always TLS, any certificate.
    Require,
    /// Always TLS, certificate and host name checked.
    VerifyFull,
}

/// The pool, and one connection of its own for the check.
///
/// A check that had to wait for a free connection would turn a busy service red; and a pool hides why it cannot connect.
#[derive(Debug, Clone)]
pub(crate) struct PostgresPool {
    pool: PgPool,
    probe: Arc<Probe>,
}

struct Probe {
    options: PgConnectOptions,
    target: String,
    connection: Mutex<Option<PgConnection>>,
}

impl PostgresPool {
    pub(crate) async fn connect(
        config: &PostgresConfig,
        application: &str,
        wait: &Wait<'_>,
    ) -> Result<Self, StartError> {
        let options = options(config, application);
        let target = format!(
            "PostgreSQL at {}:{} as `{}`",
            config.host, config.port, config.user
        );
        let connection = patiently(&target, wait, async || open(&options).await).await?;
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.get())
            .acquire_timeout(config.acquire_timeout)
            .connect_lazy_with(options.clone());
        let probe = Probe {
            options,
            target,
            connection: Mutex::new(Some(connection)),
        };
        Ok(Self {
            pool,
            probe: Arc::new(probe),
        })
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) fn check(&self) -> Check {
        let probe = self.probe.clone();
        Check::new("postgres", move || {
            let probe = probe.clone();
            async move { probe.ask().await }
        })
    }
}

impl Probe {
    async fn ask(&self) -> Result<String, String> {
        let mut kept = self.connection.lock().await;
        // Taken out while in use: a probe that is dropped at its deadline must not leave a half-read answer behind.
        if let Some(mut connection) = kept.take()
            && select_one(&mut connection).await.is_ok()
        {
            *kept = Some(connection);
            return Ok(format!("{} answers", self.target));
        }
        // The kept connection is gone, or there was none: a new one tells whether the server is, and why.
        let failed = |cause: String| format!("{}: {cause}", self.target);
        let mut connection = open(&self.options)
            .await
            .map_err(|refused| failed(refused.cause))?;
        select_one(&mut connection)
            .await
            .map_err(|error| failed(chain(&error)))?;
        *kept = Some(connection);
        Ok(format!("{} answers", self.target))
    }
}

/// Never the options: their `Debug` shows the password.
impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

fn options(config: &PostgresConfig, application: &str) -> PgConnectOptions {
    let tls = match config.tls {
        PostgresTls::Disable => PgSslMode::Disable,
        PostgresTls::Prefer => PgSslMode::Prefer,
        PostgresTls::Require => PgSslMode::Require,
        PostgresTls::VerifyFull => PgSslMode::VerifyFull,
    };
    PgConnectOptions::new_without_pgpass()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .password(config.password.expose())
        .database(&config.database)
        .ssl_mode(tls)
        .application_name(application)
}

async fn open(options: &PgConnectOptions) -> Result<PgConnection, Refused> {
    match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await {
        Ok(connected) => connected.map_err(|error| refused(&error)),
        Err(_) => Err(refusal(&std::io::ErrorKind::TimedOut.into())),
    }
}

/// Longest time one attempt may take; a silent address would otherwise use up the whole start budget in one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

async fn select_one(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("select 1").execute(connection).await.map(drop)
}

fn refused(error: &sqlx::Error) -> Refused {
    match error {
        sqlx::Error::Io(error) => refusal(error),
        sqlx::Error::Database(database) => {
            // SQLSTATE classes: 28 authorization, 3D the database's name; 57P03 is a server that is still starting.
            let code = database.code().unwrap_or_default();
            let (what, hint, is_final) = match &*code {
                "28P01" | "28000" => (
                    "authentication failed",
                    Some("correct `postgres.user` or `postgres.password`"),
                    true,
                ),
                "3D000" => (
                    "the database does not exist",
                    Some("create it, or correct `postgres.database`"),
                    true,
                ),
                _ => ("the server refused", None, false),
            };
            Refused {
                cause: format!("{what}: {} (SQLSTATE {code})", database.message()),
                hint,
                is_final,
            }
        }
        sqlx::Error::Tls(_) => Refused {
            cause: chain(error),
            hint: Some(
                "`postgres.tls` asks for what the server does not offer, or its certificate is not trusted here",
            ),
            is_final: true,
        },
        other => Refused {
            cause: chain(other),
            hint: None,
            is_final: false,
        },
    }
}

fn default_port() -> u16 {
    5432
}

fn default_max_connections() -> NonZeroU32 {
    const { NonZeroU32::new(10).expect("above zero") }
}

fn default_acquire_timeout() -> Duration {
    Duration::from_secs(5)
}
