//! What a response is made of: its output items, its usage, and the object around them.

use serde_json::{Value, json};

use super::{Writer, response_id};
use crate::answer::ask::Tool;
use crate::answer::{Finish, Said};
use crate::behaviour::UsageWhen;
use crate::seal::Kind;

/// How the response ended.
pub(super) fn status(said: &Said) -> &'static str {
    if said.finish == Finish::Length { "incomplete" } else { "completed" }
}

/// The output items, complete.
pub(super) fn items(writer: &Writer<'_>, tools: &[Tool]) -> Vec<Value> {
    let Writer { said, meta, .. } = writer;
    let id = |kind: &str, index: usize| format!("{kind}_sim{:016x}{index:02}", meta.order);
    let mut items = Vec::new();
    if let Some(reasoning) = &said.reasoning {
        let mut item = json!({"id": id("rs", 0), "type": "reasoning", "summary": summary(writer, reasoning)});
        if writer.encrypted {
            item["encrypted_content"] = json!(meta.seal.issue(Kind::Reasoning, reasoning));
        }
        items.push(item);
    }
    if let Some(search) = &said.search {
        items.push(json!({"id": id("ws", 0), "type": "web_search_call", "status": "completed",
            "action": {"type": "search", "query": search.query}}));
    }
    if let Some(text) = said.text.as_ref().filter(|t| !t.is_empty()) {
        items.push(json!({"id": id("msg", 0), "type": "message", "status": status(said),
            "content": [{"type": "output_text", "annotations": annotations(said), "logprobs": [], "text": text}],
            "role": "assistant"}));
    }
    for (index, call) in said.calls.iter().enumerate() {
        let call_id = format!("call_sim{:016x}{index:02}", meta.order);
        let custom = tools.iter().any(|tool| tool.custom && tool.name == call.name);
        items.push(if custom {
            let input = call.arguments.as_str().map_or_else(|| call.arguments.to_string(), str::to_owned);
            json!({"id": id("ctc", index), "type": "custom_tool_call", "status": "completed",
                "call_id": call_id, "input": input, "name": call.name})
        } else {
            json!({"id": id("fc", index), "type": "function_call", "status": "completed",
                "arguments": call.arguments.to_string(), "call_id": call_id, "name": call.name})
        });
    }
    items
}

/// The reasoning as it is shown: the first sentence a part of its own, if a summary was asked for.
fn summary(writer: &Writer<'_>, reasoning: &str) -> Vec<Value> {
    let asked = &writer.body["reasoning"];
    if !asked["summary"].is_string() && !asked["generate_summary"].is_string() {
        return Vec::new();
    }
    let (first, rest) = match reasoning.find(". ") {
        Some(at) => reasoning.split_at(at + 2),
        None => (reasoning, ""),
    };
    [first, rest]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| json!({"type": "summary_text", "text": text}))
        .collect()
}

fn annotations(said: &Said) -> Vec<Value> {
    let Some(hit) = said.search.as_ref().and_then(|search| search.hits.first()) else {
        return Vec::new();
    };
    let end = said.text.as_ref().map_or(0, |text| text.chars().count());
    vec![json!({"type": "url_citation", "start_index": 0, "end_index": end, "url": hit.url,
        "title": hit.title})]
}

fn usage(writer: &Writer<'_>) -> Value {
    let (over, tokens) = (writer.meta.usage, writer.tokens);
    if over.when == UsageWhen::Never {
        return Value::Null;
    }
    let searched = writer.said.search.as_ref().map_or(0, super::super::Search::tokens);
    let input = over.input_tokens.unwrap_or(tokens.input + searched);
    let output = over.output_tokens.unwrap_or(tokens.output);
    let cached = over.cached_tokens.unwrap_or(tokens.cache_read);
    json!({"input_tokens": input, "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": input + output})
}

/// The response as it is at the end; usage comes only then.
pub(super) fn response(writer: &Writer<'_>, status: &str, output: &[Value]) -> Value {
    let mut response = open_response(writer, status);
    response["output"] = output.into();
    response["usage"] = usage(writer);
    if status == "incomplete" {
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    }
    response
}

/// The response before anything was put out.
pub(super) fn open_response(writer: &Writer<'_>, status: &str) -> Value {
    let body = writer.body;
    let given = |member: &str, otherwise: Value| match body.get(member) {
        None | Some(Value::Null) => otherwise,
        Some(value) => value.clone(),
    };
    let reasoning = &body["reasoning"];
    let mut text = if body["text"].is_object() { body["text"].clone() } else { json!({}) };
    if text.get("format").is_none() {
        text["format"] = json!({"type": "text"});
    }
    json!({"id": response_id(writer.meta.order), "object": "response", "created_at": writer.meta.created,
        "status": status, "background": false, "error": null, "incomplete_details": null,
        "instructions": body["instructions"], "max_output_tokens": body["max_output_tokens"],
        "max_tool_calls": body["max_tool_calls"], "model": writer.model, "output": [],
        "parallel_tool_calls": given("parallel_tool_calls", json!(true)),
        "previous_response_id": body["previous_response_id"], "prompt_cache_key": body["prompt_cache_key"],
        "reasoning": {"effort": reasoning["effort"], "summary": reasoning["summary"]},
        "safety_identifier": body["safety_identifier"], "service_tier": "default",
        "store": given("store", json!(true)), "temperature": given("temperature", json!(1.0)), "text": text,
        "tool_choice": given("tool_choice", json!("auto")), "tools": given("tools", json!([])),
        "top_logprobs": 0, "top_p": given("top_p", json!(1.0)),
        "truncation": given("truncation", json!("disabled")), "usage": null, "user": body["user"],
        "metadata": given("metadata", json!({}))})
}
