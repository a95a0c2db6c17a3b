//! Input that nobody writes on purpose, or only with bad intent.

use std::fs;

use smart_config::{Loader, Realm};

use crate::case::{Case, Settings};

#[test]
fn syntax_errors_of_all_files_come_together_with_other_faults() {
    let case = Case::prod()
        .file(
            "default.toml",
            "[http]\nport = 80\nport = 81\n[postgres]\npassword = ''",
        )
        .file("prod.toml", "[http\nport = 1\n")
        .set("app.colour=red");
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `prod`: 3 faults
      config/default.toml:3  duplicate key, at column 1
      config/prod.toml:1  unclosed table, expected `]`, at column 6
      `app.colour`  --set app.colour  unknown key; known here: `level`, `ratio`, `tags`, `rules`, `limits`, `note`, `maxItems`, `api_key`
    "#);
}

#[test]
fn syntax_errors_are_readable() {
    let texts = [
        "a = b",
        "= 1",
        "a",
        "a = ",
        "a = 'x",
        "a = \"x\ny\"",
        "[a",
        "[a]\n[a]",
        "a = 1\na.b = 2",
        "a = 01",
        "a = { b = 1",
        "a = [1, 2",
        "a = \"\\q\"",
        "a = 1 b = 2",
        "\0",
        "a = 1979-99-99",
        "a = 1\rb = 2",
        "a: 1",
    ];
    let told: Vec<String> = texts
        .into_iter()
        .map(|text| {
            let error = Case::local().file("default.toml", text).error();
            let fault = &error.faults()[0];
            let line = fault
                .origin
                .as_deref()
                .and_then(|origin| origin.rsplit(':').next())
                .unwrap()
                .to_owned();
            format!("{text:?} -> {line}: {}", fault.message)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "a = b" -> 1: string values must be quoted, at column 5
    "= 1" -> 1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`, at column 1
    "a" -> 1: key with no value, expected `=`, at column 2
    "a = " -> 1: string values must be quoted, at column 5
    "a = 'x" -> 1: invalid literal string, expected `'`, at column 7
    "a = \"x\ny\"" -> 1: invalid basic string, expected `"`, at column 7
    "[a" -> 1: unclosed table, expected `]`, at column 3
    "[a]\n[a]" -> 2: duplicate key, at column 2
    "a = 1\na.b = 2" -> 2: cannot extend value of type integer with a dotted key, at column 1
    "a = 01" -> 1: unexpected leading zero, at column 5
    "a = { b = 1" -> 1: unclosed inline table, expected `}`, at column 12
    "a = [1, 2" -> 1: unclosed array, expected `]`, at column 10
    "a = \"\\q\"" -> 1: missing escaped value, expected `b`, `e`, `f`, `n`, `r`, `\`, `"`, `x`, `u`, `U`, at column 7
    "a = 1 b = 2" -> 1: unexpected key or value, expected newline, `#`, at column 9
    "\0" -> 1: key with no value, expected `=`, at column 2
    "a = 1979-99-99" -> 1: invalid date, expected month between 01 and 12, at column 5
    "a = 1\rb = 2" -> 1: carriage return must be followed by newline, expected newline, at column 7
    "a: 1" -> 1: key with no value, expected `=`, at column 4
    "#);
}

#[test]
fn files_that_are_no_text_are_told_with_their_line() {
    let case = Case::prod()
        .file("default.toml", b"[http]\nhost = '\xff\xfe'")
        .file("prod.toml/x", "");
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `prod`: 2 faults
      config/default.toml:2  is not UTF-8 from this line on
      config/prod.toml  is a folder, not a file
    "#);
}

#[test]
fn file_of_bounded_size_only_is_read() {
    let comment = "#".repeat(1 << 20);
    Case::local().file("default.toml", &comment).load();
    let report = Case::local()
        .file("default.toml", format!("{comment}#"))
        .report();
    assert!(
        report.contains("config/default.toml  is larger than 1024 KiB"),
        "{report}"
    );
}

#[test]
fn pipe_does_not_block() {
    let case = Case::local();
    std::os::unix::net::UnixListener::bind(case.path("config/default.toml")).unwrap();
    assert!(
        case.report().contains("is no regular file"),
        "{}",
        case.report()
    );
}

#[test]
fn unreadable_file_is_a_fault() {
    // A link to itself: unlike a mode of 000, it stops root too.
    let case = Case::local();
    let path = case.path("config/default.toml");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let report = case.report();
    assert!(
        report.contains("cannot be read: filesystem loop"),
        "{report}"
    );
}

#[test]
fn folder_must_be_one_and_may_be_absent_only_on_a_laptop() {
    let load = |realm: &str, folder: &str| {
        Loader::new(Realm::parse(realm).unwrap(), folder)
            .load::<Settings>()
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(load("local", "no/such/folder"), Ok(()));
    insta::assert_snapshot!(load("prod", "no/such/folder").unwrap_err(), @r#"
    cannot load configuration for realm `prod`: 1 fault
      no/such/folder  there is no such folder
          configuration is read from `./config` unless `SMART_CONFIG_DIR` names another folder
    "#);
    insta::assert_snapshot!(load("local", "Cargo.toml").unwrap_err(), @r#"
    cannot load configuration for realm `local`: 1 fault
      Cargo.toml  is no folder
          configuration is read from `./config` unless `SMART_CONFIG_DIR` names another folder
    "#);
}

#[test]
fn broken_variables_and_assignments_are_told_without_their_value() {
    let case = Case::local()
        .variable("SMART__", "planted")
        .variable("SMART____X", "planted")
        .variable("SMART__HTTP__", "planted")
        .variable("SMART__HTTP__PORT__X", "planted")
        .variable("SMART__HTTP__HOST", "planted")
        .variable("smart__http__host", "planted")
        .set("planted")
        .set("=planted")
        .set("http..port=planted")
        .overridden("", "planted");
    let report = case.report();
    assert!(!report.contains("planted"), "{report}");
    insta::assert_snapshot!(report, @r#"
    cannot load configuration for realm `local`: 9 faults
      SMART__  names no key
          name the key with two underscores between its parts, for example `SMART__HTTP__PORT`
      SMART__HTTP__  names a key with an empty part
          name the key with two underscores between its parts, for example `SMART__HTTP__PORT`
      `http.port`  SMART__HTTP__PORT__X  expected a whole number from 0 to 65535, found a table
      SMART____X  names a key with an empty part
          name the key with two underscores between its parts, for example `SMART__HTTP__PORT`
      `http.host`  smart__http__host  sets the same key as `SMART__HTTP__HOST`; keep one of them
      --set  an assignment has no `=`
          write key and value, for example `--set http.port=8080`
      --set  names no key
          name the key with dots between its parts, for example `http.port`
      `http..port`  --set http..port  names a key with an empty part
          name the key with dots between its parts, for example `http.port`
      test kit  names no key
          name the key with dots between its parts, for example `http.port`
    "#);
}

#[test]
fn deep_keys_are_refused() {
    let long = ["A"; 5_000].join("__");
    let report = Case::local()
        .variable(&format!("SMART__{long}"), "1")
        .report();
    assert!(
        report.contains("names a key of more than 32 parts"),
        "{}",
        &report[report.len() - 200..]
    );
    let text = format!("a = {}{}", "[".repeat(60), "]".repeat(60));
    let report = Case::local().file("default.toml", text).report();
    assert!(report.contains("nest deeper than 32 levels"), "{report}");
    let text = format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    Case::local().file("default.toml", text).error();
    Case::local()
        .file("default.toml", format!("{} = 1", ["a"; 50_000].join(".")))
        .error();
}

#[test]
fn terminals_are_safe_from_keys_and_values() {
    let report = Case::local()
        .file(
            "default.toml",
            "[http]\nport = \"\\u001b[31m\\u202e\\nx\"\n\"a\\nb\" = 1\n\"quo'te\" = 2",
        )
        .variable("SMART__\u{1b}[2J", "1")
        .set("\u{7}=1")
        .report();
    assert!(
        report
            .chars()
            .all(|sign| sign == '\n' || !sign.is_control()),
        "{report:?}"
    );
    assert!(!report.contains('\u{202e}'));
    insta::assert_snapshot!(report, @r#"
    cannot load configuration for realm `local`: 5 faults
      `http.port` = "\u{1b}[31m\u{202e}\nx"  config/default.toml:2  expected a whole number from 0 to 65535, found text
      `http."a\nb"`  config/default.toml:3  unknown key; known here: `host`, `port`, `body_limit`, `trace`
      `http."quo'te"`  config/default.toml:4  unknown key; known here: `host`, `port`, `body_limit`, `trace`
      `"\u{1b}[2j"`  SMART__\u{1b}[2J  unknown key; known here: `http`, `service`, `postgres`, `app`
      `"\u{7}"`  --set \u{7}  unknown key; known here: `http`, `service`, `postgres`, `app`
    "#);
}

#[test]
fn root_keys_that_look_like_paths_are_refused() {
    let report = Case::local()
        .file(
            "default.toml",
            "\"http.port\" = 1\n\"http[0]\" = 2\n\" http\" = 3\n\"\" = 4\n[http]\nport = 3",
        )
        .report();
    insta::assert_snapshot!(report, @r#"
    cannot load configuration for realm `local`: 4 faults
      `http.port`  config/default.toml:1  a key at the top of a file may have letters, digits, `_` and `-` only
      `http[0]`  config/default.toml:2  a key at the top of a file may have letters, digits, `_` and `-` only
      ` http`  config/default.toml:3  a key at the top of a file may have letters, digits, `_` and `-` only
      ``  config/default.toml:4  a key at the top of a file may have letters, digits, `_` and `-` only
    "#);
}

#[test]
fn long_values_are_cut() {
    let long = "x".repeat(5_000);
    let report = Case::local().set(&format!("http.port={long}")).report();
    assert!(report.lines().all(|line| line.len() < 200), "{report}");
}

#[test]
fn random_bytes_never_panic() {
    const PIECES: [&str; 24] = [
        "[", "]", "[[", "]]", "http", "port", ".", " = ", "\n", "\"", "'", "''", "1", "true", "{",
        "}", ",", "#", "secret:x", "app", "rules", "\r\n", "\u{feff}", "\"\"\"",
    ];
    let mut seed = 7_u64;
    let case = Case::local().secret_directory();
    for _ in 0..1_500 {
        let mut text = String::new();
        for _ in 0..(seed % 40) {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[usize::try_from(seed >> 40).unwrap() % PIECES.len()]);
        }
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(99);
        fs::write(case.path("config/default.toml"), &text).unwrap();
        let _ = case
            .loader()
            .load::<Settings>()
            .map_err(|error| error.to_string());
        let _ = case
            .loader()
            .check::<Settings>()
            .map_err(|error| error.to_string());
    }
}

#[test]
fn file_full_of_nonsense_is_told_in_bounded_time() {
    let lines = |line: &str| {
        (0..20_000)
            .map(|number| line.replace('#', &number.to_string()))
            .collect::<String>()
    };
    let told = |line: &str| {
        Case::local()
            .file("default.toml", lines(line))
            .error()
            .faults()
            .len()
    };
    assert_eq!(told("key# = 1\n"), 500);
    assert_eq!(told("[[app.rules]]\n"), 250);
    assert!(told("key# = ''\n") >= 20_000);
}
