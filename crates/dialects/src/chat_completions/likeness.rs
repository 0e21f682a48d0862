//! Chunks of a stream that differ from the one before only in the text that they add. What the client gets
//! for such a chunk is what it got for the one before with the new text in it, so that most of a stream is
//! passed on without being taken apart.

use tollgate_wire::json::{self, Object, Pattern};

/// So many patterns that no chunk fits are made; then the stream is not of that kind.
const MOST_UNUSED: u8 = 4;

/// The chunk before, when one was seen that may come again with another text.
#[derive(Debug, Default)]
pub(super) struct Likes {
    like: Option<Like>,
    /// Patterns made since one was last of use.
    unused: u8,
}

#[derive(Debug)]
struct Like {
    pattern: Pattern,
    /// What is written before each filling, and which filling that is.
    pieces: Vec<(Vec<u8>, usize)>,
    end: Vec<u8>,
}

/// A string of a chunk, in its quotes, and how often it stands in what the client gets.
pub(super) type Hole<'a> = (&'a [u8], usize);

impl Likes {
    /// Writes what the client gets for a chunk that is like the one before; whether it was.
    pub(super) fn write(&mut self, data: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(like) = &self.like else { return false };
        // An empty text may be a placeholder, which has rules of its own.
        let fit = like.pattern.fit(data).filter(|fillings| fillings[0].len() > 2);
        let Some(fillings) = fit else {
            self.like = None;
            return false;
        };
        for (piece, filling) in &like.pieces {
            out.extend_from_slice(piece);
            out.extend_from_slice(fillings.get(*filling).copied().unwrap_or_default());
        }
        out.extend_from_slice(&like.end);
        self.unused = 0;
        true
    }

    #[cfg(test)]
    pub(super) fn is_of_use(&self) -> bool {
        self.like.is_some() && self.unused == 0
    }

    /// Takes note of a chunk for which `written` was written, and nothing else happened. Nothing is learned
    /// when it is not certain which part of `written` is which string of the chunk. The second hole is not
    /// used when it is empty.
    pub(super) fn learn(&mut self, data: &[u8], holes: &[Hole<'_>; 2], written: &[u8]) {
        self.like = None;
        if self.unused < MOST_UNUSED {
            self.unused += 1;
            let used = if holes[1].0.is_empty() { &holes[..1] } else { &holes[..] };
            self.like = like(data, used, written);
        }
    }
}

fn like(data: &[u8], holes: &[Hole<'_>], written: &[u8]) -> Option<Like> {
    let mut ranges = Vec::with_capacity(holes.len());
    let mut copies = Vec::with_capacity(4);
    for (filling, (text, times)) in holes.iter().enumerate() {
        ranges.push(json::place(data, text)?);
        // A text that also stands elsewhere could be taken for the gateway's or the provider's own.
        let before = copies.len();
        copies.extend(occurrences(written, text).map(|at| (at, at + text.len(), filling)));
        if copies.len() - before != *times || occurrences(data, text).count() != 1 {
            return None;
        }
    }
    copies.sort_unstable();
    let mut pieces = Vec::with_capacity(copies.len());
    let mut at = 0;
    for (start, end, filling) in copies {
        pieces.push((written.get(at..start)?.to_vec(), filling));
        at = end;
    }
    Some(Like { pattern: Pattern::new(data, &ranges)?, pieces, end: written.get(at..)?.to_vec() })
}

/// Where a text stands, overlapping places included: `":"` may begin with the quote that ends a name.
fn occurrences<'t>(text: &'t [u8], part: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    let finder = memchr::memmem::Finder::new(part);
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + finder.find(text.get(from..)?)?;
        from = at + 1;
        Some(at)
    })
}

/// The string that a delta (as the provider sent it) adds, and how often the client gets it: text and the
/// arguments of a call once; reasoning in all three forms that clients read.
pub(super) fn added_text(delta: &[u8]) -> Option<Hole<'_>> {
    let delta = Object::parse_checked(delta).ok()?;
    let is_text = |raw: &&[u8]| raw.first() == Some(&b'"') && raw.len() > 2;
    if let Some(text) = delta.get_borrowed("content").filter(is_text) {
        return Some((text, 1));
    }
    let reasoning = ["reasoning_content", "reasoning"];
    if let Some(text) = reasoning.into_iter().find_map(|name| delta.get_borrowed(name).filter(is_text)) {
        let alone = delta.get("reasoning_details").is_none_or(json::is_null);
        return alone.then_some((text, 3));
    }
    let calls = json::elements(delta.get_borrowed("tool_calls")?).ok()?;
    let call = Object::parse_checked(calls.first()?).ok()?;
    let function = Object::parse_checked(call.get_borrowed("function")?).ok()?;
    function.get_borrowed("arguments").filter(is_text).map(|text| (text, 1))
}

/// OpenAI's padding of a chunk, a string of random length behind everything else; empty when there is none.
pub(super) fn padding<'a>(chunk: &Object<'a>) -> &'a [u8] {
    chunk.get_borrowed("obfuscation").filter(|raw| raw.first() == Some(&b'"')).unwrap_or_default()
}
