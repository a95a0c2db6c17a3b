//! A generated service: written by `smart`, built by cargo, in a build folder that is not the user's.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::cargo;
use crate::lab::{Lab, Output, workspace};
use crate::server;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    None,
    Sqlite,
    PostgresRedis,
}

impl Parts {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Sqlite => "sqlite",
            Self::PostgresRedis => "engines",
        }
    }

    fn option(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Sqlite => Some("sqlite"),
            Self::PostgresRedis => Some("postgres,redis"),
        }
    }
}

/// What the service keeps its data in, for people.
impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no database",
            Self::Sqlite => "SQLite",
            Self::PostgresRedis => "PostgreSQL and Redis",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    folder: PathBuf,
    builds: PathBuf,
}

/// How long it took to write a service, and to prove it if that was asked for.
#[derive(Debug)]
pub(crate) struct Generation {
    /// From the start of the process to its end.
    pub(crate) whole: Duration,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) seconds: f64,
}

/// The part of the receipt that figures are about.
#[derive(Debug, Deserialize)]
struct Receipt {
    outcome: String,
    steps: Vec<Step>,
}

impl Service {
    /// Runs `smart generate-service`, with `builds` in the place of the build folder that services of a person share.
    pub(crate) fn generate(
        lab: &Lab,
        name: &str,
        parts: Parts,
        builds: PathBuf,
        proof: bool,
    ) -> anyhow::Result<(Self, Generation)> {
        let smart = lab.smart()?;
        let parent = lab.folder("services")?;
        let mut command = cargo::command(smart, &parent);
        command
            .args(["generate-service", name, "--json", "--framework"])
            .arg(format!("path={}", workspace().display()))
            .env("CARGO_BUILD_BUILD_DIR", &builds);
        if let Some(parts) = parts.option() {
            command.args(["--with", parts]);
        }
        if !proof {
            command.arg("--no-verify");
        }
        let began = Instant::now();
        let document = lab.run(&mut command)?.stdout;
        let whole = began.elapsed();
        let receipt: Receipt =
            serde_json::from_str(&document).context("cannot read the receipt")?;
        let expected = if proof { "green" } else { "written" };
        ensure!(
            receipt.outcome == expected,
            "the receipt is `{}`, not `{expected}`",
            receipt.outcome
        );
        let service = Self {
            name: name.to_owned(),
            folder: parent.join(name),
            builds,
        };
        let steps = receipt.steps;
        Ok((service, Generation { whole, steps }))
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// `cargo build`, told to list what it builds as JSON.
    pub(crate) fn build(&self, lab: &Lab, profile: Profile) -> anyhow::Result<Output> {
        let mut command = self.cargo();
        command.args(["build", "--message-format=json"]);
        if profile == Profile::Release {
            command.arg("--release");
        }
        lab.run(&mut command)
    }

    /// The command that serves, as a deployed instance with these variables does.
    pub(crate) fn serve(&self, variables: &[(&str, String)]) -> Command {
        let binary = self.folder.join("target/release").join(&self.name);
        server::command(&binary, &self.folder, variables)
    }

    /// Brings the database of these variables up to date.
    pub(crate) fn migrate(&self, lab: &Lab, variables: &[(&str, String)]) -> anyhow::Result<()> {
        lab.run(self.serve(variables).arg("migrate"))?;
        Ok(())
    }

    fn cargo(&self) -> Command {
        let mut command = cargo::command("cargo", &self.folder);
        command.env("CARGO_BUILD_BUILD_DIR", &self.builds);
        command
    }
}
