//! Measures what this project promises in numbers: `cargo run --release -p bench -- NAME...`, or `all`.
//!
//! Figures go to stdout as a Markdown table, what is going on to stderr. See README.md for what each one means.

mod cargo;
mod engines;
mod figures;
mod guard;
mod lab;
mod load;
mod proc;
mod readme;
mod rivals;
mod sample;
mod server;
mod service;
mod table;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::figures::Figure;
use crate::lab::Lab;
use crate::table::Table;

fn main() -> ExitCode {
    // The servers that `requests` compares are this binary too, so that all of it was built alike.
    if let Some(role) = rivals::role() {
        return role.serve();
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let write = arguments.iter().any(|argument| argument == "--write");
    let names = arguments.iter().filter(|argument| *argument != "--write");
    let figures = names
        .map(|name| Figure::named(name))
        .collect::<Option<Vec<_>>>()
        .map(|lists| lists.concat())
        .filter(|figures| !figures.is_empty());
    let Some(figures) = figures else {
        bail!("{}", usage());
    };
    if write && figures.len() != Figure::ALL.len() {
        bail!("`--write` replaces the whole table of the README: use it with `all`");
    }

    let mut table = Table::begin()?;
    let outcome = measure(&figures, &mut table);
    // Also what was measured before something failed: it took its time.
    std::io::stdout().write_all(table.to_string().as_bytes())?;
    outcome?;
    if write {
        readme::replace_table(&table.to_string())?;
    }
    Ok(())
}

fn measure(figures: &[Figure], table: &mut Table) -> anyhow::Result<()> {
    let lab = Lab::open()?;
    for figure in figures {
        eprintln!("bench: {}", figure.name());
        let rows = figure.measure(&lab);
        let rows = rows.with_context(|| format!("cannot measure `{}`", figure.name()))?;
        for row in &rows {
            eprintln!("bench: {}: {}", row.what, row.measured);
        }
        table.add(*figure, rows);
    }
    Ok(())
}

fn usage() -> String {
    let names: Vec<String> = Figure::ALL
        .iter()
        .map(|figure| format!("`{}`", figure.name()))
        .collect();
    format!(
        "name one or more figures: {}; or `all`, with `--write` also into bench/README.md",
        names.join(", ")
    )
}
