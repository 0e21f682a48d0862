//! Walks JSON that has already been checked in full. A request is checked once, by
//! `tollgate_wire::json::Object::parse`; walking its messages afterwards needs no second check, so
//! strings are skipped at the speed of a byte search. On text that was not checked the walk ends early
//! or gives nonsense, but never panics and never runs past the end.

use std::borrow::Cow;

use tollgate_wire::json::{self, Kind};

/// A place in checked JSON: always at the start of a value, or behind one.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// Long strings ahead, start and end, in order; they are passed at one step.
    long: &'a [(usize, usize)],
    /// Where the text lies in the one that `long` is about.
    base: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of the text's value.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self::with_long_strings(text, &[], 0)
    }

    /// The same, where the long strings of a text are known in which this one begins at `base`.
    pub(crate) fn with_long_strings(text: &'a [u8], long: &'a [(usize, usize)], base: usize) -> Self {
        let mut cursor = Self { text, at: 0, long, base };
        cursor.space();
        cursor
    }

    /// Behind the string here.
    fn string_end(&mut self) -> usize {
        let start = self.base + self.at;
        while let Some((long, end)) = self.long.first() {
            if *long > start {
                break;
            }
            self.long = &self.long[1..];
            if *long == start {
                return (end - self.base).min(self.text.len());
            }
        }
        string_end(self.text, self.at)
    }

    fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// The type of the value here.
    pub(crate) fn kind(&self) -> Kind {
        json::kind(self.text.get(self.at..).unwrap_or_default())
    }

    /// Passes the value here and gives it as it stands.
    pub(crate) fn skip(&mut self) -> &'a [u8] {
        let start = self.at;
        match self.byte() {
            b'"' => self.at = self.string_end(),
            b'{' | b'[' => self.skip_container(),
            _ => {
                while !matches!(self.byte(), b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | 0) {
                    self.at += 1;
                }
            }
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_container(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.at = self.string_end();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn key(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at;
        self.at = self.string_end();
        let key = json::string(self.text.get(start..self.at)?)?;
        self.space();
        self.at += 1;
        self.space();
        Some(key)
    }

    /// Steps into the object here: to its first value, whose name is given; behind it when it is empty.
    pub(crate) fn enter_object(&mut self) -> Option<Cow<'a, str>> {
        self.at += 1;
        self.space();
        if self.byte() == b'"' {
            return self.key();
        }
        self.at += 1;
        None
    }

    /// From behind a member's value to the next one; behind the object when there is none.
    pub(crate) fn next_member(&mut self) -> Option<Cow<'a, str>> {
        if self.next_element() { self.key() } else { None }
    }

    /// Steps into the array here: to its first value, or behind it when it is empty.
    pub(crate) fn enter_array(&mut self) -> bool {
        self.at += 1;
        self.space();
        if self.byte() == b']' {
            self.at += 1;
            return false;
        }
        self.at < self.text.len()
    }

    /// From behind an element to the next one; behind the array when there is none.
    pub(crate) fn next_element(&mut self) -> bool {
        self.space();
        let more = self.byte() == b',';
        self.at += 1;
        self.space();
        more
    }
}

/// Behind the string that begins at `at`.
fn string_end(text: &[u8], at: usize) -> usize {
    let mut from = at + 1;
    loop {
        let Some(hit) = memchr::memchr2(b'"', b'\\', text.get(from..).unwrap_or_default()) else {
            return text.len();
        };
        if text[from + hit] == b'"' {
            return from + hit + 1;
        }
        from += hit + 2;
    }
}

/// The members of a checked object, as slices of it.
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, &'a [u8])>);

impl<'a> Fields<'a> {
    /// The members of an object; `None` when the value is none.
    pub(crate) fn of(raw: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(raw);
        if cursor.kind() != Kind::Object {
            return None;
        }
        let mut members = Vec::with_capacity(8);
        let mut key = cursor.enter_object();
        while let Some(name) = key {
            members.push((name, cursor.skip()));
            key = cursor.next_member();
        }
        Some(Self(members))
    }

    /// A member that is there and not `null`; of a repeated one the last, as with `Object::get`.
    pub(crate) fn get(&self, key: &str) -> Option<&'a [u8]> {
        self.0.iter().rev().find(|(k, _)| k == key).map(|(_, v)| *v).filter(|v| !json::is_null(v))
    }

    /// All members in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a [u8])> {
        self.0.iter().map(|(k, v)| (&**k, *v))
    }
}

/// The elements of a checked array; none when the value is no array.
pub(crate) fn elements(raw: &[u8]) -> Vec<&[u8]> {
    let mut cursor = Cursor::new(raw);
    let mut found = Vec::new();
    if cursor.kind() != Kind::Array {
        return found;
    }
    let mut more = cursor.enter_array();
    while more {
        found.push(cursor.skip());
        more = cursor.next_element();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_the_checking_readers_own() {
        let text =
            br#" { "a" : [ 1 , "x\"]" , {"b":[]} , [ ] ,true], "\u0062":{ }, "c" : -1.5e3 , "a":null } "#;
        let checked = json::Object::parse(text).unwrap();
        let fields = Fields::of(text).unwrap();
        let ours: Vec<_> = fields.iter().map(|(k, v)| (k.to_owned(), v.to_vec())).collect();
        let theirs: Vec<_> = checked.members().map(|(k, v)| (k.into_owned(), v.to_vec())).collect();
        assert_eq!(ours, theirs);
        assert_eq!(fields.get("a"), None, "the last of a repeated member counts, and it is null");
        assert_eq!(fields.get("b"), Some(&b"{ }"[..]));
        assert_eq!(elements(ours[0].1.as_slice()), json::elements(&ours[0].1).unwrap());
        assert!(elements(b"[ ]").is_empty() && elements(b"{}").is_empty());
    }

    #[test]
    fn long_strings_are_passed_at_one_step() {
        let long = "\\\"[{,".repeat(40);
        let text =
            format!(r#"{{"z":"{long}","m":[{{"{long}":"s","t":["{long}",1]}},{{"k":"{long}"}}],"y":0}}"#);
        let checked = json::Checked::new(text.as_bytes()).unwrap();
        let object = checked.object();
        let messages = object.get_borrowed("m").unwrap();
        let base = json::place(text.as_bytes(), messages).unwrap().start;
        let walk = |mut cursor: Cursor<'_>| {
            let mut found = Vec::new();
            assert!(cursor.enter_array());
            let mut key = cursor.enter_object();
            while let Some(name) = key {
                found.push((name.into_owned(), cursor.skip().to_vec()));
                key = cursor.next_member();
            }
            assert!(cursor.next_element());
            found.push((String::new(), cursor.skip().to_vec()));
            assert!(!cursor.next_element());
            found
        };
        let with = walk(Cursor::with_long_strings(messages, checked.long_strings(), base));
        assert_eq!(checked.long_strings().len(), 4);
        assert_eq!(with, walk(Cursor::new(messages)));
        assert_eq!(with.len(), 3);
    }

    proptest::proptest! {
        #[test]
        fn unchecked_text_neither_panics_nor_hangs(text in "[\\[\\]{}:,\"0-9a\\\\ntrue ]{0,40}") {
            let _ = Fields::of(text.as_bytes()).map(|f| f.iter().count());
            let _ = elements(text.as_bytes());
        }
    }
}
