//! What a monitor refuses to start with.

use std::{convert::Infallible, error::Error, time::Duration};

use healthcheck::{Check, Monitor, MonitorConfig};

#[tokio::test]
async fn duplicate_name_is_refused_once() {
    check(
        MonitorConfig::default(),
        vec![
            named("stock"),
            named("redis"),
            named("stock"),
            named("stock"),
        ],
        "cannot start the health checks: more than one check is named `stock`, give each a name of its own",
    );
}

#[tokio::test]
async fn empty_name_is_refused() {
    check(
        MonitorConfig::default(),
        vec![named("")],
        "cannot start the health checks: a check has an empty name, name it after what it asks, such as `postgres`",
    );
}

#[tokio::test]
async fn colon_in_a_name_is_refused() {
    check(
        MonitorConfig::default(),
        vec![named("orders:db")],
        "cannot start the health checks: check name `orders:db` is not usable, expected at most 64 ASCII letters, \
         digits, `-`, `_` and `.`",
    );
}

#[tokio::test]
async fn no_check_is_refused() {
    check(
        MonitorConfig::default(),
        vec![],
        "cannot start the health checks: there is no check, add at least `Check::runtime()`",
    );
}

#[tokio::test]
async fn all_faults_are_reported_together() {
    let config = MonitorConfig {
        success_ttl: Duration::ZERO,
        failure_ttl: Duration::MAX,
        deadline: Duration::from_micros(1),
        unready_after_failures: 0,
        ready_after_successes: 0,
    };
    let checks = vec![
        named("new\nline"),
        named(&"x".repeat(65)),
        named("slow").deadline(Duration::ZERO),
    ];
    let error = Monitor::start(config, checks, |_| {}).unwrap_err();
    insta::assert_snapshot!(error, @r#"
    cannot start the health checks: 8 faults
      `success_ttl` is 0s, expected 1ms to 24h
      `failure_ttl` is 584542046090years 7months 15days 17h 5m 3s 999ms 999us 999ns, expected 1ms to 24h
      `deadline` is 1us, expected 1ms to 24h
      `unready_after_failures` is 0, expected at least 1
      `ready_after_successes` is 0, expected at least 1
      check name `new\nline` is not usable, expected at most 64 ASCII letters, digits, `-`, `_` and `.`
      check name `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is not usable, expected at most 64 ASCII letters, digits, `-`, `_` and `.`
      the deadline of check `slow` is 0s, expected 1ms to 24h
    "#);
    assert!(error.source().is_none());
}

#[test]
fn outside_a_runtime_it_is_an_error_and_no_panic() {
    check(
        MonitorConfig::default(),
        vec![named("stock")],
        "cannot start the health checks: found no tokio runtime, start the monitor inside one",
    );
}

#[tokio::test]
async fn every_allowed_sign_makes_a_name() {
    let checks = vec![named("Stock-2_eu.west"), named(&"x".repeat(64))];
    assert!(Monitor::start(MonitorConfig::default(), checks, |_| {}).is_ok());
}

fn check(config: MonitorConfig, checks: Vec<Check>, expected: &str) {
    let error = Monitor::start(config, checks, |_| {}).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn named(name: &str) -> Check {
    Check::new(name, || async { Ok::<_, Infallible>(String::new()) })
}
