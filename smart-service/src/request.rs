//! What is known about the request being served: its id and its place in a distributed trace.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use uuid::Uuid;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// The answer's side of trace context (W3C Trace Context Level 2, `traceresponse`).
pub(crate) const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// Identity of the request being served; an extractor, and available anywhere below a handler as [`RequestContext::current`].
#[derive(Debug, Clone)]
pub struct RequestContext {
    request_id: Arc<str>,
    trace: TraceContext,
    tracestate: Option<HeaderValue>,
}

/// A position in a distributed trace, as W3C Trace Context defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

impl RequestContext {
    /// Takes over what the caller sent, as far as it is sane, and makes the rest.
    pub(crate) fn accept(headers: &HeaderMap) -> Self {
        let request_id = headers
            .get(&REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| sane_request_id(id))
            .map_or_else(|| Uuid::now_v7().to_string().into(), Arc::from);
        // Two `traceparent` headers contradict each other; the standard has us start anew.
        let mut parents = headers.get_all(&TRACEPARENT).iter();
        let parent = match (parents.next(), parents.next()) {
            (Some(only), None) => only.to_str().ok().and_then(TraceContext::parse),
            _ => None,
        };
        let tracestate = parent.and_then(|_| tracestate(headers));
        let trace = parent.map_or_else(TraceContext::start, TraceContext::child);
        Self {
            request_id,
            trace,
            tracestate,
        }
    }

    /// The context of the request that the current task serves; `None` outside of a request, and in tasks it spawned.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs a future as part of this request, for work that a handler spawns.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Runs a function as part of this request.
    pub(crate) fn scope_now<T>(&self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), work)
    }

    /// Id of the request: the caller's `x-request-id` if it was sane (1 to 128 letters, digits and `-_.:/+=@`), else a new UUID.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// This request's place in its trace; the span id is our own.
    pub fn trace(&self) -> TraceContext {
        self.trace
    }

    /// Headers for calls made on behalf of this request: `x-request-id`, `traceparent` and, if there was one, `tracestate`.
    pub fn outgoing(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(REQUEST_ID, self.request_id_header());
        headers.insert(TRACEPARENT, self.trace.header());
        if let Some(state) = &self.tracestate {
            headers.insert(TRACESTATE, state.clone());
        }
        headers
    }

    pub(crate) fn request_id_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.request_id).expect("only visible ASCII is accepted or made")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::current().unwrap_or_else(|| Self::accept(&parts.headers)))
    }
}

impl TraceContext {
    /// Reads a `traceparent` header: `00-<32 hex>-<16 hex>-<2 hex>`, all lower case, ids not zero.
    ///
    /// A higher version may carry more fields behind a dash; its first four are read as version 00 (W3C Trace Context, 3.2.4).
    pub fn parse(header: &str) -> Option<Self> {
        let bytes = header.as_bytes();
        let known_length =
            bytes.len() == 55 || (bytes.len() > 55 && &bytes[..2] != b"00" && bytes[55] == b'-');
        let dashes = known_length && [2, 35, 52].iter().all(|&at| bytes[at] == b'-');
        if !dashes || &bytes[..2] == b"ff" {
            return None;
        }
        hex(&bytes[..2])?;
        let trace_id = hex(&bytes[3..35])?;
        let span_id = u64::try_from(hex(&bytes[36..52])?).ok()?;
        let flags = u8::try_from(hex(&bytes[53..55])?).ok()?;
        // Only the lowest two flags are defined (sampled, random); unknown ones are not passed on.
        (trace_id != 0 && span_id != 0).then_some(Self {
            trace_id,
            span_id,
            flags: flags & 0b11,
        })
    }

    fn start() -> Self {
        // Nobody upstream decided about sampling, so the flag says what we know: the id is random.
        Self {
            trace_id: Uuid::new_v4().as_u128(),
            span_id: new_span_id(),
            flags: 0b10,
        }
    }

    fn child(self) -> Self {
        Self {
            span_id: new_span_id(),
            ..self
        }
    }

    /// The trace id as 32 hex digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }

    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_str(&self.to_string()).expect("hex digits and dashes are visible ASCII")
    }
}

/// The `traceparent` form.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

/// The list may be spread over several headers, whose order counts (W3C Trace Context, 3.3.1). A long one is not passed on.
fn tracestate(headers: &HeaderMap) -> Option<HeaderValue> {
    let parts: Vec<&[u8]> = headers
        .get_all(&TRACESTATE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let joined = parts.join(&b',');
    (1..=512)
        .contains(&joined.len())
        .then(|| HeaderValue::from_bytes(&joined).ok())?
}

fn sane_request_id(id: &str) -> bool {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    (1..=128).contains(&id.len()) && id.bytes().all(sane)
}

/// Lower-case hex only: the standard calls anything else invalid, and `from_str_radix` would take signs and capitals.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value: u128, digit| match digit {
        b'0'..=b'9' => Some((value << 4) | u128::from(digit - b'0')),
        b'a'..=b'f' => Some((value << 4) | u128::from(digit - b'a' + 10)),
        _ => None,
    })
}

fn new_span_id() -> u64 {
    // The upper half of a random UUID carries the version digit, so it is never zero.
    Uuid::new_v4().as_u64_pair().0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn accept(headers: &[(&'static str, &str)]) -> RequestContext {
        let headers = headers
            .iter()
            .map(|&(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            });
        RequestContext::accept(&headers)
    }

    #[test]
    fn valid_traceparent_is_read_and_written_unchanged() {
        assert_eq!(TraceContext::parse(PARENT).unwrap().to_string(), PARENT);
    }

    #[test]
    fn higher_version_is_read_as_version_00() {
        let higher = format!("cc{}-what-the-future-brings", &PARENT[2..]);
        assert_eq!(TraceContext::parse(&higher).unwrap().to_string(), PARENT);
        assert!(TraceContext::parse(&format!("cc{}", &PARENT[2..])).is_some());
        assert!(TraceContext::parse(&format!("cc{}.what", &PARENT[2..])).is_none());
    }

    #[test]
    fn malformed_traceparent_is_refused() {
        for header in [
            "",
            "00",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "zz-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319ü-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header}");
        }
    }

    #[test]
    fn trace_goes_on_under_a_new_span() {
        let context = accept(&[("traceparent", PARENT), ("tracestate", "vendor=1")]);
        assert_eq!(
            context.trace().trace_id(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_ne!(context.trace().to_string(), PARENT);
        let outgoing = context.outgoing();
        assert_eq!(outgoing["traceparent"], context.trace().to_string());
        assert_eq!(outgoing["tracestate"], "vendor=1");
    }

    #[test]
    fn tracestate_in_several_headers_is_one_list() {
        let context = accept(&[
            ("traceparent", PARENT),
            ("tracestate", "near=1"),
            ("tracestate", "far=2"),
        ]);
        assert_eq!(context.outgoing()["tracestate"], "near=1,far=2");
    }

    #[test]
    fn two_traceparents_start_a_new_trace() {
        let context = accept(&[
            ("traceparent", PARENT),
            ("traceparent", PARENT),
            ("tracestate", "vendor=1"),
        ]);
        assert_ne!(
            context.trace().trace_id(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert!(!context.outgoing().contains_key("tracestate"));
    }

    #[test]
    fn sane_request_id_is_kept_and_any_other_replaced() {
        assert_eq!(
            accept(&[("x-request-id", "job-7/a.b:c")]).request_id(),
            "job-7/a.b:c"
        );
        let long = "x".repeat(129);
        for id in [
            "",
            "two words",
            "new\tline",
            "<script>",
            "\"",
            long.as_str(),
        ] {
            let context = accept(&[("x-request-id", id)]);
            assert!(
                Uuid::parse_str(context.request_id()).is_ok(),
                "{id:?} became {}",
                context.request_id()
            );
        }
    }
}
