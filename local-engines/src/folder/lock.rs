//! Keeps a second engine out of a folder.
//!
//! The lock is on the open log, which every process of the engine inherits as its output. So it lasts exactly as long as
//! the engine does, even when the owner is killed first.

use std::{
    fs::{self, File},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, test_kill_process};

use super::Folder;
use crate::{EngineError, process::POLL};

/// Takes the lock. An engine whose owner has just died is on its way out and is waited for.
pub(super) fn take(engine: &'static str, folder: &Path, log: &File) -> Result<(), EngineError> {
    let start = Instant::now();
    while log.try_lock().is_err() {
        let note = read_note(&folder.join(NOTE));
        let is_leaving = note.as_ref().is_none_or(|note| !exists(note.owner));
        let bound = if is_leaving {
            LEAVING_BOUND
        } else {
            COPIES_BOUND
        };
        if start.elapsed() >= bound {
            return Err(EngineError::AlreadyRunning {
                engine,
                folder: folder.to_path_buf(),
                running: note.map(|note| (note.pid, note.port)),
            });
        }
        thread::sleep(POLL);
    }
    Ok(())
}

pub(super) fn write_note(folder: &Folder, pid: u32, port: u16) -> Result<(), EngineError> {
    let owner = std::process::id();
    folder
        .write(NOTE, &format!("{pid} {port} {owner}\n"))
        .map(drop)
}

struct Note {
    pid: u32,
    port: u16,
    owner: i32,
}

fn read_note(path: &Path) -> Option<Note> {
    let note = fs::read_to_string(path).ok()?;
    let mut numbers = note.split_whitespace();
    Some(Note {
        pid: numbers.next()?.parse().ok()?,
        port: numbers.next()?.parse().ok()?,
        owner: numbers.next()?.parse().ok()?,
    })
}

fn exists(pid: i32) -> bool {
    let found = Pid::from_raw(pid).map(test_kill_process);
    // Not being allowed to signal a process is a sign of its life.
    !matches!(found, None | Some(Err(rustix::io::Errno::SRCH)))
}

const NOTE: &str = "running";
/// A thread that is starting a program holds copies of all open files for a moment, and with them a lock just given back.
const COPIES_BOUND: Duration = Duration::from_millis(250);
/// Longer than the guard gives an engine to stop.
const LEAVING_BOUND: Duration = Duration::from_secs(15);
