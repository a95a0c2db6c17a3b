//! What will be done, decided and checked before anything is written.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;

use super::{framework::Framework, name::ServiceName};
use crate::{
    args::GenerateServiceArgs,
    cargo,
    failure::{Failure, reason},
    output::{Printer, Style},
};

/// The template is released with the framework and this binary, all under one version.
pub(crate) const TEMPLATE_VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    #[serde(serialize_with = "as_text")]
    pub(crate) service: ServiceName,
    pub(crate) folder: PathBuf,
    #[serde(skip)]
    pub(crate) parent: PathBuf,
    /// The name in Rust code.
    #[serde(rename = "crate")]
    pub(crate) crate_name: String,
    pub(crate) ports: Ports,
    pub(crate) parts: Parts,
    pub(crate) framework: Framework,
    pub(crate) builds_on_this_machine_only: bool,
    pub(crate) template_version: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Ports {
    pub(crate) main: u16,
    pub(crate) admin: u16,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Parts {
    pub(crate) database: Option<Database>,
    pub(crate) redis: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Plan {
    /// Checks everything that can be known without writing.
    pub(crate) fn make(args: &GenerateServiceArgs) -> Result<Self, Failure> {
        let service = ServiceName::parse(&args.name)?;
        let parts = Parts::parse(&args.with)?;
        let ports = match &args.port {
            Some(port) => Ports::parse(port)?,
            None => Ports::from(service.port()),
        };
        let framework = match &args.framework {
            Some(source) => Framework::parse(source)?,
            None => Framework::default_source()?,
        };
        let parent = checked_parent(&args.into)?;
        let folder = parent.join(service.as_str());
        refuse_existing(&folder)?;
        if !args.no_verify && !args.dry_run {
            require_toolchain()?;
        }
        Ok(Self {
            crate_name: service.crate_name(),
            builds_on_this_machine_only: framework.is_on_this_machine_only(),
            template_version: TEMPLATE_VERSION,
            service,
            folder,
            parent,
            ports,
            parts,
            framework,
        })
    }

    pub(crate) fn print(&self, printer: &mut Printer) {
        printer.line(printer.paint(Style::Bold, "plan"));
        let mut row = |label: &str, value: &str| {
            let label = printer.paint(Style::Dim, &format!("{label:<10}"));
            printer.line(format!("  {label}  {value}"));
        };
        row("service", self.service.as_str());
        row("folder", &self.folder.display().to_string());
        row(
            "package",
            &format!("{}, in Rust code `{}`", self.service, self.crate_name),
        );
        row(
            "ports",
            &format!("{} main, {} admin", self.ports.main, self.ports.admin),
        );
        row("parts", &self.parts.in_words());
        row("framework", &self.framework.to_string());
        if self.builds_on_this_machine_only {
            row(
                "",
                "builds on this machine only; `--framework git=URL#REV` changes that",
            );
        }
        printer.blank();
    }
}

impl Ports {
    fn parse(port: &str) -> Result<Self, Failure> {
        match port.parse::<u16>() {
            // Below 1024 only root may listen; above 65534 there is no port left for the admin listener.
            Ok(port @ 1024..=65534) => Ok(Self::from(port)),
            _ => Err(
                Failure::bad_input(format!("`--port {port}` cannot be the main port"))
                    .hint("choose one from 1024 to 65534; the admin port is the next one"),
            ),
        }
    }
}

impl From<u16> for Ports {
    fn from(main: u16) -> Self {
        Self {
            main,
            admin: main + 1,
        }
    }
}

impl Parts {
    fn parse(with: &[String]) -> Result<Self, Failure> {
        let mut parts = Self {
            database: None,
            redis: false,
        };
        for (index, part) in with.iter().map(|part| part.trim()).enumerate() {
            if with[..index].iter().any(|earlier| earlier.trim() == part) {
                return Err(
                    Failure::bad_input(format!("`--with` names `{part}` twice")).hint(PARTS_HINT)
                );
            }
            let database = match part {
                "redis" => {
                    parts.redis = true;
                    continue;
                }
                "sqlite" => Database::Sqlite,
                "postgres" => Database::Postgres,
                _ => return Err(unknown_part(part)),
            };
            if parts.database.replace(database).is_some() {
                return Err(
                    Failure::bad_input("`--with` names both `sqlite` and `postgres`")
                        .hint("a service has one database; choose one of them"),
                );
            }
        }
        Ok(parts)
    }

    /// How the template calls the database.
    pub(crate) fn database_name(self) -> &'static str {
        match self.database {
            None => "none",
            Some(Database::Sqlite) => "sqlite",
            Some(Database::Postgres) => "postgres",
        }
    }

    /// Whether the service needs servers beside itself.
    pub(crate) fn needs_engines(self) -> bool {
        self.redis || self.database == Some(Database::Postgres)
    }

    fn in_words(self) -> String {
        match (self.database, self.redis) {
            (None, false) => String::from("none; the sample resource is kept in memory"),
            (None, true) => String::from("redis"),
            (Some(_), false) => self.database_name().to_owned(),
            (Some(_), true) => format!("{}, redis", self.database_name()),
        }
    }
}

const PARTS_HINT: &str = "parts are `sqlite` or `postgres`, and `redis`: `--with postgres,redis`";

fn unknown_part(part: &str) -> Failure {
    let meant = match part.to_ascii_lowercase().as_str() {
        "postgresql" | "pg" | "psql" => Some("postgres"),
        "sqlite3" => Some("sqlite"),
        "valkey" => Some("redis"),
        lower => ["sqlite", "postgres", "redis"]
            .into_iter()
            .find(|known| *known == lower),
    };
    let failure = if part.is_empty() {
        Failure::bad_input("`--with` has an empty part")
    } else {
        Failure::bad_input(format!("`--with {part}`: there is no such part"))
    };
    match meant {
        Some(meant) => failure.hint(format!("did you mean `{meant}`? {PARTS_HINT}")),
        None => failure.hint(PARTS_HINT),
    }
}

fn checked_parent(into: &Path) -> Result<PathBuf, Failure> {
    let shown = into.display();
    let parent = into.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Failure::bad_input(format!("the folder `{shown}` does not exist"))
                .hint("make it first, or name another one with `--into PARENT`")
        }
        io::ErrorKind::NotADirectory => not_a_folder(into),
        _ => Failure::bad_input(format!(
            "cannot use the folder `{shown}`: {}",
            reason(&error)
        ))
        .hint("name another one with `--into PARENT`"),
    })?;
    if !parent.is_dir() {
        return Err(not_a_folder(into));
    }
    if parent.to_str().is_none() {
        return Err(
            Failure::bad_input(format!("the path of `{shown}` is not UTF-8"))
                .hint("cargo needs UTF-8 paths; name another folder with `--into PARENT`"),
        );
    }
    rustix::fs::access(
        &parent,
        rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
    )
    .map_err(|error| unwritable(&parent, &io::Error::from(error)))?;
    Ok(parent)
}

pub(crate) fn unwritable(parent: &Path, error: &io::Error) -> Failure {
    Failure::bad_input(format!(
        "cannot write in `{}`: {}",
        parent.display(),
        reason(error)
    ))
    .hint("name a folder that you may write in: `--into PARENT`")
}

fn not_a_folder(path: &Path) -> Failure {
    Failure::bad_input(format!("`{}` is not a folder", path.display()))
        .hint("`--into` names the folder in which the service's own folder is made")
}

pub(crate) fn refuse_existing(folder: &Path) -> Result<(), Failure> {
    // Not `exists`, which takes a link to nowhere for nothing.
    let Ok(found) = fs::symlink_metadata(folder) else {
        return Ok(());
    };
    let what = if found.is_dir() {
        "folder"
    } else if found.is_symlink() {
        "symbolic link"
    } else {
        "file"
    };
    Err(Failure::bad_input(format!("the {what} `{}` exists already", folder.display()))
        .hint("choose another name, or another place with `--into PARENT`; nothing is ever overwritten"))
}

fn require_toolchain() -> Result<(), Failure> {
    const RUST: &str = "install Rust with rustup, https://rustup.rs";
    for (program, hint) in [
        ("cargo", RUST),
        ("rustfmt", "install it: `rustup component add rustfmt`"),
    ] {
        let problem = if cargo::find_program(program).is_none() {
            "is not on the path"
        } else if !answers(program) {
            // rustup puts both on the path even when the toolchain lacks them.
            "does not run"
        } else {
            continue;
        };
        return Err(
            Failure::bad_input(format!("`{program}` {problem}, and the proof needs it")).hint(
                format!("{hint}; `--no-verify` writes the service without a proof"),
            ),
        );
    }
    Ok(())
}

fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    cargo::clean_environment(&mut command);
    command
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn as_text<S: serde::Serializer>(name: &ServiceName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(with: &[&str]) -> Result<Parts, Failure> {
        Parts::parse(
            &with
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn parts_are_one_database_and_redis() {
        assert_eq!(parts(&[]).unwrap().database_name(), "none");
        assert_eq!(
            parts(&["redis", "postgres"]).unwrap().in_words(),
            "postgres, redis"
        );
        assert!(parts(&["sqlite"]).is_ok_and(|parts| !parts.needs_engines()));
        let message = |with: &[&str]| parts(with).unwrap_err().message;
        assert!(message(&["sqlite", "postgres"]).contains("both"));
        assert!(message(&["redis", "redis"]).contains("twice"));
        assert!(message(&["mysql"]).contains("no such part"));
        assert!(message(&[""]).contains("empty part"));
        assert!(
            parts(&["PostgreSQL"])
                .unwrap_err()
                .hint
                .unwrap()
                .contains("did you mean `postgres`")
        );
    }

    #[test]
    fn port_leaves_room_for_the_admin_port() {
        assert_eq!(Ports::parse("65534").unwrap().admin, 65535);
        for port in ["65535", "1023", "0", "-1", "http", "", "99999"] {
            assert!(Ports::parse(port).is_err(), "{port}");
        }
    }
}
