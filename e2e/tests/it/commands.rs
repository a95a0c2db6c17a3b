//! The commands that every service has.

use std::io::{Read, Write};
use std::net::TcpListener;

use insta::assert_snapshot;
use rustix::process::Signal;
use serde_json::Value;
use smart_testing::eventually;

use crate::engines::{PASSWORD, POSTGRES, REDIS, closed_port, with_shared_postgres};
use crate::fixture::Fixture;

/// A port that was free a moment ago, for programs that must be told it before they run.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn healthcheck_of_a_green_service_succeeds() {
    let fixture = Fixture::new().set("http.port", free_port());
    let _service = fixture.ready().await;
    let ended = fixture.run(&["healthcheck"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(ended.stdout, @r"
    success (200)
      pass  runtime: the scheduler answers
    ");

    let ended = fixture.run(&["healthcheck", "--json"]).await;
    assert_eq!(ended.code, Some(0));
    let body: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(body["status"], "success");
    assert_eq!(body["service"]["name"], "e2e");
}

#[tokio::test]
async fn healthcheck_of_a_red_service_fails_and_says_why() {
    let fixture = Fixture::new()
        .file("config/default.toml", REDIS)
        .set("redis.port", closed_port())
        .set("service.start_budget", "10m")
        .set("http.port", free_port());
    let service = fixture.start();
    eventually("the service waits", async || {
        service.stdout().contains("waiting for Redis").then_some(())
    })
    .await;
    let ended = fixture.run(&["healthcheck"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    let port = ended.stdout.split("127.0.0.1:").nth(1).unwrap();
    let port = port.split(':').next().unwrap();
    assert_snapshot!(ended.stdout.replace(port, "[PORT]"), @r"
    failure (503)
      FAIL  startup: waiting for Redis at 127.0.0.1:[PORT]: connection refused: nothing listens there
    ");

    let ended = fixture.run(&["healthcheck", "--json"]).await;
    assert_eq!(ended.code, Some(1));
    let body: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(body["status"], "failure");
    service.signal(Signal::TERM);
    assert_eq!(service.ended().await.code, Some(0));
}

#[tokio::test]
async fn healthcheck_where_nothing_listens_fails() {
    let port = closed_port();
    let ended = Fixture::new()
        .set("http.port", port)
        .run(&["healthcheck"])
        .await;
    assert_eq!(ended.stdout, "");
    assert_snapshot!(ended.shown(&[(&port.to_string(), "[PORT]")]), @r"
    exit code 1
    cannot ask 127.0.0.1:[PORT] for its health: Connection refused (os error 111)
    ");
}

#[tokio::test]
async fn healthcheck_of_another_program_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let ended = Fixture::new()
        .set("http.port", port)
        .run(&["healthcheck"])
        .await;
    other.join().unwrap();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    assert_snapshot!(ended.stdout, @"200 OK: this is no health document; does another program listen there?");
}

#[tokio::test]
async fn healthcheck_of_a_program_that_never_answers_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let ended = Fixture::new()
        .set("http.port", port)
        .run(&["healthcheck"])
        .await;
    assert_snapshot!(ended.shown(&[(&port.to_string(), "[PORT]")]), @r"
    exit code 1
    no answer from 127.0.0.1:[PORT] within 2 s
    ");
}

#[tokio::test]
async fn healthcheck_waits_for_a_service_that_starts_later() {
    let fixture = Fixture::new().set("http.port", free_port());
    let (ended, _service) = tokio::join!(
        fixture.run(&["healthcheck", "--wait", "20s"]),
        fixture.ready()
    );
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn healthcheck_needs_no_secrets() {
    let fixture = Fixture::new()
        .realm("prod")
        .file(
            "config/default.toml",
            &format!("{POSTGRES}\n[app]\nkey = \"\"\n"),
        )
        .set("http.port", closed_port());
    let ended = fixture.run(&["healthcheck"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("Connection refused"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn config_shows_values_with_their_origin() {
    let fixture = Fixture::new()
        .file(
            "config/default.toml",
            "[http]\nhost = \"127.0.0.1\"\n\n[app]\nkey = \"\"\n",
        )
        .file("config/local.toml", "[app]\nmax_page = 7\n")
        .file("config/secrets.toml", "[app]\nkey = \"a-secret\"\n")
        .set("service.drain", "5s");
    let ended = fixture.run(&["config"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(ended.stdout, @r#"
    admin.host                     "127.0.0.1"  default
    admin.port                     0            SMART__ADMIN__PORT
    app.cache_ttl                  "1m"         default
    app.key                        ***          config/secrets.toml
    app.max_page                   7            config/local.toml:2
    app.start                      "well"       default
    health.deadline                "800ms"      default
    health.failure_status          503          default
    health.failure_ttl             "9s"         default
    health.ready_after_successes   1            default
    health.success_ttl             "27s"        default
    health.unready_after_failures  2            default
    http.body_limit                "2MiB"       default
    http.header_timeout            "10s"        default
    http.host                      "127.0.0.1"  config/default.toml:2
    http.idle_timeout              "1m 15s"     default
    http.max_connections           10000        default
    http.port                      0            SMART__HTTP__PORT
    http.request_timeout           "30s"        default
    log.format                     "pretty"     built-in default
    log.level                      "info"       default
    service.drain                  "5s"         --set service.drain
    service.migrate_on_start       false        default
    service.start_budget           "30s"        default
    service.unready_wait           "0s"         built-in default
    "#);
}

#[tokio::test]
async fn config_check_of_another_realm_needs_no_secrets() {
    let fixture = Fixture::new()
        .file(
            "config/default.toml",
            &format!("{POSTGRES}\n[app]\nkey = \"\"\n"),
        )
        .file("config/prod.toml", "");
    let ended = fixture.run(&["config", "check", "--realm", "prod"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(ended.stdout, @r"
    configuration is sound: 33 settings, of which 2 to be filled by a secret source:
      app.key  (config/default.toml:8)
      postgres.password  (config/default.toml:4)
    ");
}

#[tokio::test]
async fn config_check_tells_the_faults_of_a_realm() {
    let fixture = Fixture::new().file("config/prod.toml", "[service]\ndrian = \"5s\"\n");
    let ended = fixture.run(&["config", "check", "--realm", "prod"]).await;
    assert_snapshot!(ended.shown(&[]), @r"
    exit code 78
    cannot load configuration for realm `prod`: 1 fault
      `service.drian`  config/prod.toml:2  unknown key; did you mean `drain`?
    ");
}

#[tokio::test]
async fn migrate_applies_what_is_pending_and_then_the_service_starts() {
    let fixture = with_shared_postgres("migrate", PASSWORD).set("postgres.password", PASSWORD);
    let first = fixture.run(&["migrate"]).await;
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""));
    assert!(first.stdout.contains("applied=2"), "{}", first.stdout);
    let second = fixture.run(&["migrate"]).await;
    assert_eq!(second.code, Some(0));
    assert!(
        second.stdout.contains("nothing to migrate"),
        "{}",
        second.stdout
    );
    assert_eq!(fixture.ready().await.get("/count").await.body, "0");
}

#[tokio::test]
async fn migrate_without_a_database_says_what_is_missing() {
    let ended = Fixture::new().run(&["migrate"]).await;
    assert_snapshot!(ended.shown(&[]), @r"
    exit code 78
    e2e cannot migrate: there is no database to migrate: the configuration has neither a `[postgres]` nor a `[sqlite]` section
    ");
}

#[tokio::test]
async fn help_names_every_command() {
    let ended = Fixture::new().run(&["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(ended.stdout, @r"
    Usage: e2e [OPTIONS] [COMMAND]

    Commands:
      serve        Serves until SIGTERM or Ctrl-C (the default)
      healthcheck  Asks the running service for its health: exit code 0 when green, 1 when not
      config       Shows every setting, its value and where it comes from; secrets as ***
      migrate      Applies the migrations that the database lacks

    Options:
          --set <KEY=VALUE>  Overrides a setting, for example --set http.port=8080; may be repeated
          --realm <REALM>    Realm to run in, instead of SMART_REALM: local, test, prod or your own
      -h, --help             Print help
      -V, --version          Print version
    ");
}

#[tokio::test]
async fn version_names_the_commit() {
    let ended = Fixture::new().run(&["--version"]).await;
    let version = concat!("e2e ", env!("CARGO_PKG_VERSION"), " (unknown)\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), version));
}

#[tokio::test]
async fn wrong_use_is_told_with_exit_code_2() {
    let option = Fixture::new().run(&["--relm", "prod"]).await;
    let command = Fixture::new().run(&["helthcheck"]).await;
    assert_snapshot!(option.shown(&[]), @r"
    exit code 2
    error: unexpected argument '--relm' found

      tip: a similar argument exists: '--realm'

    Usage: e2e --realm <REALM>

    For more information, try '--help'.
    ");
    assert_snapshot!(command.shown(&[]), @r"
    exit code 2
    error: unrecognized subcommand 'helthcheck'

      tip: a similar subcommand exists: 'healthcheck'

    Usage: e2e [OPTIONS] [COMMAND]

    For more information, try '--help'.
    ");
}

#[tokio::test]
async fn deployed_service_writes_one_json_object_a_line() {
    let mut service = Fixture::new()
        .realm("prod")
        .set("service.unready_wait", "0s")
        .ready()
        .await;
    service.get("/fail").await;
    service.get("/panic").await;
    service.signal(Signal::TERM);
    let ended = service.ended().await;
    let lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let started = lines
        .iter()
        .find(|line| line["message"] == "e2e is started");
    assert!(
        started.unwrap()["elapsed_ms"].is_number(),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.stderr, "");
}
