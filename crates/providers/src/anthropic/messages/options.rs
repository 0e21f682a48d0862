//! `providerOptions.anthropic`: what the client wants of this provider in particular (gateway-api §4), in
//! the protocol's own spelling or the AI SDK's.

use serde_json::{Map, Value};
use tollgate_domain::Conversation;
use tollgate_domain::conversation::CacheMark;

use super::prompt::cache_option;
use super::{Betas, NAMESPACE, files};
use crate::codec::Target;

/// The options, taken apart.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// `thinking`.
    pub(super) thinking: Option<Value>,
    /// `effort`.
    pub(super) effort: Option<String>,
    /// `disableParallelToolUse`.
    pub(super) disable_parallel: Option<bool>,
    /// A breakpoint behind the whole prompt.
    pub(super) cache: Option<CacheMark>,
    /// Members of the body.
    pub(super) members: Map<String, Value>,
}

/// Members that the codec writes itself, and options that only steer a client library.
const NOT_OURS: [&str; 9] = [
    "model",
    "messages",
    "system",
    "tools",
    "stream",
    "send_reasoning",
    "structured_output_mode",
    "tool_streaming",
    "cache_control",
];

impl Options {
    /// Reads the options of a conversation that are for the provider.
    pub(super) fn of(conversation: &Conversation, target: &Target, betas: &mut Betas) -> Self {
        let all = &conversation.provider_options;
        Self::from_namespaces(all.iter().map(|(slug, value)| (slug.as_str(), value)), target, betas)
    }

    /// Reads the namespaces that speak to the provider; a later one wins.
    pub(super) fn from_namespaces<'v>(
        all: impl Iterator<Item = (&'v str, &'v Value)>,
        target: &Target,
        betas: &mut Betas,
    ) -> Self {
        let mut options = Self::default();
        for (_, value) in all.filter(|(namespace, _)| speaks_to(namespace, target)) {
            options.cache = options.cache.or_else(|| cache_option(value));
            if let Value::Object(members) = snake(value) {
                options.members.extend(members);
            }
        }
        options.take_apart(betas);
        options
    }

    fn take_apart(&mut self, betas: &mut Betas) {
        for key in NOT_OURS {
            self.members.shift_remove(key);
        }
        for key in ["anthropic_beta", "betas"] {
            let names = self.members.shift_remove(key).unwrap_or_default();
            names.as_array().into_iter().flatten().filter_map(Value::as_str).for_each(|name| betas.add(name));
        }
        self.thinking = self.members.shift_remove("thinking").filter(Value::is_object);
        self.effort = self.members.shift_remove("effort").and_then(|v| v.as_str().map(str::to_owned));
        self.disable_parallel =
            self.members.shift_remove("disable_parallel_tool_use").and_then(|v| v.as_bool());
        if let Some(budget) = self.members.shift_remove("task_budget") {
            let config = self.members.entry("output_config").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(config) = config {
                config.insert("task_budget".to_owned(), budget);
            }
        }
        self.add_betas(betas);
    }

    /// Betas that members of the body need.
    fn add_betas(&self, betas: &mut Betas) {
        if let Some(management) = self.members.get("context_management") {
            betas.add("context-management-2025-06-27");
            let edits = management.get("edits").and_then(Value::as_array);
            let kinds = edits.into_iter().flatten().filter_map(|e| e.get("type").and_then(Value::as_str));
            if kinds.into_iter().any(|kind| kind.starts_with("compact")) {
                betas.add("compact-2026-01-12");
            }
        }
        if self.members.contains_key("mcp_servers") {
            betas.add("mcp-client-2025-04-04");
        }
        if self.members.get("container").and_then(|c| c.get("skills")).is_some() {
            betas.add("code-execution-2025-08-25");
            betas.add("skills-2025-10-02");
            betas.add(files::FILES_BETA);
        }
        if self.members.get("speed").is_some_and(|speed| speed == "fast") {
            betas.add("fast-mode-2026-02-01");
        }
        if self.members.get("output_config").and_then(|c| c.get("task_budget")).is_some() {
            betas.add("task-budgets-2026-03-13");
        }
    }
}

/// Whether a namespace speaks to a provider: its own, and Anthropic's to whoever serves Anthropic's models.
/// Others that speak the protocol (MiniMax) have nothing to do with it.
pub(super) fn speaks_to(namespace: &str, target: &Target) -> bool {
    let id = if target.canonical.is_empty() { &target.model } else { &target.canonical };
    let claude = || target.provider == NAMESPACE || id.starts_with("anthropic/") || id.contains("claude");
    namespace == target.provider || (namespace == NAMESPACE && claude())
}

/// The value with every `camelCase` key as `snake_case`.
pub(super) fn snake(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (snake_key(key), snake(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(snake).collect(),
        other => other.clone(),
    }
}

fn snake_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            if !out.is_empty() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}
