//! Where in its life a service is, readable from every part.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use healthcheck::Monitor;

/// The phases, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Listening, but not complete: health answers, nothing else.
    Starting,
    Serving,
    /// Told to stop: still serving, no longer ready.
    Draining,
}

/// The phase of one service and, once it has started, its checks. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Phases(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    phase: AtomicU8,
    waiting_for: Mutex<Option<String>>,
    monitor: OnceLock<Monitor>,
}

impl Phase {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Draining => "draining",
        }
    }

    pub(crate) fn has_started(self) -> bool {
        self != Self::Starting
    }
}

impl Phases {
    pub(crate) fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Release);
    }

    /// The checks; `None` while the service is starting.
    pub(crate) fn monitor(&self) -> Option<&Monitor> {
        self.0.monitor.get()
    }

    /// Makes the checks readable, once each has run.
    pub(crate) fn checks_run(&self, monitor: Monitor) {
        let first = self.0.monitor.set(monitor).is_ok();
        debug_assert!(first, "a service starts once");
    }

    /// What a starting service waits for, for people who ask why it is not there yet.
    pub(crate) fn wait_for(&self, what: String) {
        *self
            .0
            .waiting_for
            .lock()
            .expect("no code panics while it holds this lock") = Some(what);
    }

    pub(crate) fn waiting_for(&self) -> Option<String> {
        self.0
            .waiting_for
            .lock()
            .expect("no code panics while it holds this lock")
            .clone()
    }
}
