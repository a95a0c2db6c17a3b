//! [`EngineError`]: what kept an engine from running, and what to do about it.

use std::{error::Error, fmt, io, path::PathBuf};

/// What kept an engine from starting or from doing what was asked.
///
/// `Display` says the act, the cause and the next step; an underlying system error is behind `source()`.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// The programs of the engine are not on this machine.
    NotInstalled {
        /// `PostgreSQL` or `Redis`.
        engine: &'static str,
        /// The program that was looked for.
        program: &'static str,
        /// The places where it was looked for.
        searched: Vec<String>,
        /// The command that installs it here, or those of the known package managers.
        install: String,
    },
    /// The port that was asked for belongs to another program.
    PortInUse {
        /// `PostgreSQL` or `Redis`.
        engine: &'static str,
        /// The port on the loopback address.
        port: u16,
        /// The program that listens there, when this account may know.
        holder: Option<String>,
    },
    /// Another owner runs an engine in the same folder.
    AlreadyRunning {
        /// `PostgreSQL` or `Redis`.
        engine: &'static str,
        /// The folder both want.
        folder: PathBuf,
        /// Process and port of the engine that runs there, when it has written them down.
        running: Option<(u32, u16)>,
    },
    /// The folder cannot be used.
    Folder {
        /// What was attempted, such as `create`.
        act: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program of the engine could not be run at all.
    Run {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program of the engine ran and failed, or was not ready in time.
    Failed {
        /// What was attempted, such as `start PostgreSQL on port 5432`.
        act: String,
        /// How it ended.
        outcome: String,
        /// The last lines it wrote.
        log: String,
    },
    /// The environment variable that names a running cluster cannot be used.
    Handover {
        /// The name of the variable.
        variable: &'static str,
        /// What is wrong with its value. The value itself may hold a password and is not shown.
        fault: String,
    },
}

impl EngineError {
    pub(crate) fn folder(
        act: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder { act, path, source }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled {
                engine,
                program,
                searched,
                install,
            } => {
                let searched = searched.join(", ");
                write!(
                    f,
                    "{engine} is not installed: no `{program}` in {searched}; install it with {install}"
                )
            }
            Self::PortInUse {
                engine,
                port,
                holder,
            } => {
                let holder = holder.as_deref().unwrap_or("another program");
                write!(
                    f,
                    "cannot start {engine} on port {port}: {holder} listens there; stop it or choose another port"
                )
            }
            Self::AlreadyRunning {
                engine,
                folder,
                running,
            } => {
                write!(f, "{engine} already runs in `{}`", folder.display())?;
                if let Some((pid, port)) = running {
                    write!(f, " (process {pid}, port {port})")?;
                }
                write!(f, "; use that one, or stop the program that started it")
            }
            Self::Folder { act, path, .. } => write!(f, "cannot {act} `{}`", path.display()),
            Self::Run { program, .. } => write!(f, "cannot run `{}`", program.display()),
            Self::Failed { act, outcome, log } if log.is_empty() => {
                write!(f, "cannot {act}: {outcome}")
            }
            Self::Failed { act, outcome, log } => {
                write!(f, "cannot {act}: {outcome}; its last words:")?;
                log.lines().try_for_each(|line| write!(f, "\n  {line}"))
            }
            Self::Handover { variable, fault } => {
                write!(
                    f,
                    "cannot use the PostgreSQL named by `{variable}`: {fault}; unset it to start a private one"
                )
            }
        }
    }
}

impl Error for EngineError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Folder { source, .. } | Self::Run { source, .. } => Some(source),
            _ => None,
        }
    }
}
