//! The neutral form of an answer: an ordered stream of events, the same for a stream and for a whole
//! answer (I2). A block is one text, one reasoning item or one tool call; its number is unique within
//! the answer and events of different blocks may interleave only as the provider sent them.

use serde_json::Value;

use crate::conversation::{File, ReasoningKind};
use crate::failure::Failure;
use crate::json_text::JsonText;
use crate::usage::Usage;

/// One event of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyEvent {
    /// What the provider says of the answer before content. May come again with more facts.
    Info(ResponseInfo),
    /// A text begins.
    TextStart {
        /// Its block.
        block: u32,
    },
    /// More text.
    TextDelta {
        /// Its block.
        block: u32,
        /// What is added.
        text: String,
    },
    /// The text is complete.
    TextEnd {
        /// Its block.
        block: u32,
    },
    /// A refusal's text: counts as visible text.
    RefusalDelta {
        /// Its block.
        block: u32,
        /// What is added.
        text: String,
    },
    /// Reasoning begins.
    ReasoningStart {
        /// Its block.
        block: u32,
        /// Text, summary or encrypted.
        kind: ReasoningKind,
        /// The provider's id of the item.
        id: Option<String>,
        /// Whose state it is (`conversation::FORMAT_…`).
        format: &'static str,
    },
    /// More reasoning text.
    ReasoningDelta {
        /// Its block.
        block: u32,
        /// What is added.
        text: String,
    },
    /// The reasoning is complete.
    ReasoningEnd {
        /// Its block.
        block: u32,
        /// The signature over its text, bit-exact (I19).
        signature: Option<String>,
        /// Encrypted or redacted state, bit-exact (I19).
        data: Option<String>,
    },
    /// A tool call that the client must run begins: id and name come before arguments (clients §0.7).
    ToolStart {
        /// Its block.
        block: u32,
        /// The call's id; made by the decoder when the provider gave none.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// More of its arguments, as JSON text, byte for byte (I18).
    ToolDelta {
        /// Its block.
        block: u32,
        /// What is added.
        arguments: String,
    },
    /// The call is complete. A call without any argument text has had a delta `{}`.
    ToolEnd {
        /// Its block.
        block: u32,
    },
    /// A file that the model made.
    File(File),
    /// A source that the answer cites, as OpenAI's `url_citation` annotation or the provider's own.
    Source(Value),
    /// Something only one provider knows (server tool blocks, search results), untouched.
    Custom {
        /// The provider's namespace.
        namespace: &'static str,
        /// The block.
        value: Value,
    },
    /// The provider's report of consumption. Replaces an earlier one (I2).
    Usage(Usage),
    /// The end of a complete answer; nothing follows.
    Finish(Finish),
    /// The end of a broken answer; nothing follows (I16).
    Failure(Failure),
}

/// What the provider says of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseInfo {
    /// The provider's id of the answer (`chatcmpl-…`, `msg_…`).
    pub id: Option<String>,
    /// The model that answered, in the provider's words.
    pub model: Option<String>,
    /// OpenAI's `system_fingerprint`.
    pub system_fingerprint: Option<String>,
    /// The service tier that served it.
    pub service_tier: Option<String>,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    /// The neutral reason.
    pub reason: FinishReason,
    /// The provider's own word.
    pub raw: Option<String>,
    /// The stop sequence that ended it.
    pub stop_sequence: Option<String>,
    /// The provider's own metadata, for `provider_metadata.<namespace>` (its usage as sent, response id, …).
    pub native: Option<JsonText>,
}

/// Why an answer ended (providers §0.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It was complete.
    Stop,
    /// A limit was reached.
    Length,
    /// The client must run tools.
    ToolCalls,
    /// A content policy ended it, or the model refused.
    ContentFilter,
    /// The provider failed.
    Error,
    /// Anything else; clients see `stop`.
    Other,
}

impl FinishReason {
    /// OpenAI's word, also used in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop | Self::Other => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Error => "error",
        }
    }
}

impl ReplyEvent {
    /// Whether a client would see something of this event: what commits an attempt (I15).
    #[must_use]
    pub fn is_content(&self) -> bool {
        match self {
            Self::TextDelta { text, .. }
            | Self::RefusalDelta { text, .. }
            | Self::ReasoningDelta { text, .. } => !text.is_empty(),
            Self::ReasoningEnd { signature, data, .. } => signature.is_some() || data.is_some(),
            Self::ToolStart { .. }
            | Self::ToolDelta { .. }
            | Self::File(_)
            | Self::Source(_)
            | Self::Custom { .. } => true,
            Self::Info(_)
            | Self::TextStart { .. }
            | Self::TextEnd { .. }
            | Self::ReasoningStart { .. }
            | Self::ToolEnd { .. }
            | Self::Usage(_)
            | Self::Finish(_)
            | Self::Failure(_) => false,
        }
    }
}
