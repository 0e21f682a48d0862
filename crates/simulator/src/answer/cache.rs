//! The provider's memory of prompts, for the cache counts of usage. Bounded: two generations of hashes,
//! the older dropped when the younger is full.

use std::collections::HashSet;

use super::ask::Ask;
use super::{Tokens, text};

const GENERATION: usize = 100_000;
/// OpenAI caches from here on, in steps of so many bytes.
const OPENAI_LEAST: usize = 1024;
const OPENAI_STEP: usize = 512;

/// Prefixes that were sent before.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl PromptCache {
    fn knows(&self, prefix: u64) -> bool {
        self.young.contains(&prefix) || self.old.contains(&prefix)
    }

    fn learn(&mut self, prefix: u64) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(prefix);
    }

    /// Counts a prompt as OpenAI does: the longest prefix sent before, unasked.
    pub(crate) fn openai(&mut self, ask: &Ask) -> Tokens {
        let input = ask.input_tokens();
        let mut hash = text::hash(ask.model.as_bytes());
        let mut cached = 0;
        let mut new = Vec::new();
        let mut unbroken = true;
        for (n, block) in ask.prompt.as_bytes().chunks_exact(OPENAI_STEP).enumerate() {
            hash = text::extend_hash(hash, block);
            let end = (n + 1) * OPENAI_STEP;
            if end < OPENAI_LEAST {
                continue;
            }
            unbroken = unbroken && self.knows(hash);
            if unbroken {
                cached = end;
            } else {
                new.push(hash);
            }
        }
        new.into_iter().for_each(|prefix| self.learn(prefix));
        Tokens { input, cache_read: text::tokens(cached), ..Tokens::default() }
    }

    /// Counts a prompt as Anthropic does: up to the request's own marks (providers §4).
    pub(crate) fn anthropic(&mut self, ask: &Ask, least_tokens: u64) -> Tokens {
        let mut tokens = Tokens { input: ask.input_tokens(), ..Tokens::default() };
        let prompt = ask.prompt.as_bytes();
        let mut hash = text::hash(ask.model.as_bytes());
        let mut from = 0;
        let mut counted = 0;
        let mut writes = Vec::new();
        for mark in &ask.marks {
            hash = text::extend_hash(hash, &prompt[from..mark.at]);
            from = mark.at;
            let length = text::tokens(mark.at);
            if length < least_tokens.max(1) {
                continue;
            }
            if self.knows(hash) {
                tokens.cache_read = length;
                writes.clear();
            } else {
                writes.push((hash, length, mark.one_hour));
            }
        }
        counted += tokens.cache_read;
        for (prefix, length, one_hour) in writes {
            let grown = length.saturating_sub(counted);
            counted = length;
            if one_hour {
                tokens.cache_write_1h += grown;
            } else {
                tokens.cache_write_5m += grown;
            }
            self.learn(prefix);
        }
        tokens
    }
}
