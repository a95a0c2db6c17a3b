//! What people and programs read: help, plan, files, JSON.

use serde_json::Value;

use crate::sandbox::Sandbox;

#[test]
fn help_is_worth_reading() {
    let sandbox = Sandbox::new();
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_generate_service", &["generate-service", "--help"]),
        ("help_engines", &["engines", "--help"]),
        ("help_completions", &["completions", "--help"]),
    ] {
        let said = sandbox.run(sandbox.command().args(arguments)).expect(0);
        insta::assert_snapshot!(name, said.stdout);
    }
}

#[test]
fn version_names_the_commit() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(sandbox.command().arg("--version")).expect(0);
    let rest = said
        .stdout
        .strip_prefix(concat!("smart ", env!("CARGO_PKG_VERSION"), " ("))
        .unwrap();
    assert!(
        rest.trim_end().ends_with(')') && rest.len() > 8,
        "{}",
        said.stdout
    );
}

#[test]
fn completions_know_the_commands() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let said = sandbox
            .run(sandbox.command().args(["completions", shell]))
            .expect(0);
        assert!(
            said.stdout.contains("generate-service")
                && said.stdout.contains("no-verify")
                && !said.stdout.contains("render"),
            "{shell}"
        );
    }
}

#[test]
fn dry_run_shows_the_plan_and_the_files_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let said = sandbox
        .run(&mut sandbox.generate(&["orders", "--with", "sqlite", "--port", "20200", "--dry-run"]))
        .expect(0);
    let (plan, files) = said.stdout.split_once("files\n").unwrap();
    let (_, plan) = plan.split_once('\n').unwrap();
    insta::assert_snapshot!(plan, @r"

    plan
      service     orders
      folder      [SANDBOX]/orders
      package     orders, in Rust code `orders`
      ports       20200 main, 20201 admin
      parts       sqlite
      framework   path [CHECKOUT]
                  builds on this machine only; `--framework git=URL#REV` changes that
    ");
    assert!(
        files.contains(" B  src/main.rs\n") && files.contains("migrations/0001_create_items.sql\n"),
        "{files}"
    );
    assert!(
        files.trim_end().ends_with("files; nothing was written"),
        "{files}"
    );
    assert_eq!(said.stderr, "");
    assert!(sandbox.tree().is_empty());
}

#[test]
fn dry_run_needs_neither_cargo_nor_git() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.generate(&[
        "orders",
        "--dry-run",
        "--framework",
        "git=git@example.org:team/smart.git#v1",
    ]);
    let said = sandbox.run(command.env("PATH", "/nowhere")).expect(0);
    assert!(
        said.stdout
            .contains("framework   git ssh://git@example.org/team/smart.git at v1\n"),
        "{}",
        said.stdout
    );
    assert!(
        !said.stdout.contains("this machine only"),
        "{}",
        said.stdout
    );
}

#[test]
fn json_is_one_document_and_alone_on_stdout() {
    let sandbox = Sandbox::new();
    let planned = sandbox
        .run(&mut sandbox.generate(&["orders", "--port", "20200", "--dry-run", "--json"]))
        .expect(0);
    let planned: Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!(planned["outcome"], "planned");
    assert_eq!(planned["plan"]["ports"]["admin"], 20201);
    assert!(
        planned["files"]
            .as_array()
            .unwrap()
            .iter()
            .any(|file| file["path"] == "src/main.rs")
    );
    assert!(sandbox.tree().is_empty());

    let arguments = [
        "orders",
        "--port",
        "20200",
        "--with",
        "postgres,redis",
        "--no-verify",
        "--json",
    ];
    let said = sandbox.run(&mut sandbox.generate(&arguments)).expect(0);
    assert!(said.stderr.contains("1/3 ✓ files"), "{}", said.stderr);
    let mut written: Value = serde_json::from_str(&said.stdout).unwrap();
    let files = written["files"].as_array_mut().unwrap();
    assert!(files.len() > 20);
    files.retain(|file| file["path"] == ".gitignore");
    insta::assert_json_snapshot!("json_written", written, {
        ".seconds" => "[SECONDS]",
        ".steps[].seconds" => "[SECONDS]",
        ".steps[].detail" => "[DETAIL]",
        ".files[].bytes" => "[BYTES]",
        ".repository.commit" => "[COMMIT]",
        ".repository.short" => "[COMMIT]",
        ".next" => "[COMMANDS]",
    });

    let refused = sandbox
        .run(&mut sandbox.generate(&["orders", "--json"]))
        .expect(2);
    let refused: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(refused["outcome"], "refused");
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("exists already")
    );
}

#[test]
fn reader_that_goes_away_does_not_stop_the_work() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.generate(&["orders", "--no-verify"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert!(sandbox.path("orders/src/main.rs").is_file());
}
