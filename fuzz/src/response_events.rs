//! Streams of OpenAI's Responses that we wrote: numbered without a gap, items that are announced and complete,
//! parts whose pieces make the whole, and one end that repeats all of it (providers §3, I16).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::own_events;

/// What a client has put together.
#[derive(Debug, Default)]
pub struct Response {
    /// The complete items.
    pub output: Vec<Value>,
    /// All text, in the order it came.
    pub text: String,
    /// All refusals, in the order they came.
    pub refusal: String,
    /// The `response` of the terminal event.
    pub response: Option<Value>,
    /// It ended in an error.
    pub failed: bool,
}

#[derive(Default)]
struct Item {
    id: Value,
    done: Option<Value>,
    /// The pieces of each part, by the kind of delta and the part's index.
    parts: BTreeMap<(String, u64), String>,
}

#[derive(Default)]
struct Reader {
    items: Vec<Item>,
    read: Response,
}

/// Reads our own stream, checking each event.
pub fn read(bytes: &[u8]) -> Response {
    let mut reader = Reader::default();
    for (number, (name, data)) in own_events::read(bytes).into_iter().enumerate() {
        let event: Value = serde_json::from_slice(&data).expect("JSON of our own");
        assert_eq!(event["type"], name, "the name of an event is its type");
        assert_eq!(event["sequence_number"], number, "{event}");
        match number {
            0 => assert_eq!(name, "response.created"),
            1 => assert_eq!(name, "response.in_progress"),
            _ => reader.event(&name, &event),
        }
    }
    reader.read
}

impl Reader {
    fn event(&mut self, name: &str, event: &Value) {
        assert!(self.read.response.is_none(), "an event after the end: {event}");
        assert!(!self.read.failed || name == "response.failed", "an event after an error: {event}");
        match name {
            "error" => {
                assert!(event["message"].is_string() && event["error"]["message"].is_string());
                self.read.failed = true;
            }
            "response.completed" | "response.incomplete" | "response.failed" => self.end(&event["response"]),
            "response.output_item.added" => {
                assert_eq!(event["output_index"], self.items.len(), "{event}");
                self.items.push(Item { id: event["item"]["id"].clone(), ..Item::default() });
            }
            "response.output_item.done" => {
                let item = self.item(event);
                assert_eq!(item.id, event["item"]["id"], "{event}");
                item.done = Some(event["item"].clone());
            }
            _ => self.part(name, event),
        }
    }

    fn item(&mut self, event: &Value) -> &mut Item {
        let index = event["output_index"].as_u64().expect("an index");
        let item = self.items.get_mut(usize::try_from(index).expect("small")).expect("an announced item");
        assert!(item.done.is_none(), "an event of a complete item: {event}");
        item
    }

    fn part(&mut self, name: &str, event: &Value) {
        let item = self.item(event);
        assert_eq!(item.id, event["item_id"], "{event}");
        let index = event["content_index"].as_u64().or(event["summary_index"].as_u64()).unwrap_or(0);
        if let Some(kind) = name.strip_suffix(".delta") {
            let delta = event["delta"].as_str().expect("a text");
            item.parts.entry((kind.to_owned(), index)).or_default().push_str(delta);
            match kind {
                "response.output_text" => self.read.text.push_str(delta),
                "response.refusal" => self.read.refusal.push_str(delta),
                _ => {}
            }
            return;
        }
        let whole = ["text", "refusal", "arguments", "input"].into_iter().find_map(|m| event[m].as_str());
        if let (Some(kind), Some(whole)) = (name.strip_suffix(".done"), whole) {
            let key = (kind.to_owned(), index);
            assert_eq!(item.parts.get(&key).map_or("", String::as_str), whole, "{event}");
        }
    }

    fn end(&mut self, response: &Value) {
        if !self.read.failed {
            let done = self.items.iter().map(|item| item.done.clone().expect("a complete item"));
            self.read.output = done.collect();
            assert_eq!(response["output"], Value::from(self.read.output.clone()));
        }
        self.read.response = Some(response.clone());
    }
}
