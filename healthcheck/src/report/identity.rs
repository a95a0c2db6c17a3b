//! Who is reporting.

use std::time::{Duration, SystemTime};

/// Who is reporting: the same for the whole life of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name of the host, as the operating system knows it.
    pub hostname: String,
    /// Name of the service.
    pub service: String,
    /// Version of the service.
    pub version: String,
    /// Commit it was built from.
    pub commit: String,
    /// Realm it runs in.
    pub realm: String,
    /// Version of the template it was generated from, if it was.
    pub template_version: Option<String>,
    /// When the process started.
    pub started: SystemTime,
}

impl Identity {
    /// Time since the start; zero when the clock was set back behind it.
    pub(crate) fn uptime(&self, now: SystemTime) -> Duration {
        now.duration_since(self.started).unwrap_or_default()
    }
}
