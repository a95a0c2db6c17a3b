//! How a single run can end.

use std::{
    fmt,
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use healthcheck::{Check, Status};

use crate::{
    running::{Running, pass_time, seconds},
    switch::Switch,
};

#[tokio::test(start_paused = true)]
async fn the_text_of_a_pass_is_the_output() {
    check(
        Check::new("stock", || async {
            Ok::<_, io::Error>("12 shelves".to_owned())
        }),
        Ok("12 shelves"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_is_the_output_with_its_causes() {
    check(
        Check::new("stock", || async {
            Err(Outer(io::Error::other("refused")))
        }),
        Err("cannot reach stock: refused"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn plain_text_may_be_an_error() {
    check(
        Check::new("stock", || async { Err("shelf 3 is\nempty") }),
        Err("shelf 3 is empty"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_answer_within_the_deadline_is_a_failure_that_names_it() {
    let silent = || Check::new("stock", pending::<Result<String, io::Error>>);
    check(silent(), Err("no answer within 800ms")).await;
    check(silent().deadline(seconds(2)), Err("no answer within 2s")).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_the_last_moment_counts() {
    let switch = Switch::on();
    check(
        switch.check("stock", Duration::from_millis(799)),
        Ok("answered"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_dropped_at_its_deadline() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = CountsDrops(dropped.clone());
    let running = Running::after_first_round(vec![Check::new("stock", move || {
        let guard = guard.clone();
        async move {
            let _guard = guard;
            pending::<Result<String, io::Error>>().await
        }
    })])
    .await;
    assert_eq!(dropped.load(SeqCst), 1);
    drop(running);
}

/// A future that comes back ready, but long after its deadline, as one does that blocked its thread.
#[tokio::test(start_paused = true)]
async fn an_answer_after_the_deadline_is_no_pass() {
    check(
        Check::new("stock", || async {
            tokio::time::advance(seconds(5)).await;
            Ok::<_, io::Error>("answered".to_owned())
        }),
        Err("no answer within 800ms"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_without_its_text() {
    check(
        Check::new("stock", || async {
            if true {
                panic!("password hunter2 is wrong");
            }
            Ok::<_, io::Error>(String::new())
        }),
        Err("the check panicked"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_future_is_a_failure_too() {
    let asked = AtomicUsize::new(0);
    let running = Running::after_first_round(vec![Check::new("stock", move || {
        assert!(asked.fetch_add(1, SeqCst) > 0, "the first time it panics");
        async { Ok::<_, io::Error>("answered".to_owned()) }
    })])
    .await;
    assert_eq!(running.output(), "the check panicked");
    pass_time(seconds(9)).await;
    assert_eq!(running.output(), "answered");
}

#[tokio::test(start_paused = true)]
async fn long_output_is_cut_at_200_characters() {
    let running = Running::after_first_round(vec![Check::new("stock", || async {
        Ok::<_, io::Error>("ü".repeat(5000))
    })])
    .await;
    assert_eq!(running.output().chars().count(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_runtime_answers() {
    check(Check::runtime(), Ok("the scheduler answers")).await;
}

#[tokio::test(start_paused = true)]
async fn the_response_time_is_that_of_the_run() {
    let switch = Switch::on();
    let check = switch.check("stock", Duration::from_millis(250));
    let running = Running::after_first_round(vec![check]).await;
    let report = running.monitor.report();
    assert_eq!(
        report.results[0].response_time,
        Some(Duration::from_millis(250))
    );
}

async fn check(check: Check, expected: Result<&str, &str>) {
    let running = Running::after_first_round(vec![check]).await;
    let report = running.monitor.report();
    let result = &report.results[0];
    let found = if result.passed {
        Ok(&*result.output)
    } else {
        Err(&*result.output)
    };
    assert_eq!(found, expected);
    assert_eq!(report.status == Status::Pass, result.passed);
}

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot reach stock")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Counts only the drops of clones that a probe made.
struct CountsDrops(Arc<AtomicUsize>);

impl Clone for CountsDrops {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Drop for CountsDrops {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}
