//! `POST /v1/messages/count_tokens`: how many tokens a prompt has (gateway-api §8.2). Anthropic is asked
//! itself; for other models the prompt is estimated here.

use bytes::Bytes;
use tollgate_domain::conversation::{Content, File, FileData, Part, Reasoning, Tool, ToolOutput};
use tollgate_domain::{Conversation, InputError};
use tollgate_wire::json::Checked;

use super::conversation;
use super::request::read_head;
use crate::body;
use crate::metadata::write_integer;
use crate::surface::Head;

/// A checked request to count tokens: a [`Request`](super::Request) that needs no `max_tokens`.
#[derive(Clone, Debug)]
pub struct CountTokens {
    /// What routing must know.
    pub head: Head,
    /// The model exactly as the client wrote it.
    pub model_as_sent: String,
    /// The body as it came, with what its check has found, for passthrough.
    pub checked: Checked<Bytes>,
}

/// What every message costs beside its content, in tokens.
const MESSAGE: u64 = 4;
/// What every tool costs beside its texts, and what having any costs, in tokens.
const TOOL: u64 = 12;
const TOOLS: u64 = 340;
/// An image: about what one of the largest size that is not scaled down costs with Anthropic (width × height
/// / 750).
const IMAGE: u64 = 1_600;
/// A page of a document, as text and as image.
const PAGE: u64 = 2_000;
/// Bytes of base64 that are taken for one page.
const PAGE_BYTES: u64 = 64 << 10;
/// A second of audio costs about 25 to 32 tokens, and is about 16 KiB of compressed base64.
const AUDIO_BYTES: u64 = 640;

impl CountTokens {
    /// Reads the head and checks the structure of the whole body.
    ///
    /// # Errors
    /// As [`Request::parse`](super::Request::parse), but for a missing `max_tokens`.
    pub fn parse(body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model' and 'messages'")?;
        let (head, model_as_sent) = read_head(&checked, false)?;
        Ok(Self { head, model_as_sent, checked })
    }

    /// The whole request in its neutral form.
    ///
    /// # Errors
    /// A member deep in a message or tool has a wrong type or value; the error names its JSON path.
    pub fn conversation(&self) -> Result<Conversation, InputError> {
        conversation::read(self.checked.text())
    }

    /// About how many tokens a prompt has, in whole tokens, for any model. English prose counts one token for
    /// four bytes; JSON and other dense text for three; every character outside ASCII, as most scripts come
    /// out near it, for one. Images and pages count a flat number each. Tokenizers of real models differ from
    /// this by a third either way.
    #[must_use]
    pub fn estimate(conversation: &Conversation) -> u64 {
        let mut total = 0u64;
        for message in &conversation.messages {
            total = total.saturating_add(MESSAGE).saturating_add(parts(&message.parts));
        }
        if !conversation.tools.is_empty() {
            total = total.saturating_add(TOOLS);
        }
        for tool in &conversation.tools {
            let own = match tool {
                Tool::Function(function) => {
                    let description = function.description.as_deref().unwrap_or_default();
                    prose(&function.name)
                        .saturating_add(prose(description))
                        .saturating_add(dense(&function.parameters.to_string()))
                }
                Tool::Provider { value, .. } => dense(&value.to_string()),
            };
            total = total.saturating_add(TOOL).saturating_add(own);
        }
        total.max(1)
    }

    /// The answer: `{"input_tokens":N}`.
    #[must_use]
    pub fn encode(tokens: u64) -> Vec<u8> {
        let mut out = b"{\"input_tokens\":".to_vec();
        write_integer(&mut out, tokens);
        out.push(b'}');
        out
    }
}

fn parts(parts: &[Part]) -> u64 {
    parts.iter().map(|part| content(&part.content)).fold(0, u64::saturating_add)
}

fn content(content: &Content) -> u64 {
    match content {
        Content::Text(text) | Content::Refusal(text) => prose(text),
        Content::File(found) => file(found),
        Content::Reasoning(reasoning) => thought(reasoning),
        Content::ToolCall(call) => {
            TOOL.saturating_add(prose(&call.name)).saturating_add(dense(&call.arguments))
        }
        Content::ToolResult(result) => TOOL.saturating_add(match &result.output {
            ToolOutput::Text(text) => dense(text),
            ToolOutput::Json(value) => dense(&value.to_string()),
            ToolOutput::Parts(inner) => parts(inner),
        }),
        Content::Custom { value, .. } => dense(&value.to_string()),
    }
}

/// Opaque state stands for text that the model reads: about three quarters of its bytes, encrypted.
fn thought(reasoning: &Reasoning) -> u64 {
    let hidden = reasoning.data.as_deref().unwrap_or_default().len() as u64 * 3 / 4 / 4;
    prose(&reasoning.text).saturating_add(hidden)
}

fn file(file: &File) -> u64 {
    let kind = file.media_type.split('/').next().unwrap_or_default();
    match (&file.data, kind) {
        (FileData::Text(text), _) => prose(text),
        (_, "image") => IMAGE,
        (FileData::Base64(data), "text") => prose_bytes(data.len() as u64 * 3 / 4),
        (FileData::Base64(data), "audio") => data.len() as u64 / AUDIO_BYTES + 1,
        (FileData::Base64(data), _) => (data.len() as u64).div_ceil(PAGE_BYTES).max(1).saturating_mul(PAGE),
        (FileData::Url(_) | FileData::Reference(_), _) => PAGE,
    }
}

fn prose(text: &str) -> u64 {
    weigh(text, 4)
}

fn dense(text: &str) -> u64 {
    weigh(text, 3)
}

fn prose_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

fn weigh(text: &str, bytes_a_token: u64) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    // Of a character outside ASCII only the first byte is no continuation.
    let others = text.bytes().filter(|b| *b >= 0xC0).count() as u64;
    ascii.div_ceil(bytes_a_token) + others
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn count(body: &Value) -> u64 {
        let request = CountTokens::parse(&Bytes::from(body.to_string())).unwrap();
        CountTokens::estimate(&request.conversation().unwrap())
    }

    fn asked(content: Value) -> Value {
        json!({"model": "openai/gpt-5", "messages": [{"role": "user", "content": content}]})
    }

    #[test]
    fn a_limit_is_not_needed_but_everything_else_is() {
        let request = CountTokens::parse(&Bytes::from(asked(json!("hi")).to_string())).unwrap();
        assert_eq!((request.head.model.as_str(), request.head.max_tokens), ("openai/gpt-5", None));
        let error = CountTokens::parse(&Bytes::from_static(b"{\"model\":\"a/b\"}")).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("messages"));
    }

    #[test]
    fn the_estimate_grows_with_every_kind_of_content() {
        let words = "The quick brown fox jumps over the lazy dog. ".repeat(100);
        let plain = count(&asked(json!(words)));
        assert!((900..1300).contains(&plain), "{plain} tokens for 900 words");
        let korean = count(&asked(json!("빠른 갈색 여우가 ".repeat(100))));
        assert!((700..1200).contains(&korean), "{korean} tokens for 700 syllables");
        let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="});
        let image = json!({"type": "image", "source": source});
        let short = count(&asked(json!("hi")));
        let images = count(&asked(json!([{"type": "text", "text": "hi"}, image, image])));
        assert_eq!(images, short + 2 * IMAGE);
        let in_result = json!([{"type": "tool_result", "tool_use_id": "t", "content": [image]}]);
        assert!(count(&asked(in_result)) >= IMAGE);
        let mut with_tools = asked(json!("hi"));
        with_tools["tools"] = json!([{"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}}]);
        assert!(count(&with_tools) > short + TOOLS);
        let mut with_system = asked(json!("hi"));
        with_system["system"] = json!(words);
        assert!(count(&with_system) > plain);
        let pdf = json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A".repeat(200_000)}});
        assert!(count(&asked(json!([pdf]))) >= 4 * PAGE);
    }

    #[test]
    fn the_answer() {
        assert_eq!(CountTokens::encode(2095), b"{\"input_tokens\":2095}");
    }
}
