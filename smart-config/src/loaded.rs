use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use crate::decode::is_secret;
use crate::origin::Origin;
use crate::report::Entry;
use crate::secret::{HIDDEN, Secret};
use crate::tree::{Kind, Node, Path};

/// A configuration that is fit for use.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The configuration itself.
    pub value: T,
    pub(crate) entries: Vec<Entry>,
    pub(crate) secrets: Vec<Secret>,
}

impl<T> Loaded<T> {
    /// Every key with its value and origin, sorted; also those that have their default.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The values a log scrubber has to look for: those of secret keys and those that a secret source filled, except
    /// what stands in plain files.
    pub fn secret_values(&self) -> Vec<Secret> {
        self.secrets.clone()
    }
}

/// Explains the final value, key by key. Without a value the tree itself is told.
pub(crate) fn entries<T: Serialize>(
    value: Option<&T>,
    tree: &Node,
    secrets: &BTreeSet<Path>,
) -> Vec<Entry> {
    let mut teller = Teller {
        tree,
        secrets,
        filled: values_where(tree, |_, node| is_filled(node)),
        entries: Vec::new(),
    };
    match value.map(serde_json::to_value) {
        Some(Ok(json)) => teller.tell(&Path::default(), &json),
        // A type that cannot be written as JSON, or a placeholder that nothing can stand in for.
        _ => tree.walk(&Path::default(), &mut |path, node| {
            if let Some(text) = node.scalar() {
                let text = if matches!(node.kind, Kind::Text(_)) {
                    format!("{:?}", *text)
                } else {
                    text.to_string()
                };
                teller.entry(path, text);
            } else if matches!(node.kind, Kind::StandIn(_)) {
                teller.entry(path, String::new());
            }
        }),
    }
    teller
        .entries
        .sort_by(|left, right| left.key.cmp(&right.key));
    teller.entries
}

/// What a log scrubber has to look for.
pub(crate) fn secret_values(tree: &Node, secrets: &BTreeSet<Path>) -> Vec<Secret> {
    let is_plain = |node: &Node| node.origin.as_ref().is_some_and(Origin::is_plain_file);
    let values = values_where(tree, |path, node| {
        is_secret(path, node, secrets) && !is_plain(node)
    });
    values.into_iter().map(Secret::new).collect()
}

/// All values that a fault must not show, plain files or not.
pub(crate) fn hidden_values(tree: &Node, secrets: &BTreeSet<Path>) -> BTreeSet<String> {
    values_where(tree, |path, node| is_secret(path, node, secrets))
}

fn values_where(tree: &Node, mut wanted: impl FnMut(&Path, &Node) -> bool) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    tree.walk(&Path::default(), &mut |path, node| {
        if let Some(text) = node
            .scalar()
            .filter(|text| !text.is_empty() && wanted(path, node))
        {
            values.insert(text.to_string());
        }
    });
    values
}

fn is_filled(node: &Node) -> bool {
    node.origin.as_ref().is_some_and(Origin::is_secret_source)
}

struct Teller<'a> {
    tree: &'a Node,
    secrets: &'a BTreeSet<Path>,
    filled: BTreeSet<String>,
    entries: Vec<Entry>,
}

impl Teller<'_> {
    fn tell(&mut self, path: &Path, json: &Json) {
        match json {
            Json::Object(entries) => {
                for (key, value) in entries {
                    self.tell(&path.key(key), value);
                }
            }
            Json::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                for (index, item) in items.iter().enumerate() {
                    self.tell(&path.index(index), item);
                }
            }
            Json::Array(items) => {
                let written: Vec<String> = items.iter().map(|item| self.written(item)).collect();
                self.entry(path, format!("[{}]", written.join(", ")));
            }
            value => {
                let written = self.written(value);
                self.entry(path, written);
            }
        }
    }

    /// The value as TOML would write it. A field may be written under another name than it is read, so a secret is
    /// known by its value too.
    fn written(&self, value: &Json) -> String {
        match value {
            Json::Null => NOT_SET.to_owned(),
            Json::String(text) if self.holds_secret(text) => HIDDEN.to_owned(),
            other if self.filled.contains(&other.to_string()) => HIDDEN.to_owned(),
            other => other.to_string(),
        }
    }

    fn holds_secret(&self, text: &str) -> bool {
        // Short ones would hide half of the configuration wherever they occur by chance.
        let within = |secret: &String| secret.len() >= 8 && text.contains(secret.as_str());
        text == HIDDEN || self.filled.contains(text) || self.filled.iter().any(within)
    }

    fn entry(&mut self, path: &Path, written: String) {
        let (node, length) = self.tree.deepest(path);
        let leads_here = length == path.segments().len() || node.scalar().is_some();
        let origin = node.first_origin().filter(|_| leads_here);
        let secret = written == HIDDEN || (leads_here && is_secret(path, node, self.secrets));
        let value = match node.kind {
            Kind::StandIn(_) => UNFILLED.to_owned(),
            _ if written == NOT_SET => written,
            _ if secret => HIDDEN.to_owned(),
            _ => written,
        };
        self.entries.push(Entry {
            key: path.to_string(),
            value,
            origin: origin.map_or_else(|| "default".to_owned(), ToString::to_string),
            secret,
        });
    }
}

const NOT_SET: &str = "(not set)";
const UNFILLED: &str = "(not filled yet)";
