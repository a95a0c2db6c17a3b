//! A planted secret appears in no output.

use smart_service::config::Secret;
use smart_service::{App, Service, StartError};
use smart_testing::FakeSentry;

use crate::fixture::{Settings, files, on, routes, service};

const PLANTED: [&str; 2] = ["planted-in-app-7f3a", "planted/with \"quotes\" & #9c"];

#[tokio::test]
async fn planted_secret_appears_in_no_output() {
    for planted in PLANTED {
        let sentry = FakeSentry::start().await.unwrap();
        let folder = files(&[("default.toml", "[app]\nkey = \"\"\n")]);
        let orders = on(folder.path())
            .set("sentry.dsn", sentry.dsn())
            .set("app.key", planted)
            .start(service)
            .await;

        let mut outputs = Vec::new();
        for path in [
            "/leak",
            "/leak-panic",
            "/hello",
            "/nowhere",
            "/healthcheck",
            "/readyz",
        ] {
            let answer = orders.get(path).send().await.unwrap();
            outputs.push(format!(
                "{:?}\n{}",
                answer.headers().clone(),
                answer.text().await.unwrap()
            ));
        }
        for path in ["/info", "/metrics", "/log"] {
            outputs.push(
                orders
                    .client()
                    .get(orders.admin_url(path))
                    .send()
                    .await
                    .unwrap()
                    .text()
                    .await
                    .unwrap(),
            );
        }
        let logs = orders.logs().clone();
        orders.stop().await;
        assert_eq!(
            logs.with("careless line with ***").len(),
            1,
            "{:#?}",
            logs.lines()
        );
        assert_eq!(
            logs.with("careless error with ***").len(),
            1,
            "{:#?}",
            logs.lines()
        );
        assert_eq!(
            logs.with("careless panic with").len(),
            1,
            "{:#?}",
            logs.lines()
        );
        assert_eq!(sentry.events().len(), 2, "{:#?}", sentry.envelopes());
        outputs.extend(logs.lines());
        outputs.extend(sentry.envelopes());

        let json = serde_json::to_string(planted).unwrap();
        for output in &outputs {
            for form in [planted, json.trim_matches('"')] {
                assert!(!output.contains(form), "{form} is in\n{output}");
            }
        }
    }
}

#[tokio::test]
async fn text_of_a_check_shows_no_secret() {
    let planted = PLANTED[1];
    let folder = files(&[]);
    let orders = on(folder.path())
        .set("app.key", planted)
        .start(
            async |service: Service<Settings>| -> Result<App, StartError> {
                let (green, red) = (
                    service.settings().key.clone(),
                    service.settings().key.clone(),
                );
                let text =
                    |key: &Option<Secret>| format!("asked with {}", key.as_ref().unwrap().expose());
                Ok(service
                    .check("green", move || {
                        std::future::ready(Ok::<_, String>(text(&green)))
                    })
                    .advisory_check("red", move || std::future::ready(Err(text(&red))))
                    .routes(routes(None)))
            },
        )
        .await;
    for accept in ["application/json", "application/health+json"] {
        let answer = orders
            .get("/healthcheck")
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        let body = answer.text().await.unwrap();
        assert!(!body.contains("planted"), "{body}");
        assert!(body.contains("asked with ***"), "{body}");
    }
}
