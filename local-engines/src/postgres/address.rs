//! [`PostgresAddress`]: where and as whom to connect, in this process or handed to another.

use std::{
    env,
    io::Write as _,
    net::{TcpStream, ToSocketAddrs as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    EngineError, binaries::Search, engine::last_lines, password::Password,
    process::quiet_environment,
};

/// Where and as whom to connect to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresAddress {
    host: String,
    port: u16,
    user: String,
    password: Option<Password>,
}

impl PostgresAddress {
    /// The environment variable by which one cluster serves the tests of many processes.
    pub const VARIABLE: &str = "SMART_TEST_POSTGRES";

    pub(super) fn new(host: &str, port: u16, user: String, password: Option<Password>) -> Self {
        Self {
            host: host.into(),
            port,
            user,
            password,
        }
    }

    /// The host name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A role with superuser rights.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, if one is needed.
    pub fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.0.as_str())
    }

    /// The value of [`PostgresAddress::VARIABLE`] that makes [`Postgres::shared`](crate::Postgres::shared) in a child
    /// process use this cluster: host, port, user and password, with spaces between.
    pub fn handover(&self) -> String {
        let Self {
            host, port, user, ..
        } = self;
        let password = self
            .password()
            .map(|password| format!(" {password}"))
            .unwrap_or_default();
        format!("{host} {port} {user}{password}")
    }

    /// Creates a role that logs in by password and a database that belongs to it.
    ///
    /// What exists already is kept: a role only gets the password, a database is left as it is.
    ///
    /// # Errors
    ///
    /// `psql` is not installed, cannot connect, or is refused.
    pub fn create_database(
        &self,
        name: &str,
        owner: &str,
        password: &str,
    ) -> Result<(), EngineError> {
        let (name, owner, password) = (literal(name), literal(owner), literal(password));
        let statements = format!(
            "select format('create role %I login', {owner})\n\
             where not exists (select from pg_roles where rolname = {owner}) \\gexec\n\
             select format('alter role %I password %L', {owner}, {password}) \\gexec\n\
             select format('create database %I owner %I', {name}, {owner})\n\
             where not exists (select from pg_database where datname = {name}) \\gexec\n"
        );
        self.execute(
            &statements,
            &format!("create the database {name} for {owner}"),
        )
    }

    /// The cluster that [`PostgresAddress::VARIABLE`] names, when it is set and somebody answers there.
    pub(super) fn from_environment() -> Result<Option<Self>, EngineError> {
        let value = env::var_os(Self::VARIABLE).filter(|value| !value.is_empty());
        value
            .map(|value| Self::handed_over(&value.to_string_lossy()))
            .transpose()
    }

    fn handed_over(value: &str) -> Result<Self, EngineError> {
        let address = Self::parse(value).ok_or_else(|| {
            let form =
                "expected host, port, user and, where needed, password, with one space between";
            handover_error(form.into())
        })?;
        address.check_listening()?;
        Ok(address)
    }

    /// Finds data that were made with another superuser or password, which the server itself would never mention.
    pub(super) fn check_login(&self, folder: &Path) -> Result<(), EngineError> {
        let checked = self.execute(
            "select 1;",
            &format!("log in to PostgreSQL as `{}`", self.user),
        );
        checked.map_err(|error| match error {
            EngineError::Failed { act, outcome, log } => {
                let hint = "were perhaps made with another superuser or password; use those, or remove the folder";
                let outcome = format!("{outcome} (the data in `{}` {hint})", folder.display());
                EngineError::Failed { act, outcome, log }
            }
            other => other,
        })
    }

    fn parse(value: &str) -> Option<Self> {
        let mut parts = value.splitn(4, ' ').map(String::from);
        let (host, port, user) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let complete = !host.is_empty() && !user.is_empty();
        complete.then(|| Self {
            host,
            port,
            user,
            password: parts.next().map(Password),
        })
    }

    fn check_listening(&self) -> Result<(), EngineError> {
        let Self { host, port, .. } = self;
        let fault = |error| handover_error(format!("nobody answers on {host}:{port}: {error}"));
        let mut found = (host.as_str(), *port).to_socket_addrs().map_err(fault)?;
        let address = found
            .next()
            .ok_or_else(|| handover_error(format!("`{host}` has no address")))?;
        TcpStream::connect_timeout(&address, CONNECT_BOUND)
            .map_err(fault)
            .map(drop)
    }

    /// Runs statements through `psql`. They go through its input, because arguments can be read by everybody.
    fn execute(&self, statements: &str, act: &str) -> Result<(), EngineError> {
        let program = Search::here().postgres()?.join("psql");
        let mut psql = self.psql(&program);
        let mut run = || {
            let mut child = psql.spawn()?;
            let mut input = child.stdin.take().expect("`psql` asks for this pipe");
            // A refused psql closes its input early; its exit code and words tell why.
            let _ = input.write_all(statements.as_bytes());
            drop(input);
            child.wait_with_output()
        };
        let output = run().map_err(|source| EngineError::Run { program, source })?;
        if output.status.success() {
            return Ok(());
        }
        Err(EngineError::Failed {
            act: act.into(),
            outcome: format!("psql: {}", output.status),
            log: last_lines(&String::from_utf8_lossy(&output.stderr)),
        })
    }

    fn psql(&self, program: &Path) -> Command {
        let mut psql = Command::new(program);
        quiet_environment(&mut psql);
        psql.args(["--no-psqlrc", "--no-password", "--quiet", "--tuples-only"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--dbname", "postgres"]);
        psql.args(["--host", &self.host, "--port", &self.port.to_string()]);
        psql.args(["--username", &self.user]);
        psql.env("PGCONNECT_TIMEOUT", CONNECT_BOUND.as_secs().to_string());
        if let Some(password) = self.password() {
            psql.env("PGPASSWORD", password);
        }
        psql.stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        psql.current_dir("/");
        psql
    }
}

/// A text in SQL. With `standard_conforming_strings`, the default, a quote is all that needs care.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn handover_error(fault: String) -> EngineError {
    EngineError::Handover {
        variable: PostgresAddress::VARIABLE,
        fault,
    }
}

const CONNECT_BOUND: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handed_over_address_comes_back_the_same() {
        for password in [None, Some(Password("a b'c".into()))] {
            let address = PostgresAddress::new("127.0.0.1", 5432, "postgres".into(), password);
            assert_eq!(PostgresAddress::parse(&address.handover()), Some(address));
        }
    }

    #[test]
    fn a_malformed_handover_is_refused() {
        for value in [
            "",
            "127.0.0.1",
            "127.0.0.1 5432",
            "127.0.0.1 no postgres",
            " 5432 postgres",
            "h 5432 ",
        ] {
            assert_eq!(PostgresAddress::parse(value), None, "{value}");
        }
    }

    #[test]
    fn a_handed_over_address_where_nobody_answers_is_named_without_its_password() {
        let port = crate::port::free();
        let error = PostgresAddress::handed_over(&format!("127.0.0.1 {port} postgres hunter2"));
        let expected = format!(
            "cannot use the PostgreSQL named by `SMART_TEST_POSTGRES`: nobody answers on 127.0.0.1:{port}: \
             Connection refused (os error 111); unset it to start a private one"
        );
        assert_eq!(error.unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_password_is_not_shown() {
        let address = PostgresAddress::new(
            "127.0.0.1",
            5432,
            "postgres".into(),
            Some(Password("hunter2".into())),
        );
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}
