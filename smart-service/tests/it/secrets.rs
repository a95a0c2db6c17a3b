//! A planted secret appears in no output.

use smart_testing::FakeSentry;

use crate::fixture::{files, on, service};

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
