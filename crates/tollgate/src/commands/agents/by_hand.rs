//! Agents whose settings are a page of an editor: the exact steps (clients §4).

use super::connection::Connection;
use super::plan::Plan;

/// An example of a model's id, where none was given.
const MODEL: &str = "anthropic/claude-sonnet-4.5";

/// Cline: its gateway provider has a fixed address, so the way in is the OpenAI-compatible one.
pub fn cline(connection: &Connection) -> Plan {
    Plan {
        name: "Cline",
        steps: compatible(connection, "Cline"),
        notes: vec![
            "Prices: this provider shows those that are typed in under Model Configuration; 'tollgate models' lists them\nin dollars for a million tokens. The gateway's own ledger needs none.".to_owned(),
        ],
        ..Plan::default()
    }
}

/// Caret: the same settings as Cline, and Anthropic's own protocol besides.
pub fn caret(connection: &Connection) -> Plan {
    let origin = &connection.origin;
    Plan {
        name: "Caret",
        steps: compatible(connection, "Caret"),
        notes: vec![format!(
            "For Claude models with prompt caching: API Provider \"Anthropic\", tick \"Use custom base URL\", enter\n{origin}, and the same key. Its built-in Claude names are understood by the gateway."
        )],
        ..Plan::default()
    }
}

fn compatible(connection: &Connection, name: &str) -> Vec<String> {
    vec![
        format!("Open {name}'s settings (the gear in its panel), API Configuration."),
        "API Provider: OpenAI Compatible".to_owned(),
        format!("Base URL: {}", connection.at("/v1")),
        format!("API Key: {}", connection.pasted_key()),
        format!("Model ID: {}", connection.model_or(MODEL)),
        "Close the settings with Done, and ask for something small.".to_owned(),
    ]
}

/// Cursor: its bodies are not quite chat completions, which the surface under `/cursor` puts right
/// (gateway-api §16).
pub fn cursor(connection: &Connection) -> Plan {
    let mut notes = vec![
        "The overridden address is used for every model of the API keys section; tab completion stays with Cursor."
            .to_owned(),
    ];
    if local(&connection.origin) {
        notes.push(format!(
            "Cursor's servers make the requests, and they cannot reach {}. Give the gateway an address that they\ncan reach, with https, and name it with --url.",
            connection.origin
        ));
    }
    Plan {
        name: "Cursor",
        steps: vec![
            "Open Cursor Settings (Ctrl or Cmd + Shift + J), Models, API Keys.".to_owned(),
            format!("OpenAI API Key: {}", connection.pasted_key()),
            format!("Override OpenAI Base URL: {}", connection.at("/cursor/v1")),
            format!("Add Custom Model: {}", connection.model_or(MODEL)),
            "Switch the key and the address on, and choose this model in a chat.".to_owned(),
        ],
        notes,
        ..Plan::default()
    }
}

/// Whether only this machine can call the address.
fn local(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|beginning| host.starts_with(beginning))
}
