//! Readiness, changes, and the life of the tasks behind them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use healthcheck::{Check, Monitor, MonitorConfig, Readiness, Status};

use crate::{
    running::{Running, pass_time, seconds},
    switch::Switch,
};

#[tokio::test(start_paused = true)]
async fn not_ready_until_each_critical_check_has_passed() {
    let postgres = Switch::on();
    let redis = Switch::off();
    let running = Running::start(vec![
        postgres.check("postgres", Duration::from_millis(100)),
        redis.check("redis", Duration::ZERO),
    ]);
    assert_eq!(running.monitor.readiness(), unready(&["postgres", "redis"]));
    running.monitor.first_round().await;
    assert_eq!(running.monitor.readiness(), unready(&["redis"]));
    redis.turn_on();
    pass_time(seconds(9)).await;
    assert_eq!(running.monitor.readiness(), ready());
}

#[tokio::test(start_paused = true)]
async fn the_status_turns_at_the_first_failure_and_readiness_at_the_second() {
    let switch = Switch::on();
    let running = Running::after_first_round(vec![switch.check("stock", Duration::ZERO)]).await;

    switch.turn_off();
    pass_time(seconds(27)).await;
    assert_eq!(running.monitor.report().status, Status::Fail);
    assert_eq!(running.monitor.readiness(), ready());

    pass_time(seconds(9)).await;
    assert_eq!(running.monitor.readiness(), unready(&["stock"]));

    switch.turn_on();
    pass_time(seconds(9)).await;
    assert_eq!(running.monitor.report().status, Status::Pass);
    assert_eq!(running.monitor.readiness(), ready());
}

#[tokio::test(start_paused = true)]
async fn an_advisory_check_changes_only_its_own_line() {
    let switch = Switch::off();
    let running = Running::after_first_round(vec![
        Check::runtime(),
        switch.check("registry", Duration::ZERO).advisory(),
    ])
    .await;
    pass_time(seconds(60)).await;
    let report = running.monitor.report();
    assert_eq!(report.status, Status::Warn);
    assert!(!report.results[1].passed);
    assert_eq!(running.monitor.readiness(), ready());
    assert_eq!(
        running.changes(),
        ["advisory check `registry` fails: connection refused"]
    );
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_once_each() {
    let switch = Switch::on();
    let running = Running::after_first_round(vec![switch.check("stock", Duration::ZERO)]).await;
    pass_time(seconds(100)).await;
    assert!(running.changes().is_empty());
    switch.turn_off();
    pass_time(seconds(100)).await;
    switch.turn_on();
    pass_time(seconds(100)).await;
    assert_eq!(
        running.changes(),
        [
            "critical check `stock` fails: connection refused",
            "critical check `stock` passes again: answered",
        ]
    );
}

/// Time jumps over everything that was due in between, as for a process that got no processor.
#[tokio::test(start_paused = true)]
async fn standing_still_is_told_as_stale_and_then_as_passed() {
    let switch = Switch::on();
    let running = Running::after_first_round(vec![switch.check("stock", Duration::ZERO)]).await;
    tokio::time::advance(seconds(100)).await;
    pass_time(seconds(1)).await;
    assert_eq!(
        running.changes(),
        [
            "critical check `stock` fails: stale: no new result for 1m 40s",
            "critical check `stock` passes again: answered",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_before_the_first_round_ends() {
    let switch = Switch::off();
    let running = Running::after_first_round(vec![switch.check("stock", Duration::ZERO)]).await;
    assert_eq!(running.changes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_callers_code_ends_no_check() {
    let switch = Switch::off();
    let check = switch.check("stock", Duration::ZERO);
    let config = MonitorConfig::default();
    let monitor = Monitor::start(config, vec![check], |_| panic!("the log is broken")).unwrap();
    pass_time(seconds(90)).await;
    assert!(switch.asked() > 10);
    assert!(!monitor.readiness().ready);
}

#[tokio::test(start_paused = true)]
async fn the_first_round_waits_for_the_slowest_check() {
    let quick = Switch::on();
    let slow = Switch::on();
    let start = tokio::time::Instant::now();
    let running = Running::after_first_round(vec![
        quick.check("quick", Duration::ZERO),
        slow.check("slow", Duration::from_millis(700)),
    ])
    .await;
    assert_eq!(start.elapsed(), Duration::from_millis(700));
    running.monitor.first_round().await;
    assert_eq!(start.elapsed(), Duration::from_millis(700));
}

#[tokio::test(start_paused = true)]
async fn stop_ends_the_checks_and_keeps_the_last_results() {
    let switch = Switch::on();
    let running = Running::after_first_round(vec![switch.check("stock", Duration::ZERO)]).await;
    running.monitor.stop().await;
    pass_time(seconds(80)).await;
    assert_eq!(switch.asked(), 1);
    assert_eq!(running.monitor.readiness(), ready());
    pass_time(seconds(2)).await;
    assert_eq!(running.monitor.readiness(), unready(&["stock"]));
    assert_eq!(running.output(), "stale: no new result for 1m 22s");
    running.monitor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn stop_ends_a_first_round_that_somebody_waits_for() {
    let switch = Switch::on();
    let check = switch.check("slow", seconds(60)).deadline(seconds(60));
    let running = Running::start(vec![check]);
    let monitor = running.monitor.clone();
    let waiting = tokio::spawn(async move { monitor.first_round().await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    running.monitor.stop().await;
    waiting.await.unwrap();
    assert_eq!(running.output(), "not run yet");
}

#[tokio::test(start_paused = true)]
async fn the_checks_end_with_the_last_handle() {
    let switch = Switch::off();
    let first = Running::start(vec![switch.check("stock", Duration::ZERO)]);
    let second = first.monitor.clone();
    drop(first);
    pass_time(seconds(20)).await;
    let asked = switch.asked();
    assert!(asked > 1);
    drop(second);
    pass_time(seconds(20)).await;
    assert_eq!(switch.asked(), asked);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_stopped_monitor_is_left() {
    let alive = Arc::new(AtomicUsize::new(0));
    let held = alive.clone();
    let check = Check::new("stock", move || {
        let held = held.clone();
        async move {
            held.fetch_add(1, SeqCst);
            std::future::pending::<Result<String, &str>>().await
        }
    });
    let running = Running::after_first_round(vec![check]).await;
    assert_eq!(Arc::strong_count(&alive), 2);
    running.monitor.stop().await;
    assert_eq!(Arc::strong_count(&alive), 1);
}

fn ready() -> Readiness {
    unready(&[])
}

fn unready(failing: &[&str]) -> Readiness {
    Readiness {
        ready: failing.is_empty(),
        failing: failing.iter().map(|name| (*name).to_owned()).collect(),
    }
}
