//! The neutral form of a request, between any dialect and any provider. It is shaped after the AI SDK's
//! language model specification v4 (gateway-api §17.4): messages of typed parts, settings, tools, and
//! provider options. Opaque provider data travels beside each part untouched.

use serde_json::{Number, Value};

/// A whole request for a language model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// The prompt, in order.
    pub messages: Vec<Message>,
    /// Sampling and limits.
    pub settings: Settings,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether and what it must call; `None`: the provider's default.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several calls may be made at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer; `None`: text.
    pub response_format: Option<ResponseFormat>,
    /// What was asked of the model's reasoning; `None`: the provider's default.
    pub reasoning: Option<ReasoningRequest>,
    /// Output modalities beyond text, as named by the client (`image`, `audio`).
    pub modalities: Vec<String>,
    /// The service tier asked for (`flex`, `priority`, …).
    pub service_tier: Option<String>,
    /// How wordy the answer shall be (`low`, `medium`, `high`).
    pub verbosity: Option<String>,
    /// An opaque id of the end user for the provider's abuse detection.
    pub safety_identifier: Option<String>,
    /// A key that keeps requests with a common prompt on one cache (OpenAI's `prompt_cache_key`).
    pub prompt_cache_key: Option<String>,
    /// The client's own labels of the request (OpenAI's `metadata`), for providers that keep them.
    pub metadata: Vec<(String, String)>,
    /// A cache mark on the request as a whole: breakpoints are placed for the client (clients §0.6,
    /// gateway-api §4.5).
    pub cache: Option<CacheMark>,
    /// A further breakpoint among those, behind a message that the client names (gateway-api §4.4).
    pub cache_anchor: Option<CacheAnchor>,
    /// `providerOptions` namespaces other than `gateway`, for the provider of that slug only.
    pub provider_options: Vec<(String, Value)>,
}

/// Sampling and limits. Numbers are kept as written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The most tokens to generate; a client's 0 means absent (clients §4).
    pub max_output_tokens: Option<u64>,
    /// Sampling temperature.
    pub temperature: Option<Number>,
    /// Nucleus sampling.
    pub top_p: Option<Number>,
    /// Top-k sampling.
    pub top_k: Option<u64>,
    /// Presence penalty.
    pub presence_penalty: Option<Number>,
    /// Frequency penalty.
    pub frequency_penalty: Option<Number>,
    /// Stop sequences.
    pub stop: Vec<String>,
    /// Sampling seed.
    pub seed: Option<i64>,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// The speaker's name, where a dialect has one.
    pub name: Option<String>,
    /// The content, in order.
    pub parts: Vec<Part>,
    /// A cache mark on the message: it belongs to its last part (clients §0.6).
    pub cache: Option<CacheMark>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions under OpenAI's newer name.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// Results of tools.
    Tool,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it holds.
    pub content: Content,
    /// A cache breakpoint behind this part.
    pub cache: Option<CacheMark>,
    /// Opaque data of a provider about this part: (provider namespace, value).
    pub provider: Vec<(String, Value)>,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text.
    Text(String),
    /// A refusal in the history.
    Refusal(String),
    /// An image, document, audio or other file.
    File(File),
    /// Reasoning of an earlier turn.
    Reasoning(Reasoning),
    /// A call that the model made.
    ToolCall(ToolCall),
    /// What a tool answered.
    ToolResult(ToolResult),
    /// A block that only one provider knows, untouched.
    Custom {
        /// The provider's namespace (`anthropic`).
        namespace: String,
        /// The block as the client sent it.
        value: Value,
    },
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Media type such as `image/png`; may be a wildcard such as `image/*` when the client did not say.
    pub media_type: String,
    /// Where the bytes are.
    pub data: FileData,
    /// Its name.
    pub filename: Option<String>,
    /// OpenAI's `detail` of an image.
    pub detail: Option<String>,
}

/// Where a file's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileData {
    /// Base64 text.
    Base64(String),
    /// An http(s) address.
    Url(String),
    /// An id in the provider's own file store.
    Reference(String),
    /// Plain text (a text document).
    Text(String),
}

/// Reasoning, visible or opaque. Opaque text goes round bit-exact (I19).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// What it is.
    pub kind: ReasoningKind,
    /// Visible text; empty for encrypted reasoning.
    pub text: String,
    /// The provider's signature over the text.
    pub signature: Option<String>,
    /// Encrypted or redacted reasoning.
    pub data: Option<String>,
    /// The provider's id of the item (`rs_…`).
    pub id: Option<String>,
    /// Whose state it is (`anthropic-claude-v1`, `openai-responses-v1`, `google-gemini-v1`, `unknown`).
    pub format: Option<String>,
}

/// What kind of reasoning (gateway-api §7.1 `reasoning_details`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReasoningKind {
    /// The reasoning itself.
    #[default]
    Text,
    /// A summary of it.
    Summary,
    /// State only the provider can read.
    Encrypted,
}

/// Anthropic's reasoning state.
pub const FORMAT_ANTHROPIC: &str = "anthropic-claude-v1";
/// OpenAI's reasoning state.
pub const FORMAT_OPENAI: &str = "openai-responses-v1";
/// Gemini's thought signatures.
pub const FORMAT_GEMINI: &str = "google-gemini-v1";
/// Reasoning text without state.
pub const FORMAT_UNKNOWN: &str = "unknown";

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The call's id, as the model or client wrote it.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: JSON text, byte for byte (I18).
    pub arguments: String,
}

/// A tool's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// The id of the call that it answers.
    pub call_id: String,
    /// The tool's name, where the dialect gives it.
    pub name: Option<String>,
    /// What it answered.
    pub output: ToolOutput,
    /// The tool failed.
    pub is_error: bool,
}

/// The body of a tool's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolOutput {
    /// Text.
    Text(String),
    /// A JSON value.
    Json(Value),
    /// Text and files.
    Parts(Vec<Part>),
}

/// A cache breakpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheMark {
    /// How long it shall live; `None`: the provider's default.
    pub ttl: Option<CacheTtl>,
}

/// A breakpoint behind a message that is not marked itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheAnchor {
    /// The message's place in the prompt.
    pub message: usize,
    /// The breakpoint.
    pub mark: CacheMark,
}

/// Lifetimes of a cache entry (providers §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheTtl {
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    OneHour,
}

/// Something the model may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// A function the client runs.
    Function(FunctionTool),
    /// A tool that is no function: one that a provider or the gateway runs, or a provider's own form of a
    /// client's tool.
    Provider {
        /// Whose it is: the namespace of the protocol that defines it (`anthropic`, `openai`, `google`,
        /// `vercel`), empty when the dialect does not say.
        namespace: String,
        /// Its `type` or id as the client wrote it (`web_search_20250305`, `custom`; of the AI SDK
        /// `anthropic.web_search_20250305`).
        kind: String,
        /// The whole definition.
        value: Value,
    },
}

/// A function the client runs.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionTool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments.
    pub parameters: Value,
    /// Whether arguments must follow the schema exactly.
    pub strict: Option<bool>,
    /// A cache breakpoint behind the definition.
    pub cache: Option<CacheMark>,
}

/// Whether and what to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model likes.
    Auto,
    /// Nothing.
    None,
    /// Something.
    Required,
    /// This function.
    Function(String),
}

/// The form of the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponseFormat {
    /// Text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON after a schema.
    JsonSchema {
        /// The schema's name.
        name: Option<String>,
        /// The schema.
        schema: Value,
        /// Whether it must be followed exactly.
        strict: Option<bool>,
        /// What it is for.
        description: Option<String>,
    },
}

/// What was asked of the model's reasoning (gateway-api §7.1 `reasoning`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReasoningRequest {
    /// On or off, where only that was said.
    pub enabled: Option<bool>,
    /// How hard: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    pub effort: Option<String>,
    /// The most tokens to reason with.
    pub max_tokens: Option<u64>,
    /// Reason, but leave it out of the answer.
    pub exclude: bool,
    /// How the reasoning shall be told (OpenAI's `summary`: `auto`, `concise`, `detailed`; Anthropic's
    /// `display`: `summarized`, `omitted`).
    pub summary: Option<String>,
}

impl ReasoningRequest {
    /// Whether reasoning was asked for at all (not switched off).
    #[must_use]
    pub fn wanted(&self) -> bool {
        if self.enabled == Some(false) || self.effort.as_deref() == Some("none") {
            return false;
        }
        self.enabled == Some(true) || self.effort.is_some() || self.max_tokens.is_some_and(|n| n > 0)
    }
}

impl Part {
    /// A part without marks.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self { content, cache: None, provider: Vec::new() }
    }

    /// A text part.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()))
    }
}
