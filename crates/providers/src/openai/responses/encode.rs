//! The neutral conversation as a Responses request (providers §3 "Request from chat").
//!
//! A single leading system message of text becomes `instructions`; all other instructions stay where they
//! stand, as messages of the role that the model knows (`developer` or `system`). Requests are stateless
//! (`store: false`, reasoning sealed for the client) unless `providerOptions` asks for `store`.

mod files;
mod input;
mod own_tools;
mod tools;

use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{Conversation, ResponseFormat, Settings};
use tollgate_domain::warning::WarningKind;
use tollgate_domain::{InputError, Warning};

use super::super::chat;
use super::options::Options;
use super::quirks::Quirks;
use super::reasoning;
use crate::Target;

/// The least limit of the answer's length that the protocol takes.
const LEAST_OUTPUT: u64 = 16;
/// What a client must ask for to keep reasoning state itself.
const SEALED: &str = "reasoning.encrypted_content";

/// A request that is ready but for its address and credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The JSON body.
    pub body: Vec<u8>,
    /// What could not be said in the protocol, or was said in another way.
    pub warnings: Vec<Warning>,
}

/// Writes a conversation for an endpoint.
///
/// # Errors
/// When it holds content that the protocol cannot carry; the error names its place.
pub fn encode(conversation: &Conversation, target: &Target, stream: bool) -> Result<Encoded, InputError> {
    let quirks = Quirks::for_target(target);
    let find = |namespace: &str| {
        conversation.provider_options.iter().rev().find(|(own, _)| own == namespace).map(|(_, value)| value)
    };
    let options = Options::of(find, &quirks);
    let mut writer = Writer { target, quirks, body: Map::new(), warnings: Vec::new() };
    writer.put("model", target.model.as_str());
    let input = input::build(conversation, &writer.quirks)?;
    if let Some(instructions) = input.instructions {
        writer.put("instructions", instructions);
    }
    writer.put("input", Value::Array(input.items));
    writer.tools(conversation);
    writer.answer_form(conversation);
    writer.reasoning(conversation, &options);
    writer.settings(&conversation.settings, &options);
    writer.particulars(conversation);
    writer.state(&options);
    let edits = options.edits(|key| writer.body.get(key).cloned());
    writer.body.extend(edits);
    if stream {
        writer.put("stream", true);
    }
    let body = serde_json::to_vec(&writer.body).map_err(|error| {
        InputError::invalid("messages", format!("The request cannot be written as JSON: {error}."))
    })?;
    Ok(Encoded { body, warnings: writer.warnings })
}

struct Writer<'a> {
    target: &'a Target,
    quirks: Quirks,
    body: Map<String, Value>,
    warnings: Vec<Warning>,
}

impl Writer<'_> {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.body.insert(key.to_owned(), value.into());
    }

    fn left_out(&mut self, feature: &str, why: &str) {
        self.warnings.push(Warning::unsupported(feature, why));
    }

    fn tools(&mut self, conversation: &Conversation) {
        let tools = tools::definitions(&conversation.tools, &self.quirks, &mut self.warnings);
        if tools.is_empty() {
            return;
        }
        self.put("tools", Value::Array(tools));
        if let Some(choice) = &conversation.tool_choice {
            self.put("tool_choice", tools::choice(choice, &conversation.tools));
        }
        if let Some(parallel) = conversation.parallel_tool_calls {
            self.put("parallel_tool_calls", parallel);
        }
    }

    /// `text`: the form of the answer and how wordy it shall be.
    fn answer_form(&mut self, conversation: &Conversation) {
        let mut text = Map::new();
        match &conversation.response_format {
            None | Some(ResponseFormat::Text) => {}
            Some(ResponseFormat::JsonObject) => {
                text.insert("format".to_owned(), json!({"type": "json_object"}));
            }
            Some(ResponseFormat::JsonSchema { name, schema, strict, description }) => {
                let mut format =
                    json!({"type": "json_schema", "name": name.as_deref().unwrap_or("response")});
                if let Some(description) = description {
                    format["description"] = Value::from(description.as_str());
                }
                format["schema"] = schema.clone();
                if let Some(strict) = strict {
                    format["strict"] = Value::Bool(*strict);
                }
                text.insert("format".to_owned(), format);
            }
        }
        match &conversation.verbosity {
            Some(verbosity) if self.quirks.openai_members => {
                text.insert("verbosity".to_owned(), Value::from(verbosity.as_str()));
            }
            Some(_) => self.left_out("verbosity", "This provider cannot be told how wordy to be."),
            None => {}
        }
        if !text.is_empty() {
            self.put("text", text);
        }
        if conversation.modalities.iter().any(|modality| modality != "text") {
            self.left_out("modalities", "This model's provider answers with text only.");
        }
    }

    fn reasoning(&mut self, conversation: &Conversation, options: &Options) {
        let mut request = conversation.reasoning.clone().unwrap_or_default();
        // An effort among the options counts as if it had been asked for in the request.
        if let Some(effort) = &options.effort {
            request.effort = Some(effort.clone());
        }
        if options.summary.as_deref() == Some("") {
            request.summary = Some("omitted".to_owned());
        }
        if let Some(members) = reasoning::member(Some(&request), self.target, &self.quirks) {
            self.put("reasoning", members);
        } else if request.wanted() && options.effort.is_none() {
            self.left_out("reasoning", "This model's reasoning cannot be asked for.");
        }
    }

    fn settings(&mut self, settings: &Settings, options: &Options) {
        if let Some(limit) = settings.max_output_tokens.filter(|limit| *limit > 0) {
            self.put("max_output_tokens", limit.max(LEAST_OUTPUT));
            if limit < LEAST_OUTPUT {
                self.warnings.push(Warning {
                    kind: WarningKind::Compatibility,
                    feature: "max_tokens".to_owned(),
                    details: Some(format!(
                        "The provider takes no limit below {LEAST_OUTPUT} tokens; {LEAST_OUTPUT} was sent."
                    )),
                });
            }
        }
        let effort = options.effort.as_deref().or_else(|| self.body.get("reasoning")?["effort"].as_str());
        let off = effort == Some("none") && self.quirks.samples_without_effort;
        let refused = self.quirks.openai_reasoning && !off;
        for (name, value) in [("temperature", &settings.temperature), ("top_p", &settings.top_p)] {
            match value {
                Some(_) if refused => self.left_out(name, "Reasoning models do not take it."),
                Some(value) => self.put(name, Value::Number(value.clone())),
                None => {}
            }
        }
        let unknown = [
            ("top_k", settings.top_k.is_some()),
            ("presence_penalty", settings.presence_penalty.is_some()),
            ("frequency_penalty", settings.frequency_penalty.is_some()),
            ("stop", !settings.stop.is_empty()),
            ("seed", settings.seed.is_some()),
        ];
        for (name, _) in unknown.into_iter().filter(|(_, set)| *set) {
            self.left_out(name, "The Responses protocol has no such setting.");
        }
    }

    /// Members that say who asks, at which tier, and what keeps its prompt cached.
    fn particulars(&mut self, conversation: &Conversation) {
        match conversation.service_tier.as_deref() {
            Some(tier) if self.quirks.openai_members && chat::knows_tier(self.target, tier) => {
                self.put("service_tier", if tier == "fast" { "priority" } else { tier });
            }
            Some(_) => self.left_out("service_tier", "This model's provider has no such service tier."),
            None => {}
        }
        if let Some(key) = conversation.prompt_cache_key.as_deref().filter(|_| self.quirks.cache_key) {
            self.put("prompt_cache_key", key);
        }
        if let (Some(user), Some(member)) = (&conversation.safety_identifier, self.quirks.user) {
            self.put(member, user.as_str());
        }
        if !conversation.metadata.is_empty() && self.quirks.openai_members {
            let labels = conversation.metadata.iter().map(|(key, value)| (key.clone(), json!(value)));
            self.put("metadata", labels.collect::<Map<_, _>>());
        }
        if conversation.cache.is_some_and(|mark| mark.ttl.is_some()) && !self.quirks.cache_marks {
            self.left_out("cache_ttl", "This provider decides itself how long a prompt stays cached.");
        }
    }

    /// Who keeps the conversation: the client, unless it asked for `store`.
    fn state(&mut self, options: &Options) {
        let stored = options.store == Some(true);
        self.put("store", stored);
        if !stored && self.quirks.sealed_reasoning {
            self.put("include", json!([SEALED]));
        }
    }
}

#[cfg(test)]
mod tests;
