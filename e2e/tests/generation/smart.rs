//! The binary `smart` of this checkout, and a folder of its own to run it in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A folder outside the checkout, without anybody's settings of git.
#[derive(Debug)]
pub(crate) struct Workshop {
    folder: TempDir,
}

/// What one run of a program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        // Open to the account that PostgreSQL runs as when the tests run as root.
        let mut folder = tempfile::Builder::new();
        folder.permissions(fs::Permissions::from_mode(0o755));
        Self {
            folder: folder.tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(relative)
    }

    /// `smart` with these arguments, in this folder.
    pub(crate) fn smart(&self, arguments: &[&str]) -> Command {
        self.command(smart(), "", arguments)
    }

    /// cargo with these arguments, in a folder of this one.
    pub(crate) fn cargo(&self, folder: &str, arguments: &[&str]) -> Command {
        self.command(Path::new(env!("CARGO")), folder, arguments)
    }

    fn command(&self, program: &Path, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path(folder))
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            // Whoever runs these tests may have put their own build elsewhere; a service has its place.
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_BUILD_BUILD_DIR");
        command
    }

    /// What git prints in a folder.
    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let said = run(Command::new("git")
            .current_dir(self.path(folder))
            .args(arguments));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        said.stdout.trim().to_owned()
    }

    /// Puts a program on the path of `command` that stands before the real one.
    pub(crate) fn replace_program(&self, command: &mut Command, name: &str, script: &str) {
        let folder = self.path("bin");
        let program = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", folder.display()));
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{stdout}\nstderr:\n{stderr}"
        );
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A program that runs beside the test; ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Started(Child);

impl Started {
    pub(crate) fn new(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Ended in order if it can be: engines leave a folder that somebody is about to remove. All of this fails only
        // when the program has ended already.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);

pub(crate) fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The root of the checkout that these tests belong to.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// `smart` as it was built with this test, or else built now.
fn smart() -> &'static Path {
    static SMART: OnceLock<PathBuf> = OnceLock::new();
    SMART.get_or_init(|| built_with_this_test().unwrap_or_else(build))
}

/// Beside the service of this package, when the whole workspace is tested and no source has changed since.
///
/// cargo would build it once more: alone, the package gets other features of its dependencies.
fn built_with_this_test() -> Option<PathBuf> {
    let binary = Path::new(env!("CARGO_BIN_EXE_e2e")).with_file_name("smart");
    let built = fs::metadata(&binary).ok()?.modified().ok()?;
    // cargo's own list, `binary: source source ...`. A path with a space in it is not found, which is on the safe side.
    let list = fs::read_to_string(binary.with_extension("d")).ok()?;
    let (_, sources) = list.split_once(": ")?;
    let is_older = |source: &str| {
        let changed = fs::metadata(source).and_then(|source| source.modified());
        changed.is_ok_and(|changed| changed <= built)
    };
    sources.split_whitespace().all(is_older).then_some(binary)
}

/// Builds it into the folder of this test, and asks cargo where it is.
fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(checkout()).args([
        "build",
        "--package=cli",
        "--bin=smart",
        "--message-format=json-render-diagnostics",
    ]);
    let built = run(&mut cargo).expect(0);
    let messages = built.stdout.lines();
    let mut executables = messages.filter_map(|message| {
        let message: Value = serde_json::from_str(message).unwrap();
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executables.next().unwrap()
}
