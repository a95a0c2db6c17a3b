//! A folder of its own for each test, and the binary run in it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What one run of the binary said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("smart-test-")
                .tempdir()
                .unwrap(),
        }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative))
            .unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// The binary in this folder, untouched by the settings of whoever runs the tests.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smart"));
        command
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env_remove("NO_COLOR");
        for variable in [
            "GIT_AUTHOR_NAME",
            "GIT_AUTHOR_EMAIL",
            "GIT_COMMITTER_NAME",
            "GIT_COMMITTER_EMAIL",
            "EMAIL",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// `smart generate-service` with the framework of this checkout, unless the arguments name another.
    pub(crate) fn generate(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command.arg("generate-service").args(arguments);
        if !arguments.contains(&"--framework") {
            command
                .arg("--framework")
                .arg(format!("path={}", checkout().display()));
        }
        command
    }

    pub(crate) fn run(&self, command: &mut Command) -> Said {
        self.said(command.output().unwrap())
    }

    fn said(&self, output: Output) -> Said {
        Said {
            code: output.status.code(),
            stdout: self.anonymous(&String::from_utf8(output.stdout).unwrap()),
            stderr: self.anonymous(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// Replaces what differs between machines.
    pub(crate) fn anonymous(&self, text: &str) -> String {
        let folder = self.folder.path().canonicalize().unwrap();
        text.replace(folder.to_str().unwrap(), "[SANDBOX]")
            .replace(checkout().to_str().unwrap(), "[CHECKOUT]")
    }

    /// Every path in the sandbox, without what lies in `.git`.
    pub(crate) fn tree(&self) -> BTreeSet<String> {
        fn walk(root: &Path, folder: &Path, tree: &mut BTreeSet<String>) {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                tree.insert(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
                if entry.file_type().unwrap().is_dir() && entry.file_name() != ".git" {
                    walk(root, &path, tree);
                }
            }
        }
        let mut tree = BTreeSet::new();
        walk(self.folder.path(), self.folder.path(), &mut tree);
        tree
    }

    /// What git prints in a folder of the sandbox.
    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.path(folder))
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// The root of the checkout that these tests belong to.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}
