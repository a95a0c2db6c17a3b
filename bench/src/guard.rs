//! Ends children and removes the scratch folder when this process is gone, in whatever way it went.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};

/// A shell that reads which process groups there are, until its input ends: because we closed it, or because we died.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
    /// `None` once it is closed.
    input: Mutex<Option<ChildStdin>>,
}

// Who gets TERM may have children to stop (`smart` has); it gets six seconds for that.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
groups=' '
while read -r act group; do
    case $act in
        started) groups="$groups$group " ;;
        ended) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
    esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
for group in $groups; do
    tries=0
    while kill -s 0 -- "-$group" 2>/dev/null && [ $tries -lt 60 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s KILL -- "-$group" 2>/dev/null
done
rm -rf "$1"
"#;

impl Guard {
    /// Starts the guard of this scratch folder.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "bench-guard"])
            .arg(folder)
            .stdin(Stdio::piped())
            // A Ctrl-C is for us; the guard has work to do after it.
            .process_group(0)
            .spawn()
            .context("cannot run `/bin/sh`")?;
        let input = Mutex::new(shell.stdin.take());
        Ok(Self { shell, input })
    }

    /// Starts a child as a process group of its own.
    pub(crate) fn spawn(&self, command: &mut Command) -> anyhow::Result<Process<'_>> {
        let shown = Path::new(command.get_program()).display().to_string();
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run `{shown}`"))?;
        self.tell("started", child.id());
        Ok(Process {
            child,
            ended: false,
            guard: self,
        })
    }

    fn tell(&self, act: &str, group: u32) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(input) = input.as_mut() {
            // A guard that somebody killed guards nothing; the figures are as good without it.
            let _ = writeln!(input, "{act} {group}");
        }
    }

    /// What the kernel does when this process dies.
    fn close(&self) {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        *input = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.close();
        let _ = self.shell.wait();
    }
}

/// A child and everything it started; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process<'a> {
    child: Child,
    ended: bool,
    guard: &'a Guard,
}

impl Process<'_> {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> anyhow::Result<bool> {
        self.ended = self.ended || self.child.try_wait()?.is_some();
        Ok(self.ended)
    }

    /// Waits for its end; returns whether it succeeded.
    pub(crate) fn wait(mut self) -> anyhow::Result<bool> {
        let status = self.child.wait()?;
        self.ended = true;
        Ok(status.success())
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        if !self.ended
            && let Ok(id) = i32::try_from(self.child.id())
            && let Some(group) = Pid::from_raw(id)
        {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.child.wait();
        }
        self.guard.tell("ended", self.child.id());
    }
}

/// A new scratch folder, outside of any work tree.
pub(crate) fn scratch_folder() -> anyhow::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("smart-bench-").tempdir();
    Ok(folder.context("cannot make a scratch folder")?.keep())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn children_end_and_the_folder_goes_with_the_guard() {
        let folder = scratch_folder().unwrap();
        let guard = Guard::start(&folder).unwrap();
        let mut quick = Command::new("true");
        assert!(guard.spawn(&mut quick).unwrap().wait().unwrap());
        let mut slow = Command::new("sh");
        slow.args(["-c", "sleep 600 & wait"]).stdout(Stdio::piped());
        let mut slow = guard.spawn(&mut slow).unwrap();
        let mut pipe = slow.child.stdout.take().unwrap();
        guard.close();
        assert!(!slow.wait().unwrap());
        drop(guard);
        // The pipe ends with the last process of the group.
        assert_eq!(pipe.read(&mut [0]).unwrap(), 0);
        assert!(!folder.exists());
    }
}
