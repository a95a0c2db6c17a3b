//! A planted secret appears in no output of the process, wherever it came from and whatever went wrong.

use local_engines::Redis;
use rustix::process::Signal;
use smart_testing::FakeSentry;

use crate::engines::with_shared_postgres;
use crate::fixture::{Fixture, Running};
use crate::process::Ended;

/// Distinct, and with every sign that some format escapes.
const POSTGRES: &str = "planted-pg \"q\" 'a' \\b #@:/ %41 ä";
const REDIS: &str = "planted-redis \"q\" \\b #@:/";
const KEY: &str = "planted-key \"q\" \\b #@:/ {x}";

const SECTIONS: &str = "\
[postgres]
host = \"127.0.0.1\"
user = \"orders\"
password = \"\"
database = \"orders\"

[redis]
host = \"127.0.0.1\"
password = \"\"

[app]
key = \"\"
";

/// Everything that was seen of a service, by its name.
#[derive(Debug, Default)]
struct Outputs(Vec<(String, String)>);

impl Outputs {
    fn add(&mut self, name: &str, text: impl Into<String>) {
        self.0.push((name.to_owned(), text.into()));
    }

    fn add_ended(&mut self, name: &str, ended: &Ended) {
        self.add(&format!("stdout of {name}"), &ended.stdout);
        self.add(&format!("stderr of {name}"), &ended.stderr);
    }

    #[track_caller]
    fn hide(&self, secrets: &[&str]) {
        for secret in secrets {
            for form in forms(secret) {
                for (name, text) in &self.0 {
                    assert!(!text.contains(&form), "{form} is in {name}:\n{text}");
                }
            }
        }
    }
}

/// A secret as it is, and as JSON, `Debug`, both, and URLs write it.
fn forms(secret: &str) -> Vec<String> {
    let json = |text: &str| {
        let quoted = serde_json::to_string(text).unwrap();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let debug = format!("{secret:?}");
    let debug = &debug[1..debug.len() - 1];
    let percent: String = secret
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    vec![
        secret.to_owned(),
        json(secret),
        debug.to_owned(),
        json(debug),
        percent,
    ]
}

/// Meets every route and endpoint that could give something away.
async fn meet(service: &mut Running, outputs: &mut Outputs) {
    for (path, status) in [
        ("/hello", 200),
        ("/count", 200),
        ("/visit", 200),
        ("/careless/error", 500),
        ("/careless/panic", 500),
        ("/careless/pool", 500),
        ("/nowhere", 404),
        ("/healthcheck", 200),
        ("/readyz", 200),
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        outputs.add(path, answer.body);
    }
    for path in ["/info", "/metrics", "/log"] {
        let answer = service.admin(path).await;
        assert_eq!(answer.status, 200, "{path}");
        outputs.add(path, answer.body);
    }
}

/// A whole life: checked, shown, migrated, served, stopped.
async fn live(fixture: Fixture) {
    let sentry = FakeSentry::start().await.unwrap();
    let redis = Redis::builder().password(REDIS).start().unwrap();
    let fixture = fixture
        .file("config/default.toml", SECTIONS)
        .set("redis.port", redis.port())
        .variable("SMART__SENTRY__DSN", sentry.dsn());
    let mut outputs = Outputs::default();
    for arguments in [&["config"][..], &["config", "check"], &["migrate"]] {
        let ended = fixture.run(arguments).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        outputs.add_ended(&arguments.join(" "), &ended);
    }
    let mut service = fixture.ready().await;
    meet(&mut service, &mut outputs).await;
    service.signal(Signal::TERM);
    let ended = service.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    outputs.add_ended("serve", &ended);
    assert_eq!(sentry.events().len(), 3, "{:#?}", sentry.events());
    for envelope in sentry.envelopes() {
        outputs.add("a report", envelope);
    }

    // Otherwise there would have been nothing to find.
    for careless in [
        "careless line with ***",
        "careless error with ***",
        "careless panic with ***",
    ] {
        assert!(ended.stdout.contains(careless), "{}", ended.stdout);
    }
    assert!(ended.stdout.contains("password: Some("), "{}", ended.stdout);
    outputs.hide(&[POSTGRES, REDIS, KEY]);
}

#[tokio::test]
async fn secrets_of_a_directory_appear_nowhere() {
    let fixture = with_shared_postgres("directory", POSTGRES)
        .realm("prod")
        .set("service.unready_wait", "0s")
        .variable("SMART_SECRETS_DIR", "secrets")
        .file("secrets/postgres.password", &format!("{POSTGRES}\n"))
        .file("secrets/redis.password", REDIS)
        .file("secrets/app.key", KEY);
    live(fixture).await;
}

#[tokio::test]
async fn secrets_of_the_local_file_appear_nowhere() {
    let secrets = format!(
        "[postgres]\npassword = {}\n\n[redis]\npassword = {}\n\n[app]\nkey = {}\n",
        serde_json::json!(POSTGRES),
        serde_json::json!(REDIS),
        serde_json::json!(KEY)
    );
    let fixture = with_shared_postgres("file", POSTGRES).file("config/secrets.toml", &secrets);
    live(fixture).await;
}

#[tokio::test]
async fn secrets_of_the_environment_appear_nowhere_even_at_the_lowest_log_level() {
    let fixture = with_shared_postgres("environment", POSTGRES)
        .realm("test")
        .set("service.unready_wait", "0s")
        .set("log.level", "trace")
        .variable("SMART__POSTGRES__PASSWORD", POSTGRES)
        .variable("SMART__REDIS__PASSWORD", REDIS)
        .variable("SMART__APP__KEY", KEY);
    live(fixture).await;
}

#[tokio::test]
async fn refused_secrets_appear_nowhere() {
    let sentry = FakeSentry::start().await.unwrap();
    let redis = Redis::builder()
        .password("another-password")
        .start()
        .unwrap();
    let mut service = with_shared_postgres("refused", "another-password")
        .file("config/default.toml", SECTIONS)
        .realm("prod")
        .set("redis.port", redis.port())
        .variable("SMART__SENTRY__DSN", sentry.dsn())
        .variable("SMART__REDIS__PASSWORD", REDIS)
        .variable("SMART__APP__KEY", KEY);
    let mut outputs = Outputs::default();
    for (password, engine) in [(POSTGRES, "PostgreSQL"), ("another-password", "Redis")] {
        service = service.variable("SMART__POSTGRES__PASSWORD", password);
        for arguments in [&["serve"][..], &["migrate"]] {
            let ended = service.run(arguments).await;
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            assert!(
                ended
                    .stderr
                    .contains(&format!("cannot connect to {engine} at ")),
                "{}",
                ended.stderr
            );
            assert!(
                ended.stderr.contains("authentication failed"),
                "{}",
                ended.stderr
            );
            outputs.add_ended(arguments[0], &ended);
        }
    }
    assert_eq!(sentry.events().len(), 4);
    for envelope in sentry.envelopes() {
        outputs.add("a report", envelope);
    }
    outputs.hide(&[POSTGRES, REDIS, KEY, "another-password"]);
}

#[tokio::test]
async fn secret_in_a_careless_start_failure_appears_nowhere() {
    let sentry = FakeSentry::start().await.unwrap();
    let mut outputs = Outputs::default();
    for realm in ["local", "test"] {
        for start in ["refuse", "panic"] {
            let fixture = Fixture::new()
                .realm(realm)
                .set("app.start", start)
                .variable("SMART__APP__KEY", KEY)
                .variable("SMART__SENTRY__DSN", sentry.dsn());
            let ended = fixture.run(&[]).await;
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            assert!(
                ended.stdout.contains("careless start with ***"),
                "{}",
                ended.stdout
            );
            outputs.add_ended(&format!("a start that ends with {start}"), &ended);
        }
    }
    for envelope in sentry.envelopes() {
        outputs.add("a report", envelope);
    }
    outputs.hide(&[KEY]);
}

#[tokio::test]
async fn secrets_in_the_wrong_place_appear_nowhere() {
    let mut outputs = Outputs::default();
    for (name, fixture) in [
        (
            "a misspelt variable",
            Fixture::new().variable("SMART__POSTGRES__PASSWROD", POSTGRES),
        ),
        (
            "an unknown section",
            Fixture::new().variable("SMART__MONGO__PASSWORD", POSTGRES),
        ),
        ("a misspelt assignment", Fixture::new().set("app.kye", KEY)),
        (
            "a file that is no TOML",
            Fixture::new().file("config/secrets.toml", &format!("[app]\nkey = {KEY}\n")),
        ),
        (
            "a secret of the wrong type",
            Fixture::new().file(
                "config/local.toml",
                &format!(
                    "[redis]\nhost = \"127.0.0.1\"\npassword = [{:?}]\n",
                    "planted-in-a-list"
                ),
            ),
        ),
    ] {
        let fixture = fixture.file("config/default.toml", SECTIONS);
        let ended = fixture.run(&[]).await;
        assert_eq!(ended.code, Some(78), "{name}: {}", ended.stderr);
        outputs.add_ended(name, &ended);
        outputs.add_ended(name, &fixture.run(&["config"]).await);
        outputs.add_ended(name, &fixture.run(&["config", "check"]).await);
    }
    outputs.hide(&[POSTGRES, KEY, "planted-in-a-list"]);
}
