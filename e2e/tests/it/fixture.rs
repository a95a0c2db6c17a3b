//! The service of this package in a folder of its own: what it is configured with, and the process.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;

use reqwest::Client;
use serde_json::Value;
use smart_testing::eventually;
use tempfile::TempDir;

use crate::process::{Ended, Process};

/// A folder with configuration, and the environment of the processes started there. Nothing else reaches them.
#[derive(Debug)]
pub(crate) struct Fixture {
    folder: TempDir,
    variables: Vec<(String, String)>,
    settings: Vec<String>,
}

/// The serving process.
#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    client: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Fixture {
    /// Realm `local` with an empty `config/default.toml`, on free ports.
    pub(crate) fn new() -> Self {
        let fixture = Self {
            folder: TempDir::new().unwrap(),
            variables: Vec::new(),
            settings: Vec::new(),
        };
        fixture
            .file("config/default.toml", "")
            .variable("SMART__HTTP__PORT", "0")
            .variable("SMART__ADMIN__PORT", "0")
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub(crate) fn file(self, relative: &str, text: &str) -> Self {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn realm(self, realm: &str) -> Self {
        self.variable("SMART_REALM", realm)
    }

    /// Adds `--set key=value`.
    pub(crate) fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.push("--set".to_owned());
        self.settings.push(format!("{key}={}", value.to_string()));
        self
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        Process::spawn(&mut self.command(arguments)).ended().await
    }

    /// Starts serving; returns at once.
    pub(crate) fn start(&self) -> Running {
        // Fails only when a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Running {
            process: Process::spawn(&mut self.command(&[])),
            client: Client::new(),
        }
    }

    /// Starts serving and waits until it is ready.
    pub(crate) async fn ready(&self) -> Running {
        let mut service = self.start();
        service.becomes_ready().await;
        service
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_e2e"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().cloned())
            .args(arguments)
            .args(&self.settings);
        command
    }
}

impl Running {
    /// Addresses of the main and the admin listener, once it listens.
    pub(crate) async fn addresses(&mut self) -> (SocketAddr, SocketAddr) {
        eventually("the service listens", async || {
            let output = self.stdout();
            if let Some(addresses) = listening(&output) {
                return Some(addresses);
            }
            assert!(!self.has_ended(), "the service ended:\n{}", self.stderr());
            None
        })
        .await
    }

    pub(crate) async fn becomes_ready(&mut self) {
        eventually("the service is ready", async || {
            assert!(!self.has_ended(), "the service ended:\n{}", self.stderr());
            (self.get("/readyz").await.status == 200).then_some(())
        })
        .await;
    }

    /// GET of a path on the main listener.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let (address, _) = self.addresses().await;
        answer(self.client.get(format!("http://{address}{path}"))).await
    }

    /// GET of a path on the admin listener.
    pub(crate) async fn admin(&mut self, path: &str) -> Answer {
        let (_, address) = self.addresses().await;
        answer(self.client.get(format!("http://{address}{path}"))).await
    }

    /// Status code of `/healthcheck`, and name and text of each check that fails.
    pub(crate) async fn failing(&mut self) -> (u16, Vec<(String, String)>) {
        let answer = self.get("/healthcheck").await;
        let results = answer.json()["results"].take();
        let failing = results.as_array().unwrap().iter();
        let failing = failing.filter(|result| result["passed"] == false);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let failing = failing.map(|result| (text(&result["checker"]), text(&result["output"])));
        (answer.status, failing.collect())
    }

    pub(crate) async fn ended(self) -> Ended {
        self.process.ended().await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Deref for Running {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        body: response.text().await.unwrap(),
    }
}

/// `... listens on 127.0.0.1:4000 (admin on 127.0.0.1:4001)`
fn listening(output: &str) -> Option<(SocketAddr, SocketAddr)> {
    let (_, rest) = output.split_once(" listens on ")?;
    let (main, rest) = rest.split_once(" (admin on ")?;
    let (admin, _) = rest.split_once(')')?;
    Some((main.parse().unwrap(), admin.parse().unwrap()))
}
