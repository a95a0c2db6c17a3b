//! Where secrets come from.
//!
//! A placeholder is filled by its key, or by a name of its own: `api_key = "secret:shared/stripe_key"`.

mod directory;
mod file;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use crate::secret::Secret;

pub use directory::SecretDirectory;
pub use file::SecretFile;

/// A place that knows secrets by name.
///
/// It is asked once, for everything that is still empty, so that a source across the network needs one call.
pub trait SecretSource: Send + Sync + fmt::Debug {
    /// What and where it is, as a fault names it: ``secrets directory `/run/secrets` ``.
    fn describe(&self) -> String;

    /// The values of those wanted names that it knows. An empty value counts as none.
    ///
    /// # Errors
    ///
    /// When the source as a whole cannot answer, or one wanted secret is there but cannot be used.
    fn fetch(
        &self,
        wanted: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Secret>, SecretSourceError>;

    /// The names it knows, to suggest the nearest one. Empty if it cannot tell.
    fn known_names(&self) -> Vec<String>;

    /// How to put this secret there, as an order: ``create the file `/run/secrets/postgres.password` ``.
    fn remedy(&self, name: &SecretName) -> String;
}

/// The name of a secret: the dotted key of its placeholder, or what stands behind `secret:`.
///
/// Letters, digits, `_` and `-` in parts divided by `.` or `/`; at most 200 signs. It can be a file name, and never
/// leaves a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

impl SecretName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// When it is empty, too long, has an empty part or a sign that is not allowed.
    pub fn parse(text: &str) -> Result<Self, SecretNameError> {
        let allowed = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-';
        let sound = |part: &str| !part.is_empty() && part.chars().all(allowed);
        if text.len() <= MAX_NAME_LENGTH && text.split(['.', '/']).all(sound) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SecretNameError {
                text: text.escape_debug().take(60).collect(),
            })
        }
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts: `shared/stripe.key` has three.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split(['.', '/'])
    }

    /// The name with `.` between its parts, as files and tables are named.
    pub fn dotted(&self) -> String {
        self.0.replace('/', ".")
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no [`SecretName`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretNameError {
    text: String,
}

impl fmt::Display for SecretNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no name of a secret; letters, digits, `_` and `-` in parts divided by `.` or `/` are allowed, at most {MAX_NAME_LENGTH} signs",
            self.text
        )
    }
}

impl Error for SecretNameError {}

/// Why a [`SecretSource`] could not answer. The texts must not show a value.
#[derive(Debug)]
pub struct SecretSourceError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SecretSourceError {
    /// An error without a cause. The message names the file, key or address, and what is wrong with it.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// An error with a cause.
    pub fn caused_by(
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for SecretSourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SecretSourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// As file names have at most 255 bytes.
const MAX_NAME_LENGTH: usize = 200;
