//! Sets up what the tests need, runs them, and checks the shape of the workspace.

mod cargo;
mod check;
mod layers;
mod setup;
mod sizes;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What this workspace asks of a machine and of itself.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Makes sure PostgreSQL and Redis are installed
    Setup,
    /// Runs all tests against one private PostgreSQL cluster
    Test {
        /// What to hand on to `cargo test`, such as `-p healthcheck` or `-- --nocapture`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Checks format, lints, features, documentation, layers and sizes
    Check,
    /// Checks which crate uses which against the table in ARCHITECTURE.md
    Layers,
    /// Checks sizes and names of source files
    Sizes,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Setup => setup::run().map(|()| ExitCode::SUCCESS),
        Task::Test { arguments } => test::run(&arguments),
        Task::Check => check::run().map(|()| ExitCode::SUCCESS),
        Task::Layers => layers::run().map(|()| ExitCode::SUCCESS),
        Task::Sizes => sizes::run().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Arguments::command().debug_assert();
    }
}
