//! Errors that did not come from [`Problem`] get its shape.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Finished, Problem};

/// Longest plain text that is taken over as a detail; what axum's extractors write is far below.
const LONGEST_DETAIL: usize = 4096;

/// What the limit's layer and the extractors say of a body that it cut.
const LIMIT_EXCEEDED: &str = "length limit exceeded";

/// Rewrites an error answer whose body is plain text or empty, and every foreign 5xx; leaves JSON, HTML and the like alone.
pub(crate) async fn explain(
    State(body_limit): State<usize>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let matched = request.extensions().get::<MatchedPath>().is_some();
    let response = next.run(request).await;
    let status = response.status();
    let error = status.is_client_error() || status.is_server_error();
    if !error
        || response.extensions().get::<Finished>().is_some()
        || !(status.is_server_error() || is_plain(&response))
    {
        return response;
    }

    let (mut parts, body) = response.into_parts();
    let text = plain_text(body).await;
    let problem = match status {
        StatusCode::PAYLOAD_TOO_LARGE if text.is_empty() || text.ends_with(LIMIT_EXCEEDED) => {
            Problem::new(
                status,
                format!("the request body is larger than {body_limit} bytes (`http.body_limit`)"),
            )
        }
        StatusCode::NOT_FOUND if text.is_empty() && !matched => {
            Problem::new(status, format!("nothing is served at {path}"))
        }
        StatusCode::METHOD_NOT_ALLOWED if text.is_empty() => {
            Problem::new(status, format!("{path} does not take {}", known(&method)))
        }
        _ if text.is_empty() && status.is_server_error() => {
            Problem::of_status(status).because("the handler gave no cause")
        }
        _ if text.is_empty() => Problem::of_status(status),
        _ => Problem::new(status, text),
    };

    // Headers such as `allow` and `retry-after` stay; those that described the old body go.
    for described in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::ETAG,
    ] {
        parts.headers.remove(described);
    }
    let mut answer = problem.into_response();
    for (name, value) in &parts.headers {
        answer.headers_mut().append(name, value.clone());
    }
    answer.extensions_mut().extend(parts.extensions);
    answer
}

fn is_plain(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

async fn plain_text(body: Body) -> String {
    // A longer or broken body is no sentence for a caller; a stream may never end, or panic.
    if body.size_hint().exact().is_none() {
        return String::new();
    }
    let bytes = to_bytes(body, LONGEST_DETAIL).await.unwrap_or_default();
    String::from_utf8(bytes.into()).unwrap_or_default()
}

/// A caller may invent methods; only standard ones are repeated to it.
fn known(method: &Method) -> &str {
    super::observe::method_label(method)
}
