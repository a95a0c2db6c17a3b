//! Error reports.

use serde_json::Value;
use smart_service::{App, Service, StartError};
use smart_testing::{FakeSentry, eventually};

use crate::fixture::{self, Settings, files, on, service};

/// The reports, once there are this many and nothing more is to come.
async fn after_stop(sentry: &FakeSentry, service: smart_testing::TestService) -> Vec<Value> {
    // Stopping flushes what is queued.
    service.stop().await;
    sentry.events()
}

fn text(event: &Value) -> String {
    event.to_string()
}

#[tokio::test]
async fn handler_error_and_panic_arrive_once_each() {
    let sentry = FakeSentry::start().await.unwrap();
    let folder = files(&[]);
    let orders = on(folder.path())
        .set("sentry.dsn", sentry.dsn())
        .start(service)
        .await;
    orders
        .get("/fail")
        .header("x-request-id", "job-9")
        .send()
        .await
        .unwrap();
    orders
        .get("/panic")
        .header("x-request-id", "job-10")
        .send()
        .await
        .unwrap();
    orders.get("/nowhere").send().await.unwrap();

    let events = after_stop(&sentry, orders).await;
    assert_eq!(events.len(), 2, "{events:#?}");
    for (event, id, cause) in [
        (&events[0], "job-9", "the ledger is closed"),
        (&events[1], "job-10", "the counter overflowed"),
    ] {
        assert_eq!(event["tags"]["request_id"], id);
        assert_eq!(event["environment"], "local");
        assert!(
            event["release"]
                .as_str()
                .unwrap()
                .starts_with("smart-service@0.1.0+"),
            "{event:#}"
        );
        assert!(text(event).contains(cause), "{event:#}");
    }
}

#[tokio::test]
async fn start_failure_arrives_once() {
    let sentry = FakeSentry::start().await.unwrap();
    let folder = files(&[]);
    let started = on(folder.path())
        .set("sentry.dsn", sentry.dsn())
        .try_start(async |_: Service<Settings>| -> Result<App, StartError> {
            Err(StartError::new("no stock list"))
        })
        .await;
    assert!(started.is_err());
    eventually("the report arrives", async || {
        (!sentry.events().is_empty()).then_some(())
    })
    .await;
    let events = sentry.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    assert!(text(&events[0]).contains("no stock list"), "{events:#?}");
}

#[tokio::test]
async fn panic_of_the_service_function_is_a_start_failure_that_arrives_once() {
    let sentry = FakeSentry::start().await.unwrap();
    let folder = files(&[]);
    let started = on(folder.path())
        .set("sentry.dsn", sentry.dsn())
        .try_start(async |_: Service<Settings>| -> Result<App, StartError> {
            panic!("no stock list")
        })
        .await;
    let error = started.expect_err("refused").to_string();
    assert!(
        error.starts_with("the service function panicked at smart-service/tests/it/reports.rs:")
            && error.ends_with("no stock list"),
        "{error}"
    );
    eventually("the report arrives", async || {
        (!sentry.events().is_empty()).then_some(())
    })
    .await;
    assert_eq!(sentry.events().len(), 1, "{:#?}", sentry.events());
}

#[tokio::test]
async fn nothing_configured_sends_nothing() {
    let sentry = FakeSentry::start().await.unwrap();
    let orders = fixture::start().await;
    orders.get("/fail").send().await.unwrap();
    assert!(after_stop(&sentry, orders).await.is_empty());
    assert!(sentry.envelopes().is_empty());
}

#[tokio::test]
async fn malformed_dsn_is_a_configuration_fault_that_does_not_show_it() {
    let folder = files(&[]);
    let started = on(folder.path())
        .set("sentry.dsn", "https://half-a-dsn")
        .try_start(service)
        .await;
    let error = started.expect_err("refused").to_string();
    assert!(
        error.contains("`sentry.dsn` is not a DSN") && !error.contains("half-a-dsn"),
        "{error}"
    );
}

#[tokio::test]
async fn endpoint_that_never_answers_does_not_hold_the_stop() {
    // Connections wait in the kernel's queue: nobody accepts them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = files(&[]);
    let orders = on(folder.path())
        .set(
            "sentry.dsn",
            format!("http://public@{}/1", silent.local_addr().unwrap()),
        )
        .start(service)
        .await;
    orders.get("/fail").send().await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(10), orders.stop())
        .await
        .expect("a stop waits two seconds for its reports");
}
