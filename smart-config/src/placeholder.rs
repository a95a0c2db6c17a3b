//! Finds the values that a secret source has to fill, and has them filled.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use crate::error::Faults;
use crate::nearest::nearest;
use crate::origin::Origin;
use crate::report::{Fault, FaultKind, printable};
use crate::secret::Secret;
use crate::secrets::{SecretName, SecretNameError, SecretSource};
use crate::tree::{Kind, Node, Path};

/// A value that is empty or refers to a secret.
#[derive(Debug, Clone)]
pub(crate) struct Placeholder {
    pub(crate) path: Path,
    pub(crate) origin: Option<Origin>,
    /// The name behind `secret:`, when it has one.
    reference: Option<String>,
}

impl Placeholder {
    pub(crate) fn name(&self) -> Result<SecretName, SecretNameError> {
        match &self.reference {
            Some(name) => SecretName::parse(name),
            None => SecretName::parse(&self.path.dotted()),
        }
    }

    /// The fault of having no usable name.
    pub(crate) fn misnamed(&self, error: &SecretNameError) -> Fault {
        match self.reference {
            Some(_) => self.fault(FaultKind::Unfilled, error.to_string()),
            None => self
                .fault(
                    FaultKind::Unfilled,
                    "its key cannot be the name of a secret".to_owned(),
                )
                .hint("give the secret a name of its own, for example `\"secret:shared/key\"`"),
        }
    }

    fn fault(&self, kind: FaultKind, message: String) -> Fault {
        let fault = Fault::new(kind, message).key(self.path.to_string());
        match &self.reference {
            Some(name) => fault.found(format!("\"{REFERENCE}{}\"", printable(name))),
            None => fault,
        }
    }
}

/// All placeholders of a tree, in the order of their keys.
pub(crate) fn find(tree: &Node) -> Vec<Placeholder> {
    let mut found = Vec::new();
    tree.walk(&Path::default(), &mut |path, node| {
        let Kind::Text(text) = &node.kind else { return };
        let reference = text.strip_prefix(REFERENCE).map(str::to_owned);
        if text.is_empty() || reference.is_some() {
            found.push(Placeholder {
                path: path.clone(),
                origin: node.origin.clone(),
                reference,
            });
        }
    });
    found
}

/// Fills what the sources know, and reports the rest.
///
/// A placeholder that stays empty becomes a stand-in, so that decoding finds the other faults.
pub(crate) fn fill(tree: &mut Node, sources: &[Box<dyn SecretSource>], faults: &mut Faults) {
    let mut named = Vec::new();
    for placeholder in find(tree) {
        match placeholder.name() {
            Ok(name) => named.push((placeholder, name)),
            Err(error) => {
                stand_in(tree, &placeholder);
                faults.add(placeholder.origin.clone(), placeholder.misnamed(&error));
            }
        }
    }
    let wanted: BTreeSet<SecretName> = named.iter().map(|(_, name)| name.clone()).collect();
    let Asked { answers, silent } = ask(sources, wanted.clone(), faults);
    // Looked up once for all unfilled placeholders: a source may be across the network.
    let mut looked = None;
    for (placeholder, name) in named {
        if let Some((value, source)) = answers.get(&name) {
            if let Some(node) = tree.at_mut(&placeholder.path) {
                let origin = match placeholder.reference {
                    Some(_) => format!("{source}, `{name}`"),
                    None => source.clone(),
                };
                *node = Node::text(value.expose().clone(), Some(Origin::Secret(origin)));
            }
            continue;
        }
        stand_in(tree, &placeholder);
        let looked = looked.get_or_insert_with(|| look(sources, &silent, &wanted));
        let fault = unfilled(&placeholder, &name, looked);
        faults.add(placeholder.origin, fault);
    }
}

/// Lets every placeholder stand for a value, without asking anybody.
pub(crate) fn assume_filled(tree: &mut Node, placeholders: &[Placeholder]) {
    for placeholder in placeholders {
        stand_in(tree, placeholder);
    }
}

fn stand_in(tree: &mut Node, placeholder: &Placeholder) {
    if let Some(node) = tree.at_mut(&placeholder.path) {
        *node = Node::stand_in(placeholder.origin.clone());
    }
}

/// What the sources said.
struct Asked {
    /// The first answer for each name, with the source that gave it.
    answers: BTreeMap<SecretName, (Secret, String)>,
    /// The positions of the sources that could not answer.
    silent: BTreeSet<usize>,
}

fn ask(
    sources: &[Box<dyn SecretSource>],
    mut wanted: BTreeSet<SecretName>,
    faults: &mut Faults,
) -> Asked {
    let mut asked = Asked {
        answers: BTreeMap::new(),
        silent: BTreeSet::new(),
    };
    for (position, source) in sources.iter().enumerate() {
        if wanted.is_empty() {
            break;
        }
        let names: Vec<SecretName> = wanted.iter().cloned().collect();
        match source.fetch(&names) {
            Ok(values) => {
                for (name, value) in values {
                    // An answer that was not asked for is nothing to rely on.
                    if !value.expose().is_empty() && wanted.remove(&name) {
                        asked.answers.insert(name, (value, source.describe()));
                    }
                }
            }
            Err(error) => {
                asked.silent.insert(position);
                let mut message = error.to_string();
                let mut cause = error.source();
                while let Some(error) = cause {
                    message = format!("{message}: {error}");
                    cause = error.source();
                }
                let fault = Fault::new(FaultKind::SecretSource, printable(&message));
                faults.add(Some(Origin::Secret(source.describe())), fault);
            }
        }
    }
    asked
}

/// What a fault tells about one source.
struct Looked<'a> {
    source: &'a dyn SecretSource,
    silent: bool,
    /// The names it knows, with dots.
    known: Vec<String>,
    /// Those of them that no placeholder asks for: one of these may be mistyped.
    spare: Vec<String>,
}

fn look<'a>(
    sources: &'a [Box<dyn SecretSource>],
    silent: &BTreeSet<usize>,
    wanted: &BTreeSet<SecretName>,
) -> Vec<Looked<'a>> {
    let wanted: BTreeSet<String> = wanted.iter().map(SecretName::dotted).collect();
    let looked = sources.iter().enumerate().map(|(position, source)| {
        let silent = silent.contains(&position);
        let known = if silent {
            Vec::new()
        } else {
            source.known_names()
        };
        let known: Vec<String> = known
            .into_iter()
            .map(|name| name.replace('/', "."))
            .collect();
        let is_spare = |name: &&String| !wanted.contains(*name);
        Looked {
            source: &**source,
            silent,
            spare: known.iter().filter(is_spare).cloned().collect(),
            known,
        }
    });
    looked.collect()
}

fn unfilled(placeholder: &Placeholder, name: &SecretName, looked: &[Looked<'_>]) -> Fault {
    let message = "a placeholder that nothing fills".to_owned();
    let mut fault = placeholder.fault(FaultKind::Unfilled, message);
    let dotted = name.dotted();
    for Looked {
        source,
        silent,
        known,
        spare,
    } in looked
    {
        let place = source.describe();
        let near = nearest(&dotted, spare.iter().map(String::as_str));
        fault = fault.hint(match near {
            _ if *silent => format!("could not look in {place}"),
            _ if known.contains(&dotted) => format!("looked in {place}, where its value is empty"),
            Some(near) => format!(
                "looked in {place}, where the nearest name is `{}`",
                printable(near)
            ),
            None => format!("looked in {place}"),
        });
    }
    let remedies: Vec<String> = looked
        .iter()
        .map(|looked| looked.source.remedy(name))
        .chain(
            placeholder
                .path
                .variable()
                .map(|variable| format!("set `{variable}`")),
        )
        .collect();
    if remedies.is_empty() {
        fault
    } else {
        fault.hint(format!("to fill it, {}", remedies.join(", or ")))
    }
}

const REFERENCE: &str = "secret:";
