//! `tollgate agents setup`: the settings with which a coding agent uses this gateway (gateway-api §1, §16;
//! clients §4), printed, or written into the agent's own configuration file.
//!
//! - `connection`: address, key and model as given on the command line
//! - `claude_code`, `codex`, `opencode`, `by_hand`: what each agent is told
//! - `plan`: an agent's settings as a value; `document`: putting them into JSON or TOML
//! - `folder`: where the agent keeps its file; `replace`: writing it, with a backup

mod by_hand;
mod claude_code;
mod codex;
mod connection;
mod document;
mod folder;
mod opencode;
mod plan;
mod replace;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum;

use crate::cli::AgentsSetup;
use crate::config::Environment;
use crate::failure::Failure;
use crate::output;
use connection::{Connection, KEY_VARIABLE, Key};
use document::Change;
use plan::{ClientFile, Plan};

/// The agents whose settings are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Agent {
    /// Anthropic's command line.
    ClaudeCode,
    /// OpenAI's command line.
    Codex,
    /// The extension for editors.
    Cline,
    /// The extension for editors made from Cline.
    Caret,
    /// The editor.
    Cursor,
    /// The command line of opencode.
    Opencode,
    /// Kilo Code: command line and extension.
    Kilo,
}

impl Agent {
    /// As on the command line.
    fn slug(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn plan(self, connection: &Connection) -> Plan {
        match self {
            Self::ClaudeCode => claude_code::plan(connection),
            Self::Codex => codex::plan(connection),
            Self::Cline => by_hand::cline(connection),
            Self::Caret => by_hand::caret(connection),
            Self::Cursor => by_hand::cursor(connection),
            Self::Opencode => opencode::opencode(connection),
            Self::Kilo => opencode::kilo(connection),
        }
    }
}

/// `tollgate agents setup`.
///
/// # Errors
/// When an argument makes no sense, or the agent's file cannot be read, understood or written.
pub fn setup(args: &AgentsSetup, environment: &Environment) -> anyhow::Result<()> {
    let connection = Connection::new(args)?;
    let plan = args.agent.plan(&connection);
    let write = args.write && !args.print;
    let text = match &plan.file {
        Some(file) => {
            let path = folder::file(file, args.dir.as_deref(), environment)?;
            if write {
                written(args.agent, &plan, file, &path, &connection)?
            } else {
                printed(args.agent, &plan, file, &path, &connection)
            }
        }
        None if write => {
            return Err(Failure::usage(format!("{} has no settings file that can be written", plan.name))
                .expected("the command without --write")
                .next("it prints the steps for the agent's settings page")
                .into());
        }
        None => by_steps(args.agent, &plan, &connection),
    };
    Ok(output::text(&text)?)
}

fn printed(agent: Agent, plan: &Plan, file: &ClientFile, path: &Path, connection: &Connection) -> String {
    let mut text = format!("{} through Tollgate at {}\n\n", plan.name, connection.origin);
    let _ = writeln!(text, "In {}:\n\n{}", path.display(), document::alone(file).trim_end());
    sections(&mut text, agent, plan, connection);
    let _ = writeln!(
        text,
        "\nThe same command with --write puts these settings into the file; everything else in it stays as it\nis, and a copy of the file as it was is kept beside it."
    );
    text
}

fn by_steps(agent: Agent, plan: &Plan, connection: &Connection) -> String {
    let mut text = format!("{} through Tollgate at {}\n", plan.name, connection.origin);
    sections(&mut text, agent, plan, connection);
    text
}

fn written(
    agent: Agent,
    plan: &Plan,
    file: &ClientFile,
    path: &Path,
    connection: &Connection,
) -> Result<String, Failure> {
    let before = replace::read(path)?;
    let merged = document::merge(file, before.as_deref(), path)?;
    let mut text = String::new();
    if merged.changes.is_empty() {
        let _ = writeln!(text, "{} has these settings already; nothing was written.", path.display());
    } else {
        let backup = replace::replace(path, before.as_deref(), &merged.text)?;
        let _ = writeln!(text, "Wrote {}", path.display());
        match backup {
            Some(backup) => {
                let _ = writeln!(text, "The file as it was: {}", backup.display());
            }
            None => text.push_str("There was no such file before.\n"),
        }
        text.push('\n');
        for (path, change) in &merged.changes {
            let _ = match change {
                Change::Set(value) => writeln!(text, "  set      {path} = {value}"),
                Change::Replaced(value) => writeln!(text, "  changed  {path} = {value}"),
                Change::Removed => writeln!(text, "  removed  {path}: it would be used before the key"),
            };
        }
    }
    for warning in &merged.warnings {
        let _ = writeln!(text, "\nNote: {warning}");
    }
    sections(&mut text, agent, plan, connection);
    Ok(text)
}

/// What is to be done beside the file.
fn sections(text: &mut String, agent: Agent, plan: &Plan, connection: &Connection) {
    if !plan.steps.is_empty() {
        text.push('\n');
        for (number, step) in plan.steps.iter().enumerate() {
            let _ = writeln!(text, "{}. {step}", number + 1);
        }
    }
    if matches!(connection.key, Key::Environment) {
        let how = format!("tollgate key create --name {}", agent.slug());
        if plan.file.is_some() {
            let _ = writeln!(
                text,
                "\nThe key is read from the variable {KEY_VARIABLE}. Set it where the agent is started:\n\n  export {KEY_VARIABLE}=tgk_…\n\nOne is made by: {how}"
            );
        } else {
            let _ = writeln!(text, "\nA key: {how}");
        }
    }
    for note in &plan.notes {
        let _ = writeln!(text, "\n{note}");
    }
    if let Some(trial) = &plan.trial {
        let _ = writeln!(text, "\nTry it:\n\n  {trial}");
    }
}
