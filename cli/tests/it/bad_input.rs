//! Bad input gets one message and exit code 2, and nothing is written.

use std::{
    ffi::OsStr,
    fmt::Write,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    process::Command,
};

use crate::sandbox::Sandbox;

#[test]
fn every_bad_input_is_refused_with_a_message_of_its_own() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("taken")).unwrap();
    sandbox.write("a-file", "");
    symlink("/nowhere", sandbox.path("dangling")).unwrap();
    sandbox.write(
        "other/smart-service/Cargo.toml",
        "[package]\nname = \"smart-service\"\nversion = \"9.9.9\"\n",
    );
    let before = sandbox.tree();

    let mut transcript = String::new();
    let cases: &[&[&str]] = &[
        &[""],
        &["Orders"],
        &["order_items"],
        &["9lives"],
        &["orders-"],
        &["or--ders"],
        &["-"],
        &["../evil"],
        &["é"],
        &["a-name-that-is-much-too-long-for-a-service"],
        &["match"],
        &["test"],
        &["build"],
        &["sqlx"],
        &["healthcheck"],
        &["taken"],
        &["a-file"],
        &["dangling"],
        &["orders", "--with", "mysql"],
        &["orders", "--with", "postgresql"],
        &["orders", "--with", "sqlite,postgres"],
        &["orders", "--with", "redis,redis"],
        &["orders", "--with", "redis,"],
        &["orders", "--port", "80"],
        &["orders", "--port", "65535"],
        &["orders", "--port", "-1"],
        &["orders", "--port", "http"],
        &["orders", "--into", "nowhere"],
        &["orders", "--into", "a-file"],
        &["orders", "--into", "a-file/below"],
        &["orders", "--framework", "main"],
        &["orders", "--framework", "path=nowhere"],
        &["orders", "--framework", "path=."],
        &["orders", "--framework", "path=other/smart-service"],
        &["orders", "--framework", "path=other"],
        &["orders", "--framework", "git=https://example.org/smart.git"],
        &["orders", "--framework", "git=../smart#main"],
        &["orders", "--framework", "git=https://example.org/a b#main"],
        &["orders", "--frobnicate"],
        &["orders", "items"],
        &[],
    ];
    for arguments in cases {
        let said = sandbox.run(&mut sandbox.generate(arguments)).expect(2);
        assert_eq!(said.stdout, "", "{arguments:?}");
        assert_eq!(sandbox.tree(), before, "{arguments:?}");
        let shown: Vec<String> = arguments.iter().map(|argument| shown(argument)).collect();
        writeln!(
            transcript,
            "$ smart generate-service {}\n{}",
            shown.join(" "),
            said.stderr
        )
        .unwrap();
    }
    insta::assert_snapshot!("bad_input", transcript);
}

#[test]
fn arguments_that_are_no_text_are_refused() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command
        .arg("generate-service")
        .arg(OsStr::from_bytes(b"ord\xffers"));
    let said = sandbox.run(&mut command).expect(2);
    assert!(said.stderr.contains("invalid UTF-8"), "{}", said.stderr);
    assert!(sandbox.tree().is_empty());
}

#[test]
fn place_that_cannot_be_written_is_refused() {
    let sandbox = Sandbox::new();
    // Not even root may make a folder in the kernel's own file system.
    let said = sandbox
        .run(&mut sandbox.generate(&["orders", "--into", "/sys", "--no-verify"]))
        .expect(2);
    let message = said.stderr.lines().next().unwrap();
    assert!(
        message.starts_with("error: cannot write in `/sys`: "),
        "{message}"
    );
}

#[test]
fn missing_cargo_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let said = sandbox
        .run(sandbox.generate(&["orders"]).env("PATH", "/nowhere"))
        .expect(2);
    insta::assert_snapshot!(said.stderr, @r"
    error: `cargo` is not on the path, and the proof needs it
      hint: install Rust with rustup, https://rustup.rs; `--no-verify` writes the service without a proof
    ");
    assert!(sandbox.tree().is_empty());
}

#[test]
fn disk_that_fills_up_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    // A limit on the size of a file is met where a full disk would be, at one write or another.
    for blocks in [0, 1, 2, 4, 8, 16, 64, 128] {
        let mut command = Command::new("sh");
        command
            .current_dir(sandbox.path(""))
            .args([
                "-c",
                "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"",
                "sh",
                &blocks.to_string(),
            ])
            .arg(env!("CARGO_BIN_EXE_smart"))
            .args([
                "generate-service",
                "orders",
                "--with",
                "postgres,redis",
                "--no-verify",
                "--json",
            ])
            .arg(format!(
                "--framework=path={}",
                crate::sandbox::checkout().display()
            ));
        let said = sandbox.run(&mut command).expect(1);
        assert!(
            said.stderr
                .contains("error: cannot write the service to `[SANDBOX]/orders`: ")
                && said.stderr.contains("File too large"),
            "{blocks}: {}",
            said.stderr
        );
        assert!(
            said.stdout.contains("\"outcome\": \"refused\""),
            "{blocks}: {}",
            said.stdout
        );
        assert!(sandbox.tree().is_empty(), "{blocks}: {:?}", sandbox.tree());
    }
}

fn shown(argument: &str) -> String {
    if argument.is_empty() || argument.contains(' ') {
        format!("'{argument}'")
    } else {
        argument.to_owned()
    }
}
