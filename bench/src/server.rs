//! A server under measurement: started as a deployed one would be, asked over loopback, killed when done.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::guard::{Guard, Process};

/// A running server that answered.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    process: Process<'a>,
    address: SocketAddr,
    start: Duration,
}

impl<'a> Server<'a> {
    /// Starts a [`command`] on a free loopback port, and waits until `path` answers 200.
    pub(crate) fn start(
        guard: &'a Guard,
        command: &mut Command,
        path: &str,
    ) -> anyhow::Result<Self> {
        let address = free_address()?;
        command
            .env("SMART__HTTP__HOST", address.ip().to_string())
            .env("SMART__HTTP__PORT", address.port().to_string())
            .env("SMART__ADMIN__HOST", address.ip().to_string())
            .env("SMART__ADMIN__PORT", "0");
        let began = Instant::now();
        let mut process = guard.spawn(command)?;
        while !answers(address, path) {
            if process.has_ended()? || began.elapsed() > PATIENCE {
                bail!("{command:?} did not answer {path} with 200 within {PATIENCE:?}");
            }
            std::thread::sleep(POLL);
        }
        Ok(Self {
            process,
            address,
            start: began.elapsed(),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// From the start of the process to the end of the status line of the first 200.
    pub(crate) fn time_to_first_answer(&self) -> Duration {
        self.start
    }
}

/// A command with nothing of the caller's environment: JSON lines to nowhere, as in production, and no wait for load
/// balancers when it is told to stop.
pub(crate) fn command(binary: &Path, folder: &Path, variables: &[(&str, String)]) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(folder)
        .env_clear()
        .env("SMART_REALM", "test")
        .env("SMART__SERVICE__UNREADY_WAIT", "0s")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

const POLL: Duration = Duration::from_micros(200);
const PATIENCE: Duration = Duration::from_secs(20);

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?)
}

fn answers(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
