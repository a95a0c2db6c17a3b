//! `cargo xtask test`: all tests, against one PostgreSQL cluster.

use std::{env, process::ExitCode};

use anyhow::Context as _;
use local_engines::{Postgres, PostgresAddress};

use crate::{cargo, setup};

/// Ends as `cargo test` does.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    setup::run()?;
    let mut tests = cargo::command();
    tests.arg("test");
    if !names_packages(arguments) {
        tests.args(["--workspace", "--all-features"]);
    }
    tests.args(arguments);
    // A cluster that is handed over from outside is used, not doubled.
    let cluster = match env::var_os(PostgresAddress::VARIABLE) {
        Some(_) => None,
        None => Some(Postgres::start().context("cannot start the cluster for the tests")?),
    };
    if let Some(cluster) = &cluster {
        tests.env(PostgresAddress::VARIABLE, cluster.address().handover());
    }
    let status = tests.status().context("cannot run `cargo test`")?;
    drop(cluster);
    // Without a code a signal has ended it, which the shell shows as a failure too.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Whether the arguments already say which packages to test; what comes after `--` is for the tests themselves.
fn names_packages(arguments: &[String]) -> bool {
    let for_cargo = arguments.iter().take_while(|argument| *argument != "--");
    let chooses = |argument: &str| {
        ["-p", "--package"]
            .iter()
            .any(|option| argument.starts_with(option))
    };
    for_cargo.into_iter().any(|argument| chooses(argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_for_the_tests_choose_no_packages() {
        let check = |arguments: &[&str], expected| {
            let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
            assert_eq!(names_packages(&arguments), expected, "{arguments:?}");
        };
        check(&[], false);
        check(&["--", "-p"], false);
        check(&["-p", "cli"], true);
        check(&["--package=cli"], true);
        check(&["--release"], false);
    }
}
