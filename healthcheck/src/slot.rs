//! What is remembered of one check, and the rules over it. Pure: every rule takes the time as an argument.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

use crate::{cadence::Cadence, check::Answer, output, result::CheckResult};

/// A check that began to fail, or passes again.
///
/// One per change, not one per run. The first pass after the start is none: a service that comes up healthy has nothing
/// to tell. A first failure is one. `Display` gives a whole sentence for a log line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Name of the check.
    pub check: String,
    /// Whether it decides the status and the readiness.
    pub critical: bool,
    /// The new state.
    pub passed: bool,
    /// The text of the result in full, as the probe gave it. Meant for the log: it is not shortened.
    pub output: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, output, .. } = self;
        let weight = if self.critical {
            "critical"
        } else {
            "advisory"
        };
        let state = if self.passed { "passes again" } else { "fails" };
        write!(f, "{weight} check `{check}` {state}: {output}")
    }
}

/// The memory of one check.
#[derive(Debug)]
pub(crate) struct Slot {
    name: Arc<str>,
    critical: bool,
    cadence: Cadence,
    thresholds: Thresholds,
    last: Option<Outcome>,
    /// Results in a row that end like the last one.
    streak: u32,
    ready: bool,
    /// The state that was told last. Starts as passed, so that a first pass is no change.
    announced: bool,
}

/// How many results in a row turn the readiness of a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    pub(crate) unready_after_failures: u32,
    pub(crate) ready_after_successes: u32,
}

impl Slot {
    pub(crate) fn new(
        name: &str,
        critical: bool,
        cadence: Cadence,
        thresholds: Thresholds,
    ) -> Self {
        Self {
            name: name.into(),
            critical,
            cadence,
            thresholds,
            last: None,
            streak: 0,
            ready: false,
            announced: true,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn has_run(&self) -> bool {
        self.last.is_some()
    }

    /// Keeps the answer of a run that finished now.
    pub(crate) fn record(
        &mut self,
        answer: Answer,
        now: Instant,
        clock: SystemTime,
    ) -> Option<Change> {
        let passed = answer.outcome.is_ok();
        let text = answer.outcome.unwrap_or_else(|error| error);

        let was_stale = self.is_stale(now);
        let repeats = self.last.as_ref().is_some_and(|last| last.passed == passed);
        self.streak = if repeats && !was_stale {
            self.streak.saturating_add(1)
        } else {
            1
        };
        // A stale result was red for every reader: the way back to ready starts from there.
        self.ready &= !was_stale;
        if passed && self.streak >= self.thresholds.ready_after_successes {
            self.ready = true;
        } else if !passed && self.streak >= self.thresholds.unready_after_failures {
            self.ready = false;
        }

        self.last = Some(Outcome {
            passed,
            output: output::limited(&text).into(),
            took: answer.took,
            finished: clock,
            finished_at: now,
        });
        self.announce(passed, text)
    }

    /// Tells that the result went stale, once.
    pub(crate) fn announce_if_stale(&mut self, now: Instant) -> Option<Change> {
        let last = self.last.as_ref().filter(|_| self.is_stale(now))?;
        let text = last.stale_text(now);
        self.announce(false, text)
    }

    /// Whether a critical check stands against readiness. An advisory one never does.
    pub(crate) fn holds_back_readiness(&self, now: Instant) -> bool {
        self.critical && (!self.ready || self.is_stale(now))
    }

    /// The result as a reader sees it now.
    pub(crate) fn result(&self, now: Instant, clock: SystemTime) -> CheckResult {
        let Some(last) = &self.last else {
            return CheckResult {
                name: self.name.clone(),
                critical: self.critical,
                passed: false,
                output: "not run yet".into(),
                timestamp: clock,
                expires: clock + self.cadence.ttl(false),
                response_time: None,
            };
        };
        let stale = self.is_stale(now);
        CheckResult {
            name: self.name.clone(),
            critical: self.critical,
            passed: last.passed && !stale,
            output: if stale {
                last.stale_text(now).into()
            } else {
                last.output.clone()
            },
            timestamp: last.finished,
            expires: last.finished + self.cadence.ttl(last.passed),
            response_time: Some(last.took),
        }
    }

    fn is_stale(&self, now: Instant) -> bool {
        self.last.as_ref().is_some_and(|last| {
            now.duration_since(last.finished_at) > self.cadence.stale_after(last.passed)
        })
    }

    fn announce(&mut self, passed: bool, output: String) -> Option<Change> {
        if self.announced == passed {
            return None;
        }
        self.announced = passed;
        Some(Change {
            check: self.name.as_ref().to_owned(),
            critical: self.critical,
            passed,
            output,
        })
    }
}

/// The last result of a check.
#[derive(Debug)]
struct Outcome {
    passed: bool,
    /// Already short enough for a body.
    output: Arc<str>,
    took: Duration,
    /// What the wall clock showed at the end of the run: for readers.
    finished: SystemTime,
    /// The same moment on the clock that never jumps: for rules.
    finished_at: Instant,
}

impl Outcome {
    fn stale_text(&self, now: Instant) -> String {
        let age = now.duration_since(self.finished_at).as_secs();
        let age = humantime::format_duration(Duration::from_secs(age));
        format!("stale: no new result for {age}")
    }
}

#[cfg(test)]
mod tests;
