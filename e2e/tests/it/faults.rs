//! What keeps a service from starting: told in full, on stderr, with the exit code.

use std::net::TcpListener;

use insta::assert_snapshot;
use local_engines::Postgres;

use crate::engines::{PASSWORD, POSTGRES, REDIS, closed_port, with_shared_postgres};
use crate::fixture::Fixture;

#[tokio::test]
async fn missing_placeholders_are_told_at_once() {
    let service = Fixture::new()
        .realm("prod")
        .file(
            "config/default.toml",
            &format!(
                "{POSTGRES}\n[redis]\nhost = \"127.0.0.1\"\npassword = \"secret:shared/redis\"\n\n[app]\nkey = \"\"\n"
            ),
        )
        .file("secrets/postgres.pasword", "hunter2-hunter2")
        .variable("SMART_SECRETS_DIR", "secrets");
    let ended = service.run(&[]).await;
    assert_eq!(ended.stdout, "");
    assert_snapshot!(ended.shown(&[]), @r#"
    exit code 78
    cannot load configuration for realm `prod`: 3 faults
      `postgres.password` is empty              config/default.toml:4   a placeholder that nothing fills
          looked in secrets directory `secrets`, where the nearest name is `postgres.pasword`
          to fill it, create the file `secrets/postgres.password`, or set `SMART__POSTGRES__PASSWORD`
      `redis.password` = "secret:shared/redis"  config/default.toml:9   a placeholder that nothing fills
          looked in secrets directory `secrets`
          to fill it, create the file `secrets/shared.redis`, or set `SMART__REDIS__PASSWORD`
      `app.key` is empty                        config/default.toml:12  a placeholder that nothing fills
          looked in secrets directory `secrets`
          to fill it, create the file `secrets/app.key`, or set `SMART__APP__KEY`
    "#);
}

#[tokio::test]
async fn unknown_keys_are_told_with_what_was_meant() {
    let service = Fixture::new().file(
        "config/default.toml",
        "[http]\nprot = 8080\n\n[app]\nmax_pages = 10\n\n[sevrice]\ndrain = \"5s\"\n",
    );
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 78
    cannot load configuration for realm `local`: 3 faults
      `http.prot`      config/default.toml:2  unknown key; did you mean `port`?
      `app.max_pages`  config/default.toml:5  unknown key; did you mean `max_page`?
      `sevrice`        config/default.toml:8  unknown key; did you mean `service`?
    ");
}

#[tokio::test]
async fn wrong_types_are_told_at_once() {
    let service = Fixture::new()
        .file(
            "config/default.toml",
            "[service]\ndrain = 20\n\n[http]\nbody_limit = \"two megabytes\"\n\n[app]\nmax_page = \"many\"\ncache_ttl = \"60\"\n",
        )
        .variable("SMART__ADMIN__PORT", "eighty")
        .set("log.level", "loud");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r#"
    exit code 78
    cannot load configuration for realm `local`: 6 faults
      `service.drain` = 20                 config/default.toml:2  expected a duration with a unit, such as "20s", found a whole number
      `http.body_limit` = "two megabytes"  config/default.toml:5  expected a size with a unit, such as "2MiB"
      `app.max_page` = "many"              config/default.toml:8  expected a whole number from 0 to 4294967295, found text
      `app.cache_ttl` = "60"               config/default.toml:9  expected a duration with a unit, such as "60s"
      `admin.port` = "eighty"              SMART__ADMIN__PORT     expected a whole number from 0 to 65535
      `log.level` = "loud"                 --set log.level        `loud` is neither a level (`off`, `error`, `warn`, `info`, `debug`, `trace`) nor `module=level`
    "#);
}

#[tokio::test]
async fn faults_of_all_kinds_are_told_at_once() {
    let service = Fixture::new()
        .realm("prod")
        .file(
            "config/default.toml",
            &format!("{POSTGRES}\n[http]\nprot = 8080\n\n[app]\nkey = \"\"\nmax_page = \"many\"\n"),
        )
        .file("config/prod.toml", "[service]\ndrain = 20\n")
        .file("config/local.toml", "[app]\nkey = \"dev\"\n");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r#"
    exit code 78
    cannot load configuration for realm `prod`: 5 faults
      `postgres.password` is empty  config/default.toml:4   a placeholder that nothing fills
          to fill it, set `SMART__POSTGRES__PASSWORD`
      `http.prot`                   config/default.toml:8   unknown key; did you mean `port`?
      `app.key` is empty            config/default.toml:11  a placeholder that nothing fills
          to fill it, set `SMART__APP__KEY`
      `app.max_page` = "many"       config/default.toml:12  expected a whole number from 0 to 4294967295, found text
      `service.drain` = 20          config/prod.toml:2      expected a duration with a unit, such as "20s", found a whole number
    no secret source is set: `SMART_SECRETS_DIR` names a directory with one file per key
    "#);
}

#[tokio::test]
async fn laptop_value_is_refused_in_prod() {
    let service = Fixture::new()
        .realm("prod")
        .file("config/default.toml", POSTGRES)
        .file("config/local.toml", "[postgres]\npassword = \"orders\"\n")
        .variable("SMART__POSTGRES__PASSWORD", "orders");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 78
    cannot load configuration for realm `prod`: 1 fault
      `postgres.password` = ***  SMART__POSTGRES__PASSWORD  has the value of realm `local`, which is fine on a laptop only
          it stands in config/local.toml:2; give realm `prod` a value of its own
    ");
}

#[tokio::test]
async fn assignment_without_a_value_is_refused() {
    let ended = Fixture::new().run(&["--set", "http.port"]).await;
    assert_snapshot!(ended.shown(&[]), @r"
    exit code 78
    cannot load configuration for realm `local`: 1 fault
      --set  an assignment has no `=`
          write key and value, for example `--set http.port=8080`
    ");
}

#[tokio::test]
async fn file_that_is_no_toml_is_shown_with_its_line() {
    let service = Fixture::new().file("config/default.toml", "[http]\nport = \n");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 78
    cannot load configuration for realm `local`: 1 fault
      config/default.toml:2  string values must be quoted, at column 8
    ");
}

#[tokio::test]
async fn empty_realm_is_refused() {
    let service = Fixture::new().realm("");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 78
    e2e cannot use its configuration: the realm is empty; `SMART_REALM` must name one, for example `prod`
    ");
}

#[tokio::test]
async fn unknown_realm_is_refused_with_what_was_meant() {
    let service = Fixture::new()
        .realm("pord")
        .file("config/prod.toml", "")
        .file("config/test.toml", "");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 78
    cannot load configuration for realm `pord`: 1 fault
      config/pord.toml  there is no such file
          realms with a file there: `prod`, `test`; did you mean `prod`?
    ");
}

#[tokio::test]
async fn missing_configuration_folder_is_refused() {
    let service = Fixture::new().variable("SMART_CONFIG_DIR", "elsewhere/config");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 78
    e2e cannot use its configuration: there is no configuration folder elsewhere/config
      hint: run from the service's folder, or name it in SMART_CONFIG_DIR
    ");
}

#[tokio::test]
async fn malformed_dsn_is_refused_and_not_shown() {
    let service = Fixture::new().set("sentry.dsn", "https://half-a-dsn");
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 78
    e2e cannot start: `sentry.dsn` is not a DSN
      caused by: empty path
      hint: copy it from the project's settings: https://KEY@HOST/PROJECT; leave the key out to report nothing
    ");
}

#[tokio::test]
async fn taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ended = Fixture::new().set("http.port", port).run(&[]).await;
    assert_snapshot!(ended.shown(&[(&port.to_string(), "[PORT]")]), @r"
    exit code 1
    e2e cannot run: cannot listen on 127.0.0.1:[PORT] (`http.host`, `http.port`)
      caused by: Address already in use (os error 98)
      hint: another process has the port: `ss -ltnp 'sport = :[PORT]'` names it; or choose another with `--set http.port=N`
    ");
}

#[tokio::test]
async fn database_that_is_not_there_is_named_with_its_cause() {
    let port = closed_port();
    let service = Fixture::new()
        .file("config/default.toml", POSTGRES)
        .set("postgres.port", port)
        .set("postgres.password", PASSWORD)
        .set("service.start_budget", "1s");
    let ended = service.run(&[]).await;
    assert_snapshot!(ended.shown(&[(&port.to_string(), "[PORT]")]), @r"
    exit code 1
    e2e cannot run: cannot connect to PostgreSQL at 127.0.0.1:[PORT] as `orders` within 1s (`service.start_budget`)
      caused by: connection refused: nothing listens there
      hint: start it (on a laptop: `smart engines`), or correct host and port
    ");
}

#[tokio::test]
async fn redis_that_is_not_there_is_named_with_its_cause() {
    let port = closed_port();
    let service = Fixture::new()
        .file("config/default.toml", REDIS)
        .set("redis.port", port)
        .set("service.start_budget", "1s");
    let ended = service.run(&[]).await;
    assert_snapshot!(ended.shown(&[(&port.to_string(), "[PORT]")]), @r"
    exit code 1
    e2e cannot run: cannot connect to Redis at 127.0.0.1:[PORT] within 1s (`service.start_budget`)
      caused by: connection refused: nothing listens there
      hint: start it (on a laptop: `smart engines`), or correct host and port
    ");
}

#[tokio::test]
async fn wrong_password_is_told_at_once() {
    let service = with_shared_postgres("wrong", PASSWORD)
        .set("postgres.password", "a-wrong-guess")
        .set("service.start_budget", "1h");
    let ended = service.run(&[]).await;
    let port = Postgres::shared().unwrap().port().to_string();
    let pid = std::process::id().to_string();
    assert_snapshot!(ended.shown(&[(&port, "[PORT]"), (&pid, "[PID]")]), @r#"
    exit code 1
    e2e cannot run: cannot connect to PostgreSQL at 127.0.0.1:[PORT] as `e2e_wrong_[PID]`
      caused by: authentication failed: password authentication failed for user "e2e_wrong_[PID]" (SQLSTATE 28P01)
      hint: correct `postgres.user` or `postgres.password`
    "#);
}

#[tokio::test]
async fn database_that_does_not_exist_is_told_at_once() {
    let service = with_shared_postgres("no_database", PASSWORD)
        .set("postgres.password", PASSWORD)
        .set("postgres.database", "ordres")
        .set("service.start_budget", "1h");
    let ended = service.run(&[]).await;
    let port = Postgres::shared().unwrap().port().to_string();
    let pid = std::process::id().to_string();
    assert_snapshot!(ended.shown(&[(&port, "[PORT]"), (&pid, "[PID]")]), @r#"
    exit code 1
    e2e cannot run: cannot connect to PostgreSQL at 127.0.0.1:[PORT] as `e2e_no_database_[PID]`
      caused by: the database does not exist: database "ordres" does not exist (SQLSTATE 3D000)
      hint: create it, or correct `postgres.database`
    "#);
}

#[tokio::test]
async fn pending_migrations_are_listed() {
    let service = with_shared_postgres("pending", PASSWORD).set("postgres.password", PASSWORD);
    assert_snapshot!(service.run(&[]).await.shown(&[]), @r"
    exit code 1
    e2e cannot run: the database lacks 2 of this version's migrations: 0001 create items, 0002 add price
      hint: run `e2e migrate` before the service, or set `service.migrate_on_start = true`
    ");
}
