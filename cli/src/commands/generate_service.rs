//! `smart generate-service`: plan, files, first commit, proof, receipt.

mod dependencies;
mod framework;
mod name;
mod plan;
mod proof;
mod receipt;
mod render;
mod repository;
mod steps;
mod template;

use std::{process::ExitCode, time::Instant};

use self::{
    plan::Plan,
    receipt::{Outcome, Report},
    render::Rendered,
    repository::Repository,
    steps::{Red, StepFault, StepOutcome, Steps},
};
use crate::{
    args::{GenerateServiceArgs, VERSION},
    failure::{Failure, FailureKind},
    interrupt::Interrupt,
    output::{Printer, Style},
    units,
};

pub(crate) fn run(args: &GenerateServiceArgs) -> ExitCode {
    let started = Instant::now();
    let mut printer = if args.json {
        Printer::beside_json()
    } else {
        Printer::for_people()
    };
    let plan = match Plan::make(args) {
        Ok(plan) => plan,
        Err(failure) => {
            printer.failure(&failure);
            if args.json {
                Report::new(None).refused(&failure).print();
            }
            return failure.exit_code();
        }
    };

    let mut report = Report::new(Some(&plan));
    let result = Interrupt::install()
        .map_err(|error| Failure::not_done(format!("cannot watch for signals: {error}")))
        .and_then(|interrupt| {
            printer.line(format!("{} {VERSION}", printer.paint(Style::Bold, "smart")));
            printer.blank();
            plan.print(&mut printer);
            if args.dry_run {
                show_files(&plan, &interrupt, &mut printer, &mut report)
            } else {
                write(&plan, args, started, &interrupt, &mut printer, &mut report)
            }
        });
    report.seconds = steps::rounded(started.elapsed());
    let exit = match &result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(failure);
            report = report.refused(failure);
            failure.exit_code()
        }
    };
    if args.json {
        report.print();
    }
    exit
}

/// `--dry-run`: renders where temporary files belong and shows what came out.
fn show_files(
    plan: &Plan,
    interrupt: &Interrupt,
    printer: &mut Printer,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let files = Rendered::elsewhere(plan, interrupt)?.files;
    printer.line(printer.paint(Style::Bold, "files"));
    for file in &files {
        printer.line(format!("  {:>9}  {}", units::size(file.bytes), file.path));
    }
    let total = units::size(files.iter().map(|file| file.bytes).sum());
    printer.line(format!(
        "  {total:>9}  in {}; nothing was written",
        units::count(files.len(), "file")
    ));
    report.outcome = Outcome::Planned;
    report.files = files;
    Ok(())
}

fn write(
    plan: &Plan,
    args: &GenerateServiceArgs,
    started: Instant,
    interrupt: &Interrupt,
    printer: &mut Printer,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    printer.status("writing the files");
    let writing = Instant::now();
    report.files = Rendered::beside(plan, interrupt)?.move_into_place(plan)?;
    let took = writing.elapsed();

    // From here on the folder stays, whatever happens.
    let mut names = vec!["files"];
    names.extend(if args.no_verify {
        vec!["lock file", "commit"]
    } else {
        vec!["dependencies", "commit"]
    });
    if !args.no_verify {
        names.extend(proof::step_names(plan));
    }
    let mut steps = Steps::new(printer, names);
    let total = units::size(report.files.iter().map(|file| file.bytes).sum());
    let detail = format!("{}, {total}", units::count(report.files.len(), "file"));
    steps.add("files", StepOutcome::Passed, detail, took);
    let result = repository_and_proof(plan, args, interrupt, &mut steps, report);
    report.steps = steps.finish();

    match result {
        Ok(()) => {
            report.outcome = if args.no_verify {
                Outcome::Written
            } else {
                Outcome::Green
            };
            receipt::print(plan, report, started.elapsed(), printer);
            Ok(())
        }
        Err(fault) => Err(not_proved(plan, fault, report, printer)),
    }
}

fn repository_and_proof(
    plan: &Plan,
    args: &GenerateServiceArgs,
    interrupt: &Interrupt,
    steps: &mut Steps<'_>,
    report: &mut Report<'_>,
) -> Result<(), StepFault> {
    let fetched = if args.no_verify {
        steps.run("lock file", |_| {
            dependencies::prune_quietly(plan, interrupt)
        })
    } else {
        steps.run("dependencies", |progress| {
            dependencies::fetch(plan, interrupt, progress)
        })
    };
    if matches!(fetched, Err(StepFault::Interrupted)) {
        return fetched;
    }
    // Also without its crates the service gets its first commit: later template versions are merged from it. And
    // before the build, which writes the commit into the binary.
    report.repository = Some(steps.run("commit", |_| Repository::create(plan, interrupt))?);
    fetched?;
    if !args.no_verify {
        report.evidence = Some(proof::run(plan, interrupt, steps)?);
    }
    Ok(())
}

fn not_proved(
    plan: &Plan,
    fault: StepFault,
    report: &mut Report<'_>,
    printer: &mut Printer,
) -> Failure {
    let folder = plan.folder.display();
    let failed = report
        .steps
        .iter()
        .find(|step| step.outcome == StepOutcome::Failed);
    let step = failed.map_or("proof", |step| step.name);
    let Red {
        message,
        hint,
        output,
        log,
    } = match fault {
        StepFault::Red(red) => red,
        StepFault::Interrupted => {
            return Failure::interrupted(format!("interrupted at step `{step}`")).hint(format!(
                "the service stays in {folder}, unproved; its child processes were stopped"
            ));
        }
    };

    if !output.is_empty() {
        printer.blank();
        for line in &output {
            printer.line(format!("    {line}"));
        }
    }
    if let Some(log) = &log {
        printer.line(printer.paint(
            Style::Dim,
            &format!("    all of it is in {}", plan.folder.join(log).display()),
        ));
    }
    let skipped = report
        .steps
        .iter()
        .filter(|step| step.outcome == StepOutcome::Skipped);
    let skipped: Vec<&str> = skipped.map(|step| step.name).collect();
    if !skipped.is_empty() {
        printer.line(printer.paint(Style::Dim, &format!("    not run: {}", skipped.join(", "))));
    }
    printer.blank();
    report.output = output;
    let kept =
        format!("the service stays in {folder}: mend it there, or remove it and generate it again");
    Failure {
        kind: FailureKind::NotDone,
        message: format!("`{}` is not proved: {step}: {message}", plan.service),
        hint: None,
    }
    .hint(hint.map_or_else(|| kept.clone(), |hint| format!("{hint}\n{kept}")))
}
