//! `smart engines` inside and outside of generated services.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::Sandbox;

#[test]
fn faults_are_told_before_anything_is_started() {
    let sandbox = Sandbox::new();
    let outside = sandbox.run(sandbox.command().arg("engines")).expect(2);
    insta::assert_snapshot!(outside.stderr, @r"
    error: `[SANDBOX]` is not inside a generated service
      hint: go into the folder of a service; it has a file `.smart/manifest.toml`
    ");

    service(&sandbox, "[http]\nport = 20200\n");
    let nothing = sandbox.run(sandbox.command().arg("engines")).expect(2);
    insta::assert_snapshot!(nothing.stderr, @r"
    error: the service needs no engines: `config/local.toml` has neither `[postgres]` nor `[redis]`
      hint: `cargo run` starts it as it is
    ");

    service(&sandbox, "[redis]\nhost = \"cache.example.org\"\n");
    let elsewhere = sandbox.run(sandbox.command().arg("engines")).expect(1);
    insta::assert_snapshot!(elsewhere.stderr, @r#"
    error: `redis.host` = "cache.example.org" in `config/local.toml` is another machine
      hint: a private engine listens on this machine only; write `host = "127.0.0.1"`
    "#);
    assert!(!sandbox.path(".smart/data").exists());
}

#[test]
fn taken_port_is_named() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    service(
        &sandbox,
        &format!("[redis]\nhost = \"127.0.0.1\"\nport = {port}\n"),
    );
    let said = sandbox.run(sandbox.command().arg("engines")).expect(1);
    assert!(
        said.stderr
            .starts_with(&format!("error: cannot start Redis on port {port}: ")),
        "{}",
        said.stderr
    );
}

#[test]
fn engines_run_until_a_signal_and_keep_their_data() {
    let sandbox = Sandbox::new();
    let (postgres, redis) = (free_port(), free_port());
    service(
        &sandbox,
        &format!(
            "[postgres]\nhost = \"127.0.0.1\"\nport = {postgres}\nuser = \"orders\"\npassword = \"local\"\ndatabase = \"orders\"\n\
             [redis]\nhost = \"127.0.0.1\"\nport = {redis}\n"
        ),
    );
    // Twice, because the second start finds the data, the role and the database of the first.
    for _ in 0..2 {
        let mut smart = sandbox
            .command()
            .arg("engines")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(smart.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let shown: Vec<String> = lines
            .by_ref()
            .take_while(|line| !line.starts_with("running;"))
            .collect();
        assert!(
            shown.iter().any(|line| line.contains(&format!(
                "127.0.0.1:{postgres}  role `orders`, database `orders`"
            ))),
            "{shown:?}"
        );
        TcpStream::connect(("127.0.0.1", postgres)).unwrap();
        TcpStream::connect(("127.0.0.1", redis)).unwrap();

        kill_process(Pid::from_child(&smart), Signal::TERM).unwrap();
        assert_eq!(smart.wait().unwrap().code(), Some(0));
        assert_eq!(
            lines.last().unwrap(),
            "stopped; the data stay for the next time"
        );
        assert!(TcpStream::connect(("127.0.0.1", postgres)).is_err());
        assert!(TcpStream::connect(("127.0.0.1", redis)).is_err());
    }
}

/// What makes a folder a generated service, with this `config/local.toml`.
fn service(sandbox: &Sandbox, local: &str) {
    sandbox.write(".smart/manifest.toml", "");
    sandbox.write("config/default.toml", "");
    sandbox.write("config/local.toml", local);
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
