use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::{
    self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::decode::error::{DecodeError, Problem};
use crate::origin::Origin;
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
    fn part(&self, node: &'a Node, path: Path) -> Self {
        Self {
            node,
            path,
            context: self.context,
            made_up: self.made_up || matches!(self.node.kind, Kind::StandIn(_)),
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
        let is_postponed = |(key, _): &(&String, &Node)| {
            let path = self.path.key(key);
            self.context
                .postponed
                .iter()
                .any(|postponed| postponed.starts_with(&path))
        };
        let (late, early): (Vec<_>, Vec<_>) = entries.iter().partition(is_postponed);
        visitor.visit_map(Entries {
            entries: early
                .into_iter()
                .chain(late)
                .collect::<Vec<_>>()
                .into_iter(),
            current: None,
            parent: self,
        })
    }

    fn list<'de, V: Visitor<'de>>(
        &self,
        items: &[Node],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Items {
            items: items.iter().enumerate(),
            parent: self,
        })
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

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer(visitor)
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

struct Entries<'a> {
    entries: std::vec::IntoIter<(&'a String, &'a Node)>,
    current: Option<(&'a String, &'a Node)>,
    parent: Decoder<'a>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        self.current = self.entries.next();
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        // An origin without types, as the keys of a map may be numbers.
        let name = Node::text(key.clone(), Some(Origin::Override(String::new())));
        let path = self.parent.path.key(key);
        let decoder = Decoder {
            node: &name,
            path: path.clone(),
            context: self.parent.context,
            made_up: false,
        };
        seed.deserialize(decoder)
            .map(Some)
            .map_err(|error| error.at(&path))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let (key, node) = self.current.take().expect("serde asks for a key first");
        let path = self.parent.path.key(key);
        let decoder = self.parent.part(node, path.clone());
        seed.deserialize(decoder).map_err(|error| error.at(&path))
    }
}

struct Items<'a, 'b> {
    items: std::iter::Enumerate<std::slice::Iter<'b, Node>>,
    parent: &'b Decoder<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let path = self.parent.path.index(index);
        let decoder = Decoder {
            node,
            path: path.clone(),
            context: self.parent.context,
            made_up: self.parent.made_up || self.parent.is_stand_in(),
        };
        seed.deserialize(decoder)
            .map(Some)
            .map_err(|error| error.at(&path))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Variant<'a> {
    name: &'a str,
    content: Decoder<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Decoder<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Decoder<'a>), DecodeError> {
        let name: de::value::StrDeserializer<'_, DecodeError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Decoder<'_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.node.kind {
            Kind::StandIn(_) => Ok(()),
            _ => Err(DecodeError::new(Problem::Custom(
                "this choice has no settings of its own".to_owned(),
            ))
            .at(&self.path)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        let path = self.path.clone();
        seed.deserialize(self).map_err(|error| error.at(&path))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let path = self.path.clone();
        self.deserialize_tuple(length, visitor)
            .map_err(|error| error.at(&path))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let path = self.path.clone();
        self.deserialize_struct("", keys, visitor)
            .map_err(|error| error.at(&path))
    }
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
