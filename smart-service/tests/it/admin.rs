//! The listener for operators.

use serde_json::{Value, json};
use smart_testing::TestService;

use crate::fixture;

async fn get(service: &TestService, path: &str) -> Value {
    service
        .client()
        .get(service.admin_url(path))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn info_says_what_runs() {
    let service = fixture::start().await;
    let info = get(&service, "/info").await;
    let mut keys: Vec<&String> = info.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "commit",
            "framework_version",
            "name",
            "phase",
            "realm",
            "uptime_seconds",
            "version"
        ]
    );
    assert_eq!(
        (&info["name"], &info["phase"]),
        (&"smart-service".into(), &"serving".into())
    );
}

#[tokio::test]
async fn metrics_say_what_runs_and_how_the_process_is() {
    let service = fixture::start().await;
    let answer = service
        .client()
        .get(service.admin_url("/metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = answer.text().await.unwrap();
    for part in [
        "build_info{service=\"smart-service\"",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_cpu_seconds_total ",
        "healthcheck_passed{check=\"runtime\"} 1",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[tokio::test]
async fn log_level_can_be_changed_for_a_while() {
    let service = fixture::start().await;
    assert_eq!(
        get(&service, "/log").await,
        json!({"level": "info", "configured": "info"})
    );
    let put = |body: Value| {
        service
            .client()
            .put(service.admin_url("/log"))
            .json(&body)
            .send()
    };

    let changed: Value = put(json!({"level": "warn,access=off", "for": "1h"}))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(changed["level"], "warn,access=off");
    assert!(changed["returns_in_seconds"].as_u64().unwrap() > 3590);
    service.get("/log").send().await.unwrap();
    assert!(service.logs().with("inside the handler").is_empty());

    let restored = service
        .client()
        .delete(service.admin_url("/log"))
        .send()
        .await
        .unwrap();
    assert_eq!(restored.json::<Value>().await.unwrap()["level"], "info");
    service.get("/log").send().await.unwrap();
    assert_eq!(service.logs().with("inside the handler").len(), 1);
}

#[tokio::test]
async fn wrong_log_level_changes_nothing() {
    let service = fixture::start().await;
    for (body, field) in [
        (json!({"level": "loud"}), "level"),
        (json!({"level": "debug", "for": "10"}), "for"),
        (json!({"level": "debug", "for": "0s"}), "for"),
        (json!({"level": "debug", "for": "2days"}), "for"),
    ] {
        let answer = service
            .client()
            .put(service.admin_url("/log"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 422, "{body}");
        assert_eq!(
            answer.json::<Value>().await.unwrap()["violations"][0]["field"],
            field
        );
    }
    assert_eq!(get(&service, "/log").await["level"], "info");
}

#[tokio::test]
async fn admin_endpoints_are_not_on_the_main_listener() {
    let service = fixture::start().await;
    for path in ["/metrics", "/info"] {
        assert_eq!(
            service.get(path).send().await.unwrap().status(),
            404,
            "{path}"
        );
    }
}
