//! Codex: a provider of its own in `config.toml` (clients §4).

use super::connection::{Connection, KEY_VARIABLE, Key};
use super::plan::{ClientFile, Format, Home, Plan, Setting, names};

/// Its own default is a bare name, and those do not resolve at the gateway (gateway-api §3).
const MODEL: &str = "openai/gpt-5.3-codex";
const TABLE: &str = "model_providers";
const PROVIDER: &str = "tollgate";

/// What it is told.
pub fn plan(connection: &Connection) -> Plan {
    let ours = |name: &str, value: &str| Setting::new(&[TABLE, PROVIDER, name], value);
    let mut settings = vec![
        Setting::new(&["model"], connection.model_or(MODEL)),
        Setting::new(&["model_provider"], PROVIDER),
        ours("name", "Tollgate"),
        ours("base_url", &connection.at("/codex/v1")),
        // The only wire that Codex still has.
        ours("wire_api", "responses"),
    ];
    let token = "experimental_bearer_token";
    let obsolete = match &connection.key {
        Key::Environment => {
            settings.push(ours("env_key", KEY_VARIABLE));
            token
        }
        Key::Literal(secret) => {
            settings.push(Setting::secret(&[TABLE, PROVIDER, token], secret.expose()));
            "env_key"
        }
    };
    Plan {
        name: "Codex",
        file: Some(ClientFile {
            folder_variable: Some("CODEX_HOME"),
            folder: Home::Dot(".codex"),
            names: &["config.toml"],
            format: Format::Toml,
            settings,
            obsolete: vec![names(&[TABLE, PROVIDER, obsolete])],
            in_the_way: vec![(
                names(&["profile"]),
                "a profile is chosen in this file; its model and model_provider are used before these.",
            )],
        }),
        trial: Some("codex exec 'Say hello.'"),
        ..Plan::default()
    }
}
