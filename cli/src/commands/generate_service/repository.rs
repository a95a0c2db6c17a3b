//! The git repository of the new service, and its first commit: the rendering as it is, before anybody touches it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;

use super::{
    plan::{Plan, TEMPLATE_VERSION},
    steps::{Red, StepFault},
    template,
};
use crate::{
    cargo,
    interrupt::Interrupt,
    process::{self, Captured},
};

/// What became of the repository; not having one is no failure.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub(crate) enum Repository {
    Committed { commit: String, short: String },
    None { reason: String },
}

impl Repository {
    pub(crate) fn create(plan: &Plan, interrupt: &Interrupt) -> Result<(Self, String), StepFault> {
        if let Some(outer) = work_tree_around(&plan.parent) {
            return Ok(Self::without(format!(
                "inside the work tree of {}",
                outer.display()
            )));
        }
        if cargo::find_program("git").is_none() {
            return Ok(Self::without(String::from("git is not installed")));
        }

        let git = Git {
            folder: &plan.folder,
            interrupt,
        };
        // Nothing of the user's settings may change or stop this commit: no template folder, hooks, signing,
        // ignored files, line ends.
        git.run(&["init", "--quiet", "--template=", "--initial-branch=main"])?;
        let has_author = git
            .try_run(&["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"])?
            .success()
            && git
                .try_run(&[
                    "-c",
                    "user.useConfigOnly=true",
                    "var",
                    "GIT_COMMITTER_IDENT",
                ])?
                .success();
        git.run(&[
            "-c",
            "core.excludesFile=",
            "-c",
            "core.autocrlf=false",
            "-c",
            "core.safecrlf=false",
            "add",
            "--all",
        ])?;

        let message = format!(
            "Generate {} with smart {TEMPLATE_VERSION}\n\n{}\n",
            plan.service,
            template::trailer()
        );
        let mut arguments = vec![
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "commit.gpgSign=false",
        ];
        if !has_author {
            arguments.extend(["-c", "user.name=smart", "-c", "user.email=smart@localhost"]);
        }
        arguments.extend([
            "commit",
            "--quiet",
            "--no-verify",
            "--cleanup=verbatim",
            "--message",
            &message,
        ]);
        git.run(&arguments)?;

        let commit = git.run(&["rev-parse", "HEAD"])?;
        let short = git.run(&["rev-parse", "--short", "HEAD"])?;
        let author = if has_author {
            ""
        } else {
            ", by `smart`: git knows no author here"
        };
        let detail = format!("{short} on main{author}");
        Ok((Self::Committed { commit, short }, detail))
    }

    fn without(reason: String) -> (Self, String) {
        let detail = format!("no repository: {reason}");
        (Self::None { reason }, detail)
    }
}

/// The work tree that a folder lies in. Asked of the file system, because git refuses to look at other people's.
fn work_tree_around(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_owned)
}

struct Git<'a> {
    folder: &'a Path,
    interrupt: &'a Interrupt,
}

impl Git<'_> {
    fn try_run(&self, arguments: &[&str]) -> Result<Captured, StepFault> {
        let mut command = Command::new("git");
        cargo::clean_environment(&mut command);
        command
            .current_dir(self.folder)
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0");
        process::capture(&mut command, self.interrupt)
            .map_err(|error| StepFault::of_child(error, "git"))
    }

    /// The first line that git printed.
    fn run(&self, arguments: &[&str]) -> Result<String, StepFault> {
        let captured = self.try_run(arguments)?;
        if captured.success() {
            return Ok(captured.stdout.into_iter().next().unwrap_or_default());
        }
        let act = arguments
            .iter()
            .find(|argument| matches!(**argument, "init" | "add" | "commit" | "rev-parse"));
        let mut red = Red::new(format!("`git {}` failed", act.unwrap_or(&"")));
        red.output = captured.stderr;
        Err(red.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_tree_is_found_from_below() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        assert_eq!(work_tree_around(&below), None);
        std::fs::write(root.path().join(".git"), "gitdir: elsewhere\n").unwrap();
        assert_eq!(work_tree_around(&below).as_deref(), Some(root.path()));
    }
}
