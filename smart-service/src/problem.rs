//! What a caller sees when a request fails: `application/problem+json` (RFC 9457).

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;

use crate::error::chain;
use crate::request::RequestContext;

/// The error type of a handler: a status, a sentence for the caller, and a cause that only the log sees.
///
/// Any `std::error::Error` becomes a 500 with `?`. Bodies of 5xx are constant: the cause goes to the log and the error
/// reporter under the request id, never to the caller.
///
/// ```
/// use axum::Json;
/// use smart_service::Problem;
///
/// async fn halve(Json(number): Json<i64>) -> Result<Json<i64>, Problem> {
///     if number % 2 != 0 {
///         return Err(Problem::invalid("the number cannot be halved").violation("number", "must be even"));
///     }
///     Ok(Json(number / 2))
/// }
/// ```
///
/// Body: `{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no item 7", "request_id": "..."}`, and
/// `violations`, a list of `{"field", "message"}`, where there are any.
#[must_use = "a problem is an answer: return it"]
pub struct Problem {
    status: StatusCode,
    detail: Option<String>,
    violations: Vec<Violation>,
    cause: Option<Cause>,
}

/// Why a request failed, for the log; travels in the response's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) Arc<str>);

/// Marks a response whose body is ours, so that nothing rewrites it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished;

#[derive(Debug, Serialize)]
struct Violation {
    field: String,
    message: String,
}

impl Problem {
    /// An answer with this status; `detail` is for the caller and is dropped when the status is a 5xx.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: Some(detail.into()),
            violations: Vec::new(),
            cause: None,
        }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: what the request names does not exist.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: the request contradicts the present state.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 422: the request is understood and its content refused; name each field with [`violation`](Self::violation).
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// A failure of ours, with its cause for the log: a 500 unless [`status`](Self::status) says otherwise.
    ///
    /// One failure is the caller's: a handler that reads the body itself meets the limit as an error. That is a 413.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        let mut levels = std::iter::successors(Some(error), |&level| level.source());
        if levels.any(|level| level.is::<LengthLimitError>()) {
            return Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the request body is larger than this service takes",
            );
        }
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR).because(chain(error))
    }

    /// Names a field of the request and what is wrong with it.
    pub fn violation(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.violations.push(Violation {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    /// Changes the status, for example of an internal failure to 503.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn of_status(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
            violations: Vec::new(),
            cause: None,
        }
    }

    pub(crate) fn because(mut self, cause: impl Into<Arc<str>>) -> Self {
        self.cause = Some(Cause(cause.into()));
        self
    }
}

impl<E: Error + 'static> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: &'static str,
            title: &'a str,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'a str>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            violations: &'a [Violation],
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
        }

        let context = RequestContext::current();
        let server_side = self.status.is_server_error();
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Unknown Status"),
            status: self.status.as_u16(),
            detail: self.detail.as_deref().filter(|_| !server_side),
            violations: if server_side { &[] } else { &self.violations },
            request_id: context.as_ref().map(RequestContext::request_id),
        };
        let body = serde_json::to_vec(&body).expect("strings and numbers always serialise");

        let mut response = (self.status, body).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, problem_json);
        response.extensions_mut().insert(Finished);
        // A 5xx that was made with a detail and no cause: the caller may not see the detail, but the log must.
        if let Some(cause) = self.cause.or_else(|| {
            self.detail
                .filter(|_| server_side)
                .map(|detail| Cause(detail.into()))
        }) {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("status", &self.status)
            .field("detail", &self.detail)
            .field("violations", &self.violations)
            .field("cause", &self.cause)
            .finish()
    }
}
