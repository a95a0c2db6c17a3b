//! Engines that are really stopped, killed, frozen or absent, under a running process.

use local_engines::{Postgres, Redis};
use rustix::process::Signal;
use smart_testing::eventually;

use crate::engines::{PASSWORD, POSTGRES, REDIS, own_postgres};
use crate::fixture::{Fixture, Running};

/// Checks run every second, so that a test sees a change soon.
fn watchful() -> Fixture {
    Fixture::new()
        .set("health.success_ttl", "1s")
        .set("health.failure_ttl", "1s")
}

fn with_postgres(postgres: &Postgres) -> Fixture {
    watchful()
        .file("config/default.toml", POSTGRES)
        .set("postgres.port", postgres.port())
        .set("postgres.password", PASSWORD)
        .set("service.migrate_on_start", "true")
}

fn with_redis(redis: &Redis) -> Fixture {
    watchful()
        .file("config/default.toml", REDIS)
        .set("redis.port", redis.port())
}

const REFUSED: &str = "connection refused: nothing listens there";

/// Red in the way that is promised: alive, not ready, and only this check is to blame.
async fn turns_red(service: &mut Running, check: &str, cause: &str) {
    eventually("readiness is red", async || {
        (service.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    let ready = service.get("/readyz").await.json();
    assert_eq!(ready["failing"], serde_json::json!([check]));
    let (status, failing) = service.failing().await;
    assert_eq!((status, failing.len()), (503, 1), "{failing:#?}");
    assert_eq!(failing[0].0, check);
    assert!(failing[0].1.contains(cause), "{failing:#?}");
    assert_eq!(service.get("/livez").await.status, 200);
    assert_eq!(service.get("/startupz").await.status, 200);
    assert_eq!(
        service.get("/hello").await.status,
        200,
        "other routes go on"
    );
}

async fn turns_green(service: &mut Running, route: &str) {
    service.becomes_ready().await;
    assert_eq!(service.failing().await, (200, Vec::new()));
    eventually("the routes of the engine answer again", async || {
        (service.get(route).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn service_outlives_every_outage_of_postgres() {
    let mut postgres = own_postgres();
    let mut service = with_postgres(&postgres).ready().await;
    assert_eq!(service.get("/count").await.body, "0");

    postgres.stop();
    turns_red(&mut service, "postgres", REFUSED).await;
    assert_eq!(service.get("/count").await.status, 500);
    postgres.restart().unwrap();
    turns_green(&mut service, "/count").await;

    postgres.kill();
    turns_red(&mut service, "postgres", REFUSED).await;
    postgres.restart().unwrap();
    turns_green(&mut service, "/count").await;

    postgres.pause();
    turns_red(&mut service, "postgres", "").await;
    postgres.resume();
    turns_green(&mut service, "/count").await;
}

#[tokio::test]
async fn service_outlives_every_outage_of_redis() {
    let mut redis = Redis::start().unwrap();
    let mut service = with_redis(&redis).ready().await;
    assert_eq!(service.get("/visit").await.body, "1");

    redis.stop();
    turns_red(&mut service, "redis", REFUSED).await;
    redis.restart().unwrap();
    turns_green(&mut service, "/visit").await;

    redis.kill();
    turns_red(&mut service, "redis", REFUSED).await;
    redis.restart().unwrap();
    turns_green(&mut service, "/visit").await;

    redis.pause();
    turns_red(&mut service, "redis", "").await;
    redis.resume();
    turns_green(&mut service, "/visit").await;
}

/// Alive but not started, and saying what it waits for.
async fn waits_for(service: &mut Running, engine: &str) {
    eventually("the service says what it waits for", async || {
        let (status, failing) = service.failing().await;
        assert_eq!((status, failing.len()), (503, 1), "{failing:#?}");
        assert_eq!(failing[0].0, "startup");
        failing[0]
            .1
            .starts_with(&format!("waiting for {engine} at "))
            .then_some(())
    })
    .await;
    let (_, failing) = service.failing().await;
    assert!(failing[0].1.ends_with(REFUSED), "{failing:#?}");
    assert_eq!(service.get("/livez").await.status, 200);
    assert_eq!(service.get("/startupz").await.status, 503);
    assert_eq!(service.get("/readyz").await.status, 503);
    assert_eq!(service.get("/hello").await.status, 503);
}

#[tokio::test]
async fn service_waits_for_postgres_that_comes_late() {
    let mut postgres = own_postgres();
    postgres.stop();
    let mut service = with_postgres(&postgres).start();
    waits_for(&mut service, "PostgreSQL").await;
    // Who comes too early is sent away, and nobody is woken for it.
    assert_eq!(service.get("/count").await.status, 503);
    postgres.restart().unwrap();
    turns_green(&mut service, "/count").await;
    assert_eq!(service.get("/startupz").await.status, 200);
    service.signal(Signal::TERM);
    let ended = service.ended().await;
    assert!(!ended.stdout.contains("ERROR"), "{}", ended.stdout);
}

#[tokio::test]
async fn service_waits_for_redis_that_comes_late() {
    let mut redis = Redis::start().unwrap();
    redis.stop();
    let mut service = with_redis(&redis).start();
    waits_for(&mut service, "Redis").await;
    redis.restart().unwrap();
    turns_green(&mut service, "/visit").await;
    assert_eq!(service.get("/startupz").await.status, 200);
}

#[tokio::test]
async fn service_whose_postgres_never_comes_ends_with_the_real_cause() {
    let mut postgres = own_postgres();
    postgres.stop();
    let mut service = with_postgres(&postgres)
        .set("service.start_budget", "5s")
        .start();
    waits_for(&mut service, "PostgreSQL").await;
    let ended = service.ended().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(REFUSED), "{}", ended.stderr);
}

#[tokio::test]
async fn service_whose_redis_never_comes_ends_with_the_real_cause() {
    let mut redis = Redis::start().unwrap();
    redis.stop();
    let fixture = with_redis(&redis).set("service.start_budget", "5s");
    let mut service = fixture.start();
    waits_for(&mut service, "Redis").await;
    let ended = service.ended().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(REFUSED), "{}", ended.stderr);
}
