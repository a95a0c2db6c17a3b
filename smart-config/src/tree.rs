//! The merged configuration as a tree whose every value knows its origin.

use std::collections::BTreeMap;
use std::fmt;

use config::{Value, ValueKind};
use zeroize::Zeroizing;

use crate::origin::Origin;
use crate::report::printable;

#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// A table has none: several layers may have built it.
    pub(crate) origin: Option<Origin>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(Zeroizing<String>),
    Table(BTreeMap<String, Node>),
    Array(Vec<Node>),
    /// Takes the place of a missing key: a struct finds an empty table and tells which of its keys are missing,
    /// everything else tells that the key itself is.
    Absent,
    /// Fits every type, so that decoding goes on behind a fault; the number tells which text it tries.
    StandIn(usize),
}

/// The way from the root to a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Path(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

impl Node {
    pub(crate) fn text(text: String, origin: Option<Origin>) -> Self {
        Self {
            origin,
            kind: Kind::Text(Zeroizing::new(text)),
        }
    }

    pub(crate) fn empty_table() -> Self {
        Self {
            origin: None,
            kind: Kind::Table(BTreeMap::new()),
        }
    }

    pub(crate) fn stand_in(origin: Option<Origin>) -> Self {
        Self {
            origin,
            kind: Kind::StandIn(0),
        }
    }

    /// Takes over what the layers were merged into.
    pub(crate) fn from_merged(value: Value) -> Self {
        let origin = value.origin().and_then(Origin::from_tag);
        let kind = match value.kind {
            ValueKind::Nil => Kind::Absent,
            ValueKind::Boolean(value) => Kind::Boolean(value),
            ValueKind::I64(value) => Kind::Integer(value.into()),
            ValueKind::U64(value) => Kind::Integer(value.into()),
            ValueKind::I128(value) => Kind::Integer(value),
            // Only our own sources put values in, and they make no such number.
            ValueKind::U128(value) => Kind::Text(Zeroizing::new(value.to_string())),
            ValueKind::Float(value) => Kind::Float(value),
            ValueKind::String(value) => Kind::Text(Zeroizing::new(value)),
            ValueKind::Array(items) => {
                Kind::Array(items.into_iter().map(Self::from_merged).collect())
            }
            ValueKind::Table(entries) => Kind::Table(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, Self::from_merged(value)))
                    .collect(),
            ),
        };
        Self { origin, kind }
    }

    pub(crate) fn at(&self, path: &Path) -> Option<&Self> {
        path.0
            .iter()
            .try_fold(self, |node, segment| match (&node.kind, segment) {
                (Kind::Table(entries), Segment::Key(key)) => entries.get(key),
                (Kind::Array(items), Segment::Index(index)) => items.get(*index),
                _ => None,
            })
    }

    pub(crate) fn at_mut(&mut self, path: &Path) -> Option<&mut Self> {
        path.0
            .iter()
            .try_fold(self, |node, segment| match (&mut node.kind, segment) {
                (Kind::Table(entries), Segment::Key(key)) => entries.get_mut(key),
                (Kind::Array(items), Segment::Index(index)) => items.get_mut(*index),
                _ => None,
            })
    }

    /// The last node on the path that exists, and how many segments lead to it.
    pub(crate) fn deepest(&self, path: &Path) -> (&Self, usize) {
        (0..=path.0.len())
            .rev()
            .find_map(|length| Some((self.at(&path.first(length))?, length)))
            .unwrap_or((self, 0))
    }

    /// Its own origin, or that of the first value in it.
    pub(crate) fn first_origin(&self) -> Option<&Origin> {
        self.origin.as_ref().or_else(|| match &self.kind {
            Kind::Table(entries) => entries.values().find_map(Self::first_origin),
            Kind::Array(items) => items.iter().find_map(Self::first_origin),
            _ => None,
        })
    }

    /// Calls back for this node and everything below it.
    pub(crate) fn walk<'a>(&'a self, path: &Path, visit: &mut impl FnMut(&Path, &'a Self)) {
        visit(path, self);
        match &self.kind {
            Kind::Table(entries) => entries
                .iter()
                .for_each(|(key, node)| node.walk(&path.key(key), visit)),
            Kind::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, node)| node.walk(&path.index(index), visit)),
            _ => {}
        }
    }

    /// The value as bare text; tables, lists and stand-ins have none.
    pub(crate) fn scalar(&self) -> Option<Zeroizing<String>> {
        match &self.kind {
            Kind::Boolean(value) => Some(value.to_string().into()),
            Kind::Integer(value) => Some(value.to_string().into()),
            Kind::Float(value) => Some(value.to_string().into()),
            Kind::Text(value) => Some(value.clone()),
            Kind::Table(_) | Kind::Array(_) | Kind::Absent | Kind::StandIn(_) => None,
        }
    }

    /// What it is, in the words of a report.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Boolean(_) => "a boolean",
            Kind::Integer(_) => "a whole number",
            Kind::Float(_) => "a number with a fraction",
            Kind::Text(_) => "text",
            Kind::Table(_) => "a table",
            Kind::Array(_) => "a list",
            Kind::Absent | Kind::StandIn(_) => "nothing",
        }
    }
}

impl Path {
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    fn with(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }

    pub(crate) fn first(&self, length: usize) -> Self {
        Self(self.0[..length].to_vec())
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Parent and last segment.
    pub(crate) fn split_last(&self) -> Option<(Self, &Segment)> {
        self.0
            .split_last()
            .map(|(last, parent)| (Self(parent.to_vec()), last))
    }

    pub(crate) fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The environment variable that sets this key, unless there is a list on the way.
    pub(crate) fn variable(&self) -> Option<String> {
        self.0
            .iter()
            .try_fold("SMART".to_owned(), |name, segment| match segment {
                Segment::Key(key) => Some(format!(
                    "{name}__{}",
                    key.to_ascii_uppercase().replace('-', "_")
                )),
                Segment::Index(_) => None,
            })
    }

    /// All segments with dots between them, as a secret is named.
    pub(crate) fn dotted(&self) -> String {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => key.clone(),
                Segment::Index(index) => index.to_string(),
            })
            .collect();
        parts.join(".")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    if is_bare_key(key) {
                        f.write_str(key)?;
                    } else {
                        write!(f, "\"{}\"", printable(key))?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether TOML lets the key stand without quotes.
pub(crate) fn is_bare_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-')
}
