//! [`Redis`]: a private Redis.

mod server;

use std::path::{Path, PathBuf};

use self::server::RedisServer;
use crate::{
    EngineError,
    binaries::Search,
    engine::{Engine, Server as _},
    folder::Folder,
    password::Password,
    port::HOST,
};

/// A running Redis of our own; stopped on drop.
///
/// It listens on the loopback address only. Without a folder it keeps nothing, not even over a restart.
#[derive(Debug)]
pub struct Redis {
    engine: Engine<RedisServer>,
}

impl Redis {
    /// Starts a temporary Redis on a free port, without a password.
    ///
    /// # Errors
    ///
    /// Redis is not installed or does not start; the message says why and what to do.
    pub fn start() -> Result<Self, EngineError> {
        Self::builder().start()
    }

    /// Starts with other options.
    pub fn builder() -> RedisBuilder {
        RedisBuilder {
            folder: None,
            port: None,
            password: None,
        }
    }

    /// Where Redis is installed: the program `redis-server`.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotInstalled`], which names the package.
    pub fn installed() -> Result<PathBuf, EngineError> {
        Search::here().redis()
    }

    /// The loopback address.
    pub fn host(&self) -> &str {
        HOST
    }

    /// The port. Stays the same over a restart.
    pub fn port(&self) -> u16 {
        self.engine.port()
    }

    /// The password, if it was given one.
    pub fn password(&self) -> Option<&str> {
        self.engine
            .server()
            .password
            .as_ref()
            .map(|password| password.0.as_str())
    }

    /// Where the configuration, the log and the data are.
    pub fn folder(&self) -> &Path {
        self.engine.folder()
    }

    /// Whether the server is running, paused or not.
    pub fn is_running(&self) -> bool {
        self.engine.is_running()
    }

    /// Stops the server in order.
    pub fn stop(&mut self) {
        self.engine.stop();
    }

    /// Ends the server at once, as a power failure would.
    pub fn kill(&mut self) {
        self.engine.kill();
    }

    /// Freezes the server: connections stay open, new ones are accepted by the kernel, nobody answers.
    pub fn pause(&mut self) {
        self.engine.pause();
    }

    /// Ends a pause.
    pub fn resume(&mut self) {
        self.engine.resume();
    }

    /// Starts the server again in the same folder and on the same port, after stopping it if it still runs.
    ///
    /// # Errors
    ///
    /// As for [`Redis::start`]; the port may have been taken meanwhile.
    pub fn restart(&mut self) -> Result<(), EngineError> {
        self.engine.restart()
    }
}

/// Options of a [`Redis`].
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct RedisBuilder {
    folder: Option<PathBuf>,
    port: Option<u16>,
    password: Option<Password>,
}

impl RedisBuilder {
    /// Keeps the data in this folder over many runs. The folder is created when it is missing.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Listens on this port instead of a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Asks every client for this password.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password(password.into()));
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    ///
    /// Redis is not installed, the folder or the port is not to be had, or the server does not start.
    pub fn start(self) -> Result<Redis, EngineError> {
        let server = RedisServer {
            program: Search::here().redis()?,
            password: self.password,
        };
        let folder = match &self.folder {
            Some(wanted) => Folder::kept(RedisServer::NAME, wanted, None)?,
            None => Folder::temporary(RedisServer::NAME, None)?,
        };
        Ok(Redis {
            engine: Engine::start(server, folder, self.port)?,
        })
    }
}
