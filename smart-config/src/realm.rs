use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Where a service runs: `local`, `test`, `prod` or a name of your own.
///
/// At most 32 small letters, digits and dashes, a letter first. It names the file that overrides `default.toml`,
/// so `default` and `secrets` are taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Realm(String);

/// Why a text is no [`Realm`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmError {
    message: String,
}

impl Realm {
    /// Reads a realm, as `SMART_REALM` gives it.
    ///
    /// # Errors
    ///
    /// When the text is empty, is no valid name, or names a file with another meaning.
    pub fn parse(text: &str) -> Result<Self, RealmError> {
        let refuse = |message: String| Err(RealmError { message });
        if text.trim().is_empty() {
            return refuse(
                "the realm is empty; `SMART_REALM` must name one, for example `prod`".to_owned(),
            );
        }
        let shown: String = text.escape_debug().take(60).collect();
        let allowed =
            |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
        if text.len() > MAX_LENGTH
            || !text.starts_with(|sign: char| sign.is_ascii_lowercase())
            || !text.chars().all(allowed)
        {
            return refuse(format!(
                "`{shown}` is no realm; at most {MAX_LENGTH} small letters, digits and dashes are allowed, \
                 a letter first, for example `prod`"
            ));
        }
        if RESERVED.contains(&text) {
            return refuse(format!(
                "`{shown}` is no realm; `{shown}.toml` has a meaning of its own, choose another name"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The realm of a developer's machine, and of a process that was told nothing else.
    pub fn local() -> Self {
        Self(LOCAL.to_owned())
    }

    /// Whether this is the realm of a developer's machine.
    pub fn is_local(&self) -> bool {
        self.0 == LOCAL
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Realms of one's own must have a file, these need none.
    pub(crate) fn is_well_known(&self) -> bool {
        matches!(self.as_str(), LOCAL | "test" | "prod")
    }
}

impl FromStr for Realm {
    type Err = RealmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Realm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for RealmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RealmError {}

const LOCAL: &str = "local";
const MAX_LENGTH: usize = 32;
const RESERVED: [&str; 2] = ["default", "secrets"];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Realm::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn names_of_small_letters_digits_and_dashes_are_realms() {
        for name in ["local", "test", "prod", "eu-west-2", "a", &"x".repeat(32)] {
            assert_eq!(Realm::parse(name).unwrap().as_str(), name);
        }
        assert!(Realm::local().is_local());
        assert!(!Realm::parse("prod").unwrap().is_local());
    }

    #[test]
    fn empty_realm_says_what_to_set() {
        let expected = "the realm is empty; `SMART_REALM` must name one, for example `prod`";
        assert_eq!(refusal(""), expected);
        assert_eq!(refusal(" \n"), expected);
    }

    #[test]
    fn hostile_names_are_refused_and_shown_harmlessly() {
        for name in [
            "Prod",
            "9a",
            "-a",
            "a_b",
            "a/b",
            "..",
            "a b",
            "prod\n",
            "pröd",
            &"x".repeat(33),
        ] {
            assert!(refusal(name).contains("is no realm"), "{name:?}");
        }
        assert!(refusal("\u{1b}[31m").starts_with("`\\u{1b}[31m`"));
        assert!(refusal(&"y".repeat(9999)).len() < 250);
    }

    #[test]
    fn names_of_other_files_are_refused() {
        assert_eq!(
            refusal("secrets"),
            "`secrets` is no realm; `secrets.toml` has a meaning of its own, choose another name"
        );
        assert!(refusal("default").contains("default.toml"));
    }
}
