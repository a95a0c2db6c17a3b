//! Why a service could not start.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Why a service could not start: what was tried, on what, and what to do next.
///
/// Every `std::error::Error` becomes one with `?`. It is not an `Error` itself (the blanket conversion rules that out);
/// printing shows its own level, then each cause on a line of its own, then the hint.
pub struct StartError {
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
    exit: Exit,
}

/// How a process that could not start ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The world outside did not play along; another try may succeed.
    Failed = 1,
    /// The configuration has to change first (`EX_CONFIG` of sysexits.h).
    Configuration = 78,
}

impl StartError {
    /// A failure described by `message`: lower case, what was tried and on what.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            source: None,
            exit: Exit::Failed,
        }
    }

    /// The cause, printed below the message.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the reader can do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Marks a failure that only a changed configuration can cure: the process exits with 78 instead of 1.
    #[must_use]
    pub fn configuration(mut self) -> Self {
        self.exit = Exit::Configuration;
        self
    }

    pub(crate) fn exit(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }

    /// Message and causes on one line, for a log line.
    pub(crate) fn one_line(&self) -> String {
        match &self.source {
            Some(source) => format!("{}: {}", self.message, chain(source.as_ref())),
            None => self.message.clone(),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for StartError {
    fn from(error: E) -> Self {
        let message = error.to_string();
        let mut levels =
            std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string);
        let source = levels
            .next()
            .map(|first| levels.fold(first, |line, level| join(line, &level)));
        Self {
            message,
            hint: None,
            source: source.map(Into::into),
            exit: Exit::Failed,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(f, "\n  caused by: {}", chain(source.as_ref()))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error and all its causes on one line; a level that its outer level already printed is left out.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    std::iter::successors(error.source(), |&cause| cause.source())
        .fold(error.to_string(), |line, cause| {
            join(line, &cause.to_string())
        })
}

/// Foreign errors often print their cause themselves; printing it twice helps nobody.
fn join(line: String, level: &str) -> String {
    if line.contains(level) {
        line
    } else {
        format!("{line}: {level}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Self>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn question_mark_keeps_every_level_once() {
        let inner = Layer("refused", None);
        let outer = Layer(
            "cannot open the file: refused",
            Some(Box::new(Layer("refused", Some(Box::new(inner))))),
        );
        let error = StartError::from(Layer("no stock", Some(Box::new(outer))));
        assert_eq!(
            error.to_string(),
            "no stock\n  caused by: cannot open the file: refused"
        );
        assert_eq!(error.one_line(), "no stock: cannot open the file: refused");
    }

    #[test]
    fn hint_is_the_last_line() {
        let error = StartError::new("cannot connect")
            .caused_by("refused")
            .hint("start it")
            .configuration();
        assert_eq!(
            error.to_string(),
            "cannot connect\n  caused by: refused\n  hint: start it"
        );
        assert_eq!(error.exit, Exit::Configuration);
    }
}
