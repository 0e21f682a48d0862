//! The neutral conversation as a chat-completions request. It is written in the form a client of the
//! gateway would send, and then goes the way of every client body ([`super::adapt`]), so that a provider's
//! quirks are applied in one place.

mod history;

use serde_json::{Map, Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    CacheMark, CacheTtl, Conversation, FunctionTool, ReasoningRequest, ResponseFormat, Tool, ToolChoice,
};

use super::quirks::Quirks;
use crate::Target;

/// Writes a conversation for an endpoint.
///
/// # Errors
/// When it holds content that the protocol cannot carry.
pub fn encode(conversation: &Conversation, target: &Target, stream: bool) -> Result<Vec<u8>, InputError> {
    let quirks = Quirks::for_target(target);
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::from(target.model.as_str()));
    let history = history::messages(conversation, target, &quirks)?;
    body.insert("messages".to_owned(), history.messages);
    settings(&mut body, conversation, &quirks);
    tools(&mut body, conversation, target);
    if let Some(format) = &conversation.response_format {
        body.insert("response_format".to_owned(), response_format(format));
    }
    if let Some(reasoning) = &conversation.reasoning {
        body.insert("reasoning".to_owned(), reasoning_object(reasoning));
    }
    others(&mut body, conversation, &quirks);
    let text = serde_json::to_vec(&Value::Object(body)).map_err(|error| {
        InputError::invalid("messages", format!("The request cannot be written as JSON: {error}."))
    })?;
    let marks = super::adapt::Placement {
        mark: conversation.cache.map(mark_text),
        anchor: history.anchor.map(|(at, mark)| (at, mark_text(mark))),
    };
    super::adapt::adapt_written(&text, target, stream, Some(marks))
}

fn settings(body: &mut Map<String, Value>, conversation: &Conversation, quirks: &Quirks) {
    let s = &conversation.settings;
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    put("max_tokens", s.max_output_tokens.filter(|n| *n > 0).map(Value::from));
    put("temperature", s.temperature.clone().map(Value::Number));
    put("top_p", s.top_p.clone().map(Value::Number));
    put("top_k", s.top_k.filter(|_| quirks.top_k).map(Value::from));
    put("presence_penalty", s.presence_penalty.clone().map(Value::Number));
    put("frequency_penalty", s.frequency_penalty.clone().map(Value::Number));
    put("stop", (!s.stop.is_empty()).then(|| json!(s.stop)));
    put("seed", s.seed.map(Value::from));
}

fn tools(body: &mut Map<String, Value>, conversation: &Conversation, target: &Target) {
    let tools: Vec<Value> = conversation.tools.iter().filter_map(|tool| tool_value(tool, target)).collect();
    if tools.is_empty() {
        return;
    }
    body.insert("tools".to_owned(), Value::Array(tools));
    if let Some(choice) = &conversation.tool_choice {
        let value = match choice {
            ToolChoice::Auto => json!("auto"),
            ToolChoice::None => json!("none"),
            ToolChoice::Required => json!("required"),
            ToolChoice::Function(name) => json!({"type": "function", "function": {"name": name}}),
        };
        body.insert("tool_choice".to_owned(), value);
    }
    if let Some(parallel) = conversation.parallel_tool_calls {
        body.insert("parallel_tool_calls".to_owned(), Value::Bool(parallel));
    }
}

/// A tool; `None` for one that only another provider can run.
fn tool_value(tool: &Tool, target: &Target) -> Option<Value> {
    match tool {
        Tool::Function(function) => Some(function_tool(function)),
        Tool::Provider { kind, value, .. } if kind == "custom" => Some(value.clone()),
        Tool::Provider { kind, value, .. } => {
            // The AI SDK names provider tools `groq.browser_search`.
            let own = kind.strip_prefix(target.provider.as_str())?.strip_prefix('.')?;
            let mut tool = Map::new();
            tool.insert("type".to_owned(), Value::from(own));
            if let Some(arguments) = value.get("args").and_then(Value::as_object) {
                tool.extend(arguments.clone());
            }
            Some(Value::Object(tool))
        }
    }
}

fn function_tool(tool: &FunctionTool) -> Value {
    let mut function = Map::new();
    function.insert("name".to_owned(), Value::from(tool.name.as_str()));
    if let Some(description) = &tool.description {
        function.insert("description".to_owned(), Value::from(description.as_str()));
    }
    let parameters = match &tool.parameters {
        Value::Null => json!({"type": "object", "properties": {}}),
        schema => schema.clone(),
    };
    function.insert("parameters".to_owned(), parameters);
    if let Some(strict) = tool.strict {
        function.insert("strict".to_owned(), Value::Bool(strict));
    }
    let mut value = json!({"type": "function", "function": function});
    if let Some(mark) = tool.cache {
        value["cache_control"] = cache_control(mark);
    }
    value
}

fn response_format(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => json!({"type": "text"}),
        ResponseFormat::JsonObject => json!({"type": "json_object"}),
        ResponseFormat::JsonSchema { name, schema, strict, description } => {
            let mut inner = json!({"name": name.as_deref().unwrap_or("response"), "schema": schema});
            if let Some(strict) = strict {
                inner["strict"] = Value::Bool(*strict);
            }
            if let Some(description) = description {
                inner["description"] = Value::from(description.as_str());
            }
            json!({"type": "json_schema", "json_schema": inner})
        }
    }
}

/// The gateway's `reasoning` object (gateway-api §7.1).
fn reasoning_object(request: &ReasoningRequest) -> Value {
    let mut object = Map::new();
    if let Some(enabled) = request.enabled {
        object.insert("enabled".to_owned(), Value::Bool(enabled));
    }
    if let Some(effort) = &request.effort {
        object.insert("effort".to_owned(), Value::from(effort.as_str()));
    }
    if let Some(tokens) = request.max_tokens {
        object.insert("max_tokens".to_owned(), Value::from(tokens));
    }
    if request.exclude {
        object.insert("exclude".to_owned(), Value::Bool(true));
    }
    Value::Object(object)
}

fn others(body: &mut Map<String, Value>, conversation: &Conversation, quirks: &Quirks) {
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    put("modalities", (!conversation.modalities.is_empty()).then(|| json!(conversation.modalities)));
    put(
        "service_tier",
        conversation.service_tier.as_deref().and_then(|tier| quirks.tier(tier)).map(Value::from),
    );
    put("verbosity", conversation.verbosity.as_deref().map(Value::from));
    let user = if quirks.openai_members { "safety_identifier" } else { "user" };
    put(user, conversation.safety_identifier.as_deref().map(Value::from));
    let options: Map<String, Value> = conversation.provider_options.iter().cloned().collect();
    put("providerOptions", (!options.is_empty()).then_some(Value::Object(options)));
}

fn mark_text(mark: CacheMark) -> Vec<u8> {
    cache_control(mark).to_string().into_bytes()
}

/// A cache mark as clients write it.
pub(super) fn cache_control(mark: CacheMark) -> Value {
    match mark.ttl {
        None => json!({"type": "ephemeral"}),
        Some(CacheTtl::FiveMinutes) => json!({"type": "ephemeral", "ttl": "5m"}),
        Some(CacheTtl::OneHour) => json!({"type": "ephemeral", "ttl": "1h"}),
    }
}

#[cfg(test)]
mod tests;
