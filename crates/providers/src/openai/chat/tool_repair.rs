//! Tool calls out of the deltas that servers really send (providers §2, "tool-call stream repair"), as
//! events in which calls never interleave and id and name come before arguments (I18, clients §0.7).
//!
//! One call is open at a time. A later call is held back until the open one is complete: when its
//! arguments are a whole JSON value, or at the end of the answer.

use tollgate_domain::Failure;
use tollgate_domain::ReplyEvent;
use tollgate_domain::failure::FailureClass;

/// The most calls of one answer (I26).
const MAX_CALLS: usize = 1024;
/// The most bytes of arguments held back (I26).
const MAX_HELD: usize = 16 << 20;

/// One entry of `tool_calls`.
pub(super) struct CallDelta<'a> {
    /// `index`, when sent.
    pub(super) index: Option<u64>,
    /// The entry's place in its array, and the array's length.
    pub(super) place: (usize, usize),
    /// `id`; empty when absent.
    pub(super) id: &'a str,
    /// The function's name; empty when absent.
    pub(super) name: &'a str,
    /// More of the arguments.
    pub(super) arguments: &'a str,
    /// The entry is of a whole answer, hence a whole call.
    pub(super) whole: bool,
}

/// The calls of one answer.
#[derive(Debug, Default)]
pub(super) struct ToolCalls {
    calls: Vec<Call>,
    /// The first call that is not complete.
    at: usize,
    held: usize,
    /// What minted ids are made from, besides their place.
    seed: u64,
}

#[derive(Debug)]
struct Call {
    index: Option<u64>,
    sent_id: String,
    id: String,
    name: String,
    block: Option<u32>,
    /// Arguments that have not been given out.
    pending: String,
    extent: Extent,
    given: bool,
    ended: bool,
}

impl ToolCalls {
    /// Makes minted ids differ between answers: `fact` is the answer's id and its like.
    pub(super) fn seed(&mut self, fact: &str) {
        self.seed = fnv(self.seed, fact.as_bytes());
    }

    /// Whether any call was made.
    pub(super) fn any(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Whether the arguments of all calls are whole.
    pub(super) fn complete(&self) -> bool {
        self.calls.iter().all(|call| call.extent.is_complete() || call.pending.is_empty() && !call.given)
    }

    /// Takes an entry and gives out what can be given out.
    ///
    /// # Errors
    /// When the answer goes beyond the limits.
    pub(super) fn push(
        &mut self,
        delta: &CallDelta<'_>,
        next_block: &mut u32,
        out: &mut Vec<ReplyEvent>,
    ) -> Result<(), Failure> {
        let at = match self.locate(delta) {
            Some(at) => at,
            None => self.add(delta)?,
        };
        let call = &mut self.calls[at];
        if call.name.is_empty() {
            delta.name.clone_into(&mut call.name);
        }
        if call.sent_id.is_empty() && !delta.id.is_empty() && call.block.is_none() {
            delta.id.clone_into(&mut call.sent_id);
            delta.id.clone_into(&mut call.id);
        }
        if !call.ended {
            call.extent.push(delta.arguments);
            call.pending.push_str(delta.arguments);
            self.held += delta.arguments.len();
        }
        self.pump(false, next_block, out);
        if self.held > MAX_HELD {
            return Err(too_much("bytes of tool arguments that cannot be passed on yet", MAX_HELD));
        }
        Ok(())
    }

    /// Other content comes: an open call whose arguments are whole is complete. One that has no name yet is not
    /// open, and its name may still come.
    pub(super) fn settle(&mut self, next_block: &mut u32, out: &mut Vec<ReplyEvent>) {
        if self.calls.get(self.at).is_some_and(|call| call.block.is_some() && call.extent.is_complete()) {
            self.close(out);
            self.pump(false, next_block, out);
        }
    }

    /// The answer is complete, and so are all its calls.
    pub(super) fn finish(&mut self, next_block: &mut u32, out: &mut Vec<ReplyEvent>) {
        self.pump(true, next_block, out);
    }

    /// The call that an entry continues; `None` when it begins one.
    fn locate(&self, delta: &CallDelta<'_>) -> Option<usize> {
        if delta.whole {
            return None;
        }
        if delta.index.is_some() {
            return self.by_index(delta);
        }
        if !delta.id.is_empty() {
            return self.by_id(delta.id);
        }
        let at = if delta.place.1 > 1 { delta.place.0 } else { self.calls.len().checked_sub(1)? };
        let call = self.calls.get(at)?;
        let begins = !delta.name.is_empty()
            && (delta.name != call.name || (call.extent.is_complete() && !delta.arguments.is_empty()));
        (!begins).then_some(at)
    }

    fn by_index(&self, delta: &CallDelta<'_>) -> Option<usize> {
        let Some(at) = self.calls.iter().rposition(|call| call.index == delta.index) else {
            // An index that changed under a call goes by its id.
            return if delta.name.is_empty() { self.by_id(delta.id) } else { None };
        };
        let call = &self.calls[at];
        let begins = if delta.name.is_empty() {
            false
        } else if delta.id.is_empty() {
            call.extent.is_complete() && delta.name != call.name
        } else {
            !call.sent_id.is_empty() && call.sent_id != delta.id
        };
        (!begins).then_some(at)
    }

    fn by_id(&self, id: &str) -> Option<usize> {
        if id.is_empty() {
            return None;
        }
        self.calls.iter().rposition(|call| call.sent_id == id)
    }

    fn add(&mut self, delta: &CallDelta<'_>) -> Result<usize, Failure> {
        if self.calls.len() >= MAX_CALLS {
            return Err(too_much("tool calls", MAX_CALLS));
        }
        let taken = delta.id.is_empty() || self.calls.iter().any(|call| call.id == delta.id);
        let id = if taken { self.mint() } else { delta.id.to_owned() };
        self.calls.push(Call {
            index: delta.index,
            sent_id: delta.id.to_owned(),
            id,
            name: String::new(),
            block: None,
            pending: String::new(),
            extent: Extent::default(),
            given: false,
            ended: false,
        });
        Ok(self.calls.len() - 1)
    }

    /// An id for a call that came without: the same whenever the same answer is decoded (I20).
    fn mint(&self) -> String {
        format!("call_{:016x}", fnv(self.seed, &(self.calls.len() as u64).to_be_bytes()))
    }

    /// Gives out what can be given out; at the end (`all`) everything.
    fn pump(&mut self, all: bool, next_block: &mut u32, out: &mut Vec<ReplyEvent>) {
        while let Some(call) = self.calls.get_mut(self.at) {
            if call.block.is_none() {
                if call.name.is_empty() && !all {
                    return;
                }
                let block = *next_block;
                *next_block += 1;
                call.block = Some(block);
                out.push(ReplyEvent::ToolStart { block, id: call.id.clone(), name: call.name.clone() });
            }
            if !call.pending.is_empty() && (call.given || !may_be_nothing(&call.pending)) {
                self.held = self.held.saturating_sub(call.pending.len());
                let arguments = std::mem::take(&mut call.pending);
                call.given = true;
                out.push(ReplyEvent::ToolDelta { block: call.block.unwrap_or_default(), arguments });
            }
            let is_last = self.at + 1 == self.calls.len();
            if !(all || !is_last && self.calls[self.at].extent.is_complete()) {
                return;
            }
            self.close(out);
        }
    }

    fn close(&mut self, out: &mut Vec<ReplyEvent>) {
        let call = &mut self.calls[self.at];
        let block = call.block.unwrap_or_default();
        if !call.given {
            // "", null or no arguments at all mean none (providers §2).
            let rest = std::mem::take(&mut call.pending);
            self.held = self.held.saturating_sub(rest.len());
            let empty = matches!(rest.trim(), "" | "null");
            let arguments = if empty { "{}".to_owned() } else { rest };
            out.push(ReplyEvent::ToolDelta { block, arguments });
        }
        out.push(ReplyEvent::ToolEnd { block });
        call.ended = true;
        self.at += 1;
    }
}

/// Whether text so far may turn out to be no arguments: blank, or the beginning of `null`.
fn may_be_nothing(text: &str) -> bool {
    "null".starts_with(text.trim())
}

fn too_much(what: &str, limit: usize) -> Failure {
    Failure::provider(FailureClass::Server, format!("The provider's answer holds more than {limit} {what}."))
}

/// FNV-1a, continued from `state`: small, stable, and good enough for names.
pub(super) fn fnv(state: u64, bytes: &[u8]) -> u64 {
    let start = if state == 0 { 0xcbf2_9ce4_8422_2325 } else { state };
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Follows an object or array through pieces of text, to know when it is closed.
#[derive(Debug, Default)]
struct Extent {
    depth: u32,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Extent {
    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed = self.depth == 0;
                }
                _ => {}
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.closed && self.depth == 0 && !self.in_string
    }
}

#[cfg(test)]
mod tests;
