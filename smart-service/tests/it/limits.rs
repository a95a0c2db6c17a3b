//! What a service bears from its callers.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use smart_testing::TestService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fixture::{files, on, service};

async fn with(settings: &[(&str, &str)]) -> TestService {
    let folder = files(&[]);
    settings
        .iter()
        .fold(on(folder.path()), |builder, (key, value)| {
            builder.set(*key, *value)
        })
        .start(service)
        .await
}

/// What the service sends until it closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is a close too.
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
        .await
        .expect("the service closes");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn body_above_the_limit_is_413_and_names_the_limit() {
    let service = with(&[("http.body_limit", "1KiB")]).await;
    let large = format!(r#"{{"quantity": 1, "note": "{}"}}"#, "x".repeat(2000));
    let chunks = chunked(large.clone());
    let known_length = service
        .post("/orders")
        .header("content-type", "application/json")
        .body(large);
    let unknown_length = service
        .post("/orders")
        .header("content-type", "application/json")
        .body(chunks);
    for request in [known_length, unknown_length] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 413);
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(
            body["detail"],
            "the request body is larger than 1024 bytes (`http.body_limit`)"
        );
    }
}

#[tokio::test]
async fn body_above_the_limit_is_413_for_a_handler_that_reads_it_itself() {
    let service = with(&[("http.body_limit", "1KiB")]).await;
    let request = service.post("/raw").body(chunked("x".repeat(2000)));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn handlers_own_413_keeps_its_words() {
    let service = with(&[]).await;
    let answer = service.get("/own-413").send().await.unwrap();
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["detail"], "at most 10 items");
}

#[tokio::test]
async fn slow_body_on_the_admin_listener_ends() {
    let service = with(&[("http.request_timeout", "100ms")]).await;
    let address = service.admin_url("").replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"PUT /log HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        .await
        .unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 503"));
}

/// A body whose length is not announced.
fn chunked(text: String) -> reqwest::Body {
    reqwest::Body::wrap(
        Full::<axum::body::Bytes>::from(text)
            .map_frame(|frame: hyper::body::Frame<axum::body::Bytes>| frame),
    )
}

#[tokio::test]
async fn handler_above_its_time_is_503() {
    let service = with(&[("http.request_timeout", "50ms")]).await;
    let answer = service.get("/never").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(
        service
            .logs()
            .with("the handler took longer than 50ms (`http.request_timeout`)")
            .len(),
        1
    );
}

#[tokio::test]
async fn slow_sender_of_headers_is_cut_off() {
    let service = with(&[("http.header_timeout", "100ms")]).await;
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n")
        .await
        .unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn idle_connection_outlives_the_header_timeout() {
    let service = with(&[
        ("http.header_timeout", "100ms"),
        ("http.idle_timeout", "30s"),
    ])
    .await;
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    // One that is answered at once, one that takes longer than the time-out, and one after as long a pause.
    for path in ["/hello", "/slow", "/hello", "/hello"] {
        let mut answer = vec![0; 2048];
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let read = timeout(Duration::from_secs(10), stream.read(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(
            answer[..read].starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer[..read])
        );
        // A close would end this read.
        let closed = timeout(Duration::from_millis(200), stream.read(&mut answer)).await;
        assert!(closed.is_err(), "closed after {path}");
    }
}

#[tokio::test]
async fn upgraded_connection_has_no_headers_to_wait_for() {
    let service = with(&[("http.header_timeout", "100ms")]).await;
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    stream
        .write_all(
            b"GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
        )
        .await
        .unwrap();
    let mut head = vec![0; 2048];
    let read = stream.read(&mut head).await.unwrap();
    assert!(head[..read].starts_with(b"HTTP/1.1 101"));
    for _ in 0..2 {
        let mut byte = [0];
        stream.write_all(b"x").await.unwrap();
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
        // A close would end this read.
        let closed = timeout(Duration::from_millis(200), stream.read(&mut byte)).await;
        assert!(closed.is_err(), "closed");
    }
}

#[tokio::test]
async fn connection_without_a_request_is_closed_after_the_idle_timeout() {
    let service = with(&[("http.idle_timeout", "100ms")]).await;
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn connection_that_does_not_take_its_answer_is_closed_after_the_idle_timeout() {
    let service = with(&[
        ("http.max_connections", "1"),
        ("http.idle_timeout", "100ms"),
    ])
    .await;
    let mut deaf = TcpStream::connect(service.address()).await.unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let next = timeout(Duration::from_secs(10), service.get("/hello").send());
    assert_eq!(next.await.expect("a free place").unwrap().status(), 200);
    drop(deaf);
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_a_place() {
    let service = with(&[("http.max_connections", "1"), ("http.idle_timeout", "30s")]).await;
    let first = TcpStream::connect(service.address()).await.unwrap();
    let mut second = TcpStream::connect(service.address()).await.unwrap();
    second
        .write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut byte = [0];
    assert!(
        timeout(Duration::from_millis(200), second.read(&mut byte))
            .await
            .is_err(),
        "served above the limit"
    );
    drop(first);
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn number_of_connections_that_serves_nobody_is_refused() {
    for number in ["0", "9223372036854775807"] {
        let folder = files(&[]);
        let started = on(folder.path())
            .set("http.max_connections", number)
            .try_start(service)
            .await;
        let error = started.expect_err("refused").to_string();
        assert!(error.contains("`http.max_connections`"), "{error}");
    }
}

#[tokio::test]
async fn garbage_is_answered_with_400_and_closed() {
    let service = with(&[]).await;
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    stream
        .write_all(b"\x16\x03\x01 not http\r\n\r\n")
        .await
        .unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 400"));
    assert_eq!(service.get("/hello").send().await.unwrap().status(), 200);
}
