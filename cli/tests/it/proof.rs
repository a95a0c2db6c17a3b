//! The proof with a cargo of our own that does what the test wants; the real one is the end-to-end tests' affair.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A sandbox whose `bin/cargo` answers the harmless calls and runs `script` for the others.
fn with_cargo(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let answers = "case \"$1\" in --version|fetch|fmt) exit 0;; esac";
    program(
        &sandbox,
        "cargo",
        &format!("#!/bin/sh\n{answers}\n{script}\n"),
    );
    program(&sandbox, "rustfmt", "#!/bin/sh\n");
    sandbox
}

/// Another process writes the file that is run: a descriptor of ours, open for writing and inherited by a child of
/// another test for a moment, would make the kernel refuse to run it.
fn program(sandbox: &Sandbox, name: &str, script: &str) {
    let text = format!("{name}.txt");
    sandbox.write(&text, script);
    let target = sandbox.path(&format!("bin/{name}"));
    let status = Command::new("install")
        .args(["-D", "-m", "755"])
        .arg(sandbox.path(&text))
        .arg(target)
        .status();
    assert!(status.unwrap().success());
}

fn generate(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.generate(arguments);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", sandbox.path("bin").display()));
    command
}

#[test]
fn red_build_keeps_the_folder_and_shows_why() {
    let sandbox = with_cargo(
        "printf '    Building [==>  ] 3/240: serde\\r' >&2\n\
         for i in $(seq 1 60); do echo \"error[E0000]: number $i\" >&2; done\nexit 101",
    );
    let said = sandbox.run(&mut generate(&sandbox, &["orders"])).expect(1);
    let steps = said.stdout.split_once("steps\n").unwrap().1;
    assert!(
        steps.contains("4/9 ✓ format") && steps.contains("5/9 ✗ build"),
        "{steps}"
    );
    assert!(
        !steps.contains("number 20\n")
            && steps.contains("number 21\n")
            && steps.contains("number 60\n"),
        "{steps}"
    );
    assert!(!steps.contains("240"), "progress is not output: {steps}");
    insta::assert_snapshot!(said.stderr, @r"
    error: `orders` is not proved: build: the service does not build
      hint: the service stays in [SANDBOX]/orders: mend it there, or remove it and generate it again
    ");
    assert!(
        sandbox
            .read("orders/.smart/data/proof/build.log")
            .contains("number 1\n")
    );
    assert_eq!(sandbox.git("orders", &["status", "--porcelain"]), "");
}

#[test]
fn red_proof_is_told_to_programs() {
    let sandbox = with_cargo("echo 'error: no' >&2; exit 101");
    let said = sandbox
        .run(&mut generate(&sandbox, &["orders", "--json"]))
        .expect(1);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["outcome"], "red");
    assert_eq!(report["output"][0], "error: no");
    let outcomes: Vec<(&str, &str)> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            (
                step["name"].as_str().unwrap(),
                step["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("files", "passed"),
            ("dependencies", "passed"),
            ("commit", "passed"),
            ("format", "passed"),
            ("build", "failed"),
            ("tests", "skipped"),
            ("boot", "skipped"),
            ("health", "skipped"),
            ("stop", "skipped"),
        ]
    );
}

#[test]
fn service_that_ends_at_once_is_red_with_its_own_words() {
    let sandbox = with_cargo(
        "if [ \"$1\" = build ]; then\n\
         mkdir -p target/debug; printf '#!/bin/sh\\necho cannot load configuration >&2; exit 78\\n' > target/debug/orders\n\
         chmod +x target/debug/orders\n\
         echo \"{\\\"reason\\\":\\\"compiler-artifact\\\",\\\"target\\\":{\\\"kind\\\":[\\\"bin\\\"]},\\\"fresh\\\":false,\\\"executable\\\":\\\"$PWD/target/debug/orders\\\"}\"\n\
         else echo 'test result: ok. 3 passed; 0 failed'; fi",
    );
    let said = sandbox.run(&mut generate(&sandbox, &["orders"])).expect(1);
    assert!(
        said.stdout.contains("6/9 ✓ tests         3 passed"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout
            .contains("7/9 ✗ boot          the service ended with exit code 78"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.contains("    cannot load configuration\n"),
        "{}",
        said.stdout
    );
    assert!(
        said.stderr
            .contains("boot: the service ended with exit code 78"),
        "{}",
        said.stderr
    );
}

#[test]
fn missing_crates_are_named_when_there_is_no_network() {
    let sandbox = Sandbox::new();
    let refusal = "[ \"$1\" = fetch ] && { echo 'error: failed to download from the registry' >&2; exit 101; }";
    program(
        &sandbox,
        "cargo",
        &format!("#!/bin/sh\n{refusal}\nexit 0\n"),
    );
    let mut command = generate(&sandbox, &["orders"]);
    let said = sandbox
        .run(command.env("CARGO_HOME", sandbox.path("empty")))
        .expect(1);
    assert!(
        said.stdout.contains("✗ dependencies") && said.stdout.contains("✓ commit"),
        "{}",
        said.stdout
    );
    assert!(
        said.stderr
            .contains("are missing and cannot be downloaded\n"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("hint: missing here: ")
            && said.stderr.contains("connect this machine"),
        "{}",
        said.stderr
    );
}

#[test]
fn signal_stops_the_children_and_keeps_the_folder() {
    // A child of a child, as rustc is one of cargo's.
    let sandbox =
        with_cargo("sh -c 'echo $$ > child.pid; echo started >&2; exec sleep 600' & wait");
    let mut command = generate(&sandbox, &["orders", "--json"]);
    let mut smart = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid_file = sandbox.path("orders/child.pid");
    wait_until("the build runs", || {
        fs::read_to_string(&pid_file).is_ok_and(|text| text.ends_with('\n'))
    });
    let child = Pid::from_raw(
        fs::read_to_string(&pid_file)
            .unwrap()
            .trim()
            .parse()
            .unwrap(),
    )
    .unwrap();

    kill_process(Pid::from_child(&smart), Signal::INT).unwrap();
    let report: Value = serde_json::from_reader(smart.stdout.take().unwrap()).unwrap();
    let last: Vec<String> = BufReader::new(smart.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .collect();
    assert_eq!(smart.wait().unwrap().code(), Some(1));
    assert_eq!(report["error"]["message"], "interrupted at step `build`");
    assert!(
        last.last()
            .unwrap()
            .contains("its child processes were stopped"),
        "{last:?}"
    );
    wait_until("the child is gone", || {
        rustix::process::test_kill_process(child).is_err()
    });
    assert!(sandbox.path("orders/src/main.rs").is_file());
}

#[test]
fn signal_while_rendering_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let started = sandbox.path("started");
    program(
        &sandbox,
        "rustfmt",
        &format!("#!/bin/sh\n: > '{}'\nexec sleep 600\n", started.display()),
    );
    let before: Vec<String> = sandbox.tree().into_iter().collect();
    let mut smart = generate(&sandbox, &["orders", "--no-verify"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("rustfmt runs", || started.is_file());

    kill_process(Pid::from_child(&smart), Signal::TERM).unwrap();
    let mut said = String::new();
    smart
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(smart.wait().unwrap().code(), Some(1));
    assert_eq!(said, "error: interrupted; nothing was written\n");
    std::fs::remove_file(started).unwrap();
    assert_eq!(sandbox.tree().into_iter().collect::<Vec<_>>(), before);
}

#[test]
fn toolchain_without_rustfmt_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    program(
        &sandbox,
        "rustfmt",
        "#!/bin/sh\necho 'error: rustfmt is not installed for the toolchain' >&2\nexit 1\n",
    );
    let said = sandbox.run(&mut generate(&sandbox, &["orders"])).expect(2);
    insta::assert_snapshot!(said.stderr, @r"
    error: `rustfmt` does not run, and the proof needs it
      hint: install it: `rustup component add rustfmt`; `--no-verify` writes the service without a proof
    ");
    assert!(!sandbox.path("orders").exists());
    // Without a proof it is not needed.
    sandbox
        .run(&mut generate(&sandbox, &["orders", "--no-verify"]))
        .expect(0);
}

/// Polls under a deadline.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
    }
}
