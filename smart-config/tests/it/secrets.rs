//! Placeholders and the sources that fill them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use smart_config::Secret;
use smart_config::secrets::{
    SecretDirectory, SecretFile, SecretName, SecretSource, SecretSourceError,
};

use crate::case::{Case, Settings};

const POSTGRES: &str = "[postgres]\nhost = 'db'\nport = 5432\nuser = ''\npassword = ''\n";

/// A source in memory that remembers what it was asked for.
#[derive(Debug, Clone, Default)]
struct Memory {
    values: BTreeMap<&'static str, &'static str>,
    asked: Arc<Mutex<Vec<Vec<String>>>>,
    broken: bool,
}

impl SecretSource for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn fetch(
        &self,
        wanted: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Secret>, SecretSourceError> {
        self.asked
            .lock()
            .unwrap()
            .push(wanted.iter().map(ToString::to_string).collect());
        if self.broken {
            return Err(SecretSourceError::caused_by(
                "cannot ask the registry",
                std::io::Error::other("refused"),
            ));
        }
        let value = |name: &str| Secret::new((*self.values.get(name).unwrap()).to_owned());
        Ok(self
            .values
            .keys()
            .map(|name| (SecretName::parse(name).unwrap(), value(name)))
            .collect())
    }

    fn known_names(&self) -> Vec<String> {
        self.values.keys().map(|name| (*name).to_owned()).collect()
    }

    fn remedy(&self, name: &SecretName) -> String {
        format!("put `{name}` into memory")
    }
}

#[test]
fn secrets_file_fills_placeholders_by_key_and_by_name() {
    let case = Case::local()
        .file(
            "default.toml",
            format!("{POSTGRES}[app]\napi_key = 'secret:shared/stripe_key'"),
        )
        .file(
            "secrets.toml",
            "[postgres]\nuser = 'me'\npassword = 1234\n[shared]\nstripe_key = 'sk'\n",
        )
        .secret_file();
    let settings = case.load().value;
    let postgres = settings.postgres.unwrap();
    assert_eq!(
        (postgres.user.as_str(), postgres.password.expose().as_str()),
        ("me", "1234")
    );
    assert_eq!(settings.app.api_key.unwrap().expose(), "sk");
}

#[test]
fn one_secret_fills_all_that_ask_for_it() {
    let text = format!(
        "{POSTGRES}[app]\nnote = 'secret:postgres/user'\ntags = ['secret:postgres.user', 'x']"
    );
    for (file, content) in [
        (
            "secrets.toml",
            "postgres = { user = 'me', password = 'pw' }",
        ),
        ("run/postgres.user", "me"),
    ] {
        let case = Case::local()
            .file("default.toml", &text)
            .file(file, content);
        let case = case
            .file("run/postgres.password", "pw")
            .secret_file()
            .secret_directory();
        let settings = case.load().value;
        assert_eq!(settings.postgres.unwrap().user, "me");
        assert_eq!(settings.app.note.as_deref(), Some("me"));
        assert_eq!(settings.app.tags, ["me", "x"]);
    }
}

#[test]
fn directory_fills_placeholders_and_cuts_one_newline() {
    let case = Case::prod()
        .file(
            "default.toml",
            format!("{POSTGRES}[app]\napi_key = 'secret:shared/stripe_key'"),
        )
        .file("run/postgres.user", "me\r\n")
        .file("run/postgres.password", "pass word\n\n")
        .file("run/shared.stripe_key", "sk")
        .secret_directory();
    let settings = case.load().value;
    let postgres = settings.postgres.unwrap();
    assert_eq!(
        (postgres.user.as_str(), postgres.password.expose().as_str()),
        ("me", "pass word\n")
    );
    assert_eq!(settings.app.api_key.unwrap().expose(), "sk");
}

#[test]
fn secrets_become_the_type_that_is_asked_for() {
    let case = Case::prod().file(
        "default.toml",
        "[http]\nport = ''\n[service]\ndrain = 'secret:drain'",
    );
    let case = case
        .file("run/http.port", "81\n")
        .file("run/drain", "3s")
        .secret_directory();
    let settings = case.load().value;
    assert_eq!(
        (settings.http.port, settings.service.drain.as_secs()),
        (81, 3)
    );
}

#[test]
fn kubernetes_mounts_are_followed() {
    let case = Case::prod()
        .file("default.toml", POSTGRES)
        .file("run/..2026_11_21/postgres.user", "me")
        .file("run/..2026_11_21/postgres.password", "pw")
        .secret_directory();
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, case.path("config/run").join(name)).unwrap()
    };
    link("..2026_11_21", "..data");
    link("..data/postgres.user", "postgres.user");
    link("..data/postgres.password", "postgres.password");
    assert_eq!(case.load().value.postgres.unwrap().user, "me");
    assert_eq!(
        SecretDirectory::new(case.path("config/run")).known_names(),
        ["postgres.password", "postgres.user"]
    );
}

#[test]
fn first_source_with_an_answer_wins_and_each_is_asked_once() {
    let case = Case::prod().file(
        "default.toml",
        format!("{POSTGRES}[app]\nnote = 'secret:postgres.user'"),
    );
    let first = Memory {
        values: BTreeMap::from([
            ("postgres.user", "first"),
            ("postgres.password", ""),
            ("unasked", "x"),
        ]),
        ..Memory::default()
    };
    let second = Memory {
        values: BTreeMap::from([("postgres.user", "second"), ("postgres.password", "second")]),
        ..Memory::default()
    };
    let never = Memory::default();
    let loader = case
        .loader()
        .secrets(first.clone())
        .secrets(second.clone())
        .secrets(never.clone());
    let settings = loader.load::<Settings>().unwrap().value;
    let postgres = settings.postgres.unwrap();
    assert_eq!(
        (postgres.user.as_str(), postgres.password.expose().as_str()),
        ("first", "second")
    );
    assert_eq!(settings.app.note.as_deref(), Some("first"));
    assert_eq!(
        *first.asked.lock().unwrap(),
        [["postgres.password", "postgres.user"]]
    );
    assert_eq!(*second.asked.lock().unwrap(), [["postgres.password"]]);
    assert!(never.asked.lock().unwrap().is_empty());
}

#[test]
fn nobody_is_asked_when_nothing_is_wanted_or_when_only_checking() {
    let memory = Memory::default();
    let case = Case::prod();
    case.loader()
        .secrets(memory.clone())
        .load::<Settings>()
        .unwrap();
    let case = case.file("default.toml", POSTGRES);
    case.loader()
        .secrets(memory.clone())
        .check::<Settings>()
        .unwrap();
    let _ = case
        .loader()
        .secrets(memory.clone())
        .section::<crate::case::Postgres>("postgres")
        .unwrap();
    assert!(memory.asked.lock().unwrap().is_empty());
}

#[test]
fn filled_values_are_not_looked_at_again() {
    let case = Case::prod()
        .file("default.toml", "[app]\nnote = ''")
        .file("run/app.note", "secret:postgres.user");
    assert_eq!(
        case.secret_directory().load().value.app.note.as_deref(),
        Some("secret:postgres.user")
    );
}

#[test]
fn variables_fill_placeholders_and_empty_ones_make_them() {
    let case = Case::prod()
        .file("default.toml", POSTGRES)
        .variable("SMART__POSTGRES__USER", "me")
        .variable("SMART__POSTGRES__PASSWORD", "pw");
    assert_eq!(case.load().value.postgres.unwrap().password.expose(), "pw");
    let case = case.set("postgres.user=");
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `prod`: 1 fault
      `postgres.user` is empty  --set postgres.user  a placeholder that nothing fills
          to fill it, set `SMART__POSTGRES__USER`
    "#);
}

#[test]
fn unfilled_placeholders_say_where_was_looked_and_what_to_do() {
    let case = Case::local()
        .file(
            "default.toml",
            format!("top = ''\n{POSTGRES}[app]\napi_key = 'secret:shared/strip_key'\ntags = ['']\n[app.limits]\n\"a/b c\" = ''\nx = 'secret:../etc'"),
        )
        .file("secrets.toml", "[postgres]\nuser = ''\n[shared]\nstripe_key = 'planted'\n")
        .file("run/postgres.pasword", "planted")
        .secret_file()
        .secret_directory();
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `local`: 7 faults
      `top`  config/default.toml:1  unknown key; known here: `http`, `service`, `postgres`, `app`
      `postgres.user` is empty  config/default.toml:5  a placeholder that nothing fills
          looked in config/secrets.toml, where its value is empty
          looked in secrets directory `config/run`
          to fill it, add `user = "..."` under [postgres] in `config/secrets.toml`, or create the file `config/run/postgres.user`, or set `SMART__POSTGRES__USER`
      `postgres.password` is empty  config/default.toml:6  a placeholder that nothing fills
          looked in config/secrets.toml
          looked in secrets directory `config/run`, where the nearest name is `postgres.pasword`
          to fill it, add `password = "..."` under [postgres] in `config/secrets.toml`, or create the file `config/run/postgres.password`, or set `SMART__POSTGRES__PASSWORD`
      `app.api_key` = "secret:shared/strip_key"  config/default.toml:8  a placeholder that nothing fills
          looked in config/secrets.toml, where the nearest name is `shared.stripe_key`
          looked in secrets directory `config/run`
          to fill it, add `strip_key = "..."` under [shared] in `config/secrets.toml`, or create the file `config/run/shared.strip_key`, or set `SMART__APP__API_KEY`
      `app.tags[0]` is empty  config/default.toml:9  a placeholder that nothing fills
          looked in config/secrets.toml
          looked in secrets directory `config/run`
          to fill it, add `0 = "..."` under [app.tags] in `config/secrets.toml`, or create the file `config/run/app.tags.0`
      `app.limits."a/b c"` is empty  config/default.toml:11  its key cannot be the name of a secret
          give the secret a name of its own, for example `"secret:shared/key"`
      `app.limits.x` = "secret:../etc"  config/default.toml:12  `../etc` is no name of a secret; letters, digits, `_` and `-` in parts divided by `.` or `/` are allowed, at most 200 signs
    "#);
}

#[test]
fn unknown_key_without_a_value_is_unknown_only() {
    let case = Case::prod().file("default.toml", "[app]\ncolour = ''\nlevle = 'secret:x'");
    let error = case.error();
    let told: Vec<&str> = error
        .faults()
        .iter()
        .map(|fault| fault.message.as_str())
        .collect();
    assert_eq!(told.len(), 2, "{error}");
    assert!(told[0].starts_with("unknown key; known here:"), "{error}");
    assert_eq!(told[1], "unknown key; did you mean `level`?");
}

#[test]
fn absent_secrets_file_is_named_as_absent() {
    let case = Case::local().file("default.toml", POSTGRES).secret_file();
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `local`: 2 faults
      `postgres.user` is empty  config/default.toml:4  a placeholder that nothing fills
          looked in config/secrets.toml (absent)
          to fill it, add `user = "..."` under [postgres] in `config/secrets.toml`, or set `SMART__POSTGRES__USER`
      `postgres.password` is empty  config/default.toml:5  a placeholder that nothing fills
          looked in config/secrets.toml (absent)
          to fill it, add `password = "..."` under [postgres] in `config/secrets.toml`, or set `SMART__POSTGRES__PASSWORD`
    "#);
}

#[test]
fn source_that_cannot_answer_is_a_fault_beside_what_it_leaves_open() {
    let broken = Memory {
        broken: true,
        ..Memory::default()
    };
    let case = Case::prod()
        .file("default.toml", "[app]\nnote = ''")
        .secret_directory();
    let error = case
        .loader()
        .secrets(broken)
        .load::<Settings>()
        .unwrap_err();
    insta::assert_snapshot!(case.named(&error.to_string()), @r#"
    cannot load configuration for realm `prod`: 3 faults
      `app.note` is empty  config/default.toml:2  a placeholder that nothing fills
          could not look in secrets directory `config/run`
          could not look in memory
          to fill it, create the file `config/run/app.note`, or put `app.note` into memory, or set `SMART__APP__NOTE`
      memory  cannot ask the registry: refused
      secrets directory `config/run`  there is no such directory
    "#);
}

#[test]
fn unusable_secret_files_are_told_without_their_content() {
    let case = Case::prod()
        .file("default.toml", POSTGRES)
        .file("run/postgres.user", b"planted\xff")
        .file("run/postgres.password", "planted".repeat(10_000))
        .secret_directory();
    let report = case.report();
    assert!(!report.contains("planted"));
    insta::assert_snapshot!(report, @r#"
    cannot load configuration for realm `prod`: 3 faults
      `postgres.user` is empty  config/default.toml:4  a placeholder that nothing fills
          could not look in secrets directory `config/run`
          to fill it, create the file `config/run/postgres.user`, or set `SMART__POSTGRES__USER`
      `postgres.password` is empty  config/default.toml:5  a placeholder that nothing fills
          could not look in secrets directory `config/run`
          to fill it, create the file `config/run/postgres.password`, or set `SMART__POSTGRES__PASSWORD`
      secrets directory `config/run`  `postgres.password` is larger than 64 KiB, `postgres.user` is not UTF-8 from this line on
    "#);

    let case = Case::prod()
        .file("default.toml", "[app]\nnote = ''")
        .file("run/app.note/x", "")
        .secret_directory();
    assert!(
        case.report().contains("`app.note` is a folder, not a file"),
        "{}",
        case.report()
    );

    let case = Case::prod()
        .file("default.toml", "[app]\nnote = ''")
        .file("run", "")
        .secret_directory();
    assert!(
        case.report().contains("is no directory"),
        "{}",
        case.report()
    );
}

#[test]
fn unusable_secrets_toml_is_told_without_its_content() {
    for (text, expected) in [
        ("[postgres]\npassword = planted\n", "secrets.toml:2"),
        (
            "[postgres]\npassword = ['planted']\n",
            "`postgres.password` is a list; a secret is text",
        ),
        ("planted", "secrets.toml:1"),
    ] {
        let case = Case::local()
            .file("default.toml", POSTGRES)
            .file("secrets.toml", text)
            .secret_file();
        let report = case.report();
        assert!(
            report.contains(expected) && !report.contains("planted"),
            "{report}"
        );
    }
}

#[test]
fn unreadable_secret_is_a_fault() {
    // A link to itself: unlike a mode of 000, it stops root too.
    let case = Case::prod()
        .file("default.toml", "[app]\nnote = ''")
        .file("run/other", "x")
        .secret_directory();
    let path = case.path("config/run/app.note");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let report = case.report();
    assert!(
        report.contains("`app.note` cannot be read: filesystem loop"),
        "{report}"
    );
}

#[test]
fn check_lists_placeholders_and_finds_the_other_faults() {
    let case = Case::prod()
        .file("default.toml", format!("{POSTGRES}[app]\napi_key = 'secret:shared/stripe_key'\nmaxItems = ''\n[service]\ndrain = ''"))
        .secret_directory();
    let checked = case.check();
    let told: Vec<String> = checked
        .placeholders
        .iter()
        .map(|placeholder| {
            format!(
                "{} <- {} ({})",
                placeholder.key, placeholder.name, placeholder.origin
            )
        })
        .collect();
    insta::assert_snapshot!(case.named(&told.join("\n")), @r#"
    app.api_key <- shared/stripe_key (config/default.toml:7)
    app.maxItems <- app.maxItems (config/default.toml:8)
    postgres.password <- postgres.password (config/default.toml:5)
    postgres.user <- postgres.user (config/default.toml:4)
    service.drain <- service.drain (config/default.toml:10)
    "#);
    let told: Vec<String> = checked
        .entries
        .iter()
        .filter(|entry| entry.value.starts_with('('))
        .map(|entry| format!("{} = {}", entry.key, entry.value))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    app.api_key = (not filled yet)
    app.maxItems = (not filled yet)
    app.note = (not set)
    postgres.password = (not filled yet)
    postgres.user = (not filled yet)
    service.drain = (not filled yet)
    "#);

    let case = case.set("http.port=x");
    let error = case.loader().check::<Settings>().unwrap_err();
    insta::assert_snapshot!(case.named(&error.to_string()), @r#"
    cannot load configuration for realm `prod`: 1 fault
      `http.port` = "x"  --set http.port  expected a whole number from 0 to 65535
    "#);
}

#[test]
fn names_cannot_leave_a_folder() {
    for name in [
        "",
        ".",
        "..",
        "a..b",
        "/a",
        "a/",
        "a//b",
        "a b",
        "a\0b",
        "ä",
        "../x",
        "a/../b",
        &"x".repeat(201),
    ] {
        assert!(SecretName::parse(name).is_err(), "{name:?}");
    }
    let name = SecretName::parse("shared/stripe.live-key_2").unwrap();
    assert_eq!(name.dotted(), "shared.stripe.live-key_2");
    assert_eq!(
        name.parts().collect::<Vec<_>>(),
        ["shared", "stripe", "live-key_2"]
    );
}

#[test]
fn remedies_are_orders() {
    let directory = SecretDirectory::new("/run/secrets");
    let file = SecretFile::new("config/secrets.toml");
    let name = SecretName::parse("shared/stripe_key").unwrap();
    assert_eq!(
        directory.remedy(&name),
        "create the file `/run/secrets/shared.stripe_key`"
    );
    assert_eq!(
        file.remedy(&name),
        "add `stripe_key = \"...\"` under [shared] in `config/secrets.toml`"
    );
    let name = SecretName::parse("token").unwrap();
    assert_eq!(
        file.remedy(&name),
        "add `token = \"...\"` at the top of `config/secrets.toml`"
    );
}
