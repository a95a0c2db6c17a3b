use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::{IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::decode::access::{Entries, Items, Variant};
use crate::decode::error::{DecodeError, Problem};
use crate::secret::MARKER;
use crate::tree::{Kind, Node, Path};

/// What all decoders of one round share.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// The keys that turned out to be secret.
    pub(crate) secrets: RefCell<BTreeSet<Path>>,
    /// The keys to read after all others, as nothing can be made to fit them.
    pub(crate) postponed: BTreeSet<Path>,
}

/// Reads one node.
pub(crate) struct Decoder<'a> {
    pub(crate) node: &'a Node,
    pub(crate) path: Path,
    pub(crate) context: &'a Context,
    /// Whether it is a part that a stand-in made up, where types that contain themselves must come to an end.
    pub(crate) made_up: bool,
}

impl<'a> Decoder<'a> {
    pub(crate) fn part(&self, node: &'a Node, path: Path) -> Self {
        Self {
            node,
            path,
            context: self.context,
            made_up: self.made_up || self.is_stand_in(),
        }
    }

    /// The text, if numbers and booleans may be read from it.
    fn untyped_text(&self) -> Option<&'a str> {
        match (&self.node.kind, &self.node.origin) {
            (Kind::Text(text), Some(origin)) if origin.is_untyped() => Some(text.trim()),
            _ => None,
        }
    }

    fn is_stand_in(&self) -> bool {
        matches!(self.node.kind, Kind::StandIn(_))
    }

    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_stand_in() {
            return visitor.visit_u64(1);
        }
        match self.untyped_text().and_then(|text| text.parse().ok()) {
            Some(number) => visit_integer(number, visitor),
            None => self.deserialize_any(visitor),
        }
    }

    fn float<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_stand_in() {
            return visitor.visit_f64(1.0);
        }
        match self.untyped_text().and_then(|text| text.parse().ok()) {
            Some(number) => visitor.visit_f64(number),
            None => self.deserialize_any(visitor),
        }
    }

    fn table<'de, V: Visitor<'de>>(
        self,
        entries: &'a BTreeMap<String, Node>,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let mut entries: Vec<(&String, &Node)> = entries.iter().collect();
        if !self.context.postponed.is_empty() {
            entries.sort_by_cached_key(|(key, _)| {
                let path = self.path.key(key);
                let mut postponed = self.context.postponed.iter();
                postponed.any(|postponed| postponed.starts_with(&path))
            });
        }
        visitor.visit_map(Entries {
            entries: entries.into_iter(),
            current: None,
            parent: self,
        })
    }

    fn list<'de, V: Visitor<'de>>(
        &self,
        items: &[Node],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let mut rest = Items {
            items: items.iter().enumerate(),
            parent: self,
        };
        let value = visitor.visit_seq(&mut rest)?;
        match rest.items.len() {
            0 => Ok(value),
            more => Err(DecodeError::new(Problem::WrongValue {
                expected: format!("{} items, not {}", items.len() - more, items.len()),
            })),
        }
    }
}

fn visit_integer<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value, DecodeError> {
    if let Ok(number) = i64::try_from(number) {
        visitor.visit_i64(number)
    } else if let Ok(number) = u64::try_from(number) {
        visitor.visit_u64(number)
    } else {
        visitor.visit_i128(number)
    }
}

/// Whole numbers of all widths are read alike; the visitor knows the width.
macro_rules! integers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.integer(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Boolean(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => visit_integer(*value, visitor),
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::Text(text) => visitor.visit_str(text),
            Kind::Array(items) => self.list(items, visitor),
            Kind::Table(entries) => self.table(entries, visitor),
            Kind::Absent => Err(DecodeError::new(Problem::Absent)),
            Kind::StandIn(round) => visitor.visit_str(STAND_IN_TEXTS[*round]),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_stand_in() {
            return visitor.visit_bool(false);
        }
        match self.untyped_text() {
            Some("true") => visitor.visit_bool(true),
            Some("false") => visitor.visit_bool(false),
            _ => self.deserialize_any(visitor),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.float(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.float(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_stand_in() {
            visitor.visit_char('x')
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.made_up || matches!(self.node.kind, Kind::Absent) {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_stand_in() {
            visitor.visit_unit()
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == MARKER {
            self.context.secrets.borrow_mut().insert(self.path.clone());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_stand_in() {
            return self.list(&[], visitor);
        }
        match self.untyped_text() {
            Some(text) => {
                let part =
                    |part: &str| Node::text(part.trim().to_owned(), self.node.origin.clone());
                self.list(&text.split(',').map(part).collect::<Vec<_>>(), visitor)
            }
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if self.is_stand_in() {
            return self.list(&vec![self.node.clone(); length], visitor);
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.node.kind {
            Kind::StandIn(_) => self.table(&BTreeMap::new(), visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.node.kind {
            Kind::Absent => self.table(&BTreeMap::new(), visitor),
            Kind::StandIn(_) => {
                let made_up = |key: &&str| ((*key).to_owned(), self.node.clone());
                let entries = keys.iter().map(made_up).collect();
                self.table(&entries, visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match &self.node.kind {
            Kind::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Kind::Table(entries) if entries.len() == 1 => {
                let (name, content) = entries.iter().next().expect("it has one entry");
                let content = self.part(content, self.path.key(name));
                visitor.visit_enum(Variant { name, content })
            }
            Kind::StandIn(round) if !variants.is_empty() => visitor.visit_enum(Variant {
                name: variants[round % variants.len()],
                content: self,
            }),
            Kind::Absent => Err(DecodeError::new(Problem::Absent)),
            _ => Err(DecodeError::new(Problem::UnknownVariant {
                expected: variants,
            })),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { str string bytes byte_buf unit_struct identifier }
}

/// What a stand-in answers to a type that reads text, in turn until one pleases it.
pub(crate) const STAND_IN_TEXTS: [&str; 12] = [
    "placeholder",
    "1s",
    "1MiB",
    "1",
    "127.0.0.1",
    "127.0.0.1:1",
    "http://localhost/",
    "/",
    "info",
    "2000-01-01",
    "2000-01-01T00:00:00Z",
    "00000000-0000-4000-8000-000000000000",
];
