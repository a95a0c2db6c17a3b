//! The table of all figures, in Markdown, under a line that says when and on what they were measured.

use std::fmt;
use std::process::Command;
use std::time::SystemTime;

use anyhow::Context as _;

use crate::figures::Figure;
use crate::lab::workspace;

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) measured: String,
    pub(crate) aim: Option<Aim>,
}

/// What was hoped for, and whether it came true.
#[derive(Debug)]
pub(crate) struct Aim {
    pub(crate) text: String,
    pub(crate) met: bool,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            measured: measured.into(),
            aim: None,
        }
    }

    pub(crate) fn aim(mut self, text: impl Into<String>, met: bool) -> Self {
        let text = text.into();
        self.aim = Some(Aim { text, met });
        self
    }
}

#[derive(Debug)]
pub(crate) struct Table {
    machine: String,
    rows: Vec<(Figure, Row)>,
}

impl Table {
    /// An empty table; the load of the machine is that of now, before the bench adds its own.
    pub(crate) fn begin() -> anyhow::Result<Self> {
        Ok(Self {
            machine: machine()?,
            rows: Vec::new(),
        })
    }

    pub(crate) fn add(&mut self, figure: Figure, rows: Vec<Row>) {
        self.rows.extend(rows.into_iter().map(|row| (figure, row)));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        writeln!(f, "| figure | measured | aim | again by |")?;
        writeln!(f, "| --- | --- | --- | --- |")?;
        for (figure, row) in &self.rows {
            let aim = match &row.aim {
                None => "–".to_owned(),
                Some(Aim { text, met: true }) => format!("{text}: met"),
                Some(Aim { text, met: false }) => format!("{text}: **missed**"),
            };
            let name = figure.name();
            writeln!(f, "| {} | {} | {aim} | `{name}` |", row.what, row.measured)?;
        }
        Ok(())
    }
}

/// `Measured 2026-01-31 at commit 1a2b3c4 on 2 cores ...`
fn machine() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let cpu = cpu.map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let uname = rustix::system::uname();
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or("unknown");
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let (date, _) = now.split_once('T').unwrap_or((&now, ""));
    let commit = first_line(Command::new("git").args(["rev-parse", "--short", "HEAD"]))
        .unwrap_or_else(|_| "unknown".to_owned());
    let rustc = first_line(Command::new("rustc").arg("--version"))?;
    Ok(format!(
        "Measured {date} at commit {commit} on {cores} cores ({cpu}), {} {}, {rustc}; load average before the start {load}.",
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
    ))
}

fn first_line(command: &mut Command) -> anyhow::Result<String> {
    let output = command.current_dir(workspace()).output();
    let output = output.with_context(|| format!("cannot run {command:?}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().filter(|_| output.status.success());
    line.map(str::to_owned)
        .with_context(|| format!("{command:?} failed"))
}
