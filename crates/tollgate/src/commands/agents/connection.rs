//! What every agent has to be told: an address, a key, and perhaps a model.

use http::Uri;
use tollgate_crypto::{GatewayKey, Secret};

use super::Agent;
use crate::cli::AgentsSetup;
use crate::failure::Failure;

/// The variable that holds the key where a settings file should not.
pub const KEY_VARIABLE: &str = "TOLLGATE_KEY";

/// Where the key comes from.
#[derive(Debug)]
pub enum Key {
    /// From [`KEY_VARIABLE`], which the agent reads itself.
    Environment,
    /// This one is written down.
    Literal(Secret),
}

/// How an agent reaches the gateway.
#[derive(Debug)]
pub struct Connection {
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
    /// The gateway key.
    pub key: Key,
    /// A model's id; the agent's own choice when absent.
    pub model: Option<String>,
}

impl Connection {
    /// From the command line.
    ///
    /// # Errors
    /// When the address, the key or the model cannot be right.
    pub fn new(args: &AgentsSetup) -> Result<Self, Failure> {
        Ok(Self {
            origin: origin(&args.url)?,
            key: key(&args.key)?,
            model: args.model.as_deref().map(|model| self::model(model, args.agent)).transpose()?,
        })
    }

    /// The address with a path, such as `/v1`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The key as it is pasted into a settings page.
    pub fn pasted_key(&self) -> &str {
        match &self.key {
            Key::Environment => "your gateway key (tgk_…)",
            Key::Literal(secret) => secret.expose(),
        }
    }

    /// The model, or an example of one.
    pub fn model_or<'a>(&'a self, example: &'a str) -> &'a str {
        self.model.as_deref().unwrap_or(example)
    }
}

/// Clients resolve some paths against the origin (clients §0.13), so there is no path in front of the
/// gateway; `/v1` is taken off because it is what people copy.
fn origin(url: &str) -> Result<String, Failure> {
    let refused = || {
        Failure::usage(format!("'{url}' is not the address of a gateway"))
            .expected("http:// or https://, a host and perhaps a port, without a path, such as https://gateway.example.com")
            .next("'tollgate serve' shows the address that it listens on")
    };
    let bare = url.trim().trim_end_matches('/');
    let bare = bare.strip_suffix("/v1").unwrap_or(bare);
    let uri: Uri = bare.parse().map_err(|_| refused())?;
    let authority = uri.authority().filter(|a| !a.host().is_empty() && !a.as_str().contains('@'));
    let authority = authority.ok_or_else(refused)?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme)).ok_or_else(refused)?;
    if !["", "/"].contains(&uri.path()) || uri.query().is_some() {
        return Err(refused());
    }
    Ok(format!("{scheme}://{authority}"))
}

fn key(given: &Secret) -> Result<Key, Failure> {
    if given.expose() == "env" {
        return Ok(Key::Environment);
    }
    // The text is not repeated: it is a secret, or nearly one (I28).
    GatewayKey::check(given.expose()).map_err(|wrong| {
        Failure::usage(format!("--key is not a gateway key: {wrong}"))
            .expected(format!(
                "a key as 'tollgate key create' printed it, or env for the variable {KEY_VARIABLE}"
            ))
            .next("copy the whole key, or make another: tollgate key create --name NAME")
    })?;
    Ok(Key::Literal(given.clone()))
}

fn model(given: &str, agent: Agent) -> Result<String, Failure> {
    let model = given.trim();
    let printable = !model.is_empty() && !model.chars().any(|c| c.is_control() || c.is_whitespace());
    // Claude Code has names of its own, which the gateway resolves (clients §0.15).
    let own = agent == Agent::ClaudeCode && model.starts_with("claude");
    if printable && (own || model.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())) {
        return Ok(model.to_owned());
    }
    Err(Failure::usage(format!("'{model}' is not the id of a model"))
        .expected("creator/model, such as anthropic/claude-sonnet-4.5")
        .next("tollgate models lists the ids"))
}
