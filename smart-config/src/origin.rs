use std::fmt;

use crate::report::printable;

/// Where a value comes from. Ordered as the layers are, so that a report can be sorted by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Text that a program brings along.
    BuiltIn(String),
    /// Line 0 stands for the file as a whole.
    File {
        path: String,
        line: usize,
    },
    Variable(String),
    /// The key of a `--set`.
    Assignment(String),
    Override(String),
    Secret(String),
}

impl Origin {
    /// Whether its values are text, from which numbers and booleans may be read.
    pub(crate) fn is_untyped(&self) -> bool {
        !self.is_plain_file()
    }

    /// Whether its values stand in a file that everybody with the source code can read.
    pub(crate) fn is_plain_file(&self) -> bool {
        matches!(self, Self::BuiltIn(_) | Self::File { .. })
    }

    pub(crate) fn is_secret_source(&self) -> bool {
        matches!(self, Self::Secret(_))
    }

    /// One string that [`Origin::from_tag`] reads back: `config::Value` carries its origin as a string.
    pub(crate) fn to_tag(&self) -> String {
        match self {
            Self::BuiltIn(label) => format!("b{label}"),
            Self::File { path, line } => format!("f{line}:{path}"),
            Self::Variable(name) => format!("v{name}"),
            Self::Assignment(key) => format!("a{key}"),
            Self::Override(label) => format!("o{label}"),
            Self::Secret(source) => format!("s{source}"),
        }
    }

    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let rest = || tag[1..].to_owned();
        match tag.as_bytes().first()? {
            b'b' => Some(Self::BuiltIn(rest())),
            b'f' => {
                let (line, path) = tag[1..].split_once(':')?;
                Some(Self::File {
                    path: path.to_owned(),
                    line: line.parse().ok()?,
                })
            }
            b'v' => Some(Self::Variable(rest())),
            b'a' => Some(Self::Assignment(rest())),
            b'o' => Some(Self::Override(rest())),
            b's' => Some(Self::Secret(rest())),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0 } => write!(f, "{}", printable(path)),
            Self::File { path, line } => write!(f, "{}:{line}", printable(path)),
            Self::Assignment(key) if key.is_empty() => f.write_str("--set"),
            Self::Assignment(key) => write!(f, "--set {}", printable(key)),
            Self::Variable(text)
            | Self::BuiltIn(text)
            | Self::Override(text)
            | Self::Secret(text) => {
                write!(f, "{}", printable(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_survives_as_a_tag() {
        let origins = [
            Origin::BuiltIn("built in".to_owned()),
            Origin::File {
                path: "a:b/ö.toml".to_owned(),
                line: 14,
            },
            Origin::Variable("SMART__A".to_owned()),
            Origin::Assignment("a.b".to_owned()),
            Origin::Override(String::new()),
            Origin::Secret("secrets directory `x`".to_owned()),
        ];
        for origin in origins {
            assert_eq!(Origin::from_tag(&origin.to_tag()), Some(origin));
        }
        assert_eq!(Origin::from_tag(""), None);
        assert_eq!(Origin::from_tag("f:"), None);
    }
}
