//! Claude Code: `settings.json` with environment variables and a helper that prints the key.

use super::connection::{Connection, KEY_VARIABLE, Key};
use super::plan::{ClientFile, Format, Home, Plan, Setting, names};

/// The models that Claude Code chooses between by itself.
const FAMILIES: [&str; 3] =
    ["ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"];

/// What it is told: the surface under `/claude-code` lists models in the form it expects (gateway-api §16).
pub fn plan(connection: &Connection) -> Plan {
    let env = |name: &str, value: &str| Setting::new(&["env", name], value);
    let mut settings = vec![
        env("ANTHROPIC_BASE_URL", &connection.at("/claude-code")),
        env("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", "1"),
    ];
    let token = names(&["env", "ANTHROPIC_AUTH_TOKEN"]);
    let helper = names(&["apiKeyHelper"]);
    let obsolete = match &connection.key {
        // The file's own variables are not expanded, so a program reads the variable.
        Key::Environment => {
            settings.push(Setting::new(&["apiKeyHelper"], format!("printenv {KEY_VARIABLE}")));
            token
        }
        Key::Literal(secret) => {
            settings.push(Setting::secret(&["env", "ANTHROPIC_AUTH_TOKEN"], secret.expose()));
            helper
        }
    };
    if let Some(model) = &connection.model {
        settings.push(env("ANTHROPIC_MODEL", model));
        // It asks a small model in the background; one of another maker has no such family.
        if !model.contains("claude") {
            settings.extend(FAMILIES.map(|name| env(name, model)));
        }
    }
    Plan {
        name: "Claude Code",
        file: Some(ClientFile {
            folder_variable: Some("CLAUDE_CONFIG_DIR"),
            folder: Home::Dot(".claude"),
            names: &["settings.json"],
            format: Format::Json,
            settings,
            obsolete: vec![obsolete],
            in_the_way: vec![(
                names(&["env", "ANTHROPIC_API_KEY"]),
                "env.ANTHROPIC_API_KEY is set in this file and was left there. Claude Code sends it along, also to the gateway; take it out unless it is a gateway key.",
            )],
        }),
        notes: vec![
"Unset ANTHROPIC_AUTH_TOKEN and ANTHROPIC_API_KEY in the shell: Claude Code sends them to the gateway, before or\nbeside this key. For one project alone, add --dir .claude in its folder.".to_owned(),
        ],
        trial: Some("claude -p 'Say hello.'"),
        ..Plan::default()
    }
}
