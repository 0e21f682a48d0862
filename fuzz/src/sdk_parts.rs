//! Streams of the AI SDK's protocol that we wrote: parts that begin and end once, a call after its input, and
//! one end (gateway-api §17.5, I16).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::own_events;

/// What a client has put together.
#[derive(Debug, Default)]
pub struct Parts {
    /// The content, as a whole answer would hold it.
    pub content: Vec<Value>,
    /// The `finish` part.
    pub finish: Option<Value>,
    /// It ended in `[DONE]`.
    pub done: bool,
    /// It ended in an error.
    pub failed: bool,
    /// Where each open block stands.
    open: BTreeMap<String, usize>,
    /// The inputs of calls, and whether they are complete.
    inputs: BTreeMap<String, (String, bool)>,
}

/// Reads our own stream, checking each event.
pub fn read(bytes: &[u8]) -> Parts {
    let mut parts = Parts::default();
    for (number, (name, data)) in own_events::read(bytes).into_iter().enumerate() {
        assert_eq!(name, "", "events have no name");
        assert!(!parts.done && !parts.failed, "an event after the end");
        if data == b"[DONE]" {
            parts.done = true;
            continue;
        }
        assert!(parts.finish.is_none(), "a part after the end");
        let part: Value = serde_json::from_slice(&data).expect("JSON of our own");
        let kind = part["type"].as_str().expect("the part's type").to_owned();
        match number {
            0 => assert_eq!(kind, "stream-start"),
            1 => assert_eq!(kind, "response-metadata"),
            _ => parts.part(&kind, part),
        }
    }
    assert!(parts.finish.is_none() || parts.open.is_empty(), "open at the end: {:?}", parts.open);
    parts
}

impl Parts {
    fn part(&mut self, kind: &str, part: Value) {
        let id = || part["id"].as_str().expect("an id").to_owned();
        let delta = || part["delta"].as_str().expect("a text");
        match kind {
            "finish" => self.finish = Some(part),
            "error" => {
                assert!(part["error"]["message"].is_string(), "{part}");
                self.failed = true;
            }
            "text-start" | "reasoning-start" => {
                let mut block = json!({"type": kind.trim_end_matches("-start"), "text": ""});
                if !part["providerMetadata"].is_null() {
                    block["providerMetadata"] = part["providerMetadata"].clone();
                }
                assert_eq!(self.open.insert(id(), self.content.len()), None, "{part}");
                self.content.push(block);
            }
            "text-delta" | "reasoning-delta" => {
                let block = &mut self.content[self.open[&id()]];
                assert_eq!(block["type"], kind.trim_end_matches("-delta"));
                let Value::String(text) = &mut block["text"] else { panic!("no text: {block}") };
                text.push_str(delta());
            }
            "text-end" | "reasoning-end" => {
                let at = self.open.remove(&id()).expect("an open block");
                if !part["providerMetadata"].is_null() {
                    self.content[at]["providerMetadata"] = part["providerMetadata"].clone();
                }
            }
            "tool-input-start" => {
                assert!(part["toolName"].is_string());
                assert_eq!(self.inputs.insert(id(), (String::new(), false)), None, "{part}");
            }
            "tool-input-delta" => {
                let (text, complete) = self.inputs.get_mut(&id()).expect("a begun input");
                assert!(!*complete, "{part}");
                text.push_str(delta());
            }
            "tool-input-end" => {
                let (_, complete) = self.inputs.get_mut(&id()).expect("a begun input");
                assert!(!std::mem::replace(complete, true), "{part}");
            }
            _ => {
                if kind == "tool-call" && part["providerExecuted"] != true {
                    let input = self.inputs.get(part["toolCallId"].as_str().expect("an id"));
                    let (text, complete) = input.expect("a call after its input");
                    assert!(*complete && part["input"] == *text, "{part}");
                }
                self.content.push(part);
            }
        }
    }
}
