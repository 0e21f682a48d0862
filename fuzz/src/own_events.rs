//! Event streams that we wrote: each event has at most one name and exactly one line of JSON, so that nothing
//! a provider or a model says can begin an event of its own.

use tollgate_wire::json;

use crate::shown;

/// Name and data of each event.
pub type Events = Vec<(String, Vec<u8>)>;

/// Reads our own stream. `[DONE]` is the only data that may be no JSON.
pub fn read(bytes: &[u8]) -> Events {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n\n"), "the last event is open: {}", shown(bytes));
    let mut found = Events::new();
    let mut lines = bytes.split(|b| *b == b'\n');
    while let Some(first) = lines.next() {
        if first.is_empty() {
            assert_eq!(lines.next(), None, "an empty event: {}", shown(bytes));
            break;
        }
        let (name, data) = match first.strip_prefix(b"event: ") {
            Some(name) => (name, lines.next().expect("a line of data")),
            None => (&b""[..], first),
        };
        let data = data.strip_prefix(b"data: ").unwrap_or_else(|| panic!("no data: {}", shown(bytes)));
        assert_eq!(lines.next(), Some(&b""[..]), "more lines than one: {}", shown(bytes));
        assert!(!name.contains(&b'\r') && !data.contains(&b'\r'), "a line end: {}", shown(bytes));
        assert!(data == b"[DONE]" || json::validate(data) == Ok(()), "no JSON: {}", shown(data));
        found.push((String::from_utf8_lossy(name).into_owned(), data.to_vec()));
    }
    found
}
