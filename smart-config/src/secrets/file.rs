use std::collections::BTreeMap;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::error::Faults;
use crate::secret::Secret;
use crate::secrets::{SecretName, SecretSource, SecretSourceError};
use crate::source::{Document, Place};
use crate::tree::{Kind, Node, Path};

/// `config/secrets.toml`: a developer's own secrets, in tables like those of the configuration.
///
/// The file need not exist. Its mode is not looked at: it lies in a work tree, where git gives every file the same
/// mode; a deployed service uses a [`SecretDirectory`](crate::secrets::SecretDirectory), whose mode the platform sets.
#[derive(Debug, Clone)]
pub struct SecretFile {
    path: PathBuf,
}

impl SecretFile {
    /// A file that may be absent.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// All values by dotted name.
    fn read(&self) -> Result<BTreeMap<String, Zeroizing<String>>, SecretSourceError> {
        let mut faults = Faults::default();
        let Some(document) = Document::read(&self.path, &mut faults) else {
            return Ok(BTreeMap::new());
        };
        if let Some((origin, fault)) = faults.iter().next() {
            let origin = origin.as_ref().map(ToString::to_string).unwrap_or_default();
            return Err(SecretSourceError::new(format!(
                "{origin}: {}",
                fault.message
            )));
        }
        let mut values = BTreeMap::new();
        let mut list = None;
        let tree = Node::from_merged(document.into_value());
        tree.walk(&Path::default(), &mut |path, node| match node.kind {
            Kind::Array(_) => list = list.clone().or_else(|| Some(path.to_string())),
            _ => {
                if let Some(value) = node.scalar() {
                    values.insert(path.dotted().replace('/', "."), value);
                }
            }
        });
        match list {
            Some(key) => Err(SecretSourceError::new(format!(
                "{}: `{key}` is a list; a secret is text",
                self.path.display()
            ))),
            None => Ok(values),
        }
    }
}

impl SecretSource for SecretFile {
    fn describe(&self) -> String {
        let absent = if self.path.exists() { "" } else { " (absent)" };
        format!(
            "{}{absent}",
            Place::File(self.path.display().to_string()).line(0)
        )
    }

    fn fetch(
        &self,
        wanted: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Secret>, SecretSourceError> {
        let values = self.read()?;
        let answer = |name: &SecretName| {
            let value = values.get(&name.dotted())?;
            Some((name.clone(), Secret::new(value.to_string())))
        };
        Ok(wanted.iter().filter_map(answer).collect())
    }

    fn known_names(&self) -> Vec<String> {
        self.read()
            .map(|values| values.into_keys().collect())
            .unwrap_or_default()
    }

    fn remedy(&self, name: &SecretName) -> String {
        let dotted = name.dotted();
        let path = self.path.display();
        match dotted.rsplit_once('.') {
            Some((table, key)) => format!("add `{key} = \"...\"` under [{table}] in `{path}`"),
            None => format!("add `{dotted} = \"...\"` at the top of `{path}`"),
        }
    }
}
