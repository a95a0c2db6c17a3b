//! Facts about a private Redis.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use local_engines::{EngineError, Redis};

/// Sends commands, one a line, on a new connection and returns all answers, or what had come when time was up.
fn ask(redis: &Redis, commands: &str) -> String {
    ask_within(redis, commands, Duration::from_secs(20))
}

fn ask_within(redis: &Redis, commands: &str, bound: Duration) -> String {
    let Ok(mut stream) = TcpStream::connect((redis.host(), redis.port())) else {
        return "refused".into();
    };
    stream.set_read_timeout(Some(bound)).unwrap();
    stream
        .write_all(format!("{commands}\r\nQUIT\r\n").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap().replace("\r\n", " ");
    answer
        .strip_suffix("+OK ")
        .unwrap_or(&answer)
        .trim()
        .to_string()
}

#[test]
fn a_temporary_redis_answers_and_leaves_nothing_behind() {
    let redis = Redis::start().unwrap();
    assert_eq!(redis.password(), None);
    assert_eq!(ask(&redis, "SET a 1\r\nGET a"), "+OK $1 1");
    let folder = redis.folder().to_path_buf();
    let port = redis.port();
    drop(redis);
    assert!(!folder.exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_password_is_asked_for() {
    let redis = Redis::builder()
        .password("it's \"a\" \\ pass")
        .start()
        .unwrap();
    assert!(ask(&redis, "PING").starts_with("-NOAUTH"));
    assert!(ask(&redis, "AUTH wrong").starts_with("-WRONGPASS"));
    assert_eq!(
        ask(&redis, "AUTH \"it's \\\"a\\\" \\\\ pass\"\r\nPING"),
        "+OK +PONG"
    );
    assert!(!format!("{redis:?}").contains("pass\""));
}

#[test]
fn faults_come_and_go_on_the_same_port() {
    let mut redis = Redis::start().unwrap();
    let port = redis.port();
    redis.stop();
    assert_eq!(ask(&redis, "PING"), "refused");
    assert!(!redis.is_running());
    redis.restart().unwrap();
    assert_eq!(ask(&redis, "PING"), "+PONG");
    redis.kill();
    assert_eq!(ask(&redis, "PING"), "refused");
    redis.restart().unwrap();
    redis.pause();
    assert_eq!(ask_within(&redis, "PING", Duration::from_millis(200)), "");
    redis.resume();
    assert_eq!(ask(&redis, "PING"), "+PONG");
    assert_eq!(redis.port(), port);
}

#[test]
fn a_folder_keeps_data_even_when_the_server_is_killed_and_admits_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = folder.path().join("a b \"c\"");
    let mut redis = Redis::builder().folder(&wanted).start().unwrap();
    assert_eq!(ask(&redis, "SET kept 7"), "+OK");
    let second = Redis::builder().folder(&wanted).start().unwrap_err();
    let EngineError::AlreadyRunning {
        running: Some((_, port)),
        ..
    } = second
    else {
        panic!("{second}")
    };
    assert_eq!(port, redis.port());
    redis.kill();
    drop(redis);
    let redis = Redis::builder().folder(&wanted).start().unwrap();
    assert_eq!(ask(&redis, "GET kept"), "$1 7");
}

#[test]
fn a_taken_port_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Redis::builder().port(port).start().unwrap_err();
    assert!(
        matches!(error, EngineError::PortInUse { port: found, .. } if found == port),
        "{error}"
    );
}

#[test]
fn a_server_that_does_not_start_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("data/appendonlydir")).unwrap();
    let manifest = folder
        .path()
        .join("data/appendonlydir/appendonly.aof.manifest");
    fs::write(manifest, "nonsense\n").unwrap();
    let error = Redis::builder()
        .folder(folder.path())
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("cannot start Redis on port "), "{error}");
    assert!(
        error.contains("exit status: 1; its last words:\n"),
        "{error}"
    );
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Redis::builder()
        .folder(file.path().join("redis"))
        .start()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot create `{}`", file.path().display())
    );
}
