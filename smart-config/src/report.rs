//! What a [`Loader`](crate::Loader) tells: entries with their origin, and faults.

use std::fmt;

use serde::Serialize;

pub use crate::realm::RealmError;

/// One key of the final configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// Where it stands: `http.port`, `app.rules[0].name`.
    pub key: String,
    /// The value as TOML would write it, `***` for a secret, or a word in brackets when there is none.
    pub value: String,
    /// `config/prod.toml:14`, `SMART__HTTP__PORT`, `--set http.port`, a secret source, or `default`.
    pub origin: String,
    /// Whether the value is hidden.
    pub secret: bool,
}

/// What [`Loader::check`](crate::Loader::check) found out without asking a secret source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// Every key, sorted.
    pub entries: Vec<Entry>,
    /// What a secret source has to fill when the service starts, sorted by key.
    pub placeholders: Vec<Placeholder>,
}

/// A value that a secret source has to fill.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Placeholder {
    /// Where it stands: `postgres.password`.
    pub key: String,
    /// The name a secret source is asked for: the key, unless the value is `secret:NAME`.
    pub name: String,
    /// The place that leaves it empty: `config/default.toml:9`.
    pub origin: String,
}

/// One thing that keeps a configuration from being used.
///
/// Its `Display` is a single line; [`LoadError`](crate::LoadError) lays out all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// The key it is about, if it is about one.
    pub key: Option<String>,
    /// The value that was found, as TOML would write it; never that of a secret.
    pub found: Option<String>,
    /// Where it came from, if it came from anywhere.
    pub origin: Option<String>,
    /// What is wrong, or what was expected.
    pub message: String,
    /// What to look at or to do next.
    pub hints: Vec<String>,
}

/// Kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// A file or folder that cannot be read, or is absent though it is needed.
    Unreadable,
    /// A file that is not TOML.
    Syntax,
    /// A variable or assignment that names no key.
    BadName,
    /// A key that the configuration does not have.
    UnknownKey,
    /// A value of the wrong type, or one that its type refuses.
    BadValue,
    /// A key that must be set and is not.
    Missing,
    /// A placeholder that no secret source filled.
    Unfilled,
    /// A secret source that could not answer.
    SecretSource,
    /// A secret with the value that `local.toml` gives it, outside realm `local`.
    LaptopValue,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            key: None,
            found: None,
            origin: None,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    pub(crate) fn key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    pub(crate) fn found(self, found: impl Into<String>) -> Self {
        Self {
            found: Some(found.into()),
            ..self
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The key with what was found there.
    pub(crate) fn subject(&self) -> Option<String> {
        let key = printable(self.key.as_ref()?);
        Some(match &self.found {
            Some(found) => format!("`{key}` = {found}"),
            None if self.kind == FaultKind::Unfilled => format!("`{key}` is empty"),
            None => format!("`{key}`"),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject();
        let first = [
            subject.as_deref(),
            self.origin.as_deref(),
            Some(self.message.as_str()),
        ];
        let parts: Vec<&str> = first
            .into_iter()
            .flatten()
            .chain(self.hints.iter().map(String::as_str))
            .collect();
        f.write_str(&parts.join("; "))
    }
}

/// The text without signs that would move the cursor of a terminal or hide other signs.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '"' | '\'' | '\\' => printable.push(sign),
            _ => printable.extend(sign.escape_debug()),
        }
    }
    printable
}
