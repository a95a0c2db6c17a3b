//! The layers, as sources of the `config` crate, which merges them.

mod assigned;
mod document;
mod read;

use config::Config;

use crate::tree::Node;

pub(crate) use assigned::AssignedLayer;
pub(crate) use document::{Document, Place};
pub(crate) use read::{Unreadable, read_text};

/// One table of all layers, later ones on top.
pub(crate) fn merge(
    documents: &[Document],
    assigned: &[AssignedLayer],
) -> Result<Node, config::ConfigError> {
    let mut builder = Config::builder();
    for document in documents {
        builder = builder.add_source(document.clone());
    }
    for layer in assigned {
        builder = builder.add_source(layer.clone());
    }
    builder
        .build()
        .map(|merged| Node::from_merged(merged.cache))
}

/// How deep keys may nest. Real configurations need four; decoding calls itself once a level.
pub(crate) const MAX_DEPTH: usize = 32;
