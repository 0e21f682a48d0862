//! One item of an answer as it grows, and its JSON.

use tollgate_domain::conversation::{File, FileData, ReasoningKind};
use tollgate_wire::json::write_string;

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// It grows.
    InProgress,
    /// It is complete.
    Completed,
    /// The answer ended within it.
    Incomplete,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
        }
    }
}

/// An item that is not complete yet.
#[derive(Debug)]
pub(super) struct Item {
    /// Its id (`msg_…`).
    pub(super) id: String,
    /// What it holds.
    pub(super) body: Body,
}

/// What an item holds.
#[derive(Debug)]
pub(super) enum Body {
    /// Text and refusals.
    Message(Vec<TextPart>),
    /// Reasoning.
    Reasoning(ReasoningItem),
    /// A call that the client must run.
    Call(Call),
}

/// A content part of a message.
#[derive(Debug)]
pub(super) struct TextPart {
    /// The block that it shows.
    pub(super) block: u32,
    /// It is a refusal.
    pub(super) refusal: bool,
    /// Its text so far.
    pub(super) text: String,
    /// Its annotations, as JSON.
    pub(super) annotations: Vec<Vec<u8>>,
    /// Characters of visible text before it.
    pub(super) before: u64,
    /// Its block has ended.
    pub(super) ended: bool,
    /// It was told to be complete.
    pub(super) done: bool,
}

/// A reasoning item.
#[derive(Debug, Default)]
pub(super) struct ReasoningItem {
    /// The provider's id of it.
    pub(super) own_id: Option<String>,
    /// Whose state it is.
    pub(super) format: &'static str,
    /// Summaries in order.
    pub(super) summary: Vec<ReasoningPart>,
    /// Texts in order.
    pub(super) content: Vec<ReasoningPart>,
    /// Its state.
    pub(super) encrypted: Option<String>,
    /// The blocks that have begun and not ended.
    pub(super) open: Vec<(u32, ReasoningKind)>,
}

/// A summary or text of a reasoning item.
#[derive(Debug)]
pub(super) struct ReasoningPart {
    /// The block that it shows.
    pub(super) block: u32,
    /// Its text so far.
    pub(super) text: String,
    /// It was told to be complete.
    pub(super) done: bool,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// The block that it shows.
    pub(super) block: u32,
    /// The id that the client answers to.
    pub(super) call_id: String,
    /// The tool's name.
    pub(super) name: String,
    /// The arguments so far, byte for byte.
    pub(super) arguments: String,
    /// The tool was declared as custom: its argument is a text.
    pub(super) custom: bool,
    /// How many bytes of that text were told.
    pub(super) told: usize,
    /// Its block has ended.
    pub(super) ended: bool,
}

impl ReasoningItem {
    /// The parts of a kind.
    pub(super) fn parts(&mut self, summary: bool) -> &mut Vec<ReasoningPart> {
        if summary { &mut self.summary } else { &mut self.content }
    }
}

impl Item {
    /// Whether all its blocks have ended.
    pub(super) fn settled(&self) -> bool {
        match &self.body {
            Body::Message(parts) => parts.iter().all(|part| part.ended),
            Body::Reasoning(item) => item.open.is_empty(),
            Body::Call(call) => call.ended,
        }
    }

    /// Appends the item's JSON. In progress it is empty.
    pub(super) fn write(&self, out: &mut Vec<u8>, status: Status) {
        let empty = status == Status::InProgress;
        member(out, b"{\"id\":", &self.id);
        match &self.body {
            Body::Message(parts) => {
                member(out, b",\"type\":\"message\",\"status\":", status.as_str());
                out.extend_from_slice(b",\"content\":");
                list(out, if empty { &[] } else { parts }, TextPart::write);
                out.extend_from_slice(b",\"role\":\"assistant\"");
            }
            Body::Reasoning(item) => {
                out.extend_from_slice(b",\"type\":\"reasoning\",\"summary\":");
                list(out, if empty { &[] } else { &item.summary }, |part, out| {
                    write_reasoning_part(out, true, &part.text);
                });
                if !empty && !item.content.is_empty() {
                    out.extend_from_slice(b",\"content\":");
                    list(out, &item.content, |part, out| write_reasoning_part(out, false, &part.text));
                }
                if let Some(state) = item.encrypted.as_deref().filter(|_| !empty) {
                    member(out, b",\"encrypted_content\":", state);
                }
            }
            Body::Call(call) if call.custom => {
                member(out, b",\"type\":\"custom_tool_call\",\"status\":", status.as_str());
                member(out, b",\"call_id\":", &call.call_id);
                member(out, b",\"input\":", if empty { "" } else { &call.arguments });
                member(out, b",\"name\":", &call.name);
            }
            Body::Call(call) => {
                member(out, b",\"type\":\"function_call\",\"status\":", status.as_str());
                member(out, b",\"arguments\":", if empty { "" } else { &call.arguments });
                member(out, b",\"call_id\":", &call.call_id);
                member(out, b",\"name\":", &call.name);
            }
        }
        out.push(b'}');
    }
}

impl TextPart {
    /// Appends the part's JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.refusal {
            member(out, b"{\"type\":\"refusal\",\"refusal\":", &self.text);
        } else {
            out.extend_from_slice(b"{\"type\":\"output_text\",\"annotations\":");
            list(out, &self.annotations, |annotation, out| out.extend_from_slice(annotation));
            member(out, b",\"logprobs\":[],\"text\":", &self.text);
        }
        out.push(b'}');
    }
}

/// Appends the JSON of a summary or text.
pub(super) fn write_reasoning_part(out: &mut Vec<u8>, summary: bool, text: &str) {
    let lead: &[u8] = if summary {
        b"{\"type\":\"summary_text\",\"text\":"
    } else {
        b"{\"type\":\"reasoning_text\",\"text\":"
    };
    member(out, lead, text);
    out.push(b'}');
}

/// Appends the item of an image that the model made.
pub(super) fn write_image(out: &mut Vec<u8>, id: &str, file: Option<&File>) {
    member(out, b"{\"id\":", id);
    let status = if file.is_some() { Status::Completed } else { Status::InProgress };
    member(out, b",\"type\":\"image_generation_call\",\"status\":", status.as_str());
    match file {
        Some(file) => {
            let format = file.media_type.strip_prefix("image/").filter(|f| *f != "*").unwrap_or("png");
            member(out, b",\"output_format\":", format);
            let (FileData::Base64(data)
            | FileData::Url(data)
            | FileData::Reference(data)
            | FileData::Text(data)) = &file.data;
            member(out, b",\"result\":", data);
        }
        None => out.extend_from_slice(b",\"result\":null"),
    }
    out.push(b'}');
}

/// Appends a member: `lead` is all from the comma to the colon.
pub(super) fn member(out: &mut Vec<u8>, lead: &[u8], text: &str) {
    out.extend_from_slice(lead);
    write_string(out, text);
}

/// Appends an array.
pub(super) fn list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}
