//! [`Postgres`]: a private cluster.

mod address;
mod cluster;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

pub use self::address::PostgresAddress;

use self::cluster::Cluster;
use crate::{
    EngineError,
    account::Account,
    binaries::Search,
    engine::{Engine, Server as _},
    folder::Folder,
    password::Password,
    port::HOST,
};

/// A running PostgreSQL of our own; stopped on drop.
///
/// It listens on the loopback address only, has no Unix socket, keeps time in UTC and sorts by code point (`C`).
/// Roles other than the superuser always log in by password. The superuser does so when it was given one; without,
/// every program on this machine may log in as superuser, which is right for tests and wrong for data that matter.
#[derive(Debug)]
pub struct Postgres {
    engine: Engine<Cluster>,
    address: PostgresAddress,
}

impl Postgres {
    /// Starts a temporary cluster on a free port, tuned for tests: nothing survives a crash of the machine.
    ///
    /// # Errors
    ///
    /// PostgreSQL is not installed or does not start; the message says why and what to do.
    pub fn start() -> Result<Self, EngineError> {
        Self::builder().start()
    }

    /// Starts with other options.
    pub fn builder() -> PostgresBuilder {
        PostgresBuilder {
            folder: None,
            port: None,
            superuser: "postgres".into(),
            password: None,
        }
    }

    /// Where PostgreSQL is installed: the folder with `initdb`, `postgres` and `psql`.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotInstalled`], which names the package.
    pub fn installed() -> Result<PathBuf, EngineError> {
        Search::here().postgres()
    }

    /// The cluster that all tests share: the one named by [`PostgresAddress::VARIABLE`], else one for this process.
    ///
    /// The latter lives as long as the process. Databases in it are the caller's to name apart.
    ///
    /// # Errors
    ///
    /// The variable is malformed, nobody answers at the address it names, or the cluster does not start.
    pub fn shared() -> Result<PostgresAddress, EngineError> {
        static SHARED: Mutex<Option<Postgres>> = Mutex::new(None);
        if let Some(address) = PostgresAddress::from_environment()? {
            return Ok(address);
        }
        // A static is never dropped; the guard sees the process end and stops the cluster.
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let postgres = match shared.take() {
            Some(running) => running,
            None => Self::start()?,
        };
        Ok(shared.insert(postgres).address.clone())
    }

    /// Where and as whom to connect. Stays the same over a restart.
    pub fn address(&self) -> &PostgresAddress {
        &self.address
    }

    /// The loopback address.
    pub fn host(&self) -> &str {
        self.address.host()
    }

    /// The port. Stays the same over a restart.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The superuser.
    pub fn user(&self) -> &str {
        self.address.user()
    }

    /// The superuser's password, if it was given one.
    pub fn password(&self) -> Option<&str> {
        self.address.password()
    }

    /// Where the data are.
    ///
    /// Not always the folder that was asked for: when root asks for one that the account of PostgreSQL cannot enter,
    /// the data are kept in `/var/lib/smart-engines` and the wanted folder becomes a link to them.
    pub fn folder(&self) -> &Path {
        self.engine.folder()
    }

    /// Whether the server is running, paused or not.
    pub fn is_running(&self) -> bool {
        self.engine.is_running()
    }

    /// Stops the server in order: clients are told, data are written.
    pub fn stop(&mut self) {
        self.engine.stop();
    }

    /// Ends all processes of the server at once, as a power failure would.
    pub fn kill(&mut self) {
        let was_running = self.is_running();
        self.engine.kill();
        if was_running {
            let cluster = self.engine.server();
            cluster.remove_shared_memory(self.engine.folder());
        }
    }

    /// Freezes all processes of the server: connections stay open, new ones are accepted by the kernel, nobody answers.
    pub fn pause(&mut self) {
        self.engine.pause();
    }

    /// Ends a pause.
    pub fn resume(&mut self) {
        self.engine.resume();
    }

    /// Starts the server again on the same data and the same port, after stopping it if it still runs.
    ///
    /// # Errors
    ///
    /// As for [`Postgres::start`]; the port may have been taken meanwhile.
    pub fn restart(&mut self) -> Result<(), EngineError> {
        self.engine.restart()
    }
}

/// Options of a [`Postgres`].
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct PostgresBuilder {
    folder: Option<PathBuf>,
    port: Option<u16>,
    superuser: String,
    password: Option<Password>,
}

impl PostgresBuilder {
    /// Keeps the data in this folder, durably, over many runs. The folder is created when it is missing.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Listens on this port instead of a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Names the superuser; `postgres` if not called. Takes effect when the data are first made.
    pub fn superuser(mut self, name: impl Into<String>) -> Self {
        self.superuser = name.into();
        self
    }

    /// Makes the superuser log in by this password too. Takes effect when the data are first made.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password(password.into()));
        self
    }

    /// Creates the data if there are none, starts the server and waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// PostgreSQL is not installed, the folder or the port is not to be had, or the server does not start.
    pub fn start(self) -> Result<Postgres, EngineError> {
        let programs = Search::here().postgres()?;
        let data = self.folder.as_deref().map(|folder| folder.join("data"));
        let account = Account::for_postgres(data.as_deref())
            .map_err(EngineError::folder("read", "/etc/passwd"))?;
        let folder = match &self.folder {
            Some(wanted) => Folder::kept(Cluster::NAME, wanted, account)?,
            None => Folder::temporary(Cluster::NAME, account)?,
        };
        let cluster = Cluster {
            programs,
            superuser: self.superuser,
            password: self.password,
        };
        let data_are_older = cluster.has_data(&folder);
        if !data_are_older {
            cluster.create(&folder)?;
        }
        let (user, password) = (cluster.superuser.clone(), cluster.password.clone());
        let engine = Engine::start(cluster, folder, self.port)?;
        let address = PostgresAddress::new(HOST, engine.port(), user, password);
        if data_are_older {
            address.check_login(engine.folder())?;
        }
        Ok(Postgres { engine, address })
    }
}
