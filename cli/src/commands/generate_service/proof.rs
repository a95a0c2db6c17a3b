//! The proof: the service is formatted, builds, passes its tests, boots, is healthy, and stops in order.

mod logged;
mod running;

use std::{fs, path::PathBuf, time::Duration};

use local_engines::{EngineError, Postgres, PostgresAddress, Redis};
use serde::Serialize;

use self::{logged::Logged, running::Running};
use super::{
    plan::{Database, Plan},
    steps::{Progress, Red, StepFault, Steps},
};
use crate::{
    cargo::{self, Line},
    engine_fault::EngineFault,
    interrupt::Interrupt,
    local_config::LocalEngines,
    process::Source,
    units,
};

/// What the steps of a green proof found out.
#[derive(Debug, Serialize)]
pub(crate) struct Evidence {
    pub(crate) binary: Binary,
    /// The body of `/healthcheck`, as the service gave it.
    pub(crate) health: serde_json::Value,
    /// Where it answered during the proof.
    pub(crate) booted_on: u16,
}

#[derive(Debug, Serialize)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// The names of the steps, in order, for a plan.
pub(crate) fn step_names(plan: &Plan) -> Vec<&'static str> {
    let mut names = vec!["format", "build"];
    if plan.parts.needs_engines() {
        names.push("engines");
    }
    names.extend(["tests", "boot", "health", "stop"]);
    names
}

pub(crate) fn run(
    plan: &Plan,
    interrupt: &Interrupt,
    steps: &mut Steps<'_>,
) -> Result<Evidence, StepFault> {
    let logs = plan.folder.join(LOGS);
    fs::create_dir_all(&logs)
        .map_err(|error| Red::new(format!("cannot make `{LOGS}`: {error}")))?;
    let logged = |name: &'static str| Logged {
        folder: &plan.folder,
        path: logs.join(format!("{name}.log")),
        interrupt,
    };

    steps.run("format", |_| {
        let mut command = cargo::command(&plan.folder);
        command.args(["fmt", "--check"]);
        logged("format").run(&mut command, "rustfmt would change the code", |_, _| {})?;
        Ok(((), String::from("rustfmt has nothing to change")))
    })?;

    let binary = steps.run("build", |progress| {
        let mut command = cargo::command(&plan.folder);
        command.args([
            "build",
            "--locked",
            "--message-format=json-render-diagnostics",
        ]);
        let mut build = Build::default();
        logged("build").run(
            &mut command,
            "the service does not build",
            |source, line| match source {
                Source::Stdout => build.message(line),
                Source::Stderr => show(line, progress),
            },
        )?;
        let path = build
            .executable
            .ok_or_else(|| Red::new("cargo built no binary"))?;
        let bytes = fs::metadata(&path)
            .map_err(|error| Red::new(format!("cannot find the binary: {error}")))?
            .len();
        let detail = format!(
            "{}, {} compiled",
            units::count(build.crates, "crate"),
            build.compiled
        );
        Ok((Binary { path, bytes }, detail))
    })?;

    let engines = if plan.parts.needs_engines() {
        steps.run("engines", |_| Engines::start(plan))?
    } else {
        Engines::default()
    };

    steps.run("tests", |progress| {
        let mut command = cargo::command(&plan.folder);
        command.args(["test", "--locked"]).envs(engines.for_tests());
        let mut tests = Tests::default();
        logged("tests").run(
            &mut command,
            "the tests of the service fail",
            |source, line| {
                tests.line(line);
                match source {
                    Source::Stdout if tests.passed > 0 => {
                        progress.show(format!("{} passed", tests.passed))
                    }
                    Source::Stdout => progress.tick(),
                    Source::Stderr => show(line, progress),
                }
            },
        )?;
        if tests.passed == 0 {
            return Err(Red::new("no test ran").into());
        }
        Ok(((), format!("{} passed", tests.passed)))
    })?;

    let mut running = steps.run("boot", |_| {
        let started = Running::boot(
            plan,
            &binary.path,
            logs.join("boot.log"),
            engines.for_service(),
            interrupt,
        )?;
        let detail = started.detail(plan);
        Ok((started, detail))
    })?;
    let health = steps.run("health", |_| running.health(interrupt))?;
    let booted_on = running.port();
    steps.run("stop", |_| running.stop())?;
    drop(engines);
    Ok(Evidence {
        binary,
        health,
        booted_on,
    })
}

/// Ignored by git, like all data of the machine.
const LOGS: &str = ".smart/data/proof";
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Shows what a line of cargo's stderr says about progress.
fn show(line: &str, progress: &mut Progress<'_>) {
    match Line::parse(line) {
        Line::Progress {
            done,
            total,
            current,
        } => progress.show(format!("{done} of {total}: {current}")),
        Line::Verb("Blocking", _) => progress.show(String::from(
            "another build on this machine is running; waiting for it",
        )),
        Line::Verb("Running", what) => progress.show(format!("running {what}")),
        Line::Verb(..) | Line::Other => progress.tick(),
    }
}

/// Collected from cargo's messages.
#[derive(Debug, Default)]
struct Build {
    crates: usize,
    compiled: usize,
    executable: Option<PathBuf>,
}

impl Build {
    fn message(&mut self, line: &str) {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else {
            return;
        };
        if message["reason"] != "compiler-artifact" {
            return;
        }
        // Build scripts are no crates of their own.
        if message["target"]["kind"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "custom-build"))
        {
            return;
        }
        self.crates += 1;
        self.compiled += usize::from(message["fresh"] == false);
        if let Some(path) = message["executable"].as_str() {
            self.executable = Some(PathBuf::from(path));
        }
    }
}

#[derive(Debug, Default)]
struct Tests {
    passed: usize,
}

impl Tests {
    /// `test result: ok. 12 passed; 0 failed; ...`
    fn line(&mut self, line: &str) {
        let Some(result) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        let passed = result
            .split(['.', ';'])
            .find_map(|part| part.trim().strip_suffix(" passed")?.parse().ok());
        self.passed += passed.unwrap_or(0_usize);
    }
}

/// Private engines of the proof, stopped when it ends.
#[derive(Debug, Default)]
struct Engines {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

impl Engines {
    fn start(plan: &Plan) -> Result<(Self, String), StepFault> {
        let config =
            LocalEngines::read(&plan.folder).map_err(|failure| Red::new(failure.message))?;
        let red = |error: EngineError| {
            let EngineFault {
                message,
                hint,
                output,
            } = error.into();
            Red {
                message,
                hint,
                output,
                log: None,
            }
        };
        let mut engines = Self::default();
        let mut words = Vec::new();
        if let Some(target) = config.postgres {
            let postgres = Postgres::start().map_err(red)?;
            postgres
                .address()
                .create_database(&target.database, &target.user, &target.password)
                .map_err(red)?;
            words.push(format!("PostgreSQL on port {}", postgres.port()));
            engines.postgres = Some(postgres);
        }
        if let Some(target) = config.redis {
            let redis = match &target.password {
                Some(password) => Redis::builder().password(password).start(),
                None => Redis::start(),
            };
            let redis = redis.map_err(red)?;
            words.push(format!("Redis on port {}", redis.port()));
            engines.redis = Some(redis);
        }
        Ok((engines, words.join(", ")))
    }

    /// The tests make databases of their own in this cluster, instead of starting another one.
    fn for_tests(&self) -> Option<(&'static str, String)> {
        let address = self.postgres.as_ref()?.address();
        Some((PostgresAddress::VARIABLE, address.handover()))
    }

    /// Role, password and database stay those of `config/local.toml`.
    fn for_service(&self) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        if let Some(postgres) = &self.postgres {
            variables.push(("SMART__POSTGRES__HOST", postgres.host().to_owned()));
            variables.push(("SMART__POSTGRES__PORT", postgres.port().to_string()));
        }
        if let Some(redis) = &self.redis {
            variables.push(("SMART__REDIS__HOST", redis.host().to_owned()));
            variables.push(("SMART__REDIS__PORT", redis.port().to_string()));
        }
        variables
    }
}

pub(crate) fn needs_a_file(plan: &Plan) -> bool {
    plan.parts.database == Some(Database::Sqlite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_messages_are_counted() {
        let mut build = Build::default();
        for line in [
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"]},"fresh":true,"executable":null}"#,
            r#"{"reason":"compiler-artifact","target":{"kind":["custom-build"]},"fresh":false,"executable":null}"#,
            r#"{"reason":"compiler-artifact","target":{"kind":["bin"]},"fresh":false,"executable":"/x/target/debug/orders"}"#,
            "not JSON",
        ] {
            build.message(line);
        }
        assert_eq!((build.crates, build.compiled), (2, 1));
        assert_eq!(
            build.executable,
            Some(PathBuf::from("/x/target/debug/orders"))
        );
    }

    #[test]
    fn passed_tests_of_all_binaries_are_added() {
        let mut tests = Tests::default();
        tests.line("test result: ok. 12 passed; 0 failed; 0 ignored");
        tests.line("test result: FAILED. 2 passed; 1 failed; 0 ignored");
        tests.line("test items::tests::result ... ok");
        assert_eq!(tests.passed, 14);
    }
}
