//! What the realm `local` of a generated service says about its engines.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use crate::failure::{Failure, reason};

/// The engines that a service in realm `local` connects to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalEngines {
    pub(crate) postgres: Option<PostgresTarget>,
    pub(crate) redis: Option<RedisTarget>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PostgresTarget {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RedisTarget {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) password: Option<String>,
}

impl LocalEngines {
    /// Reads `config/default.toml`, `config/local.toml` and, if it is there, `config/secrets.toml`; later wins.
    pub(crate) fn read(repository: &Path) -> Result<Self, Failure> {
        let mut layers = Vec::new();
        for name in ["default.toml", "local.toml", "secrets.toml"] {
            let shown = format!("config/{name}");
            let text = match fs::read_to_string(repository.join(&shown)) {
                Ok(text) => text,
                Err(error)
                    if error.kind() == std::io::ErrorKind::NotFound && name == "secrets.toml" =>
                {
                    continue;
                }
                Err(error) => {
                    return Err(Failure::not_done(format!(
                        "cannot read `{shown}`: {}",
                        reason(&error)
                    )));
                }
            };
            let table = text.parse::<toml::Table>().map_err(|error| {
                Failure::not_done(format!(
                    "`{shown}` is no TOML: {}",
                    error.to_string().trim_end()
                ))
            })?;
            layers.push((shown, table));
        }
        let postgres = Section {
            name: "postgres",
            layers: &layers,
        };
        let redis = Section {
            name: "redis",
            layers: &layers,
        };
        Ok(Self {
            postgres: postgres.exists().then(|| postgres.target()).transpose()?,
            redis: redis
                .exists()
                .then(|| {
                    Ok(RedisTarget {
                        host: redis.host()?,
                        port: redis.port(6379)?,
                        password: redis.text("password")?,
                    })
                })
                .transpose()?,
        })
    }
}

/// One section over all layers.
struct Section<'a> {
    name: &'static str,
    layers: &'a [(String, toml::Table)],
}

impl Section<'_> {
    fn exists(&self) -> bool {
        self.layers
            .iter()
            .any(|(_, table)| table.contains_key(self.name))
    }

    fn target(&self) -> Result<PostgresTarget, Failure> {
        Ok(PostgresTarget {
            host: self.host()?,
            port: self.port(5432)?,
            user: self.required("user")?,
            password: self.required("password")?,
            database: self.required("database")?,
        })
    }

    /// The value of the last layer that has the key, with the name of its file.
    fn last(&self, key: &str) -> Option<(&str, &toml::Value)> {
        self.layers.iter().rev().find_map(|(file, table)| {
            let value = table.get(self.name)?.as_table()?.get(key)?;
            Some((file.as_str(), value))
        })
    }

    /// An empty text is a placeholder, so it counts as none.
    fn text(&self, key: &str) -> Result<Option<String>, Failure> {
        match self.last(key) {
            None => Ok(None),
            Some((_, toml::Value::String(text))) => Ok((!text.is_empty()).then(|| text.clone())),
            Some((file, value)) => Err(self.wrong(key, file, value, "a text in quotes")),
        }
    }

    fn required(&self, key: &str) -> Result<String, Failure> {
        self.text(key)?.ok_or_else(|| {
            Failure::not_done(format!(
                "`{}.{key}` has no value in realm `local`",
                self.name
            ))
            .hint("write it into `config/local.toml`")
        })
    }

    fn host(&self) -> Result<String, Failure> {
        let host = self.required("host")?;
        let is_loopback = host == "localhost"
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if is_loopback {
            return Ok(host);
        }
        let (file, _) = self
            .last("host")
            .unwrap_or(("config/local.toml", &toml::Value::Boolean(false)));
        Err(Failure::not_done(format!(
            "`{}.host` = \"{host}\" in `{file}` is another machine",
            self.name
        ))
        .hint("a private engine listens on this machine only; write `host = \"127.0.0.1\"`"))
    }

    fn port(&self, default: u16) -> Result<u16, Failure> {
        match self.last("port") {
            None => Ok(default),
            Some((file, value)) => value
                .as_integer()
                .and_then(|port| u16::try_from(port).ok())
                .filter(|port| *port > 0)
                .ok_or_else(|| self.wrong("port", file, value, "a port from 1 to 65535")),
        }
    }

    fn wrong(&self, key: &str, file: &str, value: &toml::Value, expected: &str) -> Failure {
        let shown = if key == "password" {
            String::from("***")
        } else {
            value.to_string()
        };
        Failure::not_done(format!(
            "`{}.{key}` = {shown} in `{file}`: expected {expected}",
            self.name
        ))
    }
}

/// The generated repository around a folder: the nearest one with a manifest of ours.
pub(crate) fn repository_around(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|folder| folder.join(".smart/manifest.toml").is_file())
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(default: &str, local: &str, secrets: Option<&str>) -> Result<LocalEngines, Failure> {
        let repository = tempfile::tempdir().unwrap();
        fs::create_dir(repository.path().join("config")).unwrap();
        let layers = [
            ("default", Some(default)),
            ("local", Some(local)),
            ("secrets", secrets),
        ];
        for (name, text) in layers {
            if let Some(text) = text {
                fs::write(repository.path().join(format!("config/{name}.toml")), text).unwrap();
            }
        }
        LocalEngines::read(repository.path())
    }

    const DEFAULT: &str =
        "[postgres]\nuser = \"orders\"\ndatabase = \"orders\"\n[redis]\nport = 6379\n";

    #[test]
    fn later_layers_win() {
        let local = "[postgres]\nhost = \"127.0.0.1\"\nport = 14642\npassword = \"local\"\n[redis]\nhost = \"localhost\"\nport = 14643\n";
        let engines = read(DEFAULT, local, Some("[redis]\npassword = \"hush\"\n")).unwrap();
        let postgres = engines.postgres.unwrap();
        assert_eq!(
            (
                postgres.port,
                postgres.user.as_str(),
                postgres.password.as_str()
            ),
            (14642, "orders", "local")
        );
        let redis = engines.redis.unwrap();
        assert_eq!(
            (redis.port, redis.password.as_deref()),
            (14643, Some("hush"))
        );
        assert_eq!(read("", "", None).unwrap(), LocalEngines::default());
    }

    #[test]
    fn faults_name_the_key_and_the_file() {
        let fault = |local: &str| read(DEFAULT, local, None).unwrap_err().message;
        assert_eq!(
            fault("[postgres]\nhost = \"127.0.0.1\"\n"),
            "`postgres.password` has no value in realm `local`"
        );
        assert_eq!(
            fault("[postgres]\nhost = \"db.example.org\"\npassword = \"x\"\n"),
            "`postgres.host` = \"db.example.org\" in `config/local.toml` is another machine"
        );
        assert_eq!(
            fault("[postgres]\nhost = \"::1\"\nport = 70000\n"),
            "`postgres.port` = 70000 in `config/local.toml`: expected a port from 1 to 65535"
        );
        assert!(fault("[postgres\n").starts_with("`config/local.toml` is no TOML: "));
    }

    #[test]
    fn repository_is_found_from_below() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("src/items");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(repository_around(&below), None);
        fs::create_dir(root.path().join(".smart")).unwrap();
        fs::write(root.path().join(".smart/manifest.toml"), "").unwrap();
        assert_eq!(repository_around(&below).as_deref(), Some(root.path()));
    }
}
