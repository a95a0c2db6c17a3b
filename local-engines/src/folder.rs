//! The folder an engine lives in: its data, its log, and the lock that keeps a second engine out.
//!
//! ```text
//! data/     the engine's own files
//! log       what the engine wrote; locked while any process of it lives
//! running   who runs here: numbers of the engine's process, its port, its owner's process
//! ```

mod lock;
mod place;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use tempfile::TempDir;

use crate::{EngineError, account::Account};

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    log: File,
    account: Option<Account>,
    temporary: Option<TempDir>,
}

impl Folder {
    /// A folder that is removed with this value.
    pub(crate) fn temporary(
        engine: &'static str,
        account: Option<Account>,
    ) -> Result<Self, EngineError> {
        let folder = place::temporary(engine, account.as_ref())?;
        let path = folder.path().to_path_buf();
        let log = open_log(&path, account.as_ref())?;
        Ok(Self {
            path,
            log,
            account,
            temporary: Some(folder),
        })
    }

    /// A folder that stays, locked for this engine.
    pub(crate) fn kept(
        engine: &'static str,
        wanted: &Path,
        account: Option<Account>,
    ) -> Result<Self, EngineError> {
        let path = place::kept(engine, wanted, account.as_ref())?;
        let log = open_log(&path, account.as_ref())?;
        lock::take(engine, &path, &log)?;
        Ok(Self {
            path,
            log,
            account,
            temporary: None,
        })
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

    /// Whom the engine runs as, when not as this process.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Notes who runs here, for whoever finds the folder locked.
    pub(crate) fn note_running(&self, pid: u32, port: u16) -> Result<(), EngineError> {
        lock::write_note(self, pid, port)
    }

    /// Writes a file that the engine's account can read and nobody else can.
    ///
    /// Always a new file: the folder belongs to that account, and root must not write through a link put there.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, EngineError> {
        let path = self.path.join(name);
        self.remove(name)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let written = file.and_then(|mut file| {
            give_file(&file, self.account())?;
            file.write_all(text.as_bytes())
        });
        written.map_err(EngineError::folder("write", &path))?;
        Ok(path)
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), EngineError> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EngineError::folder("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The length of the log so far, and a fresh start when it has grown large.
    pub(crate) fn begin_log(&self) -> u64 {
        let length = self.log.metadata().map_or(0, |log| log.len());
        let starts_afresh = length > LOG_LIMIT && self.log.set_len(0).is_ok();
        if starts_afresh { 0 } else { length }
    }

    /// What was written to the log from a length on.
    pub(crate) fn log_since(&self, length: u64) -> String {
        let mut text = Vec::new();
        let read = File::open(self.path.join("log")).and_then(|mut log| {
            log.seek(SeekFrom::Start(length))?;
            log.read_to_end(&mut text)
        });
        match read {
            Ok(_) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => format!("(the log cannot be read: {error})"),
        }
    }
}

fn open_log(folder: &Path, account: Option<&Account>) -> Result<File, EngineError> {
    let path = folder.join("log");
    // As in `write`: never through a link.
    let no_links = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(no_links)
        .open(&path)
        .map_err(EngineError::folder("open", &path))?;
    give_file(&log, account).map_err(EngineError::folder("change the owner of", path))?;
    Ok(log)
}

fn give_file(file: &File, account: Option<&Account>) -> io::Result<()> {
    account.map_or(Ok(()), |account| {
        fchown(file, Some(account.uid), Some(account.gid))
    })
}

const LOG_LIMIT: u64 = 1 << 20;
