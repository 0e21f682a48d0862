//! Gemini's answers as the provider writes them.

use serde_json::{Value, json};

use super::neutral::{Call, Finish, Said, Usage, count, events, text};

/// A whole answer.
pub fn whole(body: &Value) -> Said {
    of(std::slice::from_ref(body))
}

/// A streamed answer.
pub fn stream(bytes: &[u8]) -> Said {
    of(&events(bytes))
}

fn of(chunks: &[Value]) -> Said {
    let mut said = Said::default();
    let mut parts = Vec::new();
    for chunk in chunks {
        let candidate = &chunk["candidates"][0];
        for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
            if part["functionCall"].is_object() {
                let call = &part["functionCall"];
                let name = text(&call["name"]).to_owned();
                said.calls.push(Call {
                    id: text(&call["id"]).to_owned(),
                    name,
                    arguments: call["args"].clone(),
                });
            } else if part["thought"] == true {
                said.reasoning.push_str(text(&part["text"]));
            } else {
                said.text.push_str(text(&part["text"]));
            }
            parts.push(part.clone());
        }
        said.finish = match text(&candidate["finishReason"]) {
            "STOP" if said.calls.is_empty() => Finish::Stop,
            "STOP" => Finish::ToolCalls,
            "MAX_TOKENS" => Finish::Length,
            _ => Finish::Unknown,
        };
        said.complete = said.finish != Finish::Unknown;
        let usage = &chunk["usageMetadata"];
        said.usage = Usage {
            input: count(&usage["promptTokenCount"]),
            cached: count(&usage["cachedContentTokenCount"]),
            written: None,
            output: count(&usage["candidatesTokenCount"]) + count(&usage["thoughtsTokenCount"]),
        };
    }
    said.turn = json!(parts);
    said
}
