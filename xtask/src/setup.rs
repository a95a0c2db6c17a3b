//! `cargo xtask setup`: PostgreSQL and Redis for the tests.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use local_engines::{EngineError, Postgres, Redis};

/// Looks first, installs what is missing where that is allowed, and otherwise says what to install.
pub(crate) fn run() -> anyhow::Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let Some(mut shell) = privileged_shell() else {
        bail!(wanted(&missing));
    };
    let packages: Vec<_> = missing.iter().map(|(package, _)| *package).collect();
    eprintln!("installing {} with apt-get", packages.join(" and "));
    install(&mut shell, &packages)?;
    match self::missing() {
        still if still.is_empty() => Ok(()),
        still => bail!(wanted(&still)),
    }
}

/// The packages that are missing, by their names in Debian, and how that was noticed.
fn missing() -> Vec<(&'static str, EngineError)> {
    let postgres = Postgres::installed()
        .err()
        .map(|error| ("postgresql", error));
    let redis = Redis::installed()
        .err()
        .map(|error| ("redis-server", error));
    postgres.into_iter().chain(redis).collect()
}

fn wanted(missing: &[(&str, EngineError)]) -> String {
    let lines: String = missing
        .iter()
        .map(|(_, error)| format!("\n  {error}"))
        .collect();
    let offer = "`cargo xtask setup` does it by itself where there is apt-get and leave to use it: \
                 as root, or with a sudo that does not ask";
    format!("the tests need engines that are not there{lines}\n  {offer}")
}

/// A shell that may install packages, if there is a way to one without a question.
fn privileged_shell() -> Option<Command> {
    let succeeds = |program: &str, arguments: &[&str]| {
        let mut trial = Command::new(program);
        trial
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        trial.status().is_ok_and(|status| status.success())
    };
    if !Path::new("/usr/bin/apt-get").exists() {
        return None;
    }
    if succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        return Some(Command::new("sh"));
    }
    succeeds("sudo", &["-n", "true"]).then(|| {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "sh"]);
        sudo
    })
}

fn install(shell: &mut Command, packages: &[&str]) -> anyhow::Result<()> {
    let mut child = shell
        .args(["-s", "--"])
        .args(packages)
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start a shell to install packages")?;
    let mut input = child
        .stdin
        .take()
        .context("cannot reach the shell that installs packages")?;
    input
        .write_all(include_bytes!("setup/install.sh"))
        .context("cannot instruct the shell")?;
    drop(input);
    let status = child.wait().context("cannot wait for the installation")?;
    if !status.success() {
        bail!(
            "cannot install {}: apt-get ended with {status}",
            packages.join(" and ")
        );
    }
    Ok(())
}
