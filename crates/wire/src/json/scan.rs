//! The checking scanner: walks one value, strictly by RFC 8259, without building anything.

/// How deep values may nest (I26).
const MAX_DEPTH: usize = 128;

/// A text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct JsonError {
    /// What is wrong there.
    pub what: &'static str,
    /// Where, in bytes from the start.
    pub offset: usize,
}

impl JsonError {
    /// Line and column (both from 1, in characters) of the offset within `text`.
    #[must_use]
    pub fn line_and_column(&self, text: &[u8]) -> (usize, usize) {
        let before = &text[..self.offset.min(text.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |i| i + 1);
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        (line, String::from_utf8_lossy(&before[line_start..]).chars().count() + 1)
    }
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`
    Null,
}

impl Kind {
    /// The type in words, with its article, for messages.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "null",
        }
    }
}

/// The type of a checked value, by its first byte.
#[must_use]
pub fn kind(raw: &[u8]) -> Kind {
    match raw.first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

/// Checks that `text` is one JSON value in UTF-8 and nothing else but white space.
///
/// # Errors
/// The first place that is wrong.
pub fn validate(text: &[u8]) -> Result<(), JsonError> {
    check_utf8(text)?;
    let start = skip_space(text, 0);
    let end = skip_value(text, start, &mut ())?;
    match skip_space(text, end) {
        at if at == text.len() => Ok(()),
        at => Err(JsonError { what: "unexpected text after the JSON value", offset: at }),
    }
}

pub(super) fn check_utf8(text: &[u8]) -> Result<(), JsonError> {
    if simdutf8::basic::from_utf8(text).is_ok() {
        return Ok(());
    }
    let offset = std::str::from_utf8(text).map_or_else(|e| e.valid_up_to(), str::len);
    Err(JsonError { what: "the text is not UTF-8", offset })
}

pub(super) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Eight times the same byte.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The first of eight bytes that ends a plain run: a quote, a backslash or a control character.
#[inline]
fn first_special(bytes: [u8; 8]) -> Option<usize> {
    const HIGH: u64 = eight(0x80);
    let word = u64::from_le_bytes(bytes);
    let (quote, backslash) = (word ^ eight(b'"'), word ^ eight(b'\\'));
    // A borrow may mark bytes behind a true hit, never before it, so the lowest mark is exact.
    let marks = (word.wrapping_sub(eight(0x20)) & !word)
        | (quote.wrapping_sub(eight(1)) & !quote)
        | (backslash.wrapping_sub(eight(1)) & !backslash);
    match marks & HIGH {
        0 => None,
        marks => usize::try_from(marks.trailing_zeros() / 8).ok(),
    }
}

/// Whether a block holds nothing that ends a plain run. Looking at the whole block, rather than stopping
/// early, lets the compiler use vector code.
#[inline]
fn is_plain(block: &[u8; 32]) -> bool {
    block
        .iter()
        .fold(0, |found, b| found | u8::from(*b < 0x20) | u8::from(*b == b'"') | u8::from(*b == b'\\'))
        == 0
}

/// The first byte from `at` on that a plain run of a string cannot hold; the text's end when there is none.
#[inline(always)]
fn plain_end(text: &[u8], mut at: usize) -> usize {
    // Most strings, and most runs between escapes, are short: words are looked at before whole blocks are.
    for _ in 0..4 {
        let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) else { break };
        if let Some(hit) = first_special(*bytes) {
            return at + hit;
        }
        at += 8;
    }
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk) {
        if !is_plain(block) {
            break;
        }
        at += 32;
    }
    while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) {
        if let Some(hit) = first_special(*bytes) {
            return at + hit;
        }
        at += 8;
    }
    let tail = text.get(at..).unwrap_or_default();
    at + tail.iter().position(|b| *b < 0x20 || matches!(b, b'"' | b'\\')).unwrap_or(tail.len())
}

/// The end of the string that begins at `at` (its opening quote), and whether it holds an escape.
pub(super) fn skip_string(text: &[u8], at: usize) -> Result<(usize, bool), JsonError> {
    let mut i = at + 1;
    let mut escaped = false;
    loop {
        i = plain_end(text, i);
        match text.get(i) {
            Some(b'"') => return Ok((i + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                i = skip_escape(text, i)?;
            }
            Some(_) => {
                return Err(JsonError {
                    what: "a control character stands unescaped in a string",
                    offset: i,
                });
            }
            None => return Err(JsonError { what: "a string is not closed", offset: text.len() }),
        }
    }
}

/// Whether no string of the text can be malformed: there is no control character anywhere, and behind every
/// backslash stands a letter of a simple escape. `false` says nothing: a text may hold `\\u` escapes, doubled
/// backslashes, or line breaks between its members. Looking at pairs of bytes without stopping lets the
/// compiler use vector code, which a walk from escape to escape cannot.
pub(super) fn strings_are_clean(text: &[u8]) -> bool {
    const BLOCK: usize = 4096;
    let simple = |b: u8| {
        u8::from(b == b'"')
            | u8::from(b == b'\\')
            | u8::from(b == b'/')
            | u8::from(b == b'b')
            | u8::from(b == b'f')
            | u8::from(b == b'n')
            | u8::from(b == b'r')
            | u8::from(b == b't')
    };
    let mut at = 0;
    while at < text.len() {
        let end = (at + BLOCK).min(text.len());
        let (these, next) = (&text[at..end], &text[at + 1..(end + 1).min(text.len())]);
        let bad = these.iter().zip(next).fold(0, |bad, (b, next)| {
            bad | u8::from(*b < 0x20) | (u8::from(*b == b'\\') & (simple(*next) ^ 1))
        });
        if bad != 0 {
            return false;
        }
        at = end;
    }
    text.last().is_none_or(|b| *b >= 0x20 && *b != b'\\')
}

/// The end of the string that begins at `at`, in a text whose strings are clean: the next quote that an even
/// number of backslashes stands before.
fn clean_string_end(text: &[u8], at: usize) -> Result<usize, JsonError> {
    let mut from = at + 1;
    loop {
        let Some(offset) = memchr::memchr(b'"', text.get(from..).unwrap_or_default()) else {
            return Err(JsonError { what: "a string is not closed", offset: text.len() });
        };
        let quote = from + offset;
        let backslashes = text[from..quote].iter().rev().take_while(|b| **b == b'\\').count();
        if backslashes % 2 == 0 {
            return Ok(quote + 1);
        }
        from = quote + 1;
    }
}

/// The end of the escape that begins at `at` (its backslash).
fn skip_escape(text: &[u8], at: usize) -> Result<usize, JsonError> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') if text.get(at + 2..at + 6).is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit)) => {
            Ok(at + 6)
        }
        _ => Err(JsonError { what: "an escape in a string is not valid", offset: at }),
    }
}

fn skip_number(text: &[u8], at: usize) -> Result<usize, JsonError> {
    let bad = |offset| JsonError { what: "a number is not valid", offset };
    let digits = |mut i: usize| {
        let start = i;
        while text.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        if i == start { Err(bad(i)) } else { Ok(i) }
    };
    let mut i = at + usize::from(text[at] == b'-');
    i = if text.get(i) == Some(&b'0') { i + 1 } else { digits(i)? };
    if text.get(i) == Some(&b'.') {
        i = digits(i + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(i) {
        i += 1;
        i += usize::from(matches!(text.get(i), Some(b'+' | b'-')));
        i = digits(i)?;
    }
    Ok(i)
}

fn skip_literal(text: &[u8], at: usize, word: &'static [u8]) -> Result<usize, JsonError> {
    if text[at..].starts_with(word) {
        Ok(at + word.len())
    } else {
        Err(JsonError { what: "expected a JSON value", offset: at })
    }
}

/// Is told of every string that a walk passes, names included.
pub(super) trait Notes {
    /// The string from its opening quote to behind its closing one.
    fn string(&mut self, text: &[u8], start: usize, end: usize);

    /// Whether the strings of the text are known to be well-formed ([`strings_are_clean`]), so that only their
    /// ends need be found.
    #[inline]
    fn clean(&self) -> bool {
        false
    }
}

/// Nothing is noted.
impl Notes for () {
    #[inline]
    fn string(&mut self, _: &[u8], _: usize, _: usize) {}
}

/// The end of the value that begins at `at`.
pub(super) fn skip_value(text: &[u8], at: usize, notes: &mut impl Notes) -> Result<usize, JsonError> {
    // One bit a level: set for an object.
    let (mut objects, mut depth) = (0u128, 0usize);
    let mut i = at;
    loop {
        // A value begins at `i`.
        match text.get(i) {
            Some(b'"') => {
                let start = i;
                i = if notes.clean() { clean_string_end(text, start)? } else { skip_string(text, start)?.0 };
                notes.string(text, start, i);
            }
            Some(b'-' | b'0'..=b'9') => i = skip_number(text, i)?,
            Some(b't') => i = skip_literal(text, i, b"true")?,
            Some(b'f') => i = skip_literal(text, i, b"false")?,
            Some(b'n') => i = skip_literal(text, i, b"null")?,
            Some(open @ (b'{' | b'[')) => {
                let is_object = *open == b'{';
                let inner = skip_space(text, i + 1);
                let close = if is_object { b'}' } else { b']' };
                if text.get(inner) == Some(&close) {
                    i = inner + 1;
                } else {
                    if depth == MAX_DEPTH {
                        return Err(JsonError { what: "values nest deeper than 128 levels", offset: i });
                    }
                    objects = (objects << 1) | u128::from(is_object);
                    depth += 1;
                    i = if is_object { skip_key(text, inner, notes)?.value } else { inner };
                    continue;
                }
            }
            Some(_) => return Err(JsonError { what: "expected a JSON value", offset: i }),
            None => {
                return Err(JsonError { what: "the text ends where a JSON value is expected", offset: i });
            }
        }
        // A value has ended at `i`: close what it closes.
        loop {
            if depth == 0 {
                return Ok(i);
            }
            let is_object = objects & 1 == 1;
            i = skip_space(text, i);
            match text.get(i) {
                Some(b',') => {
                    i = skip_space(text, i + 1);
                    if is_object {
                        i = skip_key(text, i, notes)?.value;
                    }
                    break;
                }
                Some(b'}') if is_object => {}
                Some(b']') if !is_object => {}
                Some(_) if is_object => return Err(JsonError { what: "expected ',' or '}'", offset: i }),
                Some(_) => return Err(JsonError { what: "expected ',' or ']'", offset: i }),
                None => return Err(JsonError { what: "the text ends inside a value", offset: i }),
            }
            i += 1;
            objects >>= 1;
            depth -= 1;
        }
    }
}

/// A key that was passed.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// Behind its closing quote.
    pub end: usize,
    /// It holds an escape.
    pub escaped: bool,
    /// The start of its value.
    pub value: usize,
}

/// Passes the key that begins at `at` and the colon after it.
pub(super) fn skip_key(text: &[u8], at: usize, notes: &mut impl Notes) -> Result<Key, JsonError> {
    if text.get(at) != Some(&b'"') {
        return Err(JsonError { what: "expected a member name in double quotes", offset: at });
    }
    let (end, escaped) = if notes.clean() {
        let end = clean_string_end(text, at)?;
        (end, memchr::memchr(b'\\', &text[at..end]).is_some())
    } else {
        skip_string(text, at)?
    };
    notes.string(text, at, end);
    let colon = skip_space(text, end);
    if text.get(colon) != Some(&b':') {
        return Err(JsonError { what: "expected ':' after a member name", offset: colon });
    }
    Ok(Key { end, escaped, value: skip_space(text, colon + 1) })
}

/// Appends `text` as a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// Appends `text` as a piece of a JSON string, without quotes.
pub fn write_escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let end = plain_end(bytes, from);
        out.extend_from_slice(&bytes[from..end]);
        let Some(byte) = bytes.get(end) else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
        from = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where() {
        for (text, what, offset) in [
            ("", "the text ends where a JSON value is expected", 0),
            ("{\"a\":1,}", "expected a member name in double quotes", 7),
            ("{\"a\" 1}", "expected ':' after a member name", 5),
            ("[1 2]", "expected ',' or ']'", 3),
            ("{\"a\":tru}", "expected a JSON value", 5),
            ("{\"a\":\"x", "a string is not closed", 7),
            ("\"a\nb\"", "a control character stands unescaped in a string", 2),
            ("\"\\q\"", "an escape in a string is not valid", 1),
            ("01", "unexpected text after the JSON value", 1),
            ("[1,]", "expected a JSON value", 3),
            ("1.", "a number is not valid", 2),
            ("{\"a\":1", "the text ends inside a value", 6),
        ] {
            assert_eq!(validate(text.as_bytes()), Err(JsonError { what, offset }), "{text}");
        }
        let deep = "[".repeat(200);
        assert!(validate(deep.as_bytes()).is_err_and(|e| e.what.contains("128")));
        let error = JsonError { what: "", offset: 7 };
        assert_eq!(error.line_and_column("{\n \"ä\"x".as_bytes()), (2, 5));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{}:,\"0-9a-e.\\\\ntrufls+\\- ]{0,24}") {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            let ours = validate(text.as_bytes());
            // serde_json refuses numbers beyond f64 and lone surrogates, which are no matter of grammar.
            if let Err(e) = &theirs && !e.to_string().contains("number out of range") && !e.to_string().contains("surrogate") {
                proptest::prop_assert!(ours.is_err(), "{}", text);
            }
            if theirs.is_ok() {
                proptest::prop_assert_eq!(ours, Ok(()));
            }
        }

        #[test]
        fn written_strings_read_back(text in "\\PC*|[\\x00-\\x20\"\\\\]*") {
            let mut out = Vec::new();
            write_string(&mut out, &text);
            proptest::prop_assert_eq!(serde_json::from_slice::<String>(&out).ok(), Some(text.clone()));
            proptest::prop_assert_eq!(crate::json::string(&out).map(std::borrow::Cow::into_owned), Some(text));
        }
    }
}
