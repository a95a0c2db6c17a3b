//! The health contract.

use reqwest::Method;
use serde_json::Value;
use smart_service::{App, Service, StartError};
use smart_testing::eventually;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fixture::{self, Settings, files, on, routes};

#[tokio::test]
async fn all_four_answer_get_head_and_options() {
    let service = fixture::start().await;
    for path in ["/healthcheck", "/livez", "/readyz", "/startupz"] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let answer = service.request(method.clone(), path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{method} {path}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
        }
    }
}

#[tokio::test]
async fn healthcheck_is_runscopes_body() {
    let service = fixture::start().await;
    let answer = service.get("/healthcheck").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], "success");
    assert_eq!(body["results"][0]["checker"], "runtime");
    assert_eq!(body["service"]["name"], "smart-service");
    assert_eq!(body["service"]["realm"], "local");
    assert!(body["results"][0]["expires"].as_f64() > body["results"][0]["timestamp"].as_f64());
}

#[tokio::test]
async fn draft_body_is_given_to_who_accepts_it() {
    let service = fixture::start().await;
    let answer = service
        .get("/healthcheck")
        .header("accept", "application/health+json, */*;q=0.1")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/health+json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], "pass");
    assert_eq!(body["serviceId"], "smart-service");

    for (accept, kind) in [
        ("Application/Health+JSON; q=0.5", "application/health+json"),
        ("application/health+json;q=0, */*", "application/json"),
        ("application/health+json-seq", "application/json"),
    ] {
        let answer = service.get("/healthcheck").header("accept", accept);
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], kind, "{accept}");
    }
}

#[tokio::test]
async fn critical_check_decides_and_advisory_one_does_not() {
    let (stock, mail) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicBool::new(true)),
    );
    let (stock_probe, mail_probe) = (stock.clone(), mail.clone());
    let probe = |passes: Arc<AtomicBool>| {
        move || {
            let passes = passes.load(Ordering::Relaxed);
            async move {
                if passes {
                    Ok("there".to_owned())
                } else {
                    Err("gone")
                }
            }
        }
    };
    let folder = files(&[]);
    let service = on(folder.path())
        .set("health.success_ttl", "20ms")
        .set("health.failure_ttl", "20ms")
        .set("health.deadline", "5ms")
        .start(
            async move |service: Service<Settings>| -> Result<App, StartError> {
                Ok(service
                    .check("stock", probe(stock_probe))
                    .advisory_check("mail", probe(mail_probe))
                    .routes(routes(None)))
            },
        )
        .await;
    let status = async |path: &str| service.get(path).send().await.unwrap().status().as_u16();

    mail.store(false, Ordering::Relaxed);
    let warned = eventually("the advisory check is shown red", async || {
        let answer = service.get("/healthcheck").send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        (body["results"][2]["passed"] == false).then_some((status, body))
    })
    .await;
    assert_eq!(warned.0, 200);
    assert_eq!(warned.1["status"], "success");
    assert_eq!(status("/readyz").await, 200);

    stock.store(false, Ordering::Relaxed);
    eventually("readiness is red", async || {
        (status("/readyz").await == 503).then_some(())
    })
    .await;
    assert_eq!(
        (
            status("/healthcheck").await,
            status("/livez").await,
            status("/startupz").await
        ),
        (503, 200, 200)
    );
    let body: Value = service
        .get("/readyz")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(body["failing"], serde_json::json!(["stock"]));

    stock.store(true, Ordering::Relaxed);
    eventually("readiness is green again", async || {
        (status("/readyz").await == 200).then_some(())
    })
    .await;
    assert_eq!(
        service.logs().with("check `stock` fails: gone").len(),
        1,
        "one line for each change of state"
    );
    assert_eq!(service.logs().with("check `stock` passes: there").len(), 1);
}

#[tokio::test]
async fn failure_status_can_be_runscopes_500() {
    let folder = files(&[]);
    let service = on(folder.path())
        .set("health.failure_status", "500")
        .start(
            async |service: Service<Settings>| -> Result<App, StartError> {
                Ok(service
                    .check("stock", async || Err::<String, _>("gone"))
                    .routes(routes(None)))
            },
        )
        .await;
    assert_eq!(
        service.get("/healthcheck").send().await.unwrap().status(),
        500
    );
}

#[tokio::test]
async fn green_probes_leave_no_access_line() {
    let service = fixture::start().await;
    for path in ["/healthcheck", "/livez", "/readyz", "/startupz"] {
        service.get(path).send().await.unwrap();
    }
    service
        .client()
        .get(service.admin_url("/metrics"))
        .send()
        .await
        .unwrap();
    assert!(
        service.logs().with("\"target\":\"access\"").is_empty(),
        "{:#?}",
        service.logs().lines()
    );
}

#[tokio::test]
async fn two_checks_of_one_name_are_a_start_error() {
    let folder = files(&[]);
    let started = on(folder.path())
        .try_start(
            async |service: Service<Settings>| -> Result<App, StartError> {
                let check = async || Ok::<_, String>("fine".to_owned());
                Ok(service
                    .check("stock", check)
                    .check("stock", check)
                    .routes(routes(None)))
            },
        )
        .await;
    let error = started.expect_err("the second name is refused").to_string();
    assert!(error.contains("`stock`"), "{error}");
}
