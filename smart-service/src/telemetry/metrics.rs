//! Prometheus metrics, rendered on demand.

use std::fmt;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use smart_config::Realm;

use super::process;
use crate::About;

/// One service's metrics. Code records with the macros of the `metrics` crate.
pub(crate) struct Metrics {
    recorder: SharedRecorder,
    handle: PrometheusHandle,
}

/// Upper bounds of the duration buckets in seconds: OpenTelemetry's for HTTP servers.
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// How often recorded durations are sorted into their buckets when nobody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

impl Metrics {
    pub(crate) fn new(about: About, realm: &Realm) -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .expect("the list of buckets is not empty")
            .build_recorder();
        let handle = recorder.handle();
        let recorder = SharedRecorder(std::sync::Arc::new(recorder));
        ::metrics::with_local_recorder(&recorder, || {
            describe();
            process::describe();
            let labels = [
                ("service", about.name.to_owned()),
                ("version", about.version.to_owned()),
                ("commit", about.commit.to_owned()),
                ("realm", realm.to_string()),
            ];
            ::metrics::gauge!("build_info", &labels).set(1.0);
        });
        Self { recorder, handle }
    }

    pub(crate) fn recorder(&self) -> SharedRecorder {
        self.recorder.clone()
    }

    /// The text format, with the state of the process as of now.
    pub(crate) fn render(&self) -> String {
        ::metrics::with_local_recorder(&self.recorder, process::record);
        self.handle.render()
    }

    /// Keeps histograms small while nobody reads them; never returns.
    pub(crate) async fn keep_up(handle: PrometheusHandle) {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tick.tick().await;
            handle.run_upkeep();
        }
    }

    pub(crate) fn handle(&self) -> PrometheusHandle {
        self.handle.clone()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The recorder as a value that can be installed more than once: for a process, or for a thread.
#[derive(Clone)]
pub(crate) struct SharedRecorder(std::sync::Arc<PrometheusRecorder>);

impl ::metrics::Recorder for SharedRecorder {
    fn describe_counter(
        &self,
        key: ::metrics::KeyName,
        unit: Option<::metrics::Unit>,
        text: ::metrics::SharedString,
    ) {
        self.0.describe_counter(key, unit, text);
    }

    fn describe_gauge(
        &self,
        key: ::metrics::KeyName,
        unit: Option<::metrics::Unit>,
        text: ::metrics::SharedString,
    ) {
        self.0.describe_gauge(key, unit, text);
    }

    fn describe_histogram(
        &self,
        key: ::metrics::KeyName,
        unit: Option<::metrics::Unit>,
        text: ::metrics::SharedString,
    ) {
        self.0.describe_histogram(key, unit, text);
    }

    fn register_counter(
        &self,
        key: &::metrics::Key,
        metadata: &::metrics::Metadata<'_>,
    ) -> ::metrics::Counter {
        self.0.register_counter(key, metadata)
    }

    fn register_gauge(
        &self,
        key: &::metrics::Key,
        metadata: &::metrics::Metadata<'_>,
    ) -> ::metrics::Gauge {
        self.0.register_gauge(key, metadata)
    }

    fn register_histogram(
        &self,
        key: &::metrics::Key,
        metadata: &::metrics::Metadata<'_>,
    ) -> ::metrics::Histogram {
        self.0.register_histogram(key, metadata)
    }
}

fn describe() {
    use ::metrics::{describe_counter, describe_gauge, describe_histogram};

    describe_counter!(
        "http_requests_total",
        "Requests answered, by method, route and status; 499: the caller went away"
    );
    describe_histogram!(
        "http_request_duration_seconds",
        "Time from a request's headers to its answer's"
    );
    describe_gauge!("http_requests_in_flight", "Requests being answered now");
    describe_counter!("panics_total", "Panics of handlers and tasks");
    describe_gauge!(
        "db_pool_connections",
        "Open connections of a pool, by state"
    );
    describe_gauge!(
        "db_pool_connections_max",
        "Most connections a pool may open"
    );
    describe_gauge!("healthcheck_passed", "1 while a check passes, else 0");
    describe_gauge!("build_info", "Always 1; the labels say what runs");
}
