//! Numbered steps: what runs now, how long it took, and what came of it.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    output::{Printer, Style},
    process::RunError,
    units,
};

/// Runs steps one after the other and keeps a record of each.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    printer: &'a mut Printer,
    planned: Vec<&'static str>,
    records: Vec<StepRecord>,
}

#[derive(Debug, Serialize)]
pub(crate) struct StepRecord {
    pub(crate) name: &'static str,
    pub(crate) outcome: StepOutcome,
    pub(crate) seconds: f64,
    pub(crate) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepOutcome {
    Passed,
    Failed,
    Skipped,
}

/// Why a step did not pass.
#[derive(Debug)]
pub(crate) enum StepFault {
    Red(Red),
    Interrupted,
}

/// A failed step, for the person who has to mend it.
#[derive(Debug, Default)]
pub(crate) struct Red {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The end of what the step printed.
    pub(crate) output: Vec<String>,
    /// Where all of it is.
    pub(crate) log: Option<PathBuf>,
}

impl Red {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Red> for StepFault {
    fn from(red: Red) -> Self {
        Self::Red(red)
    }
}

impl StepFault {
    /// A child that could not be started, or was stopped with us.
    pub(crate) fn of_child(error: RunError, program: &str) -> Self {
        match error {
            RunError::Start(error) => {
                Self::Red(Red::new(format!("cannot run `{program}`: {error}")))
            }
            RunError::Interrupted => Self::Interrupted,
        }
    }
}

impl<'a> Steps<'a> {
    pub(crate) fn new(printer: &'a mut Printer, planned: Vec<&'static str>) -> Self {
        printer.line(printer.paint(Style::Bold, "steps"));
        Self {
            printer,
            planned,
            records: Vec::new(),
        }
    }

    /// Runs one step; its text is what the step's line says.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Progress<'_>) -> Result<(T, String), StepFault>,
    ) -> Result<T, StepFault> {
        let number = self.number(self.records.len() + 1);
        let started = Instant::now();
        let prefix = format!("  {number}   {name}");
        let mut progress = Progress {
            printer: self.printer,
            prefix,
            started,
            last_line: started,
            doing: String::new(),
        };
        progress.tick();
        let result = work(&mut progress);
        let took = started.elapsed();
        let (outcome, detail, result) = match result {
            Ok((value, detail)) => (StepOutcome::Passed, detail, Ok(value)),
            Err(StepFault::Red(red)) => (
                StepOutcome::Failed,
                red.message.clone(),
                Err(StepFault::Red(red)),
            ),
            Err(StepFault::Interrupted) => (
                StepOutcome::Failed,
                String::from("interrupted"),
                Err(StepFault::Interrupted),
            ),
        };
        self.add(name, outcome, detail, took);
        result
    }

    /// Prints and records a step that has ended.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        outcome: StepOutcome,
        detail: String,
        took: Duration,
    ) {
        let number = self.number(self.records.len() + 1);
        self.print(&number, name, outcome, &detail, took);
        self.records.push(StepRecord {
            name,
            outcome,
            seconds: rounded(took),
            detail,
        });
    }

    /// Ends the list: what was not reached is recorded as skipped.
    pub(crate) fn finish(mut self) -> Vec<StepRecord> {
        for name in self
            .planned
            .split_off(self.records.len().min(self.planned.len()))
        {
            self.records.push(StepRecord {
                name,
                outcome: StepOutcome::Skipped,
                seconds: 0.0,
                detail: String::from("not run"),
            });
        }
        self.records
    }

    fn number(&self, number: usize) -> String {
        let total = self.planned.len().to_string();
        format!("{number:>width$}/{total}", width = total.len())
    }

    fn print(
        &mut self,
        number: &str,
        name: &str,
        outcome: StepOutcome,
        detail: &str,
        took: Duration,
    ) {
        let mark = match outcome {
            StepOutcome::Passed => self.printer.paint(Style::Good, "✓"),
            StepOutcome::Failed | StepOutcome::Skipped => self.printer.paint(Style::Bad, "✗"),
        };
        let time = self
            .printer
            .paint(Style::Dim, &format!("{:>7}", units::seconds(took)));
        // A longer text pushes the time to the right, rather than being cut.
        let detail = detail.lines().next().unwrap_or_default();
        self.printer
            .line(format!("  {number} {mark} {name:<13} {detail:<48} {time}"));
    }
}

/// Shows what a running step is doing.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    printer: &'a mut Printer,
    prefix: String,
    started: Instant,
    last_line: Instant,
    doing: String,
}

impl Progress<'_> {
    pub(crate) fn show(&mut self, doing: String) {
        self.doing = doing;
        self.tick();
    }

    /// On a terminal the status line with its clock; elsewhere a plain line now and then, so that a log shows life.
    pub(crate) fn tick(&mut self) {
        let seconds = self.started.elapsed().as_secs();
        let Self { prefix, doing, .. } = self;
        if self.printer.is_terminal() {
            self.printer
                .status(&format!("{prefix:<20} {seconds:>3} s  {doing}"));
        } else if self.last_line.elapsed() >= SIGN_OF_LIFE {
            self.last_line = Instant::now();
            self.printer
                .line(format!("{prefix:<20} {seconds:>3} s  {doing}"));
        }
    }
}

/// Seldom enough not to fill a log, often enough that nobody thinks it hangs.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

pub(crate) fn rounded(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
