//! A client that builds an answer from a stream's deltas.

use serde_json::{Value, json};

pub(super) fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|e| e["type"].as_str().unwrap().trim_start_matches("response.")).collect()
}

pub(super) fn index(event: &Value, key: &str) -> usize {
    usize::try_from(event[key].as_u64().unwrap()).unwrap()
}

fn push_text(value: &mut Value, more: &Value) {
    let text = format!("{}{}", value.as_str().unwrap(), more.as_str().unwrap());
    *value = Value::from(text);
}

/// Builds the items from deltas alone, as clients do, and compares them with what is told to be done.
#[derive(Default)]
pub(super) struct Client {
    pub(super) items: Vec<(Value, bool)>,
    pub(super) response: Option<Value>,
    /// Item and number of the content parts that are complete.
    done: Vec<(usize, usize)>,
}

impl Client {
    pub(super) fn read(events: &[Value]) -> Self {
        let mut client = Self::default();
        for (number, event) in events.iter().enumerate() {
            assert_eq!(index(event, "sequence_number"), number, "{event}");
            client.take(event);
        }
        client
    }

    fn item(&mut self, event: &Value) -> &mut Value {
        let (item, done) = &mut self.items[index(event, "output_index")];
        assert!(!*done, "nothing follows the end of an item: {event}");
        if let Some(id) = event.get("item_id") {
            assert_eq!(&item["id"], id);
        }
        item
    }

    fn part(&mut self, event: &Value) -> &mut Value {
        let at = index(event, "content_index");
        let place = (index(event, "output_index"), at);
        assert!(!self.done.contains(&place), "nothing follows the end of a part: {event}");
        if event["type"] == "response.content_part.done" {
            self.done.push(place);
        }
        &mut self.item(event)["content"][at]
    }

    fn take(&mut self, event: &Value) {
        assert!(self.response.is_none(), "nothing follows the terminal event");
        let kind = event["type"].as_str().unwrap();
        match kind {
            "response.created" | "response.in_progress" => {
                assert_eq!(event["response"]["status"], "in_progress");
                assert_eq!(event["response"]["output"], json!([]));
            }
            "response.output_item.added" => {
                assert_eq!(index(event, "output_index"), self.items.len(), "contiguous");
                self.items.push((event["item"].clone(), false));
            }
            "response.content_part.added" => {
                let item = self.item(event);
                if item.get("content").is_none() {
                    item["content"] = json!([]);
                }
                let content = item["content"].as_array_mut().unwrap();
                assert_eq!(index(event, "content_index"), content.len());
                content.push(event["part"].clone());
            }
            "response.output_text.delta" | "response.reasoning_text.delta" => {
                push_text(&mut self.part(event)["text"], &event["delta"]);
            }
            "response.refusal.delta" => push_text(&mut self.part(event)["refusal"], &event["delta"]),
            "response.output_text.done" | "response.reasoning_text.done" => {
                assert_eq!(self.part(event)["text"], event["text"]);
            }
            "response.refusal.done" => assert_eq!(self.part(event)["refusal"], event["refusal"]),
            "response.content_part.done" => assert_eq!(self.part(event), &event["part"]),
            "response.output_text.annotation.added" => {
                let annotations = self.part(event)["annotations"].as_array_mut().unwrap();
                assert_eq!(index(event, "annotation_index"), annotations.len());
                annotations.push(event["annotation"].clone());
            }
            _ => self.take_other(kind, event),
        }
    }

    fn take_other(&mut self, kind: &str, event: &Value) {
        match kind {
            "response.reasoning_summary_part.added" => {
                let summary = self.item(event)["summary"].as_array_mut().unwrap();
                assert_eq!(index(event, "summary_index"), summary.len());
                summary.push(event["part"].clone());
            }
            "response.reasoning_summary_text.delta" => {
                let at = index(event, "summary_index");
                push_text(&mut self.item(event)["summary"][at]["text"], &event["delta"]);
            }
            "response.reasoning_summary_text.done" => {
                let at = index(event, "summary_index");
                assert_eq!(self.item(event)["summary"][at]["text"], event["text"]);
            }
            "response.reasoning_summary_part.done" => {
                let at = index(event, "summary_index");
                assert_eq!(self.item(event)["summary"][at], event["part"]);
            }
            "response.function_call_arguments.delta" => {
                push_text(&mut self.item(event)["arguments"], &event["delta"]);
            }
            "response.function_call_arguments.done" => {
                assert_eq!(self.item(event)["arguments"], event["arguments"]);
            }
            "response.custom_tool_call_input.delta" => {
                push_text(&mut self.item(event)["input"], &event["delta"]);
            }
            "response.custom_tool_call_input.done" => {
                assert_eq!(self.item(event)["input"], event["input"]);
            }
            "response.image_generation_call.in_progress" | "response.image_generation_call.completed" => {
                self.item(event);
            }
            "response.output_item.done" => {
                let done = &event["item"];
                let item = self.item(event);
                for key in ["status", "encrypted_content", "result", "output_format"] {
                    if let Some(value) = done.get(key) {
                        item[key] = value.clone();
                    }
                }
                assert_eq!(item, done, "the deltas are the item");
                self.items[index(event, "output_index")].1 = true;
            }
            "response.completed" | "response.incomplete" => {
                assert!(self.items.iter().all(|(_, done)| *done), "every item is complete");
                self.response = Some(event["response"].clone());
            }
            other => panic!("unknown event {other}"),
        }
    }

    pub(super) fn output(&self) -> Value {
        self.items.iter().map(|(item, _)| item.clone()).collect()
    }
}
