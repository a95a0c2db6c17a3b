//! A stop loses nothing.

use std::time::Duration;

use smart_testing::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{self, files, on, service};

#[tokio::test]
async fn request_in_flight_finishes() {
    let service = fixture::start().await;
    let logs = service.logs().clone();
    let request = tokio::spawn(service.get("/slow").send());
    in_flight(&service).await;
    let stopped = service.stop().await;
    let answer = request.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["connection"], "close");
    assert_eq!(
        (stopped.drained, stopped.aborted),
        (1, 0),
        "{:#?}",
        logs.lines()
    );
}

#[tokio::test]
async fn request_above_the_drain_is_aborted_and_counted() {
    let folder = files(&[]);
    let service = on(folder.path())
        .set("service.drain", "50ms")
        .start(service)
        .await;
    let request = tokio::spawn(service.get("/never").send());
    in_flight(&service).await;
    let stopped = service.stop().await;
    assert_eq!((stopped.drained, stopped.aborted), (0, 1));
    assert!(request.await.unwrap().is_err());
}

#[tokio::test]
async fn request_on_an_idle_connection_is_still_answered_while_closing() {
    let service = fixture::start().await;
    let mut idle = TcpStream::connect(service.address()).await.unwrap();
    idle.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = vec![0; 2048];
    let read = idle.read(&mut answer).await.unwrap();
    assert!(answer[..read].ends_with(b"hello"));

    let stop = tokio::spawn(service.stop());
    tokio::task::yield_now().await;
    idle.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut rest = String::new();
    idle.read_to_string(&mut rest).await.unwrap();
    assert!(
        rest.starts_with("HTTP/1.1 200") && rest.ends_with("hello"),
        "{rest}"
    );
    assert_eq!(stop.await.unwrap().aborted, 0);
}

#[tokio::test]
async fn idle_connection_is_no_aborted_request_however_short_the_drain() {
    let folder = files(&[]);
    let service = on(folder.path())
        .set("service.drain", "0s")
        .start(service)
        .await;
    // The client keeps its connection.
    service.get("/hello").send().await.unwrap();
    let client = service.client().clone();
    assert_eq!(service.stop().await.aborted, 0);
    drop(client);
}

#[tokio::test]
async fn slow_sender_of_headers_does_not_hold_the_stop() {
    let service = fixture::start().await;
    let mut slow = TcpStream::connect(service.address()).await.unwrap();
    slow.write_all(b"GET /hello HTTP/1.1\r\n").await.unwrap();
    service.get("/hello").send().await.unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(5), service.stop());
    assert_eq!(stopped.await.expect("a quick stop").aborted, 0);
}

#[tokio::test]
async fn readiness_is_red_before_the_listener_closes() {
    let folder = files(&[]);
    let service = on(folder.path())
        .set("service.unready_wait", "300ms")
        .start(service)
        .await;
    let (client, ready, hello) = (
        service.client().clone(),
        service.url("/readyz"),
        service.url("/hello"),
    );
    let stop = tokio::spawn(service.stop());
    let red = eventually("readiness is red", async || {
        let answer = client
            .get(&ready)
            .send()
            .await
            .expect("the listener is open");
        (answer.status() == 503).then_some(answer)
    })
    .await;
    assert_eq!(
        red.json::<serde_json::Value>().await.unwrap()["phase"],
        "draining"
    );
    assert_eq!(
        client.get(&hello).send().await.unwrap().status(),
        200,
        "still serving"
    );
    assert_eq!(stop.await.unwrap().aborted, 0);
    assert!(
        client
            .get(&ready)
            .timeout(Duration::from_secs(5))
            .send()
            .await
            .is_err(),
        "closed"
    );
}

async fn in_flight(service: &smart_testing::TestService) {
    eventually("the request is in flight", async || {
        let metrics = service
            .client()
            .get(service.admin_url("/metrics"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        metrics.contains("http_requests_in_flight 1").then_some(())
    })
    .await;
}
