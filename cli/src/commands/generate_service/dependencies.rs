//! The lock file of the new service: pruned to what it needs, with every crate on this machine.

use std::{env, fs, path::PathBuf};

use super::{
    plan::Plan,
    steps::{Progress, Red, StepFault},
    template,
};
use crate::{
    cargo::{self, Line},
    interrupt::Interrupt,
    process::{self, Captured, Source},
    units,
};

/// Prunes the lock file and downloads what is missing; asks the network only then.
pub(crate) fn fetch(
    plan: &Plan,
    interrupt: &Interrupt,
    progress: &mut Progress<'_>,
) -> Result<((), String), StepFault> {
    let target = host_target(plan, interrupt)?;
    // Without a target cargo would want the crates of every platform there is.
    let arguments: Vec<&str> = match &target {
        Some(target) => vec!["fetch", "--target", target],
        None => vec!["fetch"],
    };
    let offline = run(plan, interrupt, &[&arguments[..], &["--offline"]].concat())?;
    if offline.success() {
        return Ok((
            (),
            format!("{}, nothing to download", locked_packages(plan)),
        ));
    }

    // A failed attempt may have changed the lock file, and with it the versions that were tested.
    fs::write(plan.folder.join("Cargo.lock"), template::LOCK_FILE)
        .map_err(|error| Red::new(format!("cannot write `Cargo.lock`: {error}")))?;
    let mut command = cargo::command(&plan.folder);
    command.args(&arguments);
    let (mut downloaded, mut output) = (0_usize, Vec::new());
    let status = process::run(&mut command, interrupt, |line| match line {
        Some((Source::Stderr, line)) => match Line::parse(line) {
            Line::Verb("Downloaded", what) => {
                downloaded += 1;
                progress.show(format!("{downloaded} downloaded, now {what}"));
            }
            Line::Verb("Updating" | "Downloading", what) => {
                progress.show(format!("downloading {what}"))
            }
            Line::Progress { .. } => {}
            _ if line.trim().is_empty() => {}
            _ => output.push(line.to_owned()),
        },
        _ => progress.tick(),
    })
    .map_err(|error| StepFault::of_child(error, "cargo"))?;
    if status.success() {
        return Ok((
            (),
            format!("{}, {downloaded} downloaded", locked_packages(plan)),
        ));
    }
    Err(refused(plan, output))
}

/// Prunes the lock file if that needs no network. Without it the first build does so.
pub(crate) fn prune_quietly(plan: &Plan, interrupt: &Interrupt) -> Result<((), String), StepFault> {
    const UNPRUNED: &str = "the framework's; the first build prunes it";
    if cargo::find_program("cargo").is_none() {
        return Ok(((), UNPRUNED.to_owned()));
    }
    let pruned = run(plan, interrupt, &["update", "--workspace", "--offline"])?;
    if pruned.success() {
        return Ok(((), locked_packages(plan)));
    }
    fs::write(plan.folder.join("Cargo.lock"), template::LOCK_FILE)
        .map_err(|error| Red::new(format!("cannot write `Cargo.lock`: {error}")))?;
    Ok(((), UNPRUNED.to_owned()))
}

fn run(plan: &Plan, interrupt: &Interrupt, arguments: &[&str]) -> Result<Captured, StepFault> {
    let mut command = cargo::command(&plan.folder);
    command.args(arguments);
    process::capture(&mut command, interrupt).map_err(|error| StepFault::of_child(error, "cargo"))
}

fn host_target(plan: &Plan, interrupt: &Interrupt) -> Result<Option<String>, StepFault> {
    let version = run(plan, interrupt, &["--version", "--verbose"])?;
    Ok(version
        .stdout
        .iter()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned))
}

fn locked_packages(plan: &Plan) -> String {
    let lock_file = fs::read_to_string(plan.folder.join("Cargo.lock")).unwrap_or_default();
    // The service itself is no dependency.
    units::count(template::packages_in(&lock_file).saturating_sub(1), "crate")
}

fn refused(plan: &Plan, output: Vec<String>) -> StepFault {
    // Any other refusal, such as a version that does not exist, is told by cargo's own words alone.
    let is_of_network = output
        .iter()
        .any(|line| line.contains("download") || line.contains("fetch"));
    let missing = if is_of_network {
        missing_crates(plan)
    } else {
        Vec::new()
    };
    let mut red = match missing.as_slice() {
        [] => Red::new("cargo cannot resolve the dependencies"),
        [one] => Red::new(format!(
            "the crate {one} is missing and cannot be downloaded"
        )),
        more => Red::new(format!(
            "{} are missing and cannot be downloaded",
            units::count(more.len(), "crate")
        )),
    };
    red.output = output;
    if !missing.is_empty() {
        let shown = missing
            .iter()
            .take(MISSING_SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = missing.len().saturating_sub(MISSING_SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        red = red.hint(format!("missing here: {shown}{more}\nconnect this machine to the network once and run `cargo build`"));
    }
    red.into()
}

const MISSING_SHOWN: usize = 8;

/// What the lock file names and cargo's cache does not hold, for this platform as far as the name tells.
fn missing_crates(plan: &Plan) -> Vec<String> {
    let Some(cache) = cargo_home().map(|home| home.join("registry/cache")) else {
        return Vec::new();
    };
    let registries: Vec<PathBuf> = fs::read_dir(cache)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let lock_file = fs::read_to_string(plan.folder.join("Cargo.lock")).unwrap_or_default();
    let lock_file: toml::Table = lock_file.parse().unwrap_or_default();
    let packages = lock_file
        .get("package")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    packages
        .filter_map(|package| {
            let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
            let (name, version) = (text("name")?, text("version")?);
            let is_of_registry = text("source")?.starts_with("registry+");
            let is_of_other_platform = cfg!(unix) && name.starts_with("windows");
            let archive = format!("{name}-{version}.crate");
            let is_here = registries
                .iter()
                .any(|registry| registry.join(&archive).is_file());
            (is_of_registry && !is_of_other_platform && !is_here)
                .then(|| format!("{name} {version}"))
        })
        .collect()
}

fn cargo_home() -> Option<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}
