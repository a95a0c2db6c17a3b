//! Lists the children of a process.

use std::{fs, process::Command};

use rustix::process::Pid;

/// The children of a process right now; stop it first, so that the list stays true.
///
/// Linux tells by its process file system, because slim images have no `ps`; elsewhere `ps` does.
pub(super) fn of(parent: Pid) -> Vec<Pid> {
    let pairs = match fs::read_dir("/proc/self/task") {
        Ok(_) => from_proc(),
        Err(_) => from_ps(),
    };
    let parent = parent.as_raw_nonzero().get();
    pairs
        .into_iter()
        .filter(|(_, its_parent)| *its_parent == parent)
        .filter_map(|(pid, _)| Pid::from_raw(pid))
        .collect()
}

fn from_proc() -> Vec<(i32, i32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pair = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((
            pid,
            parent_in_stat(&fs::read_to_string(entry.path().join("stat")).ok()?)?,
        ))
    };
    entries.filter_map(pair).collect()
}

/// `pid (name) state parent ...`, where the name may hold anything, parentheses and spaces too.
fn parent_in_stat(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

fn from_ps() -> Vec<(i32, i32)> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=", "-o", "ppid="])
        .output();
    let listing = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let pair = |line: &str| {
        let (pid, parent) = line.trim().split_once(char::is_whitespace)?;
        Some((pid.parse().ok()?, parent.trim().parse().ok()?))
    };
    listing.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_parenthesis_does_not_hide_the_parent() {
        assert_eq!(parent_in_stat("12 (a) b) S 7 12 12 0"), Some(7));
        assert_eq!(parent_in_stat("garbage"), None);
    }

    #[test]
    fn both_listings_know_this_process() {
        let this = (
            std::process::id() as i32,
            std::os::unix::process::parent_id() as i32,
        );
        assert!(from_proc().contains(&this));
        assert!(from_ps().contains(&this));
    }
}
