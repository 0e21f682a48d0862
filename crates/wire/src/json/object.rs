//! An object as an ordered list of members, each a slice of the text it came from until it is set.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{JsonError, Notes, check_utf8, skip_key, skip_space, skip_value};

/// An object whose members can be read, replaced, removed and added. What is not touched is written
/// back exactly as it stood; white space between members is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// The name in its quotes, as it stands.
    pub key: Cow<'a, [u8]>,
    /// The name holds an escape.
    pub escaped: bool,
    /// The value, as it stands.
    pub value: Cow<'a, [u8]>,
}

impl Member<'_> {
    /// Whether the name is `name`. It is unescaped only when it has to be.
    #[inline]
    fn is(&self, name: &str) -> bool {
        let inner = self.key.get(1..self.key.len().saturating_sub(1)).unwrap_or_default();
        inner == name.as_bytes() || (self.escaped && super::string(&self.key).is_some_and(|k| k == name))
    }

    fn new_key(name: &str) -> (Cow<'static, [u8]>, bool) {
        let mut key = Vec::with_capacity(name.len() + 2);
        super::write_string(&mut key, name);
        let escaped = key.len() != name.len() + 2;
        (Cow::Owned(key), escaped)
    }
}

/// How many members an object has room for before it grows: replies have about ten.
const ROOM: usize = 12;

impl<'a> Object<'a> {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Reads an object; the whole text is checked, nested values included.
    ///
    /// # Errors
    /// The first place that is no JSON, or the start of a value that is no object.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        check_utf8(text)?;
        Self::parse_checked(text)
    }

    /// Reads an object from text already known to be UTF-8 (a member of a parsed object).
    ///
    /// # Errors
    /// As [`Object::parse`].
    pub fn parse_checked(text: &'a [u8]) -> Result<Self, JsonError> {
        let mut members = Vec::new();
        walk(text, &mut (), |key, escaped, value| {
            if members.is_empty() {
                members.reserve_exact(ROOM);
            }
            let (key, value) = (Cow::Borrowed(&text[key]), Cow::Borrowed(&text[value]));
            members.push(Member { key, escaped, value });
        })?;
        Ok(Self { members })
    }

    pub(super) fn of_members(members: Vec<Member<'a>>) -> Self {
        Self { members }
    }

    /// The value of a member as it stands in the text. Of a repeated member the last one counts, as with
    /// most readers.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.members.iter().rev().find(|m| m.is(key)).map(|m| &*m.value)
    }

    /// The value of a member, with the life of the text; `None` also when the member was set.
    #[must_use]
    pub fn get_borrowed(&self, key: &str) -> Option<&'a [u8]> {
        self.members.iter().rev().find(|m| m.is(key)).and_then(|m| match &m.value {
            Cow::Borrowed(value) => Some(*value),
            Cow::Owned(_) => None,
        })
    }

    /// Whether a member is present, `null` included.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The members in order: (name, value as it stands).
    pub fn members(&self) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
        self.members.iter().map(|m| (super::string(&m.key).unwrap_or_default(), &*m.value))
    }

    /// Replaces a member where it stands, or adds it at the end. `value` must be JSON.
    pub fn set(&mut self, key: &str, value: impl Into<Cow<'a, [u8]>>) {
        let value = value.into();
        let Some(last) = self.members.iter().rposition(|m| m.is(key)) else {
            let (key, escaped) = Member::new_key(key);
            self.members.push(Member { key, escaped, value });
            return;
        };
        self.members[last].value = value;
        if self.members[..last].iter().any(|m| m.is(key)) {
            let mut index = 0;
            self.members.retain(|m| {
                index += 1;
                index > last || !m.is(key)
            });
        }
    }

    /// Replaces or adds a member with a string value.
    pub fn set_string(&mut self, key: &str, text: &str) {
        let mut value = Vec::with_capacity(text.len() + 2);
        super::write_string(&mut value, text);
        self.set(key, value);
    }

    /// Removes a member and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Cow<'a, [u8]>> {
        let at = self.members.iter().rposition(|m| m.is(key))?;
        let value = self.members.remove(at).value;
        if self.members[..at].iter().any(|m| m.is(key)) {
            self.members.retain(|m| !m.is(key));
        }
        Some(value)
    }

    /// Gives a member another name, where it stands.
    pub fn rename(&mut self, from: &str, to: &str) {
        if from == to || !self.has(from) {
            return;
        }
        self.remove(to);
        if let Some(member) = self.members.iter_mut().rev().find(|m| m.is(from)) {
            (member.key, member.escaped) = Member::new_key(to);
        }
        self.members.retain(|m| !m.is(from));
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Appends the object's text.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (i, member) in self.members.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&member.key);
            out.push(b':');
            out.extend_from_slice(&member.value);
        }
        out.push(b'}');
    }

    /// Appends the object's text, with the value of one member written by `write`: where it stood, or at
    /// the end. `write` must write JSON.
    pub fn write_with(&self, out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let last = self.members.iter().rposition(|m| m.is(name));
        let mut write = Some(write);
        let mut separator = b'{';
        for (i, member) in self.members.iter().enumerate() {
            if last.is_some_and(|last| i < last) && member.is(name) {
                continue;
            }
            out.push(separator);
            separator = b',';
            out.extend_from_slice(&member.key);
            out.push(b':');
            match write.take_if(|_| last == Some(i)) {
                Some(write) => write(out),
                None => out.extend_from_slice(&member.value),
            }
        }
        if let Some(write) = write {
            out.push(separator);
            super::write_string(out, name);
            out.push(b':');
            write(out);
        }
        out.push(b'}');
    }

    /// The object's text.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let size = self.members.iter().map(|m| m.key.len() + m.value.len() + 2).sum::<usize>() + 2;
        let mut out = Vec::with_capacity(size);
        self.write_to(&mut out);
        out
    }
}

impl Default for Object<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Walks an object in UTF-8 and checks it; `each` gets a member's name in its quotes, whether that holds
/// an escape, and the value.
pub(super) fn walk(
    text: &[u8],
    notes: &mut impl Notes,
    mut each: impl FnMut(Range<usize>, bool, Range<usize>),
) -> Result<(), JsonError> {
    let mut at = skip_space(text, 0);
    if text.get(at) != Some(&b'{') {
        return Err(JsonError { what: "expected a JSON object", offset: at });
    }
    at = skip_space(text, at + 1);
    if text.get(at) == Some(&b'}') {
        return end(text, at + 1);
    }
    loop {
        let key = skip_key(text, at, notes)?;
        let value_end = skip_value(text, key.value, notes)?;
        each(at..key.end, key.escaped, key.value..value_end);
        at = skip_space(text, value_end);
        match text.get(at) {
            Some(b',') => at = skip_space(text, at + 1),
            Some(b'}') => return end(text, at + 1),
            Some(_) => return Err(JsonError { what: "expected ',' or '}'", offset: at }),
            None => return Err(JsonError { what: "the text ends inside a value", offset: at }),
        }
    }
}

fn end(text: &[u8], at: usize) -> Result<(), JsonError> {
    match skip_space(text, at) {
        end if end == text.len() => Ok(()),
        end => Err(JsonError { what: "unexpected text after the JSON value", offset: end }),
    }
}

/// The elements of an array, as they stand.
///
/// # Errors
/// When the text is no array, or no JSON.
pub fn elements(text: &[u8]) -> Result<Vec<&[u8]>, JsonError> {
    let mut at = skip_space(text, 0);
    if text.get(at) != Some(&b'[') {
        return Err(JsonError { what: "expected a JSON array", offset: at });
    }
    let mut found = Vec::new();
    at = skip_space(text, at + 1);
    if text.get(at) == Some(&b']') {
        return Ok(found);
    }
    loop {
        let end = skip_value(text, at, &mut ())?;
        found.push(&text[at..end]);
        at = skip_space(text, end);
        match text.get(at) {
            Some(b',') => at = skip_space(text, at + 1),
            Some(b']') => return Ok(found),
            Some(_) => return Err(JsonError { what: "expected ',' or ']'", offset: at }),
            None => return Err(JsonError { what: "the text ends inside a value", offset: at }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i17_untouched_members_stay_as_they_stood() {
        let text = br#"{ "model" : "a/b", "x": 1.0e+2, "deep":{ "k" : [1, 2 ] },"n":null }"#;
        let mut object = Object::parse(text).unwrap();
        object.set_string("model", "up");
        object.set("added", b"true".to_vec());
        assert_eq!(object.remove("n").as_deref(), Some(&b"null"[..]));
        assert_eq!(
            String::from_utf8(object.to_vec()).unwrap(),
            r#"{"model":"up","x":1.0e+2,"deep":{ "k" : [1, 2 ] },"added":true}"#
        );
    }

    #[test]
    fn repeated_members_are_one_to_us() {
        let mut object = Object::parse(br#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(object.get("a"), Some(&b"3"[..]));
        object.set("a", b"4".to_vec());
        assert_eq!(object.to_vec(), br#"{"b":2,"a":4}"#);
    }

    #[test]
    fn escaped_names_are_found_and_members_renamed() {
        let mut object = Object::parse(br#"{"m\u006fdel":1,"z":2}"#).unwrap();
        assert_eq!(object.get("model"), Some(&b"1"[..]));
        object.rename("model", "name");
        assert_eq!(object.to_vec(), br#"{"name":1,"z":2}"#);
    }

    #[test]
    fn a_member_renamed_to_its_own_name_stays() {
        let mut object = Object::parse(br#"{"a":1,"b":2}"#).unwrap();
        object.rename("a", "a");
        assert_eq!(object.to_vec(), br#"{"a":1,"b":2}"#);
    }

    #[test]
    fn one_member_may_be_written_by_the_caller() {
        let write = |text: &'static [u8], name: &str| {
            let mut out = Vec::new();
            Object::parse(text).unwrap().write_with(&mut out, name, |out| out.push(b'9'));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(write(br#"{"a":1, "b":2}"#, "a"), r#"{"a":9,"b":2}"#);
        assert_eq!(write(br#"{"a":1,"b":2,"a":3}"#, "a"), r#"{"b":2,"a":9}"#);
        assert_eq!(write(br#"{"a":1}"#, "b"), r#"{"a":1,"b":9}"#);
        assert_eq!(write(b"{}", "b"), r#"{"b":9}"#);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(Object::parse(b"[1]").is_err_and(|e| e.what == "expected a JSON object"));
        assert!(Object::parse(b"{} x").is_err_and(|e| e.offset == 3));
        assert_eq!(elements(b" [ 1 , \"a\" ,[2] ] ").unwrap(), [&b"1"[..], b"\"a\"", b"[2]"]);
        assert!(elements(b"[1,,2]").is_err());
    }
}
