//! The Tollgate binary: command line, configuration, composition root, shutdown.
//!
//! - `cli`: the command line; `commands`: what each subcommand does
//! - `config`: flag, environment, file, default, in this order
//! - `providers`: which providers are configured, and with which credential
//! - `serve`: the composition root, and the life of the process from start to drain
//! - `demo`: the simulator in the process, and a day of traffic that says that it is demo
//! - `failure`: errors as people read them; `output`: standard output

mod catalog_file;
mod cli;
mod commands;
mod config;
mod demo;
mod durations;
mod failure;
mod fetch;
mod new_key;
mod output;
mod place;
mod providers;
mod reach;
mod run;
mod serve;
mod times;

/// The allocator: under many short-lived buffers of many threads it returns memory sooner than the
/// system's, and `cargo build --no-default-features` goes without it.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    run::main()
}
