//! The two servers that `requests` compares: the same routes, once in the framework, once in axum alone.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use axum::extract::{Json, Path as Parameter};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use serde::{Deserialize, Serialize};
use smart_service::{App, Service, StartError, about};

use crate::server;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rival {
    Framework,
    Bare,
}

/// The variable that turns this program into one of the servers.
const VARIABLE: &str = "BENCH_SERVER";

/// Which server this process is meant to be, if any.
pub(crate) fn role() -> Option<Rival> {
    let name = std::env::var_os(VARIABLE)?;
    [Rival::Framework, Rival::Bare]
        .into_iter()
        .find(|rival| name == rival.name())
}

impl Rival {
    fn name(self) -> &'static str {
        match self {
            Self::Framework => "framework",
            Self::Bare => "bare",
        }
    }

    /// The command that starts this server in a folder with configuration.
    pub(crate) fn command(self, folder: &Path) -> anyhow::Result<Command> {
        let this = std::env::current_exe().context("cannot find the file of this program")?;
        let variables = [(VARIABLE, self.name().to_owned())];
        Ok(server::command(&this, folder, &variables))
    }

    /// Serves until it is killed.
    pub(crate) fn serve(self) -> ExitCode {
        match self {
            Self::Framework => smart_service::program(about!()).run(framework),
            Self::Bare => match bare() {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("bench: the bare server cannot run: {error:#}");
                    ExitCode::FAILURE
                }
            },
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
struct Settings {}

async fn framework(service: Service<Settings>) -> Result<App, StartError> {
    Ok(service.routes(routes()))
}

/// As many threads as the framework's runtime, and sockets set alike.
#[tokio::main]
async fn bare() -> anyhow::Result<()> {
    let port = std::env::var("SMART__HTTP__PORT")?.parse()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = tokio::net::TcpListener::bind(address).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, routes()).await?;
    Ok(())
}

fn routes() -> axum::Router {
    axum::Router::new()
        .route("/hello", get(async || "hello"))
        .route("/v1/items", post(create))
        .route("/v1/items/{id}", get(item))
}

#[derive(Debug, Serialize)]
struct Item {
    id: u64,
    name: String,
    quantity: i64,
}

#[derive(Debug, Deserialize)]
struct NewItem {
    name: String,
    quantity: i64,
}

async fn item(Parameter(id): Parameter<u64>) -> Json<Item> {
    Json(Item {
        id,
        name: "bolt".to_owned(),
        quantity: 12,
    })
}

async fn create(Json(NewItem { name, quantity }): Json<NewItem>) -> (StatusCode, Json<Item>) {
    let id = 1;
    let item = Item { id, name, quantity };
    (StatusCode::CREATED, Json(item))
}
