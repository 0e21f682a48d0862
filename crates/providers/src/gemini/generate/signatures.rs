//! Thought signatures back on the parts that they came on (I19; the module above tells the rule).

use std::collections::HashMap;

use tollgate_domain::conversation::{Content, FORMAT_GEMINI, Message, Reasoning, ReasoningKind};

use super::part::{Body, Part};

/// What makes the provider accept a call that another model made (providers §5).
const SKIP: &str = "skip_thought_signature_validator";

/// The signatures of one message while its parts are written.
#[derive(Debug, Default)]
pub(super) struct Signatures<'m> {
    of_calls: HashMap<&'m str, &'m str>,
    waiting: Vec<Waiting<'m>>,
    /// Text of thoughts whose signature has not come.
    thought: String,
}

/// A signature without an id that stood behind no text or file.
#[derive(Debug)]
struct Waiting<'m> {
    /// How many parts had been written.
    at: usize,
    signature: &'m str,
    /// The thought right before it.
    thought: String,
}

impl<'m> Signatures<'m> {
    /// Finds the signatures of the message's calls, wherever in it they stand.
    pub(super) fn of(message: &'m Message) -> Self {
        let mut of_calls = HashMap::new();
        for part in &message.parts {
            if let Content::Reasoning(reasoning) = &part.content
                && let (Some(signature), Some(id)) = (opaque(reasoning), named(reasoning))
            {
                of_calls.entry(id).or_insert(signature);
            }
        }
        Self { of_calls, ..Self::default() }
    }

    /// The signature of a call.
    pub(super) fn call(&mut self, id: &str) -> Option<String> {
        self.of_calls.remove(id).map(str::to_owned)
    }

    /// Takes a reasoning item. That of other providers is dropped, as is a thought without a signature:
    /// it means nothing to the model.
    pub(super) fn reasoning(&mut self, reasoning: &'m Reasoning, parts: &mut Vec<Part>) {
        if reasoning.format.as_deref() != Some(FORMAT_GEMINI) {
            return;
        }
        if let Some(signature) = opaque(reasoning) {
            if named(reasoning).is_none() {
                self.place(signature, parts);
            }
            return;
        }
        let Some(signature) = reasoning.signature.as_ref().filter(|s| !s.is_empty()) else {
            self.thought.push_str(&reasoning.text);
            return;
        };
        // A client may send a thought as it was streamed, the signature in a closing piece without text.
        let pieces = std::mem::take(&mut self.thought);
        let text = if reasoning.text.is_empty() { pieces } else { reasoning.text.clone() };
        parts.push(Part { body: Body::Thought(text), signature: Some(signature.clone()) });
    }

    fn place(&mut self, signature: &'m str, parts: &mut [Part]) {
        let thought = std::mem::take(&mut self.thought);
        match parts.last_mut().filter(|part| part.is_signable()) {
            Some(part) => part.signature = Some(signature.to_owned()),
            None => self.waiting.push(Waiting { at: parts.len(), signature, thought }),
        }
    }

    /// The message is complete: signatures that still wait are placed.
    pub(super) fn settle(self, parts: &mut Vec<Part>) {
        let mut inserted = 0;
        for waiting in self.waiting {
            let at = (waiting.at + inserted).min(parts.len());
            let unsigned_calls = !parts.iter().any(|part| part.is_call() && part.signature.is_some());
            let signature = Some(waiting.signature.to_owned());
            let call = parts[at..].iter_mut().find(|part| unsigned_calls && part.is_call());
            if let Some(part) = call {
                part.signature = signature;
            } else if let Some(part) = parts[at..].iter_mut().rev().find(|part| part.is_signable()) {
                part.signature = signature;
            } else {
                let body = if waiting.thought.is_empty() {
                    Body::Text(String::new())
                } else {
                    Body::Thought(waiting.thought)
                };
                parts.insert(at, Part { body, signature });
                inserted += 1;
            }
        }
    }
}

/// State without visible text.
fn opaque(reasoning: &Reasoning) -> Option<&str> {
    if reasoning.format.as_deref() != Some(FORMAT_GEMINI) {
        return None;
    }
    let encrypted = (reasoning.kind == ReasoningKind::Encrypted).then_some(reasoning.signature.as_deref());
    reasoning.data.as_deref().or(encrypted.flatten()).filter(|data| !data.is_empty())
}

fn named(reasoning: &Reasoning) -> Option<&str> {
    reasoning.id.as_deref().filter(|id| !id.is_empty())
}

/// Marks a step's calls that no signature came with, as those of another model: newer models check the first
/// call of each step.
pub(super) fn mark_foreign(parts: &mut [Part]) {
    if parts.iter().any(|part| part.is_call() && part.signature.is_some()) {
        return;
    }
    if let Some(first) = parts.iter_mut().find(|part| part.is_call()) {
        first.signature = Some(SKIP.to_owned());
    }
}
