use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use config::{ConfigError, Source, Value, ValueKind};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Faults;
use crate::origin::Origin;
use crate::report::{Fault, FaultKind};
use crate::source::{MAX_DEPTH, Unreadable, read_text};
use crate::tree::is_bare_key;

/// A layer of TOML: a file, or text that a program brings along.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    table: HashMap<String, Value>,
}

/// What a document is called.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    BuiltIn(String),
    File(String),
}

impl Place {
    pub(crate) fn line(&self, line: usize) -> Origin {
        match self {
            Self::BuiltIn(label) => Origin::BuiltIn(label.clone()),
            Self::File(path) => Origin::File {
                path: path.clone(),
                line,
            },
        }
    }
}

impl Document {
    /// Reads a file; `None` if there is none.
    pub(crate) fn read(path: &Path, faults: &mut Faults) -> Option<Self> {
        let place = Place::File(path.display().to_string());
        match read_text(path, MAX_FILE_BYTES) {
            Ok(text) => Some(Self::parse(&text, &place, faults)),
            Err(Unreadable { absent: true, .. }) => None,
            Err(Unreadable { message, line, .. }) => {
                faults.add(
                    Some(place.line(line)),
                    Fault::new(FaultKind::Unreadable, message),
                );
                Some(Self {
                    table: HashMap::new(),
                })
            }
        }
    }

    /// Reads as much as possible, so that faults behind a syntax error are found too.
    pub(crate) fn parse(text: &str, place: &Place, faults: &mut Faults) -> Self {
        let mut reader = Reader::new(text, place);
        let (table, errors) = DeTable::parse_recoverable(text);
        // What follows the first errors is mostly their echo.
        for error in errors.iter().take(MAX_SYNTAX_FAULTS) {
            let start = error.span().map_or(0, |span| span.start);
            let message = error.message();
            // These say nothing to somebody who edits a file.
            let message = message
                .strip_suffix(", expected literal string")
                .unwrap_or(message);
            let message = message
                .strip_suffix(", expected nothing")
                .unwrap_or(message);
            let message = format!("{message}, at column {}", reader.column(start));
            reader.fault(FaultKind::Syntax, start, None, message);
        }
        let table = reader.root(table.into_inner());
        faults.append(reader.faults);
        Self { table }
    }

    /// The layer as a tree of its own.
    pub(crate) fn into_value(self) -> Value {
        Value::new(None, ValueKind::Table(self.table))
    }
}

impl Source for Document {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<HashMap<String, Value>, ConfigError> {
        Ok(self.table.clone())
    }
}

/// Turns parsed TOML into values with origins.
struct Reader<'a> {
    text: &'a str,
    place: &'a Place,
    line_starts: Vec<usize>,
    faults: Faults,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, place: &'a Place) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            text,
            place,
            line_starts: std::iter::once(0)
                .chain(breaks.map(|(at, _)| at + 1))
                .collect(),
            faults: Faults::default(),
        }
    }

    fn line(&self, at: usize) -> usize {
        self.line_starts
            .partition_point(|start| *start <= at)
            .max(1)
    }

    fn column(&self, at: usize) -> usize {
        let start = self.line_starts[self.line(at) - 1];
        let before = self.text.get(start..at).unwrap_or_default();
        before.chars().count() + 1
    }

    fn fault(&mut self, kind: FaultKind, at: usize, key: Option<String>, message: String) {
        let fault = Fault {
            key,
            ..Fault::new(kind, message)
        };
        self.faults.add(Some(self.place.line(self.line(at))), fault);
    }

    fn root(&mut self, table: DeTable<'_>) -> HashMap<String, Value> {
        let mut root = HashMap::new();
        for (key, value) in table {
            let (at, key) = (key.span().start, key.into_inner().into_owned());
            // The `config` crate would read some keys as a path.
            if !is_bare_key(&key) {
                let message =
                    "a key at the top of a file may have letters, digits, `_` and `-` only";
                self.fault(FaultKind::BadName, at, Some(key), message.to_owned());
            } else {
                root.insert(key, self.value(value, 1));
            }
        }
        root
    }

    fn value(&mut self, value: Spanned<DeValue<'_>>, depth: usize) -> Value {
        let span = value.span();
        let kind = match value.into_inner() {
            _ if depth > MAX_DEPTH => self.refuse(
                &span,
                format!("tables and lists nest deeper than {MAX_DEPTH} levels"),
            ),
            DeValue::String(text) => ValueKind::String(text.into_owned()),
            DeValue::Boolean(value) => ValueKind::Boolean(value),
            DeValue::Datetime(value) => ValueKind::String(value.to_string()),
            DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix())
            {
                Ok(number) => ValueKind::I128(number),
                Err(_) => self.refuse(&span, "the number is too large".to_owned()),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => ValueKind::Float(number),
                Err(_) => self.refuse(&span, "the number cannot be read".to_owned()),
            },
            DeValue::Array(items) => ValueKind::Array(
                items
                    .into_iter()
                    .map(|item| self.value(item, depth + 1))
                    .collect(),
            ),
            DeValue::Table(entries) => ValueKind::Table(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        (key.into_inner().into_owned(), self.value(value, depth + 1))
                    })
                    .collect(),
            ),
        };
        Value::new(Some(&self.place.line(self.line(span.start)).to_tag()), kind)
    }

    fn refuse(&mut self, span: &Range<usize>, message: String) -> ValueKind {
        self.fault(FaultKind::Syntax, span.start, None, message);
        ValueKind::Nil
    }
}

/// A configuration has a few kilobytes; this bounds what a wrong path can cost.
const MAX_FILE_BYTES: u64 = 1 << 20;

const MAX_SYNTAX_FAULTS: usize = 3;
