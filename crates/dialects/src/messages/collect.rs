//! The blocks of a whole answer, gathered from the same steps as a stream's (I2).

use serde_json::Value;
use tollgate_wire::json::{self, Kind, write_string};

use super::lane::{Opening, Step};

/// One block as it is gathered.
#[derive(Debug)]
enum Block {
    Text { text: String, citations: Vec<Value> },
    Thinking { thinking: String, signature: String },
    Redacted(String),
    Tool { id: String, name: String, input: String },
    Complete(Value),
}

/// The blocks of one answer.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    found: Vec<Block>,
    /// Where the open block stands.
    open: usize,
}

impl Blocks {
    pub(super) fn step(&mut self, step: Step<'_>) {
        match (step, self.found.get_mut(self.open)) {
            (Step::Start(opening), _) => self.start(opening),
            (Step::Text(more), Some(Block::Text { text, .. })) => text.push_str(more),
            (Step::Citation(citation), Some(Block::Text { citations, .. })) => {
                citations.push(citation.clone());
            }
            (Step::Thinking(more), Some(Block::Thinking { thinking, .. })) => thinking.push_str(more),
            (Step::Signature(signed), Some(Block::Thinking { signature, .. })) => {
                signed.clone_into(signature)
            }
            (Step::Input(more), Some(Block::Tool { input, .. })) => input.push_str(more),
            _ => {}
        }
    }

    fn start(&mut self, opening: Opening<'_>) {
        self.open = self.found.len();
        let block = match opening {
            Opening::Text => Block::Text { text: String::new(), citations: Vec::new() },
            Opening::Thinking { foreign } => {
                if foreign {
                    self.open = self.before_texts();
                }
                Block::Thinking { thinking: String::new(), signature: String::new() }
            }
            Opening::Redacted(data) => Block::Redacted(data.to_owned()),
            Opening::Tool { id, name } => {
                Block::Tool { id: id.to_owned(), name: name.to_owned(), input: String::new() }
            }
            Opening::Complete(value) => Block::Complete(value.clone()),
        };
        self.found.insert(self.open, block);
    }

    /// Where the texts begin that the blocks so far end with. Clients expect reasoning before the text that
    /// came of it (gateway-api §8.1); Anthropic's own, whose signature may depend on its place, never moves.
    fn before_texts(&self) -> usize {
        self.found.iter().rposition(|b| !matches!(b, Block::Text { .. })).map_or(0, |at| at + 1)
    }

    /// Appends the array `content`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (i, block) in self.found.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            block.write(out);
        }
        out.push(b']');
    }
}

impl Block {
    fn write(&self, out: &mut Vec<u8>) {
        let mut member = |lead: &[u8], text: &str| {
            out.extend_from_slice(lead);
            write_string(out, text);
        };
        match self {
            Self::Text { text, citations } => {
                member(b"{\"type\":\"text\",\"text\":", text);
                if !citations.is_empty() {
                    out.extend_from_slice(b",\"citations\":");
                    // A list of values always has a JSON text.
                    out.extend_from_slice(&serde_json::to_vec(citations).unwrap_or_default());
                }
                out.push(b'}');
            }
            Self::Thinking { thinking, signature } => {
                member(b"{\"type\":\"thinking\",\"thinking\":", thinking);
                member(b",\"signature\":", signature);
                out.push(b'}');
            }
            Self::Redacted(data) => {
                member(b"{\"type\":\"redacted_thinking\",\"data\":", data);
                out.push(b'}');
            }
            Self::Tool { id, name, input } => {
                member(b"{\"type\":\"tool_use\",\"id\":", id);
                member(b",\"name\":", name);
                out.extend_from_slice(b",\"input\":");
                out.extend_from_slice(input_object(input));
                out.push(b'}');
            }
            Self::Complete(value) => out.extend_from_slice(value.to_string().as_bytes()),
        }
    }
}

/// A call's arguments as they stand when they are one JSON object (I18). The protocol has no place for any
/// others.
fn input_object(arguments: &str) -> &[u8] {
    let text = arguments.trim().as_bytes();
    let object = json::kind(text) == Kind::Object && json::validate(text).is_ok();
    if object { text } else { b"{}" }
}
