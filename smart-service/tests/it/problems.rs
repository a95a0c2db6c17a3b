//! What a caller sees when a request fails.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::fixture;

async fn problem(answer: reqwest::Response) -> (StatusCode, Value) {
    assert_eq!(
        answer.headers()["content-type"],
        "application/problem+json",
        "{answer:?}"
    );
    let (status, id) = (
        answer.status(),
        answer.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned(),
    );
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    assert_eq!(body["request_id"], id);
    assert_eq!(body["type"], "about:blank");
    (status, body)
}

#[tokio::test]
async fn every_rejection_of_an_extractor_is_its_4xx() {
    let service = fixture::start().await;
    let json = |body: &'static str| {
        service
            .post("/orders")
            .header("content-type", "application/json")
            .body(body)
    };
    for (request, status, detail) in [
        (json("{"), 400, "Failed to parse the request body as JSON"),
        (
            json(r#"{"quantity": "many"}"#),
            422,
            "quantity: invalid type: string \"many\", expected u32",
        ),
        (json("{}"), 422, "missing field `quantity`"),
        (
            service.post("/orders").body("{}"),
            415,
            "Content-Type: application/json",
        ),
        (service.get("/orders/seven"), 400, "Cannot parse `seven`"),
        (
            service.get("/page?limit=all"),
            400,
            "limit: invalid digit found in string",
        ),
        (service.get("/page"), 400, "missing field `limit`"),
        (
            service.get("/nowhere"),
            404,
            "nothing is served at /nowhere",
        ),
        (
            service.request(Method::DELETE, "/hello"),
            405,
            "/hello does not take DELETE",
        ),
        (service.post("/livez"), 405, "/livez does not take POST"),
        (service.get("/teapot"), 418, "short and stout"),
    ] {
        let (found, body) = problem(request.send().await.unwrap()).await;
        assert_eq!(found, status, "{body}");
        assert!(
            body["detail"].as_str().unwrap().contains(detail),
            "{detail:?} is not in {body}"
        );
    }
}

#[tokio::test]
async fn method_not_allowed_names_the_allowed_ones() {
    let service = fixture::start().await;
    let answer = service
        .request(Method::DELETE, "/hello")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["allow"], "GET,HEAD");
}

#[tokio::test]
async fn violations_name_their_field() {
    let service = fixture::start().await;
    let (status, body) = problem(service.get("/invalid").send().await.unwrap()).await;
    assert_eq!(status, 422);
    assert_eq!(
        body["violations"],
        serde_json::json!([{"field": "quantity", "message": "must be at least 1"}])
    );
}

#[tokio::test]
async fn body_of_a_5xx_is_constant_and_its_cause_is_logged_once() {
    let service = fixture::start().await;
    for (path, status, cause) in [
        (
            "/fail",
            500,
            "the ledger is closed: an error occurred when formatting an argument",
        ),
        ("/plain-500", 502, "upstream 10.0.0.7 said no"),
        ("/panic", 500, "the counter overflowed"),
    ] {
        let (found, body) = problem(service.get(path).send().await.unwrap()).await;
        assert_eq!(found, status);
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["request_id", "status", "title", "type"], "{body}");

        let lines = service.logs().with(cause);
        assert_eq!(lines.len(), 1, "{path}: {lines:#?}");
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(
            (&line["level"], &line["span"]["request_id"]),
            (&"ERROR".into(), &body["request_id"])
        );
    }
}

#[tokio::test]
async fn endless_body_of_a_5xx_is_not_waited_for() {
    let service = fixture::start().await;
    let request = service.get("/endless-500").send();
    let answer = tokio::time::timeout(std::time::Duration::from_secs(10), request);
    let (status, _) = problem(answer.await.expect("an answer").unwrap()).await;
    assert_eq!(status, 502);
}

#[tokio::test]
async fn panic_names_its_place_and_is_counted() {
    let service = fixture::start().await;
    service.get("/panic").send().await.unwrap();
    service.get("/panic").send().await.unwrap();
    assert_eq!(
        service
            .logs()
            .with("handler panicked at smart-service/tests/it/fixture.rs:")
            .len(),
        2
    );
    let metrics = service
        .client()
        .get(service.admin_url("/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("\npanics_total 2\n"), "{metrics}");
}

#[tokio::test]
async fn answer_that_is_meant_for_people_is_left_alone() {
    let service = fixture::start().await;
    let answer = service.get("/html").send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text().await.unwrap(), "<h1>no</h1>");
}

#[tokio::test]
async fn head_of_a_failure_has_no_body() {
    let service = fixture::start().await;
    let answer = service
        .request(Method::HEAD, "/nowhere")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text().await.unwrap(), "");
}

#[tokio::test]
async fn bare_404_of_a_handler_does_not_deny_its_route() {
    let service = fixture::start().await;
    let (status, body) = problem(service.get("/bare-404").send().await.unwrap()).await;
    assert_eq!(
        (status, &body["detail"]),
        (StatusCode::NOT_FOUND, &Value::Null)
    );
}
