//! opencode and Kilo, which is made from it: the provider `vercel` with another address (clients §4).

use super::connection::{Connection, KEY_VARIABLE, Key};
use super::plan::{ClientFile, Format, Home, Plan, Setting};

/// The name of the provider whose client speaks the gateway's protocol.
const PROVIDER: &str = "vercel";

/// opencode.
pub fn opencode(connection: &Connection) -> Plan {
    Plan {
        name: "opencode",
        file: Some(file(
            connection,
            "opencode",
            &["opencode.jsonc", "opencode.json"],
            "https://opencode.ai/config.json",
        )),
        notes: vec![notes("opencode")],
        trial: Some("opencode run 'Say hello.'"),
        ..Plan::default()
    }
}

/// Kilo's command line; its extension starts the same program.
pub fn kilo(connection: &Connection) -> Plan {
    Plan {
        name: "Kilo",
        file: Some(file(connection, "kilo", &["kilo.jsonc", "kilo.json"], "https://app.kilo.ai/config.json")),
        notes: vec![notes("Kilo")],
        trial: Some("kilo run 'Say hello.'"),
        ..Plan::default()
    }
}

fn file(
    connection: &Connection,
    folder: &'static str,
    names: &'static [&'static str],
    schema: &str,
) -> ClientFile {
    let option = |name: &'static str| ["provider", PROVIDER, "options", name];
    let mut settings = vec![
        Setting::new(&["$schema"], schema),
        // The client inside speaks version 3 of the protocol.
        Setting::new(&option("baseURL"), connection.at("/v3/ai")),
        match &connection.key {
            Key::Environment => Setting::new(&option("apiKey"), format!("{{env:{KEY_VARIABLE}}}")),
            Key::Literal(secret) => Setting::secret(&option("apiKey"), secret.expose()),
        },
    ];
    if let Some(model) = &connection.model {
        settings.push(Setting::new(&["model"], format!("{PROVIDER}/{model}")));
        // Models that its own list does not have are known by being named.
        settings.push(Setting::new(&["provider", PROVIDER, "models", model, "name"], model));
    }
    ClientFile {
        folder_variable: None,
        folder: Home::Config(folder),
        names,
        format: Format::Json,
        settings,
        obsolete: Vec::new(),
        in_the_way: Vec::new(),
    }
}

fn notes(name: &str) -> String {
    format!(
        "In {name} the gateway's models are those of the provider '{PROVIDER}': {PROVIDER}/<creator>/<model>. For the titles\nof sessions it asks a small model of its own choice; \"small_model\" in the file names another."
    )
}
