//! SQLite, the embedded database: one file, through sqlx.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use healthcheck::Check;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::StartError;
use crate::error::chain;

/// The embedded database.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqliteConfig {
    /// Path of the database file; its folder is made when it is missing.
    pub(crate) path: PathBuf,
    #[serde(default = "default_max_connections")]
    pub(crate) max_connections: NonZeroU32,
}

/// The pool over one database file, and a connection of its own for the check.
///
/// A check that had to wait for a free connection would turn a busy service red.
#[derive(Debug, Clone)]
pub(crate) struct SqlitePool {
    pool: sqlx::SqlitePool,
    probe: sqlx::SqlitePool,
}

impl SqlitePool {
    pub(crate) async fn open(config: &SqliteConfig) -> Result<Self, StartError> {
        let failed = || {
            StartError::new(format!(
                "cannot open the SQLite database {} (`sqlite.path`)",
                config.path.display()
            ))
        };
        if let Some(folder) = config.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                failed()
                    .caused_by(error)
                    .hint("the folder must be writable for the user the service runs as")
            })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(&config.path)
            .create_if_missing(true)
            .foreign_keys(true)
            // Readers and the writer do not wait for each other; with WAL, NORMAL survives a crash of the process and
            // can lose the last transactions to a power cut, never consistency (sqlite.org/wal.html).
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(config.max_connections.get())
            .connect_with(options.clone())
            .await
            .map_err(|error| failed().caused_by(error))?;
        let probe = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options);
        Ok(Self { pool, probe })
    }

    pub(crate) fn pool(&self) -> &sqlx::SqlitePool {
        &self.pool
    }

    pub(crate) async fn close(&self) {
        self.probe.close().await;
        self.pool.close().await;
    }

    pub(crate) fn check(&self) -> Check {
        let pool = self.probe.clone();
        Check::new("sqlite", move || {
            let pool = pool.clone();
            async move {
                // Reads a page of the file; `select 1` would not touch it.
                sqlx::query("select count(*) from sqlite_master")
                    .execute(&pool)
                    .await
                    .map(|_| "SQLite answers".to_owned())
                    .map_err(|error| chain(&error))
            }
        })
    }
}

fn default_max_connections() -> NonZeroU32 {
    const { NonZeroU32::new(5).expect("above zero") }
}
