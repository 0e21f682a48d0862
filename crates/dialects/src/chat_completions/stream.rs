//! A streamed answer from neutral events: the real service's chunks, in its order (gateway-api §7.1,
//! clients §0.1, §0.4, §0.7): the role alone, then content, then exactly one last chunk that carries
//! metadata, finish reason, usage and id together, then `[DONE]`.

use tollgate_domain::conversation::{File, FileData};
use tollgate_domain::reply::Finish;
use tollgate_domain::{Failure, GenerationId, Receipt, ReplyEvent};
use tollgate_wire::json::write_string;

use super::reasoning::Blocks;
use super::reply::provider_metadata;
use super::tool_lane::{Step, ToolLane};
use crate::ReplyContext;
use crate::metadata::write_integer;
use crate::openai_error;

/// Writes one streamed answer.
#[derive(Debug)]
pub struct StreamEncoder {
    context: ReplyContext,
    frame: Frame,
    reasoning: Blocks,
    tools: ToolLane,
}

/// What stands around every delta, made once.
#[derive(Debug)]
struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
    role_sent: bool,
}

impl Frame {
    fn new(context: &ReplyContext) -> Self {
        let mut before = b"data: ".to_vec();
        context.write_head(&mut before, "chat.completion.chunk");
        before.extend_from_slice(b"\"delta\":{");
        let mut after = b"},\"logprobs\":null,\"finish_reason\":null}],\"system_fingerprint\":".to_vec();
        write_string(&mut after, &context.fingerprint);
        after.extend_from_slice(b"}\n\n");
        Self { before, after, role_sent: false }
    }

    /// The first chunk of an answer holds the role and nothing else.
    fn write_role(&mut self, out: &mut Vec<u8>) {
        if !self.role_sent {
            self.role_sent = true;
            out.extend_from_slice(&self.before);
            out.extend_from_slice(b"\"role\":\"assistant\"");
            out.extend_from_slice(&self.after);
        }
    }

    /// A chunk whose delta's members `body` writes.
    fn chunk(&mut self, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        self.write_role(out);
        out.extend_from_slice(&self.before);
        body(out);
        out.extend_from_slice(&self.after);
    }

    fn text(&mut self, out: &mut Vec<u8>, member: &[u8], text: &str) {
        self.chunk(out, |out| {
            out.extend_from_slice(member);
            write_string(out, text);
        });
    }

    fn tool(&mut self, out: &mut Vec<u8>, step: &Step<'_>) {
        self.chunk(out, |out| {
            out.extend_from_slice(b"\"tool_calls\":[{\"index\":");
            match step {
                Step::Start(index, id, name) => {
                    write_integer(out, *index);
                    out.extend_from_slice(b",\"id\":");
                    write_string(out, id);
                    out.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
                    write_string(out, name);
                    out.extend_from_slice(b",\"arguments\":\"\"}}]");
                }
                Step::Arguments(index, text) => {
                    write_integer(out, *index);
                    out.extend_from_slice(b",\"function\":{\"arguments\":");
                    write_string(out, text);
                    out.extend_from_slice(b"}}]");
                }
            }
        });
    }
}

impl StreamEncoder {
    /// For one answer.
    #[must_use]
    pub fn new(context: ReplyContext) -> Self {
        let frame = Frame::new(&context);
        Self { context, frame, reasoning: Blocks::default(), tools: ToolLane::default() }
    }

    /// Appends the chunks of one event. `Info`, `Usage`, `Finish` and `Failure` write nothing: what they say
    /// is written by [`StreamEncoder::close`] and [`StreamEncoder::fail`].
    pub fn event(&mut self, event: &ReplyEvent, out: &mut Vec<u8>) {
        let Self { frame, reasoning, tools, context } = self;
        match event {
            ReplyEvent::TextDelta { text, .. } if !text.is_empty() => frame.text(out, b"\"content\":", text),
            ReplyEvent::RefusalDelta { text, .. } if !text.is_empty() => {
                frame.text(out, b"\"refusal\":", text)
            }
            ReplyEvent::ToolStart { .. } | ReplyEvent::ToolDelta { .. } | ReplyEvent::ToolEnd { .. } => {
                tools.event(event, |step| frame.tool(out, &step));
            }
            ReplyEvent::File(file) => frame.chunk(out, |out| write_file(out, file)),
            ReplyEvent::Source(source) => frame.chunk(out, |out| {
                out.extend_from_slice(b"\"annotations\":[");
                out.extend_from_slice(source.to_string().as_bytes());
                out.push(b']');
            }),
            _ if context.exclude_reasoning => {}
            ReplyEvent::ReasoningStart { block, kind, id, format } => {
                reasoning.start(*block, *kind, id.clone(), format);
            }
            ReplyEvent::ReasoningDelta { block, text } => {
                let block = reasoning.get(*block);
                frame.chunk(out, |out| write_reasoning(out, text, |out| block.write_text(out, text, None)));
            }
            ReplyEvent::ReasoningEnd { block, signature, data } => {
                let block = reasoning.get(*block);
                let (signature, data) = block.closing(signature.as_deref(), data.as_deref());
                if signature.is_some() {
                    frame.chunk(out, |out| {
                        write_reasoning(out, "", |out| block.write_text(out, "", signature))
                    });
                }
                if let Some(data) = data {
                    frame.chunk(out, |out| {
                        out.extend_from_slice(b"\"reasoning_details\":[");
                        block.write_encrypted(out, data);
                        out.push(b']');
                    });
                }
            }
            // A `Custom` block is known to one provider only and has no form in this protocol.
            _ => {}
        }
    }

    /// Appends the last chunk and `[DONE]`.
    pub fn close(&mut self, receipt: &Receipt, finish: &Finish, out: &mut Vec<u8>) {
        let Self { frame, tools, context, .. } = self;
        tools.finish(|step| frame.tool(out, &step));
        frame.write_role(out);
        out.extend_from_slice(&frame.before);
        out.extend_from_slice(b"\"provider_metadata\":");
        out.extend_from_slice(&provider_metadata(receipt, Some(finish)));
        out.push(b'}');
        context.write_tail(out, receipt, finish);
        out.extend_from_slice(b"\n\ndata: [DONE]\n\n");
    }

    /// Ends the stream with an error in place of the last chunk, and without `[DONE]` (I16).
    pub fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        write_failure(failure, self.context.generation, &self.context.model, out);
    }
}

/// `data: {"error":{…},"generationId":…}`.
pub(super) fn write_failure(failure: &Failure, generation: GenerationId, model: &str, out: &mut Vec<u8>) {
    let error = openai_error::from_failure(failure).with_model(model);
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&openai_error::error_body(&error, Some(generation), None));
    out.extend_from_slice(b"\n\n");
}

/// `reasoning`, `reasoning_details`, and `reasoning_content` for clients that read only that (clients §0.4).
fn write_reasoning(out: &mut Vec<u8>, text: &str, entry: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"\"reasoning\":");
    write_string(out, text);
    out.extend_from_slice(b",\"reasoning_details\":[");
    entry(out);
    out.extend_from_slice(b"],\"reasoning_content\":");
    write_string(out, text);
}

/// A generated file: an image as `images` (gateway-api §7.1), any other as `files` in the form of a request's
/// file part.
fn write_file(out: &mut Vec<u8>, file: &File) {
    let image = is_image(file);
    out.extend_from_slice(if image { b"\"images\":[" } else { b"\"files\":[" });
    write_file_part(out, file);
    out.push(b']');
}

pub(super) fn is_image(file: &File) -> bool {
    file.media_type.starts_with("image/")
}

/// The part of a generated file.
pub(super) fn write_file_part(out: &mut Vec<u8>, file: &File) {
    if is_image(file) {
        out.extend_from_slice(b"{\"type\":\"image_url\",\"image_url\":{\"url\":");
        write_file_data(out, file);
    } else {
        out.extend_from_slice(b"{\"type\":\"file\",\"file\":{\"data\":");
        write_file_data(out, file);
        out.extend_from_slice(b",\"media_type\":");
        write_string(out, &file.media_type);
        if let Some(name) = &file.filename {
            out.extend_from_slice(b",\"filename\":");
            write_string(out, name);
        }
    }
    out.extend_from_slice(b"}}");
}

fn write_file_data(out: &mut Vec<u8>, file: &File) {
    match &file.data {
        FileData::Base64(data) => {
            let mut url = String::with_capacity(data.len() + 32);
            url.push_str("data:");
            url.push_str(&file.media_type);
            url.push_str(";base64,");
            url.push_str(data);
            write_string(out, &url);
        }
        FileData::Url(text) | FileData::Reference(text) | FileData::Text(text) => write_string(out, text),
    }
}

#[cfg(test)]
pub(super) mod tests;
