use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::secret::Secret;
use crate::secrets::{SecretName, SecretSource, SecretSourceError};

/// `config/secrets.toml`: a developer's own secrets, in tables like those of the configuration.
#[derive(Debug, Clone)]
pub struct SecretFile {
    path: PathBuf,
}

impl SecretFile {
    /// A file that need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl SecretSource for SecretFile {
    fn describe(&self) -> String {
        format!("`{}`", self.path.display())
    }

    fn fetch(
        &self,
        _wanted: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Secret>, SecretSourceError> {
        Ok(BTreeMap::new())
    }

    fn known_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn remedy(&self, _name: &SecretName) -> String {
        String::new()
    }
}
