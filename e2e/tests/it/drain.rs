//! A stop under load loses no request that was accepted.

use std::time::Duration;

use rustix::process::Signal;
use smart_testing::eventually;

use crate::engines::{PASSWORD, POSTGRES, closed_port};
use crate::fixture::{Fixture, Running};
use crate::load::{Connections, Load};
use crate::process::Ended;

/// The one line that sums up a stop.
fn summary(ended: &Ended) -> &str {
    let lines: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|line| line.contains("e2e stopped: "))
        .collect();
    assert_eq!(lines.len(), 1, "{}", ended.stdout);
    lines[0]
}

/// Logs only what matters here: access lines of thousands of requests would only cost time.
fn quiet() -> Fixture {
    Fixture::new().set("log.level", "info,access=off")
}

async fn loses_nothing(fixture: Fixture, connections: Connections) {
    let mut service = fixture.ready().await;
    let (address, _) = service.addresses().await;
    let load = Load::start(address, connections);
    eventually("the load runs", async || {
        (load.answered() > 300).then_some(())
    })
    .await;
    service.signal(Signal::TERM);
    let ended = service.ended().await;
    let answered = load.answered();
    assert_eq!(
        load.failures().await,
        Vec::<String>::new(),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    assert!(summary(&ended).contains(", 0 aborted"), "{}", ended.stdout);
    assert!(answered > 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_on_kept_connections_loses_nothing() {
    loses_nothing(quiet(), Connections::Kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_on_new_connections_loses_nothing() {
    loses_nothing(quiet(), Connections::New).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_with_a_wait_loses_nothing() {
    loses_nothing(quiet().set("service.unready_wait", "1s"), Connections::Kept).await;
    loses_nothing(quiet().set("service.unready_wait", "1s"), Connections::New).await;
}

/// Starts a request that takes this long, and returns once it is in flight.
async fn in_flight(service: &mut Running, ms: u64) -> tokio::task::JoinHandle<Option<u16>> {
    let (address, _) = service.addresses().await;
    let request = tokio::spawn(async move {
        let answer = reqwest::get(format!("http://{address}/slow?ms={ms}")).await;
        answer.ok().map(|answer| answer.status().as_u16())
    });
    eventually("the request is in flight", async || {
        let metrics = service.admin("/metrics").await.body;
        metrics.contains("http_requests_in_flight 1").then_some(())
    })
    .await;
    request
}

#[tokio::test]
async fn request_in_flight_finishes() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut service = quiet().ready().await;
        let request = in_flight(&mut service, 1_500).await;
        service.signal(signal);
        let ended = service.ended().await;
        assert_eq!(request.await.unwrap(), Some(200));
        assert_eq!(ended.code, Some(0));
        assert!(
            summary(&ended).contains(" 1 requests drained, 0 aborted"),
            "{}",
            ended.stdout
        );
    }
}

#[tokio::test]
async fn request_above_the_drain_is_aborted_and_counted() {
    let mut service = quiet().set("service.drain", "300ms").ready().await;
    let request = in_flight(&mut service, 60_000).await;
    service.signal(Signal::TERM);
    let ended = service.ended().await;
    assert_eq!(request.await.unwrap(), None);
    assert_eq!(ended.code, Some(1));
    assert!(
        summary(&ended).contains(" 0 requests drained, 1 aborted"),
        "{}",
        ended.stdout
    );
}

#[tokio::test]
async fn second_signal_ends_the_drain_at_once() {
    let mut service = quiet().set("service.drain", "10m").ready().await;
    let request = in_flight(&mut service, 60_000).await;
    service.signal(Signal::TERM);
    eventually("the first signal has arrived", async || {
        service
            .stdout()
            .contains("e2e received SIGTERM")
            .then_some(())
    })
    .await;
    service.signal(Signal::INT);
    let ended = service.ended().await;
    insta::assert_snapshot!(ended.shown(&[]), @r"
    exit code 1
    e2e cannot run: received SIGINT while draining: ended at once
    ");
    assert_eq!(request.await.unwrap(), None);
}

#[tokio::test]
async fn signal_while_starting_ends_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let port = closed_port();
        let mut service = Fixture::new()
            .file("config/default.toml", POSTGRES)
            .set("postgres.port", port)
            .set("postgres.password", PASSWORD)
            .set("service.start_budget", "10m")
            .start();
        eventually("the service waits", async || {
            service
                .stdout()
                .contains("waiting for PostgreSQL")
                .then_some(())
        })
        .await;
        assert_eq!(service.get("/startupz").await.status, 503);
        service.signal(signal);
        let ended = service.ended().await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }
}

#[tokio::test]
async fn readiness_is_red_while_requests_are_still_taken() {
    let mut service = quiet().set("service.unready_wait", "2s").ready().await;
    service.signal(Signal::TERM);
    eventually("readiness is red", async || {
        (service.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    assert_eq!(service.get("/hello").await.status, 200);
    assert_eq!(service.get("/livez").await.status, 200);
    let began = std::time::Instant::now();
    assert_eq!(service.ended().await.code, Some(0));
    assert!(began.elapsed() < Duration::from_secs(10));
}
