//! A whole answer from the same neutral events as a stream (I2).

use tollgate_domain::conversation::File;
use tollgate_domain::reply::Finish;
use tollgate_domain::{Receipt, ReplyEvent};
use tollgate_wire::json::write_string;

use super::reasoning::Blocks;
use super::reply::provider_metadata;
use super::stream::{is_image, write_file_part};
use crate::ReplyContext;

/// Writes a whole `chat.completion`.
#[must_use]
pub fn encode_whole(
    context: &ReplyContext,
    events: &[ReplyEvent],
    finish: &Finish,
    receipt: &Receipt,
) -> Vec<u8> {
    let message = Message::collect(context, events);
    let mut out = Vec::with_capacity(4096 + message.text.len() + message.reasoning.len() * 3);
    context.write_head(&mut out, "chat.completion");
    out.extend_from_slice(b"\"message\":{\"role\":\"assistant\"");
    message.write(&mut out);
    out.extend_from_slice(b",\"provider_metadata\":");
    out.extend_from_slice(&provider_metadata(receipt, Some(finish)));
    out.push(b'}');
    context.write_tail(&mut out, receipt, finish);
    out
}

/// One reasoning block as its pieces are gathered.
struct Gathered<'e> {
    number: u32,
    text: String,
    signature: Option<&'e str>,
    data: Option<&'e str>,
}

struct Call<'e> {
    block: u32,
    id: &'e str,
    name: &'e str,
    arguments: String,
}

#[derive(Default)]
struct Message<'e> {
    text: String,
    refusal: String,
    reasoning: String,
    /// Whether any reasoning is visible.
    reasons_aloud: bool,
    details: Vec<Vec<u8>>,
    images: Vec<&'e File>,
    files: Vec<&'e File>,
    annotations: Vec<&'e serde_json::Value>,
    calls: Vec<Call<'e>>,
}

impl<'e> Message<'e> {
    fn collect(context: &ReplyContext, events: &'e [ReplyEvent]) -> Self {
        let mut message = Self::default();
        let mut blocks = Blocks::default();
        let mut gathered: Vec<Gathered<'e>> = Vec::new();
        for event in events {
            match event {
                ReplyEvent::TextDelta { text, .. } => message.text.push_str(text),
                ReplyEvent::RefusalDelta { text, .. } => message.refusal.push_str(text),
                ReplyEvent::ToolStart { block, id, name } => {
                    message.calls.push(Call { block: *block, id, name, arguments: String::new() });
                }
                ReplyEvent::ToolDelta { block, arguments } => {
                    if let Some(call) = message.calls.iter_mut().rfind(|c| c.block == *block) {
                        call.arguments.push_str(arguments);
                    }
                }
                ReplyEvent::File(file) if is_image(file) => message.images.push(file),
                ReplyEvent::File(file) => message.files.push(file),
                ReplyEvent::Source(source) => message.annotations.push(source),
                _ if context.exclude_reasoning => {}
                ReplyEvent::ReasoningStart { block, kind, id, format } => {
                    blocks.start(*block, *kind, id.clone(), format);
                    entry_of(&mut gathered, *block);
                }
                ReplyEvent::ReasoningDelta { block, text } => {
                    message.reasoning.push_str(text);
                    message.reasons_aloud = true;
                    entry_of(&mut gathered, *block).text.push_str(text);
                }
                ReplyEvent::ReasoningEnd { block, signature, data } => {
                    let entry = entry_of(&mut gathered, *block);
                    entry.signature = signature.as_deref();
                    entry.data = data.as_deref();
                }
                _ => {}
            }
        }
        for entry in &gathered {
            message.add_details(&mut blocks, entry);
        }
        message
    }

    fn add_details(&mut self, blocks: &mut Blocks, entry: &Gathered<'_>) {
        let block = blocks.get(entry.number);
        let (signature, data) = block.closing(entry.signature, entry.data);
        if !entry.text.is_empty() || signature.is_some() {
            let mut detail = Vec::with_capacity(entry.text.len() + 128);
            block.write_text(&mut detail, &entry.text, signature);
            self.details.push(detail);
            self.reasons_aloud = true;
        }
        if let Some(data) = data {
            let mut detail = Vec::with_capacity(data.len() + 128);
            block.write_encrypted(&mut detail, data);
            self.details.push(detail);
        }
    }

    /// The members after `role`, each with its leading comma.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"content\":");
        if self.text.is_empty()
            && !(self.calls.is_empty() && self.refusal.is_empty() && self.images.is_empty())
        {
            out.extend_from_slice(b"null");
        } else {
            write_string(out, &self.text);
        }
        if !self.refusal.is_empty() {
            out.extend_from_slice(b",\"refusal\":");
            write_string(out, &self.refusal);
        }
        if self.reasons_aloud {
            out.extend_from_slice(b",\"reasoning\":");
            write_string(out, &self.reasoning);
        }
        list(out, "reasoning_details", &self.details, |out, detail| out.extend_from_slice(detail));
        if self.reasons_aloud {
            out.extend_from_slice(b",\"reasoning_content\":");
            write_string(out, &self.reasoning);
        }
        list(out, "images", &self.images, |out, file| write_file_part(out, file));
        list(out, "files", &self.files, |out, file| write_file_part(out, file));
        list(out, "annotations", &self.annotations, |out, source| {
            out.extend_from_slice(source.to_string().as_bytes());
        });
        list(out, "tool_calls", &self.calls, |out, call| {
            out.extend_from_slice(b"{\"id\":");
            write_string(out, call.id);
            out.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
            write_string(out, call.name);
            out.extend_from_slice(b",\"arguments\":");
            write_string(out, &call.arguments);
            out.extend_from_slice(b"}}");
        });
    }
}

fn entry_of<'g, 'e>(gathered: &'g mut Vec<Gathered<'e>>, number: u32) -> &'g mut Gathered<'e> {
    let at = match gathered.iter().rposition(|g| g.number == number) {
        Some(at) => at,
        None => {
            gathered.push(Gathered { number, text: String::new(), signature: None, data: None });
            gathered.len() - 1
        }
    };
    &mut gathered[at]
}

/// `,"name":[…]`; nothing when there are no items.
fn list<T>(out: &mut Vec<u8>, name: &str, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    if items.is_empty() {
        return;
    }
    out.push(b',');
    write_string(out, name);
    out.extend_from_slice(b":[");
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}
