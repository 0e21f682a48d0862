//! Every recorded chat request must be understood.

use bytes::Bytes;
use serde_json::Value;
use tollgate_dialects::chat_completions::Request;
use tollgate_domain::conversation::{Content, Conversation};

use crate::fixtures::{folder, load, provider_chats};

fn read(name: &str, body: &Value) -> (Request, Conversation) {
    let request = Request::parse(&Bytes::from(body.to_string())).unwrap_or_else(|e| panic!("{name}: {e}"));
    let conversation = request.conversation().unwrap_or_else(|e| panic!("{name}: {e}"));
    (request, conversation)
}

/// Nothing of a history may be lost: messages, call ids and argument bytes, reasoning state.
fn check(name: &str, body: &Value) {
    let (request, conversation) = read(name, body);
    assert_eq!(request.head.model, body["model"].as_str().unwrap(), "{name}");
    assert_eq!(request.head.stream, body["stream"].as_bool().unwrap_or(false), "{name}");
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(conversation.messages.len(), messages.len(), "{name}");
    assert_eq!(conversation.tools.len(), body["tools"].as_array().map_or(0, Vec::len), "{name}");
    for (message, raw) in conversation.messages.iter().zip(messages) {
        let calls = message.parts.iter().filter_map(|p| match &p.content {
            Content::ToolCall(call) => Some((call.id.as_str(), call.arguments.as_str())),
            _ => None,
        });
        let calls = calls.collect::<Vec<_>>();
        let raw_calls = raw["tool_calls"].as_array().cloned().unwrap_or_default();
        let expected: Vec<_> = raw_calls
            .iter()
            .map(|c| (c["id"].as_str().unwrap(), c["function"]["arguments"].as_str().unwrap()))
            .collect();
        assert_eq!(calls, expected, "{name}");
        let raw_details = raw["reasoning_details"].as_array().cloned().unwrap_or_default();
        let state = |key: &str| {
            raw_details.iter().filter_map(|d| d[key].as_str()).filter(|t| !t.is_empty()).collect::<String>()
        };
        let (mut signatures, mut data) = (String::new(), String::new());
        for part in &message.parts {
            if let Content::Reasoning(reasoning) = &part.content {
                signatures.push_str(reasoning.signature.as_deref().unwrap_or_default());
                data.push_str(reasoning.data.as_deref().unwrap_or_default());
            }
        }
        assert_eq!((signatures, data), (state("signature"), state("data")), "{name}");
        if let Some(text) = raw["content"].as_str().filter(|_| raw["role"] != "tool") {
            assert!(message.parts.iter().any(|p| p.content == Content::Text(text.to_owned())), "{name}");
        }
    }
}

#[test]
fn all_recorded_requests_to_the_service_are_read() {
    let Some(folder) = folder() else { return };
    for (name, exchange) in load(&folder.join("gateway"), "gateway-chat") {
        check(&name, &exchange["request"]["body"]);
        let body = &exchange["request"]["body"];
        let marks = body.to_string().matches("\"cache_control\"").count();
        let (_, conversation) = read(&name, body);
        let found = conversation
            .messages
            .iter()
            .map(|m| usize::from(m.cache.is_some()) + m.parts.iter().filter(|p| p.cache.is_some()).count())
            .sum::<usize>();
        assert_eq!(found, marks, "{name}: every cache mark is found");
    }
}

#[test]
fn all_recorded_requests_to_providers_are_read() {
    let Some(folder) = folder() else { return };
    let mut read = 0;
    let mut without_body = 0;
    for (name, exchange) in provider_chats(&folder) {
        match &exchange["request"]["body"] {
            body @ Value::Object(_) => {
                check(&name, body);
                read += 1;
            }
            _ => without_body += 1,
        }
    }
    println!("{read} requests read; {without_body} recordings hold no JSON request");
    assert!(read > 200, "only {read} requests were found");
}
