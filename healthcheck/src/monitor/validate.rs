//! Finds everything that is wrong with the arguments of a monitor, before anything starts.

use std::{collections::HashSet, ops::RangeInclusive, time::Duration};

use humantime::format_duration;
use tokio::runtime::Handle;

use super::MonitorConfig;
use crate::{check::Check, error::StartMonitorError};

pub(super) fn all(config: &MonitorConfig, checks: &[Check]) -> Result<(), StartMonitorError> {
    let mut faults = Vec::new();
    settings(config, &mut faults);
    names(checks, &mut faults);
    for check in checks {
        if let Some(deadline) = check.deadline {
            duration(
                &format!("the deadline of check `{}`", check.name),
                deadline,
                &mut faults,
            );
        }
    }
    if Handle::try_current().is_err() {
        faults.push("found no tokio runtime, start the monitor inside one".to_owned());
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(StartMonitorError { faults })
    }
}

fn settings(config: &MonitorConfig, faults: &mut Vec<String>) {
    duration("`success_ttl`", config.success_ttl, faults);
    duration("`failure_ttl`", config.failure_ttl, faults);
    duration("`deadline`", config.deadline, faults);
    count(
        "unready_after_failures",
        config.unready_after_failures,
        faults,
    );
    count(
        "ready_after_successes",
        config.ready_after_successes,
        faults,
    );
}

fn duration(what: &str, found: Duration, faults: &mut Vec<String>) {
    if !DURATIONS.contains(&found) {
        let found = format_duration(found);
        faults.push(format!("{what} is {found}, expected 1ms to 24h"));
    }
}

fn count(what: &str, found: u32, faults: &mut Vec<String>) {
    if found == 0 {
        faults.push(format!("`{what}` is 0, expected at least 1"));
    }
}

fn names(checks: &[Check], faults: &mut Vec<String>) {
    if checks.is_empty() {
        // The sum of nothing is a pass, and it would stay one whatever breaks.
        faults.push("there is no check, add at least `Check::runtime()`".to_owned());
    }
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    for Check { name, .. } in checks {
        if name.is_empty() {
            faults.push(
                "a check has an empty name, name it after what it asks, such as `postgres`"
                    .to_owned(),
            );
        } else if name.len() > MAX_NAME_LENGTH || !name.chars().all(may_stand_in_a_name) {
            faults.push(format!(
                "check name `{}` is not usable, expected at most {MAX_NAME_LENGTH} ASCII letters, digits, `-`, `_` and `.`",
                name.escape_debug()
            ));
        } else if !seen.insert(name) && told.insert(name) {
            faults.push(format!(
                "more than one check is named `{name}`, give each a name of its own"
            ));
        }
    }
}

/// What is safe unquoted in a JSON key beside a colon, in a path and in a log line.
fn may_stand_in_a_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.')
}

const MAX_NAME_LENGTH: usize = 64;

/// Below are busy loops, above are sums that overflow; neither is a health check.
const DURATIONS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(24);
