//! The report of everything that is wrong.

use serde::{Deserialize, Serialize};
use smart_config::Secret;
use smart_config::report::FaultKind;

use crate::case::Case;

#[test]
fn all_faults_are_reported_at_once() {
    let case = Case::prod()
        .file(
            "default.toml",
            "[http]\nprot = 8080\nbody_limit = 2048\n\n[app]\nlevel = \"inof\"\ncolour = 1\n\n\
             [postgres]\nhost = \"db\"\nport = 5432\nuser = \"orders\"\npassword = \"\"\n",
        )
        .file(
            "prod.toml",
            "[service]\ndrain = \"10\"\n\n[postgres]\nport = \"5432\"\n",
        )
        .file("run/postgres.pasword", "x")
        .secret_directory()
        .variable("SMART__HTTP__TRACE", "yes")
        .set("app.ratio=half");
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `prod`: 9 faults
      `http.prot`  config/default.toml:2  unknown key; did you mean `port`?
      `http.body_limit` = 2048  config/default.toml:3  expected a size with a unit, such as "2048B", found a whole number
      `app.level` = "inof"  config/default.toml:6  expected `info`, `debug` or `warn`; did you mean `info`?
      `app.colour`  config/default.toml:7  unknown key; known here: `level`, `ratio`, `tags`, `rules`, `limits`, `note`, `maxItems`, `api_key`
      `postgres.password` is empty  config/default.toml:13  a placeholder that nothing fills
          looked in secrets directory `config/run`, where the nearest name is `postgres.pasword`
          to fill it, create the file `config/run/postgres.password`, or set `SMART__POSTGRES__PASSWORD`
      `service.drain` = "10"  config/prod.toml:2  expected a duration with a unit, such as "10s"
      `postgres.port` = "5432"  config/prod.toml:5  expected a whole number from 0 to 65535, found text
          remove the quotes
      `http.trace` = "yes"  SMART__HTTP__TRACE  expected `true` or `false`
      `app.ratio` = "half"  --set app.ratio  expected a number
    "#);
}

#[test]
fn faults_are_a_list_for_programs() {
    let error = Case::prod()
        .file(
            "default.toml",
            "[http]\nprot = 1\nport = true\n[postgres]\nhost = 1",
        )
        .error();
    let kinds: Vec<_> = error
        .faults()
        .iter()
        .map(|fault| (fault.kind, fault.key.as_deref().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            (FaultKind::UnknownKey, "http.prot"),
            (FaultKind::BadValue, "http.port"),
            (FaultKind::BadValue, "postgres.host"),
            (FaultKind::Missing, "postgres.password"),
            (FaultKind::Missing, "postgres.port"),
            (FaultKind::Missing, "postgres.user"),
        ]
    );
    let fault = &error.faults()[1];
    assert_eq!(fault.found.as_deref(), Some("true"));
    assert!(
        fault
            .origin
            .as_deref()
            .unwrap()
            .ends_with("config/default.toml:3")
    );
    assert!(
        fault.to_string().starts_with("`http.port` = true; "),
        "{fault}"
    );
    assert!(std::error::Error::source(&error).is_none());
}

#[test]
fn missing_keys_are_told_where_to_go() {
    let case = Case::local().file("default.toml", "[postgres]\nhost = 'x'");
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `local`: 3 faults
      `postgres.password`  is not set anywhere
          add `password = ""` under [postgres] in `config/default.toml`, for a secret source to fill, or set `SMART__POSTGRES__PASSWORD`
      `postgres.port`  is not set anywhere
          add `port = ...` under [postgres] in `config/default.toml`, or set `SMART__POSTGRES__PORT`
      `postgres.user`  is not set anywhere
          add `user = ...` under [postgres] in `config/default.toml`, or set `SMART__POSTGRES__USER`
    "#);
}

/// Nothing here has a default.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    shop: Shop,
    #[serde(with = "smart_config::duration")]
    wait: std::time::Duration,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, try_from = "RawShop")]
struct Shop {
    min: u8,
    max: u8,
    stock: Odd,
    mode: Mode,
    key: Secret<Odd>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShop {
    min: u8,
    max: u8,
    stock: Odd,
    mode: Mode,
    key: Secret<Odd>,
}

/// A type that none of the usual texts pleases.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(try_from = "String")]
struct Odd(String);

impl zeroize::Zeroize for Odd {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Open { hours: u8 },
    Closed,
}

impl TryFrom<RawShop> for Shop {
    type Error = String;

    fn try_from(raw: RawShop) -> Result<Self, String> {
        if raw.min > raw.max {
            return Err(format!("`min` is above `max` ({} > {})", raw.min, raw.max));
        }
        let RawShop {
            min,
            max,
            stock,
            mode,
            key,
        } = raw;
        Ok(Self {
            min,
            max,
            stock,
            mode,
            key,
        })
    }
}

impl TryFrom<String> for Odd {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix("odd-") {
            Some(_) => Ok(Self(text)),
            None => Err(format!("`{text}` does not start with `odd-`\nreally")),
        }
    }
}

/// The same without types of its own.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    shop: PlainShop,
    #[serde(with = "smart_config::duration")]
    wait: std::time::Duration,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PlainShop {
    min: std::num::NonZeroU8,
    mode: Mode,
    address: std::net::SocketAddr,
    key: Secret,
    names: Vec<String>,
    pair: (u8, bool),
    note: Option<Box<Self>>,
    sign: char,
}

#[test]
fn missing_table_is_told_by_its_keys() {
    insta::assert_snapshot!(Case::local().report_of::<Plain>(), @r#"
    cannot load configuration for realm `local`: 8 faults
      `shop.address`  is not set anywhere
          add `address = ...` under [shop] in `config/default.toml`, or set `SMART__SHOP__ADDRESS`
      `shop.key`  is not set anywhere
          add `key = ""` under [shop] in `config/default.toml`, for a secret source to fill, or set `SMART__SHOP__KEY`
      `shop.min`  is not set anywhere
          add `min = ...` under [shop] in `config/default.toml`, or set `SMART__SHOP__MIN`
      `shop.mode`  is not set anywhere
          add `mode = ...` under [shop] in `config/default.toml`, or set `SMART__SHOP__MODE`
      `shop.names`  is not set anywhere
          add `names = ...` under [shop] in `config/default.toml`, or set `SMART__SHOP__NAMES`
      `shop.pair`  is not set anywhere
          add `pair = ...` under [shop] in `config/default.toml`, or set `SMART__SHOP__PAIR`
      `shop.sign`  is not set anywhere
          add `sign = ...` under [shop] in `config/default.toml`, or set `SMART__SHOP__SIGN`
      `wait`  is not set anywhere
          add `wait = ...` at the top of `config/default.toml`, or set `SMART__WAIT`
    "#);
}

#[test]
fn pair_of_three_is_refused() {
    #[derive(Debug, Deserialize, Serialize)]
    struct Pairs {
        pair: (u8, bool),
    }

    let case = Case::local().file("default.toml", "pair = [1, true, 3]");
    let report = case.report_of::<Pairs>();
    assert!(
        report.contains("`pair`  config/default.toml:1  expected 2 items, not 3"),
        "{report}"
    );
    let case = Case::local().variable("SMART__PAIR", "1, true");
    assert_eq!(case.loader().load::<Pairs>().unwrap().value.pair, (1, true));
    let case = Case::local().variable("SMART__PAIR", "1");
    let report = case.report_of::<Pairs>();
    assert!(report.contains("expected 2 items, not 1"), "{report}");
}

#[test]
fn value_that_nothing_can_stand_in_for_hides_no_other_fault() {
    let case = Case::local().file(
        "default.toml",
        "wait = 3\n[shop]\nmin = 300\nstock = 'even'\nmode = { open = { hours = 'x' } }\nkey = 'hunter2'\nzzz = 1\n",
    );
    let report = case.report_of::<Strict>();
    assert!(!report.contains("hunter2"));
    insta::assert_snapshot!(report, @r#"
    cannot load configuration for realm `local`: 7 faults
      `wait` = 3  config/default.toml:1  expected a duration with a unit, such as "3s", found a whole number
      `shop.min` = 300  config/default.toml:3  expected a whole number from 0 to 255
      `shop.stock` = "even"  config/default.toml:4  `even` does not start with `odd-`\nreally
      `shop.mode.open.hours` = "x"  config/default.toml:5  expected a whole number from 0 to 255, found text
      `shop.key` = ***  config/default.toml:6  its type refuses it; the reason could show the secret
      `shop.zzz`  config/default.toml:7  unknown key; known here: `min`, `max`, `stock`, `mode`, `key`
      `shop.max`  is not set anywhere
          add `max = ...` under [shop] in `config/default.toml`, or set `SMART__SHOP__MAX`
    "#);
}

#[test]
fn what_a_table_says_about_itself_is_reported() {
    let case = Case::local().file(
        "default.toml",
        "wait = '3s'\n[shop]\nmin = 3\nmax = 2\nstock = 'odd-x'\nmode = 'closed'\nkey = 'odd-key'\n",
    );
    insta::assert_snapshot!(case.report_of::<Strict>(), @r#"
    cannot load configuration for realm `local`: 1 fault
      `shop`  config/default.toml:7  `min` is above `max` (3 > 2)
    "#);
    let case = case.set("shop.max=9");
    assert!(case.loader().load::<Strict>().is_ok());
}

#[test]
fn single_values_and_tables_are_not_mistaken_for_each_other() {
    let case = Case::prod()
        .file("default.toml", "http = 'http://user:hunter2@host'\n[app]\ntags = 'a'\nlevel = { a = 1, b = 2 }\nnote = [1]\n[service.drain]\nx = 1")
        .file("prod.toml", "[app.ratio]\nx = 1")
        .variable("SMART__POSTGRES", "postgres://user:hunter2@host")
        .variable("SMART__APP__NOTE__X__Y", "1");
    let report = case.report();
    assert!(!report.contains("hunter2"));
    insta::assert_snapshot!(report, @r#"
    cannot load configuration for realm `prod`: 7 faults
      `http`  config/default.toml:1  expected a table, found text
      `app.tags` = "a"  config/default.toml:3  expected a list, found text
      `app.level`  config/default.toml:4  expected `info`, `debug` or `warn`
      `service.drain`  config/default.toml:7  expected a duration with a unit, such as "20s", found a table
      `app.ratio`  config/prod.toml:2  expected a number, found a table
      `app.note`  SMART__APP__NOTE__X__Y  expected text, found a table
      `postgres`  SMART__POSTGRES  expected a table
    "#);
}

#[test]
fn faults_within_lists_have_their_place() {
    let case = Case::local().file(
        "default.toml",
        "[app]\ntags = ['a',\n  2,\n  'c',\n  []]\n[[app.rules]]\nname = 'a'\nweight = 256\n[[app.rules]]\nweigth = 1\n",
    );
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `local`: 5 faults
      `app.tags[1]` = 2  config/default.toml:3  expected text, found a whole number
      `app.tags[3]`  config/default.toml:5  expected text, found a list
      `app.rules[0].weight` = 256  config/default.toml:8  expected a whole number from 0 to 255
      `app.rules[1].name`  config/default.toml:9  is not set anywhere
          add `name = ...` to `app.rules[1]`
      `app.rules[1].weigth`  config/default.toml:10  unknown key; did you mean `weight`?
    "#);
}

#[test]
fn numbers_out_of_range_are_told_the_range() {
    let case = Case::local()
        .file("default.toml", "[http]\nport = 70000\n[app]\nmaxItems = -1\nratio = 'x'\n[app.limits]\na = 1.5\nb = 99999999999999999999")
        .variable("SMART__APP__LIMITS__C", "99999999999999999999999999999999999999999999");
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `local`: 6 faults
      `http.port` = 70000  config/default.toml:2  expected a whole number from 0 to 65535
      `app.maxItems` = -1  config/default.toml:4  expected a whole number from 0 to 4294967295
      `app.ratio` = "x"  config/default.toml:5  expected a number, found text
      `app.limits.a` = 1.5  config/default.toml:7  expected a whole number from 0 to 4294967295, found a number with a fraction
      `app.limits.b` = 99999999999999999999  config/default.toml:8  expected a whole number from 0 to 4294967295
      `app.limits.c` = "9999999999999999999999999999999999999999"...  SMART__APP__LIMITS__C  expected a whole number from 0 to 4294967295
    "#);
}

#[test]
fn realm_without_a_file_is_probably_mistyped() {
    let case = Case::new("stagin")
        .file("staging.toml", "")
        .file("prod.toml", "")
        .file("secrets.toml", "")
        .file("default.toml", "");
    insta::assert_snapshot!(case.report(), @r#"
    cannot load configuration for realm `stagin`: 1 fault
      config/stagin.toml  there is no such file
          realms with a file there: `prod`, `staging`; did you mean `staging`?
    "#);
    insta::assert_snapshot!(Case::new("eu").report(), @r#"
    cannot load configuration for realm `eu`: 1 fault
      config/eu.toml  there is no such file
          no realm has a file there
    "#);
    Case::new("test").load();
    Case::new("prod").load();
}

#[test]
fn values_of_a_laptop_are_refused_elsewhere() {
    let case = Case::prod()
        .file("default.toml", "[postgres]\nhost = 'db'\nport = 5432\nuser = 'orders'\npassword = ''\n[app]\nnote = ''")
        .file("local.toml", "[postgres]\nhost = 'db'\nuser = 'orders'\npassword = 'laptop'\n[app]\nnote = 'here'")
        .file("run/postgres.password", "laptop\n")
        .file("run/app.note", "here")
        .secret_directory();
    let report = case.report();
    assert!(!report.contains("laptop\""));
    insta::assert_snapshot!(report, @r#"
    cannot load configuration for realm `prod`: 2 faults
      `app.note` = ***  secrets directory `config/run`  has the value of realm `local`, which is fine on a laptop only
          it stands in config/local.toml:6; give realm `prod` a value of its own
      `postgres.password` = ***  secrets directory `config/run`  has the value of realm `local`, which is fine on a laptop only
          it stands in config/local.toml:4; give realm `prod` a value of its own
    "#);
    let case = case
        .file("run/postgres.password", "strong")
        .file("run/app.note", "there");
    assert_eq!(
        case.load().value.postgres.unwrap().password.expose(),
        "strong"
    );
}

#[test]
fn many_faults_are_counted_not_shown() {
    let keys: String = (0..80)
        .map(|number| format!("key{number:02} = 1\n"))
        .collect();
    let case = Case::local().file("default.toml", format!("[http]\n{keys}"));
    let error = case.error();
    assert_eq!(error.faults().len(), 80);
    let report = error.to_string();
    assert_eq!(report.lines().count(), 52);
    assert!(report.ends_with("\n  and 30 more"), "{report}");
}
