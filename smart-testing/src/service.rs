//! The service under test.

use std::net::SocketAddr;
use std::path::PathBuf;

use local_engines::{Postgres, Redis};
use reqwest::{Client, Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smart_service::config::{Loader, Realm};
use smart_service::embedded::{Embedded, Embedding, Stopped};
use smart_service::{About, App, Migrations, Program, Service, StartError};
use tempfile::TempDir;

use crate::{ChaosProxy, Logs};

/// Describes the service under test; `about` is [`smart_service::about!`].
pub fn service(about: About) -> ServiceBuilder {
    ServiceBuilder {
        program: smart_service::program(about),
        name: about.name,
        folder: PathBuf::from("config"),
        overrides: Vec::new(),
    }
}

/// A service under test that has not started.
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct ServiceBuilder {
    program: Program,
    name: &'static str,
    folder: PathBuf,
    overrides: Vec<(String, String)>,
}

/// A running service. Its engines, its files and itself are gone when it is dropped.
#[derive(Debug)]
pub struct TestService {
    // Dropped in this order: the service before what it depends on.
    service: Embedded,
    logs: Logs,
    client: Client,
    surroundings: Surroundings,
}

/// What was started for one test.
#[derive(Debug, Default)]
struct Surroundings {
    postgres: Option<ChaosProxy>,
    redis: Option<ChaosProxy>,
    _redis_server: Option<Redis>,
    _files: Option<TempDir>,
}

impl ServiceBuilder {
    /// The migrations of the service; they are applied to the fresh database at start.
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.program = self.program.migrations(migrations);
        self
    }

    /// Folder with the configuration files. Default `config`, from the folder of the package.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// A setting above all files, for example `("http.body_limit", "1KiB")`.
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.push((key.into(), value.into()));
        self
    }

    /// Starts the service and returns once it serves.
    ///
    /// # Panics
    /// When it cannot start, with the report that the program would print; and when an engine is not installed.
    pub async fn start<S, F, Fut>(self, service: F) -> TestService
    where
        S: DeserializeOwned + Serialize + Send + 'static,
        F: FnOnce(Service<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<App, StartError>> + Send,
    {
        let name = self.name;
        match self.try_start(service).await {
            Ok(service) => service,
            Err(error) => panic!("{name} cannot start: {error}"),
        }
    }

    /// Like [`start`](Self::start), for tests of what keeps a service from starting.
    ///
    /// # Errors
    /// What `main` would print.
    pub async fn try_start<S, F, Fut>(self, service: F) -> Result<TestService, StartError>
    where
        S: DeserializeOwned + Serialize + Send + 'static,
        F: FnOnce(Service<S>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<App, StartError>> + Send,
    {
        let files = Loader::new(Realm::local(), &self.folder);
        let mut overrides: Vec<(String, String)> = DEFAULTS
            .map(|(key, value)| (key.into(), value.into()))
            .into();
        let mut surroundings = Surroundings::default();
        if files.has_section("postgres") {
            surroundings.postgres = Some(database(self.name, &mut overrides).await?);
        }
        if files.has_section("sqlite") {
            let files = TempDir::new()?;
            let path = files.path().join("test.db");
            overrides.push(("sqlite.path".into(), path.to_string_lossy().into_owned()));
            surroundings._files = Some(files);
        }
        if files.has_section("redis") {
            let server = blocking(Redis::start).await?;
            let proxy = ChaosProxy::start((server.host().to_owned(), server.port())).await?;
            point(&mut overrides, "redis", &proxy);
            surroundings.redis = Some(proxy);
            surroundings._redis_server = Some(server);
        }
        overrides.extend(self.overrides);

        let logs = Logs::default();
        let embedding = Embedding {
            realm: Realm::local(),
            folder: self.folder,
            overrides,
            lines: logs.sink(),
        };
        let service = self.program.start(embedding, service).await?;
        // Fails only when a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(TestService {
            service,
            logs,
            client: Client::new(),
            surroundings,
        })
    }
}

/// Free ports, quick checks, JSON lines that a test can read.
const DEFAULTS: [(&str, &str); 9] = [
    ("http.host", "127.0.0.1"),
    ("http.port", "0"),
    ("admin.host", "127.0.0.1"),
    ("admin.port", "0"),
    ("health.success_ttl", "1s"),
    ("health.failure_ttl", "1s"),
    ("log.format", "json"),
    ("service.migrate_on_start", "true"),
    ("service.unready_wait", "0s"),
];

/// A database of its own in the cluster that all tests share, behind a proxy of its own.
async fn database(
    service: &'static str,
    overrides: &mut Vec<(String, String)>,
) -> Result<ChaosProxy, StartError> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);

    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{service}_{}_{count}", std::process::id()).replace('-', "_");
    let (owner, cluster) = (name.clone(), blocking(Postgres::shared).await?);
    let proxy = ChaosProxy::start((cluster.host().to_owned(), cluster.port())).await?;
    blocking(move || cluster.create_database(&owner, &owner, PASSWORD)).await?;
    point(overrides, "postgres", &proxy);
    for (key, value) in [
        ("user", name.as_str()),
        ("database", &name),
        ("password", PASSWORD),
    ] {
        overrides.push((format!("postgres.{key}"), value.to_owned()));
    }
    Ok(proxy)
}

/// Of a role that exists for one test on loopback.
const PASSWORD: &str = "only-for-this-test";

fn point(overrides: &mut Vec<(String, String)>, section: &str, proxy: &ChaosProxy) {
    overrides.push((format!("{section}.host"), proxy.address().ip().to_string()));
    overrides.push((
        format!("{section}.port"),
        proxy.address().port().to_string(),
    ));
}

/// Starting an engine takes its time, and other tests share this thread.
async fn blocking<T, E, F>(work: F) -> Result<T, StartError>
where
    T: Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
    F: FnOnce() -> Result<T, E> + Send + 'static,
{
    Ok(tokio::task::spawn_blocking(work).await??)
}

impl TestService {
    /// GET of a path on the main listener, such as `/v1/items`.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// POST to a path on the main listener.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// PUT to a path on the main listener.
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    /// DELETE of a path on the main listener.
    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Any request to a path on the main listener.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// The full URL of a path on the main listener.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.service.address())
    }

    /// The full URL of a path on the admin listener, such as `/metrics`.
    #[must_use]
    pub fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.service.admin_address())
    }

    /// The HTTP client of this test.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Address of the main listener, for tests that speak TCP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.service.address()
    }

    /// What the service logged.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// The way to the database: cut it, stall it, restore it.
    ///
    /// # Panics
    /// When the configuration has no `[postgres]`.
    #[must_use]
    pub fn postgres(&self) -> &ChaosProxy {
        self.surroundings
            .postgres
            .as_ref()
            .expect("the configuration of this service has `[postgres]`")
    }

    /// The way to Redis: cut it, stall it, restore it.
    ///
    /// # Panics
    /// When the configuration has no `[redis]`.
    #[must_use]
    pub fn redis(&self) -> &ChaosProxy {
        self.surroundings
            .redis
            .as_ref()
            .expect("the configuration of this service has `[redis]`")
    }

    /// Drains and stops the service, as SIGTERM would.
    pub async fn stop(self) -> Stopped {
        self.service.stop().await
    }
}
