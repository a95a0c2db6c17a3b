//! Log lines: filter, format, output.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Dispatch;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{Registry, fmt as format, reload};

use super::pretty::Pretty;
use super::redact::Redactor;
use crate::settings::{LogConfig, LogFormat};

/// What is logged: a level, or levels by module, such as `info,sqlx=warn,orders=debug`. Default `info`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct LogFilter {
    text: String,
    targets: Targets,
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The library reads a bare word that is no level as a module to log in full: a typo would log everything.
        for part in text.split(',').map(str::trim) {
            let (module, level) = part.split_once('=').unwrap_or(("everything", part));
            if module.is_empty() || level.is_empty() || level.parse::<LevelFilter>().is_err() {
                return Err(format!(
                    "`{part}` is neither a level (`off`, `error`, `warn`, `info`, `debug`, `trace`) nor `module=level`"
                ));
            }
        }
        let targets: Targets = text
            .replace(' ', "")
            .parse()
            .map_err(|error| format!("{error}"))?;
        Ok(Self::new(text, targets))
    }
}

impl LogFilter {
    fn new(text: &str, targets: Targets) -> Self {
        // PostgreSQL notes at every start that the table of migrations exists. Whoever asks for sqlx gets all of it.
        let quiet = !text.contains("sqlx");
        let targets = if quiet {
            targets.with_target("sqlx::postgres::notice", LevelFilter::WARN)
        } else {
            targets
        };
        Self {
            text: text.to_owned(),
            targets,
        }
    }
}

impl TryFrom<String> for LogFilter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<LogFilter> for String {
    fn from(filter: LogFilter) -> Self {
        filter.text
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self::new("info", Targets::new().with_default(LevelFilter::INFO))
    }
}

/// Where log lines go.
#[derive(Clone)]
pub(crate) enum LogOutput {
    Stdout,
    /// Each line to this function; for test kits.
    Lines(Arc<dyn Fn(&str) + Send + Sync>),
}

impl fmt::Debug for LogOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "Stdout",
            Self::Lines(_) => "Lines",
        })
    }
}

/// Whether errors are reported; without an address for them, no line is turned into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reports {
    On,
    Off,
}

/// Builds the subscriber of one service, and the handle that changes its filter.
pub(crate) fn dispatch(
    config: &LogConfig,
    output: LogOutput,
    redactor: Redactor,
    reports: Reports,
) -> (Dispatch, LogControl) {
    let (filter, handle) = reload::Layer::new(config.level.targets.clone());
    let colour = matches!(output, LogOutput::Stdout) && io::IsTerminal::is_terminal(&io::stdout());
    let lines = format::layer().with_writer(Lines { output, redactor });
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
        LogFormat::Pretty => lines.with_ansi(colour).event_format(Pretty).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    #[cfg(not(feature = "sentry"))]
    let _ = reports;
    #[cfg(feature = "sentry")]
    let subscriber = {
        // Outside the filter of the lines: what is worth a report does not depend on what is worth a line.
        use sentry::integrations::tracing::{BreadcrumbLayer, ErrorLayer};
        let errors = || ErrorLayer::new().with_filter(LevelFilter::ERROR);
        let breadcrumbs = || BreadcrumbLayer::new().with_filter(LevelFilter::INFO);
        let on = reports == Reports::On;
        subscriber.with(on.then(errors)).with(on.then(breadcrumbs))
    };
    let set = Box::new(move |targets| {
        // The subscriber lives as long as the service; without it there is nothing to filter.
        let _ = handle.reload(targets);
    });
    (
        Dispatch::new(subscriber),
        LogControl {
            configured: config.level.clone(),
            set,
            change: Mutex::new(None),
        },
    )
}

/// The filter in force; can be changed for a while.
pub(crate) struct LogControl {
    configured: LogFilter,
    set: Box<dyn Fn(Targets) + Send + Sync>,
    change: Mutex<Option<Change>>,
}

struct Change {
    filter: LogFilter,
    until: Instant,
    end: JoinHandle<()>,
}

/// What `GET /log` shows.
#[derive(Debug, Serialize)]
pub(crate) struct LogState {
    level: String,
    configured: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    returns_in_seconds: Option<u64>,
}

impl LogControl {
    /// Logs by `filter` for this long, then as configured again. A later change replaces an earlier one.
    pub(crate) fn set_for(self: &Arc<Self>, filter: LogFilter, duration: Duration) {
        let until = Instant::now() + duration;
        let control = Arc::downgrade(self);
        let end = tokio::spawn(async move {
            tokio::time::sleep_until(until).await;
            if let Some(control) = control.upgrade() {
                control.restore();
            }
        });
        (self.set)(filter.targets.clone());
        tracing::warn!(
            "log level is `{}` for {}",
            filter.text,
            humantime::format_duration(duration)
        );
        self.replace(Some(Change { filter, until, end }));
    }

    /// Logs as configured again.
    pub(crate) fn restore(&self) {
        if self.replace(None) {
            (self.set)(self.configured.targets.clone());
            tracing::warn!(
                "log level is `{}` again, as configured",
                self.configured.text
            );
        }
    }

    pub(crate) fn state(&self) -> LogState {
        let change = self
            .change
            .lock()
            .expect("no code panics while it holds this lock");
        let level = change
            .as_ref()
            .map_or(&self.configured, |change| &change.filter)
            .text
            .clone();
        let left = |change: &Change| {
            change
                .until
                .saturating_duration_since(Instant::now())
                .as_secs()
        };
        LogState {
            level,
            configured: self.configured.text.clone(),
            returns_in_seconds: change.as_ref().map(left),
        }
    }

    /// Returns whether there was a change before.
    fn replace(&self, change: Option<Change>) -> bool {
        let old = std::mem::replace(
            &mut *self
                .change
                .lock()
                .expect("no code panics while it holds this lock"),
            change,
        );
        if let Some(old) = &old {
            old.end.abort();
        }
        old.is_some()
    }
}

impl fmt::Debug for LogControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogControl")
            .field("configured", &self.configured)
            .finish_non_exhaustive()
    }
}

/// Hands out a writer for each line.
#[derive(Debug)]
struct Lines {
    output: LogOutput,
    redactor: Redactor,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// The formatter hands over a whole line in one call.
#[derive(Debug)]
struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = self.0.redactor.redact(&text);
        match &self.0.output {
            LogOutput::Stdout => io::stdout().lock().write_all(text.as_bytes())?,
            LogOutput::Lines(line) => line(&text),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_and_levels_by_module_are_filters() {
        for text in [
            "info",
            "WARN",
            "off",
            "info,sqlx=warn",
            "sqlx=debug",
            "debug, hyper=info",
        ] {
            assert!(text.parse::<LogFilter>().is_ok(), "{text}");
        }
    }

    #[test]
    fn misspelt_level_is_refused() {
        for text in ["inof", "info,sqlx=wran", "", "info,,warn", "orders"] {
            assert!(text.parse::<LogFilter>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn line_for_people_shows_control_characters_as_escapes() {
        let lines = Arc::new(Mutex::new(String::new()));
        let sink = lines.clone();
        let output = LogOutput::Lines(Arc::new(move |line| sink.lock().unwrap().push_str(line)));
        let config = LogConfig {
            level: LogFilter::default(),
            format: LogFormat::Pretty,
        };
        let (dispatch, _control) =
            dispatch(&config, output, Redactor::new(Vec::new()), Reports::Off);
        let sent = "a\u{1b}[31m\r\u{9b}32m\u{7f}b";
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::info!(field = %sent, "{sent}");
        });
        let line = lines.lock().unwrap();
        assert!(!line.trim_end().contains(char::is_control), "{line:?}");
        assert!(
            line.contains("a\\u{1b}[31m\\r\\u{9b}32m\\u{7f}b  field=a"),
            "{line}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn changed_level_returns_by_itself() {
        let lines = Arc::new(Mutex::new(String::new()));
        let sink = lines.clone();
        let output = LogOutput::Lines(Arc::new(move |line| sink.lock().unwrap().push_str(line)));
        let config = LogConfig {
            level: "warn".parse().unwrap(),
            format: LogFormat::Json,
        };
        let (dispatch, control) =
            dispatch(&config, output, Redactor::new(Vec::new()), Reports::Off);
        let control = Arc::new(control);
        let _guard = tracing::dispatcher::set_default(&dispatch);

        tracing::debug!("before");
        control.set_for("debug".parse().unwrap(), Duration::from_secs(60));
        tracing::debug!("during");
        assert_eq!(control.state().returns_in_seconds, Some(60));
        tokio::time::sleep(Duration::from_secs(61)).await;
        tracing::debug!("after");

        assert_eq!(control.state().level, "warn");
        let lines = lines.lock().unwrap();
        assert!(
            lines.contains("during")
                && !lines.contains("\"before\"")
                && !lines.contains("\"after\""),
            "{lines}"
        );
    }
}
