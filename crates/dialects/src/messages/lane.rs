//! Blocks one after the other. Providers may interleave the blocks of an answer; clients of this protocol
//! take a block from its start to its stop before the next, so a block that begins while another is open
//! waits until that one is complete (clients §0.7). The stream and the whole answer are written from the
//! same steps (I2). Ids, names, argument bytes and reasoning state pass unchanged (I18, I19).

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{FORMAT_ANTHROPIC, FORMAT_UNKNOWN, File, Reasoning, ReasoningKind};

use super::NAMESPACE;
use crate::carried_state;

/// What is to be written next. Between a start and its stop there is no other start.
#[derive(Debug, PartialEq)]
pub(super) enum Step<'a> {
    Start(Opening<'a>),
    /// More of a text.
    Text(&'a str),
    /// What the open text cites, as the protocol writes it.
    Citation(&'a Value),
    /// More of reasoning.
    Thinking(&'a str),
    /// The signature of the open reasoning.
    Signature(&'a str),
    /// More of a call's input, as JSON text.
    Input(&'a str),
    Stop,
}

/// A block that begins.
#[derive(Debug, PartialEq)]
pub(super) enum Opening<'a> {
    Text,
    /// Reasoning; `foreign` when it is another family's, in whose answers its place among texts means
    /// nothing.
    Thinking {
        foreign: bool,
    },
    Redacted(&'a str),
    Tool {
        id: &'a str,
        name: &'a str,
    },
    /// A block that is complete with its start.
    Complete(&'a Value),
}

/// A piece of one block, as it came.
#[derive(Debug)]
enum Piece {
    Text(String),
    Thinking(String),
    ReasoningEnd {
        signature: Option<String>,
        data: Option<String>,
    },
    ToolStart {
        id: String,
        name: String,
    },
    Input(String),
    Complete(Value),
    /// A text or call is complete.
    End,
}

/// A block that waits for the open one to end.
#[derive(Debug)]
struct Waiting {
    block: Option<u32>,
    pieces: Vec<Piece>,
}

/// What the open block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A text gives way to what comes next: its rest can stand in a block of its own.
    Text,
    Thinking,
    Tool,
}

/// What is known of a reasoning item before its end.
#[derive(Clone, Debug)]
struct Item {
    kind: ReasoningKind,
    id: Option<String>,
    format: &'static str,
}

impl Default for Item {
    fn default() -> Self {
        Self { kind: ReasoningKind::Text, id: None, format: FORMAT_UNKNOWN }
    }
}

/// The blocks of one answer.
#[derive(Debug, Default)]
pub(super) struct Lane {
    exclude_reasoning: bool,
    open: Option<(u32, Kind)>,
    waiting: VecDeque<Waiting>,
    items: HashMap<u32, Item>,
    /// Citations that came while no text was open; they belong to the next one.
    citations: Vec<Value>,
}

impl Lane {
    pub(super) fn new(exclude_reasoning: bool) -> Self {
        Self { exclude_reasoning, ..Self::default() }
    }

    /// Takes an event. Those that are no part of a block are ignored.
    pub(super) fn event(&mut self, event: &ReplyEvent, write: &mut dyn FnMut(Step<'_>)) {
        let (block, piece) = match event {
            ReplyEvent::TextDelta { block, text } | ReplyEvent::RefusalDelta { block, text } => {
                if text.is_empty() {
                    return;
                }
                (Some(*block), Piece::Text(text.clone()))
            }
            ReplyEvent::TextEnd { block } | ReplyEvent::ToolEnd { block } => (Some(*block), Piece::End),
            ReplyEvent::ToolStart { block, id, name } => {
                (Some(*block), Piece::ToolStart { id: id.clone(), name: name.clone() })
            }
            ReplyEvent::ToolDelta { block, arguments } => {
                if arguments.is_empty() {
                    return;
                }
                (Some(*block), Piece::Input(arguments.clone()))
            }
            ReplyEvent::File(file) => (None, Piece::Complete(file_block(file))),
            ReplyEvent::Custom { namespace, value } if *namespace == NAMESPACE && value.is_object() => {
                (None, Piece::Complete(value.clone()))
            }
            ReplyEvent::Source(source) => return self.cite(source, write),
            ReplyEvent::ReasoningStart { .. }
            | ReplyEvent::ReasoningDelta { .. }
            | ReplyEvent::ReasoningEnd { .. }
                if self.exclude_reasoning =>
            {
                return;
            }
            ReplyEvent::ReasoningStart { block, kind, id, format } => {
                self.items.insert(*block, Item { kind: *kind, id: id.clone(), format });
                return;
            }
            ReplyEvent::ReasoningDelta { block, text } => {
                if text.is_empty() {
                    return;
                }
                (Some(*block), Piece::Thinking(text.clone()))
            }
            ReplyEvent::ReasoningEnd { block, signature, data } => {
                let filled = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
                let (signature, data) = (filled(signature), filled(data));
                (Some(*block), Piece::ReasoningEnd { signature, data })
            }
            // A `Custom` block of another provider has no form in this protocol.
            _ => return,
        };
        self.take(block, piece, write);
    }

    /// Writes what still waits, and closes what is open.
    pub(super) fn finish(&mut self, write: &mut dyn FnMut(Step<'_>)) {
        loop {
            self.close(write);
            let Some(next) = self.waiting.pop_front() else { return };
            for piece in next.pieces {
                self.apply(next.block, piece, write);
            }
        }
    }

    fn take(&mut self, block: Option<u32>, piece: Piece, write: &mut dyn FnMut(Step<'_>)) {
        let queued = self.waiting.iter_mut().find(|w| block.is_some() && w.block == block);
        if let Some(queued) = queued {
            queued.pieces.push(piece);
            return;
        }
        let own = self.open.is_some_and(|(open, _)| Some(open) == block);
        if own || self.free() {
            self.apply(block, piece, write);
            self.drain(write);
        } else if !matches!(piece, Piece::End) {
            self.waiting.push_back(Waiting { block, pieces: vec![piece] });
        }
    }

    /// Whether another block may begin.
    fn free(&self) -> bool {
        self.open.is_none_or(|(_, kind)| kind == Kind::Text)
    }

    fn drain(&mut self, write: &mut dyn FnMut(Step<'_>)) {
        while self.free()
            && let Some(next) = self.waiting.pop_front()
        {
            for piece in next.pieces {
                self.apply(next.block, piece, write);
            }
        }
    }

    fn apply(&mut self, block: Option<u32>, piece: Piece, write: &mut dyn FnMut(Step<'_>)) {
        let number = block.unwrap_or(u32::MAX);
        match piece {
            Piece::Text(text) => {
                self.open_as(number, Kind::Text, Opening::Text, write);
                write(Step::Text(&text));
            }
            Piece::Thinking(text) => {
                let foreign = self.items.entry(number).or_default().format != FORMAT_ANTHROPIC;
                self.open_as(number, Kind::Thinking, Opening::Thinking { foreign }, write);
                write(Step::Thinking(&text));
            }
            Piece::ReasoningEnd { signature, data } => self.end_reasoning(number, signature, data, write),
            Piece::ToolStart { id, name } => {
                self.open_as(number, Kind::Tool, Opening::Tool { id: &id, name: &name }, write);
            }
            Piece::Input(text) if self.open == Some((number, Kind::Tool)) => write(Step::Input(&text)),
            // Arguments of a call that never began have no place.
            Piece::Input(_) => {}
            Piece::Complete(value) => {
                self.close(write);
                write(Step::Start(Opening::Complete(&value)));
                write(Step::Stop);
            }
            // A text stays open for what cites it, until the next block begins.
            Piece::End => {
                if self.open == Some((number, Kind::Tool)) {
                    self.close(write);
                }
            }
        }
    }

    fn open_as(&mut self, number: u32, kind: Kind, opening: Opening<'_>, write: &mut dyn FnMut(Step<'_>)) {
        if self.open == Some((number, kind)) {
            return;
        }
        self.close(write);
        write(Step::Start(opening));
        self.open = Some((number, kind));
        if kind == Kind::Text {
            for citation in self.citations.drain(..) {
                write(Step::Citation(&citation));
            }
        }
    }

    /// Ends the open block. Reasoning without an end of its own is unsigned.
    fn close(&mut self, write: &mut dyn FnMut(Step<'_>)) {
        match self.open.take() {
            None => {}
            Some((number, Kind::Thinking)) => {
                self.open = Some((number, Kind::Thinking));
                self.end_reasoning(number, None, None, write);
            }
            Some(_) => write(Step::Stop),
        }
    }

    /// Ends a reasoning item: its signature goes bare when it is Anthropic's, else the item's state is
    /// carried in its place, also when there is hardly any, since the block must have a signature (I19).
    fn end_reasoning(
        &mut self,
        number: u32,
        signature: Option<String>,
        data: Option<String>,
        write: &mut dyn FnMut(Step<'_>),
    ) {
        let Item { kind, id, format } = self.items.remove(&number).unwrap_or_default();
        let own = format == FORMAT_ANTHROPIC;
        let visible = self.open == Some((number, Kind::Thinking));
        if !visible && signature.is_none() && data.is_none() && id.is_none() {
            return;
        }
        let wrapped = |signature: Option<String>, data: Option<String>| {
            let format = Some(format.to_owned());
            carried_state::wrap(&Reasoning {
                kind,
                text: String::new(),
                signature,
                data,
                id: id.clone(),
                format,
            })
        };
        if !visible && kind == ReasoningKind::Encrypted {
            let token = match (own, data) {
                (true, Some(data)) => data,
                (_, data) => wrapped(signature, data),
            };
            self.redacted(&token, write);
            return;
        }
        // Anthropic's own state stands in a block of its own.
        let (inside, beside) = if own { (None, data) } else { (data, None) };
        let token = match signature {
            Some(signature) if own => signature,
            signature => wrapped(signature, inside),
        };
        self.open_as(number, Kind::Thinking, Opening::Thinking { foreign: !own }, write);
        write(Step::Signature(&token));
        write(Step::Stop);
        self.open = None;
        if let Some(data) = beside {
            self.redacted(&data, write);
        }
    }

    fn redacted(&mut self, data: &str, write: &mut dyn FnMut(Step<'_>)) {
        self.close(write);
        write(Step::Start(Opening::Redacted(data)));
        write(Step::Stop);
    }

    /// A source belongs to the text that it is given with, or else to the next one. Sources behind the last
    /// text of an answer, which no text is left for, are not told.
    fn cite(&mut self, source: &Value, write: &mut dyn FnMut(Step<'_>)) {
        let Some(citation) = citation(source) else { return };
        if matches!(self.open, Some((_, Kind::Text))) {
            write(Step::Citation(&citation));
        } else {
            self.citations.push(citation);
        }
    }
}

/// A source as a citation: the protocol's own as it is, OpenAI's as a search result. `None` for any other.
fn citation(source: &Value) -> Option<Value> {
    let kind = source.get("type").and_then(Value::as_str)?;
    if kind.ends_with("_location") {
        return Some(source.clone());
    }
    if kind != "url_citation" {
        return None;
    }
    let holder = source.get("url_citation").unwrap_or(source);
    let url = holder.get("url").and_then(Value::as_str)?;
    Some(json!({
        "type": "web_search_result_location",
        "url": url,
        "title": holder.get("title").and_then(Value::as_str).unwrap_or_default(),
        "cited_text": "",
        // By its emptiness the request's reader knows the citation as one that was made here.
        "encrypted_index": "",
    }))
}

/// A generated file. The protocol has no files in answers; its clients pass over blocks they do not know.
fn file_block(file: &File) -> Value {
    use tollgate_domain::conversation::FileData;
    let image = file.media_type.starts_with("image/");
    let source = match &file.data {
        FileData::Base64(data) => json!({"type": "base64", "media_type": file.media_type, "data": data}),
        FileData::Url(url) => json!({"type": "url", "url": url}),
        FileData::Reference(id) => json!({"type": "file", "file_id": id}),
        FileData::Text(text) => json!({"type": "text", "media_type": file.media_type, "data": text}),
    };
    let mut block = json!({"type": if image { "image" } else { "document" }, "source": source});
    if let Some(name) = file.filename.as_deref().filter(|_| !image) {
        block["title"] = Value::from(name);
    }
    block
}
