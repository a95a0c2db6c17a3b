//! What a reader gets: the state of all checks at one moment, and the two JSON bodies made from it.

pub(crate) mod identity;

mod health_json;
mod runscope;

use std::time::SystemTime;

use serde::Serialize;

use crate::result::CheckResult;

/// The sum of all checks.
///
/// The caller maps it to a status code: [`Fail`](Self::Fail) must be 4xx or 5xx, the others 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every check passes.
    Pass,
    /// Only advisory checks fail. Runscope's body, which has no such word, says `success`.
    Warn,
    /// A critical check fails.
    Fail,
}

/// Whether the service wants requests, with some patience for single failures.
///
/// A critical check stands against it until it has passed, after several failures in a row, and at once when its result
/// is stale. The numbers are in [`MonitorConfig`](crate::MonitorConfig).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// True while no critical check stands against it.
    pub ready: bool,
    /// Names of the critical checks that do, in the order of registration.
    pub failing: Vec<String>,
}

/// The results of all checks at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The sum of the results.
    pub status: Status,
    /// When the report was made.
    pub timestamp: SystemTime,
    /// One result per check, in the order of registration.
    pub results: Vec<CheckResult>,
}

impl Report {
    pub(crate) fn new(timestamp: SystemTime, results: Vec<CheckResult>) -> Self {
        let status = results
            .iter()
            .map(CheckResult::status)
            .fold(Status::Pass, Status::worse);
        Self {
            status,
            timestamp,
            results,
        }
    }
}

impl Status {
    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Warn, _) | (_, Self::Warn) => Self::Warn,
            (Self::Pass, Self::Pass) => Self::Pass,
        }
    }
}
