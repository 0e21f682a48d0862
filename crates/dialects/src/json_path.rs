//! Where in a request a value stands, made into text only when an error needs it, and the readers that
//! report it.

use std::borrow::Cow;
use std::fmt;

use tollgate_domain::InputError;
use tollgate_wire::json::{self, Kind};

/// A path such as `messages[2].content[0].type`, as a chain on the stack.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    /// The body itself.
    Body,
    /// A member of the value at another path.
    Member(&'a Path<'a>, &'a str),
    /// An element of the array at another path.
    Element(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    /// The path of a member of this value.
    pub(crate) fn member(&'a self, name: &'a str) -> Path<'a> {
        Path::Member(self, name)
    }

    /// The path of an element of this value.
    pub(crate) fn element(&'a self, index: usize) -> Path<'a> {
        Path::Element(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Body => Ok(()),
            Path::Member(Path::Body, name) => f.write_str(name),
            Path::Member(parent, name) => write!(f, "{parent}.{name}"),
            Path::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// The value is of another type than expected. A number or boolean is quoted; text never is, since it
/// may be part of a prompt (I28).
pub(crate) fn wrong(path: &Path<'_>, expected: &str, raw: &[u8]) -> InputError {
    let kind = json::kind(raw);
    let found = match (kind, std::str::from_utf8(raw)) {
        (Kind::Number | Kind::Bool, Ok(text)) if text.len() <= 32 => format!("{} ({text})", kind.describe()),
        _ => kind.describe().to_owned(),
    };
    InputError::wrong_type(path.to_string(), expected, &found)
}

/// A short piece of a word that was not known, for a message.
pub(crate) fn excerpt(text: &str) -> &str {
    match text.char_indices().nth(40) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Text.
pub(crate) fn string<'a>(path: &Path<'_>, raw: &'a [u8]) -> Result<Cow<'a, str>, InputError> {
    json::string(raw).ok_or_else(|| wrong(path, "a string", raw))
}

/// `true` or `false`.
pub(crate) fn boolean(path: &Path<'_>, raw: &[u8]) -> Result<bool, InputError> {
    json::boolean(raw).ok_or_else(|| wrong(path, "true or false", raw))
}

/// A whole number that is not negative.
pub(crate) fn unsigned(path: &Path<'_>, raw: &[u8]) -> Result<u64, InputError> {
    json::unsigned(raw).ok_or_else(|| wrong(path, "a whole number of 0 or more", raw))
}

/// Any number.
pub(crate) fn number(path: &Path<'_>, raw: &[u8]) -> Result<(), InputError> {
    of_kind(path, raw, Kind::Number, "a number")
}

/// An object.
pub(crate) fn object(path: &Path<'_>, raw: &[u8]) -> Result<(), InputError> {
    of_kind(path, raw, Kind::Object, "an object")
}

/// An array.
pub(crate) fn array(path: &Path<'_>, raw: &[u8]) -> Result<(), InputError> {
    of_kind(path, raw, Kind::Array, "an array")
}

fn of_kind(path: &Path<'_>, raw: &[u8], kind: Kind, expected: &str) -> Result<(), InputError> {
    if json::kind(raw) == kind { Ok(()) } else { Err(wrong(path, expected, raw)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_clients_write_them() {
        let messages = Path::Body.member("messages");
        let part = messages.element(2);
        let part = part.member("content");
        let part = part.element(0);
        let error = wrong(&part.member("type"), "a string", b"7");
        assert_eq!(error.param.as_deref(), Some("messages[2].content[0].type"));
        assert_eq!(error.message, "'messages[2].content[0].type' must be a string, but it is a number (7).");
    }
}
