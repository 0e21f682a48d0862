//! Streams of Anthropic's Messages that we wrote: blocks one after the other under rising indexes, then one
//! end (clients §4 "Claude Code", I16).

use serde_json::{Value, json};

use crate::own_events;

/// What a client has put together.
#[derive(Debug, Default)]
pub struct Message {
    /// The blocks.
    pub content: Vec<Value>,
    /// All text, in the order it came.
    pub text: String,
    /// All reasoning, in the order it came.
    pub thinking: String,
    /// The delta with the reason of the end.
    pub delta: Option<Value>,
    /// It ended in `message_stop`.
    pub stopped: bool,
    /// It ended in an error.
    pub failed: bool,
}

#[derive(Default)]
struct Reader {
    message: Message,
    started: bool,
    open: bool,
    /// The input of the open block so far.
    input: Option<String>,
}

/// Reads our own stream, checking each event.
pub fn read(bytes: &[u8]) -> Message {
    let mut reader = Reader::default();
    for (name, data) in own_events::read(bytes) {
        let event: Value = serde_json::from_slice(&data).expect("JSON of our own");
        assert_eq!(event["type"], name, "the name of an event is its type");
        reader.event(&name, &event);
    }
    assert!(reader.message.failed || !reader.open, "an open block at the end");
    reader.message
}

impl Reader {
    fn event(&mut self, name: &str, event: &Value) {
        let message = &mut self.message;
        assert!(!message.stopped && !message.failed, "an event after the end: {event}");
        assert!(self.started != (name == "message_start") || name == "error", "{event}");
        match name {
            "message_start" => {
                self.started = true;
                assert_eq!(event["message"]["content"], json!([]));
            }
            "content_block_start" => {
                assert!(!std::mem::replace(&mut self.open, true), "a block in a block: {event}");
                assert_eq!(event["index"], message.content.len(), "{event}");
                message.content.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                assert!(self.open, "{event}");
                assert_eq!(event["index"], message.content.len() - 1, "{event}");
                self.delta(&event["delta"]);
            }
            "content_block_stop" => {
                assert!(std::mem::replace(&mut self.open, false), "{event}");
                assert_eq!(event["index"], message.content.len() - 1, "{event}");
                if let (Some(input), Some(block)) = (self.input.take(), message.content.last_mut()) {
                    block["input"] = object(&input);
                }
            }
            "message_delta" => {
                assert!(!self.open && message.delta.is_none(), "{event}");
                message.delta = Some(event["delta"].clone());
            }
            "message_stop" => {
                assert!(message.delta.is_some(), "no message_delta before the end");
                message.stopped = true;
            }
            "error" => {
                assert!(event["error"]["message"].is_string() && event["error"]["type"].is_string());
                message.failed = true;
            }
            _ => panic!("an unknown event: {event}"),
        }
    }

    fn delta(&mut self, delta: &Value) {
        let message = &mut self.message;
        let block = message.content.last_mut().expect("a block");
        let text = |name: &str| delta[name].as_str().expect("a text");
        let add = |block: &mut Value, name: &str| match &mut block[name] {
            Value::String(whole) => whole.push_str(text(name)),
            other => panic!("no text to add to: {other}"),
        };
        match delta["type"].as_str().expect("the delta's type") {
            "text_delta" => {
                message.text.push_str(text("text"));
                add(block, "text");
            }
            "thinking_delta" => {
                message.thinking.push_str(text("thinking"));
                add(block, "thinking");
            }
            "signature_delta" => block["signature"] = delta["signature"].clone(),
            "input_json_delta" => {
                self.input.get_or_insert_default().push_str(text("partial_json"));
            }
            "citations_delta" => {
                assert_eq!(block["type"], "text");
                if block["citations"].is_null() {
                    block["citations"] = json!([]);
                }
                block["citations"].as_array_mut().expect("a list").push(delta["citation"].clone());
            }
            other => panic!("an unknown delta: {other}"),
        }
    }
}

/// A call's input; the protocol has no place for anything but an object.
pub fn object(text: &str) -> Value {
    serde_json::from_str(text.trim()).ok().filter(Value::is_object).unwrap_or_else(|| json!({}))
}
