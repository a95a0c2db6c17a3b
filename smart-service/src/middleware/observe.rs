//! Request id, trace context, log scope, metrics, access line: what is known about every request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tracing::{Instrument, Span};

use crate::problem::Cause;
use crate::request::{REQUEST_ID, RequestContext, TRACERESPONSE};

/// Requests of one service: how many were answered, and whether their connections should end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    finished: AtomicUsize,
    closing: AtomicBool,
}

impl Traffic {
    /// Requests answered so far.
    pub(crate) fn finished(&self) -> usize {
        self.0.finished.load(Ordering::Relaxed)
    }

    /// From now on every answer carries `Connection: close`.
    pub(crate) fn close_connections(&self) {
        self.0.closing.store(true, Ordering::Relaxed);
    }
}

/// Observes one request of the service's own routes: counted, and always one access line.
pub(crate) async fn observe(
    State(traffic): State<Traffic>,
    request: Request,
    next: Next,
) -> Response {
    run(traffic, Kind::Traffic, request, next).await
}

/// Observes one request of a machine that watches: not counted, and an access line only when the answer is red.
pub(crate) async fn observe_probe(
    State(traffic): State<Traffic>,
    request: Request,
    next: Next,
) -> Response {
    run(traffic, Kind::Probe, request, next).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Traffic,
    Probe,
}

async fn run(traffic: Traffic, kind: Kind, request: Request, next: Next) -> Response {
    let context = RequestContext::accept(request.headers());
    // At level error, so that a filter of `warn` does not take the request id away from the lines it lets through.
    let span = tracing::error_span!(
        "request",
        request_id = context.request_id(),
        trace_id = %context.trace().trace_id()
    );
    let (answered, stream_span) = (context.clone(), span.clone());
    let exchange = Exchange::begin(&request, traffic.clone(), kind);
    let answer = async move {
        let response = next.run(request).await;
        exchange.end(&response);
        response
    };
    let mut response = context.scope(answer.instrument(span)).await;
    finish_headers(response.headers_mut(), &answered);
    if response.body().size_hint().exact().is_none() {
        response = response.map(|body| {
            Body::new(Stream {
                body,
                context: answered,
                span: stream_span,
            })
        });
    }
    // An upgrade needs that header for itself.
    let upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if traffic.0.closing.load(Ordering::Relaxed) && !upgrade {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The body of an answer that is made while it is sent: what happens then belongs to the request too.
struct Stream {
    body: Body,
    context: RequestContext,
    span: Span,
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let _entered = this.span.enter();
        let body = Pin::new(&mut this.body);
        this.context.scope_now(|| body.poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// One request and its answer. Dropped before its end when the caller went away.
struct Exchange {
    traffic: Traffic,
    kind: Kind,
    method: Method,
    path: String,
    route: Option<MatchedPath>,
    started: Instant,
    ended: bool,
}

impl Exchange {
    fn begin(request: &Request, traffic: Traffic, kind: Kind) -> Self {
        if kind == Kind::Traffic {
            metrics::gauge!("http_requests_in_flight").increment(1);
        }
        Self {
            traffic,
            kind,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            started: Instant::now(),
            ended: false,
        }
    }

    fn end(mut self, response: &Response) {
        self.ended = true;
        self.traffic.0.finished.fetch_add(1, Ordering::Relaxed);
        let status = response.status();
        let cause = response.extensions().get::<Cause>().map(|cause| &*cause.0);
        // A 5xx without a cause is no failure of its own: a red probe, or a request to a service that is still starting.
        if let Some(cause) = cause.filter(|_| status.is_server_error()) {
            let (method, route) = (&self.method, self.route());
            tracing::error!(http.method = %method, http.route = route, http.status = status.as_u16(), "request failed: {cause}");
        }
        self.record(status.as_u16());
    }

    fn record(&self, status: u16) {
        let elapsed = self.started.elapsed();
        if self.kind == Kind::Traffic {
            let (method, route) = (method_label(&self.method), self.route().to_owned());
            metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route.clone())
                .record(elapsed);
            metrics::counter!("http_requests_total", "method" => method, "route" => route, "status" => status.to_string())
                .increment(1);
        } else if status < 400 {
            return;
        }
        let elapsed_ms = elapsed.as_secs_f64() * 1000.0;
        tracing::info!(
            target: "access",
            {
                http.method = %self.method,
                http.path = self.path,
                http.route = self.route(),
                http.status = status,
                elapsed_ms,
            },
            "{} {} {status} in {elapsed_ms:.1} ms",
            self.method,
            self.path
        );
    }

    /// The route as written in the router, never the raw path: a label must not grow with what callers invent.
    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.kind == Kind::Traffic {
            metrics::gauge!("http_requests_in_flight").decrement(1);
        }
        if !self.ended {
            // nginx's code for a caller that closed its connection before the answer.
            self.record(499);
        }
    }
}

fn finish_headers(headers: &mut HeaderMap, context: &RequestContext) {
    headers.insert(REQUEST_ID, context.request_id_header());
    headers.insert(TRACERESPONSE, context.trace().header());
    // An API's answers are never a page: no sniffing, no framing, no scripts (OWASP REST security cheat sheet). What a
    // handler set itself stays.
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

/// A method as a metric label: callers may invent methods, labels must stay few.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
