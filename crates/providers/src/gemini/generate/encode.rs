//! Requests: the neutral conversation as a body of the protocol (providers §5).

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{ResponseFormat, Settings};
use tollgate_domain::{Conversation, InputError, Warning};

use super::super::model::Model;
use super::super::{address, schema};
use super::part::Turn;
use super::request_options::RequestOptions;
use super::turns::{self, Prompt};
use super::{thinking, tools};
use crate::codec::Target;

/// The most stop sequences that the protocol takes.
const MAX_STOPS: usize = 5;

/// A request that is ready but for its address and credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The JSON body.
    pub body: Vec<u8>,
    /// What could not be done exactly as asked.
    pub warnings: Vec<Warning>,
}

/// The path behind the provider's base address (providers §5).
#[must_use]
pub fn path(target: &Target, stream: bool) -> String {
    if stream {
        address::method(target, "streamGenerateContent?alt=sse")
    } else {
        address::method(target, "generateContent")
    }
}

/// Writes a conversation as a request. Whether it streams is a matter of its [`path`]: bodies are the same.
///
/// # Errors
/// Content that the protocol cannot carry, with its path in the request; a conversation without content.
pub fn encode(conversation: &Conversation, target: &Target, _stream: bool) -> Result<Encoded, InputError> {
    let mut warnings = Vec::new();
    let options = RequestOptions::of(conversation, target, &mut warnings);
    let prompt = turns::build(conversation, target, &mut warnings)?;
    let mut tools = tools::tools(conversation, target, &mut warnings);
    let mut generation = Map::new();
    settings(&conversation.settings, target, &mut generation, &mut warnings);
    answer_form(conversation, target, &options, &mut generation);
    modalities(&conversation.modalities, &mut generation);
    think(conversation, target, &options, &mut generation, &mut warnings);
    generation.extend(options.generation);
    if conversation.verbosity.is_some() {
        warnings.push(Warning::unsupported("verbosity", "Gemini cannot be told how wordy to be."));
    }
    for (key, value) in options.tool_config {
        merge(&mut tools.config, key, value);
    }
    let mut rest = Map::new();
    if !tools.list.is_empty() {
        rest.insert("tools".to_owned(), tools.list.into());
    }
    if !tools.config.is_empty() {
        rest.insert("toolConfig".to_owned(), tools.config.into());
    }
    if !generation.is_empty() {
        rest.insert("generationConfig".to_owned(), generation.into());
    }
    rest.extend(options.members);
    let body = serde_json::to_vec(&RequestBody { prompt, rest }).map_err(|e| {
        InputError::invalid(
            "messages",
            format!("The request cannot be written as JSON: {e}. Check its content."),
        )
    })?;
    Ok(Encoded { body, warnings })
}

/// Adds a member; of an object that is there its members.
fn merge(into: &mut Map<String, Value>, key: String, value: Value) {
    match (into.get_mut(&key), value) {
        (Some(Value::Object(present)), Value::Object(added)) => present.extend(added),
        (_, value) => {
            into.insert(key, value);
        }
    }
}

fn settings(s: &Settings, target: &Target, config: &mut Map<String, Value>, warnings: &mut Vec<Warning>) {
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(key.to_owned(), value);
        }
    };
    // More than the model can do is refused here, where others clamp.
    let most = target.max_output_tokens.unwrap_or(u64::MAX);
    put("maxOutputTokens", s.max_output_tokens.filter(|n| *n > 0).map(|n| n.min(most).into()));
    put("temperature", s.temperature.clone().map(Value::Number));
    put("topP", s.top_p.clone().map(Value::Number));
    put("topK", s.top_k.map(Value::from));
    put("presencePenalty", s.presence_penalty.clone().map(Value::Number));
    put("frequencyPenalty", s.frequency_penalty.clone().map(Value::Number));
    let stops: Vec<&String> = s.stop.iter().filter(|stop| !stop.is_empty()).collect();
    if stops.len() > MAX_STOPS {
        warnings.push(Warning::unsupported(
            "stop",
            format!("Gemini takes {MAX_STOPS} stop sequences; the ones behind them were left out."),
        ));
    }
    let stops = &stops[..stops.len().min(MAX_STOPS)];
    put("stopSequences", (!stops.is_empty()).then(|| json!(stops)));
    // The protocol's seed has 32 bits.
    let seed = s.seed.map(|seed| i32::try_from(seed).ok());
    if seed == Some(None) {
        warnings.push(Warning::unsupported(
            "seed",
            "Gemini takes seeds from -2147483648 to 2147483647; the request was sent without one.",
        ));
    }
    put("seed", seed.flatten().map(Value::from));
}

fn answer_form(
    conversation: &Conversation,
    target: &Target,
    options: &RequestOptions,
    config: &mut Map<String, Value>,
) {
    let form = match &conversation.response_format {
        None | Some(ResponseFormat::Text) => return,
        Some(ResponseFormat::JsonObject) => None,
        Some(ResponseFormat::JsonSchema { schema, .. }) => Some(schema).filter(|_| !options.schemaless),
    };
    config.insert("responseMimeType".to_owned(), "application/json".into());
    if let Some(form) = form {
        if Model::of(target).since(2, 5) {
            config.insert("responseJsonSchema".to_owned(), schema::json_schema(form));
        } else {
            config.insert("responseSchema".to_owned(), schema::openapi(form));
        }
    }
}

/// What is to be made besides text. Image models write a text with their images.
fn modalities(asked: &[String], config: &mut Map<String, Value>) {
    let has = |word: &str| asked.iter().any(|m| m.eq_ignore_ascii_case(word));
    let list: &[&str] = match (has("image"), has("audio")) {
        (true, false) => &["TEXT", "IMAGE"],
        (true, true) => &["TEXT", "IMAGE", "AUDIO"],
        (false, true) if has("text") => &["TEXT", "AUDIO"],
        (false, true) => &["AUDIO"],
        (false, false) => return,
    };
    config.insert("responseModalities".to_owned(), json!(list));
}

/// The request's reasoning, and the client's own thinking options over it.
fn think(
    conversation: &Conversation,
    target: &Target,
    options: &RequestOptions,
    config: &mut Map<String, Value>,
    warnings: &mut Vec<Warning>,
) {
    let own = &options.thinking;
    let mut thinking =
        thinking::config(conversation.reasoning.as_ref(), target, warnings).unwrap_or_default();
    // Budget and level exclude each other: the client's own word replaces either.
    if own.contains_key("thinkingBudget") || own.contains_key("thinkingLevel") {
        thinking.shift_remove("thinkingBudget");
        thinking.shift_remove("thinkingLevel");
    }
    thinking.extend(own.clone());
    if !thinking.is_empty() {
        config.insert("thinkingConfig".to_owned(), thinking.into());
    }
}

/// A body in the order it is written: what changes least comes first, for the provider's cache.
struct RequestBody {
    prompt: Prompt,
    rest: Map<String, Value>,
}

impl Serialize for RequestBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.prompt.system.is_empty() {
            let parts: Vec<Value> = self.prompt.system.iter().map(|text| json!({"text": text})).collect();
            map.serialize_entry("systemInstruction", &json!({"parts": parts}))?;
        }
        map.serialize_entry::<str, Vec<Turn>>("contents", &self.prompt.turns)?;
        for (key, value) in &self.rest {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
