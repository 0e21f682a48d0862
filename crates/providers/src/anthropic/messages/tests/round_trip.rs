//! What a reply gives comes back unchanged in the next request (I18, I19).

use serde_json::{Value, json};
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{Content, Message, Part, Reasoning, Role, ToolCall, ToolOutput};

use super::super::Decoder;
use super::{body, conversation, message, result, says, sonnet};
use crate::codec::{BodyForm, ReplyDecoder};

const SIGNATURE: &str = "EqQBCgIYAhIM+/=\\\"\u{e4}signed";
const REDACTED: &str = "EvAFCoYBGAIiQL7asGs+/==\u{2028}";
const ARGUMENTS: &str = "{\"a\": 1.0e+2,  \"big\": 123456789012345678901234567890, \"u\":\"\\u00e4\"}";

/// The model's turn, as a dialect rebuilds it from a client that echoes what it was given.
fn turn(events: &[ReplyEvent]) -> Message {
    let mut parts: Vec<(u32, Part)> = Vec::new();
    let mut custom = u32::MAX;
    for event in events.iter().cloned() {
        match event {
            ReplyEvent::TextStart { block } => parts.push((block, Part::text(""))),
            ReplyEvent::ReasoningStart { block, kind, id, format } => {
                let format = Some(format.to_owned());
                let reasoning = Reasoning { kind, id, format, ..Reasoning::default() };
                parts.push((block, Part::new(Content::Reasoning(reasoning))));
            }
            ReplyEvent::ToolStart { block, id, name } => {
                let call = ToolCall { id, name, arguments: String::new() };
                parts.push((block, Part::new(Content::ToolCall(call))));
            }
            ReplyEvent::Custom { namespace, value } => {
                let namespace = namespace.to_owned();
                parts.push((custom, Part::new(Content::Custom { namespace, value })));
                custom -= 1;
            }
            ReplyEvent::TextDelta { block, text } => match find(&mut parts, block) {
                Content::Text(all) => all.push_str(&text),
                other => panic!("text in {other:?}"),
            },
            ReplyEvent::ReasoningDelta { block, text } => match find(&mut parts, block) {
                Content::Reasoning(reasoning) => reasoning.text.push_str(&text),
                other => panic!("reasoning in {other:?}"),
            },
            ReplyEvent::ReasoningEnd { block, signature, data } => match find(&mut parts, block) {
                Content::Reasoning(reasoning) => {
                    reasoning.signature = signature;
                    reasoning.data = data;
                }
                other => panic!("reasoning ends in {other:?}"),
            },
            ReplyEvent::ToolDelta { block, arguments } => match find(&mut parts, block) {
                Content::ToolCall(call) => call.arguments.push_str(&arguments),
                other => panic!("arguments in {other:?}"),
            },
            _ => {}
        }
    }
    message(Role::Assistant, parts.into_iter().map(|(_, part)| part).collect())
}

fn find(parts: &mut [(u32, Part)], block: u32) -> &mut Content {
    &mut parts.iter_mut().find(|(at, _)| *at == block).expect("the block has begun").1.content
}

fn decode(form: BodyForm, bytes: &[u8]) -> Vec<ReplyEvent> {
    let mut decoder = Decoder::new(&sonnet(), form, None);
    let mut events = Vec::new();
    decoder.push(bytes, &mut events);
    decoder.end(&mut events);
    assert!(matches!(events.last(), Some(ReplyEvent::Finish(_))), "{events:?}");
    events
}

fn blocks() -> Value {
    json!([
        {"type": "thinking", "thinking": "Let me\n  see. ", "signature": SIGNATURE},
        {"type": "redacted_thinking", "data": REDACTED},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "E/+="}]},
        {"type": "text", "text": "Found it."}
    ])
}

fn next_request(events: &[ReplyEvent]) -> (Value, String) {
    let request = conversation(vec![
        says(Role::User, "Go."),
        turn(events),
        message(Role::Tool, vec![result("toolu_1", ToolOutput::Text("ok".to_owned()))]),
    ]);
    let bytes = super::encode(&request, &sonnet(), false).unwrap().body;
    (body(&request, &sonnet()), String::from_utf8(bytes).unwrap())
}

#[test]
fn i19_a_whole_reply_goes_round_bit_exact() {
    let mut content = blocks();
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": "@"});
    content.as_array_mut().unwrap().push(call);
    let reply = json!({"type": "message", "id": "msg_1", "content": content, "stop_reason": "tool_use"});
    let reply = reply.to_string().replace("\"@\"", ARGUMENTS);
    let (request, text) = next_request(&decode(BodyForm::Whole, reply.as_bytes()));
    let sent = request["messages"][1]["content"].as_array().unwrap();
    assert_eq!(sent[..5], *blocks().as_array().unwrap());
    assert!(text.contains(&format!("\"input\":{ARGUMENTS}")), "{text}");
    assert_eq!(request["messages"][2]["content"][0]["tool_use_id"], "toolu_1");
}

#[test]
fn i19_a_streamed_reply_goes_round_bit_exact() {
    let mut stream = String::new();
    let mut send = |event: Value| {
        stream.push_str(&format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()));
    };
    let delta =
        |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    send(json!({"type": "message_start", "message": {"id": "msg_1", "content": []}}));
    let start = |index: u64, block: &Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let blocks = blocks();
    send(start(0, &json!({"type": "thinking", "thinking": "", "signature": ""})));
    send(delta(0, json!({"type": "thinking_delta", "thinking": "Let me\n"})));
    send(delta(0, json!({"type": "thinking_delta", "thinking": "  see. "})));
    send(delta(0, json!({"type": "signature_delta", "signature": SIGNATURE})));
    send(json!({"type": "content_block_stop", "index": 0}));
    send(start(1, &blocks[1]));
    send(json!({"type": "content_block_stop", "index": 1}));
    send(start(
        2,
        &json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}),
    ));
    send(delta(2, json!({"type": "input_json_delta", "partial_json": "{\"query\":"})));
    send(delta(2, json!({"type": "input_json_delta", "partial_json": " \"q\"}"})));
    send(json!({"type": "content_block_stop", "index": 2}));
    send(start(3, &blocks[3]));
    send(json!({"type": "content_block_stop", "index": 3}));
    send(start(4, &json!({"type": "text", "text": ""})));
    send(delta(4, json!({"type": "text_delta", "text": "Found it."})));
    send(json!({"type": "content_block_stop", "index": 4}));
    send(start(6, &json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})));
    for piece in ARGUMENTS.as_bytes().chunks(7) {
        let piece = std::str::from_utf8(piece).unwrap();
        send(delta(6, json!({"type": "input_json_delta", "partial_json": piece})));
    }
    send(json!({"type": "content_block_stop", "index": 6}));
    send(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}));
    send(json!({"type": "message_stop"}));
    let (request, text) = next_request(&decode(BodyForm::Stream, stream.as_bytes()));
    let sent = request["messages"][1]["content"].as_array().unwrap();
    assert_eq!(sent[..5], *blocks.as_array().unwrap());
    assert!(text.contains(&format!("\"input\":{ARGUMENTS}")), "{text}");
}
