//! Finds the programs of an engine that are installed on this machine.

use std::{
    cmp::Reverse,
    env,
    ffi::OsString,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::EngineError;

/// The places that are searched. A value, so that tests can search elsewhere.
pub(crate) struct Search {
    /// The value of `PATH`.
    path: OsString,
    /// What stands before the absolute folders of distributions; `/` outside tests.
    root: PathBuf,
}

impl Search {
    pub(crate) fn here() -> Self {
        Self {
            path: env::var_os("PATH").unwrap_or_default(),
            root: PathBuf::from("/"),
        }
    }

    /// The folder that holds `initdb`, `postgres` and `psql`.
    pub(crate) fn postgres(&self) -> Result<PathBuf, EngineError> {
        let on_path = self
            .on_path("initdb")
            .and_then(|link| Some(fs::canonicalize(link).ok()?.parent()?.to_path_buf()));
        let packaged = POSTGRES_FOLDERS
            .iter()
            .flat_map(|(parent, start)| self.versions(parent, start));
        on_path
            .into_iter()
            .chain(self.pg_config())
            .chain(packaged)
            .find(|folder| {
                POSTGRES_PROGRAMS
                    .iter()
                    .all(|program| folder.join(program).is_file())
            })
            .ok_or_else(|| EngineError::NotInstalled {
                engine: "PostgreSQL",
                program: "initdb",
                searched: vec![
                    "PATH".into(),
                    "the folder of `pg_config --bindir`".into(),
                    "/usr/lib/postgresql/*/bin".into(),
                    "/usr/pgsql-*/bin".into(),
                    "Homebrew".into(),
                ],
                install: self.install(&["postgresql", "postgresql-server", "postgresql@17"]),
            })
    }

    /// The program `redis-server`, or `valkey-server`, which some distributions ship in its place.
    pub(crate) fn redis(&self) -> Result<PathBuf, EngineError> {
        let homebrew = ["opt/homebrew/bin", "usr/local/bin"]
            .map(|folder| self.root.join(folder).join("redis-server"));
        self.on_path("redis-server")
            .or_else(|| self.on_path("valkey-server"))
            .into_iter()
            .chain(homebrew)
            .find(|program| program.is_file())
            .ok_or_else(|| EngineError::NotInstalled {
                engine: "Redis",
                program: "redis-server",
                searched: vec!["PATH".into(), "Homebrew".into()],
                install: self.install(&["redis-server", "redis", "redis"]),
            })
    }

    fn on_path(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path)
            .map(|folder| folder.join(program))
            .find(|candidate| candidate.is_file())
    }

    fn pg_config(&self) -> Option<PathBuf> {
        let program = self.on_path("pg_config")?;
        let output = Command::new(program)
            .arg("--bindir")
            .stderr(Stdio::null())
            .output()
            .ok()?;
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
    }

    /// The `bin` folders of all versions found in `parent`, the newest first.
    fn versions(&self, parent: &str, start: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root.join(parent))
            .into_iter()
            .flatten()
            .flatten();
        let mut found: Vec<(u32, PathBuf)> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let version = name.strip_prefix(start)?.trim_start_matches('@');
                Some((version.parse().unwrap_or(0), entry.path().join("bin")))
            })
            .collect();
        found.sort_by_key(|(version, _)| Reverse(*version));
        found.into_iter().map(|(_, folder)| folder).collect()
    }

    /// The command that installs the first of these packages whose package manager is on this machine.
    fn install(&self, packages: &[&str; 3]) -> String {
        let managers = ["apt-get", "dnf", "brew"];
        let commands = managers.iter().zip(packages);
        let here: Vec<_> = commands
            .clone()
            .filter(|(manager, _)| self.on_path(manager).is_some())
            .take(1)
            .collect();
        let offered = if here.is_empty() {
            commands.collect()
        } else {
            here
        };
        let offered: Vec<_> = offered
            .iter()
            .map(|(manager, package)| format!("`{manager} install {package}`"))
            .collect();
        offered.join(" or ")
    }
}

const POSTGRES_PROGRAMS: [&str; 3] = ["initdb", "postgres", "psql"];

/// Folders with one PostgreSQL for each major version, and how the names in them start:
/// Debian (which keeps the programs off `PATH`), the PostgreSQL project's own packages, Homebrew on both processors.
const POSTGRES_FOLDERS: [(&str, &str); 4] = [
    ("usr/lib/postgresql", ""),
    ("usr", "pgsql-"),
    ("opt/homebrew/opt", "postgresql"),
    ("usr/local/opt", "postgresql"),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn empty_machine() -> (tempfile::TempDir, Search) {
        let root = tempfile::tempdir().unwrap();
        let search = Search {
            path: root.path().join("bin").into(),
            root: root.path().to_path_buf(),
        };
        (root, search)
    }

    fn put(root: &Path, folder: &str, programs: &[&str]) -> PathBuf {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).unwrap();
        programs
            .iter()
            .for_each(|program| fs::write(folder.join(program), "").unwrap());
        folder
    }

    #[test]
    fn the_newest_packaged_version_is_found_and_one_without_a_server_is_not() {
        let (root, search) = empty_machine();
        put(root.path(), "usr/lib/postgresql/9/bin", &POSTGRES_PROGRAMS);
        let newest = put(root.path(), "usr/lib/postgresql/15/bin", &POSTGRES_PROGRAMS);
        put(root.path(), "usr/lib/postgresql/17/bin", &["psql"]);
        assert_eq!(search.postgres().unwrap(), newest);
    }

    #[test]
    fn a_linked_initdb_on_the_path_leads_to_its_folder() {
        let (root, search) = empty_machine();
        put(root.path(), "usr/lib/postgresql/17/bin", &POSTGRES_PROGRAMS);
        let chosen = put(root.path(), "elsewhere/bin", &POSTGRES_PROGRAMS);
        put(root.path(), "bin", &[]);
        std::os::unix::fs::symlink(chosen.join("initdb"), root.path().join("bin/initdb")).unwrap();
        assert_eq!(
            search.postgres().unwrap(),
            fs::canonicalize(chosen).unwrap()
        );
    }

    #[test]
    fn a_missing_engine_names_the_places_and_the_package() {
        let (root, search) = empty_machine();
        assert_eq!(
            search.redis().unwrap_err().to_string(),
            "Redis is not installed: no `redis-server` in PATH, Homebrew; \
             install it with `apt-get install redis-server` or `dnf install redis` or `brew install redis`"
        );
        put(root.path(), "bin", &["apt-get"]);
        assert_eq!(
            search.postgres().unwrap_err().to_string(),
            "PostgreSQL is not installed: no `initdb` in PATH, the folder of `pg_config --bindir`, \
             /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew; install it with `apt-get install postgresql`"
        );
    }
}
