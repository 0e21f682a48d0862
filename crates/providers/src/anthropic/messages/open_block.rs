//! A content block of a reply while it is open: what it has collected, and what its parts become.

use std::borrow::Cow;

use serde_json::{Value, json};
use tollgate_domain::ReplyEvent;
use tollgate_wire::json::{self, Object};

use super::NAMESPACE;

/// A block that has begun and not ended.
#[derive(Debug)]
pub(super) enum OpenBlock {
    /// Visible text; its citations are given when it ends, since only then is its extent known.
    Text { block: u32, from: u64, citations: Vec<Value> },
    /// Text beside an answer that is asked for as a tool's input; it may turn out not to be wanted.
    Held { text: String },
    /// Reasoning, visible or redacted.
    Reasoning { block: u32, signature: Option<String>, data: Option<String> },
    /// A call. `seed` is the input that came with its start, used when no more comes.
    Tool { block: u32, seed: Option<String>, seen: bool, as_text: bool },
    /// A block that only this protocol knows.
    Other { value: Value, input: String },
}

/// A string member; `None` when absent, null, or no string.
pub(super) fn text<'a>(object: &'a Object<'_>, key: &str) -> Option<Cow<'a, str>> {
    object.get(key).and_then(json::string)
}

/// A member as a value; null when absent or unreadable.
pub(super) fn value(object: &Object<'_>, key: &str) -> Value {
    object.get(key).and_then(|raw| serde_json::from_slice(raw).ok()).unwrap_or(Value::Null)
}

/// The argument text that a call's `input` member holds; `None` when it holds nothing.
pub(super) fn input_text(block: &Object<'_>) -> Option<String> {
    let raw = block.get("input")?;
    let empty = json::is_null(raw) || Object::parse_checked(raw).is_ok_and(|o| o.is_empty());
    (!empty).then(|| String::from_utf8_lossy(raw).into_owned())
}

impl OpenBlock {
    /// Ends the block. `visible` is the number of characters of visible text before its end.
    pub(super) fn end(self, visible: u64, out: &mut Vec<ReplyEvent>) {
        match self {
            Self::Text { block, from, citations } => {
                out.push(ReplyEvent::TextEnd { block });
                out.extend(citations.into_iter().map(|c| ReplyEvent::Source(source(c, from, visible))));
            }
            Self::Held { .. } => {}
            Self::Reasoning { block, signature, data } => {
                out.push(ReplyEvent::ReasoningEnd { block, signature, data });
            }
            Self::Tool { block, seed, seen, as_text } => {
                if !seen {
                    let arguments = seed.unwrap_or_else(|| "{}".to_owned());
                    out.push(arguments_event(block, arguments, as_text));
                }
                out.push(if as_text { ReplyEvent::TextEnd { block } } else { ReplyEvent::ToolEnd { block } });
            }
            Self::Other { mut value, input } => {
                if let (Some(members), Ok(input)) =
                    (value.as_object_mut(), serde_json::from_str::<Value>(&input))
                {
                    members.insert("input".to_owned(), input);
                }
                out.push(ReplyEvent::Custom { namespace: NAMESPACE, value });
            }
        }
    }

    /// A summary of compacted history: it is kept in its block and is no text of the answer.
    pub(super) fn compaction(&mut self, delta: &Object<'_>) {
        let Self::Other { value: block, .. } = self else { return };
        for key in ["content", "encrypted_content"] {
            let Some(added) = text(delta, key) else { continue };
            match block.get_mut(key) {
                Some(Value::String(content)) => content.push_str(&added),
                _ => block[key] = Value::String(added.into_owned()),
            }
        }
    }
}

/// Argument text of a call, or of an answer that came as a call's input.
pub(super) fn arguments_event(block: u32, arguments: String, as_text: bool) -> ReplyEvent {
    if as_text {
        ReplyEvent::TextDelta { block, text: arguments }
    } else {
        ReplyEvent::ToolDelta { block, arguments }
    }
}

/// A citation as an annotation. One with an address becomes OpenAI's `url_citation` over the block's
/// characters; any other stays as the provider wrote it.
fn source(citation: Value, start: u64, end: u64) -> Value {
    let word = |key: &str| citation.get(key).and_then(Value::as_str);
    let url = word("url").or_else(|| word("source")).filter(|u| u.starts_with("http"));
    let Some(url) = url else { return citation };
    json!({
        "type": "url_citation",
        "url_citation": {
            "url": url,
            "title": word("title").unwrap_or_default(),
            "start_index": start,
            "end_index": end,
        },
    })
}
