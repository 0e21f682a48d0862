//! The events of a streamed response: each named as its type, numbered without gaps, with exactly one that
//! ends it.

use serde_json::{Map, Value, json};

use super::{Writer, output};
use crate::answer::text;
use crate::reply::Piece;
use crate::seal::Kind;

/// All events of the answer.
pub(super) fn events(writer: &Writer<'_>, items: &[Value]) -> Vec<Piece> {
    let mut out = Events { pieces: Vec::new(), piece_bytes: writer.said.piece_bytes };
    let open = output::open_response(writer, "in_progress");
    out.add("response.created", json!({"response": open}));
    out.add("response.in_progress", json!({"response": open}));
    for (index, item) in items.iter().enumerate() {
        out.item(writer, index, item);
    }
    let status = output::status(writer.said);
    out.add(&format!("response.{status}"), json!({"response": output::response(writer, status, items)}));
    out.pieces
}

struct Events {
    pieces: Vec<Piece>,
    piece_bytes: Option<usize>,
}

impl Events {
    fn bytes(&self, kind: &str, members: Value) -> String {
        let mut event = Map::new();
        event.insert("type".to_owned(), json!(kind));
        event.insert("sequence_number".to_owned(), json!(self.pieces.len()));
        if let Value::Object(members) = members {
            event.extend(members);
        }
        format!("event: {kind}\ndata: {}\n\n", Value::Object(event))
    }

    fn add(&mut self, kind: &str, members: Value) {
        let bytes = self.bytes(kind, members);
        self.pieces.push(Piece::frame(bytes));
    }

    /// A text in deltas, then whole.
    fn text(&mut self, kind: &str, full: &str, whole: &str, place: &Value, piece_bytes: Option<usize>) {
        let logprobs = kind == "response.output_text";
        for piece in text::pieces(full, piece_bytes) {
            let mut members = place.clone();
            members["delta"] = json!(piece);
            if logprobs {
                members["logprobs"] = json!([]);
            }
            let bytes = self.bytes(&format!("{kind}.delta"), members);
            self.pieces.push(Piece::content(bytes));
        }
        let mut members = place.clone();
        members[whole] = json!(full);
        if logprobs {
            members["logprobs"] = json!([]);
        }
        self.add(&format!("{kind}.done"), members);
    }

    fn item(&mut self, writer: &Writer<'_>, index: usize, item: &Value) {
        let place = json!({"item_id": item["id"], "output_index": index});
        let kind = item["type"].as_str().unwrap_or_default();
        self.add("response.output_item.added", json!({"output_index": index, "item": begun(writer, item)}));
        let given = |member: &str| item[member].as_str().unwrap_or_default();
        match kind {
            "reasoning" => self.reasoning(item, &place),
            "message" => self.message(item, &place),
            "function_call" => {
                let kind = "response.function_call_arguments";
                self.text(kind, given("arguments"), "arguments", &place, Some(12));
            }
            "custom_tool_call" => {
                self.text("response.custom_tool_call_input", given("input"), "input", &place, Some(12));
            }
            _ => {
                for step in ["in_progress", "searching", "completed"] {
                    self.add(&format!("response.{kind}.{step}"), place.clone());
                }
            }
        }
        self.add("response.output_item.done", json!({"output_index": index, "item": item}));
    }

    fn reasoning(&mut self, item: &Value, place: &Value) {
        for (index, part) in item["summary"].as_array().into_iter().flatten().enumerate() {
            let mut place = place.clone();
            place["summary_index"] = json!(index);
            let with = |part: Value| {
                let mut members = place.clone();
                members["part"] = part;
                members
            };
            self.add(
                "response.reasoning_summary_part.added",
                with(json!({"type": "summary_text", "text": ""})),
            );
            let full = part["text"].as_str().unwrap_or_default();
            self.text("response.reasoning_summary_text", full, "text", &place, None);
            self.add("response.reasoning_summary_part.done", with(part.clone()));
        }
    }

    fn message(&mut self, item: &Value, place: &Value) {
        for (index, part) in item["content"].as_array().into_iter().flatten().enumerate() {
            let mut place = place.clone();
            place["content_index"] = json!(index);
            let mut begun = part.clone();
            (begun["text"], begun["annotations"]) = (json!(""), json!([]));
            let with = |part: &Value| {
                let mut members = place.clone();
                members["part"] = part.clone();
                members
            };
            self.add("response.content_part.added", with(&begun));
            let full = part["text"].as_str().unwrap_or_default();
            self.text("response.output_text", full, "text", &place, self.piece_bytes);
            for (at, annotation) in part["annotations"].as_array().into_iter().flatten().enumerate() {
                let mut members = place.clone();
                (members["annotation_index"], members["annotation"]) = (json!(at), annotation.clone());
                self.add("response.output_text.annotation.added", members);
            }
            self.add("response.content_part.done", with(part));
        }
    }
}

/// An item as it is announced. The sealed reasoning in it is not yet the final one, as OpenAI's is not.
fn begun(writer: &Writer<'_>, item: &Value) -> Value {
    let mut begun = item.clone();
    if item.get("status").is_some() {
        begun["status"] = json!("in_progress");
    }
    for (member, empty) in
        [("summary", json!([])), ("content", json!([])), ("arguments", json!("")), ("input", json!(""))]
    {
        if item.get(member).is_some() {
            begun[member] = empty;
        }
    }
    if item.get("encrypted_content").is_some() {
        begun["encrypted_content"] = json!(writer.meta.seal.issue(Kind::Reasoning, ""));
    }
    if let Some(members) = begun.as_object_mut() {
        members.shift_remove("action");
    }
    begun
}
