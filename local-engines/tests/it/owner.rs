//! Engines end with their owner, however that dies.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use local_engines::{Postgres, PostgresAddress, Redis};

use crate::{eventually, is_alive};

/// The program that the other tests start and kill: it owns both engines until its input ends.
#[test]
#[ignore = "the other tests run it as a program"]
fn owner() {
    let mut postgres = match env::var_os(KEPT) {
        Some(folder) => Postgres::builder().folder(folder).start().unwrap(),
        None => Postgres::start().unwrap(),
    };
    let redis = Redis::start().unwrap();
    println!(
        "\n{}\n{}",
        postgres.folder().display(),
        redis.folder().display()
    );
    if io::stdin().read(&mut [0]).unwrap_or(0) > 0 {
        postgres.pause();
        println!("paused");
        let _ = io::stdin().read(&mut [0]);
    }
}

/// The program that shows which cluster the tests of a process share.
#[test]
#[ignore = "another test runs it as a program"]
fn shared() {
    println!("\n{}", Postgres::shared().unwrap().handover());
}

#[test]
fn a_handed_over_cluster_is_the_shared_one_of_another_process() {
    let postgres = Postgres::builder().password("a b").start().unwrap();
    let handover = postgres.address().handover();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "owner::shared", "--ignored", "--nocapture"])
        .env(PostgresAddress::VARIABLE, &handover)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.lines().any(|line| line == handover), "{output}");
}

#[test]
fn engines_of_a_killed_owner_go_and_take_their_temporary_folders_along() {
    let mut owner = Owner::start(None);
    owner.kill();
    for (pid, folder) in &owner.engines {
        eventually("the engine has ended", || !is_alive(*pid));
        eventually("the temporary folder is gone", || !folder.exists());
    }
}

#[test]
fn engines_of_an_owner_killed_during_a_pause_go_too() {
    let mut owner = Owner::start(None);
    owner
        .process
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"p")
        .unwrap();
    assert_eq!(owner.line(), "paused");
    let (postgres, folder) = &owner.engines[0];
    let background: Vec<_> = children(*postgres);
    assert!(!background.is_empty());
    let folder = folder.clone();
    owner.kill();
    eventually("the temporary folder is gone", || !folder.exists());
    eventually("no background process is left", || {
        background.iter().all(|pid| !is_alive(*pid))
    });
}

#[test]
fn a_kept_folder_can_be_used_again_right_after_its_owner_was_killed() {
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let folder = parent.path().join("postgres");
    let mut owner = Owner::start(Some(&folder));
    owner.kill();
    let postgres = Postgres::builder().folder(&folder).start().unwrap();
    assert!(postgres.is_running());
}

struct Owner {
    process: Child,
    output: BufReader<ChildStdout>,
    /// Process number and folder of the PostgreSQL and the Redis it runs.
    engines: Vec<(u32, PathBuf)>,
}

impl Owner {
    fn start(kept: Option<&Path>) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "owner::owner", "--ignored", "--nocapture"]);
        if let Some(folder) = kept {
            command.env(KEPT, folder);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut owner = Self {
            process,
            output,
            engines: Vec::new(),
        };
        while owner.engines.len() < 2 {
            let line = owner.line();
            if line.starts_with('/') {
                let folder = PathBuf::from(line);
                let note = fs::read_to_string(folder.join("running")).unwrap();
                owner
                    .engines
                    .push((note.split(' ').next().unwrap().parse().unwrap(), folder));
            }
        }
        owner
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(
            self.output.read_line(&mut line).unwrap() > 0,
            "the owner has ended early"
        );
        line.trim().to_string()
    }

    /// Kills the owner alone, by the signal that no process can catch.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.kill();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let listing = Command::new("ps")
        .args(["-o", "pid=", "--ppid", &parent.to_string()])
        .output()
        .unwrap()
        .stdout;
    String::from_utf8(listing)
        .unwrap()
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

const KEPT: &str = "LOCAL_ENGINES_OWNER_FOLDER";
