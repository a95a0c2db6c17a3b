use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::LoadError;
use crate::realm::Realm;
use crate::report::{Checked, Entry};
use crate::secret::Secret;
use crate::secrets::SecretSource;

/// Merges layers of configuration into one struct.
///
/// Later wins, whatever the order of the calls: defaults, `default.toml`, the realm's file, variables, assignments,
/// overrides.
#[derive(Debug)]
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

/// A configuration that is fit for use.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The configuration itself.
    pub value: T,
    entries: Vec<Entry>,
    secrets: Vec<Secret>,
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
    /// # Errors
    ///
    /// All faults at once.
    pub fn load<T: DeserializeOwned + Serialize>(self) -> Result<Loaded<T>, LoadError> {
        Err(LoadError::new(self.realm, Vec::new()))
    }

    /// Does what [`Loader::load`] does without asking a secret source.
    ///
    /// # Errors
    ///
    /// All faults at once. A placeholder is no fault.
    pub fn check<T: DeserializeOwned + Serialize>(self) -> Result<Checked, LoadError> {
        Err(LoadError::new(self.realm, Vec::new()))
    }

    /// Decodes one table, and asks no secret source. A missing table is an empty one.
    ///
    /// # Errors
    ///
    /// All faults of this table, and of reading the layers.
    pub fn section<T: DeserializeOwned>(self, _name: &str) -> Result<T, LoadError> {
        Err(LoadError::new(self.realm, Vec::new()))
    }

    /// Whether any layer has this table. Layers that cannot be read have none.
    pub fn has_section(&self, _name: &str) -> bool {
        false
    }
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
