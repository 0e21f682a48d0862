//! Neutral events into the items of an answer, and the steps by which a stream tells them (providers §3). A
//! whole answer is made by the same steps with nobody listening, so that it cannot differ from a stream (I2).
//!
//! An item is complete when its blocks have ended and something else begins, or at the end: a message takes
//! further texts and the sources that follow them, a reasoning item what else has its id. Items whose blocks
//! interleave are open at the same time, which the protocol allows.

mod call;
mod message;
mod thought;

use serde_json::Value;
use tollgate_domain::ReplyEvent;
use tollgate_domain::id::Ulid;

use super::conversation::NAMESPACE;
use super::item::{Body, Item, Status, TextPart, member};
use crate::metadata::write_integer;

/// Who is told the steps.
pub(super) trait Steps {
    /// One event of the protocol. `members` writes what follows its type and number, each member with a
    /// comma before it.
    fn step(&mut self, kind: &str, members: impl FnOnce(&mut Vec<u8>));
}

/// Nobody.
pub(super) struct Unheard;

impl Steps for Unheard {
    fn step(&mut self, _kind: &str, _members: impl FnOnce(&mut Vec<u8>)) {}
}

/// The output of one answer.
#[derive(Debug)]
pub(super) struct Output {
    answer: Ulid,
    custom_tools: Vec<String>,
    exclude_reasoning: bool,
    slots: Vec<Slot>,
    /// Sources that came before any text.
    sources: Vec<Value>,
    /// Characters of visible text so far.
    visible: u64,
}

/// An item at its `output_index`.
#[derive(Debug)]
enum Slot {
    Open(Item),
    /// Its id and its JSON.
    Done(String, Vec<u8>),
}

impl Slot {
    fn open(&mut self) -> Option<&mut Item> {
        match self {
            Self::Open(item) => Some(item),
            Self::Done(..) => None,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Open(item) => &item.id,
            Self::Done(id, _) => id,
        }
    }
}

/// `,"item_id":…,"output_index":…`
fn at(out: &mut Vec<u8>, id: &str, index: usize) {
    member(out, b",\"item_id\":", id);
    index_of(out, b",\"output_index\":", index);
}

fn index_of(out: &mut Vec<u8>, lead: &[u8], index: usize) {
    out.extend_from_slice(lead);
    write_integer(out, index);
}

impl Output {
    /// Of one answer. `custom_tools` names the tools that the request declares as custom.
    pub(super) fn new(answer: Ulid, custom_tools: Vec<String>, exclude_reasoning: bool) -> Self {
        Self { answer, custom_tools, exclude_reasoning, slots: Vec::new(), sources: Vec::new(), visible: 0 }
    }

    /// The items' JSON in order, as far as they are complete.
    pub(super) fn items(&self) -> impl Iterator<Item = &[u8]> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Done(_, json) => Some(&json[..]),
            Slot::Open(_) => None,
        })
    }

    /// Takes one event. What a client would see nothing of makes no step.
    pub(super) fn event(&mut self, event: &ReplyEvent, steps: &mut impl Steps) {
        match event {
            ReplyEvent::TextDelta { block, text } => self.text(*block, false, text, steps),
            ReplyEvent::RefusalDelta { block, text } => self.text(*block, true, text, steps),
            ReplyEvent::TextEnd { block } => self.text_end(*block, steps),
            ReplyEvent::ToolStart { block, id, name } => self.call(*block, id, name, steps),
            ReplyEvent::ToolDelta { block, arguments } => self.arguments(*block, arguments, steps),
            ReplyEvent::ToolEnd { block } => self.call_end(*block, steps),
            ReplyEvent::File(file) => self.file(file, steps),
            ReplyEvent::Source(source) => self.source(source, steps),
            ReplyEvent::Custom { namespace: NAMESPACE, value } => self.foreign_item(value, steps),
            _ if self.exclude_reasoning => {}
            ReplyEvent::ReasoningStart { block, kind, id, format } => {
                self.reasoning(*block, *kind, id.as_deref(), format, steps);
            }
            ReplyEvent::ReasoningDelta { block, text } => self.reasoning_text(*block, text, steps),
            ReplyEvent::ReasoningEnd { block, signature, data } => {
                self.reasoning_end(*block, signature.as_deref(), data.as_deref(), steps);
            }
            // A block of another provider has no form in this protocol.
            _ => {}
        }
    }

    /// The answer is over: completes what is open. `cut`: it ended within what it said last.
    pub(super) fn end(&mut self, cut: bool, steps: &mut impl Steps) {
        if !self.sources.is_empty() {
            let index = self.message(steps);
            self.add_part(index, TextPart { ended: true, ..self.part(u32::MAX, false) }, steps);
        }
        let status = if cut { Status::Incomplete } else { Status::Completed };
        for index in 0..self.slots.len() {
            self.complete(index, status, steps);
        }
    }

    fn new_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.answer, self.slots.len())
    }

    /// Begins an item behind all others, of which the last is complete when nothing of it is outstanding.
    fn begin(&mut self, id: String, body: Body, steps: &mut impl Steps) -> usize {
        self.settle(steps);
        let index = self.slots.len();
        let item = Item { id, body };
        steps.step("response.output_item.added", |out| {
            index_of(out, b",\"output_index\":", index);
            out.extend_from_slice(b",\"item\":");
            item.write(out, Status::InProgress);
        });
        self.slots.push(Slot::Open(item));
        index
    }

    fn settle(&mut self, steps: &mut impl Steps) {
        let Some(last) = self.slots.len().checked_sub(1) else { return };
        if self.slots[last].open().is_some_and(|item| item.settled()) {
            self.complete(last, Status::Completed, steps);
        }
    }

    /// An item of which a block has ended is complete when others have begun since.
    fn settle_earlier(&mut self, index: usize, steps: &mut impl Steps) {
        if index + 1 < self.slots.len() && self.slots[index].open().is_some_and(|item| item.settled()) {
            self.complete(index, Status::Completed, steps);
        }
    }

    /// The open item for which `is` holds, the last one first.
    fn find(&mut self, is: impl Fn(&Item) -> bool) -> Option<(usize, &mut Item)> {
        let found = self.slots.iter_mut().enumerate().rev();
        found.filter_map(|(index, slot)| Some((index, slot.open()?))).find(|(_, item)| is(item))
    }

    fn last(&mut self) -> Option<(usize, &mut Item)> {
        let index = self.slots.len().checked_sub(1)?;
        Some((index, self.slots[index].open()?))
    }

    fn complete(&mut self, index: usize, status: Status, steps: &mut impl Steps) {
        let Some(item) = self.slots.get_mut(index).and_then(Slot::open) else { return };
        match &mut item.body {
            Body::Message(parts) => {
                for (at, part) in parts.iter_mut().enumerate() {
                    message::text_done(&item.id, index, at, part, steps);
                }
            }
            Body::Reasoning(reasoning) => {
                for summary in [true, false] {
                    for (at, part) in reasoning.parts(summary).iter_mut().enumerate() {
                        thought::reasoning_done(&item.id, index, (summary, at), part, steps);
                    }
                }
            }
            Body::Call(call) => call::call_done(&item.id, index, call, steps),
        }
        let mut json = Vec::new();
        item.write(&mut json, status);
        let id = std::mem::take(&mut item.id);
        self.put(index, id, json, steps);
    }

    fn put(&mut self, index: usize, id: String, json: Vec<u8>, steps: &mut impl Steps) {
        steps.step("response.output_item.done", |out| {
            index_of(out, b",\"output_index\":", index);
            out.extend_from_slice(b",\"item\":");
            out.extend_from_slice(&json);
        });
        self.slots[index] = Slot::Done(id, json);
    }
}
