//! The folder that holds the files of all realms.

use std::io;
use std::path::Path;

use crate::error::Faults;
use crate::nearest::nearest;
use crate::origin::Origin;
use crate::realm::Realm;
use crate::report::{Fault, FaultKind};

/// Whether there is a folder to read. A laptop does without; elsewhere its absence is a fault, as a service that was
/// started in the wrong place would run with nothing but defaults.
pub(crate) fn is_there(folder: &Path, realm: &Realm, faults: &mut Faults) -> bool {
    let message = match folder.metadata() {
        Ok(metadata) if metadata.is_dir() => return true,
        Ok(_) => "is no folder".to_owned(),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            format!("cannot be read: {}", error.kind())
        }
        Err(_) if realm.is_local() => return false,
        Err(_) => "there is no such folder".to_owned(),
    };
    let fault = Fault::new(FaultKind::Unreadable, message).hint(
        "configuration is read from `./config` unless `SMART_CONFIG_DIR` names another folder",
    );
    faults.add(Some(place(folder)), fault);
    false
}

/// Adds the fault of a realm that nobody wrote a file for: most likely its name is mistyped.
pub(crate) fn add_no_realm_file(folder: &Path, realm: &Realm, faults: &mut Faults) {
    let known = realms(folder);
    let fault = Fault::new(FaultKind::Unreadable, "there is no such file");
    let fault = if known.is_empty() {
        fault.hint("no realm has a file there")
    } else {
        let listed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let near = nearest(realm.as_str(), known.iter().map(String::as_str));
        let meant = near
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        fault.hint(format!(
            "realms with a file there: {}{meant}",
            listed.join(", ")
        ))
    };
    faults.add(Some(place(&folder.join(format!("{realm}.toml")))), fault);
}

/// The realms that have a file, sorted.
fn realms(folder: &Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    let mut realms: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Realm::parse(name.strip_suffix(".toml")?).ok())
        .map(|realm| realm.to_string())
        .collect();
    realms.sort();
    realms
}

fn place(path: &Path) -> Origin {
    Origin::File {
        path: path.display().to_string(),
        line: 0,
    }
}
