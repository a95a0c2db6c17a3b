//! Facts about a private PostgreSQL.

use std::{
    error::Error as _,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use local_engines::{EngineError, Postgres, PostgresAddress};

use crate::is_alive;

/// Runs a query through `psql`; the error is what `psql` said.
fn query(
    address: &PostgresAddress,
    user: &str,
    password: &str,
    database: &str,
    sql: &str,
) -> Result<String, String> {
    let output = Command::new(Postgres::installed().unwrap().join("psql"))
        .args([
            "-XAtqw",
            "-h",
            address.host(),
            "-p",
            &address.port().to_string(),
        ])
        .args(["-U", user, "-d", database, "-c", sql])
        .env("PGPASSWORD", password)
        .current_dir("/")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_string();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

fn admin(postgres: &Postgres, sql: &str) -> Result<String, String> {
    query(
        postgres.address(),
        postgres.user(),
        postgres.password().unwrap_or_default(),
        "postgres",
        sql,
    )
}

fn pid(folder: &Path) -> u32 {
    let note = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    note.lines().next().unwrap().parse().unwrap()
}

#[test]
fn a_temporary_cluster_answers_and_leaves_nothing_behind() {
    let postgres = Postgres::start().unwrap();
    assert_eq!(admin(&postgres, "select 1 + 1").unwrap(), "2");
    assert!(postgres.is_running());
    let (folder, pid) = (postgres.folder().to_path_buf(), pid(postgres.folder()));
    drop(postgres);
    assert!(!folder.exists());
    assert!(!is_alive(pid));
}

#[test]
fn a_role_with_a_wrong_password_is_refused() {
    let postgres = Postgres::start().unwrap();
    let address = postgres.address();
    address
        .create_database("orders", "o'rder\"s", "it's \\ \"secret\"")
        .unwrap();
    address
        .create_database("orders", "o'rder\"s", "it's \\ \"secret\"")
        .unwrap();
    let owner = query(
        address,
        "o'rder\"s",
        "it's \\ \"secret\"",
        "orders",
        "create table t (); select current_user",
    );
    assert_eq!(owner.unwrap(), "o'rder\"s");
    let refused = query(address, "o'rder\"s", "wrong", "orders", "select 1").unwrap_err();
    assert!(
        refused.contains("password authentication failed"),
        "{refused}"
    );
}

#[test]
fn a_superuser_with_a_password_needs_it() {
    let postgres = Postgres::builder()
        .superuser("root user")
        .password("pass word")
        .start()
        .unwrap();
    assert_eq!(
        (postgres.user(), postgres.password()),
        ("root user", Some("pass word"))
    );
    assert_eq!(admin(&postgres, "select 1").unwrap(), "1");
    let refused = query(
        postgres.address(),
        "root user",
        "wrong",
        "postgres",
        "select 1",
    )
    .unwrap_err();
    assert!(
        refused.contains("password authentication failed"),
        "{refused}"
    );
    assert!(!format!("{postgres:?}").contains("pass word"));
    postgres
        .address()
        .create_database("orders", "orders", "orders")
        .unwrap();
}

#[test]
fn a_stopped_cluster_refuses_and_comes_back_on_the_same_port_with_its_data() {
    let mut postgres = Postgres::start().unwrap();
    admin(&postgres, "create table kept as select 7 as value").unwrap();
    let port = postgres.port();
    postgres.stop();
    assert!(!postgres.is_running());
    assert!(
        admin(&postgres, "select 1")
            .unwrap_err()
            .contains("Connection refused")
    );
    postgres.restart().unwrap();
    assert_eq!(postgres.port(), port);
    assert_eq!(admin(&postgres, "select value from kept").unwrap(), "7");
}

#[test]
fn a_killed_cluster_breaks_its_connections_and_recovers() {
    let mut postgres = Postgres::start().unwrap();
    admin(&postgres, "create table kept as select 7 as value").unwrap();
    for _ in 0..3 {
        let mut busy = Busy::connect(&postgres);
        postgres.kill();
        busy.expect_closed();
        assert!(!postgres.is_running());
        postgres.restart().unwrap();
        assert_eq!(admin(&postgres, "select value from kept").unwrap(), "7");
    }
    // What a killed server leaves in the system's shared memory is gone too.
    let note = fs::read_to_string(postgres.folder().join("data/postmaster.pid")).unwrap();
    let block = note
        .lines()
        .nth(6)
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .to_string();
    postgres.kill();
    let blocks = Command::new("ipcs").arg("-m").output().unwrap().stdout;
    assert!(
        !String::from_utf8(blocks)
            .unwrap()
            .split_whitespace()
            .any(|word| word == block)
    );
}

#[test]
fn a_paused_cluster_is_silent_until_it_resumes() {
    let mut postgres = Postgres::start().unwrap();
    let mut busy = Busy::connect(&postgres);
    postgres.pause();
    assert!(postgres.is_running());
    busy.ask();
    assert!(!busy.is_answered_within(Duration::from_millis(200)));
    postgres.resume();
    assert!(busy.is_answered_within(Duration::from_secs(20)));
    assert_eq!(admin(&postgres, "select 1").unwrap(), "1");
    // A paused server can be stopped and killed as any other.
    postgres.pause();
    postgres.stop();
    postgres.restart().unwrap();
    postgres.pause();
    postgres.kill();
    postgres.restart().unwrap();
    postgres.pause();
}

#[test]
fn a_folder_keeps_its_data_durably_and_admits_one_cluster() {
    let parent = tempfile::tempdir().unwrap();
    open_to_all(parent.path());
    let wanted = parent.path().join("new/postgres");
    let first = Postgres::builder().folder(&wanted).start().unwrap();
    assert_eq!(first.folder(), wanted.canonicalize().unwrap());
    assert_eq!(admin(&first, "show fsync").unwrap(), "on");
    admin(&first, "create table kept as select 7 as value").unwrap();

    let second = Postgres::builder().folder(&wanted).start().unwrap_err();
    let expected = format!(
        "PostgreSQL already runs in `{}` (process {}, port {}); use that one, or stop the program that started it",
        wanted.display(),
        pid(&wanted),
        first.port()
    );
    assert_eq!(second.to_string(), expected);

    drop(first);
    let again = Postgres::builder().folder(&wanted).start().unwrap();
    assert_eq!(admin(&again, "select value from kept").unwrap(), "7");
    drop(again);

    let other = Postgres::builder()
        .folder(&wanted)
        .superuser("nobody_knows")
        .start()
        .unwrap_err()
        .to_string();
    assert!(other.starts_with(
        "cannot log in to PostgreSQL as `nobody_knows`: psql: exit status: 2 (the data in"
    ));
    assert!(
        other.contains("role \"nobody_knows\" does not exist"),
        "{other}"
    );
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "").unwrap();
    let owner = folder.path().metadata().unwrap().uid();
    let error = Postgres::builder()
        .folder(folder.path())
        .start()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot keep data in `{}`", folder.path().display())
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "it holds `letter.txt`, which is no part of a PostgreSQL folder; name a new or empty folder"
    );
    assert_eq!(folder.path().metadata().unwrap().uid(), owner);
}

#[test]
fn a_half_made_cluster_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    fs::create_dir(folder.path().join("data.new")).unwrap();
    fs::write(folder.path().join("data.new/PG_VERSION"), "15\n").unwrap();
    let postgres = Postgres::builder().folder(folder.path()).start().unwrap();
    assert_eq!(admin(&postgres, "select 1").unwrap(), "1");
}

#[test]
fn a_folder_that_the_server_cannot_enter_is_moved_and_linked() {
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let wanted = closed.path().join("postgres");
    let postgres = Postgres::builder().folder(&wanted).start().unwrap();
    let place = postgres.folder().to_path_buf();
    if !rustix::process::geteuid().is_root() {
        assert_eq!(
            place,
            wanted.canonicalize().unwrap(),
            "only root needs another account for the server"
        );
        return;
    }
    let _removal = Removal(&place);
    assert!(
        place.starts_with("/var/lib/smart-engines"),
        "{}",
        place.display()
    );
    assert_eq!(fs::read_link(&wanted).unwrap(), place);
    admin(&postgres, "create table kept as select 7 as value").unwrap();
    drop(postgres);
    let again = Postgres::builder().folder(&wanted).start().unwrap();
    assert_eq!(again.folder(), place);
    assert_eq!(admin(&again, "select value from kept").unwrap(), "7");
    drop(again);

    // A link to a place that somebody removed is no obstacle.
    fs::remove_file(&wanted).unwrap();
    symlink("/var/lib/smart-engines/gone", &wanted).unwrap();
    let fresh = Postgres::builder().folder(&wanted).start().unwrap();
    let _removal = Removal(fresh.folder());
    assert_ne!(fresh.folder(), place);
}

#[test]
fn a_taken_port_is_reported_with_its_holder() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Postgres::builder().port(port).start().unwrap_err();
    assert!(matches!(error, EngineError::PortInUse { port: found, .. } if found == port));
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("cannot start PostgreSQL on port {port}: ")),
        "{text}"
    );
    assert!(
        text.contains(&format!("(process {}) listens there", std::process::id())),
        "{text}"
    );
}

#[test]
fn a_server_that_does_not_start_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    drop(Postgres::builder().folder(folder.path()).start().unwrap());
    fs::write(
        folder.path().join("data/postgresql.conf"),
        "no_such_setting = 1\n",
    )
    .unwrap();
    let error = Postgres::builder()
        .folder(folder.path())
        .start()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot start PostgreSQL on port "),
        "{error}"
    );
    assert!(
        error.contains("exit status: 1; its last words:\n  "),
        "{error}"
    );
    assert!(
        error.contains("unrecognized configuration parameter \"no_such_setting\""),
        "{error}"
    );
}

#[test]
fn the_shared_cluster_is_one_for_the_whole_process() {
    let both = std::thread::scope(|scope| {
        let threads = [(); 2].map(|()| scope.spawn(|| Postgres::shared().unwrap()));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(both[0], both[1]);
    assert_eq!(
        query(&both[0], both[0].user(), "", "postgres", "select 1").unwrap(),
        "1"
    );
}

/// A client that asks again and again on one connection.
struct Busy {
    psql: std::process::Child,
    answers: std::sync::mpsc::Receiver<()>,
}

impl Busy {
    fn connect(postgres: &Postgres) -> Self {
        let mut psql = Command::new(Postgres::installed().unwrap().join("psql"))
            .args([
                "-XAtqw",
                "-h",
                postgres.host(),
                "-p",
                &postgres.port().to_string(),
            ])
            .args(["-U", postgres.user(), "-d", "postgres"])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = psql.stdout.take().unwrap();
        let (sender, answers) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut line = [0; 2];
            while output.read_exact(&mut line).is_ok() {
                let _ = sender.send(());
            }
        });
        let mut busy = Self { psql, answers };
        busy.ask();
        assert!(busy.is_answered_within(Duration::from_secs(20)));
        busy
    }

    fn ask(&mut self) {
        writeln!(self.psql.stdin.as_mut().unwrap(), "select 1;").unwrap();
    }

    fn is_answered_within(&self, bound: Duration) -> bool {
        self.answers.recv_timeout(bound).is_ok()
    }

    fn expect_closed(&mut self) {
        // psql ends when its connection is broken and its next question fails.
        let _ = writeln!(self.psql.stdin.as_mut().unwrap(), "select 1;");
        drop(self.psql.stdin.take());
        assert!(!self.psql.wait().unwrap().success());
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

/// Removes what a test as root leaves outside its temporary folder.
struct Removal<'a>(&'a Path);

impl Drop for Removal<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0);
    }
}

/// Lets the account of the server pass through a test's folder.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}
