//! What goes wrong in a process arrives once at Sentry, and has arrived when the process is gone.

use rustix::process::Signal;
use smart_testing::FakeSentry;

use crate::engines::{PASSWORD, POSTGRES, closed_port};
use crate::fixture::Fixture;

#[tokio::test]
async fn errors_and_panics_arrive_once_each_before_the_process_ends() {
    let sentry = FakeSentry::start().await.unwrap();
    let mut service = Fixture::new()
        .variable("SMART__SENTRY__DSN", sentry.dsn())
        .ready()
        .await;
    assert_eq!(service.get("/fail").await.status, 500);
    assert_eq!(service.get("/panic").await.status, 500);
    assert_eq!(service.get("/panic-in-task").await.status, 200);
    assert_eq!(service.get("/nowhere").await.status, 404);
    service.signal(Signal::TERM);
    assert_eq!(service.ended().await.code, Some(0));

    let events = sentry.events();
    assert_eq!(events.len(), 3, "{events:#?}");
    let report = |cause: &str| {
        let mut found = events
            .iter()
            .filter(|event| event.to_string().contains(cause));
        found.next().unwrap()
    };
    for event in [
        report("the ledger is closed"),
        report("the counter overflowed"),
    ] {
        assert_eq!(event["tags"]["request_id"].as_str().unwrap().len(), 36);
    }
    report("task panicked: the courier fell");
    for event in &events {
        assert_eq!(event["environment"], "local");
        let release = concat!("e2e@", env!("CARGO_PKG_VERSION"), "+unknown");
        assert_eq!(event["release"], release);
    }
}

#[tokio::test]
async fn start_failure_arrives_once_before_the_process_ends() {
    let sentry = FakeSentry::start().await.unwrap();
    let service = Fixture::new()
        .file("config/default.toml", POSTGRES)
        .set("postgres.port", closed_port())
        .set("postgres.password", PASSWORD)
        .set("service.start_budget", "200ms")
        .variable("SMART__SENTRY__DSN", sentry.dsn());
    assert_eq!(service.run(&[]).await.code, Some(1));

    let events = sentry.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    let text = events[0].to_string();
    assert!(
        text.contains("e2e cannot run: cannot connect to PostgreSQL"),
        "{text}"
    );
    assert!(text.contains("connection refused"), "{text}");
}

#[tokio::test]
async fn panic_of_the_service_function_is_a_start_failure() {
    let sentry = FakeSentry::start().await.unwrap();
    let service = Fixture::new()
        .set("app.start", "panic")
        .variable("SMART__SENTRY__DSN", sentry.dsn());
    let ended = service.run(&[]).await;
    assert_eq!(ended.code, Some(1));
    let told = "e2e cannot run: the service function panicked at e2e/src/main.rs:";
    assert!(ended.stderr.starts_with(told), "{}", ended.stderr);
    assert_eq!(sentry.events().len(), 1, "{:#?}", sentry.events());
}

#[tokio::test]
async fn endpoint_that_is_gone_delays_the_end_only_a_little() {
    let mut service = Fixture::new()
        .set(
            "sentry.dsn",
            format!("http://public@127.0.0.1:{}/1", closed_port()),
        )
        .ready()
        .await;
    assert_eq!(service.get("/fail").await.status, 500);
    service.signal(Signal::TERM);
    assert_eq!(service.ended().await.code, Some(0));
}
