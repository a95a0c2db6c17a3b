//! cargo as a child: which one, in which environment, and what its progress lines mean.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// A cargo command in `folder`, with the environment of a person who typed it there.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(folder);
    clean_environment(&mut command);
    command
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "160")
        .env_remove("CARGO_TERM_QUIET")
        .env_remove("CARGO_TERM_VERBOSE");
    command
}

/// Takes away what must not reach a child.
///
/// `cargo smart` runs this binary with variables that describe the crate `cli`: build scripts that watch them
/// would run again in the new service. Realm and overrides of the caller would change what is proved.
/// Variables of git name a repository other than the new one.
pub(crate) fn clean_environment(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_foreign) {
            command.env_remove(name);
        }
    }
}

fn is_foreign(name: &str) -> bool {
    const OF_CARGO: [&str; 6] = [
        "CARGO",
        "CARGO_CRATE_NAME",
        "CARGO_BIN_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "OUT_DIR",
        "CARGO_MAKEFLAGS",
    ];
    // How one cluster is handed to all test processes.
    let of_tests = name.starts_with("SMART_TEST_");
    OF_CARGO.contains(&name)
        || name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || name.starts_with("CARGO_BIN_EXE_")
        || name.starts_with("GIT_DIR")
        || name.starts_with("GIT_WORK_TREE")
        || name.starts_with("GIT_INDEX_FILE")
        || name.starts_with("GIT_OBJECT_DIRECTORY")
        || name.starts_with("GIT_COMMON_DIR")
        || (name.starts_with("SMART_") && !of_tests)
}

/// The first file of that name on the path that may be executed.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    find_program_in(name, &env::var_os("PATH")?)
}

fn find_program_in(name: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|candidate| {
            candidate.is_file()
                && rustix::fs::access(candidate, rustix::fs::Access::EXEC_OK).is_ok()
        })
}

/// One line of cargo's stderr.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// `Building [===>  ] 112/240: sqlx-core, hyper`
    Progress {
        done: usize,
        total: usize,
        current: &'a str,
    },
    /// `Downloaded serde v1.0.229`, also `Updating`, `Downloading`, `Blocking`: the verb and the rest.
    Verb(&'a str, &'a str),
    /// Anything else: warnings, errors, their code.
    Other,
}

impl<'a> Line<'a> {
    pub(crate) fn parse(line: &'a str) -> Self {
        let line = line.trim();
        let Some((verb, rest)) = line.split_once(' ') else {
            return Self::Other;
        };
        if verb == "Building"
            && let Some(progress) = progress(rest)
        {
            return progress;
        }
        let is_verb = verb.len() > 2
            && verb.starts_with(|c: char| c.is_ascii_uppercase())
            && verb.chars().skip(1).all(|c| c.is_ascii_lowercase());
        if is_verb {
            Self::Verb(verb, rest.trim())
        } else {
            Self::Other
        }
    }
}

fn progress(rest: &str) -> Option<Line<'_>> {
    let (_, rest) = rest.split_once("] ")?;
    let (counts, current) = match rest.split_once(": ") {
        Some((counts, current)) => (counts, current),
        None => (rest, ""),
    };
    let (done, total) = counts.trim_end_matches(':').split_once('/')?;
    Some(Line::Progress {
        done: done.parse().ok()?,
        total: total.parse().ok()?,
        current,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_lines_are_understood() {
        assert_eq!(
            Line::parse("    Building [======>      ] 112/240: sqlx-core, hyper(build)"),
            Line::Progress {
                done: 112,
                total: 240,
                current: "sqlx-core, hyper(build)"
            }
        );
        assert_eq!(
            Line::parse("   Compiling axum v0.8.9"),
            Line::Verb("Compiling", "axum v0.8.9")
        );
        assert_eq!(
            Line::parse("    Blocking waiting for file lock on build directory"),
            Line::Verb("Blocking", "waiting for file lock on build directory")
        );
        assert_eq!(
            Line::parse("error[E0425]: cannot find value `x`"),
            Line::Other
        );
        assert_eq!(Line::parse(""), Line::Other);
    }

    #[test]
    fn environment_of_the_caller_does_not_reach_the_child() {
        for name in [
            "CARGO_PKG_NAME",
            "CARGO",
            "SMART_REALM",
            "SMART__HTTP__PORT",
            "GIT_DIR",
            "CARGO_MANIFEST_DIR",
        ] {
            assert!(is_foreign(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_NET_OFFLINE",
            "SMART_TEST_POSTGRES",
            "PATH",
        ] {
            assert!(!is_foreign(name), "{name}");
        }
    }

    #[test]
    fn program_is_searched_on_the_path() {
        assert!(find_program_in("sh", OsStr::new("/nowhere:/bin:/usr/bin")).is_some());
        assert!(find_program_in("sh", OsStr::new("/nowhere")).is_none());
    }
}
