//! `reasoning_details`: which entry of an answer is which, and their text (clients §1, gateway-api §7.1).
//! Entries of one item share an `index`, by which clients put streamed pieces together; two signed texts
//! never share one, or a client would join them under one signature (I19).

use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_GEMINI, FORMAT_UNKNOWN, ReasoningKind};
use tollgate_wire::json::write_string;

use crate::metadata::write_integer;

/// One reasoning block of the answer.
#[derive(Clone, Debug)]
pub(super) struct Block {
    number: u32,
    pub(super) kind: ReasoningKind,
    id: Option<String>,
    format: &'static str,
    index: u32,
}

/// The reasoning blocks seen so far.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    seen: Vec<Block>,
    next_index: u32,
}

impl Blocks {
    /// A block begins.
    pub(super) fn start(
        &mut self,
        number: u32,
        kind: ReasoningKind,
        id: Option<String>,
        format: &'static str,
    ) {
        let shared = self.seen.last().filter(|last| {
            let same_item = id.is_some() && last.id == id && last.format == format;
            // Gemini's state follows its text without an id, possibly after the call that it belongs to.
            let gemini_state = format == FORMAT_GEMINI
                && last.format == format
                && kind == ReasoningKind::Encrypted
                && last.kind != ReasoningKind::Encrypted;
            same_item || gemini_state
        });
        let index = match shared {
            Some(last) => last.index,
            None => {
                let index = self.next_index;
                self.next_index += 1;
                index
            }
        };
        self.seen.push(Block { number, kind, id, format, index });
    }

    /// The block of a number; one that was never announced is plain text.
    pub(super) fn get(&mut self, number: u32) -> &Block {
        let at = match self.seen.iter().rposition(|b| b.number == number) {
            Some(at) => at,
            None => {
                self.start(number, ReasoningKind::Text, None, FORMAT_UNKNOWN);
                self.seen.len() - 1
            }
        };
        &self.seen[at]
    }
}

impl Block {
    /// Whether entries of visible text carry a `signature`, empty until it is known.
    fn signs_text(&self) -> bool {
        self.format == FORMAT_ANTHROPIC
    }

    /// Whether the signature of a visible text is opaque state that clients get as an encrypted entry.
    fn signature_is_state(&self) -> bool {
        self.format == FORMAT_GEMINI || self.kind == ReasoningKind::Encrypted
    }

    /// What closes the block: a signature for its text, and opaque state.
    pub(super) fn closing<'s>(
        &self,
        signature: Option<&'s str>,
        data: Option<&'s str>,
    ) -> (Option<&'s str>, Option<&'s str>) {
        if self.signature_is_state() { (None, data.or(signature)) } else { (signature, data) }
    }

    /// Appends an entry of visible text, or of its summary.
    pub(super) fn write_text(&self, out: &mut Vec<u8>, text: &str, signature: Option<&str>) {
        let (kind, member): (&[u8], &[u8]) = match self.kind {
            ReasoningKind::Summary => (b"reasoning.summary", b"summary"),
            ReasoningKind::Text | ReasoningKind::Encrypted => (b"reasoning.text", b"text"),
        };
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(kind);
        out.extend_from_slice(b"\",\"");
        out.extend_from_slice(member);
        out.extend_from_slice(b"\":");
        write_string(out, text);
        if signature.is_some() || self.signs_text() {
            out.extend_from_slice(b",\"signature\":");
            write_string(out, signature.unwrap_or_default());
        }
        self.write_end(out);
    }

    /// Appends an entry of opaque state.
    pub(super) fn write_encrypted(&self, out: &mut Vec<u8>, data: &str) {
        out.extend_from_slice(b"{\"type\":\"reasoning.encrypted\",\"data\":");
        write_string(out, data);
        self.write_end(out);
    }

    fn write_end(&self, out: &mut Vec<u8>) {
        if let Some(id) = &self.id {
            out.extend_from_slice(b",\"id\":");
            write_string(out, id);
        }
        out.extend_from_slice(b",\"format\":");
        write_string(out, self.format);
        out.extend_from_slice(b",\"index\":");
        write_integer(out, self.index);
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use tollgate_domain::conversation::FORMAT_OPENAI;

    use super::*;

    #[test]
    fn i19_two_signed_texts_never_share_an_index() {
        let mut blocks = Blocks::default();
        blocks.start(0, ReasoningKind::Text, None, FORMAT_ANTHROPIC);
        blocks.start(2, ReasoningKind::Text, None, FORMAT_ANTHROPIC);
        blocks.start(3, ReasoningKind::Encrypted, None, FORMAT_ANTHROPIC);
        assert_eq!([blocks.get(0).index, blocks.get(2).index, blocks.get(3).index], [0, 1, 2]);
    }

    #[test]
    fn pieces_of_one_item_share_its_index() {
        let mut blocks = Blocks::default();
        blocks.start(0, ReasoningKind::Summary, Some("rs_1".into()), FORMAT_OPENAI);
        blocks.start(1, ReasoningKind::Encrypted, Some("rs_1".into()), FORMAT_OPENAI);
        blocks.start(2, ReasoningKind::Summary, Some("rs_2".into()), FORMAT_OPENAI);
        assert_eq!([blocks.get(0).index, blocks.get(1).index, blocks.get(2).index], [0, 0, 1]);
        let mut blocks = Blocks::default();
        blocks.start(0, ReasoningKind::Text, None, FORMAT_GEMINI);
        blocks.start(4, ReasoningKind::Encrypted, None, FORMAT_GEMINI);
        blocks.start(5, ReasoningKind::Encrypted, None, FORMAT_GEMINI);
        assert_eq!([blocks.get(0).index, blocks.get(4).index, blocks.get(5).index], [0, 0, 1]);
    }
}
