use std::collections::HashMap;

use config::{ConfigError, Source, Value, ValueKind};

use crate::error::Faults;
use crate::origin::Origin;
use crate::report::{Fault, FaultKind};
use crate::source::MAX_DEPTH;

/// A layer of single keys with text: variables, assignments, overrides.
#[derive(Debug, Clone, Default)]
pub(crate) struct AssignedLayer(Vec<Assigned>);

#[derive(Clone)]
struct Assigned {
    path: Vec<String>,
    text: String,
    origin: Origin,
}

impl AssignedLayer {
    /// Takes the variables whose names start with `SMART__`, in any case.
    pub(crate) fn variables(variables: &[(String, String)], faults: &mut Faults) -> Self {
        let mut taken: Vec<Assigned> = Vec::new();
        let mut sorted: Vec<&(String, String)> = variables.iter().collect();
        sorted.sort();
        sorted.dedup();
        for (name, text) in sorted {
            let Some(rest) = name.get(..PREFIX.len()).and_then(|start| {
                start
                    .eq_ignore_ascii_case(PREFIX)
                    .then(|| &name[PREFIX.len()..])
            }) else {
                continue;
            };
            let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
            let origin = Origin::Variable(name.clone());
            if let Err(message) = check_path(&path) {
                let fault = Fault::new(FaultKind::BadName, message)
                    .hint("name the key with two underscores between its parts, for example `SMART__HTTP__PORT`");
                faults.add(Some(origin), fault);
            } else if let Some(other) = taken.iter().find(|other| other.path == path) {
                let message = format!("sets the same key as `{}`; keep one of them", other.origin);
                faults.add(
                    Some(origin),
                    Fault::new(FaultKind::BadName, message).key(path.join(".")),
                );
            } else {
                taken.push(Assigned {
                    path,
                    text: text.clone(),
                    origin,
                });
            }
        }
        Self(taken)
    }

    /// Reads `http.port=8080`. A later assignment wins over an earlier one.
    pub(crate) fn assignments(items: &[String], faults: &mut Faults) -> Self {
        let mut taken = Vec::new();
        for item in items {
            let Some((key, text)) = item.split_once('=') else {
                // The text itself is not shown: it may be a value without its key.
                let fault = Fault::new(FaultKind::BadName, "an assignment has no `=`")
                    .hint("write key and value, for example `--set http.port=8080`");
                faults.add(Some(Origin::Assignment(String::new())), fault);
                continue;
            };
            Self::take(
                &mut taken,
                key.trim(),
                text,
                Origin::Assignment(key.trim().to_owned()),
                faults,
            );
        }
        Self(taken)
    }

    /// Takes dotted keys and their values.
    pub(crate) fn overrides(pairs: &[(String, String)], label: &str, faults: &mut Faults) -> Self {
        let mut taken = Vec::new();
        for (key, text) in pairs {
            Self::take(
                &mut taken,
                key,
                text,
                Origin::Override(label.to_owned()),
                faults,
            );
        }
        Self(taken)
    }

    fn take(taken: &mut Vec<Assigned>, key: &str, text: &str, origin: Origin, faults: &mut Faults) {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        match check_path(&path) {
            Ok(()) => taken.push(Assigned {
                path,
                text: text.to_owned(),
                origin,
            }),
            Err(message) => {
                let fault = Fault::new(FaultKind::BadName, message)
                    .hint("name the key with dots between its parts, for example `http.port`");
                faults.add(
                    Some(origin),
                    if key.is_empty() {
                        fault
                    } else {
                        fault.key(key)
                    },
                );
            }
        }
    }
}

impl Source for AssignedLayer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<HashMap<String, Value>, ConfigError> {
        let mut root = Value::from(HashMap::<String, Value>::new());
        self.collect_to(&mut root)?;
        root.into_table()
    }

    /// Looks at what the lower layers have, as a variable cannot spell capitals and dashes.
    fn collect_to(&self, root: &mut Value) -> Result<(), ConfigError> {
        for assigned in &self.0 {
            let any_spelling = matches!(assigned.origin, Origin::Variable(_));
            let mut node = &mut *root;
            for part in &assigned.path {
                if !matches!(node.kind, ValueKind::Table(_)) {
                    *node = Value::from(HashMap::<String, Value>::new());
                }
                let ValueKind::Table(entries) = &mut node.kind else {
                    unreachable!("it was made a table just now");
                };
                let spelling = if any_spelling && !entries.contains_key(part) {
                    entries
                        .keys()
                        .filter(|key| is_same_word(key, part))
                        .min()
                        .cloned()
                } else {
                    None
                };
                node = entries
                    .entry(spelling.unwrap_or_else(|| part.clone()))
                    .or_default();
            }
            *node = Value::new(Some(&assigned.origin.to_tag()), assigned.text.clone());
        }
        Ok(())
    }
}

impl std::fmt::Debug for Assigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may be a password.
        write!(f, "{} from {}", self.path.join("."), self.origin)
    }
}

fn check_path(path: &[String]) -> Result<(), String> {
    if path.len() > MAX_DEPTH {
        Err(format!("names a key of more than {MAX_DEPTH} parts"))
    } else if path.iter().all(|part| part.trim().is_empty()) {
        Err("names no key".to_owned())
    } else if path.iter().any(|part| part.trim().is_empty()) {
        Err("names a key with an empty part".to_owned())
    } else {
        Ok(())
    }
}

fn is_same_word(key: &str, part: &str) -> bool {
    key.len() == part.len()
        && key
            .replace('-', "_")
            .eq_ignore_ascii_case(&part.replace('-', "_"))
}

const PREFIX: &str = "SMART__";
