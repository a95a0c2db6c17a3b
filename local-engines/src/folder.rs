//! The folder an engine lives in: its data, its log, and the lock that keeps a second engine out.
//!
//! ```text
//! data/     the engine's own files
//! log       what the engine wrote; locked while any process of it lives
//! running   process and port of the engine that holds the lock
//! ```

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown, fchown, symlink},
    path::{Path, PathBuf, absolute},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{EngineError, account::Account, process::POLL};

#[derive(Debug)]
pub(crate) struct Folder {
    engine: &'static str,
    path: PathBuf,
    log: File,
    temporary: Option<TempDir>,
}

impl Folder {
    /// A folder that is removed with this value.
    pub(crate) fn temporary(
        engine: &'static str,
        account: Option<&Account>,
    ) -> Result<Self, EngineError> {
        let places = [env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
        let name = format!("smart-{}-", engine.to_lowercase());
        for place in &places {
            let folder = tempfile::Builder::new().prefix(&name).tempdir_in(place);
            let folder =
                folder.map_err(EngineError::folder("create a temporary folder in", place))?;
            if give(folder.path(), account)? {
                let path = folder.path().to_path_buf();
                return Ok(Self {
                    engine,
                    log: open_log(&path, account)?,
                    path,
                    temporary: Some(folder),
                });
            }
        }
        Err(unreachable(&places[0], account))
    }

    /// A folder that stays, locked for this engine.
    pub(crate) fn kept(
        engine: &'static str,
        wanted: &Path,
        account: Option<&Account>,
    ) -> Result<Self, EngineError> {
        let mut path = create(wanted)?;
        refuse_foreign_files(engine, &path)?;
        if !give(&path, account)? {
            path = settle_elsewhere(&path, account)?;
        }
        let folder = Self {
            engine,
            log: open_log(&path, account)?,
            path,
            temporary: None,
        };
        folder.lock()?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(crate) fn log(&self) -> &File {
        &self.log
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Notes who runs here, for whoever finds the folder locked.
    pub(crate) fn note_running(&self, pid: u32, port: u16) -> Result<(), EngineError> {
        let note = self.path.join("running");
        fs::write(&note, format!("{pid} {port}\n")).map_err(EngineError::folder("write", note))
    }

    /// The length of the log so far, and a fresh start when it has grown large.
    pub(crate) fn begin_log(&self) -> u64 {
        let length = self.log.metadata().map_or(0, |log| log.len());
        if length > LOG_LIMIT && self.log.set_len(0).is_ok() {
            0
        } else {
            length
        }
    }

    /// What was written to the log from a length on.
    pub(crate) fn log_since(&self, length: u64) -> String {
        let mut text = Vec::new();
        let read = File::open(self.path.join("log")).and_then(|mut log| {
            log.seek(SeekFrom::Start(length))?;
            log.read_to_end(&mut text)
        });
        if let Err(error) = read {
            return format!("(the log cannot be read: {error})");
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The lock is on the open file, and every process of the engine inherits it as its output. So it lasts exactly as
    /// long as the engine does, even when the owner is killed first.
    fn lock(&self) -> Result<(), EngineError> {
        let deadline = Instant::now() + LOCK_BOUND;
        while self.log.try_lock().is_err() {
            if Instant::now() >= deadline {
                return Err(EngineError::AlreadyRunning {
                    engine: self.engine,
                    folder: self.path.clone(),
                    running: read_note(&self.path.join("running")),
                });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

/// Creates what is missing and follows a link left by [`settle_elsewhere`].
fn create(wanted: &Path) -> Result<PathBuf, EngineError> {
    let wanted = absolute(wanted).map_err(EngineError::folder("find", wanted))?;
    let link = fs::read_link(&wanted).ok();
    if link.is_some_and(|place| place.starts_with(ELSEWHERE) && !place.exists()) {
        fs::remove_file(&wanted).map_err(EngineError::folder("remove the dead link", &wanted))?;
    }
    if !wanted.is_dir() {
        if let Some(parent) = wanted.parent() {
            fs::create_dir_all(parent).map_err(EngineError::folder("create", parent))?;
        }
        // Logs may hold statements, and statements may hold passwords.
        DirBuilder::new()
            .mode(0o700)
            .create(&wanted)
            .map_err(EngineError::folder("create", &wanted))?;
    }
    fs::canonicalize(&wanted).map_err(EngineError::folder("find", &wanted))
}

/// Guards against a slip such as naming the home folder, which would then change its owner.
fn refuse_foreign_files(engine: &str, path: &Path) -> Result<(), EngineError> {
    let entries = fs::read_dir(path).map_err(EngineError::folder("read", path))?;
    let foreign = entries
        .flatten()
        .map(|entry| entry.file_name())
        .find(|name| !OURS.iter().any(|ours| name == ours));
    foreign.map_or(Ok(()), |name| {
        let name = name.to_string_lossy();
        let reason = format!(
            "it holds `{name}`, which is no part of a {engine} folder; name a new or empty folder"
        );
        Err(EngineError::folder("keep data in", path)(io::Error::other(
            reason,
        )))
    })
}

/// Hands a folder to the account; false when the account cannot get there.
fn give(path: &Path, account: Option<&Account>) -> Result<bool, EngineError> {
    let Some(account) = account else {
        return Ok(true);
    };
    chown(path, Some(account.uid), Some(account.gid))
        .map_err(EngineError::folder("change the owner of", path))?;
    Ok(account.reaches(path))
}

/// Makes a place that the account can reach, and a link to it where the folder was wanted.
///
/// Only root comes here: a folder below a closed one, such as `/root`, is no place for another account.
fn settle_elsewhere(wanted: &Path, account: Option<&Account>) -> Result<PathBuf, EngineError> {
    if fs::remove_dir(wanted).is_err() {
        return Err(unreachable(wanted, account));
    }
    fs::create_dir_all(ELSEWHERE).map_err(EngineError::folder("create", ELSEWHERE))?;
    let open = Permissions::from_mode(0o755);
    fs::set_permissions(ELSEWHERE, open).map_err(EngineError::folder("open", ELSEWHERE))?;
    let name = wanted
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
        + "-";
    let place = tempfile::Builder::new()
        .prefix(&name)
        .disable_cleanup(true)
        .tempdir_in(ELSEWHERE);
    let place = place
        .map_err(EngineError::folder("create a folder in", ELSEWHERE))?
        .keep();
    if !give(&place, account)? {
        return Err(unreachable(&place, account));
    }
    symlink(&place, wanted).map_err(EngineError::folder("link", wanted))?;
    Ok(place)
}

fn unreachable(path: &Path, account: Option<&Account>) -> EngineError {
    let account = account.map_or_else(String::new, ToString::to_string);
    let reason = format!(
        "the account {account}, which PostgreSQL runs as, cannot enter it; name a folder it can enter"
    );
    EngineError::folder("keep data in", path)(io::Error::other(reason))
}

fn open_log(folder: &Path, account: Option<&Account>) -> Result<File, EngineError> {
    let path = folder.join("log");
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(EngineError::folder("open", &path))?;
    if let Some(account) = account {
        fchown(&log, Some(account.uid), Some(account.gid))
            .map_err(EngineError::folder("change the owner of", path))?;
    }
    Ok(log)
}

fn read_note(path: &Path) -> Option<(u32, u16)> {
    let note = fs::read_to_string(path).ok()?;
    let (pid, port) = note.trim().split_once(' ')?;
    Some((pid.parse().ok()?, port.parse().ok()?))
}

/// Every name that may stand in a folder of ours.
const OURS: [&str; 6] = [
    "data",
    "data.new",
    "data.password",
    "log",
    "running",
    "redis.conf",
];
/// Where root keeps data whose wanted folder the engine's account cannot enter. Only root can write here.
const ELSEWHERE: &str = "/var/lib/smart-engines";
const LOG_LIMIT: u64 = 1 << 20;
/// An engine whose owner was just killed needs a moment to go.
const LOCK_BOUND: Duration = Duration::from_secs(1);
