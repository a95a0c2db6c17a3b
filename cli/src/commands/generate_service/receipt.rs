//! What came of it: the receipt for people and the document for programs.

use std::{
    env,
    io::{self, Write},
    path::Path,
    time::Duration,
};

use serde::Serialize;

use super::{
    plan::Plan, proof::Evidence, render::RenderedFile, repository::Repository, steps::StepRecord,
};
use crate::{
    cargo,
    failure::{Failure, FailureKind},
    output::{Printer, Style},
    units,
};

/// The document of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) smart_version: &'static str,
    pub(crate) plan: Option<&'a Plan>,
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) files: Vec<RenderedFile>,
    pub(crate) repository: Option<Repository>,
    #[serde(rename = "proof")]
    pub(crate) evidence: Option<Evidence>,
    /// The end of what the failed step printed.
    pub(crate) output: Vec<String>,
    pub(crate) error: Option<ErrorText>,
    pub(crate) next: Vec<String>,
    pub(crate) seconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Written and proved.
    Green,
    /// Written; the proof failed or could not be finished.
    Red,
    /// Written without a proof, as asked.
    Written,
    /// Only planned, as asked.
    Planned,
    /// Not written.
    Refused,
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorText {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(plan: Option<&'a Plan>) -> Self {
        Self {
            outcome: Outcome::Refused,
            smart_version: env!("CARGO_PKG_VERSION"),
            plan,
            steps: Vec::new(),
            files: Vec::new(),
            repository: None,
            evidence: None,
            output: Vec::new(),
            error: None,
            next: Vec::new(),
            seconds: 0.0,
        }
    }

    pub(crate) fn refused(mut self, failure: &Failure) -> Self {
        let is_written = !self.steps.is_empty() && failure.kind != FailureKind::BadInput;
        self.outcome = if is_written {
            Outcome::Red
        } else {
            Outcome::Refused
        };
        self.error = Some(ErrorText {
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        });
        self
    }

    pub(crate) fn print(&self) {
        let mut stdout = io::stdout().lock();
        let _ = serde_json::to_writer_pretty(&mut stdout, self).map(|()| stdout.write_all(b"\n"));
    }
}

/// Prints the receipt of a service that was written, and proved unless that was not wanted.
pub(crate) fn print(plan: &Plan, report: &mut Report<'_>, took: Duration, printer: &mut Printer) {
    let next = next_commands(plan);
    printer.blank();
    match &report.evidence {
        Some(evidence) => print_evidence(plan, evidence, report, took, printer),
        None => {
            printer.line(printer.paint(Style::Bold, "receipt"));
            let text = format!(
                "`{}` is written, but not proved, in {}",
                plan.service,
                units::seconds(took)
            );
            printer.line(format!("  {text}"));
        }
    }
    printer.blank();
    printer.line(printer.paint(Style::Bold, "next"));
    let width = next
        .iter()
        .map(|(command, _)| command.chars().count())
        .max()
        .unwrap_or(0);
    for (command, comment) in &next {
        let comment = printer.paint(Style::Dim, &format!("# {comment}"));
        printer.line(format!(
            "  {}  {comment}",
            printer.paint(Style::Name, &format!("{command:<width$}"))
        ));
    }
    report.next = next.into_iter().map(|(command, _)| command).collect();
}

fn print_evidence(
    plan: &Plan,
    evidence: &Evidence,
    report: &Report<'_>,
    took: Duration,
    printer: &mut Printer,
) {
    let headline = format!(
        "`{}` builds, passes its tests, boots and is healthy",
        plan.service
    );
    printer.line(format!(
        "{}  {}",
        printer.paint(Style::Bold, "receipt"),
        printer.paint(Style::Good, &headline)
    ));
    let mut row = |label: &str, text: &str| {
        printer.line(format!(
            "  {}  {text}",
            printer.paint(Style::Dim, &format!("{label:<10}"))
        ));
    };

    let mut label = "health";
    for check in evidence.health["results"].as_array().into_iter().flatten() {
        let name = check["checker"].as_str().unwrap_or("?");
        let output = check["output"].as_str().unwrap_or("");
        let time = check["response_time"]
            .as_f64()
            .map(|seconds| format!("{:.1} ms", seconds * 1000.0));
        row(
            label,
            &format!("✓ {name:<10} {:>8}  {output}", time.unwrap_or_default()),
        );
        label = "";
    }
    row(
        "address",
        &format!(
            "http://127.0.0.1:{} once it runs, health at /healthcheck",
            plan.ports.main
        ),
    );
    row(
        "admin",
        &format!("http://127.0.0.1:{}/metrics and /info", plan.ports.admin),
    );
    row("folder", &plan.folder.display().to_string());
    let bytes = report.files.iter().map(|file| file.bytes).sum();
    row(
        "files",
        &format!(
            "{}, {}; {}",
            report.files.len(),
            units::size(bytes),
            repository(report)
        ),
    );
    row(
        "binary",
        &format!(
            "{}, {}",
            shown(&evidence.binary.path, &plan.folder),
            units::size(evidence.binary.bytes)
        ),
    );
    if plan.builds_on_this_machine_only {
        row(
            "framework",
            &format!("{}; builds on this machine only", plan.framework),
        );
    } else {
        row("framework", &plan.framework.to_string());
    }
    row("time", &times(report, took));
}

fn repository(report: &Report<'_>) -> String {
    match &report.repository {
        Some(Repository::Committed { short, .. }) => format!("commit {short} on main"),
        Some(Repository::None { reason }) => format!("no repository: {reason}"),
        None => String::from("no repository"),
    }
}

/// The whole, and the two steps that took most of it.
fn times(report: &Report<'_>, took: Duration) -> String {
    let mut longest: Vec<&StepRecord> = report.steps.iter().collect();
    longest.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
    let named: Vec<String> = longest
        .iter()
        .take(2)
        .map(|step| {
            format!(
                "{} {}",
                step.name,
                units::seconds(Duration::from_secs_f64(step.seconds))
            )
        })
        .collect();
    format!(
        "{} from command to receipt: {}",
        units::seconds(took),
        named.join(", ")
    )
}

/// The next two things to type, each with a word on what it does.
fn next_commands(plan: &Plan) -> Vec<(String, String)> {
    let folder = env::current_dir().map_or_else(
        |_| plan.folder.clone(),
        |here| {
            plan.folder
                .strip_prefix(here)
                .map_or_else(|_| plan.folder.clone(), Path::to_owned)
        },
    );
    let folder = quoted(&folder.display().to_string());
    let address = format!("http://127.0.0.1:{}/v1/items", plan.ports.main);
    if plan.parts.needs_engines() {
        let engines = format!("cd {folder} && {} engines", smart());
        vec![
            (
                engines,
                String::from("what the service needs, until Ctrl-C"),
            ),
            (
                format!("cd {folder} && cargo run"),
                format!("in another terminal; {address}"),
            ),
        ]
    } else {
        vec![
            (
                format!("cd {folder}"),
                String::from("its README is the way on"),
            ),
            (String::from("cargo run"), address),
        ]
    }
}

/// How this program is called here: by its name if it is on the path.
fn smart() -> String {
    match (cargo::find_program("smart"), env::current_exe()) {
        (None, Ok(binary)) => quoted(&binary.display().to_string()),
        _ => String::from("smart"),
    }
}

fn quoted(word: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '@' | ':' | '~');
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn shown(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("/home/me/orders"), "/home/me/orders");
        assert_eq!(
            quoted("/home/my services/orders"),
            "'/home/my services/orders'"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
