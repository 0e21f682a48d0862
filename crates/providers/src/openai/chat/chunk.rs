//! One body or stream chunk of the protocol, looked at as slices of its text. The decoder and the tap read
//! replies through this view, so that they cannot disagree (I2).

use std::borrow::Cow;

use serde_json::Value;
use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;
use tollgate_wire::json::{self, Object};

use super::quirks::UsageConvention;
use super::usage::{self, UsageReport};
use crate::{BodyForm, classify};

/// A whole answer or one chunk of a stream.
pub(super) struct Chunk<'a> {
    top: Object<'a>,
    choices: Vec<Object<'a>>,
}

impl<'a> Chunk<'a> {
    /// Looks at a chunk; a failure when it is no JSON object, or reports an error (providers §0.3).
    pub(super) fn parse(text: &'a [u8], provider: &str, event: &[u8]) -> Result<Self, Failure> {
        let top = Object::parse(text).map_err(|error| senseless(text, &error.to_string()))?;
        if is_error(&top, event) {
            let value: Value = serde_json::from_slice(text).unwrap_or(Value::Null);
            return Err(classify::error_value(provider, 200, &value));
        }
        let mut choices = Vec::new();
        if let Some(raw) = top.get_borrowed("choices").filter(|raw| raw.first() == Some(&b'[')) {
            for element in json::elements(raw).map_err(|error| senseless(text, &error.to_string()))? {
                if element.first() == Some(&b'{') {
                    choices
                        .push(Object::parse_checked(element).map_err(|e| senseless(text, &e.to_string()))?);
                }
            }
        }
        Ok(Self { top, choices })
    }

    /// The text of a top-level member that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        text_of(&self.top, key)
    }

    /// OpenAI's padding of a chunk, a string of random length behind everything else.
    pub(super) fn padding(&self) -> Option<&'a [u8]> {
        self.top.get_borrowed("obfuscation").filter(|raw| raw.first() == Some(&b'"'))
    }

    /// A top-level member that is not null.
    pub(super) fn member(&self, key: &str) -> Option<&[u8]> {
        self.top.get(key).filter(|raw| !json::is_null(raw))
    }

    /// The usage report: at the top, in Groq's own member, or in a choice (older Moonshot).
    pub(super) fn usage(&self, convention: UsageConvention) -> Option<UsageReport> {
        if let Some(report) = self.member("usage").and_then(|raw| usage::parse(raw, convention)) {
            return Some(report);
        }
        if let Some(raw) = self.member("x_groq") {
            let own = Object::parse_checked(raw).ok()?;
            if let Some(report) = own.get("usage").and_then(|raw| usage::parse(raw, convention)) {
                return Some(report);
            }
        }
        self.choices.iter().find_map(|choice| usage::parse(choice.get("usage")?, convention))
    }

    /// The first choice; the gateway's surfaces have no others.
    pub(super) fn choice(&self) -> Option<Choice<'_, 'a>> {
        let is_first = |c: &&Object<'a>| c.get("index").and_then(json::unsigned).unwrap_or(0) == 0;
        self.choices.iter().find(is_first).map(|object| Choice { object })
    }

    /// All choices, for a tap: a client may have asked for several, and pays for all.
    pub(super) fn choices(&self) -> impl Iterator<Item = Choice<'_, 'a>> {
        self.choices.iter().map(|object| Choice { object })
    }
}

/// One choice.
pub(super) struct Choice<'c, 'a> {
    object: &'c Object<'a>,
}

impl<'a> Choice<'_, 'a> {
    /// Whether it is the same one, not only an equal one.
    pub(super) fn is(&self, other: &Choice<'_, '_>) -> bool {
        std::ptr::eq::<Object<'_>>(self.object, other.object)
    }

    /// `finish_reason` as sent; an empty one is `Some("")`, `null` is none.
    pub(super) fn finish_reason(&self) -> Option<Cow<'_, str>> {
        json::string(self.object.get("finish_reason")?)
    }

    /// What was added: `delta` of a stream, `message` of a whole answer (Perplexity sends both in both).
    pub(super) fn delta(&self, form: BodyForm) -> Option<Object<'a>> {
        let names = match form {
            BodyForm::Stream => ["delta", "message"],
            BodyForm::Whole => ["message", "delta"],
        };
        let raw = names
            .into_iter()
            .filter_map(|name| self.object.get_borrowed(name))
            .find(|raw| raw.first() == Some(&b'{'))?;
        Object::parse_checked(raw).ok()
    }
}

/// The text of a string member that is not empty.
pub(super) fn text_of<'o>(object: &'o Object<'_>, key: &str) -> Option<Cow<'o, str>> {
    json::string(object.get(key)?).filter(|text| !text.is_empty())
}

/// Whether the chunk is an error: an `error` member, an event of that name, a flat error object, or
/// MiniMax's status (providers §2).
fn is_error(top: &Object<'_>, event: &[u8]) -> bool {
    // An empty `error` beside an answer is none.
    let is_set = |raw: &[u8]| !matches!(raw, b"null" | b"\"\"" | b"{}" | b"false");
    if top.get("error").is_some_and(is_set) || event == b"error" {
        return true;
    }
    if top.get("object") == Some(b"\"error\"") {
        return true;
    }
    if let Some(raw) = top.get("base_resp") {
        let failed = Object::parse_checked(raw)
            .ok()
            .and_then(|base| base.get("status_code").map(|code| code != b"0"))
            .unwrap_or(false);
        if failed {
            return true;
        }
    }
    !top.has("choices") && !top.has("usage") && (top.has("message") || top.has("detail"))
}

/// An answer that is no JSON.
fn senseless(text: &[u8], error: &str) -> Failure {
    let head = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
    Failure::provider(
        FailureClass::Server,
        format!("The provider's answer is not what its protocol promises ({error}); it begins with: {head}"),
    )
}
