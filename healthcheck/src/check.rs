//! One named probe, and how a single run of it ends.

use std::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    time::Duration,
};

use tokio::time::{Instant, timeout};

use crate::output;

/// A named question to one dependency, asked again and again by a [`Monitor`](crate::Monitor).
///
/// Critical unless made [`advisory`](Self::advisory).
#[must_use = "a check does nothing until a monitor runs it"]
pub struct Check {
    pub(crate) name: String,
    pub(crate) critical: bool,
    pub(crate) deadline: Option<Duration>,
    probe: Box<Probe>,
}

impl Check {
    /// A critical check: while it fails, the service is neither healthy nor ready.
    ///
    /// The name is shown as `checker` and is a part of a key in `application/health+json`: at most 64 ASCII letters,
    /// digits, `-`, `_` and `.`; a monitor refuses others. The text of `Ok` is shown while the check passes, the error
    /// with its causes while it fails; both bodies show at most 200 characters of it, to anybody who may ask, so it
    /// must hold no secret.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped at the deadline and when the monitor stops. It must not block its thread: nothing can end
    /// it then, and the last result goes stale.
    pub fn new<F, Fut, E>(name: impl Into<String>, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let probe = move || {
            let answer = probe();
            let answer = async move {
                let error: Box<dyn Error + Send + Sync> = match answer.await {
                    Ok(text) => return Ok(text),
                    Err(error) => error.into(),
                };
                Err(output::chain(error.as_ref()))
            };
            Box::pin(answer) as Running
        };
        Self {
            name: name.into(),
            critical: true,
            deadline: None,
            probe: Box::new(probe),
        }
    }

    /// The built-in check `runtime`: the scheduler runs a new task within the deadline.
    ///
    /// It needs no dependency, so that a service without any has a result to show.
    pub fn runtime() -> Self {
        Self::new("runtime", || async {
            match tokio::spawn(async {}).await {
                Ok(()) => Ok("the scheduler answers".to_owned()),
                Err(error) => Err(io::Error::other(error)),
            }
        })
    }

    /// Shows the check and lets it decide nothing: neither the status nor the readiness.
    pub fn advisory(self) -> Self {
        Self {
            critical: false,
            ..self
        }
    }

    /// Longest time one run may take; the check fails after it.
    ///
    /// Default: [`MonitorConfig::deadline`](crate::MonitorConfig::deadline).
    pub fn deadline(self, deadline: Duration) -> Self {
        Self {
            deadline: Some(deadline),
            ..self
        }
    }

    /// Runs the probe once. Always ends by the deadline, unless the probe blocks its thread.
    pub(crate) async fn run(&self, deadline: Duration) -> Answer {
        let started = Instant::now();
        let answer = timeout(deadline, self.run_without_deadline()).await;
        let took = started.elapsed();
        let outcome = match answer {
            // A probe that blocked its thread comes back late and still looks finished: that is no pass.
            Ok(outcome) if took <= deadline => outcome,
            _ => Err(format!(
                "no answer within {}",
                humantime::format_duration(deadline)
            )),
        };
        Answer { outcome, took }
    }

    async fn run_without_deadline(&self) -> Result<String, String> {
        let mut running: Option<Running> = None;
        poll_fn(|context| {
            let poll = || {
                running
                    .get_or_insert_with(|| (self.probe)())
                    .as_mut()
                    .poll(context)
            };
            // Nothing that a panic left behind is touched again: the probe is dropped, the next run starts a new one.
            // The panic hook has the details; they do not belong into a body that anybody may read.
            catch_unwind(AssertUnwindSafe(poll))
                .unwrap_or_else(|_| Err("the check panicked".to_owned()).into())
        })
        .await
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("critical", &self.critical)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// How one run ended: the text of a pass, or that of a failure.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Result<String, String>,
    pub(crate) took: Duration,
}

type Probe = dyn Fn() -> Running + Send + Sync;
type Running = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;
