//! What PostgreSQL and Redis have in common: starting until ready, and the faults.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    EngineError,
    folder::Folder,
    port,
    process::{Launch, POLL, Process},
};

/// How one kind of server is started, and how it shows that it is ready.
pub(crate) trait Server {
    const NAME: &'static str;

    fn launch<'a>(&'a self, folder: &'a Folder, port: u16) -> Result<Launch<'a>, EngineError>;

    /// Whether this very process, not some other one, answers on the port.
    fn is_ready(&self, folder: &Folder, port: u16, pid: u32) -> bool;
}

/// A server in its folder, on its port; running or not.
#[derive(Debug)]
pub(crate) struct Engine<S> {
    server: S,
    port: u16,
    // Before the folder, which is removed after the process is gone.
    process: Option<Process>,
    folder: Folder,
}

impl<S: Server> Engine<S> {
    /// Starts on the port that is given, or on a free one.
    pub(crate) fn start(server: S, folder: Folder, port: Option<u16>) -> Result<Self, EngineError> {
        let mut engine = Self {
            server,
            port: port.unwrap_or_default(),
            process: None,
            folder,
        };
        if port.is_some() {
            engine.run()?;
            return Ok(engine);
        }
        // Between finding a port free and using it, another program can take it.
        let mut attempts = 0..PORT_ATTEMPTS;
        loop {
            engine.port = port::free();
            match engine.run() {
                Err(EngineError::PortInUse { .. }) if attempts.next().is_some() => {}
                ended => return ended.map(|()| engine),
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn server(&self) -> &S {
        &self.server
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process
            .as_ref()
            .is_some_and(|process| !process.has_ended())
    }

    pub(crate) fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop();
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    pub(crate) fn pause(&mut self) {
        if let Some(process) = &mut self.process {
            process.pause();
        }
    }

    pub(crate) fn resume(&mut self) {
        if let Some(process) = &mut self.process {
            process.resume();
        }
    }

    pub(crate) fn restart(&mut self) -> Result<(), EngineError> {
        self.stop();
        self.run()
    }

    fn run(&mut self) -> Result<(), EngineError> {
        if !port::is_free(self.port) {
            return Err(self.port_in_use());
        }
        let log = self.folder.begin_log();
        let process = Process::spawn(self.server.launch(&self.folder, self.port)?)?;
        self.folder.note_running(process.id(), self.port)?;
        let deadline = Instant::now() + START_BOUND;
        while !self.server.is_ready(&self.folder, self.port, process.id()) {
            if process.has_ended() {
                let outcome = process
                    .collect()
                    .map_or_else(|error| error.to_string(), |status| status.to_string());
                return Err(self.start_error(outcome, &self.folder.log_since(log)));
            }
            if Instant::now() >= deadline {
                process.stop();
                let outcome = format!("it was not ready after {} s", START_BOUND.as_secs());
                return Err(self.start_error(outcome, &self.folder.log_since(log)));
            }
            thread::sleep(POLL);
        }
        self.process = Some(process);
        Ok(())
    }

    fn port_in_use(&self) -> EngineError {
        EngineError::PortInUse {
            engine: S::NAME,
            port: self.port,
            holder: port::holder(self.port),
        }
    }

    fn start_error(&self, outcome: String, log: &str) -> EngineError {
        if log.contains("Address already in use") {
            return self.port_in_use();
        }
        EngineError::Failed {
            act: format!(
                "start {} on port {} in `{}`",
                S::NAME,
                self.port,
                self.folder().display()
            ),
            outcome,
            log: last_lines(log),
        }
    }
}

/// The end of a text, short enough for an error message.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

/// PostgreSQL may have to replay a large log after a crash.
const START_BOUND: Duration = Duration::from_secs(60);
const PORT_ATTEMPTS: usize = 5;
const LOG_LINES: usize = 15;
