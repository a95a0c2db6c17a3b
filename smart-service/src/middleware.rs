//! What happens to every request, in order.
//!
//! | layer | what it adds |
//! | --- | --- |
//! | `observe` | request id, trace context, log scope, metrics, one access line, one error line for a 5xx, security headers |
//! | `problems` | bodies of plain errors (axum's rejections, unknown routes) become problem documents |
//! | `panic` | a panic becomes a 500 |
//! | time-out | a handler that takes longer than `[http] request_timeout` becomes a 503 |
//! | body limit | a body above `[http] body_limit` becomes a 413 |

pub(crate) mod observe;
pub(crate) mod panic;
mod problems;

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::Service;
use tower_http::limit::RequestBodyLimitLayer;

use self::observe::Traffic;
use crate::lifecycle::LateRoutes;
use crate::problem::Problem;
use crate::settings::HttpConfig;

/// Puts the standard stack around the routes of a service. The layer written last is the outermost.
pub(crate) fn standard(routes: Router, http: &HttpConfig, traffic: &Traffic) -> Router {
    routes
        // The limit below counts bytes for every reader of the body; axum's own would only bind its extractors, at 2 MB.
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(http.body_limit))
        .layer(from_fn_with_state(http.request_timeout, time_out))
        .layer(from_fn(panic::catch))
        .layer(from_fn_with_state(http.body_limit, problems::explain))
        .layer(from_fn_with_state(traffic.clone(), observe::observe))
}

/// Puts the stack of the health endpoints around them: no limits to run into, no access line while green.
pub(crate) fn probes(routes: Router, http: &HttpConfig, traffic: &Traffic) -> Router {
    routes
        .layer(from_fn_with_state(http.body_limit, problems::explain))
        .layer(from_fn_with_state(traffic.clone(), observe::observe_probe))
}

/// Puts the stack of the admin endpoints around them. They are no traffic of the service.
pub(crate) fn admin(routes: Router, http: &HttpConfig) -> Router {
    routes
        .layer(DefaultBodyLimit::max(ADMIN_BODY_LIMIT))
        .layer(from_fn_with_state(http.request_timeout, time_out))
        .layer(from_fn(panic::catch))
        .layer(from_fn_with_state(ADMIN_BODY_LIMIT, problems::explain))
        .layer(from_fn_with_state(
            Traffic::default(),
            observe::observe_probe,
        ))
}

/// The largest body they take is a log level.
const ADMIN_BODY_LIMIT: usize = 4096;

/// Stands where the routes of the service will be: answers 503 until they exist.
pub(crate) fn gate(routes: LateRoutes, http: &HttpConfig, traffic: &Traffic) -> Gate {
    let starting = Router::new().fallback(async || {
        let mut response = Problem::of_status(StatusCode::SERVICE_UNAVAILABLE).into_response();
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    });
    Gate {
        routes,
        starting: standard(starting, http, traffic),
    }
}

/// See [`gate`].
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    routes: LateRoutes,
    starting: Router,
}

impl Service<Request> for Gate {
    type Response = Response;
    type Error = Infallible;
    type Future = <Router as Service<Request>>::Future;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // Cloning a router is cloning a pointer.
        self.routes
            .get()
            .unwrap_or(&self.starting)
            .clone()
            .call(request)
    }
}

async fn time_out(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::of_status(StatusCode::SERVICE_UNAVAILABLE)
            .because(format!(
                "the handler took longer than {} (`http.request_timeout`)",
                humantime::format_duration(limit)
            ))
            .into_response(),
    }
}
