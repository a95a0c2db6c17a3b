//! A service with a route for each thing that can happen.

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path as Segment, Query, Request};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use smart_service::config::Secret;
use smart_service::request::RequestContext;
use smart_service::{App, Problem, Service, StartError, about};
use smart_testing::{ServiceBuilder, TestService};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Secret>,
}

#[derive(Debug, thiserror::Error)]
#[error("the ledger is closed")]
pub(crate) struct Closed(#[source] std::fmt::Error);

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    quantity: u32,
}

#[derive(Debug, Deserialize)]
struct Page {
    limit: u32,
}

/// A body that panics while it is sent.
struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        tracing::info!("inside the stream");
        panic!("the stream ran dry")
    }
}

/// A body that is never complete.
struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// A folder with configuration files.
pub(crate) fn files(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// The fixture service on these files.
pub(crate) fn on(folder: &Path) -> ServiceBuilder {
    smart_testing::service(about!()).folder(folder)
}

/// The fixture service without any file.
pub(crate) async fn start() -> TestService {
    let folder = files(&[]);
    on(folder.path()).start(service).await
}

pub(crate) async fn service(service: Service<Settings>) -> Result<App, StartError> {
    let key = service.settings().key.clone();
    Ok(service.routes(routes(key)))
}

pub(crate) fn routes(key: Option<Secret>) -> Router {
    let careless = key.clone();
    Router::new()
        .route("/hello", get(async || "hello"))
        .route(
            "/orders/{id}",
            get(async |Segment(id): Segment<u32>| Json(Order { quantity: id })),
        )
        .route(
            "/orders",
            post(async |Json(order): Json<Order>| Json(order)),
        )
        .route(
            "/page",
            get(async |Query(page): Query<Page>| page.limit.to_string()),
        )
        .route(
            "/context",
            get(async |context: RequestContext| context.outgoing()),
        )
        .route(
            "/fail",
            get(async || -> Result<(), Problem> { Err(Closed(std::fmt::Error))? }),
        )
        .route(
            "/plain-500",
            get(async || (StatusCode::BAD_GATEWAY, "upstream 10.0.0.7 said no")),
        )
        .route(
            "/endless-500",
            get(async || (StatusCode::BAD_GATEWAY, Body::new(Endless))),
        )
        .route("/upgrade", get(upgrade))
        .route("/large", get(async || vec![0_u8; 32 * 1024 * 1024]))
        .route("/broken", get(async || Body::new(Broken)))
        .route(
            "/raw",
            post(async |body: Body| -> Result<String, Problem> {
                let bytes = axum::body::to_bytes(body, usize::MAX).await?;
                Ok(bytes.len().to_string())
            }),
        )
        .route(
            "/own-413",
            get(async || (StatusCode::PAYLOAD_TOO_LARGE, "at most 10 items")),
        )
        .route(
            "/teapot",
            get(async || Problem::new(StatusCode::IM_A_TEAPOT, "short and stout")),
        )
        .route(
            "/invalid",
            get(async || {
                Problem::invalid("the order is not valid")
                    .violation("quantity", "must be at least 1")
            }),
        )
        .route("/bare-404", get(async || StatusCode::NOT_FOUND))
        .route(
            "/html",
            get(async || (StatusCode::NOT_FOUND, axum::response::Html("<h1>no</h1>"))),
        )
        .route(
            "/panic",
            get(async || -> () { panic!("the counter overflowed") }),
        )
        .route("/log", get(async || tracing::info!("inside the handler")))
        .route(
            "/slow",
            get(async || tokio::time::sleep(Duration::from_millis(300)).await),
        )
        .route("/never", get(std::future::pending::<()>))
        .route(
            "/leak",
            get(async move || -> Result<(), Problem> {
                let secret = key.map(|key| key.expose().clone()).unwrap_or_default();
                tracing::info!("careless line with {secret}");
                Err(std::io::Error::other(format!(
                    "careless error with {secret}"
                )))?
            }),
        )
        .route(
            "/leak-panic",
            get(async move || -> () {
                let secret = careless.map(|key| key.expose().clone()).unwrap_or_default();
                panic!("careless panic with {secret:?}")
            }),
        )
}

/// Sends back what it gets, in a protocol of its own.
async fn upgrade(mut request: Request) -> (StatusCode, [(&'static str, &'static str); 2]) {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgraded.await.unwrap());
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() {
            stream.write_all(&byte).await.unwrap();
        }
    });
    let headers = [("connection", "upgrade"), ("upgrade", "echo")];
    (StatusCode::SWITCHING_PROTOCOLS, headers)
}
