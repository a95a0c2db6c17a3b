//! The last result of one check, as a report shows it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::report::Status;

/// The last result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Name of the check.
    pub name: Arc<str>,
    /// Whether the check decides the status.
    pub critical: bool,
    /// Whether it passed. False too when it has not run yet or the result is stale.
    pub passed: bool,
    /// What the probe said: at most 200 characters, none of them a control character.
    pub output: Arc<str>,
    /// When the run finished; the time of the report for a check that has not run yet.
    pub timestamp: SystemTime,
    /// When the result is to be replaced by a new one.
    pub expires: SystemTime,
    /// How long the run took; none for a check that has not run yet.
    pub response_time: Option<Duration>,
}

impl CheckResult {
    /// What this result means for the sum: an advisory check can only warn.
    pub(crate) fn status(&self) -> Status {
        match (self.passed, self.critical) {
            (true, _) => Status::Pass,
            (false, false) => Status::Warn,
            (false, true) => Status::Fail,
        }
    }
}
