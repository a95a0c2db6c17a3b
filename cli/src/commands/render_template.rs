//! `smart render-template`, hidden: one call of the cargo-generate library, in a process of its own.
//!
//! The library prints to stderr whatever it is told, reads the user's environment and leaves its temporary folder
//! behind when it is killed. In a child all of that can be caught, cleared and placed.

use std::process::ExitCode;

use cargo_generate::{GenerateArgs, TemplatePath, Vcs};

use crate::args::RenderTemplateArgs;

pub(crate) fn run(args: RenderTemplateArgs) -> ExitCode {
    let Some(template) = args.template.to_str() else {
        eprintln!("the path of the template is not UTF-8");
        return ExitCode::FAILURE;
    };
    let result = cargo_generate::generate(GenerateArgs {
        template_path: TemplatePath {
            path: Some(template.to_owned()),
            ..TemplatePath::default()
        },
        name: Some(args.name),
        // Takes the name as it is; it was checked before.
        force: true,
        destination: Some(args.into.clone()),
        define: args.define,
        vcs: Some(Vcs::None),
        silent: true,
        quiet: true,
        lib: false,
        bin: true,
        no_workspace: true,
        no_fmt: true,
        // An empty file: the user's own favourites and values are not ours.
        config: Some("/dev/null".into()),
        ..GenerateArgs::default()
    });
    match result {
        Ok(_) => ExitCode::SUCCESS,
        // The library has printed the error itself.
        Err(_) => ExitCode::FAILURE,
    }
}
