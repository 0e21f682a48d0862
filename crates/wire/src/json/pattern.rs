//! Texts that differ in a few strings only, as the chunks of one stream do.

use std::ops::Range;

use super::scan::{check_utf8, skip_string};

/// A JSON text seen before, with holes where one or two of its strings stood. A text that fits it parses
/// just as the first one did, but for those strings, so nothing else of it has to be looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    before: Vec<u8>,
    /// What stands behind each hole.
    after: Vec<Vec<u8>>,
}

/// The strings that stand in the holes, each in its quotes; empty for a hole that the pattern has not.
pub type Fillings<'t> = [&'t [u8]; 2];

impl Pattern {
    /// Takes over a checked text whose strings at `holes`, in order, may be others each time. `None` when a
    /// hole is no string, or when there is none or more than two.
    #[must_use]
    pub fn new(text: &[u8], holes: &[Range<usize>]) -> Option<Self> {
        if holes.is_empty() || holes.len() > 2 {
            return None;
        }
        let mut after = Vec::with_capacity(holes.len());
        for (i, hole) in holes.iter().enumerate() {
            if text.get(hole.start) != Some(&b'"') || skip_string(text, hole.start).ok()?.0 != hole.end {
                return None;
            }
            let next = holes.get(i + 1).map_or(text.len(), |next| next.start);
            after.push(text.get(hole.end..next)?.to_vec());
        }
        Some(Self { before: text.get(..holes[0].start)?.to_vec(), after })
    }

    /// What stands in the holes; `None` when the text does not fit. What is given is valid, UTF-8 included.
    #[must_use]
    pub fn fit<'t>(&self, text: &'t [u8]) -> Option<Fillings<'t>> {
        let mut rest = text.strip_prefix(&self.before[..])?;
        let mut found: Fillings<'t> = [b"", b""];
        for (after, filling) in self.after.iter().zip(&mut found) {
            if rest.first() != Some(&b'"') {
                return None;
            }
            let (string, behind) = rest.split_at_checked(skip_string(rest, 0).ok()?.0)?;
            check_utf8(string).ok()?;
            *filling = string;
            rest = behind.strip_prefix(&after[..])?;
        }
        rest.is_empty().then_some(found)
    }
}

/// Where a slice of a text lies in it; `None` when it is no slice of that text.
#[must_use]
pub fn place(text: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= text.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = br#"{"id":"x","delta":{"content":"one"},"n":null,"pad":"aa"}"#;

    fn at(word: &[u8]) -> Range<usize> {
        let at = memchr::memmem::find(TEXT, word).unwrap();
        place(TEXT, &TEXT[at..at + word.len()]).unwrap()
    }

    #[test]
    fn texts_that_differ_in_the_strings_fit() {
        let one = Pattern::new(TEXT, &[at(b"\"one\"")]).unwrap();
        let two = Pattern::new(TEXT, &[at(b"\"one\""), at(b"\"aa\"")]).unwrap();
        for string in [r#""two""#, r#""""#, r#""a\"b\\""#, r#""\u00e4 ä""#] {
            let text = format!(r#"{{"id":"x","delta":{{"content":{string}}},"n":null,"pad":"aa"}}"#);
            assert_eq!(one.fit(text.as_bytes()), Some([string.as_bytes(), b""]));
            let text = format!(r#"{{"id":"x","delta":{{"content":{string}}},"n":null,"pad":{string}}}"#);
            assert_eq!(two.fit(text.as_bytes()), Some([string.as_bytes(), string.as_bytes()]));
            assert_eq!(one.fit(text.as_bytes()), None);
        }
    }

    #[test]
    fn all_others_do_not() {
        let pattern = Pattern::new(TEXT, &[at(b"\"one\"")]).unwrap();
        for hole in
            ["1", "null", "\"", "\"a", "a\"", "\"a\",\"role\":\"b\"", "\"a\nb\"", "\"\\q\"", "\"a\" ", ""]
        {
            let text = format!(r#"{{"id":"x","delta":{{"content":{hole}}},"n":null,"pad":"aa"}}"#);
            assert_eq!(pattern.fit(text.as_bytes()), None, "{hole}");
        }
        let longer = [TEXT, b" "].concat();
        for text in [
            &TEXT[..TEXT.len() - 1],
            &TEXT[1..],
            &longer,
            br#"{"id":"y","delta":{"content":"one"},"n":null}"#,
            b"",
        ] {
            assert_eq!(pattern.fit(text), None);
        }
        let mut broken = TEXT.to_vec();
        broken[at(b"one").start] = 0xFF;
        assert_eq!(pattern.fit(&broken), None, "no UTF-8");
        assert_eq!(Pattern::new(TEXT, std::slice::from_ref(&(0..5))), None);
        assert_eq!(Pattern::new(TEXT, &[]), None);
        assert_eq!(Pattern::new(TEXT, &[at(b"\"aa\""), at(b"\"one\"")]), None, "out of order");
        assert_eq!(place(TEXT, b"elsewhere"), None);
    }
}
