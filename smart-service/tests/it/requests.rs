//! What is known about every request: its id, its trace, its access line, its metrics.

use serde_json::Value;
use smart_testing::eventually;

use crate::fixture;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn request_id_and_trace_come_in_and_go_out() {
    let service = fixture::start().await;
    let answer = service
        .get("/context")
        .header("x-request-id", "job-7")
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
        .header("tracestate", "vendor=1")
        .send()
        .await
        .unwrap();
    let headers = answer.headers();
    assert_eq!(headers["x-request-id"], "job-7");
    assert_eq!(headers["tracestate"], "vendor=1");
    let (outgoing, answered) = (
        headers["traceparent"].to_str().unwrap(),
        headers["traceresponse"].to_str().unwrap(),
    );
    assert_eq!(outgoing, answered);
    assert!(
        outgoing.starts_with(&format!("00-{TRACE}-")) && outgoing.ends_with("-01"),
        "{outgoing}"
    );
    assert!(
        !outgoing.contains("b7ad6b7169203331"),
        "the span is ours: {outgoing}"
    );
}

#[tokio::test]
async fn hostile_request_id_is_replaced() {
    let service = fixture::start().await;
    let answer = service
        .get("/hello")
        .header("x-request-id", "a b\"<script>")
        .send()
        .await
        .unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap();
    assert_eq!(id.len(), 36, "{id}");
}

#[tokio::test]
async fn one_access_line_a_request_and_handler_lines_carry_its_id() {
    let service = fixture::start().await;
    service
        .get("/log?token=not-for-logs")
        .header("x-request-id", "job-8")
        .send()
        .await
        .unwrap();
    let lines = service.logs().with("job-8");
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let [inside, access] =
        [&lines[0], &lines[1]].map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(inside["message"], "inside the handler");
    assert_eq!(inside["span"]["request_id"], "job-8");
    assert_eq!(access["target"], "access");
    assert_eq!(
        (&access["http.method"], &access["http.status"]),
        (&"GET".into(), &200.into())
    );
    assert_eq!(
        (&access["http.route"], &access["http.path"]),
        (&"/log".into(), &"/log".into())
    );
    assert!(access["elapsed_ms"].as_f64().unwrap() > 0.0);
    assert!(service.logs().with("not-for-logs").is_empty());
}

#[tokio::test]
async fn lines_and_panics_of_a_streamed_answer_carry_the_request_id() {
    let service = fixture::start().await;
    let request = service.get("/broken").header("x-request-id", "job-9");
    // The panic may come before the headers are on their way.
    let _ = request.send().await;
    for text in ["inside the stream", "the stream ran dry"] {
        let lines = service.logs().with(text);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains("\"request_id\":\"job-9\""), "{lines:#?}");
    }
    assert_eq!(service.get("/hello").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn answers_carry_security_headers() {
    let service = fixture::start().await;
    for path in ["/hello", "/nowhere", "/fail", "/livez"] {
        let answer = service.get(path).send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert!(
            headers.contains_key("content-security-policy")
                && headers.contains_key("referrer-policy"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_never_by_path() {
    let service = fixture::start().await;
    for path in ["/orders/1", "/orders/2", "/invented/7", "/invented/8"] {
        service.get(path).send().await.unwrap();
    }
    service
        .request(reqwest::Method::from_bytes(b"BREW").unwrap(), "/hello")
        .send()
        .await
        .unwrap();
    let metrics = service
        .client()
        .get(service.admin_url("/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for line in [
        r#"http_requests_total{method="GET",route="/orders/{id}",status="200"} 2"#,
        r#"http_requests_total{method="GET",route="unmatched",status="404"} 2"#,
        r#"http_requests_total{method="other",route="/hello",status="405"} 1"#,
        r#"http_request_duration_seconds_count{method="GET",route="/orders/{id}"} 2"#,
        r#"http_requests_in_flight 0"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("invented"), "{metrics}");
}

#[tokio::test]
async fn caller_that_goes_away_is_logged_as_499() {
    let service = fixture::start().await;
    let abandoned = service
        .get("/never")
        .timeout(std::time::Duration::from_millis(100))
        .send()
        .await;
    assert!(abandoned.unwrap_err().is_timeout());
    let line = eventually("the access line is written", async || {
        service.logs().with("GET /never 499").pop()
    })
    .await;
    assert!(line.contains("\"http.status\":499"), "{line}");
    let metrics = service
        .client()
        .get(service.admin_url("/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("http_requests_in_flight 0"), "{metrics}");
}
