//! Renders the template into a hidden folder beside the goal, and moves the result into place when it is whole.

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{
    plan::{Plan, refuse_existing, unwritable},
    template,
};
use crate::{
    args::RENDER_TEMPLATE,
    cargo,
    failure::Failure,
    interrupt::Interrupt,
    process::{self, Captured, RunError, describe},
};

/// A rendered service that has not reached its place; dropping it removes every trace.
#[derive(Debug)]
pub(crate) struct Rendered {
    staging: TempDir,
    pub(crate) files: Vec<RenderedFile>,
}

#[derive(Debug, serde::Serialize)]
pub(crate) struct RenderedFile {
    pub(crate) path: String,
    pub(crate) bytes: u64,
}

impl Rendered {
    /// Renders beside the goal, so that moving it is a rename.
    pub(crate) fn beside(plan: &Plan, interrupt: &Interrupt) -> Result<Self, Failure> {
        let staging = tempfile::Builder::new()
            .prefix(&format!(".{}.smart-", plan.service))
            .tempdir_in(&plan.parent)
            .map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    not_written(&plan.folder, &root_cause(error).to_string())
                }
                _ => unwritable(&plan.parent, &root_cause(error)),
            })?;
        Self::render(staging, plan, interrupt)
    }

    /// Renders where temporary files belong, for a look at the result.
    pub(crate) fn elsewhere(plan: &Plan, interrupt: &Interrupt) -> Result<Self, Failure> {
        let staging = tempfile::Builder::new()
            .prefix("smart-")
            .tempdir()
            .map_err(|error| unwritable(&env::temp_dir(), &root_cause(error)))?;
        Self::render(staging, plan, interrupt)
    }

    /// Moves the service to where the plan says.
    pub(crate) fn move_into_place(self, plan: &Plan) -> Result<Vec<RenderedFile>, Failure> {
        // Somebody may have made it while we were rendering.
        refuse_existing(&plan.folder)?;
        fs::rename(self.service(plan), &plan.folder).map_err(|error| {
            Failure::not_done(format!(
                "cannot move the service to `{}`: {error}",
                plan.folder.display()
            ))
            .hint("nothing was left behind; look at the folder and try again")
        })?;
        Ok(self.files)
    }

    fn service(&self, plan: &Plan) -> PathBuf {
        self.staging.path().join(RESULT).join(plan.service.as_str())
    }

    fn render(staging: TempDir, plan: &Plan, interrupt: &Interrupt) -> Result<Self, Failure> {
        let place = staging.path().to_owned();
        let failed = |error: io::Error| not_written(&plan.folder, &error.to_string());
        for folder in [RESULT, TEMPORARY] {
            fs::create_dir(place.join(folder)).map_err(failed)?;
        }
        unpack(&place.join(TEMPLATE)).map_err(failed)?;
        run_library(&place, plan, interrupt)?;
        format(&place, plan, interrupt)?;

        let mut rendered = Self {
            staging,
            files: Vec::new(),
        };
        let service = rendered.service(plan);
        fs::write(service.join("Cargo.lock"), template::LOCK_FILE).map_err(failed)?;
        list_files(&service, &service, &mut rendered.files).map_err(failed)?;
        rendered
            .files
            .sort_by(|one, other| one.path.cmp(&other.path));
        for file in &rendered.files {
            let bytes = fs::read(service.join(&file.path)).map_err(failed)?;
            refuse_leftovers(&file.path, &bytes)?;
        }
        Ok(rendered)
    }
}

const TEMPLATE: &str = "template";
const TEMPORARY: &str = "temporary";
const RESULT: &str = "result";

fn unpack(folder: &Path) -> io::Result<()> {
    for file in template::FILES {
        let path = folder.join(file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, file.bytes)?;
        if file.executable {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

/// Calls the library in a child; see [`crate::commands::render_template`] for why.
fn run_library(place: &Path, plan: &Plan, interrupt: &Interrupt) -> Result<(), Failure> {
    let binary =
        env::current_exe().map_err(|error| not_written(&plan.folder, &error.to_string()))?;
    let mut command = Command::new(binary);
    cargo::clean_environment(&mut command);
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_GENERATE_"))
    {
        command.env_remove(name);
    }
    command
        // The library fails where it finds no user, as in containers; the template does not use the name.
        .env("CARGO_NAME", "smart")
        .env("TMPDIR", place.join(TEMPORARY))
        .env("NO_COLOR", "1")
        .env("RUST_BACKTRACE", "0")
        .arg(RENDER_TEMPLATE)
        .arg("--template")
        .arg(place.join(TEMPLATE))
        .arg("--into")
        .arg(place.join(RESULT))
        .args(["--name", plan.service.as_str()]);
    for (key, value) in answers(plan) {
        command.arg("--define").arg(format!("{key}={value}"));
    }

    match process::capture(&mut command, interrupt) {
        Ok(captured) if captured.success() => Ok(()),
        Ok(captured) => Err(library_failed(&plan.folder, &captured)),
        Err(RunError::Start(error)) => Err(not_written(&plan.folder, &error.to_string())),
        Err(RunError::Interrupted) => Err(Failure::interrupted("interrupted; nothing was written")),
    }
}

/// Where a line breaks may depend on the length of the name, and on a `rustfmt.toml` in a folder above.
fn format(place: &Path, plan: &Plan, interrupt: &Interrupt) -> Result<(), Failure> {
    let service = &place.join(RESULT).join(plan.service.as_str());
    if cargo::find_program("rustfmt").is_none() {
        // Only without a proof, which asks for it.
        return Ok(());
    }
    let mut files = Vec::new();
    let listed = list_files(service, service, &mut files);
    let edition = listed.and_then(|()| fs::read_to_string(service.join("Cargo.toml")));
    let edition = edition.ok().and_then(|manifest| {
        let manifest: toml::Table = manifest.parse().ok()?;
        Some(
            manifest
                .get("package")?
                .get("edition")?
                .as_str()?
                .to_owned(),
        )
    });
    let mut command = Command::new("rustfmt");
    cargo::clean_environment(&mut command);
    command
        .current_dir(service)
        .args(["--edition", edition.as_deref().unwrap_or("2024")])
        .args(
            files
                .iter()
                .map(|file| &file.path)
                .filter(|path| path.ends_with(".rs")),
        );
    match process::capture(&mut command, interrupt) {
        Ok(captured) if captured.success() => Ok(()),
        // The rustup on the path may stand for a component that was never installed.
        Ok(captured)
            if captured
                .stderr
                .iter()
                .any(|line| line.contains("is not installed")) =>
        {
            Ok(())
        }
        // A full disk may have cut a file short.
        Ok(captured) => Err(not_written(
            &plan.folder,
            &format!("rustfmt: {}", reason(&captured.stderr)),
        )),
        Err(RunError::Start(_)) => Ok(()),
        Err(RunError::Interrupted) => Err(Failure::interrupted("interrupted; nothing was written")),
    }
}

/// What the template asks, with the answers of this plan.
fn answers(plan: &Plan) -> [(&'static str, String); 5] {
    let framework = match &plan.framework {
        super::framework::Framework::Path { path } => format!("path={}", path.display()),
        super::framework::Framework::Git { url, rev } => format!("git={url}#{rev}"),
    };
    [
        ("port", plan.ports.main.to_string()),
        ("database", plan.parts.database_name().to_owned()),
        ("redis", plan.parts.redis.to_string()),
        ("framework", framework),
        ("template_version", plan.template_version.to_owned()),
    ]
}

fn not_written(folder: &Path, reason: &str) -> Failure {
    // The number of the error is for programs.
    let reason = reason.split(" (os error ").next().unwrap_or_default();
    Failure::not_done(format!("cannot write the service to `{}`: {reason}", folder.display()))
        .hint("nothing was left behind; make room or choose another place with `--into PARENT`, then try again")
}

fn library_failed(folder: &Path, captured: &Captured) -> Failure {
    let reason = match captured.status.code() {
        Some(_) => reason(&captured.stderr),
        None => format!(
            "the rendering process was ended by {}",
            describe(captured.status)
        ),
    };
    if reason.contains("(os error ") || captured.status.code().is_none() {
        return not_written(folder, &reason);
    }
    Failure::not_done(format!("cannot render the template: {reason}"))
        .hint("nothing was written; this is a bug in the template, please report it")
}

/// The library's own words for its failure: the last line that says something, without its ornament.
fn reason(stderr: &[String]) -> String {
    let words = |line: &String| {
        line.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '`')
            .trim()
            .to_owned()
    };
    let said = stderr
        .iter()
        .map(words)
        .rfind(|line| !line.is_empty() && !line.starts_with("note: "));
    said.unwrap_or_else(|| String::from("the rendering process ended without a word"))
}

/// tempfile wraps the operating system's error together with a path that nobody chose.
fn root_cause(error: io::Error) -> io::Error {
    error.raw_os_error().map_or_else(
        || io::Error::from(error.kind()),
        io::Error::from_raw_os_error,
    )
}

fn list_files(root: &Path, folder: &Path, files: &mut Vec<RenderedFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            list_files(root, &path, files)?;
        } else {
            let relative = path.strip_prefix(root).map_err(io::Error::other)?;
            files.push(RenderedFile {
                path: relative.to_string_lossy().into_owned(),
                bytes: entry.metadata()?.len(),
            });
        }
    }
    Ok(())
}

/// The library copies a file as it is when it stumbles over a variable in it, and says nothing.
fn refuse_leftovers(path: &str, bytes: &[u8]) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(bytes);
    match text.lines().position(|line| has_leftover(path, line)) {
        None => Ok(()),
        Some(line) => Err(Failure::not_done(format!(
            "the template left `{path}` unrendered at line {}",
            line + 1
        ))
        .hint("nothing was written; this is a bug in the template, please report it")),
    }
}

fn has_leftover(path: &str, line: &str) -> bool {
    let braces_are_code = path.ends_with(".rs");
    line.contains("{%")
        || line.match_indices("{{").any(|(at, _)| {
            let is_workflow_expression = line[..at].ends_with('$');
            // Rust writes a brace in a format string as two.
            !is_workflow_expression && (!braces_are_code || names_an_answer(&line[at + 2..]))
        })
}

fn names_an_answer(rest: &str) -> bool {
    [
        "project-name",
        "crate_name",
        "port",
        "admin_port",
        "database",
        "redis",
        "framework",
        "template_version",
    ]
    .iter()
    .any(|name| rest.trim_start().starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_the_template_language_are_found() {
        assert!(has_leftover("README.md", "# {{project-name}}"));
        assert!(has_leftover("src/lib.rs", "use {{ crate_name }}::x;"));
        assert!(has_leftover("a.yml", "{%- if redis %}"));
        assert!(!has_leftover("a.yml", "ref: ${{ github.sha }}"));
        assert!(!has_leftover("src/lib.rs", r#"format!("{{\"a\": {a}}}")"#));
        let failure = refuse_leftovers("Dockerfile", b"FROM x\nRUN {{y}}\n").unwrap_err();
        assert!(
            failure
                .message
                .contains("`Dockerfile` unrendered at line 2"),
            "{}",
            failure.message
        );
    }

    #[test]
    fn reason_is_the_last_thing_the_library_said() {
        let said = |lines: &[&str]| {
            reason(
                &lines
                    .iter()
                    .map(|line| (*line).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            said(&[
                "\u{1f538}  Destination: x",
                "\u{26d4}  File too large (os error 27)",
                ""
            ]),
            "File too large (os error 27)"
        );
        assert_eq!(said(&[]), "the rendering process ended without a word");
    }
}
