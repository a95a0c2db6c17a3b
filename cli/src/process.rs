//! Child processes that end when `smart` does: each is a process group of its own, stopped as a whole.

use std::{
    io::{self, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::interrupt::Interrupt;

/// A running child and everything it started; dropping it stops the whole group.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    /// Set once the child was waited for: its id may then belong to somebody else.
    ended: Option<ExitStatus>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stdout,
    Stderr,
}

#[derive(Debug)]
pub(crate) enum RunError {
    Start(io::Error),
    Interrupted,
}

/// Runs `command` to its end and hands on each line it prints; a line ends with a newline or a carriage return.
///
/// `None` stands for a moment without a line, so that the caller can keep a clock on the screen moving.
pub(crate) fn run(
    command: &mut Command,
    interrupt: &Interrupt,
    mut on_line: impl FnMut(Option<(Source, &str)>),
) -> Result<ExitStatus, RunError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::start(command).map_err(RunError::Start)?;
    let (sender, lines) = mpsc::sync_channel(LINES_IN_FLIGHT);
    if let Some(stdout) = group.child.stdout.take() {
        read_lines(Source::Stdout, stdout, sender.clone());
    }
    if let Some(stderr) = group.child.stderr.take() {
        read_lines(Source::Stderr, stderr, sender);
    }

    let mut ended_at = None;
    loop {
        if interrupt.requested() {
            return Err(RunError::Interrupted);
        }
        match lines.recv_timeout(POLL) {
            Ok((source, line)) => on_line(Some((source, &line))),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                on_line(None);
                // A server that the child left behind may hold the pipe open for ever.
                if group.has_ended().map_err(RunError::Start)?.is_some() {
                    let ended_at = *ended_at.get_or_insert_with(Instant::now);
                    if ended_at.elapsed() > PIPE_PATIENCE {
                        break;
                    }
                }
            }
        }
    }
    loop {
        if let Some(status) = group.has_ended().map_err(RunError::Start)? {
            return Ok(status);
        }
        if interrupt.requested() {
            return Err(RunError::Interrupted);
        }
        thread::sleep(SHORT_POLL);
    }
}

/// Runs `command` to its end and returns what it printed, without progress.
pub(crate) fn capture(command: &mut Command, interrupt: &Interrupt) -> Result<Captured, RunError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let status = run(command, interrupt, |line| match line {
        Some((Source::Stdout, line)) => stdout.push(line.to_owned()),
        Some((Source::Stderr, line)) => stderr.push(line.to_owned()),
        None => {}
    })?;
    Ok(Captured {
        status,
        stdout,
        stderr,
    })
}

#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

impl Captured {
    pub(crate) fn success(&self) -> bool {
        self.status.success()
    }
}

impl Group {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.stdin(Stdio::null()).process_group(0).spawn()?;
        Ok(Self { child, ended: None })
    }

    pub(crate) fn has_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Sends SIGTERM to the group and waits for the child; `None` when it is still there after `patience`.
    pub(crate) fn terminate(&mut self, patience: Duration) -> io::Result<Option<ExitStatus>> {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.has_ended()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(SHORT_POLL);
        }
    }

    fn signal(&mut self, signal: Signal) {
        if let (None, Ok(id)) = (self.ended, i32::try_from(self.child.id()))
            && let Some(group) = Pid::from_raw(id)
        {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !matches!(self.has_ended(), Ok(None)) {
            return;
        }
        if !matches!(self.terminate(STOP_PATIENCE), Ok(Some(_))) {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// How a process ended, in words: `exit code 101`, `signal 9`.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => String::from("an unknown status"),
    }
}

/// The thread ends with the pipe; nobody waits for it, because a stranger may hold the pipe open.
fn read_lines(
    source: Source,
    mut pipe: impl Read + Send + 'static,
    lines: SyncSender<(Source, String)>,
) {
    thread::spawn(move || {
        let mut rest = Vec::new();
        let mut buffer = [0; 8192];
        loop {
            let read = match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            rest.extend_from_slice(&buffer[..read]);
            while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                let line: Vec<u8> = rest.drain(..=end).collect();
                if lines.send((source, text(&line[..end]))).is_err() {
                    return;
                }
            }
        }
        if !rest.is_empty() {
            let _ = lines.send((source, text(&rest)));
        }
    });
}

/// The text of a line without the terminal's control sequences, which some tools print into pipes too.
fn text(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c != '\x1b' {
            text.push(c);
            continue;
        }
        // `ESC [ ... letter` sets colours and moves the cursor, `ESC ( B` chooses a character set.
        match rest.next() {
            Some('[') => {
                rest.by_ref().find(char::is_ascii_alphabetic);
            }
            Some('(') => {
                rest.next();
            }
            _ => {}
        }
    }
    text
}

/// Bounds memory when a child prints faster than its lines are handled.
const LINES_IN_FLIGHT: usize = 256;
/// Often enough for a clock that people watch, and for Ctrl-C to feel immediate.
const POLL: Duration = Duration::from_millis(100);
const SHORT_POLL: Duration = Duration::from_millis(5);
const PIPE_PATIENCE: Duration = Duration::from_millis(300);
/// cargo and rustc end at once; more than this is a child that does not listen.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_newline_or_carriage_return() {
        let interrupt = Interrupt::install().unwrap();
        let mut command = Command::new("sh");
        command.args([
            "-c",
            r"printf 'one\rtwo\nthree'; printf 'four\n' >&2; exit 3",
        ]);
        let mut seen = Vec::new();
        let status = run(&mut command, &interrupt, |line| {
            seen.extend(line.map(|(source, line)| (source, line.to_owned())));
        })
        .unwrap();
        assert_eq!(describe(status), "exit code 3");
        seen.sort_by_key(|(source, _)| *source == Source::Stderr);
        let lines: Vec<&str> = seen.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(lines, ["one", "two", "three", "four"]);
    }

    #[test]
    fn control_sequences_are_taken_out() {
        assert_eq!(text(b"\x1b[31m-    start()\x1b(B\x1b[m"), "-    start()");
        assert_eq!(text(b"plain"), "plain");
        assert_eq!(text(b"cut \x1b"), "cut ");
    }

    #[test]
    fn dropping_a_group_stops_all_of_it() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped());
        let mut group = Group::start(&mut command).unwrap();
        let mut byte = [0; 1];
        let mut id = String::new();
        let mut stdout = group.child.stdout.take().unwrap();
        while stdout.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
            id.push(char::from(byte[0]));
        }
        drop(group);
        // The pipe closes when the last process of the group is gone.
        assert_eq!(
            stdout.read(&mut byte).unwrap(),
            0,
            "process {id} still holds the pipe"
        );
    }
}
