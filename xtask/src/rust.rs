//! Enough of Rust's lexical grammar to tell code from comments and strings, and to find functions and tests.
use std::ops::Range;

use crate::source::Class;

/// The class of every byte. Quotes and prefixes of a literal count as its text.
pub fn classify(text: &str) -> Vec<Class> {
    let bytes = text.as_bytes();
    let mut classes = vec![Class::Code; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let (end, class) = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => (line_end(bytes, at), Class::Comment),
            b'/' if bytes.get(at + 1) == Some(&b'*') => (block_comment_end(bytes, at), Class::Comment),
            b'"' => (string_end(bytes, at), Class::Text),
            b'\'' => match char_end(bytes, at) {
                Some(end) => (end, Class::Text),
                None => (at + 1, Class::Code), // a lifetime
            },
            b'r' | b'b' | b'c' if !(at > 0 && is_word(bytes[at - 1])) => match prefixed_end(bytes, at) {
                Some(end) => (end, Class::Text),
                None => (word_end(bytes, at), Class::Code),
            },
            b if is_word(b) => (word_end(bytes, at), Class::Code),
            _ => (at + 1, Class::Code),
        };
        classes[at..end].fill(class);
        at = end;
    }
    classes
}

/// A letter, digit or underscore.
pub fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&b| !is_word(b)).map_or(bytes.len(), |n| at + n.max(1))
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| at + n)
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a string whose opening quote is at `quote`.
fn string_end(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a character literal at `at`, or nothing when the quote begins a lifetime.
fn char_end(bytes: &[u8], at: usize) -> Option<usize> {
    let inside = bytes.get(at + 1)?;
    if *inside == b'\\' {
        let from = at + 3;
        return Some(
            bytes.get(from..)?.iter().position(|&b| b == b'\'').map_or(bytes.len(), |n| from + n + 1),
        );
    }
    let width = match inside {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + 2 + width)
}

/// The end of `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`, `cr"…"` or `b'…'` at `at`.
fn prefixed_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut quote = at;
    while matches!(bytes.get(quote), Some(b'r' | b'b' | b'c')) && quote < at + 2 {
        quote += 1;
    }
    let raw = bytes[at..quote].contains(&b'r');
    let hashes = bytes.get(quote..)?.iter().take_while(|&&b| b == b'#').count();
    if !raw {
        return match bytes.get(quote)? {
            b'"' => Some(string_end(bytes, quote)),
            b'\'' if bytes[at] == b'b' => char_end(bytes, quote),
            _ => None,
        };
    }
    if bytes.get(quote + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let from = quote + hashes + 1;
    let end = bytes[from..].windows(close.len()).position(|w| w == close).map(|n| from + n + close.len());
    Some(end.unwrap_or(bytes.len()))
}

/// The offset just after the bracket that closes the one at `open`. `code` holds no strings or comments.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (n, b) in code.as_bytes()[open..].iter().enumerate() {
        match b {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return open + n + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Every word of the code and where it begins.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = code.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !is_word(bytes[at]) {
            at += 1;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        (start < at).then(|| (start, &code[start..at]))
    })
}

/// A function: its name, where its signature begins, and its body with braces, if it has one.
#[derive(Debug, PartialEq, Eq)]
pub struct Function<'a> {
    pub name: &'a str,
    pub signature: Range<usize>,
    pub body: Option<Range<usize>>,
}

/// Every function in the code, nested ones too; closures are part of the function around them.
pub fn functions(code: &str) -> Vec<Function<'_>> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut words = words(code).peekable();
    while let Some((start, word)) = words.next() {
        if word != "fn" {
            continue;
        }
        // `fn(u8) -> u8` is a type; a function has a name right after the blank.
        let Some(&(name_at, name)) = words.peek() else { break };
        if !code[start + 2..name_at].bytes().all(|b| b.is_ascii_whitespace()) {
            continue;
        }
        let mut at = name_at + name.len();
        while at < bytes.len() && !matches!(bytes[at], b'{' | b';') {
            at = if matches!(bytes[at], b'(' | b'[') { closing(code, at) } else { at + 1 };
        }
        let body = (bytes.get(at) == Some(&b'{')).then(|| at..closing(code, at));
        found.push(Function { name, signature: start..at.min(code.len()), body });
    }
    found
}

/// The items that are there for tests only: under `#[cfg(test)]`, or marked as a test.
pub fn test_regions(code: &str) -> Vec<Range<usize>> {
    let bytes = code.as_bytes();
    let mut regions: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(start) = code[from..].find("#[").map(|n| from + n) {
        let end = closing(code, start + 1);
        from = end;
        if !is_test_attribute(&code[start + 2..end - 1]) {
            continue;
        }
        let mut at = end;
        while at < bytes.len() {
            match bytes[at] {
                b';' => break,
                b'{' => break,
                b'(' | b'[' => at = closing(code, at),
                _ => at += 1,
            }
        }
        let stop = if bytes.get(at) == Some(&b'{') { closing(code, at) } else { (at + 1).min(code.len()) };
        regions.push(start..stop);
        from = stop;
    }
    regions
}

fn is_test_attribute(inside: &str) -> bool {
    let squeezed: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    let path = squeezed.split('(').next().unwrap_or_default();
    path == "test"
        || path.ends_with("::test")
        || ["cfg(test)", "cfg(any(test,", "cfg(all(test,"].iter().any(|p| squeezed.starts_with(p))
}

/// The `name` of `mod name;` when that is what a test region declares.
pub fn declared_module(region: &str) -> Option<String> {
    let item = region.trim_end().strip_suffix(';')?;
    let (before, name) = item.rsplit_once(char::is_whitespace)?;
    (before.trim_end().ends_with("mod")).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
