//! Rerank (gateway-api §11, providers §12).

use serde_json::{Number, Value};

use super::sum;
use crate::reply::ResponseInfo;
use crate::usage::Usage;
use crate::warning::Warning;

/// Documents to be put in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankRequest {
    /// What is looked for.
    pub query: String,
    /// The documents; at least one.
    pub documents: Vec<RerankDocument>,
    /// The most results; `None`: all.
    pub top_n: Option<u64>,
    /// Where a long document is cut off, in tokens.
    pub max_tokens_per_document: Option<u64>,
    /// The fields of object documents that count, in order; empty: all.
    pub rank_fields: Vec<String>,
    /// `providerOptions` namespaces other than `gateway`, for the provider of that slug only.
    pub provider_options: Vec<(String, Value)>,
}

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub enum RerankDocument {
    /// Text.
    Text(String),
    /// A record, as the client sent it.
    Object(Value),
}

/// An order of documents, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankReply {
    /// The results.
    pub ranking: Vec<Ranked>,
    /// What was consumed. `Usage::searches` counts search units (providers §12), or is 0 for providers that
    /// bill tokens.
    pub usage: Option<Usage>,
    /// What the provider says of the answer.
    pub info: ResponseInfo,
    /// What could not be done as asked.
    pub warnings: Vec<Warning>,
}

/// One result.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The document's place in the request.
    pub index: usize,
    /// How well it fits, as the provider wrote it.
    pub score: Number,
}

impl RerankReply {
    pub(super) fn append(&mut self, more: Self) {
        self.ranking.extend(more.ranking);
        self.usage = sum(self.usage, more.usage);
        self.warnings.extend(more.warnings);
    }
}
