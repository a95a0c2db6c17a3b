//! One situation of a loader: files in a folder of their own, and everything else in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use smart_config::report::Checked;
use smart_config::secrets::{SecretDirectory, SecretFile};
use smart_config::{LoadError, Loaded, Loader, Realm, Secret};
use tempfile::TempDir;

/// A configuration like that of a service.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(default)]
    pub(crate) http: Http,
    #[serde(default)]
    pub(crate) service: Drain,
    pub(crate) postgres: Option<Postgres>,
    #[serde(default)]
    pub(crate) app: App,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) host: String,
    pub(crate) port: u16,
    #[serde(with = "smart_config::size")]
    pub(crate) body_limit: usize,
    pub(crate) trace: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Drain {
    #[serde(with = "smart_config::duration")]
    pub(crate) drain: Duration,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Postgres {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Secret,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct App {
    pub(crate) level: Level,
    pub(crate) ratio: f64,
    pub(crate) tags: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) limits: BTreeMap<String, u32>,
    pub(crate) note: Option<String>,
    #[serde(rename = "maxItems")]
    pub(crate) max_items: u32,
    pub(crate) api_key: Option<Secret>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) weight: u8,
}

#[derive(Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    #[default]
    Info,
    Debug,
    Warn,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 20_000,
            body_limit: 2 << 20,
            trace: false,
        }
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            drain: Duration::from_secs(20),
        }
    }
}

pub(crate) struct Case {
    folder: TempDir,
    realm: Realm,
    defaults: Option<&'static str>,
    variables: Vec<(String, String)>,
    assignments: Vec<String>,
    overrides: Vec<(String, String)>,
    secret_file: bool,
    secret_directory: bool,
}

impl Case {
    pub(crate) fn new(realm: &str) -> Self {
        let case = Self {
            folder: TempDir::new().unwrap(),
            realm: Realm::parse(realm).unwrap(),
            defaults: None,
            variables: Vec::new(),
            assignments: Vec::new(),
            overrides: Vec::new(),
            secret_file: false,
            secret_directory: false,
        };
        fs::create_dir(case.path("config")).unwrap();
        case
    }

    pub(crate) fn local() -> Self {
        Self::new("local")
    }

    pub(crate) fn prod() -> Self {
        Self::new("prod")
    }

    /// Where a file of the case lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path("config").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn defaults(mut self, text: &'static str) -> Self {
        self.defaults = Some(text);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn set(mut self, item: &str) -> Self {
        self.assignments.push(item.to_owned());
        self
    }

    pub(crate) fn overridden(mut self, key: &str, value: &str) -> Self {
        self.overrides.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Asks `config/secrets.toml`.
    pub(crate) fn secret_file(mut self) -> Self {
        self.secret_file = true;
        self
    }

    /// Asks the folder `config/run`, where [`Case::file`] puts secrets as `run/NAME`.
    pub(crate) fn secret_directory(mut self) -> Self {
        self.secret_directory = true;
        self
    }

    pub(crate) fn loader(&self) -> Loader {
        let mut loader = Loader::new(self.realm.clone(), self.path("config"))
            .variables(self.variables.clone())
            .assignments(self.assignments.clone())
            .overrides(self.overrides.clone(), "test kit");
        if let Some(text) = self.defaults {
            loader = loader.defaults(text, "built in");
        }
        if self.secret_file {
            loader = loader.secrets(SecretFile::new(self.path("config/secrets.toml")));
        }
        if self.secret_directory {
            loader = loader.secrets(SecretDirectory::new(self.path("config/run")));
        }
        loader
    }

    #[track_caller]
    pub(crate) fn load(&self) -> Loaded<Settings> {
        match self.loader().load() {
            Ok(loaded) => loaded,
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    pub(crate) fn check(&self) -> Checked {
        match self.loader().check::<Settings>() {
            Ok(checked) => checked,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn error(&self) -> LoadError {
        self.error_of::<Settings>()
    }

    #[track_caller]
    pub(crate) fn error_of<T: DeserializeOwned + Serialize>(&self) -> LoadError {
        match self.loader().load::<T>() {
            Ok(_) => panic!("the configuration has no fault"),
            Err(error) => error,
        }
    }

    /// The report, with `config` for the path of the folder.
    #[track_caller]
    pub(crate) fn report(&self) -> String {
        self.named(&self.error().to_string())
    }

    #[track_caller]
    pub(crate) fn report_of<T: DeserializeOwned + Serialize>(&self) -> String {
        self.named(&self.error_of::<T>().to_string())
    }

    /// What `orders config` would print.
    #[track_caller]
    pub(crate) fn explained(&self) -> String {
        let lines: Vec<String> = self
            .load()
            .entries()
            .iter()
            .map(|entry| format!("{} = {}  ({})", entry.key, entry.value, entry.origin))
            .collect();
        self.named(&lines.join("\n"))
    }

    /// The text with `config` for the path of the folder. The length of that path moves the columns, so they are
    /// pushed together.
    #[track_caller]
    pub(crate) fn named(&self, text: &str) -> String {
        assert!(
            text.lines().all(|line| line.trim_end() == line),
            "spaces at the end:\n{text}"
        );
        let text = text.replace(&format!("{}/", self.folder.path().display()), "");
        let pushed = |line: &str| {
            let start = line.len() - line.trim_start().len();
            let cells = line[start..].split("  ").map(str::trim);
            let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
            format!("{}{}", &line[..start], cells.join("  "))
        };
        text.lines().map(pushed).collect::<Vec<_>>().join("\n")
    }
}
