use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::decode::decoder::{Context, Decoder, STAND_IN_TEXTS};
use crate::decode::error::{DecodeError, Problem, all_of, one_of};
use crate::error::Faults;
use crate::nearest::nearest;
use crate::origin::Origin;
use crate::report::{Fault, FaultKind, printable};
use crate::secret::HIDDEN;
use crate::tree::{Kind, Node, Path, Segment};

/// What decoding gives.
#[derive(Debug)]
pub(crate) struct Decoded<T> {
    /// Absent when something does not fit, or no stand-in pleases the type of a placeholder.
    pub(crate) value: Option<T>,
    /// The keys that turned out to be secret.
    pub(crate) secrets: BTreeSet<Path>,
}

/// Reads the part of the tree at `base`.
///
/// serde stops at the first fault. So the fault is noted, the tree repaired there, and decoding begun again: a
/// wrong value is taken out, which suits keys that have a default; for a key that must be there a stand-in is put in.
///
/// One limit remains: where a key must be there, is missing or wrong, and its type accepts none of the stand-ins,
/// other keys that are missing come up only after it was put right.
pub(crate) fn decode<T: DeserializeOwned>(
    tree: &Node,
    base: &Path,
    add_missing_to: &str,
    faults: &mut Faults,
) -> Decoded<T> {
    let mut repair = Repair {
        tree: tree.clone(),
        context: Context::default(),
        excused: Vec::new(),
        add_missing_to,
        faults: Faults::default(),
    };
    let mut value = None;
    for _ in 0..MAX_ROUNDS {
        let Some(node) = repair.tree.at(base) else {
            break;
        };
        let decoder = Decoder {
            node,
            path: base.clone(),
            context: &repair.context,
            made_up: false,
        };
        match T::deserialize(decoder) {
            Ok(decoded) => {
                value = Some(decoded);
                break;
            }
            Err(error) => {
                if !repair.repair(error.at(base)) {
                    break;
                }
            }
        }
    }
    if !repair.faults.is_empty() {
        value = None;
    }
    faults.append(repair.faults);
    Decoded {
        value,
        secrets: repair.context.secrets.into_inner(),
    }
}

struct Repair<'a> {
    tree: Node,
    context: Context,
    /// Keys whose absence follows from a fault that was noted.
    excused: Vec<Path>,
    add_missing_to: &'a str,
    faults: Faults,
}

impl Repair<'_> {
    /// Notes the fault and changes the tree. False if nothing can be done.
    fn repair(&mut self, error: DecodeError) -> bool {
        let path = error.path.unwrap_or_default();
        if let Problem::UnknownKey { expected } = error.problem {
            self.note_unknown(&path, expected);
            return self.remove(&path);
        }
        let (deepest, length) = self.tree.deepest(&path);
        if let Kind::StandIn(round) = deepest.kind {
            return self.try_next(&path.first(length), round);
        }
        match error.problem {
            Problem::MissingKey(key) => {
                let path = path.key(key);
                let kind = if self.is_excused(&path) {
                    Kind::StandIn(0)
                } else {
                    Kind::Absent
                };
                self.put(&path, Node { origin: None, kind })
            }
            Problem::Absent => {
                if !self.is_excused(&path) {
                    self.note_missing(&path);
                }
                self.put(&path, Node::stand_in(None))
            }
            problem => {
                // What a type says about a table that was repaired is mostly about the repair.
                if !self.is_repaired(&path) {
                    self.note_wrong(&path, problem);
                }
                self.excused.push(path.clone());
                match path.segments().last() {
                    Some(Segment::Index(_)) => self.put(&path, Node::stand_in(None)),
                    _ => self.remove(&path),
                }
            }
        }
    }

    /// Has a stand-in try its next text; one without texts left is read last, so that it hides no other fault.
    fn try_next(&mut self, path: &Path, round: usize) -> bool {
        if round + 1 == STAND_IN_TEXTS.len() {
            return self.context.postponed.insert(path.clone());
        }
        match self.tree.at_mut(path) {
            Some(node) => {
                node.kind = Kind::StandIn(round + 1);
                true
            }
            None => false,
        }
    }

    fn is_excused(&self, path: &Path) -> bool {
        self.excused.iter().any(|excused| path.starts_with(excused))
    }

    fn is_repaired(&self, path: &Path) -> bool {
        let mut repaired = self.excused.iter().any(|excused| excused.starts_with(path));
        if let Some(node) = self.tree.at(path) {
            node.walk(path, &mut |_, node| {
                repaired |= matches!(node.kind, Kind::StandIn(_))
            });
        }
        repaired
    }

    fn put(&mut self, path: &Path, node: Node) -> bool {
        let Some((parent, last)) = path.split_last() else {
            return false;
        };
        let Some(parent) = self.tree.at_mut(&parent) else {
            return false;
        };
        if matches!(parent.kind, Kind::Absent) {
            *parent = Node::empty_table();
        }
        match (&mut parent.kind, last) {
            (Kind::Table(entries), Segment::Key(key)) => {
                entries.insert(key.clone(), node);
                true
            }
            (Kind::Array(items), Segment::Index(index)) if *index < items.len() => {
                items[*index] = node;
                true
            }
            _ => false,
        }
    }

    fn remove(&mut self, path: &Path) -> bool {
        let Some((parent, Segment::Key(key))) = path.split_last() else {
            return false;
        };
        match self.tree.at_mut(&parent).map(|node| &mut node.kind) {
            Some(Kind::Table(entries)) => entries.remove(key).is_some(),
            _ => false,
        }
    }

    fn note(&mut self, origin: Option<Origin>, fault: Fault) {
        self.faults.add(origin, fault);
    }

    fn note_missing(&mut self, path: &Path) {
        let Some((parent, Segment::Key(key))) = path.split_last() else {
            return;
        };
        let key = printable(key);
        let fault = Fault::new(FaultKind::Missing, "is not set anywhere").key(path.to_string());
        let Some(variable) = path.variable() else {
            // Part of a list, which stands in one file as a whole.
            let origin = self.tree.at(&parent).and_then(Node::first_origin).cloned();
            return self.note(
                origin,
                fault.hint(format!("add `{key} = ...` to `{parent}`")),
            );
        };
        let place = match parent.is_root() {
            true => format!("at the top of `{}`", self.add_missing_to),
            false => format!("under [{parent}] in `{}`", self.add_missing_to),
        };
        let hint = if self.context.secrets.borrow().contains(path) {
            format!("add `{key} = \"\"` {place}, for a secret source to fill, or set `{variable}`")
        } else {
            format!("add `{key} = ...` {place}, or set `{variable}`")
        };
        self.note(None, fault.hint(hint));
    }

    fn note_unknown(&mut self, path: &Path, expected: &[&str]) {
        let written = match path.segments().last() {
            Some(Segment::Key(key)) => key.as_str(),
            _ => "",
        };
        let near = nearest(written, expected.iter().copied());
        let message = match near {
            Some(near) => format!("unknown key; did you mean `{near}`?"),
            None if expected.is_empty() => "unknown key; no key is known here".to_owned(),
            None => format!("unknown key; known here: {}", all_of(expected)),
        };
        if let (Some(near), Some((parent, _))) = (near, path.split_last()) {
            self.excused.push(parent.key(near));
        }
        let origin = self.tree.at(path).and_then(Node::first_origin).cloned();
        self.note(
            origin,
            Fault::new(FaultKind::UnknownKey, message).key(path.to_string()),
        );
    }

    fn note_wrong(&mut self, path: &Path, problem: Problem) {
        let Some(node) = self.tree.at(path) else {
            return;
        };
        let origin = node.first_origin().cloned();
        let secret = is_secret(path, node, &self.context.secrets.borrow());
        // A single text where a table belongs is often an address with a password in it.
        let expects_table =
            matches!(&problem, Problem::WrongType { expected } if expected == "a table");
        let mut hints = Vec::new();
        let message = match problem {
            Problem::WrongType { expected } if tells_kind(node, &expected) => {
                if is_quoted(node, &expected) {
                    hints.push("remove the quotes".to_owned());
                }
                format!("expected {expected}, found {}", node.kind_name())
            }
            Problem::WrongType { expected } | Problem::WrongValue { expected } => {
                format!("expected {expected}")
            }
            Problem::UnknownVariant { expected } => {
                let written = node.scalar().filter(|_| !secret);
                let near = written.and_then(|text| nearest(&text, expected.iter().copied()));
                let meant = near.map(|near| format!("; did you mean `{near}`?"));
                format!("expected {}{}", one_of(expected), meant.unwrap_or_default())
            }
            _ if secret => "its type refuses it; the reason could show the secret".to_owned(),
            problem => printable(&DecodeError::new(problem).to_string()),
        };
        let found = if secret {
            Some(HIDDEN.to_owned())
        } else {
            shown(node).filter(|_| !expects_table)
        };
        let fault = Fault {
            found,
            hints,
            ..Fault::new(FaultKind::BadValue, message).key(path.to_string())
        };
        self.note(origin, fault);
    }
}

/// Whether the value must not be shown: its type says so, or it came from a secret source.
pub(crate) fn is_secret(path: &Path, node: &Node, secrets: &BTreeSet<Path>) -> bool {
    let mut secret = secrets.iter().any(|secret| path.starts_with(secret));
    node.walk(path, &mut |_, node| {
        secret |= node.origin.as_ref().is_some_and(Origin::is_secret_source)
    });
    secret
}

/// Whether it helps to say what kind of value was found: text from a variable has no kind to speak of, and a number
/// that is too large for its type still is a number.
fn tells_kind(node: &Node, expected: &str) -> bool {
    let untyped = node.origin.as_ref().is_some_and(Origin::is_untyped);
    !untyped && !expected.starts_with(node.kind_name())
}

fn is_quoted(node: &Node, expected: &str) -> bool {
    let Kind::Text(text) = &node.kind else {
        return false;
    };
    (expected.starts_with("a whole number") && text.parse::<i128>().is_ok())
        || (expected == "a number" && text.parse::<f64>().is_ok())
        || (expected == "`true` or `false`" && text.parse::<bool>().is_ok())
}

/// A single value as TOML would write it, cut to a readable length.
fn shown(node: &Node) -> Option<String> {
    let text = node.scalar()?;
    let short: String = text.chars().take(MAX_SHOWN_SIGNS).collect();
    let rest = if short.len() < text.len() { "..." } else { "" };
    Some(match node.kind {
        Kind::Text(_) => format!("{short:?}{rest}"),
        _ => format!("{short}{rest}"),
    })
}

/// Each fault takes a few rounds. Nobody reads hundreds, and a repair that leads nowhere must not go on for ever.
const MAX_ROUNDS: usize = 500;

const MAX_SHOWN_SIGNS: usize = 40;
