//! Which layer wins, and how text becomes a value.

use smart_config::Loader;

use crate::case::{Case, Http, Level, Postgres, Settings};

#[test]
fn later_layers_win() {
    let case = Case::prod().defaults("[http]\nport = 1\nhost = 'a'\ntrace = true");
    assert_eq!(case.load().value.http.port, 1);
    let case = case.file("default.toml", "[http]\nport = 2");
    assert_eq!(case.load().value.http.port, 2);
    let case = case
        .file("prod.toml", "[http]\nport = 3")
        .file("local.toml", "[http]\nport = 99");
    assert_eq!(case.load().value.http.port, 3);
    let case = case.variable("SMART__HTTP__PORT", "4");
    assert_eq!(case.load().value.http.port, 4);
    let case = case.set("http.port=5").set("http.port=6");
    assert_eq!(case.load().value.http.port, 6);
    let case = case.overridden("http.port", "7");
    let http = case.load().value.http;
    assert_eq!((http.port, http.host.as_str(), http.trace), (7, "a", true));
}

#[test]
fn no_file_at_all_leaves_the_defaults() {
    let settings = Case::local().load().value;
    assert_eq!(
        (settings.http.port, settings.http.body_limit),
        (20_000, 2 << 20)
    );
    assert!(settings.postgres.is_none());
}

#[test]
fn text_from_outside_becomes_what_the_type_asks_for() {
    let settings = Case::local()
        .variable("SMART__HTTP__PORT", " 8080 ")
        .variable("SMART__HTTP__TRACE", "true")
        .variable("SMART__HTTP__HOST", "80")
        .variable("SMART__HTTP__BODY_LIMIT", "64KiB")
        .variable("SMART__SERVICE__DRAIN", "1m 30s")
        .variable("SMART__APP__RATIO", "0.5")
        .variable("SMART__APP__LEVEL", "debug")
        .variable("SMART__APP__TAGS", "a, b,c")
        .variable("SMART__APP__LIMITS__READ", "7")
        .set("app.note=x=y, z")
        .load()
        .value;
    assert_eq!(
        (
            settings.http.port,
            settings.http.trace,
            settings.http.host.as_str()
        ),
        (8080, true, "80")
    );
    assert_eq!(
        (settings.http.body_limit, settings.service.drain.as_secs()),
        (64 << 10, 90)
    );
    assert_eq!(
        (settings.app.ratio, settings.app.level),
        (0.5, Level::Debug)
    );
    assert_eq!(settings.app.tags, ["a", "b", "c"]);
    assert_eq!(settings.app.limits["read"], 7);
    assert_eq!(settings.app.note.as_deref(), Some("x=y, z"));
}

#[test]
fn variables_find_keys_with_capitals_and_dashes() {
    let settings = Case::local()
        .file(
            "default.toml",
            "[app]\nmaxItems = 1\n[app.limits]\nper-user = 1",
        )
        .variable("smart__app__maxitems", "2")
        .variable("SMART__APP__LIMITS__PER_USER", "3")
        .load()
        .value;
    assert_eq!(settings.app.max_items, 2);
    assert_eq!(
        settings.app.limits.into_iter().collect::<Vec<_>>(),
        [("per-user".to_owned(), 3)]
    );
}

#[test]
fn other_variables_are_not_looked_at() {
    let case = Case::local();
    let case = [
        "SMART_REALM",
        "SMART_CONFIG_DIR",
        "SMARTER",
        "HTTP__PORT",
        "SMART_HTTP__PORT",
        "ÄÖÜ__X",
        "",
    ]
    .into_iter()
    .fold(case, |case, name| case.variable(name, "x"));
    assert_eq!(case.load().value.http.port, 20_000);
}

#[test]
fn every_way_to_write_a_table_is_the_same() {
    for text in [
        "[http]\nport = 80",
        "http.port = 80",
        "http = { port = 80 }",
        "'http'.\"port\" = 0x50",
        "http = { port = 8_0, }\r\n",
        "\u{feff}[http]\r\nport = 80 # the port\r\n",
    ] {
        assert_eq!(
            Case::local()
                .file("default.toml", text)
                .load()
                .value
                .http
                .port,
            80,
            "{text}"
        );
    }
}

#[test]
fn arrays_of_tables_are_replaced_as_a_whole() {
    let settings = Case::prod()
        .file(
            "default.toml",
            "[[app.rules]]\nname = 'a'\nweight = 1\n[[app.rules]]\nname = 'b'\nweight = 2",
        )
        .file("prod.toml", "[[app.rules]]\nname = 'c'\nweight = 3")
        .load()
        .value;
    assert_eq!(settings.app.rules.len(), 1);
    assert_eq!(
        (
            settings.app.rules[0].name.as_str(),
            settings.app.rules[0].weight
        ),
        ("c", 3)
    );
}

#[test]
fn dates_are_text() {
    let settings = Case::local()
        .file("default.toml", "[app]\nnote = 1979-05-27T07:32:00Z")
        .load()
        .value;
    assert_eq!(settings.app.note.as_deref(), Some("1979-05-27T07:32:00Z"));
}

#[test]
fn quoted_keys_below_the_top_may_have_dots() {
    let settings = Case::local()
        .file("default.toml", "[app.limits]\n\"api.example.com\" = 3")
        .load()
        .value;
    assert_eq!(settings.app.limits["api.example.com"], 3);
}

#[test]
fn section_reads_its_own_table_only() {
    let case = Case::prod().file(
        "default.toml",
        "nonsense = 1\n[http]\nport = 81\n[postgres]\npassword = ''",
    );
    assert_eq!(case.loader().section::<Http>("http").unwrap().port, 81);
    let case = Case::prod()
        .file("local.toml", "postgres.password = 'laptop'")
        .file("prod.toml", "postgres.password = 'laptop'");
    assert_eq!(case.loader().section::<Http>("http").unwrap().port, 20_000);
}

#[test]
fn section_tells_its_faults_with_their_keys() {
    let case = Case::local().file(
        "default.toml",
        "[postgres]\nhots = 'x'\nport = 'y'\nuser = ''\npassword = ''",
    );
    let error = case.loader().section::<Postgres>("postgres").unwrap_err();
    insta::assert_snapshot!(case.named(&error.to_string()), @r#"
    cannot load configuration for realm `local`: 2 faults
      `postgres.hots`  config/default.toml:2  unknown key; did you mean `host`?
      `postgres.port` = "y"  config/default.toml:3  expected a whole number from 0 to 65535, found text
    "#);
}

#[test]
fn sections_of_all_layers_are_known() {
    let case = Case::prod()
        .file("default.toml", "redis = 1\n[postgres]")
        .file("local.toml", "[sqlite]")
        .variable("SMART__SENTRY__DSN", "x");
    let known = |name| case.loader().has_section(name);
    assert!(known("postgres") && known("sentry"));
    assert!(!known("redis") && !known("sqlite") && !known(""));
    let loader: Loader = case.loader();
    assert!(loader.has_section("postgres") && loader.load::<Settings>().is_err());
}
