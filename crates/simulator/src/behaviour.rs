//! What a request is answered with: what is said, how fast, and what goes wrong on the way.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::directive::{self, DirectiveError};
use crate::fault::{CutHow, ErrorBody, Fault, Pace};
use crate::replay::Replay;

/// What the simulator does with a request.
///
/// In JSON (script files, `POST /__sim/script`) it is either an object of these members, all optional, or
/// a string of directives such as `"status=503&retry_after=2"`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct Behaviour {
    /// What is said.
    pub answer: Answer,
    /// How long it takes.
    pub pace: Pace,
    /// What goes wrong, if anything.
    pub fault: Option<Fault>,
    /// What the usage says instead of the count of the text.
    pub usage: UsageOverride,
    /// Further response headers.
    pub headers: Vec<(String, String)>,
    /// Applies the fault to the next so many requests only. A [`crate::Script`] has its own `times`, so
    /// this one is for the default behaviour and for directives.
    pub times: Option<u32>,
}

/// What a model says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// Decided from the request: prose, tool calls, JSON after a schema, reasoning.
    #[default]
    Natural,
    /// Exactly this.
    Say {
        /// The visible text.
        #[serde(default)]
        text: Option<String>,
        /// The reasoning before it.
        #[serde(default)]
        reasoning: Option<String>,
        /// Tool calls after it.
        #[serde(default)]
        calls: Vec<SayCall>,
    },
    /// Filler of a given size, for load.
    Filler {
        /// Bytes of text of a whole answer.
        size: usize,
        /// Content events of a stream.
        chunks: usize,
        /// Bytes of text of each.
        chunk_size: usize,
    },
    /// This JSON body, whatever was asked.
    Json {
        /// The HTTP status.
        #[serde(default = "ok_status")]
        status: u16,
        /// The body.
        body: Value,
    },
    /// A recorded exchange, byte for byte.
    Replay(Replay),
}

fn ok_status() -> u16 {
    200
}

impl Answer {
    /// An answer of exactly this text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Say { text: Some(text.into()), reasoning: None, calls: Vec::new() }
    }
}

/// A tool call to be made by [`Answer::Say`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SayCall {
    /// The tool's name.
    pub name: String,
    /// Its arguments.
    pub arguments: Value,
}

/// Numbers to report instead of those counted, in the words of the protocol called: for Anthropic
/// `input_tokens` excludes what the cache fields count, for OpenAI it is the whole prompt; for Gemini
/// `output_tokens` is `candidatesTokenCount`, to which thoughts are added (providers §0.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsageOverride {
    /// Whether a stream reports usage.
    pub when: UsageWhen,
    /// `prompt_tokens`, `input_tokens` or `promptTokenCount`; the tokens billed for embeddings.
    pub input_tokens: Option<u64>,
    /// `cached_tokens`, `cache_read_input_tokens` or `cachedContentTokenCount`.
    pub cached_tokens: Option<u64>,
    /// `cache_creation_input_tokens`; OpenAI has no such field.
    pub cache_write_tokens: Option<u64>,
    /// `completion_tokens`, `output_tokens` or `candidatesTokenCount`.
    pub output_tokens: Option<u64>,
    /// Length of an embedding when the request names none.
    pub dimensions: Option<usize>,
}

/// Whether an OpenAI stream ends with a usage chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageWhen {
    /// When the request says `stream_options.include_usage`, as OpenAI does.
    #[default]
    Asked,
    /// Always.
    Always,
    /// Never, nor in a whole answer.
    Never,
}

impl Behaviour {
    /// The natural answer, without fault or delay.
    #[must_use]
    pub fn natural() -> Self {
        Self::default()
    }

    /// Exactly this text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { answer: Answer::text(text), ..Self::default() }
    }

    /// The natural answer with this fault.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// An error status with the provider's own error body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::fault(Fault::Status { status, headers: Vec::new(), body: ErrorBody::Provider })
    }

    /// A cut after so many content events.
    #[must_use]
    pub fn cut(after: u32, how: CutHow) -> Self {
        Self::fault(Fault::Cut { after, how })
    }

    /// The same behaviour at another pace.
    #[must_use]
    pub fn paced(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// The same behaviour with the fault on the next `times` requests only.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The behaviour that a list of directives describes, as they stand after the `@` of a model name or
    /// in the header `x-mock`.
    ///
    /// # Errors
    /// When a directive is unknown or its value is not of its kind.
    pub fn from_directives(text: &str) -> Result<Self, DirectiveError> {
        let mut behaviour = Self::default();
        directive::apply(text, &mut behaviour)?;
        Ok(behaviour)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Directives(String),
    Members(Box<Members>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(default)]
    answer: Answer,
    #[serde(default)]
    pace: Pace,
    #[serde(default)]
    fault: Option<Fault>,
    #[serde(default)]
    usage: UsageOverride,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    times: Option<u32>,
}

impl TryFrom<Form> for Behaviour {
    type Error = DirectiveError;

    fn try_from(form: Form) -> Result<Self, Self::Error> {
        match form {
            Form::Directives(text) => Self::from_directives(&text),
            Form::Members(m) => {
                let Members { answer, pace, fault, usage, headers, times } = *m;
                Ok(Self { answer, pace, fault, usage, headers, times })
            }
        }
    }
}
