use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::secret::Secret;
use crate::secrets::{SecretName, SecretSource, SecretSourceError};

/// A directory with one file per secret, as Kubernetes and systemd give them.
#[derive(Debug, Clone)]
pub struct SecretDirectory {
    path: PathBuf,
}

impl SecretDirectory {
    /// A directory that must exist once a secret is wanted.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl SecretSource for SecretDirectory {
    fn describe(&self) -> String {
        format!("secrets directory `{}`", self.path.display())
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
