use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use crate::secret::Secret;
use crate::secrets::{SecretName, SecretSource, SecretSourceError};
use crate::source::read_text;

/// A directory with one file per secret, as Kubernetes mounts and systemd credentials are.
///
/// The file name is the secret's name with `.` between its parts. One newline at the end is cut off.
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
        wanted: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Secret>, SecretSourceError> {
        // Reading a file in an absent directory only says that the file is absent.
        let refuse = |message: String| Err(SecretSourceError::new(message));
        match self.path.metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return refuse("is no directory".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return refuse("there is no such directory".to_owned());
            }
            Err(error) => return refuse(format!("cannot be opened: {}", error.kind())),
        }
        let mut values = BTreeMap::new();
        let mut unreadable = Vec::new();
        for name in wanted {
            match read_text(&self.path.join(name.dotted()), MAX_SECRET_BYTES) {
                Ok(text) => {
                    values.insert(name.clone(), Secret::new(without_newline(text)));
                }
                Err(error) if error.absent => {}
                Err(error) => unreadable.push(format!("`{}` {}", name.dotted(), error.message)),
            }
        }
        if unreadable.is_empty() {
            Ok(values)
        } else {
            Err(SecretSourceError::new(unreadable.join(", ")))
        }
    }

    fn known_names(&self) -> Vec<String> {
        let Ok(entries) = self.path.read_dir() else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            // Kubernetes keeps the real files in `..data` and its like.
            .filter(|name| !name.starts_with('.'))
            .take(MAX_KNOWN_NAMES)
            .collect();
        names.sort();
        names
    }

    fn remedy(&self, name: &SecretName) -> String {
        format!(
            "create the file `{}`",
            self.path.join(name.dotted()).display()
        )
    }
}

fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// Room for a certificate chain.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Only for suggestions; somebody may point at a folder with a million files.
const MAX_KNOWN_NAMES: usize = 1_000;
