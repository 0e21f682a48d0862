//! JSON that is looked at and spliced: accepted exactly when serde_json accepts it, and edits leave every
//! other member byte for byte as it stood (I17).

use serde_json::Value;
use serde_json::value::RawValue;
use tollgate_wire::json::{self, Object};

use crate::shown;

/// How deep values may nest; an empty array or object does not count.
const MAX_DEPTH: usize = 128;

type Members = Vec<(String, Vec<u8>)>;

/// Any bytes.
pub fn check(text: &[u8]) {
    let valid = validity(text);
    let start = text.trim_ascii_start().first();
    match Object::parse(text) {
        Ok(object) => {
            assert!(valid && start == Some(&b'{'), "taken as an object: {}", shown(text));
            reads_back(text, &object);
            edits(&object);
        }
        Err(error) => {
            assert!(!(valid && start == Some(&b'{')), "object refused ({error}): {}", shown(text));
            assert!(error.offset <= text.len(), "{error}");
            let (line, column) = error.line_and_column(text);
            assert!(line >= 1 && column >= 1);
        }
    }
    if valid && start == Some(&b'"') {
        string(text.trim_ascii());
    }
    if valid && start == Some(&b'[') {
        let elements = json::elements(text).expect("the elements of a valid array");
        let theirs: Vec<&RawValue> = serde_json::from_slice(text).expect("an array");
        let theirs: Vec<&[u8]> = theirs.iter().map(|raw| raw.get().as_bytes()).collect();
        assert_eq!(elements, theirs, "elements");
    }
}

/// serde_json's `IgnoredAny` reads the grammar alone: no range of numbers, no pairing of surrogates, no
/// limit of depth, which is the one thing where the two may differ.
fn validity(text: &[u8]) -> bool {
    let ours = json::validate(text);
    let theirs = std::str::from_utf8(text)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    match &ours {
        Ok(()) => assert!(theirs, "accepted: {}", shown(text)),
        Err(error) if theirs => {
            let opened = text.iter().filter(|b| matches!(b, b'[' | b'{')).count();
            assert!(opened > MAX_DEPTH, "refused ({error}): {}", shown(text));
            assert!(error.what.contains("nest"), "refused ({error}): {}", shown(text));
        }
        Err(_) => {}
    }
    ours.is_ok()
}

/// The object holds what serde_json reads, and its own text gives the same members again.
fn reads_back(text: &[u8], object: &Object<'_>) {
    if let Ok(Value::Object(theirs)) = serde_json::from_slice::<Value>(text) {
        for (name, value) in &theirs {
            let raw = object.get(name).unwrap_or_else(|| panic!("member {name:?} is not found"));
            let ours: Value = serde_json::from_slice(raw).expect("a member's value");
            assert_eq!(ours, *value, "member {name:?}");
            assert_eq!(object.get_borrowed(name), Some(raw));
            assert_value(raw);
        }
        assert!(object.members().all(|(name, _)| theirs.contains_key(&*name)), "a member that is not there");
    }
    let written = object.to_vec();
    assert_eq!(json::validate(&written), Ok(()), "written: {}", shown(&written));
    let again = Object::parse(&written).expect("the written object");
    assert_eq!(members(&again), members(object));
}

/// The readers of plain values agree with serde_json.
fn assert_value(raw: &[u8]) {
    let value: Value = serde_json::from_slice(raw).expect("a member's value");
    assert_eq!(json::is_null(raw), value.is_null());
    assert_eq!(json::boolean(raw), value.as_bool());
    if let Some(text) = value.as_str() {
        assert_eq!(json::string(raw).as_deref(), Some(text));
    } else {
        assert_eq!(json::string(raw), None);
    }
    if raw.iter().all(u8::is_ascii_digit) {
        assert_eq!(json::unsigned(raw), value.as_u64(), "{}", shown(raw));
    }
}

fn members(object: &Object<'_>) -> Members {
    object.members().map(|(name, value)| (name.into_owned(), value.to_vec())).collect()
}

fn without(members: &Members, names: &[&str]) -> Members {
    members.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect()
}

/// Every edit of the first, the last and an absent member.
fn edits(object: &Object<'_>) {
    let before = members(object);
    let mut names: Vec<&str> = vec!["absent", "model"];
    names.extend(before.first().map(|(name, _)| name.as_str()));
    names.extend(before.last().map(|(name, _)| name.as_str()));
    for name in &names {
        let old = object.get(name).map(<[u8]>::to_vec);

        let mut edited = object.clone();
        edited.set(name, &b"[1, 2]"[..]);
        assert_eq!(edited.get(name), Some(&b"[1, 2]"[..]), "set {name:?}");
        assert_eq!(edited.members().filter(|(n, _)| n == name).count(), 1, "set {name:?} once");
        assert_eq!(without(&members(&edited), &[name]), without(&before, &[name]), "set {name:?}");
        assert_eq!(json::validate(&edited.to_vec()), Ok(()), "set {name:?}");

        let mut edited = object.clone();
        assert_eq!(edited.remove(name).map(|v| v.into_owned()), old, "remove {name:?}");
        assert_eq!(members(&edited), without(&before, &[name]), "remove {name:?}");

        for to in &names {
            let mut edited = object.clone();
            edited.rename(name, to);
            let kept = without(&members(&edited), &[name, to]);
            assert_eq!(kept, without(&before, &[name, to]), "rename {name:?} to {to:?}");
            let expected = old.clone().or_else(|| object.get(to).map(<[u8]>::to_vec));
            assert_eq!(edited.get(to).map(<[u8]>::to_vec), expected, "rename {name:?} to {to:?}");
            assert!(name == to || !edited.has(name), "rename {name:?} to {to:?} leaves the old name");
            assert_eq!(json::validate(&edited.to_vec()), Ok(()), "rename {name:?} to {to:?}");
        }
    }
}

/// A string is what its escapes say; of surrogates that stand alone each is the replacement character.
fn string(raw: &[u8]) {
    let ours = json::string(raw).expect("a valid string");
    assert_eq!(ours, unescaped(raw), "{}", shown(raw));
    let mut written = Vec::new();
    json::write_string(&mut written, &ours);
    assert_eq!(serde_json::from_slice::<String>(&written).expect("a written string"), ours);
}

fn unescaped(raw: &[u8]) -> String {
    let inner = std::str::from_utf8(&raw[1..raw.len() - 1]).expect("valid JSON is UTF-8");
    let mut units: Vec<u16> = Vec::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' {
            chars.next().expect("an escape")
        } else {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            continue;
        };
        units.push(match c {
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let hex: String = chars.by_ref().take(4).collect();
                u16::from_str_radix(&hex, 16).expect("four digits")
            }
            other => u16::try_from(u32::from(other)).expect("an ASCII escape"),
        });
    }
    String::from_utf16_lossy(&units)
}
