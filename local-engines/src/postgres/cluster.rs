//! Creates and starts the server of a cluster.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    EngineError,
    engine::{Server, last_lines},
    folder::Folder,
    password::Password,
    port::HOST,
    process::{Launch, Process},
};

#[derive(Debug)]
pub(super) struct Cluster {
    /// The folder with `initdb` and `postgres`.
    pub(super) programs: PathBuf,
    pub(super) superuser: String,
    pub(super) password: Option<Password>,
}

impl Server for Cluster {
    const NAME: &'static str = "PostgreSQL";

    fn launch<'a>(&'a self, folder: &'a Folder, port: u16) -> Result<Launch<'a>, EngineError> {
        let mut arguments: Vec<OsString> = vec![
            "-D".into(),
            folder.data().into(),
            "-p".into(),
            port.to_string().into(),
        ];
        let passing: &[&str] = if folder.is_temporary() {
            &PASSING_SETTINGS
        } else {
            &[]
        };
        for setting in SETTINGS.iter().chain(passing) {
            arguments.extend(["-c".into(), setting.into()]);
        }
        let mut rules = OsString::from("hba_file=");
        rules.push(self.write_access_rules(folder)?);
        arguments.extend(["-c".into(), rules]);
        Ok(self.launch_program("postgres", arguments, folder))
    }

    /// The server itself notes in its lock file when it accepts connections, which cannot be mistaken for another's.
    fn is_ready(&self, folder: &Folder, _port: u16, pid: u32) -> bool {
        let note = fs::read_to_string(folder.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = note.lines();
        lines.next() == Some(&pid.to_string())
            && lines
                .nth(STATUS_LINE - 2)
                .is_some_and(|it| it.trim() == "ready")
    }
}

impl Cluster {
    pub(super) fn has_data(&self, folder: &Folder) -> bool {
        folder.data().join("PG_VERSION").exists()
    }

    /// Creates the data beside their place and moves them there, so that a half-made cluster is never mistaken for one.
    pub(super) fn create(&self, folder: &Folder) -> Result<(), EngineError> {
        let fresh = folder.path().join("data.new");
        match fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(EngineError::folder("remove the unfinished", fresh)(error));
            }
            _ => {}
        }
        let mut arguments: Vec<OsString> = [
            "-E",
            "UTF8",
            "--no-locale",
            "--no-instructions",
            "-U",
            &self.superuser,
            "-D",
        ]
        .map(OsString::from)
        .into();
        arguments.push(fresh.clone().into());
        if folder.is_temporary() {
            arguments.push("--no-sync".into());
        }
        if let Some(Password(password)) = &self.password {
            arguments.push("--pwfile".into());
            arguments.push(folder.write("password", password)?.into());
        }
        let ended = self.run_to_the_end("initdb", arguments, folder);
        folder.remove("password")?;
        ended?;
        let data = folder.data();
        fs::rename(&fresh, &data).map_err(EngineError::folder("move the new data to", data))
    }

    /// Who may log in, and how. Written at each start, because the options may have changed.
    fn write_access_rules(&self, folder: &Folder) -> Result<PathBuf, EngineError> {
        let superuser = self.superuser.replace('"', "\"\"");
        let method = if self.password.is_some() {
            "scram-sha-256"
        } else {
            "trust"
        };
        let rules = format!(
            "# Written by local-engines at each start.\n\
             host all \"{superuser}\" {HOST}/32 {method}\n\
             host all all {HOST}/32 scram-sha-256\n"
        );
        folder.write("pg_hba.conf", &rules)
    }

    /// Removes the small block of shared memory that a killed server cannot remove itself, as a power failure would.
    ///
    /// Otherwise each kill without a restart would use up one of the few blocks that the system has.
    pub(super) fn remove_shared_memory(&self, folder: &Path) {
        let note = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        let block = note
            .lines()
            .nth(SHARED_MEMORY_LINE - 1)
            .and_then(|line| line.split_whitespace().nth(1));
        if let Some(block) = block {
            // Where there is no such tool the block stays, which hurts nobody soon.
            let _ = Command::new("ipcrm")
                .args(["-m", block])
                .stderr(Stdio::null())
                .status();
        }
    }

    fn run_to_the_end(
        &self,
        program: &str,
        arguments: Vec<OsString>,
        folder: &Folder,
    ) -> Result<(), EngineError> {
        let log = folder.begin_log();
        let process = Process::spawn(self.launch_program(program, arguments, folder))?;
        let outcome = if process.ends_within(CREATE_BOUND) {
            let status = process.collect().map_err(|source| EngineError::Run {
                program: program.into(),
                source,
            })?;
            if status.success() {
                return Ok(());
            }
            status.to_string()
        } else {
            process.stop();
            format!("it was not done after {} s", CREATE_BOUND.as_secs())
        };
        Err(EngineError::Failed {
            act: format!(
                "create a PostgreSQL cluster in `{}` with `{program}`",
                folder.path().display()
            ),
            outcome,
            log: last_lines(&folder.log_since(log)),
        })
    }

    fn launch_program<'a>(
        &'a self,
        program: &str,
        arguments: Vec<OsString>,
        folder: &'a Folder,
    ) -> Launch<'a> {
        Launch {
            program: self.programs.join(Path::new(program)),
            arguments,
            account: folder.account(),
            folder: folder.path().to_path_buf(),
            folder_is_temporary: folder.is_temporary(),
            log: folder.log(),
        }
    }
}

/// For every cluster. Without a Unix socket the folder's path may be as long as it likes.
const SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "logging_collector=off",
    "log_destination=stderr",
];

/// For a cluster that is thrown away: nothing is forced to the disk, so data outlive the server but not the machine;
/// room for many test pools; and shared memory in files of the data folder, so that a killed cluster leaves none behind.
const PASSING_SETTINGS: [&str; 4] = [
    "fsync=off",
    "full_page_writes=off",
    "max_connections=300",
    "dynamic_shared_memory_type=mmap",
];

/// Lines of `postmaster.pid`, whose first one holds the process number: key and number of the shared memory,
/// and the server's state.
const SHARED_MEMORY_LINE: usize = 7;
const STATUS_LINE: usize = 8;
/// Takes a third of a second; this is for a machine that is out of breath.
const CREATE_BOUND: Duration = Duration::from_secs(120);
