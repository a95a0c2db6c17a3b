//! The command line that every service has.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use smart_config::secrets::{SecretDirectory, SecretFile};
use smart_config::{Loader, Realm};

use crate::program::RealmLoader;
use crate::{About, StartError, settings};

/// A command line that was understood.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) command: Command,
    assignments: Vec<String>,
    realm: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Command {
    Serve,
    Healthcheck(HealthcheckOptions),
    Config { check: bool },
    Migrate,
}

#[derive(Debug)]
pub(crate) struct HealthcheckOptions {
    /// How long to try again while it is not green.
    pub(crate) wait: Duration,
    pub(crate) json: bool,
}

/// Help, version, or a complaint: printed, and the process is done.
#[derive(Debug)]
pub(crate) struct Answer(clap::Error);

impl Answer {
    pub(crate) fn print(self) -> ExitCode {
        // Nothing can be done about a closed terminal.
        let _ = self.0.print();
        ExitCode::from(if self.0.use_stderr() { 2 } else { 0 })
    }
}

pub(crate) fn parse(about: &About, arguments: Vec<OsString>) -> Result<Invocation, Answer> {
    let matches = command(about)
        .try_get_matches_from(arguments)
        .map_err(Answer)?;
    let command = match matches.subcommand() {
        Some(("healthcheck", options)) => Command::Healthcheck(HealthcheckOptions {
            wait: options.get_one("wait").copied().unwrap_or_default(),
            json: options.get_flag("json"),
        }),
        Some(("config", options)) => Command::Config {
            check: options.subcommand_name() == Some("check"),
        },
        Some(("migrate", _)) => Command::Migrate,
        _ => Command::Serve,
    };
    let innermost = innermost(&matches);
    Ok(Invocation {
        command,
        assignments: innermost
            .get_many("set")
            .map(|values| values.cloned().collect())
            .unwrap_or_default(),
        realm: innermost.get_one("realm").cloned(),
    })
}

impl Invocation {
    /// The layers this process reads its configuration from, and its secret sources.
    pub(crate) fn loader(&self) -> Result<RealmLoader, StartError> {
        let realm = match (&self.realm, variable("SMART_REALM")) {
            (Some(given), _) => Realm::parse(given),
            (None, Some(set)) => Realm::parse(&set),
            (None, None) => Ok(Realm::local()),
        }
        .map_err(|error| StartError::from(error).configuration())?;
        let folder =
            variable("SMART_CONFIG_DIR").map_or_else(|| PathBuf::from("config"), PathBuf::from);
        if !folder.is_dir() {
            return Err(StartError::new(format!(
                "there is no configuration folder {}",
                folder.display()
            ))
            .hint("run from the service's folder, or name it in SMART_CONFIG_DIR")
            .configuration());
        }

        let mut loader = Loader::new(realm.clone(), &folder)
            .defaults(settings::built_in(&realm), "built-in default")
            .variables(std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }))
            .assignments(self.assignments.clone());
        // What a machine mounts comes first: it is more deliberate than a file left in a checkout.
        let directory = variable("SMART_SECRETS_DIR").or_else(|| variable("CREDENTIALS_DIRECTORY"));
        let has_secret_source = directory.is_some() || realm.is_local();
        if let Some(directory) = directory {
            loader = loader.secrets(SecretDirectory::new(directory));
        }
        if realm.is_local() {
            loader = loader.secrets(SecretFile::new(folder.join("secrets.toml")));
        }
        Ok(RealmLoader {
            realm,
            has_secret_source,
            inner: loader,
        })
    }
}

fn command(about: &About) -> clap::Command {
    let version = match about.template_version {
        Some(template) => format!("{} ({}, template {template})", about.version, about.commit),
        None => format!("{} ({})", about.version, about.commit),
    };
    clap::Command::new(about.name)
        .version(version)
        .disable_help_subcommand(true)
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .global(true)
                .help("Overrides a setting, for example --set http.port=8080; may be repeated"),
        )
        .arg(
            Arg::new("realm")
                .long("realm")
                .value_name("REALM")
                .global(true)
                .help("Realm to run in, instead of SMART_REALM: local, test, prod or your own"),
        )
        .subcommand(
            clap::Command::new("serve").about("Serves until SIGTERM or Ctrl-C (the default)"),
        )
        .subcommand(
            clap::Command::new("healthcheck")
                .about(
                    "Asks the running service for its health: exit code 0 when green, 1 when not",
                )
                .arg(
                    Arg::new("wait")
                        .long("wait")
                        .value_name("DURATION")
                        .value_parser(|text: &str| humantime::parse_duration(text))
                        .help("Asks again for this long while it is not green, for example 30s"),
                )
                .arg(
                    Arg::new("json")
                        .long("json")
                        .action(ArgAction::SetTrue)
                        .help("Prints the health document as it is"),
                ),
        )
        .subcommand(
            clap::Command::new("config")
                .about("Shows every setting, its value and where it comes from; secrets as ***")
                .subcommand(clap::Command::new("check").about(
                    "Checks the files of a realm, without its secrets and without a network",
                )),
        )
        .subcommand(
            clap::Command::new("migrate").about("Applies the migrations that the database lacks"),
        )
}

/// Global arguments are copied down to the subcommand that was used last.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    match matches.subcommand() {
        Some((_, inner)) => innermost(inner),
        None => matches,
    }
}

/// A control variable. Set and not Unicode counts as set: what reads it will complain.
fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_well_formed() {
        command(&crate::about!()).debug_assert();
    }

    #[test]
    fn no_command_means_serve() {
        let parsed = parse(&crate::about!(), vec!["orders".into()]).unwrap();
        assert!(matches!(parsed.command, Command::Serve));
    }

    #[test]
    fn global_arguments_stand_anywhere() {
        for line in [
            "orders --set a=1 --realm prod config check",
            "orders config check --set a=1 --realm prod",
        ] {
            let parsed =
                parse(&crate::about!(), line.split(' ').map(Into::into).collect()).unwrap();
            assert!(
                matches!(parsed.command, Command::Config { check: true }),
                "{line}"
            );
            assert_eq!(
                (parsed.assignments, parsed.realm),
                (vec!["a=1".to_owned()], Some("prod".to_owned())),
                "{line}"
            );
        }
    }
}
