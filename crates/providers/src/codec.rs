//! The shape that every provider codec has.

use tollgate_domain::reply::{FinishReason, ResponseInfo};
use tollgate_domain::{Failure, JsonText, ReplyEvent, Usage};

/// What a codec must know of the endpoint it writes for; facts of the catalog.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The provider's slug (`openai`, `groq`, …), which decides its quirks.
    pub provider: String,
    /// The provider's id of the model, written into the request.
    pub model: String,
    /// The catalog's id of the model (`creator/name`), for rules that go by model family.
    pub canonical: String,
    /// The most tokens the model can generate.
    pub max_output_tokens: Option<u64>,
    /// The model can reason.
    pub reasoning: bool,
    /// The reasoning efforts that it takes; empty when unknown or when it takes budgets.
    pub reasoning_efforts: Vec<String>,
    /// It takes a reasoning budget in tokens, from this least number on.
    pub reasoning_budget_min: Option<u64>,
    /// It honours explicit cache marks.
    pub explicit_caching: bool,
    /// It has native structured output.
    pub structured_output: bool,
}

/// How the bytes of a reply are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// One JSON body.
    Whole,
    /// Server-sent events.
    Stream,
}

/// Turns a reply's bytes into neutral events. Pushed bytes may be split anywhere (I20). Exactly one
/// `Finish` or `Failure` is given, last, at the latest by `end`.
pub trait ReplyDecoder: Send {
    /// Takes the next bytes and appends the events that they complete.
    fn push(&mut self, bytes: &[u8], out: &mut Vec<ReplyEvent>);
    /// The bytes have ended. Without its terminal event the answer is truncated (I16).
    fn end(&mut self, out: &mut Vec<ReplyEvent>);
}

/// Reads along while a reply is passed through (I17): what was consumed, how it ended.
pub trait Tap: Send {
    /// Looks at one server-sent event of the reply (`[DONE]` included).
    fn event(&mut self, name: &[u8], data: &[u8]) -> Tapped;
    /// Looks at a whole reply.
    fn whole(&mut self, body: &[u8]) -> Tapped;
    /// The bytes have ended; truncated unless a terminal event was seen (I16).
    fn end(&mut self) -> Tapped;
    /// What has been seen so far.
    fn seen(&self) -> &Seen;
}

/// What one look found.
#[derive(Clone, Debug, PartialEq)]
pub enum Tapped {
    /// Nothing that a client would see (role, usage, ping).
    Nothing,
    /// Content (I15).
    Content,
    /// The reply is complete: its terminal event, and all usage that can come, has been seen.
    Finished,
    /// The reply failed.
    Failure(Failure),
}

/// What a tap has seen of a reply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The latest report of consumption.
    pub usage: Option<Usage>,
    /// The neutral finish reason.
    pub finish: Option<FinishReason>,
    /// What the provider says of the answer.
    pub info: ResponseInfo,
    /// The provider's own metadata for `provider_metadata.<namespace>`.
    pub native: Option<JsonText>,
    /// Bytes of generated text (visible, reasoning, tool arguments), for an estimate when no report comes.
    pub output_bytes: u64,
}

/// One upstream call of a task. A task may need several, when it is larger than the provider takes at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCall {
    /// The path behind the provider's base address, with its leading slash (`/embeddings`).
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
    /// Its media type (`application/json`, `multipart/form-data; boundary=…`).
    pub content_type: String,
}

impl TaskCall {
    /// A call with a JSON body.
    #[must_use]
    pub fn json(path: impl Into<String>, body: Vec<u8>) -> Self {
        Self { path: path.into(), body, content_type: "application/json".to_owned() }
    }
}
