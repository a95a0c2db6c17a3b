//! `cargo xtask check`: everything that must hold besides the tests.

use std::{process::Command, time::Instant};

use anyhow::{Context as _, bail};

use crate::{cargo, layers, sizes};

/// Runs every check, quick ones first, and names all that failed: what can be mended together is reported together.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut failed = Vec::new();
    let mut check = |name: &str, act: &dyn Fn() -> anyhow::Result<()>| {
        eprintln!("check: {name}");
        let start = Instant::now();
        match act() {
            Ok(()) => eprintln!(
                "check: {name} holds ({:.1} s)",
                start.elapsed().as_secs_f32()
            ),
            Err(error) => {
                eprintln!("check: {name} failed: {error:#}");
                failed.push(name.to_string());
            }
        }
    };
    check("layers", &layers::run);
    check("sizes", &sizes::run);
    check("format", &|| cargo(&["fmt", "--all", "--check"]));
    check("lints", &|| {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ])
    });
    for feature in features_alone()? {
        check(
            &format!(
                "{CHASSIS} with {}",
                feature.as_deref().unwrap_or("no feature")
            ),
            &|| {
                let chosen = feature.as_deref().unwrap_or_default();
                let arguments = [
                    "clippy",
                    "-p",
                    CHASSIS,
                    "--no-default-features",
                    "--features",
                    chosen,
                ];
                cargo(&[&arguments[..], &["--", "-D", "warnings"]].concat())
            },
        );
    }
    check("documentation", &|| {
        let mut documentation = cargo::command();
        documentation.env("RUSTDOCFLAGS", "-D warnings");
        end_well(documentation.args(["doc", "--workspace", "--no-deps", "--all-features"]))
    });
    if !failed.is_empty() {
        bail!(
            "{} failed: {}",
            if failed.len() == 1 {
                "a check"
            } else {
                "checks"
            },
            failed.join(", ")
        );
    }
    Ok(())
}

/// No feature, then each one by itself: features that only work together would break some service's build.
fn features_alone() -> anyhow::Result<Vec<Option<String>>> {
    let members = cargo::members()?;
    let chassis = members.into_iter().find(|member| member.name == CHASSIS);
    let features = chassis
        .with_context(|| format!("there is no crate `{CHASSIS}`"))?
        .features;
    let named = features
        .into_keys()
        .filter(|feature| feature != "default")
        .map(Some);
    Ok([None].into_iter().chain(named).collect())
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    end_well(cargo::command().args(arguments))
}

fn end_well(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("cargo ended with {status}");
    }
    Ok(())
}

const CHASSIS: &str = "smart-service";
