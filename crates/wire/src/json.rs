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
        // serde_json refuses lone surrogates, which are no matter of grammar.
        Err(_) => Some(Cow::Owned(unescaped(&String::from_utf8_lossy(inner)))),
    }
}

/// The text of a string's inside, by UTF-16 as its escapes are written.
fn unescaped(inner: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        units.extend(plain.encode_utf16());
        let hex = escape.strip_prefix('u').and_then(|hex| hex.get(..4));
        rest = if let Some(unit) = hex.and_then(|hex| u16::from_str_radix(hex, 16).ok()) {
            units.push(unit);
            &escape[5..]
        } else {
            let mut characters = escape.chars();
            let named = characters.next().map(|name| match name {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                itself => itself,
            });
            units.extend(named.iter().flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec()));
            characters.as_str()
        };
    }
    units.extend(rest.encode_utf16());
    String::from_utf16_lossy(&units)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        for (raw, text) in [
            (r#""\ud800""#, "\u{fffd}"),
            (r#""a\udc00é\n""#, "a\u{fffd}é\n"),
            (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud800\u0041\"\\\/\b\f\r\t""#, "\u{fffd}A\"\\/\u{8}\u{c}\r\t"),
            (r#""\ud83d\ude00\uD83D""#, "😀\u{fffd}"),
        ] {
            assert_eq!(string(raw.as_bytes()).as_deref(), Some(text), "{raw}");
        }
    }

    #[test]
    fn what_is_no_string_has_no_text() {
        for raw in ["1", "null", "\"", "", "[\"a\"]"] {
            assert_eq!(string(raw.as_bytes()), None, "{raw}");
        }
    }

    proptest::proptest! {
        /// Any sequence of escaped units reads as UTF-16 does.
        #[test]
        fn escapes_read_as_utf_16(units in proptest::collection::vec(
            proptest::prop_oneof![0xd7f0u16..0xe010, proptest::num::u16::ANY], 0..8)) {
            let escapes: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let raw = format!("\"{escapes}\"");
            let read = string(raw.as_bytes()).map(Cow::into_owned);
            proptest::prop_assert_eq!(read, Some(String::from_utf16_lossy(&units)));
        }
    }
}
