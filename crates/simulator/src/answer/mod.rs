//! What a model says: a neutral reading of the request, the decision, and its count in tokens. The
//! protocols are read and written in the submodules.

pub(crate) mod anthropic;
pub(crate) mod anthropic_read;
pub(crate) mod ask;
pub(crate) mod cache;
pub(crate) mod cohere_embed;
pub(crate) mod embeddings;
pub(crate) mod gemini;
pub(crate) mod images;
pub(crate) mod models;
pub(crate) mod natural;
pub(crate) mod openai_chat;
pub(crate) mod openai_read;
mod png;
pub(crate) mod rerank;
pub(crate) mod responses;
mod schema;
pub(crate) mod text;

use crate::behaviour::{Answer, UsageOverride};
use crate::seal::Seal;
use ask::Ask;

/// What is answered, whatever the protocol.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Said {
    pub reasoning: Option<String>,
    /// A web search that the provider ran before the text.
    pub search: Option<Search>,
    pub text: Option<String>,
    pub calls: Vec<Call>,
    pub finish: Finish,
    /// Bytes of text a stream event; `None` cuts at words.
    pub piece_bytes: Option<usize>,
}

/// A tool call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub name: String,
    pub arguments: serde_json::Value,
}

/// A web search and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    pub query: String,
    pub hits: Vec<Hit>,
}

/// A page that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub title: String,
    pub url: String,
    pub text: String,
}

impl Search {
    /// What the results add to the prompt.
    pub(crate) fn tokens(&self) -> u64 {
        self.hits.iter().map(|hit| text::tokens(hit.title.len() + hit.url.len() + hit.text.len())).sum()
    }
}

/// Why the model stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Finish {
    #[default]
    Stop,
    /// A stop sequence of the request came up.
    Sequence(String),
    Length,
    ToolCalls,
}

/// Counts of an exchange. Cache counts are part of `input`, reasoning of `output` (providers §0.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub input: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// What an answer carries beside its content.
pub(crate) struct Meta<'a> {
    /// The request's place in the order of arrival, from which ids are made.
    pub order: u64,
    /// Seconds since 1970.
    pub created: u64,
    pub usage: &'a UsageOverride,
    /// Seals what only this provider may read or change.
    pub seal: Seal,
}

/// Decides what is said.
pub(crate) fn decide(ask: &Ask, answer: &Answer) -> Said {
    let said = match answer {
        Answer::Say { text, reasoning, calls } => Said {
            reasoning: reasoning.clone(),
            search: None,
            text: text.clone(),
            calls: calls
                .iter()
                .map(|c| Call { name: c.name.clone(), arguments: c.arguments.clone() })
                .collect(),
            finish: if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls },
            piece_bytes: None,
        },
        Answer::Filler { size, chunks, chunk_size } => {
            let bytes = if ask.stream { chunks.saturating_mul(*chunk_size) } else { *size };
            return Said {
                text: Some(text::filler(bytes)),
                piece_bytes: Some(*chunk_size),
                ..Said::default()
            };
        }
        Answer::Natural | Answer::Json { .. } | Answer::Replay(_) => natural::said(ask),
    };
    limited(ask, said)
}

/// Applies stop sequences and the limit on output tokens.
fn limited(ask: &Ask, mut said: Said) -> Said {
    if let Some(text) = &mut said.text {
        let first = ask
            .stop
            .iter()
            .filter(|s| !s.is_empty())
            .filter_map(|s| text.find(s.as_str()).map(|at| (at, s)))
            .min_by_key(|(at, _)| *at);
        if let Some((at, sequence)) = first {
            text.truncate(at);
            said.calls.clear();
            said.finish = Finish::Sequence(sequence.clone());
        }
    }
    let Some(limit) = ask.max_tokens else { return said };
    let mut left = limit;
    for part in [&mut said.reasoning, &mut said.text].into_iter().flatten() {
        let needed = text::tokens(part.len());
        if needed > left {
            part.truncate(part.floor_char_boundary(usize::try_from(left * 4).unwrap_or(usize::MAX)));
            said.finish = Finish::Length;
        }
        left = left.saturating_sub(needed);
    }
    let mut fits = true;
    said.calls.retain(|call| {
        let needed = call_tokens(call);
        fits = fits && needed <= left;
        left = left.saturating_sub(needed);
        fits
    });
    if !fits {
        said.finish = Finish::Length;
    }
    said
}

fn call_tokens(call: &Call) -> u64 {
    text::tokens(call.name.len() + call.arguments.to_string().len()) + 4
}

/// Counts the output of an answer.
pub(crate) fn output_tokens(said: &Said) -> (u64, u64) {
    let reasoning = said.reasoning.as_ref().map_or(0, |r| text::tokens(r.len()));
    let visible = said.text.as_ref().map_or(0, |t| text::tokens(t.len()));
    (reasoning + visible + said.calls.iter().map(call_tokens).sum::<u64>(), reasoning)
}

#[cfg(test)]
mod tests;
