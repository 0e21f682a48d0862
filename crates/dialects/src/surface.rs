//! The shape that every dialect has, so that the path of a request is the same for all of them.
//!
//! A dialect reads the bytes of a request into its own type, which gives the facts that routing needs
//! ([`Head`]) and the neutral form, and makes the writers of its answer. [`ConversationRequest`] is for
//! language models, whole or streamed; [`TaskRequest`] for embeddings, images and rerank.

use bytes::Bytes;
use tollgate_domain::options::GatewayOptions;
use tollgate_domain::reply::Finish;
use tollgate_domain::task::{Product, Task};
use tollgate_domain::{Conversation, Failure, GenerationId, InputError, Needs, Receipt, ReplyEvent};
use tollgate_wire::json::Checked;

use crate::SpliceError;

/// What routing, admission and metering must know of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The model, as the client wrote it.
    pub model: String,
    /// The answer shall be streamed.
    pub stream: bool,
    /// The most tokens to generate; a client's 0 counts as absent.
    pub max_tokens: Option<u64>,
    /// `providerOptions.gateway` and the body's attribution.
    pub options: GatewayOptions,
    /// What the model must be able to take.
    pub needs: Needs,
    /// Reasoning is to be left out of the answer.
    pub exclude_reasoning: bool,
}

/// The facts of one answer that its bytes repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyContext {
    /// The request's id.
    pub generation: GenerationId,
    /// When the request came: seconds since the epoch.
    pub created_seconds: i64,
    /// The model as the client asked for it.
    pub model: String,
    /// OpenAI's `system_fingerprint`, the same in every chunk; see
    /// [`fingerprint`](crate::chat_completions::fingerprint).
    pub fingerprint: String,
    /// Reasoning is left out of the answer.
    pub exclude_reasoning: bool,
    /// About how many tokens the prompt has: what a dialect says that must name them before the provider
    /// has (Anthropic's `message_start`).
    pub prompt_tokens_estimate: u64,
}

/// The dialects of language models. Decides where a request can be passed through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI chat completions.
    ChatCompletions,
    /// Anthropic Messages.
    Messages,
    /// OpenAI Responses.
    Responses,
    /// The AI SDK's gateway protocol.
    AiSdk,
}

impl Dialect {
    /// The word for metrics and the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Messages => "messages",
            Self::Responses => "responses",
            Self::AiSdk => "ai_sdk",
        }
    }
}

/// A checked request for a language model.
pub trait ConversationRequest: Send + Sync + std::fmt::Debug {
    /// The dialect.
    fn dialect(&self) -> Dialect;

    /// What routing must know.
    fn head(&self) -> &Head;

    /// The body as it came, with what its check has found, for passthrough.
    fn checked(&self) -> &Checked<Bytes>;

    /// The whole request in its neutral form.
    ///
    /// # Errors
    /// A member deep in the body has a wrong type or value; the error names its JSON path.
    fn conversation(&self) -> Result<Conversation, InputError>;

    /// Writes a stream from neutral events.
    fn stream_encoder(&self, context: ReplyContext) -> Box<dyn StreamWriter>;

    /// Writes a whole answer from the same neutral events (I2). `events` holds all of them but the finish.
    fn encode_whole(
        &self,
        context: &ReplyContext,
        events: &[ReplyEvent],
        finish: &Finish,
        receipt: &Receipt,
    ) -> Vec<u8>;

    /// Passes a stream through whose provider speaks this protocol itself (I17); `None` when no provider
    /// does.
    fn stream_splice(&self, context: ReplyContext) -> Option<Box<dyn StreamSplicer>>;

    /// Passes a whole answer through whose provider speaks this protocol itself (I17).
    ///
    /// # Errors
    /// The body is no answer of this protocol.
    fn splice_whole(
        &self,
        context: &ReplyContext,
        upstream_body: &[u8],
        receipt: &Receipt,
    ) -> Result<Vec<u8>, SpliceError>;
}

/// Turns neutral events into the bytes of a stream. `Info`, `Usage`, `Finish` and `Failure` events may be
/// used for what they say, but the ending is written by `close` or `fail` only.
pub trait StreamWriter: Send {
    /// Appends what the client gets for one event.
    fn event(&mut self, event: &ReplyEvent, out: &mut Vec<u8>);
    /// Appends the end of a complete answer.
    fn close(&mut self, receipt: &Receipt, finish: &Finish, out: &mut Vec<u8>);
    /// Ends the stream with the dialect's in-band error (I16).
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>);
    /// What keeps a silent stream's connection alive.
    fn keep_alive(&self) -> &'static [u8] {
        KEEP_ALIVE_COMMENT
    }
}

/// Passes the events of a stream through, replacing what the gateway owns (I17).
pub trait StreamSplicer: Send {
    /// Takes one of the provider's server-sent events and appends what the client gets for it. Terminal
    /// events are held back: `close` writes them. Error events and what is no JSON write nothing, since the
    /// tap on the same bytes judges those.
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<u8>);
    /// Appends the end of a complete answer.
    fn close(&mut self, receipt: &Receipt, out: &mut Vec<u8>);
    /// Ends the stream with the dialect's in-band error (I16).
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>);
    /// What keeps a silent stream's connection alive.
    fn keep_alive(&self) -> &'static [u8] {
        KEEP_ALIVE_COMMENT
    }
}

/// A comment of an event stream, safe for every client (clients §0.1).
pub const KEEP_ALIVE_COMMENT: &[u8] = b": ping\n\n";

/// A checked request for embeddings, images or rerank.
pub trait TaskRequest: Send + Sync + std::fmt::Debug {
    /// The word for metrics and the ledger (`embeddings`, `images`, `rerank`, `ai_sdk`).
    fn surface(&self) -> &'static str;

    /// What routing must know; `stream` is false.
    fn head(&self) -> &Head;

    /// The neutral form.
    fn task(&self) -> &Task;

    /// Writes the answer. `product` is of the task's kind.
    fn encode(&self, context: &ReplyContext, product: &Product, receipt: &Receipt) -> Vec<u8>;
}
