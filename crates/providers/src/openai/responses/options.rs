//! `providerOptions` for the provider (gateway-api §4), in the protocol's own spelling or the AI SDK's:
//! known options go where the protocol wants them, others become members of the body in snake case.

use serde_json::{Map, Value, json};

use super::quirks::Quirks;

/// The options, taken apart.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// `reasoningEffort`.
    pub(super) effort: Option<String>,
    /// `reasoningSummary`; an empty text switches summaries off.
    pub(super) summary: Option<String>,
    /// `store`.
    pub(super) store: Option<bool>,
    verbosity: Option<String>,
    strict_schema: Option<bool>,
    include: Vec<String>,
    members: Vec<(String, Value)>,
}

/// What the codec writes itself or the gateway decides, and options that only steer a client library.
const NOT_OPTIONS: [&str; 10] = [
    "model",
    "models",
    "input",
    "stream",
    "background",
    "route",
    "force_reasoning",
    "system_message_mode",
    "pass_through_unsupported_files",
    "provider_options",
];

impl Options {
    /// Reads the namespaces that speak to the provider; later ones win.
    pub(super) fn of<'v>(find: impl Fn(&str) -> Option<&'v Value>, quirks: &Quirks) -> Self {
        let mut options = Self::default();
        for namespace in &quirks.namespaces {
            let Some(Value::Object(own)) = find(namespace) else { continue };
            for (key, value) in own {
                options.take(&snake_key(key), value, quirks);
            }
        }
        options
    }

    fn take(&mut self, key: &str, value: &Value, quirks: &Quirks) {
        let word = || value.as_str().map(str::to_owned);
        match key {
            _ if NOT_OPTIONS.contains(&key) => {}
            "reasoning_effort" => self.effort = word().or(self.effort.take()),
            "reasoning_summary" => self.summary = Some(word().unwrap_or_default()),
            "text_verbosity" | "verbosity" => self.verbosity = word().or(self.verbosity.take()),
            "strict_json_schema" => self.strict_schema = value.as_bool().or(self.strict_schema),
            "store" => self.store = value.as_bool().or(self.store),
            "include" => {
                let words = value.as_array().into_iter().flatten().filter_map(Value::as_str);
                self.include.extend(words.map(str::to_owned));
            }
            "logprobs" if quirks.openai_members => self.logprobs(value),
            "allowed_tools" if value.is_object() => self.allowed_tools(value),
            "context_management" => self.set(key, snake(value)),
            _ if value.is_null() => {}
            _ => self.set(key, value.clone()),
        }
    }

    fn set(&mut self, key: &str, value: Value) {
        self.members.retain(|(name, _)| name != key);
        self.members.push((key.to_owned(), value));
    }

    /// `logprobs`: how many, or simply yes.
    fn logprobs(&mut self, value: &Value) {
        let many = match value {
            Value::Bool(true) => json!(20),
            Value::Number(_) => value.clone(),
            _ => return,
        };
        self.set("top_logprobs", many);
        self.include.push("message.output_text.logprobs".to_owned());
    }

    /// The AI SDK's `{toolNames, mode}` as the protocol's choice among allowed tools.
    fn allowed_tools(&mut self, value: &Value) {
        let names = value.get("toolNames").or_else(|| value.get("tool_names")).and_then(Value::as_array);
        let Some(names) = names else { return };
        let tools: Vec<Value> = names.iter().map(|name| json!({"type": "function", "name": name})).collect();
        let mode = value.get("mode").and_then(Value::as_str).unwrap_or("auto");
        self.set("tool_choice", json!({"type": "allowed_tools", "mode": mode, "tools": tools}));
    }

    /// The members of the body to set. `current` gives what a member holds now, as far as it has to be
    /// merged with.
    pub(super) fn edits(self, current: impl Fn(&str) -> Option<Value>) -> Vec<(String, Value)> {
        let object = |key: &str| match current(key) {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let (mut reasoning, mut text) = (Map::new(), Map::new());
        let mut edits = Vec::new();
        for (key, value) in self.members {
            match (key.as_str(), value) {
                ("reasoning", Value::Object(members)) => reasoning.extend(members),
                ("text", Value::Object(members)) => text.extend(members),
                (_, value) => edits.push((key, value)),
            }
        }
        if let Some(effort) = self.effort {
            reasoning.insert("effort".to_owned(), effort.into());
        }
        if let Some(summary) = self.summary.filter(|summary| !summary.is_empty()) {
            reasoning.insert("summary".to_owned(), summary.into());
        }
        if let Some(verbosity) = self.verbosity {
            text.insert("verbosity".to_owned(), verbosity.into());
        }
        if let Some(strict) = self.strict_schema {
            let mut format = text.get("format").cloned().or_else(|| object("text").remove("format"));
            if let Some(format) = format.as_mut().filter(|format| format["type"] == "json_schema") {
                format["strict"] = strict.into();
                text.insert("format".to_owned(), format.take());
            }
        }
        for (key, added) in [("reasoning", reasoning), ("text", text)] {
            if !added.is_empty() {
                let mut members = object(key);
                members.extend(added);
                edits.push((key.to_owned(), Value::Object(members)));
            }
        }
        if let Some(store) = self.store {
            edits.push(("store".to_owned(), store.into()));
        }
        if !self.include.is_empty() {
            let mut include = match current("include") {
                Some(Value::Array(include)) => include,
                _ => Vec::new(),
            };
            for word in self.include {
                if !include.iter().any(|known| *known == *word) {
                    include.push(word.into());
                }
            }
            edits.push(("include".to_owned(), Value::Array(include)));
        }
        edits
    }
}

/// The value with every `camelCase` key as `snake_case`. What a client's own names stand in (headers, JSON
/// schemas) stays.
pub(super) fn snake(value: &Value) -> Value {
    let member = |(key, value): (&String, &Value)| {
        let opaque = matches!(key.as_str(), "headers" | "parameters" | "schema");
        (snake_key(key), if opaque { value.clone() } else { snake(value) })
    };
    match value {
        Value::Object(members) => members.iter().map(member).collect::<Map<_, _>>().into(),
        Value::Array(items) => items.iter().map(snake).collect(),
        other => other.clone(),
    }
}

pub(super) fn snake_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
