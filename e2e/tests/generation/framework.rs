//! Generation with the framework by git.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::smart::{Workshop, checkout, run};

/// Commits the checkout as it is to a bare repository; returns the source for `--framework`.
///
/// The place and the commit are always the same for the same files, so that cargo need not build them again. History is
/// not needed, and a checkout may have little of it.
fn published() -> String {
    let repository = Path::new(env!("CARGO_TARGET_TMPDIR")).join("framework.git");
    if repository.exists() {
        fs::remove_dir_all(&repository).unwrap();
    }
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .arg("--git-dir")
            .arg(&repository)
            .args(["-c", "user.name=e2e", "-c", "user.email=e2e@localhost"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
        run(&mut command).expect(0).stdout.trim().to_owned()
    };
    let work_tree = format!("--work-tree={}", checkout().display());
    git(&["init", "--quiet", "--bare", "--initial-branch=main"]);
    git(&[&work_tree, "add", "--all"]);
    git(&[&work_tree, "commit", "--quiet", "--message", "Everything"]);
    let commit = git(&["rev-parse", "HEAD"]);
    format!("git=file://{}#{commit}", repository.display())
}

#[test]
fn service_that_takes_the_framework_from_git_is_proved_green() {
    let workshop = Workshop::new();
    let source = published();
    let arguments = [
        "generate-service",
        "orders",
        "--json",
        "--framework",
        &source,
    ];
    let report = run(&mut workshop.smart(&arguments)).expect(0).json();
    assert_eq!(report["outcome"], "green");
    assert_eq!(report["plan"]["framework"]["kind"], "git");

    let (_, commit) = source.split_once('#').unwrap();
    let manifest = fs::read_to_string(workshop.path("orders/Cargo.toml")).unwrap();
    assert!(
        manifest.contains(&format!("rev = \"{commit}\"")),
        "{manifest}"
    );
    for file in ["Cargo.toml", "Cargo.lock", ".smart/manifest.toml"] {
        let text = fs::read_to_string(workshop.path("orders").join(file)).unwrap();
        assert!(
            !text.contains(&format!("{}/smart-", checkout().display())),
            "{file} names the checkout"
        );
    }
    assert_eq!(workshop.git("orders", &["status", "--porcelain"]), "");
}
