//! How often probes run, counted under paused time.

use std::{sync::Arc, time::Duration};

use healthcheck::MonitorConfig;

use crate::{
    running::{Running, pass_time, seconds, start_time},
    switch::Switch,
};

#[tokio::test(start_paused = true)]
async fn a_pass_is_renewed_just_below_every_27_seconds() {
    let switch = Switch::on();
    let _running = Running::start(vec![switch.check("stock", Duration::ZERO)]);
    // One at once, then ten: the eleventh would come after 273 s at the earliest.
    pass_time(seconds(270)).await;
    assert_eq!(switch.asked(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_renewed_just_below_every_9_seconds() {
    let switch = Switch::off();
    let _running = Running::start(vec![switch.check("stock", Duration::ZERO)]);
    pass_time(seconds(90)).await;
    assert_eq!(switch.asked(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_is_seen_within_9_seconds_and_slows_the_pace() {
    let switch = Switch::off();
    let running = Running::after_first_round(vec![switch.check("stock", Duration::ZERO)]).await;
    switch.turn_on();
    pass_time(seconds(9)).await;
    assert_eq!(running.output(), "answered");
    assert_eq!(switch.asked(), 2);
    pass_time(seconds(22)).await;
    assert_eq!(switch.asked(), 2);
}

/// Also in the worst case that the rule covers: each answer takes the whole deadline.
#[tokio::test(start_paused = true)]
async fn no_reader_sees_a_pass_expire() {
    for delay in [0, 400, 799] {
        let switch = Switch::on();
        let check = switch.check("stock", Duration::from_millis(delay));
        let running = Running::after_first_round(vec![check]).await;
        for _ in 0..5000 {
            pass_time(Duration::from_millis(100)).await;
            let report = running.monitor.report();
            assert!(report.results[0].passed);
            assert!(report.results[0].expires > report.timestamp, "{delay} ms");
        }
        assert!(switch.asked() > 18);
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_to_live_of_one_second_is_kept_too() {
    let second = MonitorConfig {
        success_ttl: seconds(1),
        failure_ttl: seconds(1),
        ..MonitorConfig::default()
    };
    let switch = Switch::on();
    let check = switch.check("stock", Duration::from_millis(799));
    let running = Running::start_with(second, vec![check]);
    running.monitor.first_round().await;
    for _ in 0..1000 {
        pass_time(Duration::from_millis(10)).await;
        let report = running.monitor.report();
        assert!(report.results[0].expires > report.timestamp);
    }
}

#[tokio::test(start_paused = true)]
async fn checks_drift_apart() {
    let switches: Vec<Switch> = (0..20).map(|_| Switch::on()).collect();
    let checks = switches
        .iter()
        .enumerate()
        .map(|(index, switch)| switch.check(&format!("shelf-{index}"), Duration::ZERO))
        .collect();
    let running = Running::after_first_round(checks).await;
    pass_time(seconds(60)).await;
    let mut times: Vec<_> = running
        .monitor
        .report()
        .results
        .iter()
        .map(|result| result.timestamp)
        .collect();
    times.sort();
    times.dedup();
    assert!(times.len() > 10, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn reading_runs_nothing() {
    let switch = Switch::on();
    let check = switch.check("stock", Duration::from_millis(10));
    let running = Arc::new(Running::after_first_round(vec![check]).await);
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let running = running.clone();
        readers.spawn(async move { (running.monitor.report(), running.monitor.readiness()) });
    }
    let first = running.monitor.report();
    for (report, readiness) in readers.join_all().await {
        assert_eq!(report, first);
        assert!(readiness.ready);
    }
    assert_eq!(switch.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_reports_within_the_time_to_live_show_the_same_run() {
    let switch = Switch::on();
    let running = Running::after_first_round(vec![switch.check("stock", Duration::ZERO)]).await;
    let first = running.monitor.report();
    pass_time(seconds(20)).await;
    let second = running.monitor.report();
    assert_eq!(first.results, second.results);
    assert_eq!(second.timestamp, start_time() + seconds(20));
}

#[tokio::test(start_paused = true)]
async fn a_slow_check_delays_no_other() {
    let slow = Switch::on();
    let quick = Switch::off();
    let _running = Running::start(vec![
        slow.check("slow", seconds(3600)).deadline(seconds(3600)),
        quick.check("quick", Duration::ZERO),
    ]);
    pass_time(seconds(90)).await;
    assert_eq!((slow.asked(), quick.asked()), (1, 12));
}
