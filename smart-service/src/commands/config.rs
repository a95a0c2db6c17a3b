//! `NAME config` and `NAME config check`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde::de::DeserializeOwned;
use smart_config::{Loaded, Loader};

use crate::program::complain;
use crate::settings::Settings;

/// Shows every setting with its origin. Needs the secrets, as serving does: what it shows is what would run.
pub(crate) fn show<S: DeserializeOwned + Serialize>(loader: Loader) -> ExitCode {
    let loaded: Loaded<Settings<S>> = match loader.load() {
        Ok(loaded) => loaded,
        Err(faults) => return refuse(&faults),
    };
    let entries = loaded.entries();
    let widest = |width: fn(&smart_config::report::Entry) -> usize| {
        entries.iter().map(width).max().unwrap_or(0).min(48)
    };
    let (keys, values) = (
        widest(|entry| entry.key.chars().count()),
        widest(|entry| entry.value.chars().count()),
    );
    let mut table = String::new();
    for entry in entries {
        let _ = writeln!(
            table,
            "{:keys$}  {:values$}  {}",
            entry.key, entry.value, entry.origin
        );
    }
    print(&table)
}

/// Checks files, keys and types of the realm; placeholders may stay empty.
pub(crate) fn check<S: DeserializeOwned + Serialize>(loader: Loader) -> ExitCode {
    let checked = match loader.check::<Settings<S>>() {
        Ok(checked) => checked,
        Err(faults) => return refuse(&faults),
    };
    let mut text = format!("configuration is sound: {} settings", checked.entries.len());
    if !checked.placeholders.is_empty() {
        let _ = write!(
            text,
            ", of which {} to be filled by a secret source:",
            checked.placeholders.len()
        );
    }
    text.push('\n');
    for placeholder in &checked.placeholders {
        let _ = writeln!(text, "  {}  ({})", placeholder.key, placeholder.origin);
    }
    print(&text)
}

fn refuse(faults: &smart_config::LoadError) -> ExitCode {
    complain(faults);
    ExitCode::from(78)
}

/// A reader that closes the pipe early (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
