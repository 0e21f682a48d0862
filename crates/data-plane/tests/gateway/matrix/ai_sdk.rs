//! The AI SDK's gateway protocol as its versions 2, 3 and 4 speak it: the client library sends the metadata
//! of each part back as the part's options.

use serde_json::{Value, json};

use super::neutral::{
    Ask, Call, Entry, Finish, IMAGE, Said, Usage, append, arguments, count, events, text, tools,
};

/// The path of a version's requests.
pub fn path(version: u8) -> &'static str {
    match version {
        2 => "/v1/ai/language-model",
        3 => "/v3/ai/language-model",
        _ => "/v4/ai/language-model",
    }
}

/// The headers that say what the body does not.
pub fn headers(version: u8, ask: &Ask) -> Vec<(&'static str, String)> {
    vec![
        ("ai-gateway-protocol-version", "0.0.1".to_owned()),
        ("ai-language-model-specification-version", version.to_string()),
        ("ai-language-model-id", ask.model.clone()),
        ("ai-language-model-streaming", ask.stream.to_string()),
    ]
}

/// The body of a request.
pub fn body(version: u8, ask: &Ask) -> Value {
    let prompt: Vec<Value> = ask.history.iter().map(|entry| message(version, entry)).collect();
    let mut body = json!({"prompt": prompt, "providerOptions": {}});
    if ask.reasons && version >= 4 {
        body["reasoning"] = json!("medium");
    } else if ask.reasons {
        let amount = if ask.model.contains("2.5") {
            ("thinkingBudget", json!(2048))
        } else {
            ("thinkingLevel", json!("high"))
        };
        // Before version 4 each provider has options of its own; others than its own are not its concern.
        body["providerOptions"] = json!({
            "openai": {"reasoningEffort": "medium", "reasoningSummary": "auto"},
            "anthropic": {"thinking": {"type": "enabled", "budgetTokens": 2048}},
            "google": {"thinkingConfig": {amount.0: amount.1, "includeThoughts": true}},
            "deepseek": {"thinking": {"type": "enabled"}},
        });
    }
    if let Some(limit) = ask.limit {
        body["maxOutputTokens"] = json!(limit);
    }
    if ask.tools {
        let tool = |(name, about, schema): (&str, &str, Value)| {
            json!({"type": "function", "name": name,
            "description": about, "inputSchema": schema})
        };
        body["tools"] = tools().into_iter().map(tool).collect();
        body["toolChoice"] = json!({"type": "auto"});
    }
    body
}

fn message(version: u8, entry: &Entry) -> Value {
    match entry {
        Entry::Instructions(said) => json!({"role": "system", "content": said,
            "providerOptions": {"anthropic": {"cacheControl": {"type": "ephemeral"}}}}),
        Entry::Person { text, image } => {
            let mut parts = vec![json!({"type": "text", "text": text})];
            if *image {
                let data = match version {
                    2 | 3 => json!(format!("data:{};base64,{}", IMAGE.0, IMAGE.1)),
                    _ => json!({"type": "data", "data": IMAGE.1}),
                };
                parts.push(json!({"type": "file", "mediaType": IMAGE.0, "data": data}));
            }
            json!({"role": "user", "content": parts})
        }
        Entry::Model(turn) => json!({"role": "assistant", "content": turn}),
        Entry::Results(results) => {
            let part = |(call, result): &(Call, String)| {
                json!({"type": "tool-result",
                "toolCallId": call.id, "toolName": call.name, "output": {"type": "text", "value": result}})
            };
            json!({"role": "tool", "content": results.iter().map(part).collect::<Vec<_>>()})
        }
    }
}

/// A whole answer.
pub fn whole(version: u8, body: &Value) -> Said {
    said(version, &body["content"], body)
}

/// A streamed answer, put together as the client library does: later metadata of a part replaces earlier.
pub fn stream(version: u8, bytes: &[u8]) -> Said {
    let mut content: Vec<Value> = Vec::new();
    let (mut open, mut finish) = (std::collections::HashMap::new(), Value::Null);
    for part in events(bytes) {
        assert!(finish.is_null(), "something after the end: {part}");
        let id = text(&part["id"]).to_owned();
        match text(&part["type"]) {
            start @ ("text-start" | "reasoning-start") => {
                let kind = start.trim_end_matches("-start").to_owned();
                open.insert(id, content.len());
                let mut block = json!({"type": kind, "text": ""});
                if part["providerMetadata"].is_object() {
                    block["providerMetadata"] = part["providerMetadata"].clone();
                }
                content.push(block);
            }
            "text-delta" | "reasoning-delta" | "text-end" | "reasoning-end" => {
                let block = &mut content[open[&id]];
                append(block, "text", text(&part["delta"]));
                if part["providerMetadata"].is_object() {
                    block["providerMetadata"] = part["providerMetadata"].clone();
                }
            }
            "tool-call" | "file" | "source" => content.push(part.clone()),
            "finish" => finish = part.clone(),
            "error" => panic!("an error within the stream: {part}"),
            _ => {}
        }
    }
    let mut said = said(version, &json!(content), &finish);
    said.complete &= bytes.ends_with(b"data: [DONE]\n\n");
    said
}

fn said(version: u8, content: &Value, ending: &Value) -> Said {
    let mut said = Said::default();
    let mut turn = Vec::new();
    for part in content.as_array().into_iter().flatten() {
        let mut kept = match text(&part["type"]) {
            kind @ ("text" | "reasoning") => {
                let whole = if kind == "text" { &mut said.text } else { &mut said.reasoning };
                whole.push_str(text(&part["text"]));
                json!({"type": kind, "text": part["text"]})
            }
            "tool-call" => {
                let call = Call {
                    id: text(&part["toolCallId"]).to_owned(),
                    name: text(&part["toolName"]).to_owned(),
                    arguments: arguments(text(&part["input"])),
                };
                let kept = json!({"type": "tool-call", "toolCallId": call.id, "toolName": call.name,
                    "input": call.arguments});
                said.calls.push(call);
                kept
            }
            _ => continue,
        };
        if part["providerMetadata"].is_object() {
            kept["providerOptions"] = part["providerMetadata"].clone();
        }
        turn.push(kept);
    }
    let finish = &ending["finishReason"];
    let word = if version == 2 { finish } else { &finish["unified"] };
    said.finish = match text(word) {
        "stop" => Finish::Stop,
        "tool-calls" => Finish::ToolCalls,
        "length" => Finish::Length,
        _ => Finish::Unknown,
    };
    let usage = &ending["usage"];
    said.usage = if version == 2 {
        Usage {
            input: count(&usage["inputTokens"]),
            cached: count(&usage["cachedInputTokens"]),
            written: None,
            output: count(&usage["outputTokens"]),
        }
    } else {
        let input = &usage["inputTokens"];
        Usage {
            input: count(&input["total"]),
            cached: count(&input["cacheRead"]),
            written: input["cacheWrite"].as_u64(),
            output: count(&usage["outputTokens"]["total"]),
        }
    };
    said.turn = json!(turn);
    said.complete = word.is_string() && usage.is_object();
    said
}
