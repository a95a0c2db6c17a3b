//! Logs, metrics and error reports of one service.
//!
//! A process has one service and installs these globally; a test process has many, each on a thread of its own, where the
//! same three are installed for that thread alone.

mod log;
mod metrics;
mod pretty;
mod process;
mod redact;
#[cfg(feature = "sentry")]
mod reports;

use std::sync::Arc;

use serde::Serialize;
use smart_config::{Loaded, Realm};
use tracing::Dispatch;

pub(crate) use self::log::{LogControl, LogFilter, LogOutput};
pub(crate) use self::metrics::Metrics;
pub(crate) use self::redact::Redactor;
use crate::settings::Settings;
use crate::{About, StartError};

/// What a service tells the world, before it is installed.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) log: Arc<LogControl>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) redactor: Redactor,
    dispatch: Dispatch,
    #[cfg(feature = "sentry")]
    reports: Option<Arc<sentry::Client>>,
}

impl Telemetry {
    pub(crate) fn new<S: Serialize>(
        about: About,
        realm: &Realm,
        loaded: &Loaded<Settings<S>>,
        output: LogOutput,
    ) -> Result<Self, StartError> {
        let redactor = Redactor::new(loaded.secret_values());
        let settings = &loaded.value;
        #[cfg(feature = "sentry")]
        let reports = match &settings.sentry.dsn {
            Some(dsn) => Some(reports::client(dsn, about, realm, redactor.clone())?),
            None => None,
        };
        #[cfg(not(feature = "sentry"))]
        if settings.sentry.dsn.is_some() {
            return Err(StartError::new(
                "`sentry.dsn` is set, but this service is built without error reporting",
            )
            .hint("turn on the feature `sentry` of smart-service, or take the key out")
            .configuration());
        }
        let reporting = match settings.sentry.dsn {
            Some(_) => log::Reports::On,
            None => log::Reports::Off,
        };
        let (dispatch, log) = log::dispatch(&settings.log, output, redactor.clone(), reporting);
        let metrics = Metrics::new(about, realm);
        Ok(Self {
            log: Arc::new(log),
            metrics: Arc::new(metrics),
            redactor,
            dispatch,
            #[cfg(feature = "sentry")]
            reports,
        })
    }

    /// Installs all three for the whole process. Called once, on the main thread, before any other thread exists.
    pub(crate) fn install(&self) -> Result<(), StartError> {
        tracing::dispatcher::set_global_default(self.dispatch.clone())?;
        ::metrics::set_global_recorder(self.metrics.recorder())?;
        self.install_reports();
        Ok(())
    }

    /// Runs `work` with all three installed for this thread.
    pub(crate) fn on_this_thread<T>(&self, work: impl FnOnce() -> T) -> T {
        self.install_reports();
        let recorder = self.metrics.recorder();
        tracing::dispatcher::with_default(&self.dispatch, || {
            ::metrics::with_local_recorder(&recorder, work)
        })
    }

    /// Sends what is still queued, waiting two seconds at most.
    pub(crate) fn flush(&self) {
        #[cfg(feature = "sentry")]
        if let Some(client) = &self.reports {
            reports::close(client.clone(), std::time::Duration::from_secs(2));
        }
    }

    #[cfg_attr(
        not(feature = "sentry"),
        expect(clippy::unused_self, reason = "reports exist with their feature only")
    )]
    fn install_reports(&self) {
        // The main thread's hub is the one that every later thread of the process copies.
        #[cfg(feature = "sentry")]
        sentry::Hub::current().bind_client(self.reports.clone());
    }
}
