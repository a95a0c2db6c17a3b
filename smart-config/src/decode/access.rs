use serde::Deserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
    value,
};

use crate::decode::decoder::Decoder;
use crate::decode::error::{DecodeError, Problem};
use crate::origin::Origin;
use crate::tree::{Kind, Node};

/// Keys and values of a table.
pub(crate) struct Entries<'a> {
    pub(crate) entries: std::vec::IntoIter<(&'a String, &'a Node)>,
    pub(crate) current: Option<(&'a String, &'a Node)>,
    pub(crate) parent: Decoder<'a>,
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

/// Items of a list.
pub(crate) struct Items<'a> {
    pub(crate) items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    pub(crate) parent: &'a Decoder<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let path = self.parent.path.index(index);
        let decoder = self.parent.part(node, path.clone());
        seed.deserialize(decoder)
            .map(Some)
            .map_err(|error| error.at(&path))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// One of several choices, with what is set for it.
pub(crate) struct Variant<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: Decoder<'a>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Decoder<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Decoder<'a>), DecodeError> {
        let name: value::StrDeserializer<'_, DecodeError> = self.name.into_deserializer();
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
