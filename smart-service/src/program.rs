//! The process: from `main` to its exit code.

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smart_config::report::{Fault, FaultKind};
use smart_config::{Loaded, Loader};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::command_line::{self, Command};
use crate::commands;
use crate::lifecycle::{self, Blueprint, Summary};
use crate::middleware::panic::install_hook;
use crate::service::{App, Service};
use crate::settings::Settings;
use crate::telemetry::{LogOutput, Telemetry};
use crate::{About, Migrations, StartError};

/// A service as a program; made by [`program()`].
#[derive(Debug)]
#[must_use = "a program does nothing until it runs"]
pub struct Program {
    pub(crate) about: About,
    pub(crate) migrations: Option<Migrations>,
}

/// Describes the program of the service `about`.
pub fn program(about: About) -> Program {
    Program {
        about,
        migrations: None,
    }
}

impl Program {
    /// The migrations of the service's database, from [`migrations!`](crate::migrations).
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = Some(migrations);
        self
    }

    /// Runs the command line: `serve` (also without a command), `healthcheck`, `config`, `config check`, `migrate`.
    ///
    /// `S` is the service's own section `[app]`. Returns when the command has ended: 0 done; 1 it did not succeed; 2 wrong
    /// use; 78 the configuration has to change. A second signal during the drain ends the process at once, with 1.
    pub fn run<S, F, Fut>(self, service: F) -> ExitCode
    where
        S: DeserializeOwned + Serialize + Send + 'static,
        F: FnOnce(Service<S>) -> Fut,
        Fut: Future<Output = Result<App, StartError>> + Send,
    {
        prepare_process();
        let arguments: Vec<OsString> = std::env::args_os().collect();
        let invocation = match command_line::parse(&self.about, arguments) {
            Ok(invocation) => invocation,
            Err(answer) => return answer.print(),
        };
        let loader = match invocation.loader() {
            Ok(loader) => loader,
            Err(error) => return fail(&self.about, "use its configuration", &error),
        };
        match invocation.command {
            Command::Serve => self.serve(loader, service),
            Command::Healthcheck(options) => commands::healthcheck::run(loader.inner, &options),
            Command::Config { check: false } => commands::config::show::<S>(loader.inner),
            Command::Config { check: true } => commands::config::check::<S>(loader.inner),
            Command::Migrate => self.migrate::<S>(loader),
        }
    }

    fn serve<S, F, Fut>(self, loader: RealmLoader, service: F) -> ExitCode
    where
        S: DeserializeOwned + Serialize + Send + 'static,
        F: FnOnce(Service<S>) -> Fut,
        Fut: Future<Output = Result<App, StartError>> + Send,
    {
        raise_file_limit();
        let about = self.about;
        let (blueprint, telemetry, runtime) = match self.assemble(loader) {
            Ok(parts) => parts,
            Err(exit) => return exit,
        };
        let outcome = runtime.block_on(async {
            let mut signals = Signals::listen()?;
            let running = tokio::select! {
                started = lifecycle::start(blueprint, &telemetry, service) => started?,
                name = signals.next() => {
                    tracing::info!("{} received {name} before it was ready", about.name);
                    return Ok(None);
                }
            };
            let name = signals.next().await;
            tracing::info!("{} received {name}", about.name);
            tokio::select! {
                summary = running.stop() => Ok(Some(summary)),
                name = signals.next() => Err(StartError::new(format!("received {name} while draining: ended at once"))),
            }
        });
        let exit = match outcome {
            Ok(None) => ExitCode::SUCCESS,
            Ok(Some(summary)) => farewell(about, summary),
            Err(error) => give_up(&about, "run", &error, &telemetry),
        };
        telemetry.flush();
        // Whatever still runs has had its time; a blocking task must not keep the process.
        runtime.shutdown_background();
        exit
    }

    fn migrate<S: DeserializeOwned + Serialize>(self, loader: RealmLoader) -> ExitCode {
        let about = self.about;
        let (blueprint, telemetry, runtime) = match self.assemble::<S>(loader) {
            Ok(parts) => parts,
            Err(exit) => return exit,
        };
        let exit = match runtime.block_on(commands::migrate::run(blueprint)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => give_up(&about, "migrate", &error, &telemetry),
        };
        telemetry.flush();
        exit
    }

    /// Configuration, then telemetry, then the runtime: each needs the one before it.
    fn assemble<S: DeserializeOwned + Serialize>(
        self,
        loader: RealmLoader,
    ) -> Result<(Blueprint<S>, Telemetry, Runtime), ExitCode> {
        let about = self.about;
        let loaded: Loaded<Settings<S>> = loader.inner.load().map_err(|faults| {
            // The report stands alone: it names the act, and every fault with its cure.
            complain(&faults);
            let unfilled = |fault: &Fault| fault.kind == FaultKind::Unfilled;
            if !loader.has_secret_source && faults.faults().iter().any(unfilled) {
                complain(&"no secret source is set: `SMART_SECRETS_DIR` names a directory with one file per key");
            }
            ExitCode::from(78)
        })?;
        let telemetry = Telemetry::new(about, &loader.realm, &loaded, LogOutput::Stdout);
        let telemetry = telemetry.and_then(|telemetry| telemetry.install().map(|()| telemetry));
        let telemetry = telemetry.map_err(|error| fail(&about, "start", &error))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| fail(&about, "start", &StartError::from(error)))?;
        let blueprint = Blueprint {
            about,
            realm: loader.realm,
            settings: loaded.value,
            migrations: self.migrations,
        };
        Ok((blueprint, telemetry, runtime))
    }
}

/// A loader, and the realm it loads for.
#[derive(Debug)]
pub(crate) struct RealmLoader {
    pub(crate) realm: smart_config::Realm,
    pub(crate) has_secret_source: bool,
    pub(crate) inner: Loader,
}

/// What has to be in place before anything else runs, once per process.
pub(crate) fn prepare_process() {
    install_hook();
    // Fails only when somebody installed one before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Each connection is an open file, and the usual soft limit of 1024 is far below `http.max_connections`.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Whoever forbids it has chosen the limit.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
}

/// The signals that end a service: SIGTERM from whoever runs it, SIGINT from a person's Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, StartError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

fn farewell(about: About, summary: Summary) -> ExitCode {
    let Summary {
        drained,
        aborted,
        elapsed,
    } = summary;
    let seconds = elapsed.as_secs_f64();
    tracing::info!(
        drained,
        aborted,
        seconds,
        "{} stopped: {drained} requests drained, {aborted} aborted, {seconds:.1} s",
        about.name
    );
    if aborted == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Logs for machines and the error reporter, and writes plainly for the person at the terminal.
fn give_up(about: &About, act: &str, error: &StartError, telemetry: &Telemetry) -> ExitCode {
    tracing::error!("{} cannot {act}: {}", about.name, error.one_line());
    let message = format!("{} cannot {act}: {error}", about.name);
    complain(&telemetry.redactor.redact(&message));
    error.exit()
}

/// For what happens before the service knows its secrets.
fn fail(about: &About, act: &str, error: &StartError) -> ExitCode {
    complain(&format_args!("{} cannot {act}: {error}", about.name));
    error.exit()
}

/// Start-up messages go to stderr as plain text: nobody has set up logs yet, or the reader is a person.
pub(crate) fn complain(message: &dyn fmt::Display) {
    eprintln!("{message}");
}
