//! The command line (operations "Commands"). What does not exist yet is not offered.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tollgate_crypto::Secret;

use crate::commands::agents::Agent;

/// A gateway to language models: one address, one key, every provider, and a ledger of what was spent.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, arg_required_else_help = true, after_help = AFTER)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "\
Try it without any provider's key:   tollgate serve --demo
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway.
    Serve(Serve),
    /// Make, list and revoke gateway keys; works while the gateway runs.
    #[command(subcommand)]
    Key(Key),
    /// List the models of the catalog.
    Models(Models),
    /// Update the catalog of models and prices, or see what an update would change.
    #[command(subcommand)]
    Catalog(Catalog),
    /// Run the provider simulator alone.
    Simulate(Simulate),
    /// Point coding agents at the gateway.
    #[command(subcommand)]
    Agents(Agents),
    /// Check configuration, storage, clock and providers, and say what to do about each finding.
    Doctor(Doctor),
}

/// Where configuration and data are; each flag goes before its environment variable.
#[derive(Args, Clone, Debug, Default)]
pub struct PlaceArgs {
    /// The configuration file [env: TOLLGATE_CONFIG] [default: ./tollgate.toml if present].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data folder [env: TOLLGATE_DATA] [default: ./data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// `tollgate serve`.
#[derive(Args, Debug, Default)]
pub struct Serve {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The address to listen on [env: TOLLGATE_LISTEN] [default: 127.0.0.1:8400]; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Also start a simulated provider with demo models, and fill the ledger with a day of demo traffic.
    /// The data folder is then ./data/demo unless stated, so that demo and real data do not mix.
    #[arg(long)]
    pub demo: bool,
}

/// `tollgate key`.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key. Its secret is printed once.
    Create(KeyCreate),
    /// List all keys, revoked and expired ones included.
    List(KeyList),
    /// Revoke a key: a running gateway refuses it within a second.
    Revoke(KeyRevoke),
}

/// `tollgate key create`.
#[derive(Args, Debug)]
pub struct KeyCreate {
    /// What to call it.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: String,
    /// A label: development, preview, production or your own.
    #[arg(long, value_name = "LABEL", value_parser = name)]
    pub environment: Option<String>,
    /// How long it is accepted: 12h, 90d; for ever when absent.
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    pub expires: Option<Duration>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `tollgate key list`.
#[derive(Args, Debug)]
pub struct KeyList {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `tollgate key revoke`.
#[derive(Args, Debug)]
pub struct KeyRevoke {
    /// The key's id (key_…), as `tollgate key list` shows it.
    pub id: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `tollgate models`.
#[derive(Args, Debug)]
pub struct Models {
    /// Only models whose id, name, type or provider contains this text.
    pub filter: Option<String>,
    /// Print JSON, in the form of GET /v1/models.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `tollgate catalog`.
#[derive(Debug, Subcommand)]
pub enum Catalog {
    /// Take a newer catalog into use; the gateway reads it when it starts.
    Update(CatalogFrom),
    /// Show what an update would change, and change nothing.
    Diff(CatalogFrom),
}

/// `tollgate catalog update` and `diff`.
#[derive(Args, Debug)]
pub struct CatalogFrom {
    /// Where the catalog comes from [default: url under [catalog] in the configuration].
    #[arg(long, value_name = "URL|FILE")]
    pub from: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `tollgate simulate`.
#[derive(Args, Debug)]
pub struct Simulate {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9100")]
    pub listen: String,
    /// A JSON file of scripted behaviours.
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
}

/// `tollgate agents`.
#[derive(Debug, Subcommand)]
pub enum Agents {
    /// Print the settings with which an agent uses the gateway, or write them into its own file.
    Setup(AgentsSetup),
}

/// `tollgate agents setup`.
#[derive(Args, Debug)]
pub struct AgentsSetup {
    /// Which agent.
    #[arg(value_enum)]
    pub agent: Agent,
    /// Where the gateway is reached.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8400")]
    pub url: String,
    /// The gateway key, or `env`: the agent then reads it from the variable TOLLGATE_KEY.
    #[arg(long, value_name = "KEY|env", default_value = "env", hide_default_value = true, value_parser = unchecked)]
    pub key: Secret,
    /// The model to use, such as anthropic/claude-sonnet-4.5 [default: the agent's own choice].
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Print the settings and write nothing; this is the default.
    #[arg(long, conflicts_with = "write")]
    pub print: bool,
    /// Write the settings into the agent's file. What else is in it stays, and a copy is kept.
    #[arg(long)]
    pub write: bool,
    /// The agent's configuration folder [default: where the agent looks for its user's settings].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `tollgate doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

const LONGEST_NAME: usize = 200;

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(format!(
            "expected 1 to {LONGEST_NAME} characters without line breaks, such as \"laptop of Ada\""
        ));
    }
    Ok(text.to_owned())
}

/// The command checks it: what is refused here is repeated on the screen (I28).
fn unchecked(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

fn lifetime(text: &str) -> Result<Duration, String> {
    match crate::durations::duration(text) {
        Ok(Duration::ZERO) => {
            Err("a key that is never accepted is of no use; expected for instance 90d".to_owned())
        }
        Ok(duration) => Ok(duration),
        Err(bad) => Err(format!("expected {}", bad.expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
