//! The first commit: exactly the rendering, whatever git is set up to do.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::sandbox::Sandbox;

#[test]
fn first_commit_holds_exactly_the_rendering() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&mut sandbox.generate(&["orders", "--no-verify"]))
        .expect(0);
    assert_eq!(sandbox.git("orders", &["status", "--porcelain"]), "");
    assert_eq!(
        sandbox.git("orders", &["branch", "--show-current"]),
        "main\n"
    );
    let message = sandbox.git("orders", &["log", "--format=%an <%ae>%n%B"]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        message,
        format!(
            "smart <smart@localhost>\nGenerate orders with smart {version}\n\nSmart-Template: {version}\n\n"
        )
    );
    let trailer = sandbox.git(
        "orders",
        &["log", "--format=%(trailers:key=Smart-Template,valueonly)"],
    );
    assert_eq!(trailer.trim(), version);
    assert!(
        sandbox
            .git("orders", &["ls-files"])
            .lines()
            .any(|path| path == "Cargo.lock")
    );
}

#[test]
fn settings_of_the_user_do_not_change_the_commit() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks/pre-commit", "#!/bin/sh\nexit 1\n");
    sandbox.write("hooks/commit-msg", "#!/bin/sh\nexit 1\n");
    for hook in ["pre-commit", "commit-msg"] {
        fs::set_permissions(
            sandbox.path(&format!("hooks/{hook}")),
            fs::Permissions::from_mode(0o755),
        )
        .unwrap();
    }
    sandbox.write("ignored", "*.toml\nsrc/\n");
    let path = |name: &str| sandbox.path(name).display().to_string();
    sandbox.write(
        "gitconfig",
        &format!(
            "[user]\n\tname = Somebody\n\temail = somebody@example.org\n[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n\
             [core]\n\thooksPath = {}\n\texcludesFile = {}\n\tautocrlf = true\n[init]\n\tdefaultBranch = trunk\n\ttemplateDir = {}\n",
            path("hooks"),
            path("ignored"),
            path("hooks"),
        ),
    );
    let mut command = sandbox.generate(&["orders", "--no-verify"]);
    sandbox
        .run(command.env("GIT_CONFIG_GLOBAL", sandbox.path("gitconfig")))
        .expect(0);
    let files = sandbox.git("orders", &["ls-files"]);
    assert!(
        files.contains("Cargo.toml\n") && files.contains("src/main.rs\n"),
        "{files}"
    );
    assert_eq!(
        sandbox.git("orders", &["log", "--format=%an %D"]),
        "Somebody HEAD -> main\n"
    );
}

#[test]
fn inside_another_work_tree_no_repository_is_made() {
    let sandbox = Sandbox::new();
    sandbox.git("", &["init", "--quiet"]);
    let said = sandbox
        .run(&mut sandbox.generate(&["orders", "--no-verify"]))
        .expect(0);
    assert!(
        said.stdout
            .contains("no repository: inside the work tree of [SANDBOX]"),
        "{}",
        said.stdout
    );
    assert!(!sandbox.path("orders/.git").exists());
}

#[test]
fn repository_of_the_caller_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.git("", &["init", "--quiet", "elsewhere"]);
    // As a hook of git would call us.
    let mut command = sandbox.generate(&["orders", "--no-verify"]);
    command
        .env("GIT_DIR", sandbox.path("elsewhere/.git"))
        .env("GIT_INDEX_FILE", sandbox.path("elsewhere/.git/index"));
    sandbox.run(&mut command).expect(0);
    assert!(sandbox.path("orders/.git").is_dir());
    assert_eq!(sandbox.git("elsewhere", &["status", "--porcelain"]), "");
}

#[test]
fn without_git_the_service_is_written_and_that_is_said() {
    let sandbox = Sandbox::new();
    let said = sandbox
        .run(
            sandbox
                .generate(&["orders", "--no-verify"])
                .env("PATH", "/nowhere"),
        )
        .expect(0);
    assert!(
        said.stdout.contains("no repository: git is not installed"),
        "{}",
        said.stdout
    );
    assert!(sandbox.path("orders/src/main.rs").is_file());
}
