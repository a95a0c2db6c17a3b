//! A child whose whole output goes into a log file, and whose last lines are shown when it fails.

use std::{
    collections::VecDeque,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo::Line,
    commands::generate_service::steps::{Red, StepFault},
    interrupt::Interrupt,
    process::{self, Source},
};

pub(super) struct Logged<'a> {
    pub(super) folder: &'a Path,
    pub(super) path: PathBuf,
    pub(super) interrupt: &'a Interrupt,
}

impl Logged<'_> {
    /// Runs `command`; a failure says `failed`, shows the end of the output and names the log.
    pub(super) fn run(
        &self,
        command: &mut Command,
        failed: &str,
        mut on_line: impl FnMut(Source, &str),
    ) -> Result<(), StepFault> {
        let file = File::create(&self.path).map_err(|error| {
            Red::new(format!("cannot write `{}`: {error}", self.path.display()))
        })?;
        let mut log = BufWriter::new(file);
        let mut tail = Tail::default();
        let status = process::run(command, self.interrupt, |line| match line {
            Some((source, line)) => {
                on_line(source, line);
                if is_for_people(line) {
                    let _ = writeln!(log, "{line}");
                    tail.push(line);
                }
            }
            None => on_line(Source::Stderr, ""),
        })
        .map_err(|error| StepFault::of_child(error, "cargo"))?;
        let _ = log.flush();
        if status.success() {
            return Ok(());
        }
        Err(Red {
            message: failed.to_owned(),
            hint: None,
            output: tail.lines(),
            log: Some(
                self.path
                    .strip_prefix(self.folder)
                    .unwrap_or(&self.path)
                    .to_owned(),
            ),
        }
        .into())
    }
}

/// cargo's progress and its messages for programs are neither worth keeping nor legible.
fn is_for_people(line: &str) -> bool {
    !matches!(Line::parse(line), Line::Progress { .. })
        && !line.starts_with("{\"reason\":")
        && !line.trim().is_empty()
}

/// The last lines of a long output.
#[derive(Debug, Default)]
pub(super) struct Tail {
    lines: VecDeque<String>,
}

impl Tail {
    pub(super) fn push(&mut self, line: &str) {
        if self.lines.len() == SHOWN {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    pub(super) fn lines(self) -> Vec<String> {
        self.lines.into()
    }
}

/// As much as fits a screen.
const SHOWN: usize = 40;
