//! A monitor whose wall clock follows the paused time, and a list of the changes it told.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use healthcheck::{Change, Check, Identity, Monitor, MonitorConfig};
use tokio::time::Instant;

pub(crate) struct Running {
    pub(crate) monitor: Monitor,
    changes: Arc<Mutex<Vec<Change>>>,
}

impl Running {
    pub(crate) fn start(checks: Vec<Check>) -> Self {
        Self::start_with(MonitorConfig::default(), checks)
    }

    pub(crate) fn start_with(config: MonitorConfig, checks: Vec<Check>) -> Self {
        let changes = Arc::new(Mutex::new(Vec::new()));
        let told = changes.clone();
        let on_change = move |change: &Change| told.lock().unwrap().push(change.clone());
        let start = Instant::now();
        let clock = move || start_time() + start.elapsed();
        let monitor = Monitor::start_with_clock(config, checks, on_change, clock).unwrap();
        Self { monitor, changes }
    }

    pub(crate) async fn after_first_round(checks: Vec<Check>) -> Self {
        let running = Self::start(checks);
        running.monitor.first_round().await;
        running
    }

    pub(crate) fn changes(&self) -> Vec<String> {
        let changes = self.changes.lock().unwrap();
        changes.iter().map(Change::to_string).collect()
    }

    /// The output of the check registered first.
    pub(crate) fn output(&self) -> String {
        self.monitor.report().results[0].output.to_string()
    }
}

/// What the wall clock shows when a test starts: 2014-11-24T19:14:25.500Z.
pub(crate) fn start_time() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_416_856_465_500)
}

/// Lets the paused time pass, and everything that is due in it happen.
pub(crate) async fn pass_time(duration: Duration) {
    tokio::time::sleep(duration).await;
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn identity() -> Identity {
    Identity {
        hostname: "web-1".to_owned(),
        service: "orders".to_owned(),
        version: "1.4.2".to_owned(),
        commit: "3f9c2ab".to_owned(),
        realm: "prod".to_owned(),
        template_version: Some("0.1.0".to_owned()),
        started: start_time() - Duration::from_millis(2500),
    }
}
