//! Connections to what a service keeps its data in: connected at start, checked for ever, closed last.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::time::Duration;

use healthcheck::Check;
use serde::Serialize;
use tokio::time::Instant;

#[cfg(feature = "postgres")]
pub(crate) use self::postgres::{PostgresConfig, PostgresPool};
#[cfg(feature = "redis")]
pub(crate) use self::redis::{RedisConfig, RedisPool};
#[cfg(feature = "sqlite")]
pub(crate) use self::sqlite::{SqliteConfig, SqlitePool};
use crate::lifecycle::Phases;
use crate::settings::Settings;
use crate::{Migrations, StartError};

/// The pools whose sections the configuration has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pools {
    #[cfg(feature = "postgres")]
    pub(crate) postgres: Option<PostgresPool>,
    #[cfg(feature = "sqlite")]
    pub(crate) sqlite: Option<SqlitePool>,
    #[cfg(feature = "redis")]
    pub(crate) redis: Option<RedisPool>,
}

impl Pools {
    /// Connects to everything that is configured, waiting at most `[service] start_budget` in all.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "redis")),
        allow(unused_variables, unused_mut, reason = "there is less to connect to")
    )]
    pub(crate) async fn connect<S: Serialize>(
        settings: &Settings<S>,
        application: &str,
        phases: &Phases,
    ) -> Result<Self, StartError> {
        let budget = settings.service.start_budget;
        let wait = Wait {
            budget,
            until: Instant::now() + budget,
            phases,
        };
        let mut pools = Self::default();
        #[cfg(feature = "sqlite")]
        if let Some(config) = &settings.sqlite {
            pools.sqlite = Some(SqlitePool::open(config).await?);
        }
        #[cfg(feature = "postgres")]
        if let Some(config) = &settings.postgres {
            pools.postgres = Some(PostgresPool::connect(config, application, &wait).await?);
        }
        #[cfg(feature = "redis")]
        if let Some(config) = &settings.redis {
            pools.redis = Some(RedisPool::connect(config, application, &wait).await?);
        }
        Ok(pools)
    }

    /// One critical check for each pool.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let checks: [Option<Check>; _] = [
            #[cfg(feature = "postgres")]
            self.postgres.as_ref().map(PostgresPool::check),
            #[cfg(feature = "sqlite")]
            self.sqlite.as_ref().map(SqlitePool::check),
            #[cfg(feature = "redis")]
            self.redis.as_ref().map(RedisPool::check),
        ];
        checks.into_iter().flatten().collect()
    }

    /// Applies pending migrations to the database of the service; returns how many there were.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        expect(unused_variables, reason = "there is no database")
    )]
    pub(crate) async fn migrate(&self, migrations: &Migrations) -> Result<usize, StartError> {
        #[cfg(feature = "postgres")]
        if let Some(postgres) = &self.postgres {
            return migrate(postgres.pool(), migrations).await;
        }
        #[cfg(feature = "sqlite")]
        if let Some(sqlite) = &self.sqlite {
            return migrate(sqlite.pool(), migrations).await;
        }
        Err(StartError::new(
            "there is no database to migrate: the configuration has neither a `[postgres]` nor a `[sqlite]` section",
        )
        .configuration())
    }

    /// Descriptions of the migrations that the database lacks.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        expect(unused_variables, reason = "there is no database")
    )]
    pub(crate) async fn pending(&self, migrations: &Migrations) -> Result<Vec<String>, StartError> {
        #[cfg(feature = "postgres")]
        if let Some(postgres) = &self.postgres {
            return pending(postgres.pool(), migrations).await;
        }
        #[cfg(feature = "sqlite")]
        if let Some(sqlite) = &self.sqlite {
            return pending(sqlite.pool(), migrations).await;
        }
        Ok(Vec::new())
    }

    /// Sets the gauges of pool use; called when metrics are read.
    pub(crate) fn record_use(&self) {
        #[cfg(feature = "postgres")]
        if let Some(postgres) = &self.postgres {
            record_use("postgres", postgres.pool());
        }
        #[cfg(feature = "sqlite")]
        if let Some(sqlite) = &self.sqlite {
            record_use("sqlite", sqlite.pool());
        }
    }

    /// Closes every pool: waits for connections in use to come back.
    pub(crate) async fn close(&self) {
        #[cfg(feature = "postgres")]
        if let Some(postgres) = &self.postgres {
            postgres.pool().close().await;
        }
        #[cfg(feature = "sqlite")]
        if let Some(sqlite) = &self.sqlite {
            sqlite.close().await;
        }
    }
}

/// The error for a pool that the code asks for and the configuration lacks.
#[cfg(any(feature = "postgres", feature = "sqlite", feature = "redis"))]
pub(crate) fn missing(section: &str, lines: &str) -> StartError {
    let lines = lines.replace('\n', "\n      ");
    StartError::new(format!(
        "the service uses `{section}`, but the configuration has no `[{section}]` section"
    ))
    .hint(format!(
        "add these lines to config/default.toml and fill them in:\n      {lines}"
    ))
    .configuration()
}

/// Why one attempt to connect failed, and whether another may succeed.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) cause: String,
    pub(crate) hint: Option<&'static str>,
    /// A wrong password does not get right by waiting.
    pub(crate) is_final: bool,
}

/// How long a start may wait, and who is told what for.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    budget: Duration,
    until: Instant,
    phases: &'a Phases,
}

/// Attempts to connect until it works, cannot work, or the time is up; the error carries the last real cause.
#[cfg_attr(
    not(any(feature = "postgres", feature = "redis")),
    expect(dead_code, reason = "only servers are waited for")
)]
async fn patiently<T>(
    target: &str,
    wait: &Wait<'_>,
    mut attempt: impl AsyncFnMut() -> Result<T, Refused>,
) -> Result<T, StartError> {
    let mut pause = Duration::from_millis(50);
    let mut told = String::new();
    loop {
        let until = wait.until.max(Instant::now() + SHORTEST_ATTEMPT);
        let refused = match tokio::time::timeout_at(until, attempt()).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(refused)) => refused,
            Err(_) => refusal(&std::io::ErrorKind::TimedOut.into()),
        };
        let now = Instant::now();
        if refused.is_final || now >= wait.until {
            let budget = if refused.is_final {
                String::new()
            } else {
                let budget = humantime::format_duration(wait.budget);
                format!(" within {budget} (`service.start_budget`)")
            };
            let error = StartError::new(format!("cannot connect to {target}{budget}"))
                .caused_by(refused.cause);
            return Err(match refused.hint {
                Some(hint) => error.hint(hint),
                None => error,
            });
        }
        if told != refused.cause {
            tracing::warn!("waiting for {target}: {}", refused.cause);
            wait.phases
                .wait_for(format!("waiting for {target}: {}", refused.cause));
            told = refused.cause;
        }
        // Between half and all of the pause: instances that lost the same server must not come back in step.
        let pause_now = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::time::sleep_until(wait.until.min(now + pause_now)).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// What an attempt gets when the budget is nearly used up: enough to learn the cause.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);

/// Words for what the operating system says of a connection attempt.
fn refusal(error: &std::io::Error) -> Refused {
    let (cause, hint) = match error.kind() {
        std::io::ErrorKind::ConnectionRefused => (
            "connection refused: nothing listens there".to_owned(),
            Some("start it (on a laptop: `smart engines`), or correct host and port"),
        ),
        std::io::ErrorKind::TimedOut => (
            "timed out: no answer from that address".to_owned(),
            Some("check the address, the network and firewalls between here and there"),
        ),
        _ => (error.to_string(), None),
    };
    Refused {
        cause,
        hint,
        is_final: false,
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn record_use<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) {
    // Counts only; far below what a float holds exactly.
    let gauge = |state: &'static str, count: u32| {
        metrics::gauge!("db_pool_connections", "pool" => name, "state" => state)
            .set(f64::from(count));
    };
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    gauge("idle", idle);
    gauge("in_use", pool.size().saturating_sub(idle));
    metrics::gauge!("db_pool_connections_max", "pool" => name)
        .set(f64::from(pool.options().get_max_connections()));
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
async fn migrate<D>(pool: &sqlx::Pool<D>, migrations: &Migrations) -> Result<usize, StartError>
where
    D: sqlx::Database,
    D::Connection: sqlx::migrate::Migrate,
    for<'a> &'a sqlx::Pool<D>: sqlx::Acquire<'a, Database = D>,
{
    let before = pending(pool, migrations).await?.len();
    migrations.migrator().run(pool).await.map_err(|error| {
        let changed = matches!(error, sqlx::migrate::MigrateError::VersionMismatch(_));
        let failed = StartError::new("cannot apply the migrations").caused_by(error);
        if changed {
            failed.hint("an applied migration never changes: put the correction into a new file in migrations/")
        } else {
            failed
        }
    })?;
    Ok(before)
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
async fn pending<D>(
    pool: &sqlx::Pool<D>,
    migrations: &Migrations,
) -> Result<Vec<String>, StartError>
where
    D: sqlx::Database,
    D::Connection: sqlx::migrate::Migrate,
{
    use sqlx::migrate::{Migrate, MigrateError};

    const TABLE: &str = "_sqlx_migrations";
    let failed =
        |error| StartError::new("cannot read which migrations are applied").caused_by(error);
    let mut connection = pool
        .acquire()
        .await
        .map_err(|error| failed(MigrateError::Execute(error)))?;
    // Only looks: a service that leaves migrations to `migrate` may lack the right to create the table, and instances that
    // create it at once get in each other's way.
    let applied = match connection.list_applied_migrations(TABLE).await {
        Err(MigrateError::Execute(sqlx::Error::Database(error))) if is_missing_table(&*error) => {
            Vec::new()
        }
        listed => listed.map_err(failed)?,
    };
    let lacks = |version| applied.iter().all(|migration| migration.version != version);
    Ok(migrations
        .versions()
        .filter(|&(version, _)| lacks(version))
        .map(|(version, description)| format!("{version:04} {description}"))
        .collect())
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn is_missing_table(error: &dyn sqlx::error::DatabaseError) -> bool {
    // PostgreSQL has a code for it, SQLite only words.
    error.code().is_some_and(|code| code == "42P01") || error.message().starts_with("no such table")
}
