//! `smart` generates, proves and runs services.

use std::{env, process::ExitCode};

use clap::{CommandFactory, Parser};

use crate::{
    args::{Args, Command, RENDER_TEMPLATE, RenderTemplateArgs},
    output::Printer,
};

mod args;
mod cargo;
mod commands;
mod engine_fault;
mod failure;
mod interrupt;
mod local_config;
mod output;
mod process;
mod units;

fn main() -> ExitCode {
    if env::args_os()
        .nth(1)
        .is_some_and(|command| command == RENDER_TEMPLATE)
    {
        return commands::render_template::run(RenderTemplateArgs::parse_from(
            env::args_os().skip(1),
        ));
    }
    match Args::parse().command {
        Command::GenerateService(args) => commands::generate_service::run(&args),
        Command::Engines => commands::engines::run(Printer::for_people()),
        Command::Completions { shell } => commands::completions::run(shell, &mut Args::command()),
    }
}
