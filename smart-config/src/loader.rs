use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::decode::{Decoded, decode};
use crate::error::{Faults, LoadError};
use crate::folder;
use crate::loaded::{self, Loaded};
use crate::origin::Origin;
use crate::placeholder;
use crate::realm::Realm;
use crate::report::{Checked, Fault, FaultKind, Placeholder, printable};
use crate::secret::HIDDEN;
use crate::secrets::SecretSource;
use crate::source::{self, AssignedLayer, Document, Place};
use crate::tree::{Kind, Node, Path};

/// Merges layers of configuration into one struct.
///
/// Later wins, whatever the order of the calls: defaults, `default.toml`, the realm's file, variables, assignments,
/// overrides.
#[must_use]
pub struct Loader {
    realm: Realm,
    folder: PathBuf,
    defaults: Vec<(&'static str, &'static str)>,
    variables: Vec<(String, String)>,
    assignments: Vec<String>,
    overrides: Vec<(Vec<(String, String)>, &'static str)>,
    secrets: Vec<Box<dyn SecretSource>>,
}

impl Loader {
    /// Reads `default.toml` and `{realm}.toml` in the folder.
    pub fn new(realm: Realm, folder: impl Into<PathBuf>) -> Self {
        Self {
            realm,
            folder: folder.into(),
            defaults: Vec::new(),
            variables: Vec::new(),
            assignments: Vec::new(),
            overrides: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// Adds a lowest layer, TOML that a program brings along; `label` is its origin.
    pub fn defaults(mut self, toml_text: &'static str, label: &'static str) -> Self {
        self.defaults.push((toml_text, label));
        self
    }

    /// Adds environment variables. Only names like `SMART__HTTP__PORT` are looked at, in any case.
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Adds assignments of the command line, such as `http.port=8080`.
    pub fn assignments(mut self, items: impl IntoIterator<Item = String>) -> Self {
        self.assignments.extend(items);
        self
    }

    /// Adds a highest layer of dotted keys and values, for tests; `label` is its origin.
    pub fn overrides(
        mut self,
        pairs: impl IntoIterator<Item = (String, String)>,
        label: &'static str,
    ) -> Self {
        self.overrides.push((pairs.into_iter().collect(), label));
        self
    }

    /// Adds a source of secrets. Sources are asked in the order given; the first answer wins.
    pub fn secrets(mut self, source: impl SecretSource + 'static) -> Self {
        self.secrets.push(Box::new(source));
        self
    }

    /// Merges everything, fills placeholders and decodes.
    ///
    /// The type should refuse unknown keys with `#[serde(deny_unknown_fields)]`. Within `flatten` and `untagged`, serde
    /// hides from us where a fault is and that a value is a [`Secret`](crate::Secret).
    ///
    /// # Errors
    ///
    /// All faults at once.
    pub fn load<T: DeserializeOwned + Serialize>(self) -> Result<Loaded<T>, LoadError> {
        let mut run = Run::new(&self);
        if run.sound {
            placeholder::fill(&mut run.tree, &self.secrets, &mut run.faults);
        } else {
            // The broken file may hold what seems to be empty, so nobody is asked in vain.
            let found = placeholder::find(&run.tree);
            placeholder::assume_filled(&mut run.tree, &found);
        }
        let (decoded, tree) = run.finish::<T>(&Path::default())?;
        match decoded.value {
            Some(value) => Ok(Loaded {
                entries: loaded::entries(Some(&value), &tree, &decoded.secrets),
                secrets: loaded::secret_values(&tree, &decoded.secrets),
                value,
            }),
            None => Err(undecodable(self.realm)),
        }
    }

    /// Does what [`Loader::load`] does without asking a secret source.
    ///
    /// # Errors
    ///
    /// All faults at once. A placeholder is no fault.
    pub fn check<T: DeserializeOwned + Serialize>(self) -> Result<Checked, LoadError> {
        let mut run = Run::new(&self);
        let found = placeholder::find(&run.tree);
        let mut placeholders = Vec::new();
        for placeholder in &found {
            match placeholder.name() {
                Ok(name) => placeholders.push(Placeholder {
                    key: placeholder.path.to_string(),
                    name: name.to_string(),
                    origin: placeholder
                        .origin
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                }),
                Err(error) => run
                    .faults
                    .add(placeholder.origin.clone(), placeholder.misnamed(&error)),
            }
        }
        placeholder::assume_filled(&mut run.tree, &found);
        let (decoded, tree) = run.finish::<T>(&Path::default())?;
        placeholders.sort();
        Ok(Checked {
            entries: loaded::entries(decoded.value.as_ref(), &tree, &decoded.secrets),
            placeholders,
        })
    }

    /// Decodes one table, and asks no secret source. A missing table is an empty one.
    ///
    /// A placeholder stays an empty text here.
    ///
    /// # Errors
    ///
    /// All faults of this table, and of reading the layers.
    pub fn section<T: DeserializeOwned>(self, name: &str) -> Result<T, LoadError> {
        let mut run = Run::new(&self);
        if let Kind::Table(entries) = &mut run.tree.kind {
            entries
                .entry(name.to_owned())
                .or_insert_with(Node::empty_table);
        }
        let (decoded, _) = run.finish::<T>(&Path::default().key(name))?;
        decoded.value.ok_or_else(|| undecodable(self.realm))
    }

    /// Whether any layer has this table. What cannot be read has none.
    pub fn has_section(&self, name: &str) -> bool {
        let run = Run::new(self);
        let section = run.tree.at(&Path::default().key(name));
        section.is_some_and(|node| matches!(node.kind, Kind::Table(_)))
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The layers hold passwords.
        f.debug_struct("Loader")
            .field("realm", &self.realm)
            .field("folder", &self.folder)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// The merged layers on their way to a struct.
struct Run<'a> {
    loader: &'a Loader,
    tree: Node,
    /// What `local.toml` says, when that is not the realm.
    laptop: Option<Node>,
    /// The keys that some file leaves to a secret source.
    left_open: BTreeSet<Path>,
    /// Whether all layers could be read.
    sound: bool,
    faults: Faults,
}

impl<'a> Run<'a> {
    fn new(loader: &'a Loader) -> Self {
        let mut faults = Faults::default();
        let mut documents: Vec<Document> = loader
            .defaults
            .iter()
            .map(|(text, label)| {
                Document::parse(text, &Place::BuiltIn((*label).to_owned()), &mut faults)
            })
            .collect();
        let mut laptop = None;
        if folder::is_there(&loader.folder, &loader.realm, &mut faults) {
            let file = |name: &str| loader.folder.join(format!("{name}.toml"));
            documents.extend(Document::read(&file("default"), &mut faults));
            let of_realm = Document::read(&file(loader.realm.as_str()), &mut faults);
            if of_realm.is_none() && !loader.realm.is_well_known() {
                folder::add_no_realm_file(&loader.folder, &loader.realm, &mut faults);
            }
            documents.extend(of_realm);
            if !loader.realm.is_local() {
                laptop = Document::read(&file("local"), &mut faults);
            }
        }
        let sound = faults.is_empty();
        let left_open = documents
            .iter()
            .flat_map(|document| {
                placeholder::find(&Node::from_merged(document.clone().into_value()))
            })
            .map(|placeholder| placeholder.path)
            .collect();
        let mut assigned = vec![
            AssignedLayer::variables(&loader.variables, &mut faults),
            AssignedLayer::assignments(&loader.assignments, &mut faults),
        ];
        for (pairs, label) in &loader.overrides {
            assigned.push(AssignedLayer::overrides(pairs, label, &mut faults));
        }
        let tree = source::merge(&documents, &assigned).unwrap_or_else(|error| {
            faults.add(
                None,
                Fault::new(
                    FaultKind::Unreadable,
                    format!("cannot merge the layers: {error}"),
                ),
            );
            Node::empty_table()
        });
        Self {
            loader,
            tree,
            laptop: laptop.map(|document| Node::from_merged(document.into_value())),
            left_open,
            sound,
            faults,
        }
    }

    /// Decodes, and gives the tree back if there is no fault at all.
    fn finish<T: DeserializeOwned>(mut self, base: &Path) -> Result<(Decoded<T>, Node), LoadError> {
        let home = self
            .loader
            .folder
            .join("default.toml")
            .display()
            .to_string();
        let mut found = Faults::default();
        let decoded = decode::<T>(&self.tree, base, &home, &mut found);
        if !self.sound {
            // What is missing may stand in the part that could not be read, and the rest of a broken file may be
            // its echo.
            let broken: BTreeSet<String> = self
                .faults
                .iter()
                .filter_map(|(origin, _)| file_of(origin.as_ref()))
                .collect();
            found.retain(|origin, _| {
                origin.is_some() && file_of(origin).is_none_or(|file| !broken.contains(&file))
            });
        }
        // A key that must go needs no secret.
        let unknown: BTreeSet<String> = found
            .iter()
            .filter(|(_, fault)| fault.kind == FaultKind::UnknownKey)
            .filter_map(|(_, fault)| fault.key.clone())
            .collect();
        self.faults.retain(|_, fault| {
            let key = fault.key.as_deref().unwrap_or_default();
            fault.kind != FaultKind::Unfilled || !unknown.contains(key)
        });
        self.faults.append(found);
        self.refuse_laptop_values(base, &decoded.secrets);
        if self.faults.is_empty() {
            return Ok((decoded, self.tree));
        }
        let hidden = loaded::hidden_values(&self.tree, &decoded.secrets);
        for fault in self.faults.iter_mut() {
            scrub(fault, &hidden);
        }
        Err(LoadError::new(self.loader.realm.clone(), self.faults))
    }

    /// A password that everybody with the source code can read must not guard anything but a laptop.
    fn refuse_laptop_values(&mut self, base: &Path, secrets: &BTreeSet<Path>) {
        let Some(laptop) = &self.laptop else { return };
        laptop.walk(&Path::default(), &mut |path, node| {
            let guarded = path.starts_with(base)
                && (self.left_open.contains(path)
                    || secrets.iter().any(|secret| path.starts_with(secret)));
            let Some(value) = node.scalar().filter(|value| guarded && !value.is_empty()) else {
                return;
            };
            let Some(used) = self
                .tree
                .at(path)
                .filter(|used| used.scalar().as_ref() == Some(&value))
            else {
                return;
            };
            let place = node
                .origin
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let fault = Fault::new(
                FaultKind::LaptopValue,
                "has the value of realm `local`, which is fine on a laptop only",
            )
            .key(path.to_string())
            .found(HIDDEN)
            .hint(format!(
                "it stands in {place}; give realm `{}` a value of its own",
                self.loader.realm
            ));
            self.faults.add(used.origin.clone(), fault);
        });
    }
}

fn file_of(origin: Option<&Origin>) -> Option<String> {
    match origin? {
        Origin::File { path, .. } => Some(path.clone()),
        Origin::BuiltIn(label) => Some(label.clone()),
        _ => None,
    }
}

/// Types put values into their messages, also those of other keys.
fn scrub(fault: &mut Fault, hidden: &BTreeSet<String>) {
    // Shorter ones would make words unreadable, and are no secrets worth the name.
    let written = |value: &String| [value.clone(), printable(value)];
    let hidden = hidden.iter().filter(|value| value.len() >= 4);
    for value in hidden.flat_map(written) {
        if fault.kind == FaultKind::BadValue || fault.kind == FaultKind::SecretSource {
            fault.message = fault.message.replace(value.as_str(), HIDDEN);
        }
        if let Some(found) = &mut fault.found {
            *found = found.replace(value.as_str(), HIDDEN);
        }
    }
}

/// Only a type that answers differently from one time to the next gets here.
fn undecodable(realm: Realm) -> LoadError {
    let mut faults = Faults::default();
    let message = "the configuration cannot be read into its type";
    faults.add(None, Fault::new(FaultKind::BadValue, message));
    LoadError::new(realm, faults)
}
