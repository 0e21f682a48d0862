//! Requests: the neutral conversation as a body of the Messages protocol (providers §4).

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Number, Value, json};
use tollgate_domain::conversation::{ResponseFormat, Settings};
use tollgate_domain::{Conversation, InputError};

use super::Betas;
use super::block::Block;
use super::model::Model;
use super::options::Options;
use super::prompt::{self, Prompt, Turn};
use super::reasoning::{self, Plan};
use super::{cache, schema, tools};
use crate::codec::Target;

/// A request that is ready but for its address and credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The JSON body.
    pub body: Vec<u8>,
    /// Betas that the body needs, for [`headers`](super::headers).
    pub betas: Vec<String>,
    /// The tool whose input is the answer, when structured output had to be asked for that way; the
    /// reply's decoder must be told.
    pub json_tool: Option<String>,
}

/// Writes a conversation as a request.
///
/// # Errors
/// Content that the protocol cannot carry, with its path in the request; a conversation without content.
pub fn encode(conversation: &Conversation, target: &Target, stream: bool) -> Result<Encoded, InputError> {
    let mut betas = Betas::default();
    let model = Model::of(target);
    let options = Options::of(conversation, target, &mut betas);
    let mut prompt = prompt::build(conversation, &mut betas)?;
    if let (None, Some(mark), Some(turn)) = (conversation.cache, options.cache, prompt.turns.last_mut()) {
        super::block::mark_last(&mut turn.blocks, Some(mark));
    }
    let mut definitions = tools::definitions(&conversation.tools, target, &mut betas);
    let asked = conversation.settings.max_output_tokens.filter(|n| *n > 0);
    let mut plan = reasoning::plan(conversation.reasoning.as_ref(), &options, asked, target, model);
    if plan.has_budget() && calls_without_reasoning(&prompt.turns) {
        let quiet = Options { effort: options.effort.clone(), ..Options::default() };
        plan = reasoning::plan(None, &quiet, asked, target, model);
    }
    if plan.has_budget() && !definitions.is_empty() && model.interleaves_by_beta() {
        betas.add("interleaved-thinking-2025-05-14");
    }

    let mut rest = Map::new();
    let answer = answer_form(conversation.response_format.as_ref(), target, &definitions)?;
    let parallel = options.disable_parallel.map(|off| !off).or(conversation.parallel_tool_calls);
    let mut config = Map::new();
    let mut json_tool = None;
    let mut choice = tools::choice(conversation.tool_choice.as_ref(), parallel, plan.reasons());
    match answer {
        Answer::Free => {}
        Answer::Native(format) => {
            config.insert("format".to_owned(), format);
        }
        Answer::Tool(name, definition) => {
            choice = Some(answer_choice(&name, definitions.is_empty(), plan.reasons()));
            definitions.push(definition);
            json_tool = Some(name);
        }
    }
    if let Some(choice) = choice.filter(|_| !definitions.is_empty()) {
        rest.insert("tool_choice".to_owned(), choice);
    }
    cache::settle(&mut definitions, &mut prompt.system, &mut prompt.turns);
    if let Some(effort) = &plan.effort {
        config.insert("effort".to_owned(), effort.clone().into());
    }
    sampling(&conversation.settings, &plan, model, &mut rest);
    particulars(conversation, &mut rest);
    finish_members(&mut rest, config, &plan, options, stream);
    let body = Body { model: &target.model, max_tokens: plan.max_tokens, prompt, definitions, rest };
    let body = serde_json::to_vec(&body).map_err(|e| {
        InputError::invalid(
            "messages",
            format!("The request cannot be written as JSON: {e}. Check its content."),
        )
    })?;
    Ok(Encoded { body, betas: betas.0, json_tool })
}

/// The longest answer, in tokens, that may be waited for in one piece: at the rate that Anthropic counts
/// with (128,000 tokens an hour) it takes ten minutes. Its own SDKs refuse to wait longer.
const MOST_WHOLE: u64 = 21_333;

/// Whether a conversation's answer is to be asked for as a stream, however the client wants it: it may become
/// so long that a connection without a sign of life would be cut before it is ready.
#[must_use]
pub fn must_stream(conversation: &Conversation, target: &Target) -> bool {
    let options = Options::of(conversation, target, &mut Betas::default());
    let asked = conversation.settings.max_output_tokens.filter(|n| *n > 0);
    let plan = reasoning::plan(conversation.reasoning.as_ref(), &options, asked, target, Model::of(target));
    options.members.get("max_tokens").and_then(Value::as_u64).unwrap_or(plan.max_tokens) > MOST_WHOLE
}

/// The calls now being answered were made without reasoning that this provider can check. With a budget it
/// refuses such a history, so that the rest of the loop has to do without as well.
fn calls_without_reasoning(turns: &[Turn]) -> bool {
    let mut turns = turns.iter().rev();
    let (Some(results), Some(calls)) = (turns.next(), turns.next()) else { return false };
    results.blocks.iter().any(|b| b.kind() == "tool_result") && !calls.blocks.iter().any(Block::is_reasoning)
}

/// How the form of the answer is asked for.
enum Answer {
    Free,
    Native(Value),
    Tool(String, Block),
}

fn answer_form(
    format: Option<&ResponseFormat>,
    target: &Target,
    tools: &[Block],
) -> Result<Answer, InputError> {
    let Some(ResponseFormat::JsonSchema { schema, description, .. }) = format else {
        // The protocol has no mode for JSON of any form; as elsewhere the prompt has to ask for it.
        return Ok(Answer::Free);
    };
    if target.structured_output {
        return Ok(Answer::Native(json!({"type": "json_schema", "schema": schema::closed(schema)})));
    }
    if schema.get("type").is_some_and(|kind| kind != "object") {
        return Err(InputError::unsupported(
            "response_format.json_schema.schema",
            "This model answers with JSON objects only; make the schema's type 'object', or choose a model with structured output.",
        ));
    }
    let (name, block) = tools::answer_tool(tools, schema, description.as_deref());
    Ok(Answer::Tool(name, block))
}

/// Which tool must be called when the answer comes as a tool's input: that one, or, beside the client's
/// tools, any. With reasoning nothing may be forced.
fn answer_choice(name: &str, alone: bool, reasons: bool) -> Value {
    if reasons {
        json!({"type": "auto"})
    } else if alone {
        json!({"type": "tool", "name": name, "disable_parallel_tool_use": true})
    } else {
        json!({"type": "any", "disable_parallel_tool_use": true})
    }
}

fn sampling(settings: &Settings, plan: &Plan, model: Model, rest: &mut Map<String, Value>) {
    let stop: Vec<&String> = settings.stop.iter().filter(|s| !s.trim().is_empty()).collect();
    if !stop.is_empty() {
        rest.insert("stop_sequences".to_owned(), json!(stop));
    }
    if model.rejects_sampling() {
        return;
    }
    let mut top_p = settings.top_p.clone();
    if plan.reasons() {
        // With reasoning only a nucleus of at least .95 is taken.
        top_p = top_p.map(|p| if p.as_f64().is_some_and(|p| p < 0.95) { at_least_95() } else { p });
    } else {
        if let Some(temperature) = &settings.temperature {
            rest.insert("temperature".to_owned(), Value::Number(clamped(temperature)));
            top_p = top_p.filter(|_| !model.rejects_both_samplings());
        }
        if let Some(top_k) = settings.top_k {
            rest.insert("top_k".to_owned(), top_k.into());
        }
    }
    if let Some(top_p) = top_p {
        rest.insert("top_p".to_owned(), Value::Number(top_p));
    }
}

fn at_least_95() -> Number {
    Number::from_f64(0.95).unwrap_or_else(|| Number::from(1u8))
}

/// A temperature within 0 and 1; one that is already is kept as written.
fn clamped(temperature: &Number) -> Number {
    match temperature.as_f64() {
        Some(t) if t > 1.0 => Number::from(1u8),
        Some(t) if t < 0.0 => Number::from(0u8),
        _ => temperature.clone(),
    }
}

/// Members that say who asks and at which tier.
fn particulars(conversation: &Conversation, rest: &mut Map<String, Value>) {
    if let Some(user) = &conversation.safety_identifier {
        rest.insert("metadata".to_owned(), json!({"user_id": user}));
    }
    // `flex` has no counterpart. Priority is given by `auto` to accounts that have it.
    let tier = match conversation.service_tier.as_deref() {
        Some("priority" | "fast" | "auto") => "auto",
        Some("default" | "standard" | "standard_only") => "standard_only",
        _ => return,
    };
    rest.insert("service_tier".to_owned(), tier.into());
}

/// Reasoning, the answer's form, the client's own options over everything, and `stream`.
fn finish_members(
    rest: &mut Map<String, Value>,
    config: Map<String, Value>,
    plan: &Plan,
    options: Options,
    stream: bool,
) {
    if let Some(thinking) = &plan.thinking {
        rest.insert("thinking".to_owned(), thinking.clone());
    }
    if !config.is_empty() {
        rest.insert("output_config".to_owned(), Value::Object(config));
    }
    for (key, value) in options.members {
        match (rest.get_mut(&key), value) {
            (Some(Value::Object(present)), Value::Object(added))
                if key == "output_config" || key == "metadata" =>
            {
                present.extend(added);
            }
            (_, value) => {
                rest.insert(key, value);
            }
        }
    }
    if stream {
        rest.insert("stream".to_owned(), Value::Bool(true));
    }
}

/// A body in the order it is written.
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    prompt: Prompt,
    definitions: Vec<Block>,
    rest: Map<String, Value>,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        if !self.rest.contains_key("max_tokens") {
            map.serialize_entry("max_tokens", &self.max_tokens)?;
        }
        if !self.prompt.system.is_empty() {
            map.serialize_entry("system", &self.prompt.system)?;
        }
        map.serialize_entry("messages", &self.prompt.turns)?;
        if !self.definitions.is_empty() {
            map.serialize_entry("tools", &self.definitions)?;
        }
        for (key, value) in &self.rest {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for Turn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("role", if self.user { "user" } else { "assistant" })?;
        map.serialize_entry("content", &self.blocks)?;
        map.end()
    }
}
