//! Log output.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The filter text cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "the log filter '{filter}' cannot be understood ({reason}); write a level (info, debug) or 'target=level' pairs separated by commas"
)]
pub struct BadFilter {
    filter: String,
    reason: String,
}

/// Sends log lines to standard error. A second call changes nothing.
///
/// # Errors
/// When the filter text is wrong.
pub fn init(filter: &str, format: Format) -> Result<(), BadFilter> {
    let parsed = EnvFilter::try_new(filter)
        .map_err(|e| BadFilter { filter: filter.to_owned(), reason: e.to_string() })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        // Colours are for people, not for log collectors.
        .with_ansi(std::io::stderr().is_terminal());
    // An error here means that a subscriber is already set, which is what a second call means.
    let _ = match format {
        Format::Text => builder.with_target(false).try_init(),
        Format::Json => builder.json().try_init(),
    };
    Ok(())
}
