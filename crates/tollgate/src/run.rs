//! From arguments to exit code.

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Agents, Catalog, Cli, Command, Key};
use crate::config::Environment;
use crate::failure::Failure;
use crate::{commands, output, serve};

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output, the rest to standard error.
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    match dispatch(cli.command, &Environment::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = Failure::from_chain(error);
            output::complain(&failure);
            failure.exit().into()
        }
    }
}

fn dispatch(command: Command, environment: &Environment) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::run(&args, environment),
        Command::Key(Key::Create(args)) => commands::key::create(args, environment),
        Command::Key(Key::List(args)) => commands::key::list(&args, environment),
        Command::Key(Key::Revoke(args)) => commands::key::revoke(&args, environment),
        Command::Models(args) => commands::models::run(&args, environment),
        Command::Catalog(Catalog::Update(args)) => commands::catalog::update(&args, environment),
        Command::Catalog(Catalog::Diff(args)) => commands::catalog::diff(&args, environment),
        Command::Simulate(args) => commands::simulate::run(&args, environment),
        Command::Agents(Agents::Setup(args)) => commands::agents::setup(&args, environment),
        Command::Doctor(args) => commands::doctor::run(&args, environment),
    }
}
