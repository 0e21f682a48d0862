//! Arrays edited element by element; untouched elements keep their bytes.

use tollgate_domain::InputError;
use tollgate_wire::json;

/// What becomes of an element.
pub(super) enum Edit {
    Keep,
    Replace(Vec<u8>),
    Remove,
}

/// Edits an array; `None` when nothing changed or it is no array.
pub(super) fn edit(
    raw: &[u8],
    mut each: impl FnMut(usize, &[u8]) -> Result<Edit, InputError>,
) -> Result<Option<Vec<u8>>, InputError> {
    let Ok(elements) = json::elements(raw) else { return Ok(None) };
    let mut edits = Vec::with_capacity(elements.len());
    let mut changed = false;
    for (at, element) in elements.iter().enumerate() {
        let edit = each(at, element)?;
        changed |= !matches!(edit, Edit::Keep);
        edits.push(edit);
    }
    if !changed {
        return Ok(None);
    }
    let kept = elements.iter().zip(&edits).filter_map(|(element, edit)| match edit {
        Edit::Keep => Some(*element),
        Edit::Replace(text) => Some(text.as_slice()),
        Edit::Remove => None,
    });
    Ok(Some(join(kept, raw.len())))
}

/// An array of elements.
pub(super) fn join<'e>(elements: impl Iterator<Item = &'e [u8]>, size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(size + 64);
    out.push(b'[');
    for (at, element) in elements.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(element);
    }
    out.push(b']');
    out
}

/// Tells whether a string can stand anywhere in the body.
pub(super) type MayHold<'m> = &'m dyn Fn(&str) -> bool;

/// Whether any of the words can occur, by what is known of the body; a word is a name or value with its
/// quotes, or how several names begin.
pub(super) fn may_hold_any(may_hold: MayHold<'_>, words: &[&[u8]]) -> bool {
    words.iter().any(|word| match *word {
        PROVIDER => may_hold("providerOptions") || may_hold("provider_metadata"),
        REASONING => ["reasoning_details", "reasoning_content", "reasoning"].into_iter().any(may_hold),
        quoted => match quoted.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
            Some(name) => std::str::from_utf8(name).is_ok_and(may_hold),
            None => true,
        },
    })
}

/// How the names begin of what is between the gateway and its clients only.
pub(super) const PROVIDER: &[u8] = b"\"provider";
/// How the names of reasoning begin.
pub(super) const REASONING: &[u8] = b"\"reasoning";

/// Whether any of the words occurs.
pub(super) fn holds(raw: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| memchr::memmem::find(raw, word).is_some())
}
