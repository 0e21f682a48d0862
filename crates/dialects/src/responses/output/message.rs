//! Texts, refusals and sources: the message that holds them.

use serde_json::Value;

use super::{Output, Steps, at, index_of};
use crate::responses::annotation::annotation;
use crate::responses::item::{Body, Item, TextPart, member};

impl Output {
    /// The message that takes the next text.
    pub(super) fn message(&mut self, steps: &mut impl Steps) -> usize {
        if let Some((index, Item { body: Body::Message(_), .. })) = self.last() {
            return index;
        }
        self.begin(self.new_id("msg"), Body::Message(Vec::new()), steps)
    }

    pub(super) fn part(&self, block: u32, refusal: bool) -> TextPart {
        TextPart {
            block,
            refusal,
            text: String::new(),
            annotations: Vec::new(),
            before: self.visible,
            ended: false,
            done: false,
        }
    }

    pub(super) fn add_part(&mut self, index: usize, part: TextPart, steps: &mut impl Steps) {
        let Some(Item { id, body: Body::Message(parts) }) = self.slots[index].open() else { return };
        for (at, earlier) in parts.iter_mut().enumerate().filter(|(_, part)| part.ended) {
            text_done(id, index, at, earlier, steps);
        }
        steps.step("response.content_part.added", |out| {
            at(out, id, index);
            index_of(out, b",\"content_index\":", parts.len());
            out.extend_from_slice(b",\"part\":");
            part.write(out);
        });
        let takes_sources = !part.refusal;
        parts.push(part);
        if takes_sources {
            for source in std::mem::take(&mut self.sources) {
                self.source(&source, steps);
            }
        }
    }

    pub(super) fn text(&mut self, block: u32, refusal: bool, text: &str, steps: &mut impl Steps) {
        if text.is_empty() {
            return;
        }
        let is = |part: &TextPart| part.block == block && part.refusal == refusal && !part.ended;
        let open = |item: &Item| matches!(&item.body, Body::Message(parts) if parts.iter().any(is));
        if self.find(open).is_none() {
            let index = self.message(steps);
            self.add_part(index, self.part(block, refusal), steps);
        }
        let Some((index, Item { id, body: Body::Message(parts) })) = self.find(open) else { return };
        let Some(at_part) = parts.iter().position(is) else { return };
        parts[at_part].text.push_str(text);
        let kind = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        steps.step(kind, |out| {
            at(out, id, index);
            index_of(out, b",\"content_index\":", at_part);
            member(out, b",\"delta\":", text);
            if !refusal {
                out.extend_from_slice(b",\"logprobs\":[]");
            }
        });
        self.visible += u64::try_from(text.chars().count()).unwrap_or(0);
    }

    pub(super) fn text_end(&mut self, block: u32, steps: &mut impl Steps) {
        let shows = |part: &TextPart| part.block == block && !part.ended;
        let open = |item: &Item| matches!(&item.body, Body::Message(parts) if parts.iter().any(shows));
        let Some((index, Item { body: Body::Message(parts), .. })) = self.find(open) else { return };
        for part in parts.iter_mut().filter(|part| part.block == block) {
            part.ended = true;
        }
        self.settle_earlier(index, steps);
    }

    /// A source belongs to the text before it; one that comes before any text waits for it.
    pub(super) fn source(&mut self, source: &Value, steps: &mut impl Steps) {
        let Some((index, Item { id, body: Body::Message(parts) })) = self.last() else {
            self.sources.push(source.clone());
            return;
        };
        let Some((at_part, part)) =
            parts.iter_mut().enumerate().rev().find(|(_, part)| !part.refusal && !part.done)
        else {
            self.sources.push(source.clone());
            return;
        };
        let json = annotation(source, part.before).to_string().into_bytes();
        steps.step("response.output_text.annotation.added", |out| {
            at(out, id, index);
            index_of(out, b",\"content_index\":", at_part);
            index_of(out, b",\"annotation_index\":", part.annotations.len());
            out.extend_from_slice(b",\"annotation\":");
            out.extend_from_slice(&json);
        });
        part.annotations.push(json);
    }
}

pub(super) fn text_done(id: &str, index: usize, at_part: usize, part: &mut TextPart, steps: &mut impl Steps) {
    if std::mem::replace(&mut part.done, true) {
        return;
    }
    let kind = if part.refusal { "response.refusal.done" } else { "response.output_text.done" };
    steps.step(kind, |out| {
        at(out, id, index);
        index_of(out, b",\"content_index\":", at_part);
        if part.refusal {
            member(out, b",\"refusal\":", &part.text);
        } else {
            member(out, b",\"text\":", &part.text);
            out.extend_from_slice(b",\"logprobs\":[]");
        }
    });
    steps.step("response.content_part.done", |out| {
        at(out, id, index);
        index_of(out, b",\"content_index\":", at_part);
        out.extend_from_slice(b",\"part\":");
        part.write(out);
    });
}
