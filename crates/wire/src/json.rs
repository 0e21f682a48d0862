//! JSON looked at and spliced without being parsed as a whole. A text is checked once, in full; members
//! are then slices of it, and an edited object writes untouched members exactly as they stood (I17).

mod checked;
mod object;
mod pattern;
mod scan;

pub use checked::Checked;
pub use object::{Object, elements};
pub use pattern::{Fillings, Pattern, place};
pub use scan::{JsonError, Kind, kind, validate, write_escaped, write_string};

use std::borrow::Cow;

/// The text of a JSON string value; `None` when the value is no string. A lone surrogate escape becomes
/// the replacement character.
#[must_use]
pub fn string(raw: &[u8]) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    match serde_json::from_slice::<String>(raw) {
        Ok(text) => Some(Cow::Owned(text)),
        Err(_) => serde_json::from_slice::<serde_json::Value>(raw)
            .ok()
            .and_then(|v| v.as_str().map(|s| Cow::Owned(s.to_owned())))
            .or_else(|| Some(String::from_utf8_lossy(inner))),
    }
}

/// An unsigned integer value; `None` when the value is anything else.
#[must_use]
pub fn unsigned(raw: &[u8]) -> Option<u64> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

/// Whether the value is `null`.
#[must_use]
pub fn is_null(raw: &[u8]) -> bool {
    raw == b"null"
}

/// The value of a boolean; `None` when the value is anything else.
#[must_use]
pub fn boolean(raw: &[u8]) -> Option<bool> {
    match raw {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}
