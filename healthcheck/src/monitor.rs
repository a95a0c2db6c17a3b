//! Runs the checks in the background and keeps what they found.

mod validate;

use std::{
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    cadence::{self, Cadence},
    check::{Answer, Check},
    error::StartMonitorError,
    report::{Readiness, Report},
    slot::{Change, Slot, Thresholds},
};

/// How often checks run, and how many results turn the readiness.
///
/// The durations are from 1 ms to 24 h, the counts at least 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorConfig {
    /// How long a pass is current. A new result replaces it before it expires. Default 27 s.
    pub success_ttl: Duration,
    /// How long a failure is current. Default 9 s.
    pub failure_ttl: Duration,
    /// Longest time one run may take, for checks that do not set their own. Default 800 ms, to stay below the 1 s after
    /// which a kubelet gives up.
    pub deadline: Duration,
    /// Failures in a row after which a critical check stands against readiness. Default 2.
    pub unready_after_failures: u32,
    /// Passes in a row after which it no longer does. Default 1.
    pub ready_after_successes: u32,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            success_ttl: Duration::from_secs(27),
            failure_ttl: Duration::from_secs(9),
            deadline: Duration::from_millis(800),
            unready_after_failures: 2,
            ready_after_successes: 1,
        }
    }
}

/// Handle on running checks.
///
/// Each check has a task of its own, so that a slow one delays no other. A run starts one deadline, and a little more by
/// chance, before the last result expires: a check that passes is never seen expired, and instances that started
/// together do not ask together. Clones share the checks; they end with [`stop`](Self::stop) or the last clone.
#[derive(Clone)]
#[must_use = "the checks end when the last handle is dropped"]
pub struct Monitor {
    board: Arc<Board>,
    /// Dropping the set ends its tasks. They hold the board, never this.
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Monitor {
    /// Starts all checks at once, on the runtime it is called in.
    ///
    /// `on_change` is called from the tasks of the checks, between two runs; it should return quickly.
    ///
    /// # Errors
    ///
    /// When there is no check, two have the same name, a name cannot be shown, a number is out of range, or there is no
    /// tokio runtime. All faults are reported together, and nothing was started.
    pub fn start(
        config: MonitorConfig,
        checks: Vec<Check>,
        on_change: impl Fn(&Change) + Send + Sync + 'static,
    ) -> Result<Self, StartMonitorError> {
        Self::start_with_clock(config, checks, on_change, SystemTime::now)
    }

    /// Like [`start`](Self::start), with a wall clock of your own, as a test wants it.
    ///
    /// The clock only stamps results and reports. Every rule goes by tokio's clock, which a test can pause.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_with_clock(
        config: MonitorConfig,
        checks: Vec<Check>,
        on_change: impl Fn(&Change) + Send + Sync + 'static,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Result<Self, StartMonitorError> {
        validate::all(&config, &checks)?;

        let board = Arc::new(Board {
            slots: Mutex::new(checks.iter().map(|check| slot(&config, check)).collect()),
            not_run: watch::Sender::new(checks.len()),
            on_change: Box::new(on_change),
            clock: Box::new(clock),
        });
        let mut tasks = JoinSet::new();
        for (index, check) in checks.into_iter().enumerate() {
            let cadence = cadence(&config, &check);
            tasks.spawn(keep_running(board.clone(), index, check, cadence));
        }
        let look_every = config.success_ttl.min(config.failure_ttl);
        tasks.spawn(watch_for_stale(board.clone(), look_every));

        Ok(Self {
            board,
            tasks: Arc::new(Mutex::new(tasks)),
        })
    }

    /// Returns when every check has finished once, whatever the outcome; also when the monitor was stopped.
    ///
    /// That takes as long as the longest deadline at most, unless a probe blocks its thread: bound it where that matters.
    ///
    /// # Cancel safety
    ///
    /// Dropping it changes nothing.
    pub async fn first_round(&self) {
        let mut not_run = self.board.not_run.subscribe();
        // The sender lives as long as this handle: the only error there is, a dropped one, cannot come.
        let _ = not_run.wait_for(|checks| *checks == 0).await;
    }

    /// The results as they are now. Reads memory only: it neither runs a check nor waits for one.
    pub fn report(&self) -> Report {
        let clock = (self.board.clock)();
        let now = Instant::now();
        let results = self
            .board
            .slots()
            .iter()
            .map(|slot| slot.result(now, clock))
            .collect();
        Report::new(clock, results)
    }

    /// Whether the critical checks allow requests. Reads memory only, like [`report`](Self::report).
    pub fn readiness(&self) -> Readiness {
        let now = Instant::now();
        let failing: Vec<String> = self
            .board
            .slots()
            .iter()
            .filter(|slot| slot.holds_back_readiness(now))
            .map(|slot| slot.name().to_owned())
            .collect();
        Readiness {
            ready: failing.is_empty(),
            failing,
        }
    }

    /// Ends all checks, also those of other clones, and waits until their tasks are gone.
    ///
    /// The last results stay readable until they are stale. A probe that blocks its thread is waited for
    /// one second at most, and ends by itself when it lets go of the thread. Stopping twice is harmless.
    ///
    /// # Cancel safety
    ///
    /// The checks end also when this is dropped after its first poll; nobody then waits for them.
    pub async fn stop(&self) {
        let mut tasks = mem::take(&mut *lock(&self.tasks));
        self.board.not_run.send_replace(0);
        let _ = timeout(STOP_WAIT, tasks.shutdown()).await;
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("slots", &*self.board.slots())
            .finish_non_exhaustive()
    }
}

/// What tasks and readers share.
struct Board {
    slots: Mutex<Vec<Slot>>,
    /// How many checks have no result yet.
    not_run: watch::Sender<usize>,
    on_change: Box<dyn Fn(&Change) + Send + Sync>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Board {
    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        lock(&self.slots)
    }

    fn record(&self, index: usize, answer: Answer) {
        let clock = (self.clock)();
        let (first, change) = {
            let slot = &mut self.slots()[index];
            let first = !slot.has_run();
            (first, slot.record(answer, Instant::now(), clock))
        };
        if let Some(change) = change {
            self.tell(&change);
        }
        if first {
            self.not_run
                .send_modify(|checks| *checks = checks.saturating_sub(1));
        }
    }

    fn tell(&self, change: &Change) {
        // A panic in the caller's code must not end the check. The panic hook has already reported it.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.on_change)(change)));
    }
}

async fn keep_running(board: Arc<Board>, index: usize, check: Check, cadence: Cadence) {
    loop {
        let answer = check.run(cadence.deadline).await;
        let passed = answer.outcome.is_ok();
        board.record(index, answer);
        sleep(cadence.pause(passed, cadence::chance())).await;
    }
}

/// Readers see by themselves that a result is stale. This is for the log, as a check that is stuck cannot speak.
async fn watch_for_stale(board: Arc<Board>, look_every: Duration) {
    loop {
        sleep(look_every).await;
        let now = Instant::now();
        let changes: Vec<Change> = board
            .slots()
            .iter_mut()
            .filter_map(|slot| slot.announce_if_stale(now))
            .collect();
        for change in &changes {
            board.tell(change);
        }
    }
}

fn slot(config: &MonitorConfig, check: &Check) -> Slot {
    let thresholds = Thresholds {
        unready_after_failures: config.unready_after_failures,
        ready_after_successes: config.ready_after_successes,
    };
    Slot::new(
        &check.name,
        check.critical,
        cadence(config, check),
        thresholds,
    )
}

fn cadence(config: &MonitorConfig, check: &Check) -> Cadence {
    Cadence {
        success_ttl: config.success_ttl,
        failure_ttl: config.failure_ttl,
        deadline: check.deadline.unwrap_or(config.deadline),
    }
}

/// What a lock guards here is whole at every moment, also after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stopping process has better things to wait for than a probe that breaks the rules.
const STOP_WAIT: Duration = Duration::from_secs(1);
