//! The booted service: started, asked for its health, stopped.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{PATIENCE, logged::Tail, needs_a_file};
use crate::{
    cargo,
    commands::generate_service::{
        plan::{Plan, Ports},
        steps::{Red, StepFault},
    },
    interrupt::Interrupt,
    process::{self, Group, describe},
    units,
};

pub(super) struct Running {
    group: Group,
    binary: PathBuf,
    folder: PathBuf,
    log: PathBuf,
    ports: Ports,
    variables: Vec<(&'static str, String)>,
    ready_after: Duration,
    /// Holds the database file of this run; the service's own place for it stays empty.
    _data: TempDir,
}

impl Running {
    /// Starts the service in realm `local` and waits until it accepts connections.
    pub(super) fn boot(
        plan: &Plan,
        binary: &Path,
        log: PathBuf,
        mut variables: Vec<(&'static str, String)>,
        interrupt: &Interrupt,
    ) -> Result<Self, StepFault> {
        let ports =
            available(plan.ports).map_err(|error| Red::new(format!("no port is free: {error}")))?;
        let data = tempfile::tempdir()
            .map_err(|error| Red::new(format!("cannot make a temporary folder: {error}")))?;
        variables.push(("SMART_REALM", String::from("local")));
        variables.push(("SMART__HTTP__PORT", ports.main.to_string()));
        variables.push(("SMART__ADMIN__PORT", ports.admin.to_string()));
        if needs_a_file(plan) {
            variables.push((
                "SMART__SQLITE__PATH",
                data.path().join("proof.db").display().to_string(),
            ));
        }

        let output = File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (stdout, stderr) = output
            .map_err(|error| Red::new(format!("cannot write `{}`: {error}", log.display())))?;
        let mut command = Command::new(binary);
        cargo::clean_environment(&mut command);
        command
            .current_dir(&plan.folder)
            .envs(variables.iter().cloned())
            .stdout(stdout)
            .stderr(stderr);
        let started = Instant::now();
        let group = Group::start(&mut command)
            .map_err(|error| Red::new(format!("cannot start the service: {error}")))?;
        let mut running = Self {
            group,
            binary: binary.to_owned(),
            folder: plan.folder.clone(),
            log,
            ports,
            variables,
            ready_after: Duration::ZERO,
            _data: data,
        };
        running.wait_for_listener(started, interrupt)?;
        Ok(running)
    }

    pub(super) fn port(&self) -> u16 {
        self.ports.main
    }

    pub(super) fn detail(&self, plan: &Plan) -> String {
        let address = format!(
            "answers on port {} after {} ms",
            self.ports.main,
            self.ready_after.as_millis()
        );
        if self.ports.main == plan.ports.main {
            address
        } else {
            format!("{address}; {} is taken", plan.ports.main)
        }
    }

    /// Asks the service's own `healthcheck` command, which waits until it is green or says why not.
    pub(super) fn health(
        &mut self,
        interrupt: &Interrupt,
    ) -> Result<(serde_json::Value, String), StepFault> {
        let wait = format!("{}s", PATIENCE.as_secs());
        let mut command = Command::new(&self.binary);
        cargo::clean_environment(&mut command);
        command
            .current_dir(&self.folder)
            .envs(self.variables.iter().cloned())
            .args(["healthcheck", "--json", "--wait", &wait]);
        let captured = process::capture(&mut command, interrupt)
            .map_err(|error| StepFault::of_child(error, "healthcheck"))?;
        let body: serde_json::Value =
            serde_json::from_str(&captured.stdout.join("\n")).unwrap_or_default();
        let checks = body["results"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if captured.success() && !checks.is_empty() {
            return Ok((
                body.clone(),
                format!(
                    "{}, {} passed",
                    body["status"].as_str().unwrap_or("?"),
                    units::count(checks.len(), "check")
                ),
            ));
        }
        let failing: Vec<String> = checks
            .iter()
            .filter(|check| check["passed"] != true)
            .map(|check| {
                format!(
                    "{}: {}",
                    check["checker"].as_str().unwrap_or("?"),
                    check["output"].as_str().unwrap_or("?")
                )
            })
            .collect();
        let message = match failing.as_slice() {
            [] => String::from("the service did not become healthy"),
            failing => format!("the service is not healthy: {}", failing.join("; ")),
        };
        let mut red = self.red(message);
        red.output.extend(captured.stderr);
        Err(red.into())
    }

    /// Asks the service to stop, as an orchestrator would, and expects exit code 0.
    pub(super) fn stop(mut self) -> Result<((), String), StepFault> {
        let started = Instant::now();
        match self.group.terminate(PATIENCE) {
            Ok(Some(status)) if status.success() => {
                let took = started.elapsed().as_millis();
                Ok(((), format!("exit code 0, {took} ms after SIGTERM")))
            }
            Ok(Some(status)) => Err(self
                .red(format!(
                    "the service ended with {} after SIGTERM",
                    describe(status)
                ))
                .into()),
            Ok(None) => Err(self
                .red(format!(
                    "the service still runs {} s after SIGTERM",
                    PATIENCE.as_secs()
                ))
                .into()),
            Err(error) => Err(self
                .red(format!("cannot wait for the service: {error}"))
                .into()),
        }
    }

    fn wait_for_listener(
        &mut self,
        started: Instant,
        interrupt: &Interrupt,
    ) -> Result<(), StepFault> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.main));
        loop {
            if interrupt.requested() {
                return Err(StepFault::Interrupted);
            }
            // First, because somebody else may answer where our service could not listen.
            match self.group.has_ended() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    return Err(self
                        .red(format!("the service ended with {}", describe(status)))
                        .into());
                }
                Err(error) => {
                    return Err(self
                        .red(format!("cannot watch the service: {error}"))
                        .into());
                }
            }
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                self.ready_after = started.elapsed();
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                let message = format!(
                    "the service does not listen on port {} after {} s",
                    self.ports.main,
                    PATIENCE.as_secs()
                );
                return Err(self.red(message).into());
            }
            thread::sleep(POLL);
        }
    }

    fn red(&self, message: String) -> Red {
        let mut tail = Tail::default();
        for line in fs::read_to_string(&self.log).unwrap_or_default().lines() {
            tail.push(line);
        }
        Red {
            message,
            hint: None,
            output: tail.lines(),
            log: Some(
                self.log
                    .strip_prefix(&self.folder)
                    .unwrap_or(&self.log)
                    .to_owned(),
            ),
        }
    }
}

const POLL: Duration = Duration::from_millis(5);

/// The service's own ports, or two others when somebody listens there.
fn available(wanted: Ports) -> io::Result<Ports> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    if bind(wanted.main).is_ok() && bind(wanted.admin).is_ok() {
        return Ok(wanted);
    }
    // Both are held until both are known, so that they differ.
    let (main, admin) = (bind(0)?, bind(0)?);
    Ok(Ports {
        main: main.local_addr()?.port(),
        admin: admin.local_addr()?.port(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_port_is_replaced() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let found = available(Ports {
            main: port,
            admin: port,
        })
        .unwrap();
        assert!(found.main != port && found.admin != found.main);
    }
}
