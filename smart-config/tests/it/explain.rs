//! Where every value came from.

use serde::{Deserialize, Serialize};

use crate::case::Case;

#[test]
fn every_key_is_told_with_its_origin() {
    let case = Case::prod()
        .defaults("[http]\ntrace = true")
        .file("default.toml", "[http]\nport = 81\n\n[postgres]\nhost = 'db'\nport = 5432\nuser = ''\npassword = ''\n[app]\ntags = ['a', 'b']\n[[app.rules]]\nname = 'r'\nweight = 1\n")
        .file("prod.toml", "[app]\nratio = 0.5\napi_key = 'secret:shared/key'\n")
        .file("run/postgres.user", "filled")
        .file("run/postgres.password", "filled too")
        .file("run/shared.key", "filled three")
        .secret_directory()
        .variable("SMART__SERVICE__DRAIN", "90s")
        .set("http.host=0.0.0.0")
        .overridden("app.level", "warn");
    insta::assert_snapshot!(case.explained(), @r#"
    app.api_key = ***  (secrets directory `config/run`, `shared/key`)
    app.level = "warn"  (test kit)
    app.maxItems = 0  (default)
    app.note = (not set)  (default)
    app.ratio = 0.5  (config/prod.toml:2)
    app.rules[0].name = "r"  (config/default.toml:12)
    app.rules[0].weight = 1  (config/default.toml:13)
    app.tags = ["a", "b"]  (config/default.toml:10)
    http.body_limit = "2MiB"  (default)
    http.host = "0.0.0.0"  (--set http.host)
    http.port = 81  (config/default.toml:2)
    http.trace = true  (built in)
    postgres.host = "db"  (config/default.toml:5)
    postgres.password = ***  (secrets directory `config/run`)
    postgres.port = 5432  (config/default.toml:6)
    postgres.user = ***  (secrets directory `config/run`)
    service.drain = "1m 30s"  (SMART__SERVICE__DRAIN)
    "#);
}

#[test]
fn secret_values_are_those_a_log_must_not_have() {
    let case = Case::local()
        .file("default.toml", "[postgres]\nhost = 'db'\nport = 1\nuser = ''\npassword = 'in the source code'\n[app]\napi_key = ''")
        .file("run/postgres.user", "filled")
        .secret_directory()
        .variable("SMART__APP__API_KEY", "from a variable");
    let values: Vec<String> = case
        .load()
        .secret_values()
        .iter()
        .map(|value| value.expose().clone())
        .collect();
    assert_eq!(values, ["filled", "from a variable"]);
}

#[test]
fn entries_of_lists_and_missing_values_read_well() {
    let case = Case::local().variable("SMART__APP__TAGS", "a,b");
    let loaded = case.load();
    let entry = |key: &str| {
        loaded
            .entries()
            .iter()
            .find(|entry| entry.key == key)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (
            entry("app.tags").value.as_str(),
            entry("app.tags").origin.as_str()
        ),
        ("[\"a\", \"b\"]", "SMART__APP__TAGS")
    );
    assert_eq!(
        (
            entry("postgres").value.as_str(),
            entry("postgres").origin.as_str()
        ),
        ("(not set)", "default")
    );
    assert_eq!(entry("service.drain").value, "\"20s\"");
    assert!(loaded.entries().is_sorted_by_key(|entry| &entry.key));
    assert!(!format!("{loaded:?}").is_empty());
}

#[test]
fn secret_is_hidden_even_when_written_under_another_name() {
    #[derive(Debug, Deserialize, Serialize)]
    struct Renamed {
        #[serde(rename(serialize = "b"))]
        a: String,
        #[serde(rename(serialize = "url"), deserialize_with = "address")]
        d: String,
    }

    fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        String::deserialize(deserializer).map(|password| format!("db://user:{password}@host"))
    }

    let case = Case::prod()
        .file("default.toml", "a = ''\nd = ''")
        .file("run/a", "planted")
        .file("run/d", "planted long")
        .secret_directory();
    let loaded = case.loader().load::<Renamed>().unwrap();
    assert!(loaded.value.d.contains("planted"));
    assert!(
        !format!("{:?}", loaded.entries()).contains("planted"),
        "{:?}",
        loaded.entries()
    );
}
