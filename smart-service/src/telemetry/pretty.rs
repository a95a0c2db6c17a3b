//! Log lines for a person at a terminal: what happened first, where it belongs last.

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// `05:43:49.257  INFO orders: 3 items in stock  shelf=7  request_id="..." trace_id=...`
#[derive(Debug)]
pub(super) struct Pretty;

impl<S, N> FormatEvent<S, N> for Pretty
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (dim, colour, plain) = match line.has_ansi_escapes() {
            true => ("\x1b[2m", colour(*event.metadata().level()), "\x1b[0m"),
            false => ("", "", ""),
        };
        let mut parts = Parts {
            message: String::new(),
            fields: String::new(),
            target: event.metadata().target(),
        };
        event.record(&mut parts);
        // The date is today's.
        let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let time = now.get(11..23).unwrap_or(&now);
        let Parts {
            message,
            fields,
            target,
        } = parts;
        write!(
            line,
            "{dim}{time}{plain} {colour}{:>5}{plain} {dim}{target}:{plain} {message}",
            event.metadata().level()
        )?;
        write!(line, "{dim}{fields}")?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.is_empty()
            {
                write!(line, "  {fields}")?;
            }
        }
        writeln!(line, "{plain}")
    }
}

struct Parts<'a> {
    message: String,
    fields: String,
    target: &'a str,
}

impl Visit for Parts<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail. The fields of an access line are all in its message.
        let _ = match field.name() {
            "message" => write!(Visible(&mut self.message), "{value:?}"),
            _ if self.target == "access" => Ok(()),
            name => write!(Visible(&mut self.fields), "  {name}={value:?}"),
        };
    }
}

/// Lets no text of a caller move the cursor or change colours: control characters appear as escapes.
struct Visible<'a>(&'a mut String);

impl fmt::Write for Visible<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for sign in text.chars() {
            match sign {
                // Statements and chains of errors are easier to read on lines of their own.
                '\n' | '\t' => self.0.push(sign),
                _ if sign.is_control() => self.0.extend(sign.escape_default()),
                _ => self.0.push(sign),
            }
        }
        Ok(())
    }
}

/// The text as it stands in a line for people.
pub(super) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    // Writing to a string does not fail.
    let _ = Visible(&mut visible).write_str(text);
    visible
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}
