//! `smart` generates, proves and runs services.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{
    args::{Args, Command},
    output::Printer,
};

mod args;
mod cargo;
mod commands;
mod failure;
mod interrupt;
mod local_config;
mod output;
mod process;
mod units;

fn main() -> ExitCode {
    let args = Args::parse();
    match args.command {
        Command::GenerateService(args) => commands::generate_service::run(&args),
        Command::Engines => commands::engines::run(Printer::for_people()),
        Command::Completions { shell } => commands::completions::run(shell, &mut Args::command()),
        Command::RenderTemplate(args) => commands::render_template::run(args),
    }
}
