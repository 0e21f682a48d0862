//! OpenAI Responses: as a client that keeps its own state, and as the provider answers.

use serde_json::{Value, json};

use super::neutral::{
    Ask, Call, Entry, Finish, IMAGE, Said, Usage, append, arguments, count, events, text, tools,
};

/// The body of a request.
pub fn body(ask: &Ask) -> Value {
    let input: Vec<Value> = ask.history.iter().flat_map(items).collect();
    let mut body = json!({"model": ask.model, "stream": ask.stream, "store": false, "input": input,
        "include": ["reasoning.encrypted_content"]});
    if ask.reasons {
        body["reasoning"] = json!({"effort": "medium", "summary": "auto"});
    }
    if let Some(limit) = ask.limit {
        body["max_output_tokens"] = json!(limit);
    }
    if ask.tools {
        let tool = |(name, about, schema): (&str, &str, Value)| {
            json!({"type": "function", "name": name,
            "description": about, "parameters": schema, "strict": false})
        };
        body["tools"] = tools().into_iter().map(tool).collect();
    }
    body
}

fn items(entry: &Entry) -> Vec<Value> {
    let message = |role: &str, content: Value| json!({"type": "message", "role": role, "content": content});
    match entry {
        Entry::Instructions(said) => vec![message(
            "system",
            json!([{"type": "input_text", "text": said, "cache_control": {"type": "ephemeral"}}]),
        )],
        Entry::Person { text, image } => {
            let mut parts = vec![json!({"type": "input_text", "text": text})];
            if *image {
                let url = format!("data:{};base64,{}", IMAGE.0, IMAGE.1);
                parts.push(json!({"type": "input_image", "image_url": url, "detail": "auto"}));
            }
            vec![message("user", json!(parts))]
        }
        Entry::Model(turn) => turn.as_array().cloned().unwrap_or_default(),
        Entry::Results(results) => results
            .iter()
            .map(|(call, result)| json!({"type": "function_call_output", "call_id": call.id, "output": result}))
            .collect(),
    }
}

/// A whole answer.
pub fn whole(body: &Value) -> Said {
    let mut said = Said {
        finish: match (text(&body["status"]), text(&body["incomplete_details"]["reason"])) {
            ("completed", "") => Finish::Stop,
            ("incomplete", "max_output_tokens") => Finish::Length,
            _ => Finish::Unknown,
        },
        turn: body["output"].clone(),
        complete: matches!(text(&body["status"]), "completed" | "incomplete"),
        ..Said::default()
    };
    for item in body["output"].as_array().into_iter().flatten() {
        match text(&item["type"]) {
            "message" => texts(&item["content"], &mut said.text),
            "reasoning" => {
                texts(&item["summary"], &mut said.reasoning);
                texts(&item["content"], &mut said.reasoning);
            }
            "function_call" => {
                said.finish = Finish::ToolCalls;
                said.calls.push(Call {
                    id: text(&item["call_id"]).to_owned(),
                    name: text(&item["name"]).to_owned(),
                    arguments: arguments(text(&item["arguments"])),
                });
            }
            _ => {}
        }
    }
    let usage = &body["usage"];
    said.usage = Usage {
        input: count(&usage["input_tokens"]),
        cached: count(&usage["input_tokens_details"]["cached_tokens"]),
        written: usage["input_tokens_details"]["cache_write_tokens"].as_u64(),
        output: count(&usage["output_tokens"]),
    };
    said
}

fn texts(parts: &Value, out: &mut String) {
    parts.as_array().into_iter().flatten().for_each(|part| out.push_str(text(&part["text"])));
}

/// A streamed answer: its last event has all of it. What the events before it have told must be the same.
pub fn stream(bytes: &[u8]) -> Said {
    let (mut told, mut items, mut last) = (json!({"text": "", "reasoning": ""}), Vec::new(), Value::Null);
    let mut given = String::new();
    for (number, event) in (0..).zip(events(bytes)) {
        let kind = text(&event["type"]).to_owned();
        assert!(last.is_null(), "something after the end: {event}");
        assert_eq!(count(&event["sequence_number"]), number, "numbered without gaps: {event}");
        match kind.as_str() {
            "response.output_text.delta" => append(&mut told, "text", text(&event["delta"])),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                append(&mut told, "reasoning", text(&event["delta"]));
            }
            "response.function_call_arguments.delta" => given.push_str(text(&event["delta"])),
            "response.output_item.done" => items.push(event["item"].clone()),
            "response.completed" | "response.incomplete" | "response.failed" => {
                last = event["response"].clone();
            }
            _ => {}
        }
    }
    let said = whole(&last);
    let all: String =
        last["output"].as_array().into_iter().flatten().map(|i| text(&i["arguments"])).collect();
    assert_eq!(
        (text(&told["text"]), text(&told["reasoning"])),
        (said.text.as_str(), said.reasoning.as_str())
    );
    assert_eq!(given, all, "the deltas of arguments are the arguments");
    assert_eq!(json!(items), said.turn, "the items as they were done are those of the end");
    said
}
