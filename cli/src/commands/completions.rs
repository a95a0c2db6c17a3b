//! `smart completions`: the script that a shell reads.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Command;
use clap_complete::Shell;

pub(crate) fn run(shell: Shell, command: &mut Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "smart", &mut script);
    match io::stdout().lock().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
