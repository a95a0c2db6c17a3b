//! A probe that blocks its thread: real threads and real time, as nothing can pause those.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

use healthcheck::{Change, Check, Monitor, MonitorConfig};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_blocks_its_thread_goes_stale_and_comes_back() {
    let (let_go, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let asked = AtomicUsize::new(0);
    let check = Check::new("stock", move || {
        if asked.fetch_add(1, SeqCst) == 1 {
            let _ = blocked.lock().unwrap().recv();
        }
        async { Ok::<_, Infallible>("answered".to_owned()) }
    });
    let changes = Arc::new(Mutex::new(Vec::new()));
    let told = changes.clone();
    let config = MonitorConfig {
        success_ttl: Duration::from_millis(20),
        failure_ttl: Duration::from_millis(20),
        deadline: Duration::from_millis(10),
        ..MonitorConfig::default()
    };
    let monitor = Monitor::start(config, vec![check], move |change: &Change| {
        told.lock().unwrap().push(change.passed);
    })
    .unwrap();
    monitor.first_round().await;

    until(|| monitor.report().results[0].output.starts_with("stale: ")).await;
    assert!(!monitor.readiness().ready);

    let_go.send(()).unwrap();
    until(|| monitor.readiness().ready).await;
    until(|| changes.lock().unwrap().last() == Some(&true)).await;
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_does_not_wait_for_ever_on_a_blocked_thread() {
    let (let_go, blocked) = mpsc::channel::<()>();
    let (entered, inside) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let check = Check::new("stock", move || {
        entered.send(()).unwrap();
        let _ = blocked.lock().unwrap().recv();
        async { Ok::<_, Infallible>(String::new()) }
    });
    let monitor = Monitor::start(MonitorConfig::default(), vec![check], |_| {}).unwrap();
    until(|| inside.try_recv().is_ok()).await;
    let start = Instant::now();
    monitor.stop().await;
    assert!(start.elapsed() < Duration::from_secs(5));
    let_go.send(()).unwrap();
}

/// Asks again and again, without a timer: timers may hang on the very thread that is blocked.
async fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "it never happened"
        );
        tokio::task::yield_now().await;
    }
}
