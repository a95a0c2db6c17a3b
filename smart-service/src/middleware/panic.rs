//! A panic in a handler is a 500, a report and a counter; never a dead process.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::pin;
use std::sync::Once;
use std::task::Poll;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

thread_local! {
    /// Whether this thread is polling a handler, so that the hook leaves the report to who catches the panic.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Installs the process's panic hook, once: what [`caught`] catches its caller reports, all other panics the hook.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| hook(info, &*default)));
    });
}

fn hook(info: &PanicHookInfo<'_>, default: &dyn Fn(&PanicHookInfo<'_>)) {
    let location = info.location().map(ToString::to_string);
    if IN_HANDLER.get() {
        LOCATION.set(location);
        return;
    }
    let service = tracing::dispatcher::get_default(|dispatch| {
        !dispatch.is::<tracing::subscriber::NoSubscriber>()
    });
    if !service {
        // Nobody listens to logs yet (or any more, or this is a test's own thread): stderr must tell.
        default(info);
        return;
    }
    metrics::counter!("panics_total").increment(1);
    tracing::error!(
        panic.location = location.as_deref().unwrap_or("unknown"),
        "task panicked: {}",
        message(info.payload())
    );
}

/// Turns a panic of the inner service into a 500 whose cause names the panic.
pub(crate) async fn catch(request: Request, next: Next) -> Response {
    caught(next.run(request)).await.unwrap_or_else(|panic| {
        Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR)
            .because(format!("handler panicked {panic}"))
            .into_response()
    })
}

/// What a future answers, or the place and text of its panic, which its caller reports.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut inner = pin!(future);
    let outcome = std::future::poll_fn(|context| {
        let outer = IN_HANDLER.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll(context)));
        IN_HANDLER.set(outer);
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    })
    .await;
    outcome.map_err(|payload| {
        metrics::counter!("panics_total").increment(1);
        let location = LOCATION
            .take()
            .unwrap_or_else(|| "an unknown place".to_owned());
        format!("at {location}: {}", message(&*payload))
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("the panic carried no text")
}
