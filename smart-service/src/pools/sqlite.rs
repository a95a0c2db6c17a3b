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

/// The pool over one database file.
#[derive(Debug, Clone)]
pub(crate) struct SqlitePool {
    pool: sqlx::SqlitePool,
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
            .connect_with(options)
            .await
            .map_err(|error| failed().caused_by(error))?;
        Ok(Self { pool })
    }

    pub(crate) fn pool(&self) -> &sqlx::SqlitePool {
        &self.pool
    }

    pub(crate) fn check(&self) -> Check {
        let pool = self.pool.clone();
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
