//! Lists the children of a process.

use std::{fs, process::Command};

use rustix::process::Pid;

/// The children of a process that have not ended; stop it first, so that the list stays true.
///
/// Linux tells by its process file system, because slim images have no `ps`; elsewhere `ps` does.
pub(super) fn of(parent: Pid) -> Vec<Pid> {
    let processes = match fs::read_dir("/proc/self/task") {
        Ok(_) => from_proc(),
        Err(_) => from_ps(),
    };
    let parent = parent.as_raw_nonzero().get();
    let children = processes
        .into_iter()
        .filter(|process| process.parent == parent && process.lives);
    children
        .filter_map(|child| Pid::from_raw(child.pid))
        .collect()
}

#[derive(Debug, PartialEq)]
struct Process {
    pid: i32,
    parent: i32,
    /// False for one that has ended and waits for its parent to notice.
    lives: bool,
}

impl Process {
    fn from_words<'a>(
        pid: &str,
        mut state_and_parent: impl Iterator<Item = &'a str>,
    ) -> Option<Self> {
        let lives = !state_and_parent.next()?.starts_with('Z');
        Some(Self {
            pid: pid.parse().ok()?,
            parent: state_and_parent.next()?.parse().ok()?,
            lives,
        })
    }

    /// `pid (name) state parent ...`, where the name may hold anything, parentheses and spaces too.
    fn from_stat(stat: &str) -> Option<Self> {
        let (start, after_name) = stat.rsplit_once(')')?;
        Self::from_words(
            start.split_whitespace().next()?,
            after_name.split_whitespace(),
        )
    }
}

fn from_proc() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter_map(|stat| Process::from_stat(&stat)).collect()
}

fn from_ps() -> Vec<Process> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=", "-o", "stat=", "-o", "ppid="])
        .output();
    let listing = output.map(|output| output.stdout).unwrap_or_default();
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        Process::from_words(words.next()?, words)
    };
    String::from_utf8_lossy(&listing)
        .lines()
        .filter_map(parse)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_parenthesis_does_not_hide_the_parent() {
        let expected = Process {
            pid: 12,
            parent: 7,
            lives: true,
        };
        assert_eq!(Process::from_stat("12 (a) b) S 7 12 12 0"), Some(expected));
        let ended = Process {
            pid: 12,
            parent: 7,
            lives: false,
        };
        assert_eq!(Process::from_stat("12 (a) Z 7 12 12 0"), Some(ended));
        assert_eq!(Process::from_stat("garbage"), None);
    }

    #[test]
    fn both_listings_know_this_process() {
        let pid = std::process::id() as i32;
        let this = Process {
            pid,
            parent: std::os::unix::process::parent_id() as i32,
            lives: true,
        };
        assert!(from_proc().contains(&this));
        assert!(from_ps().contains(&this));
    }
}
