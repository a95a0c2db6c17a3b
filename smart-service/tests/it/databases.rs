//! Pools: connected at start, checked for ever, and honest about why they are not there.

use axum::Router;
use axum::routing::get;
use serde_json::Value;
use smart_service::{App, Migrations, Problem, Service, StartError};
use smart_testing::{TestService, eventually};

use crate::fixture::{Settings, files, on};

const POSTGRES: (&str, &str) = (
    "default.toml",
    "[postgres]\nhost = \"127.0.0.1\"\nuser = \"u\"\npassword = \"\"\ndatabase = \"d\"\n",
);
const REDIS: (&str, &str) = ("default.toml", "[redis]\nhost = \"127.0.0.1\"\n");
const SQLITE: (&str, &str) = ("default.toml", "[sqlite]\npath = \"data/test.db\"\n");
const ITEMS: &[(i64, &str, &str)] = &[(
    1,
    "create items",
    "create table items (id integer primary key)",
)];

async fn with_postgres(service: Service<Settings>) -> Result<App, StartError> {
    let pool = service.postgres()?;
    let count = async move || -> Result<String, Problem> {
        let (count,): (i64,) = sqlx::query_as("select count(*) from items")
            .fetch_one(&pool)
            .await?;
        Ok(count.to_string())
    };
    Ok(service.routes(Router::new().route("/count", get(count))))
}

async fn with_redis(service: Service<Settings>) -> Result<App, StartError> {
    let redis = service.redis()?;
    let visit = async move || -> Result<String, Problem> {
        let visits: i64 = redis::cmd("INCR")
            .arg("visits")
            .query_async(&mut redis.clone())
            .await?;
        Ok(visits.to_string())
    };
    Ok(service.routes(Router::new().route("/visit", get(visit))))
}

async fn with_sqlite(service: Service<Settings>) -> Result<App, StartError> {
    let pool = service.sqlite()?;
    let count = async move || -> Result<String, Problem> {
        let (count,): (i64,) = sqlx::query_as("select count(*) from items")
            .fetch_one(&pool)
            .await?;
        Ok(count.to_string())
    };
    Ok(service.routes(Router::new().route("/count", get(count))))
}

async fn status(service: &TestService, path: &str) -> u16 {
    service.get(path).send().await.unwrap().status().as_u16()
}

/// The names of the checks that fail.
async fn failing(service: &TestService) -> (u16, Vec<String>) {
    let answer = service.get("/healthcheck").send().await.unwrap();
    let (status, body) = (
        answer.status().as_u16(),
        answer.json::<Value>().await.unwrap(),
    );
    let failing = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|result| result["passed"] == false);
    (
        status,
        failing
            .map(|result| result["checker"].as_str().unwrap().to_owned())
            .collect(),
    )
}

#[tokio::test]
async fn postgres_lost_under_a_running_service_turns_only_its_check_red_and_heals() {
    let folder = files(&[POSTGRES]);
    let service = on(folder.path())
        .migrations(Migrations::embedded(ITEMS))
        .start(with_postgres)
        .await;
    assert_eq!(
        service
            .get("/count")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "0"
    );

    service.postgres().cut().await;
    eventually("readiness is red", async || {
        (status(&service, "/readyz").await == 503).then_some(())
    })
    .await;
    assert_eq!(failing(&service).await, (503, vec!["postgres".to_owned()]));
    assert_eq!(status(&service, "/livez").await, 200);
    let report: Value = service
        .get("/healthcheck")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let output = report["results"][1]["output"].as_str().unwrap();
    assert!(
        output.contains("connection refused: nothing listens there"),
        "{output}"
    );

    service.postgres().restore().await;
    eventually("readiness is green again", async || {
        (status(&service, "/readyz").await == 200).then_some(())
    })
    .await;
    assert_eq!(failing(&service).await, (200, vec![]));
    assert_eq!(
        service
            .get("/count")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "0"
    );
}

#[tokio::test]
async fn postgres_that_hangs_is_red_within_the_deadline() {
    let folder = files(&[POSTGRES]);
    let service = on(folder.path())
        .migrations(Migrations::embedded(ITEMS))
        .start(with_postgres)
        .await;
    service.postgres().stall().await;
    eventually("readiness is red", async || {
        (status(&service, "/readyz").await == 503).then_some(())
    })
    .await;
    service.postgres().restore().await;
    eventually("readiness is green again", async || {
        (status(&service, "/readyz").await == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn redis_lost_under_a_running_service_turns_only_its_check_red_and_heals() {
    let folder = files(&[REDIS]);
    let service = on(folder.path()).start(with_redis).await;
    assert_eq!(
        service
            .get("/visit")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "1"
    );
    service.redis().cut().await;
    eventually("readiness is red", async || {
        (status(&service, "/readyz").await == 503).then_some(())
    })
    .await;
    assert_eq!(failing(&service).await, (503, vec!["redis".to_owned()]));
    service.redis().restore().await;
    eventually("readiness is green again", async || {
        (status(&service, "/readyz").await == 200).then_some(())
    })
    .await;
    eventually("redis answers handlers again", async || {
        let answer = service.get("/visit").send().await.unwrap();
        answer.status().is_success().then_some(())
    })
    .await;
}

#[tokio::test]
async fn pools_are_named_in_metrics() {
    let folder = files(&[POSTGRES]);
    let service = on(folder.path())
        .migrations(Migrations::embedded(ITEMS))
        .start(with_postgres)
        .await;
    service.get("/count").send().await.unwrap();
    eventually("the connection is back in its pool", async || {
        let metrics = service.client().get(service.admin_url("/metrics"));
        let metrics = metrics.send().await.unwrap().text().await.unwrap();
        [
            "db_pool_connections{pool=\"postgres\",state=\"idle\"} ",
            "db_pool_connections{pool=\"postgres\",state=\"in_use\"} 0",
            "db_pool_connections_max{pool=\"postgres\"} 10",
            "healthcheck_passed{check=\"postgres\"} 1",
        ]
        .iter()
        .all(|line| metrics.contains(line))
        .then_some(())
    })
    .await;
}

#[tokio::test]
async fn sqlite_is_one_file_that_is_made_when_missing() {
    let folder = files(&[SQLITE]);
    let service = on(folder.path())
        .migrations(Migrations::embedded(ITEMS))
        .start(with_sqlite)
        .await;
    assert_eq!(
        service
            .get("/count")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "0"
    );
    assert_eq!(failing(&service).await, (200, vec![]));
}

#[tokio::test]
async fn busy_sqlite_pool_turns_no_check_red() {
    let folder = files(&[SQLITE]);
    let service = on(folder.path())
        .set("sqlite.max_connections", "1")
        .set("health.deadline", "100ms")
        .start(
            async |service: Service<Settings>| -> Result<App, StartError> {
                let pool = service.sqlite()?;
                let hold = async move || {
                    let _held = pool.acquire().await;
                    std::future::pending::<()>().await;
                };
                Ok(service.routes(Router::new().route("/hold", get(hold))))
            },
        )
        .await;
    let held = tokio::spawn(service.get("/hold").send());
    let checked = |body: &Value| {
        let results = body["results"].as_array().unwrap().iter();
        let mut sqlite = results.filter(|result| result["checker"] == "sqlite");
        sqlite.next().unwrap()["timestamp"].as_f64().unwrap()
    };
    let look = async || -> Value {
        service
            .get("/healthcheck")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    eventually("the only connection is taken", async || {
        let metrics = service.client().get(service.admin_url("/metrics"));
        let metrics = metrics.send().await.unwrap().text().await.unwrap();
        metrics
            .contains("{pool=\"sqlite\",state=\"in_use\"} 1")
            .then_some(())
    })
    .await;
    let before = checked(&look().await);
    let after = eventually("the check runs again", async || {
        let body = look().await;
        (checked(&body) > before + 1.5).then_some(body)
    })
    .await;
    assert_eq!(after["status"], "success", "{after}");
    held.abort();
}

#[tokio::test]
async fn looking_for_pending_migrations_changes_nothing() {
    let folder = files(&[SQLITE]);
    let path = folder.path().join("seen.db");
    let started = on(folder.path())
        .migrations(Migrations::embedded(ITEMS))
        .set("sqlite.path", path.to_str().unwrap())
        .set("service.migrate_on_start", "false")
        .try_start(with_sqlite)
        .await;
    assert!(started.is_err());
    let url = format!("sqlite:{}", path.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let (tables,): (i64,) = sqlx::query_as("select count(*) from sqlite_master")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn failing_migration_is_not_called_a_changed_one() {
    let folder = files(&[SQLITE]);
    let started = on(folder.path())
        .migrations(Migrations::embedded(&[(
            1,
            "create items",
            "create tabel items (id integer)",
        )]))
        .try_start(with_sqlite)
        .await;
    let error = started.expect_err("refused").to_string();
    assert!(
        error.contains("cannot apply the migrations") && error.contains("syntax error"),
        "{error}"
    );
    assert!(!error.contains("never changes"), "{error}");
}

#[tokio::test]
async fn silent_server_uses_up_no_more_than_the_budget() {
    // Connections wait in the kernel's queue: nobody accepts them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (file, section) in [(POSTGRES, "postgres"), (REDIS, "redis")] {
        let folder = files(&[file]);
        let started = on(folder.path())
            .set(format!("{section}.host"), "127.0.0.1")
            .set(
                format!("{section}.port"),
                silent.local_addr().unwrap().port().to_string(),
            )
            .set("service.start_budget", "200ms")
            .try_start(
                async |service: Service<Settings>| -> Result<App, StartError> {
                    Ok(service.routes(Router::new()))
                },
            );
        let started = tokio::time::timeout(std::time::Duration::from_secs(4), started);
        let error = started
            .await
            .expect("an end")
            .expect_err("refused")
            .to_string();
        assert!(error.contains("timed out"), "{error}");
    }
}

#[tokio::test]
async fn pending_migrations_keep_the_service_from_starting() {
    let folder = files(&[SQLITE]);
    let started = on(folder.path())
        .migrations(Migrations::embedded(ITEMS))
        .set("service.migrate_on_start", "false")
        .try_start(with_sqlite)
        .await;
    let error = started.expect_err("refused").to_string();
    assert_eq!(
        error,
        "the database lacks 1 of this version's migrations: 0001 create items\n  \
         hint: run `smart-service migrate` before the service, or set `service.migrate_on_start = true`"
    );
}

#[tokio::test]
async fn pool_without_its_section_names_the_lines_to_add() {
    let folder = files(&[]);
    let started = on(folder.path()).try_start(with_postgres).await;
    let error = started.expect_err("refused").to_string();
    assert!(
        error.starts_with(
            "the service uses `postgres`, but the configuration has no `[postgres]` section"
        ),
        "{error}"
    );
    assert!(
        error.contains("config/default.toml") && error.contains("password = \"\""),
        "{error}"
    );
}

#[tokio::test]
async fn wrong_password_is_refused_at_once_with_the_real_cause() {
    let folder = files(&[REDIS]);
    let started = on(folder.path())
        .set("redis.password", "wrong-guess")
        .try_start(with_redis)
        .await;
    let error = started.expect_err("refused").to_string();
    assert!(
        error.contains("cannot connect to Redis at 127.0.0.1:"),
        "{error}"
    );
    assert!(
        error.contains("authentication failed") && !error.contains("wrong-guess"),
        "{error}"
    );
}
