use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::tree::Path;

/// Why decoding stopped, and where.
#[derive(Debug)]
pub(crate) struct DecodeError {
    pub(crate) problem: Problem,
    /// Set by the innermost container that the error passes.
    pub(crate) path: Option<Path>,
}

#[derive(Debug)]
pub(crate) enum Problem {
    /// The path is that of the key.
    UnknownKey {
        expected: &'static [&'static str],
    },
    /// The path is that of the table.
    MissingKey(&'static str),
    /// A missing key was asked for something else than a table.
    Absent,
    WrongType {
        expected: String,
    },
    WrongValue {
        expected: String,
    },
    UnknownVariant {
        expected: &'static [&'static str],
    },
    /// What a type says about itself. It may show the value.
    Custom(String),
}

impl DecodeError {
    pub(crate) fn new(problem: Problem) -> Self {
        Self {
            problem,
            path: None,
        }
    }

    /// Says where it happened, unless that is known already.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.clone());
        self
    }
}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Custom(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::WrongType {
            expected: plain_words(&expected.to_string()),
        })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::WrongValue {
            expected: plain_words(&expected.to_string()),
        })
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(Problem::WrongValue {
            expected: format!("{}, not {length}", plain_words(&expected.to_string())),
        })
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownVariant { expected })
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Problem::UnknownKey { expected })
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(Problem::MissingKey(key))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Types that try several readings print the error of each.
        match &self.problem {
            Problem::UnknownKey { .. } => f.write_str("unknown key"),
            Problem::MissingKey(key) => write!(f, "`{key}` is missing"),
            Problem::Absent => f.write_str("not set anywhere"),
            Problem::WrongType { expected } | Problem::WrongValue { expected } => {
                write!(f, "expected {expected}")
            }
            Problem::UnknownVariant { expected } => write!(f, "expected {}", one_of(expected)),
            Problem::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for DecodeError {}

/// `a`, `b` or `c`.
pub(crate) fn one_of(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or `{last}`", all_of(others)),
        _ => all_of(names),
    }
}

/// `a`, `b`, `c`.
pub(crate) fn all_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Says what serde expects in the words of somebody who edits a file.
fn plain_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" | "u128" => "a whole number, not negative",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "isize" | "i128" => "a whole number",
        "a nonzero u16" => "a whole number from 1 to 65535",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" | "a borrowed string" => "text",
        "a character" => "a single character",
        "a sequence" => "a list",
        "a map" => "a table",
        _ if expected.starts_with("struct ") => "a table",
        _ if expected.starts_with("a nonzero ") => "a whole number that is not 0",
        _ => {
            let length = expected
                .strip_prefix("a tuple of size ")
                .or_else(|| expected.strip_prefix("an array of length "));
            return length.map_or_else(|| expected.to_owned(), |length| format!("{length} items"));
        }
    };
    words.to_owned()
}
