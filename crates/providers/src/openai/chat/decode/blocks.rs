//! Texts and reasoning items of an answer: at most one is open, and it is closed before the next begins.

use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{FORMAT_UNKNOWN, ReasoningKind};

use super::parts::Detail;

/// The open block, and the numbers given out.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    next: u32,
    open: Open,
    any: bool,
}

#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Text(u32),
    Refusal(u32),
    Reasoning(OpenReasoning),
}

#[derive(Debug)]
struct OpenReasoning {
    block: u32,
    kind: ReasoningKind,
    id: Option<String>,
    index: Option<u64>,
    signature: Option<String>,
}

impl Blocks {
    /// The number of the next block; whoever uses it counts it up.
    pub(super) fn next_block(&mut self) -> &mut u32 {
        &mut self.next
    }

    /// Whether there was anything a client would see.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    /// Notes content that is in no block.
    pub(super) fn note_content(&mut self) {
        self.any = true;
    }

    fn begin(&mut self, out: &mut Vec<ReplyEvent>) -> u32 {
        self.close(out);
        self.any = true;
        let block = self.next;
        self.next += 1;
        block
    }

    /// More text.
    pub(super) fn text(&mut self, text: &str, out: &mut Vec<ReplyEvent>) {
        let block = if let Open::Text(block) = self.open {
            block
        } else {
            let block = self.begin(out);
            self.open = Open::Text(block);
            out.push(ReplyEvent::TextStart { block });
            block
        };
        out.push(ReplyEvent::TextDelta { block, text: text.to_owned() });
    }

    /// More of a refusal: a text block of its own.
    pub(super) fn refusal(&mut self, text: &str, out: &mut Vec<ReplyEvent>) {
        let block = if let Open::Refusal(block) = self.open {
            block
        } else {
            let block = self.begin(out);
            self.open = Open::Refusal(block);
            out.push(ReplyEvent::TextStart { block });
            block
        };
        out.push(ReplyEvent::RefusalDelta { block, text: text.to_owned() });
    }

    /// More reasoning text of a provider that knows nothing but text.
    pub(super) fn reasoning_text(&mut self, text: &str, out: &mut Vec<ReplyEvent>) {
        let block = match &self.open {
            Open::Reasoning(open) if open.kind == ReasoningKind::Text && open.signature.is_none() => {
                open.block
            }
            _ => self.begin_reasoning(ReasoningKind::Text, None, None, FORMAT_UNKNOWN, out),
        };
        out.push(ReplyEvent::ReasoningDelta { block, text: text.to_owned() });
    }

    fn begin_reasoning(
        &mut self,
        kind: ReasoningKind,
        id: Option<String>,
        index: Option<u64>,
        format: &'static str,
        out: &mut Vec<ReplyEvent>,
    ) -> u32 {
        let block = self.begin(out);
        out.push(ReplyEvent::ReasoningStart { block, kind, id: id.clone(), format });
        self.open = Open::Reasoning(OpenReasoning { block, kind, id, index, signature: None });
        block
    }

    /// One entry of `reasoning_details`.
    pub(super) fn reasoning_detail(&mut self, detail: Detail, out: &mut Vec<ReplyEvent>) {
        if detail.kind == ReasoningKind::Encrypted {
            if let Some(data) = detail.data {
                let block = self.begin(out);
                let (kind, id, format) = (detail.kind, detail.id, detail.format);
                out.push(ReplyEvent::ReasoningStart { block, kind, id, format });
                out.push(ReplyEvent::ReasoningEnd { block, signature: None, data: Some(data) });
                self.open = Open::Nothing;
            }
            return;
        }
        if detail.text.is_empty() && detail.signature.is_none() {
            return;
        }
        let continues = matches!(&self.open, Open::Reasoning(open) if open.continues(&detail));
        if !continues {
            self.begin_reasoning(detail.kind, detail.id, detail.index, detail.format, out);
        }
        if let Open::Reasoning(open) = &mut self.open {
            if !detail.text.is_empty() {
                out.push(ReplyEvent::ReasoningDelta { block: open.block, text: detail.text });
            }
            if detail.signature.is_some() {
                open.signature = detail.signature;
            }
        }
    }

    /// The open block is complete.
    pub(super) fn close(&mut self, out: &mut Vec<ReplyEvent>) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Text(block) | Open::Refusal(block) => out.push(ReplyEvent::TextEnd { block }),
            Open::Reasoning(open) => {
                out.push(ReplyEvent::ReasoningEnd {
                    block: open.block,
                    signature: open.signature,
                    data: None,
                });
            }
        }
    }
}

impl OpenReasoning {
    /// Whether a detail adds to this item: the same kind, and no id or index that says otherwise. Text
    /// after a signature is a new item.
    fn continues(&self, detail: &Detail) -> bool {
        fn agree<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        self.kind == detail.kind
            && agree(self.id.as_ref(), detail.id.as_ref())
            && agree(self.index.as_ref(), detail.index.as_ref())
            && (self.signature.is_none() || detail.text.is_empty())
    }
}
