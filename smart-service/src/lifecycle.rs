//! Start and stop of one service: the phases, in order, and who owns what.

mod phase;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use healthcheck::{Change, Check, Identity, Monitor, MonitorConfig};
use serde::Serialize;
use smart_config::Realm;
use tokio::task::JoinSet;

pub(crate) use self::phase::{Phase, Phases};
use crate::admin::{self, Admin};
use crate::health::{self, Health};
use crate::middleware::{self, observe::Traffic, panic::caught};
use crate::pools::Pools;
use crate::server::{Limits, Server, bind};
use crate::service::{App, Service};
use crate::settings::{HealthConfig, ServiceConfig, Settings};
use crate::telemetry::{Metrics, Telemetry};
use crate::{About, Migrations, StartError};

/// What a service is started from.
#[derive(Debug)]
pub(crate) struct Blueprint<S> {
    pub(crate) about: About,
    pub(crate) realm: Realm,
    pub(crate) settings: Settings<S>,
    pub(crate) migrations: Option<Migrations>,
}

/// A service that serves. Dropping it ends everything at once; [`stop`](Self::stop) drains first.
#[derive(Debug)]
pub(crate) struct Running {
    phases: Phases,
    traffic: Traffic,
    times: ServiceConfig,
    pools: Pools,
    main: Server,
    admin: Server,
    /// Keeps up metrics for as long as the service lives.
    _upkeep: JoinSet<()>,
}

/// How a stop went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) drained: usize,
    pub(crate) aborted: usize,
    pub(crate) elapsed: Duration,
}

/// Starts a service: listens at once, answers only health until everything it needs is there, then serves.
///
/// Dropping the future stops and closes whatever was started.
pub(crate) async fn start<S, F, Fut>(
    blueprint: Blueprint<S>,
    telemetry: &Telemetry,
    service: F,
) -> Result<Running, StartError>
where
    S: Serialize,
    F: FnOnce(Service<S>) -> Fut,
    Fut: Future<Output = Result<App, StartError>>,
{
    let began = Instant::now();
    let Blueprint {
        about,
        realm,
        settings,
        migrations,
    } = blueprint;
    let phases = Phases::default();
    let traffic = Traffic::default();
    let identity = Arc::new(identity(about, &realm));
    let routes = Arc::new(OnceLock::new());
    let late_pools = Arc::new(OnceLock::new());

    let main = bind(&settings.http.host, settings.http.port, "http").await?;
    let admin = bind(&settings.admin.host, settings.admin.port, "admin").await;
    let admin = match admin {
        Err(error) if settings.admin.port == main.local_addr()?.port() => {
            Err(error.hint("`http.port` is the same: each listener needs a port of its own"))
        }
        bound => bound,
    }?;
    let limits = Limits {
        header_timeout: settings.http.header_timeout,
        idle_timeout: settings.http.idle_timeout,
        max_connections: settings.http.max_connections,
    };
    let health = Health {
        phases: phases.clone(),
        identity: identity.clone(),
        failure_status: settings.health.failure_status.0,
    };
    let front = middleware::probes(health::routes(health), &settings.http, &traffic)
        .fallback_service(middleware::gate(routes.clone(), &settings.http, &traffic));
    let main = Server::start(main, front, limits.clone())?;
    let desk = Admin {
        about,
        identity,
        phases: phases.clone(),
        pools: late_pools.clone(),
        metrics: telemetry.metrics.clone(),
        log: telemetry.log.clone(),
    };
    let admin = Server::start(
        admin,
        middleware::admin(admin::routes(desk), &settings.http),
        limits,
    )?;
    let mut upkeep = JoinSet::new();
    upkeep.spawn(Metrics::keep_up(telemetry.metrics.handle()));
    tracing::info!(
        realm = %realm,
        version = about.version,
        commit = about.commit,
        "{} listens on {} (admin on {})",
        about.name,
        main.address(),
        admin.address(),
    );

    let pools = Pools::connect(&settings, about.name, &phases).await?;
    if let Some(migrations) = &migrations {
        migrate(
            &pools,
            migrations,
            settings.service.migrate_on_start,
            about.name,
        )
        .await?;
    }
    let _ = late_pools.set(pools.clone());

    let mut checks = vec![Check::runtime()];
    checks.extend(pools.checks());
    let prepared = Service::new(
        settings.app,
        realm,
        pools.clone(),
        telemetry.redactor.clone(),
    );
    let app = caught(async { service(prepared).await })
        .await
        .map_err(|panic| StartError::new(format!("the service function panicked {panic}")))??;
    checks.extend(app.checks);
    let monitor = Monitor::start(monitor_config(&settings.health), checks, announce)
        .map_err(|error| StartError::from(error).configuration())?;
    monitor.first_round().await;
    phases.checks_run(monitor);
    let _ = routes.set(middleware::standard(app.routes, &settings.http, &traffic));
    phases.enter(Phase::Serving);
    tracing::info!(
        elapsed_ms = began.elapsed().as_secs_f64() * 1000.0,
        "{} is started",
        about.name
    );

    Ok(Running {
        phases,
        traffic,
        times: settings.service,
        pools,
        main,
        admin,
        _upkeep: upkeep,
    })
}

impl Running {
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.main.address()
    }

    pub(crate) fn admin_address(&self) -> std::net::SocketAddr {
        self.admin.address()
    }

    /// Red readiness first, then no new connections, then the requests in flight, then the pools.
    ///
    /// Dropping the future ends everything at once.
    pub(crate) async fn stop(self) -> Summary {
        let began = Instant::now();
        self.phases.enter(Phase::Draining);
        // Callers with open connections come back on new ones: those go to an instance that stays.
        self.traffic.close_connections();
        if !self.times.unready_wait.is_zero() {
            tracing::info!(
                "not ready any more; accepting for another {}",
                humantime::format_duration(self.times.unready_wait)
            );
            tokio::time::sleep(self.times.unready_wait).await;
        }

        let answered = self.traffic.finished();
        let aborted = self.main.drain(self.times.drain).await;
        let drained = self.traffic.finished() - answered;
        if let Some(monitor) = self.phases.monitor() {
            monitor.stop().await;
        }
        // Whoever still holds a connection was aborted above; a pool that waits for it would wait for ever.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.pools.close()).await;
        drop(self.admin);
        Summary {
            drained,
            aborted,
            elapsed: began.elapsed(),
        }
    }
}

async fn migrate(
    pools: &Pools,
    migrations: &Migrations,
    on_start: bool,
    name: &str,
) -> Result<(), StartError> {
    if on_start {
        let applied = pools.migrate(migrations).await?;
        if applied > 0 {
            tracing::info!(applied, "applied the pending migrations");
        }
        return Ok(());
    }
    let pending = pools.pending(migrations).await?;
    if pending.is_empty() {
        return Ok(());
    }
    Err(StartError::new(format!(
        "the database lacks {} of this version's migrations: {}",
        pending.len(),
        pending.join(", ")
    ))
    .hint(format!(
        "run `{name} migrate` before the service, or set `service.migrate_on_start = true`"
    )))
}

fn identity(about: About, realm: &Realm) -> Identity {
    Identity {
        hostname: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
        service: about.name.to_owned(),
        version: about.version.to_owned(),
        commit: about.commit.to_owned(),
        realm: realm.to_string(),
        template_version: about.template_version.map(str::to_owned),
        started: SystemTime::now(),
    }
}

fn monitor_config(health: &HealthConfig) -> MonitorConfig {
    MonitorConfig {
        success_ttl: health.success_ttl,
        failure_ttl: health.failure_ttl,
        deadline: health.deadline,
        unready_after_failures: health.unready_after_failures,
        ready_after_successes: health.ready_after_successes,
    }
}

/// One log line per change of state.
fn announce(change: &Change) {
    let Change {
        check,
        passed,
        output,
        critical,
        ..
    } = change;
    match (passed, critical) {
        (true, _) => tracing::info!(check, "check `{check}` passes: {output}"),
        (false, true) => tracing::warn!(check, "check `{check}` fails: {output}"),
        (false, false) => tracing::warn!(check, "advisory check `{check}` fails: {output}"),
    }
}

/// The routes while they do not exist yet.
pub(crate) type LateRoutes = Arc<OnceLock<Router>>;
