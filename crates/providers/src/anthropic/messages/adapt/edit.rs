//! Arrays edited element by element; untouched elements keep their bytes.

use tollgate_wire::json;

/// What becomes of an element.
pub(super) enum Edit {
    Keep,
    Replace(Vec<u8>),
    Remove,
}

/// Edits an array; `None` when nothing changed or it is no array.
pub(super) fn array(raw: &[u8], mut each: impl FnMut(usize, &[u8]) -> Edit) -> Option<Vec<u8>> {
    let elements = json::elements(raw).ok()?;
    let edits: Vec<Edit> = elements.iter().enumerate().map(|(at, element)| each(at, element)).collect();
    if edits.iter().all(|edit| matches!(edit, Edit::Keep)) {
        return None;
    }
    let kept = elements.iter().zip(&edits).filter_map(|(element, edit)| match edit {
        Edit::Keep => Some(*element),
        Edit::Replace(text) => Some(text.as_slice()),
        Edit::Remove => None,
    });
    let mut out = Vec::with_capacity(raw.len() + 64);
    out.push(b'[');
    for (at, element) in kept.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(element);
    }
    out.push(b']');
    Some(out)
}

/// Whether a text holds a word.
pub(super) fn holds(raw: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(raw, word).is_some()
}
