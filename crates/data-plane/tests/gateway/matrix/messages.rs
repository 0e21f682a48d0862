//! Anthropic Messages: as a client, and as the provider answers.

use serde_json::{Value, json};

use super::neutral::{
    Ask, Call, Entry, Finish, IMAGE, Said, Usage, append, arguments, count, events, text, tools,
};

/// The body of a request.
pub fn body(ask: &Ask) -> Value {
    let instructions = |entry: &Entry| match entry {
        Entry::Instructions(said) => {
            Some(json!({"type": "text", "text": said, "cache_control": {"type": "ephemeral"}}))
        }
        _ => None,
    };
    let system: Vec<Value> = ask.history.iter().filter_map(instructions).collect();
    let messages: Vec<Value> = ask.history.iter().filter_map(message).collect();
    let mut body = json!({"model": ask.model, "max_tokens": ask.limit.unwrap_or(8000), "stream": ask.stream, "messages": messages});
    if !system.is_empty() {
        body["system"] = json!(system);
    }
    if ask.reasons {
        body["thinking"] = json!({"type": "enabled", "budget_tokens": 2048});
    }
    if ask.tools {
        let tool = |(name, about, schema): (&str, &str, Value)| {
            json!({"name": name,
            "description": about, "input_schema": schema})
        };
        body["tools"] = tools().into_iter().map(tool).collect();
    }
    body
}

fn message(entry: &Entry) -> Option<Value> {
    Some(match entry {
        Entry::Instructions(_) => return None,
        Entry::Person { text, image: false } => json!({"role": "user", "content": text}),
        Entry::Person { text, image: true } => json!({"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": IMAGE.0, "data": IMAGE.1}},
            {"type": "text", "text": text}]}),
        Entry::Model(turn) => json!({"role": "assistant", "content": turn}),
        Entry::Results(results) => {
            let block = |(call, result): &(Call, String)| {
                json!({"type": "tool_result",
                "tool_use_id": call.id, "content": result})
            };
            json!({"role": "user", "content": results.iter().map(block).collect::<Vec<_>>()})
        }
    })
}

/// A whole answer.
pub fn whole(body: &Value) -> Said {
    said(&body["content"], &body["stop_reason"], &body["usage"])
}

/// A streamed answer, put together as Anthropic's own library does.
pub fn stream(bytes: &[u8]) -> Said {
    let mut blocks: Vec<Value> = Vec::new();
    let (mut usage, mut finish, mut stopped) = (json!({}), Value::Null, false);
    let mut inputs: Vec<String> = Vec::new();
    for event in events(bytes) {
        let at = usize::try_from(count(&event["index"])).unwrap();
        match text(&event["type"]) {
            "message_start" => usage = event["message"]["usage"].clone(),
            "content_block_start" => {
                assert_eq!(at, blocks.len(), "blocks are numbered without gaps");
                blocks.push(event["content_block"].clone());
                inputs.push(String::new());
            }
            "content_block_delta" => {
                let delta = &event["delta"];
                match text(&delta["type"]) {
                    "text_delta" => append(&mut blocks[at], "text", text(&delta["text"])),
                    "thinking_delta" => append(&mut blocks[at], "thinking", text(&delta["thinking"])),
                    "signature_delta" => blocks[at]["signature"] = delta["signature"].clone(),
                    "input_json_delta" => inputs[at].push_str(text(&delta["partial_json"])),
                    _ => {}
                }
            }
            "content_block_stop" if blocks[at]["type"] == "tool_use" && !inputs[at].is_empty() => {
                blocks[at]["input"] = arguments(&inputs[at]);
            }
            "message_delta" => {
                finish = event["delta"]["stop_reason"].clone();
                for (name, value) in event["usage"].as_object().into_iter().flatten() {
                    usage[name] = value.clone();
                }
            }
            "message_stop" => stopped = true,
            _ => {}
        }
    }
    let mut said = said(&json!(blocks), &finish, &usage);
    said.complete &= stopped;
    said
}

fn said(content: &Value, finish: &Value, usage: &Value) -> Said {
    let mut said = Said {
        finish: match text(finish) {
            "end_turn" => Finish::Stop,
            "tool_use" => Finish::ToolCalls,
            "max_tokens" => Finish::Length,
            _ => Finish::Unknown,
        },
        turn: content.clone(),
        complete: finish.is_string(),
        ..Said::default()
    };
    for block in content.as_array().into_iter().flatten() {
        match text(&block["type"]) {
            "text" => said.text.push_str(text(&block["text"])),
            "thinking" => said.reasoning.push_str(text(&block["thinking"])),
            "tool_use" => said.calls.push(Call {
                id: text(&block["id"]).to_owned(),
                name: text(&block["name"]).to_owned(),
                arguments: block["input"].clone(),
            }),
            _ => {}
        }
    }
    let (cached, written) =
        (count(&usage["cache_read_input_tokens"]), count(&usage["cache_creation_input_tokens"]));
    said.usage = Usage {
        input: count(&usage["input_tokens"]) + cached + written,
        cached,
        written: Some(written),
        output: count(&usage["output_tokens"]),
    };
    said
}
