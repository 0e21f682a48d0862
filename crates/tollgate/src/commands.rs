//! What each subcommand but `serve` does.

pub mod agents;
pub mod catalog;
pub mod doctor;
pub mod key;
pub mod models;
pub mod simulate;

use crate::cli::PlaceArgs;
use crate::config::{Config, Environment, Flags};
use crate::failure::Failure;

/// The configuration for a command that serves nothing.
fn configure(place: &PlaceArgs, environment: &Environment) -> Result<Config, Failure> {
    let config = Config::load(&Flags::from(place), environment)?;
    config.start_logging()?;
    Ok(config)
}
