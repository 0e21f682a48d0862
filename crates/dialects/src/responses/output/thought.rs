//! Reasoning: its items, their texts and their state.

use tollgate_domain::conversation::{FORMAT_OPENAI, FORMAT_UNKNOWN, ReasoningKind};

use super::{Output, Steps, at, index_of};
use crate::responses::item::{Body, Item, ReasoningItem, ReasoningPart, member, write_reasoning_part};
use crate::responses::reasoning;

impl Output {
    pub(super) fn reasoning(
        &mut self,
        block: u32,
        kind: ReasoningKind,
        id: Option<&str>,
        format: &'static str,
        steps: &mut impl Steps,
    ) {
        if let Some((_, Item { body: Body::Reasoning(item), .. })) = self.last()
            && item.format == format
            && id.is_some()
            && item.own_id.as_deref() == id
            // Two wrapped states have no place in one item (I19).
            && (format == FORMAT_OPENAI || item.encrypted.is_none())
        {
            item.open.push((block, kind));
            return;
        }
        // An id of another family names something else, and travels within the state.
        let own = id.filter(|id| format == FORMAT_OPENAI && !self.slots.iter().any(|slot| slot.id() == *id));
        let item_id = own.map_or_else(|| self.new_id("rs"), str::to_owned);
        let item = ReasoningItem {
            own_id: id.map(str::to_owned),
            format,
            open: vec![(block, kind)],
            ..ReasoningItem::default()
        };
        self.begin(item_id, Body::Reasoning(item), steps);
    }

    /// The item in which a reasoning block is open; one that was never announced is plain text.
    fn reasoning_of(&mut self, block: u32, steps: &mut impl Steps) -> Option<(usize, &mut Item)> {
        let open =
            |item: &Item| matches!(&item.body, Body::Reasoning(r) if r.open.iter().any(|(b, _)| *b == block));
        if self.find(open).is_none() {
            self.reasoning(block, ReasoningKind::Text, None, FORMAT_UNKNOWN, steps);
        }
        self.find(open)
    }

    pub(super) fn reasoning_text(&mut self, block: u32, text: &str, steps: &mut impl Steps) {
        if text.is_empty() {
            return;
        }
        let Some((index, Item { id, body: Body::Reasoning(item) })) = self.reasoning_of(block, steps) else {
            return;
        };
        let kind = item.open.iter().find(|(b, _)| *b == block).map(|(_, kind)| *kind);
        let summary = kind == Some(ReasoningKind::Summary);
        let parts = item.parts(summary);
        let at_part = match parts.iter().position(|part| part.block == block && !part.done) {
            Some(at_part) => at_part,
            None => {
                let at_part = parts.len();
                parts.push(ReasoningPart { block, text: String::new(), done: false });
                let kind = if summary {
                    "response.reasoning_summary_part.added"
                } else {
                    "response.content_part.added"
                };
                steps.step(kind, |out| reasoning_part(out, (id, index), (summary, at_part), ""));
                at_part
            }
        };
        parts[at_part].text.push_str(text);
        let kind =
            if summary { "response.reasoning_summary_text.delta" } else { "response.reasoning_text.delta" };
        steps.step(kind, |out| {
            at(out, id, index);
            index_of(out, part_index(summary), at_part);
            member(out, b",\"delta\":", text);
        });
    }

    pub(super) fn reasoning_end(
        &mut self,
        block: u32,
        signature: Option<&str>,
        data: Option<&str>,
        steps: &mut impl Steps,
    ) {
        let Some((index, Item { id, body: Body::Reasoning(item) })) = self.reasoning_of(block, steps) else {
            return;
        };
        let Some(at_open) = item.open.iter().position(|(b, _)| *b == block) else { return };
        let (_, kind) = item.open.remove(at_open);
        let state = reasoning::state(kind, item.own_id.as_deref(), item.format, signature, data);
        item.encrypted = state.or(item.encrypted.take());
        for summary in [true, false] {
            for (at_part, part) in
                item.parts(summary).iter_mut().enumerate().filter(|(_, p)| p.block == block)
            {
                reasoning_done(id, index, (summary, at_part), part, steps);
            }
        }
        self.settle_earlier(index, steps);
    }
}

fn part_index(summary: bool) -> &'static [u8] {
    if summary { b",\"summary_index\":" } else { b",\"content_index\":" }
}

/// The members of an event about a summary or text.
fn reasoning_part(
    out: &mut Vec<u8>,
    (id, index): (&str, usize),
    (summary, at_part): (bool, usize),
    text: &str,
) {
    at(out, id, index);
    index_of(out, part_index(summary), at_part);
    out.extend_from_slice(b",\"part\":");
    write_reasoning_part(out, summary, text);
}

pub(super) fn reasoning_done(
    id: &str,
    index: usize,
    (summary, at_part): (bool, usize),
    part: &mut ReasoningPart,
    steps: &mut impl Steps,
) {
    if std::mem::replace(&mut part.done, true) {
        return;
    }
    let (text, whole) = if summary {
        ("response.reasoning_summary_text.done", "response.reasoning_summary_part.done")
    } else {
        ("response.reasoning_text.done", "response.content_part.done")
    };
    steps.step(text, |out| {
        at(out, id, index);
        index_of(out, part_index(summary), at_part);
        member(out, b",\"text\":", &part.text);
    });
    steps.step(whole, |out| reasoning_part(out, (id, index), (summary, at_part), &part.text));
}
