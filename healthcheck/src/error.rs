//! What can go wrong when a monitor is started.

use std::{error::Error, fmt};

/// A monitor that could not be started, with everything that is wrong at once.
///
/// A monitor that runs does not fail any more: what goes wrong in a check is its result.
#[derive(Debug)]
pub struct StartMonitorError {
    pub(crate) faults: Vec<String>,
}

impl fmt::Display for StartMonitorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot start the health checks: ")?;
        if let [fault] = self.faults.as_slice() {
            return f.write_str(fault);
        }
        write!(f, "{} faults", self.faults.len())?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl Error for StartMonitorError {}
