//! Where figures are measured: a scratch folder, the children in it, and what several figures need built.

use std::cell::OnceCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::cargo;
use crate::guard::{Guard, scratch_folder};
use crate::service::{Parts, Profile, Service};

/// One run of this program. Dropping it stops what still runs and removes the folder.
#[derive(Debug)]
pub(crate) struct Lab {
    folder: PathBuf,
    guard: Guard,
    smart: OnceCell<PathBuf>,
    released: [OnceCell<Service>; 2],
    cold_built: OnceCell<Service>,
}

impl Lab {
    pub(crate) fn open() -> anyhow::Result<Self> {
        let folder = scratch_folder()?;
        let guard = Guard::start(&folder)?;
        Ok(Self {
            folder,
            guard,
            smart: OnceCell::new(),
            released: Default::default(),
            cold_built: OnceCell::new(),
        })
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// A new folder of this name.
    pub(crate) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(folder)
    }

    /// Runs a command to its end and returns what it wrote to stdout; its stderr is shown when it fails.
    pub(crate) fn run(&self, command: &mut Command) -> anyhow::Result<Output> {
        // Files, because two pipes would want two threads.
        let (out, err) = (self.folder.join("stdout"), self.folder.join("stderr"));
        command
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?);
        let succeeded = self.guard.spawn(command)?.wait()?;
        let read = |path: &Path| {
            std::fs::read(path).map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        let output = Output {
            stdout: read(&out)?,
            stderr: read(&err)?,
        };
        if !succeeded {
            let Output { stdout, stderr } = output;
            bail!("{command:?} failed\n{stdout}\n{stderr}");
        }
        Ok(output)
    }

    /// The release build of `smart`, built when it is first asked for.
    pub(crate) fn smart(&self) -> anyhow::Result<&Path> {
        if let Some(smart) = self.smart.get() {
            return Ok(smart);
        }
        eprintln!("bench: building `smart`");
        let mut build = cargo::command("cargo", workspace());
        if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
            build.env("CARGO_TARGET_DIR", target);
        }
        build.args(["build", "--release", "--package", "cli", "--bin", "smart"]);
        build.arg("--message-format=json");
        let messages = self.run(&mut build)?.stdout;
        let mut executables = messages.lines().filter_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message["executable"].as_str()?))
        });
        let executable = executables.next_back();
        let executable = executable.context("cargo named no executable for `smart`")?;
        Ok(self.smart.get_or_init(|| executable))
    }

    /// A generated service with its release binary, built when it is first asked for.
    pub(crate) fn released(&self, parts: Parts) -> anyhow::Result<&Service> {
        let cell = match parts {
            Parts::None => &self.released[0],
            Parts::PostgresRedis => &self.released[1],
            Parts::Sqlite => bail!("no figure is about the release build of a service with SQLite"),
        };
        if let Some(service) = cell.get() {
            return Ok(service);
        }
        eprintln!("bench: building the release binary of a service with {parts}");
        let builds = self.folder("release-builds")?;
        let name = format!("released-{}", parts.word());
        let (service, _) = Service::generate(self, &name, parts, builds, false)?;
        service.build(self, Profile::Release)?;
        Ok(cell.get_or_init(|| service))
    }

    /// A generated service with PostgreSQL and Redis whose build folder is its own; not built yet when it is new.
    pub(crate) fn alone(&self) -> anyhow::Result<&Service> {
        if let Some(service) = self.cold_built.get() {
            return Ok(service);
        }
        let builds = self.folder("cold-builds")?;
        let (service, _) = Service::generate(self, "alone", Parts::PostgresRedis, builds, false)?;
        Ok(self.cold_built.get_or_init(|| service))
    }
}

/// What a program wrote.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The checkout that this program was built from.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
}
