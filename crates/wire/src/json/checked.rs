//! An object that is checked once and looked at several times, by readers that need not check it again.

use std::borrow::Cow;

use super::object::{Member, Object, walk};
use super::scan::{JsonError, Notes, check_utf8, strings_are_clean};

/// From how many bytes on the end of a string is remembered.
const LONG: usize = 64;
/// From how many bytes on a text is looked over before it is walked.
const LARGE: usize = 8 << 10;
/// The longest string that [`Checked::may_hold`] knows of, quotes included.
const SHORT: usize = 24;

/// The text of an object that has been checked in full, nested values included, with an index of what lies
/// in it: its members, the ends of its long strings, and a summary of its short ones.
#[derive(Debug, Clone)]
pub struct Checked<T> {
    text: T,
    members: Vec<Slot>,
    index: Index,
}

/// Where a member stands.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: (usize, usize),
    value: (usize, usize),
    escaped: bool,
}

#[derive(Debug, Clone, Default)]
struct Index {
    /// Start and end of each long string, in order.
    long: Vec<(usize, usize)>,
    /// One bit for each kind of short string; strings of one kind cannot be told apart.
    short: u128,
    /// The strings need only be found, not checked.
    clean: bool,
}

impl Notes for Index {
    #[inline]
    fn string(&mut self, text: &[u8], start: usize, end: usize) {
        let length = end - start;
        if length >= LONG {
            self.long.push((start, end));
        } else if length <= SHORT {
            self.short |= kind_of(&text[start + 1..end - 1]);
        }
    }

    #[inline]
    fn clean(&self) -> bool {
        self.clean
    }
}

/// The bit of a short string: made of its length and its two ends.
#[inline]
fn kind_of(inner: &[u8]) -> u128 {
    let end = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or(0));
    let mixed = inner.len() * 29 + end(inner.first()) * 5 + end(inner.last());
    1 << (mixed & 127)
}

impl<T: AsRef<[u8]>> Checked<T> {
    /// Checks the text of an object.
    ///
    /// # Errors
    /// As [`Object::parse`].
    pub fn new(text: T) -> Result<Self, JsonError> {
        check_utf8(text.as_ref())?;
        let mut members = Vec::with_capacity(16);
        let clean = text.as_ref().len() >= LARGE && strings_are_clean(text.as_ref());
        let mut index = Index { clean, ..Index::default() };
        walk(text.as_ref(), &mut index, |key, escaped, value| {
            members.push(Slot { key: (key.start, key.end), value: (value.start, value.end), escaped });
        })?;
        Ok(Self { text, members, index })
    }

    /// The whole text.
    pub fn text(&self) -> &[u8] {
        self.text.as_ref()
    }

    /// The object, without a further look at the text.
    pub fn object(&self) -> Object<'_> {
        let text = self.text();
        let slice = |(start, end): (usize, usize)| Cow::Borrowed(text.get(start..end).unwrap_or_default());
        let member =
            |slot: &Slot| Member { key: slice(slot.key), escaped: slot.escaped, value: slice(slot.value) };
        Object::of_members(self.members.iter().map(member).collect())
    }

    /// Whether `word` may stand somewhere in the text as a whole string, a name or a value, written without
    /// escapes. `false` is certain; words of more than 22 bytes are always possible.
    pub fn may_hold(&self, word: &str) -> bool {
        word.len() + 2 > SHORT || self.index.short & kind_of(word.as_bytes()) != 0
    }

    /// The long strings in order, each from its opening quote to behind its closing one; strings from 64
    /// bytes on are long.
    pub fn long_strings(&self) -> &[(usize, usize)] {
        &self.index.long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_of_the_object() {
        let text = br#" { "a" : [1,{"b":"c"}] , "\u0062": "x", "a":null } "#;
        let checked = Checked::new(&text[..]).unwrap();
        assert_eq!(checked.object(), Object::parse(text).unwrap());
        assert_eq!(checked.text(), text);
        assert_eq!(checked.object().get("b"), Some(&b"\"x\""[..]));
    }

    #[test]
    fn what_is_no_object_is_refused_in_the_same_words() {
        for text in [&b"[1]"[..], b"{\"a\":1", b"{\"a\":\"\xFF\"}", b"{} x", b""] {
            assert_eq!(Checked::new(text).unwrap_err(), Object::parse(text).unwrap_err());
        }
    }

    #[test]
    fn strings_are_found_wherever_they_stand() {
        let long = "l".repeat(LONG);
        let text = format!(r#"{{"{long}":"v","deep":[[{{"cache_control":{{"type":"{long}"}}}}],"system"]}}"#);
        let checked = Checked::new(text.as_bytes()).unwrap();
        for word in ["v", "deep", "cache_control", "type", "system"] {
            assert!(checked.may_hold(word), "{word}");
        }
        assert!(!checked.may_hold("provider_metadata"));
        assert!(checked.may_hold(&"x".repeat(40)), "not known");
        let found: Vec<_> = checked.long_strings().iter().map(|(s, e)| &text[*s..*e]).collect();
        assert_eq!(found, [format!("\"{long}\""), format!("\"{long}\"")]);
    }

    /// Large enough to be looked over first.
    fn large(inner: &str) -> String {
        format!("{{\"pad\":\"{}\",\"x\":{inner}}}", "p".repeat(LARGE))
    }

    #[test]
    fn a_large_text_is_judged_as_a_small_one() {
        for inner in [
            r#""plain""#,
            r#""a \" quote, a \\ and a \n""#,
            r#""ends in a backslash \\""#,
            r#"["\\\"", {"k\"ey": "\u0041"}]"#,
            r#""bad \q escape""#,
            r#""C:\\users""#,
            "\"a raw\nline feed\"",
            r#""open"#,
            r#""open \"#,
            "1, \n \"y\": 2",
        ] {
            let text = large(inner);
            match (Checked::new(text.as_bytes()), Object::parse(text.as_bytes())) {
                (Ok(checked), Ok(object)) => assert_eq!(checked.object(), object, "{inner}"),
                (Err(ours), Err(theirs)) => assert_eq!(ours, theirs, "{inner}"),
                (ours, theirs) => panic!("{inner}: {ours:?} but {theirs:?}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_large_text_is_judged_as_a_small_one(inner in "[\\[\\]{}:,\"\\\\nub/q a0-9]{0,40}") {
            let text = large(&inner);
            let ours = Checked::new(text.as_bytes()).map(|c| c.object().to_vec());
            let theirs = Object::parse(text.as_bytes()).map(|o| o.to_vec());
            proptest::prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn no_string_is_missed(words in proptest::collection::vec("[a-z_]{0,30}", 1..12)) {
            let text = format!("{{\"k\":{}}}", serde_json::to_string(&words).unwrap());
            let checked = Checked::new(text.as_bytes()).unwrap();
            for word in &words {
                proptest::prop_assert!(checked.may_hold(word));
            }
        }
    }
}
