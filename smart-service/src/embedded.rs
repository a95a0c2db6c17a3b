//! A whole service inside another process: what test kits start.
//!
//! Each runs on a thread of its own, with its own runtime, log scope, metrics recorder and error reporting, so that many
//! live side by side.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde::Serialize;
use serde::de::DeserializeOwned;
use smart_config::{Loaded, Loader, Realm};
use tokio::sync::oneshot;

use crate::lifecycle::{self, Blueprint};
use crate::program::prepare_process;
use crate::service::{App, Service};
use crate::settings::{self, Settings};
use crate::telemetry::{LogOutput, Telemetry};
use crate::{Program, StartError};

/// Where an embedded service gets its configuration, and where its log lines go.
#[derive(Clone)]
pub struct Embedding {
    /// Realm it runs in; usually `local`.
    pub realm: Realm,
    /// Folder with its configuration files.
    pub folder: PathBuf,
    /// Settings above all other layers, as (key, value), for example `("http.port", "0")`.
    pub overrides: Vec<(String, String)>,
    /// Receives every log line, with its line end.
    pub lines: Arc<dyn Fn(&str) + Send + Sync>,
}

/// An embedded service that serves. Dropping it stops it at once; [`stop`](Self::stop) drains first.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    admin_address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Stopped>>,
}

/// How an embedded service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Requests that were answered during the drain.
    pub drained: usize,
    /// Connections that were cut because their requests took longer than the drain.
    pub aborted: usize,
}

impl Program {
    /// Starts the service and returns once it serves, as [`run`](Self::run) would, but inside this process.
    ///
    /// # Errors
    /// What would have kept the process from starting, as `run` prints it.
    ///
    /// # Panics
    /// When a thread cannot be started.
    ///
    /// # Cancel safety
    /// Dropping the future stops the service.
    pub async fn start<S, F, Fut>(
        self,
        embedding: Embedding,
        service: F,
    ) -> Result<Embedded, StartError>
    where
        S: DeserializeOwned + Serialize + Send + 'static,
        F: FnOnce(Service<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<App, StartError>> + Send,
    {
        prepare_process();
        let (started, start) = oneshot::channel();
        let (stop, stopping) = oneshot::channel();
        let thread = std::thread::Builder::new().name(self.about.name.to_owned());
        let thread = thread.spawn(move || live(self, embedding, service, started, stopping))?;
        match start.await {
            Ok(Ok((address, admin_address))) => Ok(Embedded {
                address,
                admin_address,
                stop: Some(stop),
                thread: Some(thread),
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::new(
                "the service panicked while it was starting",
            )),
        }
    }
}

type Addresses = (SocketAddr, SocketAddr);

/// The life of an embedded service, on its own thread.
fn live<S, F, Fut>(
    program: Program,
    embedding: Embedding,
    service: F,
    started: oneshot::Sender<Result<Addresses, StartError>>,
    stopping: oneshot::Receiver<()>,
) -> Stopped
where
    S: DeserializeOwned + Serialize + Send + 'static,
    F: FnOnce(Service<S>) -> Fut,
    Fut: Future<Output = Result<App, StartError>> + Send,
{
    let nothing = Stopped {
        drained: 0,
        aborted: 0,
    };
    let assembled = assemble::<S>(program, embedding);
    let (blueprint, telemetry, runtime) = match assembled {
        Ok(parts) => parts,
        Err(error) => {
            let _ = started.send(Err(error));
            return nothing;
        }
    };
    let stopped = telemetry.on_this_thread(|| {
        let about = blueprint.about;
        runtime.block_on(async {
            let running = match lifecycle::start(blueprint, &telemetry, service).await {
                Ok(running) => running,
                Err(error) => {
                    tracing::error!("{} cannot run: {}", about.name, error.one_line());
                    let _ = started.send(Err(error));
                    return nothing;
                }
            };
            if started
                .send(Ok((running.address(), running.admin_address())))
                .is_err()
            {
                return nothing;
            }
            match stopping.await {
                Ok(()) => {
                    let summary = running.stop().await;
                    Stopped {
                        drained: summary.drained,
                        aborted: summary.aborted,
                    }
                }
                // The handle was dropped: its owner does not want to wait.
                Err(_) => nothing,
            }
        })
    });
    telemetry.flush();
    runtime.shutdown_background();
    stopped
}

fn assemble<S: DeserializeOwned + Serialize>(
    program: Program,
    embedding: Embedding,
) -> Result<(Blueprint<S>, Telemetry, tokio::runtime::Runtime), StartError> {
    let Embedding {
        realm,
        folder,
        overrides,
        lines,
    } = embedding;
    let loaded: Loaded<Settings<S>> = Loader::new(realm.clone(), folder)
        .defaults(settings::built_in(&realm), "built-in default")
        .overrides(overrides, "test kit")
        .load()
        .map_err(|faults| StartError::from(faults).configuration())?;
    let telemetry = Telemetry::new(program.about, &realm, &loaded, LogOutput::Lines(lines))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let blueprint = Blueprint {
        about: program.about,
        realm,
        settings: loaded.value,
        migrations: program.migrations,
    };
    Ok((blueprint, telemetry, runtime))
}

impl Embedded {
    /// Address of the main listener.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Address of the admin listener.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Drains and stops, as SIGTERM would.
    ///
    /// # Panics
    /// When the service's thread panicked.
    pub async fn stop(mut self) -> Stopped {
        let thread = self.thread.take().expect("taken only here and on drop");
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        tokio::task::spawn_blocking(move || thread.join())
            .await
            .expect("joining a thread does not panic")
            .expect("the service's thread does not panic")
    }
}

impl Drop for Embedded {
    /// Waits for the end, so that nothing of the service outlives its test.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the service's thread was printed there.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedding")
            .field("realm", &self.realm)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
