//! An object as an ordered list of members, each a slice of the text it came from until it is set.

use std::borrow::Cow;

use super::scan::{JsonError, check_utf8, skip_key, skip_space, skip_string, skip_value};

/// An object whose members can be read, replaced, removed and added. What is not touched is written
/// back exactly as it stood; white space between members is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
}

/// A quoted name and a value, as they stand.
type Member<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

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
        let mut at = skip_space(text, 0);
        if text.get(at) != Some(&b'{') {
            return Err(JsonError { what: "expected a JSON object", offset: at });
        }
        let mut members = Vec::with_capacity(8);
        at = skip_space(text, at + 1);
        if text.get(at) == Some(&b'}') {
            return Self::end(text, at + 1, members);
        }
        loop {
            let value_start = skip_key(text, at)?;
            let key = &text[at..skip_string(text, at)?];
            let value_end = skip_value(text, value_start)?;
            members.push((Cow::Borrowed(key), Cow::Borrowed(&text[value_start..value_end])));
            at = skip_space(text, value_end);
            match text.get(at) {
                Some(b',') => at = skip_space(text, at + 1),
                Some(b'}') => return Self::end(text, at + 1, members),
                Some(_) => return Err(JsonError { what: "expected ',' or '}'", offset: at }),
                None => return Err(JsonError { what: "the text ends inside a value", offset: at }),
            }
        }
    }

    fn end(text: &[u8], at: usize, members: Vec<Member<'a>>) -> Result<Self, JsonError> {
        match skip_space(text, at) {
            end if end == text.len() => Ok(Self { members }),
            end => Err(JsonError { what: "unexpected text after the JSON value", offset: end }),
        }
    }

    /// The value of a member as it stands in the text. Of a repeated member the last one counts, as with
    /// most readers.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.members.iter().rev().find(|(k, _)| key_is(k, key)).map(|(_, v)| &**v)
    }

    /// The value of a member, with the life of the text; `None` also when the member was set.
    #[must_use]
    pub fn get_borrowed(&self, key: &str) -> Option<&'a [u8]> {
        self.members.iter().rev().find(|(k, _)| key_is(k, key)).and_then(|(_, v)| match v {
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
        self.members.iter().map(|(k, v)| (super::string(k).unwrap_or_default(), &**v))
    }

    /// Replaces a member where it stands, or adds it at the end. `value` must be JSON.
    pub fn set(&mut self, key: &str, value: impl Into<Cow<'a, [u8]>>) {
        let value = value.into();
        let Some(last) = self.members.iter().rposition(|(k, _)| key_is(k, key)) else {
            let mut name = Vec::with_capacity(key.len() + 2);
            super::write_string(&mut name, key);
            self.members.push((Cow::Owned(name), value));
            return;
        };
        self.members[last].1 = value;
        let mut index = 0;
        self.members.retain(|(k, _)| {
            index += 1;
            index > last || !key_is(k, key)
        });
    }

    /// Replaces or adds a member with a string value.
    pub fn set_string(&mut self, key: &str, text: &str) {
        let mut value = Vec::with_capacity(text.len() + 2);
        super::write_string(&mut value, text);
        self.set(key, value);
    }

    /// Removes a member and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Cow<'a, [u8]>> {
        let at = self.members.iter().rposition(|(k, _)| key_is(k, key))?;
        let (_, value) = self.members.remove(at);
        self.members.retain(|(k, _)| !key_is(k, key));
        Some(value)
    }

    /// Gives a member another name, where it stands.
    pub fn rename(&mut self, from: &str, to: &str) {
        if let Some(value) = self.get(from).map(<[u8]>::to_vec) {
            self.remove(to);
            let mut name = Vec::with_capacity(to.len() + 2);
            super::write_string(&mut name, to);
            if let Some(member) = self.members.iter_mut().rev().find(|(k, _)| key_is(k, from)) {
                *member = (Cow::Owned(name), Cow::Owned(value));
            }
            self.members.retain(|(k, _)| !key_is(k, from));
        }
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Appends the object's text.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (i, (key, value)) in self.members.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
    }

    /// The object's text.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let size = self.members.iter().map(|(k, v)| k.len() + v.len() + 2).sum::<usize>() + 2;
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

/// Whether a quoted key is `name`. Keys are compared unescaped only when they hold an escape.
fn key_is(quoted: &[u8], name: &str) -> bool {
    let inner = &quoted[1..quoted.len() - 1];
    inner == name.as_bytes()
        || (memchr::memchr(b'\\', inner).is_some() && super::string(quoted).is_some_and(|k| k == name))
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
        let end = skip_value(text, at)?;
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
    fn what_is_no_object_is_refused() {
        assert!(Object::parse(b"[1]").is_err_and(|e| e.what == "expected a JSON object"));
        assert!(Object::parse(b"{} x").is_err_and(|e| e.offset == 3));
        assert_eq!(elements(b" [ 1 , \"a\" ,[2] ] ").unwrap(), [&b"1"[..], b"\"a\"", b"[2]"]);
        assert!(elements(b"[1,,2]").is_err());
    }
}
