//! Chat completions: as a client, and as OpenAI's family of providers answers.

use serde_json::{Value, json};

use super::neutral::{
    Ask, Call, Entry, Finish, IMAGE, Said, Usage, append, arguments, count, events, text, tools,
};

/// The body of a request.
pub fn body(ask: &Ask) -> Value {
    let messages: Vec<Value> = ask.history.iter().flat_map(messages).collect();
    let mut body = json!({"model": ask.model, "stream": ask.stream, "messages": messages});
    if ask.stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    if ask.reasons {
        body["reasoning"] = json!({"effort": "medium"});
    }
    if let Some(limit) = ask.limit {
        body["max_tokens"] = json!(limit);
    }
    if ask.tools {
        let tool = |(name, about, schema): (&str, &str, Value)| {
            json!({"type": "function",
            "function": {"name": name, "description": about, "parameters": schema}})
        };
        body["tools"] = tools().into_iter().map(tool).collect();
    }
    body
}

fn messages(entry: &Entry) -> Vec<Value> {
    match entry {
        Entry::Instructions(said) => vec![json!({"role": "system",
            "content": [{"type": "text", "text": said, "cache_control": {"type": "ephemeral"}}]})],
        Entry::Person { text, image: false } => vec![json!({"role": "user", "content": text})],
        Entry::Person { text, image: true } => {
            let url = format!("data:{};base64,{}", IMAGE.0, IMAGE.1);
            vec![json!({"role": "user", "content": [{"type": "text", "text": text},
                {"type": "image_url", "image_url": {"url": url}}]})]
        }
        Entry::Model(turn) => vec![turn.clone()],
        Entry::Results(results) => results
            .iter()
            .map(|(call, result)| json!({"role": "tool", "tool_call_id": call.id, "content": result}))
            .collect(),
    }
}

/// A whole answer.
pub fn whole(body: &Value) -> Said {
    let choice = &body["choices"][0];
    said(&choice["message"], &choice["finish_reason"], &body["usage"])
}

/// A streamed answer. Some clients store `reasoning_details` as they come, others join those of one kind and
/// index.
pub fn stream(bytes: &[u8], joins: bool) -> Said {
    let mut message = json!({"role": "assistant", "content": null});
    let (mut finish, mut usage) = (Value::Null, Value::Null);
    for chunk in events(bytes) {
        let choice = &chunk["choices"][0];
        let delta = &choice["delta"];
        for member in ["content", "reasoning", "reasoning_content"] {
            if let Some(more) = delta[member].as_str() {
                append(&mut message, member, more);
            }
        }
        for entry in delta["reasoning_details"].as_array().into_iter().flatten() {
            add_detail(list(&mut message, "reasoning_details"), entry, joins);
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(count(&call["index"])).unwrap();
            let calls = list(&mut message, "tool_calls");
            if calls.len() <= index {
                calls.resize(index + 1, json!({"type": "function", "function": {"arguments": ""}}));
            }
            if call["id"].is_string() {
                calls[index]["id"] = call["id"].clone();
            }
            if call["function"]["name"].is_string() {
                calls[index]["function"]["name"] = call["function"]["name"].clone();
            }
            append(&mut calls[index]["function"], "arguments", text(&call["function"]["arguments"]));
        }
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
        if chunk["usage"].is_object() {
            usage = chunk["usage"].clone();
        }
    }
    let ended = bytes.ends_with(b"data: [DONE]\n\n");
    let mut said = said(&message, &finish, &usage);
    said.complete &= ended;
    said
}

fn add_detail(details: &mut Vec<Value>, entry: &Value, joins: bool) {
    let same = |other: &&mut Value| other["type"] == entry["type"] && other["index"] == entry["index"];
    let Some(known) = details.iter_mut().find(same).filter(|_| joins) else {
        return details.push(entry.clone());
    };
    for (name, value) in entry.as_object().into_iter().flatten() {
        match name.as_str() {
            "text" | "summary" => append(known, name, text(value)),
            _ if value != "" => known[name] = value.clone(),
            _ => {}
        }
    }
}

fn list<'v>(holder: &'v mut Value, member: &str) -> &'v mut Vec<Value> {
    if !holder[member].is_array() {
        holder[member] = json!([]);
    }
    holder[member].as_array_mut().unwrap()
}

fn said(message: &Value, finish: &Value, usage: &Value) -> Said {
    let call = |call: &Value| Call {
        id: text(&call["id"]).to_owned(),
        name: text(&call["function"]["name"]).to_owned(),
        arguments: arguments(text(&call["function"]["arguments"])),
    };
    let reasoning =
        if message["reasoning"].is_string() { &message["reasoning"] } else { &message["reasoning_content"] };
    // What a client keeps of the message.
    let mut turn = json!({"role": "assistant", "content": message["content"]});
    for member in ["tool_calls", "reasoning_content", "reasoning_details"] {
        if let Some(kept) = message.get(member) {
            turn[member] = kept.clone();
        }
    }
    let details = &usage["prompt_tokens_details"];
    Said {
        text: text(&message["content"]).to_owned(),
        reasoning: text(reasoning).to_owned(),
        calls: message["tool_calls"].as_array().into_iter().flatten().map(call).collect(),
        finish: match text(finish) {
            "stop" => Finish::Stop,
            "tool_calls" => Finish::ToolCalls,
            "length" => Finish::Length,
            _ => Finish::Unknown,
        },
        usage: Usage {
            input: count(&usage["prompt_tokens"]),
            cached: count(&details["cached_tokens"]),
            written: usage["cache_creation_input_tokens"].as_u64(),
            output: count(&usage["completion_tokens"]),
        },
        turn,
        complete: finish.is_string() && usage.is_object(),
    }
}
