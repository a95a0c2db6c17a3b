use std::fmt;

use crate::realm::Realm;
use crate::report::Fault;

/// Everything that keeps a configuration from being used, in one report.
///
/// `Display` is the whole report, for a person at a terminal; programs ask [`LoadError::faults`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    realm: Realm,
    faults: Vec<Fault>,
}

impl LoadError {
    pub(crate) fn new(realm: Realm, faults: Vec<Fault>) -> Self {
        Self { realm, faults }
    }

    /// Every fault, in the order of the report.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot load configuration for realm `{}`", self.realm)
    }
}

impl std::error::Error for LoadError {}

pub(crate) fn subject(fault: &Fault) -> String {
    fault.key.clone().unwrap_or_default()
}
