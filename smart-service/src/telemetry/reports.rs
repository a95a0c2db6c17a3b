//! Error reports to Sentry, or anything that speaks its protocol.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sentry::protocol::Event;
use sentry::types::Dsn;
use sentry::{Client, ClientOptions};
use smart_config::{Realm, Secret};

use super::redact::Redactor;
use crate::request::RequestContext;
use crate::{About, StartError};

/// A client that reports every log line of level ERROR once, with realm, release and request id.
pub(crate) fn client(
    dsn: &Secret,
    about: About,
    realm: &Realm,
    redactor: Redactor,
) -> Result<Arc<Client>, StartError> {
    let dsn = Dsn::from_str(dsn.expose()).map_err(|error| {
        StartError::new("`sentry.dsn` is not a DSN")
            .caused_by(error)
            .hint("copy it from the project's settings: https://KEY@HOST/PROJECT; leave the key out to report nothing")
            .configuration()
    })?;
    let options = ClientOptions::new()
        .dsn(&dsn.to_string())
        .release(format!("{}@{}+{}", about.name, about.version, about.commit))
        .environment(realm.to_string())
        .before_send(move |event| Some(complete(event, &redactor)));
    // The defaults bring the transport and the proxies of the environment; but no variable may switch off certificates.
    let options = sentry::apply_defaults(options).accept_invalid_certs(false);
    Ok(Arc::new(Client::from(options)))
}

/// Sends what is queued, for at most this long.
///
/// On a thread of its own: closing waits for the answer to the report under way, and an endpoint that accepts connections
/// and never answers would hold the process for ever.
pub(crate) fn close(client: Arc<Client>, patience: Duration) {
    let (done, closed) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("reports".to_owned());
    let closing = thread.spawn(move || {
        client.close(Some(patience));
        // Nobody listens when the time is up.
        let _ = done.send(());
    });
    if closing.is_ok() {
        let _ = closed.recv_timeout(patience);
    }
}

/// Runs in the task that logged the error, so the request it serves is at hand.
fn complete(mut event: Event<'static>, redactor: &Redactor) -> Event<'static> {
    if let Some(context) = RequestContext::current() {
        event
            .tags
            .insert("request_id".to_owned(), context.request_id().to_owned());
        event
            .tags
            .insert("trace_id".to_owned(), context.trace().trace_id());
    }
    // Rebuilt from its JSON form only when there is something to hide: an event has dozens of places for text.
    let Ok(json) = serde_json::to_string(&event) else {
        return event;
    };
    match redactor.redact(&json) {
        std::borrow::Cow::Borrowed(_) => event,
        std::borrow::Cow::Owned(redacted) => {
            serde_json::from_str(&redacted).unwrap_or_else(|_| Event {
                event_id: event.event_id,
                message: Some(
                    "an error whose report could not be freed of secrets; see the log".to_owned(),
                ),
                ..Event::new()
            })
        }
    }
}
