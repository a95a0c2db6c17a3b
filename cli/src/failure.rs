//! What a person reads when a command cannot go on: one message, one hint, one exit code.

use std::{io, process::ExitCode};

/// Why a command ended early, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The input cannot be used; nothing was written.
    BadInput,
    /// The input was fine; the work did not succeed.
    NotDone,
    /// A signal asked the command to stop.
    Interrupted,
}

impl Failure {
    pub(crate) fn bad_input(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::BadInput,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn not_done(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::NotDone,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Interrupted,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            FailureKind::BadInput => ExitCode::from(2),
            FailureKind::NotDone | FailureKind::Interrupted => ExitCode::from(1),
        }
    }
}

/// What the operating system said, without the number that only programs need.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// An error and its causes on one line, each level once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
