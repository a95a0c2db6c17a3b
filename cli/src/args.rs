//! The command line: what may be written, and the help text.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

/// Generates, proves and runs services.
#[derive(Debug, Parser)]
#[command(name = "smart", version = VERSION, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a new service and prove that it works
    #[command(long_about = GENERATE_SERVICE_HELP, after_long_help = EXIT_CODES)]
    GenerateService(GenerateServiceArgs),

    /// Run the PostgreSQL and Redis of a service, until Ctrl-C
    #[command(long_about = ENGINES_HELP)]
    Engines,

    /// Print the completion script of a shell
    #[command(long_about = COMPLETIONS_HELP)]
    Completions {
        /// The shell that will read the script
        shell: Shell,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct GenerateServiceArgs {
    /// Name of the service: lower case letters, digits and single dashes, such as `orders`
    pub(crate) name: String,

    /// Parts of the service, separated by commas: `sqlite` or `postgres`, and `redis`
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    pub(crate) with: Vec<String>,

    /// Folder in which the folder of the service is made
    #[arg(long, value_name = "PARENT", default_value = ".")]
    pub(crate) into: PathBuf,

    /// Main port; the admin port is the next one [default: derived from the name]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) port: Option<String>,

    /// Where the service takes the framework from: `path=DIR` or `git=URL#REV`
    /// [default: where `smart` was built from]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) framework: Option<String>,

    /// Write the service only; do not build, test or boot it
    #[arg(long)]
    pub(crate) no_verify: bool,

    /// Show the plan and the files with their sizes; write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print one JSON document to stdout; everything for people goes to stderr
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of [`RENDER_TEMPLATE`], which people never type: it stands in no help and no completion.
#[derive(Debug, Parser)]
pub(crate) struct RenderTemplateArgs {
    #[arg(long)]
    pub(crate) template: PathBuf,
    #[arg(long)]
    pub(crate) into: PathBuf,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long)]
    pub(crate) define: Vec<String>,
}

/// The command by which this binary calls itself.
pub(crate) const RENDER_TEMPLATE: &str = "render-template";

/// Version and commit, as `--version` prints them.
pub(crate) const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("SMART_SHOWN_COMMIT"),
    ")"
);

const GENERATE_SERVICE_HELP: &str = "\
Write a new service and prove that it builds, passes its tests, boots and is healthy

The service is a repository of its own, in a new folder with its name. It has one sample resource, kept in \
the chosen database, or in memory without one. The plan is shown first, then one line for each step, then the receipt.

Examples:
  smart generate-service orders
  smart generate-service orders --with postgres,redis --into ~/services
  smart generate-service orders --with sqlite --dry-run";

const EXIT_CODES: &str = "\
Exit codes:
  0  written and proved (or only written, or only planned, when asked so)
  1  did not succeed; a service whose proof is red stays where it was written
  2  wrong use or bad input; nothing was written";

const ENGINES_HELP: &str = "\
Run the PostgreSQL and Redis that `config/local.toml` points at, until Ctrl-C

Run it inside a generated service. The engines are private to it: their data lie under `.smart/data/`, \
they listen on loopback only, and the role and the database of the service are made when they are missing.";

const COMPLETIONS_HELP: &str = "\
Print the completion script of a shell

For bash: smart completions bash > ~/.local/share/bash-completion/completions/smart";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_is_sound() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
