//! Finds or makes a folder that the engine's account can use.

use std::{
    env,
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf, absolute},
};

use tempfile::TempDir;

use crate::{EngineError, account::Account};

/// A folder that is removed when the value is dropped.
pub(super) fn temporary(engine: &str, account: Option<&Account>) -> Result<TempDir, EngineError> {
    // Root's temporary folder may be closed to others.
    let places = [env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    let name = format!("smart-{}-", engine.to_lowercase());
    for place in &places {
        let folder = private(&name).tempdir_in(place);
        let folder = folder.map_err(EngineError::folder("create a temporary folder in", place))?;
        if give(folder.path(), account)? {
            return Ok(folder);
        }
    }
    Err(unreachable(&places[0], account))
}

/// The wanted folder, or the place that a link there leads to.
pub(super) fn kept(
    engine: &str,
    wanted: &Path,
    account: Option<&Account>,
) -> Result<PathBuf, EngineError> {
    let path = create(wanted)?;
    refuse_foreign_files(engine, &path)?;
    if give(&path, account)? {
        Ok(path)
    } else {
        settle_elsewhere(&path, account)
    }
}

/// Creates what is missing and follows a link left by [`settle_elsewhere`].
fn create(wanted: &Path) -> Result<PathBuf, EngineError> {
    let wanted = absolute(wanted).map_err(EngineError::folder("find", wanted))?;
    let link = fs::read_link(&wanted).ok();
    if link.is_some_and(|place| place.starts_with(ELSEWHERE) && !place.exists()) {
        fs::remove_file(&wanted).map_err(EngineError::folder("remove the dead link", &wanted))?;
    }
    if !wanted.is_dir() {
        if let Some(parent) = wanted.parent() {
            fs::create_dir_all(parent).map_err(EngineError::folder("create", parent))?;
        }
        // Logs may hold statements, and statements may hold passwords.
        let created = DirBuilder::new().mode(0o700).create(&wanted);
        created.map_err(EngineError::folder("create", &wanted))?;
    }
    fs::canonicalize(&wanted).map_err(EngineError::folder("find", &wanted))
}

/// Guards against a slip such as naming the home folder, which would then change its owner.
fn refuse_foreign_files(engine: &str, path: &Path) -> Result<(), EngineError> {
    let entries = fs::read_dir(path).map_err(EngineError::folder("read", path))?;
    let mut names = entries.flatten().map(|entry| entry.file_name());
    let Some(foreign) = names.find(|name| !OURS.iter().any(|ours| name == ours)) else {
        return Ok(());
    };
    let foreign = foreign.to_string_lossy();
    let reason = format!(
        "it holds `{foreign}`, which is no part of a {engine} folder; name a new or empty folder"
    );
    Err(EngineError::folder("keep data in", path)(io::Error::other(
        reason,
    )))
}

/// Hands a folder to the account; false when the account cannot get there.
fn give(path: &Path, account: Option<&Account>) -> Result<bool, EngineError> {
    let Some(account) = account else {
        return Ok(true);
    };
    let given = chown(path, Some(account.uid), Some(account.gid));
    given.map_err(EngineError::folder("change the owner of", path))?;
    Ok(account.reaches(path))
}

/// Makes a place that the account can reach, and a link to it where the folder was wanted.
///
/// Only root comes here: a folder below a closed one, such as `/root`, is no place for another account.
fn settle_elsewhere(wanted: &Path, account: Option<&Account>) -> Result<PathBuf, EngineError> {
    if fs::remove_dir(wanted).is_err() {
        return Err(unreachable(wanted, account));
    }
    fs::create_dir_all(ELSEWHERE).map_err(EngineError::folder("create", ELSEWHERE))?;
    let opened = fs::set_permissions(ELSEWHERE, Permissions::from_mode(0o755));
    opened.map_err(EngineError::folder("open", ELSEWHERE))?;
    let name = wanted
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
        + "-";
    let place = private(&name).tempdir_in(ELSEWHERE);
    let place = place.map_err(EngineError::folder("create a folder in", ELSEWHERE))?;
    if !give(place.path(), account)? {
        return Err(unreachable(place.path(), account));
    }
    symlink(place.path(), wanted).map_err(EngineError::folder("link", wanted))?;
    Ok(place.keep())
}

fn private(name: &str) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(name)
        .permissions(Permissions::from_mode(0o700));
    builder
}

fn unreachable(path: &Path, account: Option<&Account>) -> EngineError {
    let account = account.map_or_else(String::new, ToString::to_string);
    let reason = format!(
        "the account {account}, which PostgreSQL runs as, cannot enter it; name a folder it can enter"
    );
    EngineError::folder("keep data in", path)(io::Error::other(reason))
}

/// Every name that may stand in a folder of ours.
const OURS: [&str; 7] = [
    "data",
    "data.new",
    "log",
    "password",
    "pg_hba.conf",
    "redis.conf",
    "running",
];
/// Where root keeps data whose wanted folder the engine's account cannot enter. Only root can make a place here.
const ELSEWHERE: &str = "/var/lib/smart-engines";
