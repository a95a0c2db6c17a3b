//! One process of an engine, and the guard that ends it when its owner dies.

mod children;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::{EngineError, account::Account};

/// What to run and where.
pub(crate) struct Launch<'a> {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) account: Option<&'a Account>,
    /// Working folder. The one of this process may be closed to the account.
    pub(crate) folder: PathBuf,
    /// Whether the guard removes the folder when the owner dies.
    pub(crate) folder_is_temporary: bool,
    /// Where output goes. The engine's copy also keeps the lock on that file until its last process is gone.
    pub(crate) log: &'a File,
}

/// A running, paused or finished process; ended on drop.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// The pipe the guard listens on. Closed by the kernel when this process dies.
    guard: ChildStdin,
    paused: Vec<Pid>,
    collected: bool,
}

impl Process {
    pub(crate) fn spawn(launch: Launch<'_>) -> Result<Self, EngineError> {
        let run_error = |source| EngineError::Run {
            program: launch.program.clone(),
            source,
        };
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", &guard(), "engine"])
            .arg(STOP_BOUND.as_secs().to_string());
        command.arg(if launch.folder_is_temporary {
            launch.folder.as_os_str()
        } else {
            "".as_ref()
        });
        command.arg(&launch.program).args(&launch.arguments);
        command.current_dir(&launch.folder);
        command.stdin(Stdio::piped());
        command.stdout(launch.log.try_clone().map_err(run_error)?);
        command.stderr(launch.log.try_clone().map_err(run_error)?);
        // A Ctrl-C in the terminal is for the owner, who decides what happens to its engines.
        command.process_group(0);
        quiet_environment(&mut command);
        if let Some(account) = launch.account {
            account.runs(&mut command);
        }
        let mut child = command.spawn().map_err(run_error)?;
        let guard = child
            .stdin
            .take()
            .expect("the pipe was asked for three lines above");
        Ok(Self {
            child,
            guard,
            paused: Vec::new(),
            collected: false,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has ended. It stays uncollected, so its number still belongs to us.
    pub(crate) fn has_ended(&self) -> bool {
        self.collected || self.poll(WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
    }

    /// Waits for the process to end by itself.
    pub(crate) fn ends_within(&self, bound: Duration) -> bool {
        let deadline = Instant::now() + bound;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }

    /// Dismisses the guard and collects the exit code of a process that has ended.
    pub(crate) fn collect(mut self) -> io::Result<ExitStatus> {
        self.dismiss_and_wait()
    }

    /// Stops in order, and by force when that takes too long.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    /// Ends the process and its children at once, as a power failure would.
    pub(crate) fn kill(mut self) {
        self.kill_all();
        let _ = self.dismiss_and_wait();
    }

    /// Stops the process and its children in their tracks; connections stay open and nobody answers.
    pub(crate) fn pause(&mut self) {
        self.freeze();
    }

    pub(crate) fn resume(&mut self) {
        for process in self.paused.drain(..).rev() {
            let _ = kill_process(process, Signal::CONT);
        }
        let _ = writeln!(self.guard, "paused");
    }

    fn freeze(&mut self) {
        if !self.paused.is_empty() || self.has_ended() {
            return;
        }
        let parent = self.pid();
        let _ = kill_process(parent, Signal::STOP);
        // Only a parent that has really stopped makes no more children.
        self.poll(WaitIdOptions::EXITED | WaitIdOptions::STOPPED);
        self.paused.push(parent);
        for child in children::of(parent) {
            let _ = kill_process(child, Signal::STOP);
            self.paused.push(child);
        }
        let numbers: Vec<_> = self
            .paused
            .iter()
            .map(|pid| pid.as_raw_nonzero().to_string())
            .collect();
        let _ = writeln!(self.guard, "paused {}", numbers.join(" "));
    }

    /// Kills the children first: the stopped parent cannot collect them, so no number in the list is given away.
    fn kill_all(&mut self) {
        self.freeze();
        let Some((parent, children)) = self.paused.split_first() else {
            return;
        };
        for child in children {
            let _ = kill_process(*child, Signal::KILL);
        }
        // A child that is still on its way out holds on to shared memory, which keeps the next server from starting.
        let deadline = Instant::now() + KILL_BOUND;
        while !children::of(*parent).is_empty() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        let _ = kill_process(*parent, Signal::KILL);
    }

    fn end(&mut self) {
        if self.collected {
            return;
        }
        if !self.has_ended() {
            self.resume();
            // PostgreSQL takes this as its fast shutdown, which does not wait for clients to leave.
            let _ = kill_process(self.pid(), Signal::INT);
            if !self.ends_within(STOP_BOUND) {
                self.kill_all();
            }
        }
        let _ = self.dismiss_and_wait();
    }

    fn dismiss_and_wait(&mut self) -> io::Result<ExitStatus> {
        let _ = writeln!(self.guard, "done");
        self.collected = true;
        self.child.wait()
    }

    fn poll(&self, options: WaitIdOptions) -> bool {
        let found = waitid(WaitId::Pid(self.pid()), options | WaitIdOptions::NOWAIT);
        !matches!(found, Ok(None))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The guard without its comments, which would fill every listing of processes.
fn guard() -> String {
    let lines = include_str!("process/guard.sh").lines();
    lines
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Gives a program of an engine English messages, one time zone, and none of the caller's PostgreSQL settings.
pub(crate) fn quiet_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    // With a zone given, initdb need not search for the one of the machine.
    command.env("LC_ALL", "C").env("TZ", "UTC");
}

/// A shutdown takes milliseconds; this is for a machine that is out of breath.
const STOP_BOUND: Duration = Duration::from_secs(10);
/// The kernel needs a moment to take a process apart.
const KILL_BOUND: Duration = Duration::from_secs(5);
/// Short beside every act that is waited for.
pub(crate) const POLL: Duration = Duration::from_millis(2);
