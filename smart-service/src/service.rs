//! What the service function receives, and what it returns.

use std::error::Error;
use std::fmt;

use axum::Router;
use healthcheck::Check;
use smart_config::Realm;

use crate::error::chain;
use crate::pools::Pools;
use crate::telemetry::Redactor;
#[cfg(any(feature = "postgres", feature = "sqlite", feature = "redis"))]
use crate::{StartError, pools::missing};

/// Everything the framework prepared for one service: its settings and its pools.
///
/// It is taken apart once, in the service function: each router gets the state it needs and nothing more.
#[must_use = "a service that is not turned into an `App` with `routes` serves nothing"]
pub struct Service<S> {
    settings: S,
    realm: Realm,
    pools: Pools,
    redactor: Redactor,
    checks: Vec<Check>,
}

/// What a service serves: its routes and its checks.
#[must_use]
pub struct App {
    pub(crate) routes: Router,
    pub(crate) checks: Vec<Check>,
}

impl<S> Service<S> {
    pub(crate) fn new(settings: S, realm: Realm, pools: Pools, redactor: Redactor) -> Self {
        Self {
            settings,
            realm,
            pools,
            redactor,
            checks: Vec::new(),
        }
    }

    /// The service's own settings, from `[app]`.
    pub fn settings(&self) -> &S {
        &self.settings
    }

    /// The realm this instance runs in: `local`, `test`, `prod` or a name of your own.
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The PostgreSQL pool of `[postgres]`. Cloning it is cheap; the framework closes it after the drain.
    ///
    /// # Errors
    /// When the configuration has no `[postgres]` section; the error shows the lines to add.
    #[cfg(feature = "postgres")]
    pub fn postgres(&self) -> Result<sqlx::PgPool, StartError> {
        self.pools.postgres.as_ref().map(|pool| pool.pool().clone()).ok_or_else(|| {
            missing("postgres", "[postgres]\nhost = \"127.0.0.1\"\nuser = \"...\"\npassword = \"\"\ndatabase = \"...\"")
        })
    }

    /// The SQLite pool of `[sqlite]`. Cloning it is cheap; the framework closes it after the drain.
    ///
    /// # Errors
    /// When the configuration has no `[sqlite]` section; the error shows the lines to add.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&self) -> Result<sqlx::SqlitePool, StartError> {
        self.pools
            .sqlite
            .as_ref()
            .map(|pool| pool.pool().clone())
            .ok_or_else(|| missing("sqlite", "[sqlite]\npath = \"data/service.db\""))
    }

    /// The Redis connection of `[redis]`: one multiplexed connection that reconnects by itself; clone it per use.
    ///
    /// Commands that block on the server (`BLPOP`, `XREAD BLOCK`) stall every other user of it: give them a connection of
    /// their own.
    ///
    /// # Errors
    /// When the configuration has no `[redis]` section; the error shows the lines to add.
    #[cfg(feature = "redis")]
    pub fn redis(&self) -> Result<redis::aio::ConnectionManager, StartError> {
        self.pools
            .redis
            .as_ref()
            .map(|redis| redis.connection().clone())
            .ok_or_else(|| missing("redis", "[redis]\nhost = \"127.0.0.1\""))
    }

    /// Adds a critical check: while it fails, the service is not ready and `/healthcheck` is red.
    ///
    /// The probe runs in the background with a deadline (`[health] deadline`, 800 ms); its text is shown to people.
    pub fn check<F, Fut, E>(self, name: impl Into<String>, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let check = self.guarded(name, probe);
        self.with_check(check)
    }

    /// Adds an advisory check: it is shown when it fails, and changes nothing else.
    pub fn advisory_check<F, Fut, E>(self, name: impl Into<String>, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let check = self.guarded(name, probe).advisory();
        self.with_check(check)
    }

    /// The end of the service function: these routes, behind the standard stack.
    pub fn routes(self, routes: Router) -> App {
        App {
            routes,
            checks: self.checks,
        }
    }

    /// A check whose text, which anybody may read, shows no secret of this service.
    fn guarded<F, Fut, E>(&self, name: impl Into<String>, probe: F) -> Check
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let redactor = self.redactor.clone();
        Check::new(name, move || {
            let (answer, redactor) = (probe(), redactor.clone());
            async move {
                match answer.await {
                    Ok(text) => Ok(redactor.redact(&text).into_owned()),
                    Err(error) => Err(redactor.redact(&chain(&*error.into())).into_owned()),
                }
            }
        })
    }

    fn with_check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }
}

impl<S> fmt::Debug for Service<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("realm", &self.realm)
            .field("pools", &self.pools)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
