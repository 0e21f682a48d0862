//! A request to a chat model in neutral words.

use serde_json::Value;

use super::text;

/// What is asked, whatever the protocol.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    pub model: String,
    pub stream: bool,
    pub include_usage: bool,
    /// All text of the prompt in the order in which a cache sees it: tools, system, messages.
    pub prompt: String,
    /// Marks up to which the prompt is to be cached (Anthropic).
    pub marks: Vec<Mark>,
    /// Tokens that are not text: images, files, the frame of each message.
    pub extra_tokens: u64,
    /// The text of the last user message.
    pub question: String,
    /// Results of tools behind the last assistant turn.
    pub results: Vec<String>,
    /// Images and files of the last user message.
    pub attachments: Vec<Attachment>,
    pub tools: Vec<Tool>,
    pub choice: Choice,
    pub one_call_only: bool,
    /// The JSON schema the answer must follow.
    pub shape: Option<Value>,
    /// How much reasoning is wanted: none, or 1 to 3 steps.
    pub reasoning: Option<u8>,
    /// Reasoning happens but its text is not shown (Anthropic `display: omitted`, Gemini without
    /// `includeThoughts`, Responses without `reasoning.summary`).
    pub reasoning_hidden: bool,
    /// Reasoning comes as an encrypted block only (Anthropic's `redacted_thinking`).
    pub reasoning_redacted: bool,
    /// The provider's own web search is on offer.
    pub web_search: bool,
    /// An image is to be part of the answer.
    pub image_output: bool,
    pub max_tokens: Option<u64>,
    pub stop: Vec<String>,
    /// How many alternatives (`n`).
    pub choices: usize,
}

/// A cache mark at a byte offset of the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub at: usize,
    pub one_hour: bool,
}

/// An image or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub media_type: String,
    /// Unknown for references by URL or id.
    pub bytes: Option<usize>,
}

/// A tool on offer.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub name: String,
    pub schema: Value,
    /// Takes free text instead of arguments after a schema (OpenAI's custom tools).
    pub custom: bool,
}

/// Which tool must or may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    #[default]
    Auto,
    None,
    Required,
    Named(String),
}

/// What an image or file counts, whatever its size.
const ATTACHMENT_TOKENS: u64 = 85;
/// What the frame of a message counts.
const MESSAGE_TOKENS: u64 = 3;

impl Ask {
    pub(crate) fn say(&mut self, text: &str) {
        self.prompt.push_str(text);
        self.prompt.push('\n');
    }

    pub(crate) fn message(&mut self) {
        self.extra_tokens += MESSAGE_TOKENS;
    }

    pub(crate) fn attach(&mut self, attachment: Attachment) {
        let Attachment { media_type, bytes } = &attachment;
        self.prompt.push_str(&format!("[{media_type} {}]\n", bytes.unwrap_or_default()));
        self.extra_tokens += ATTACHMENT_TOKENS;
        self.attachments.push(attachment);
    }

    pub(crate) fn mark(&mut self, block: &Value) {
        let mark = &block["cache_control"];
        if mark["type"] == "ephemeral" {
            self.marks.push(Mark { at: self.prompt.len(), one_hour: mark["ttl"] == "1h" });
        }
    }

    /// The whole prompt in tokens.
    pub(crate) fn input_tokens(&self) -> u64 {
        text::tokens(self.prompt.len()) + self.extra_tokens
    }
}

impl Attachment {
    /// From a `data:` URL, or from any other URL of which only the kind is known.
    pub(crate) fn from_url(url: &str, kind: &str) -> Self {
        match url.strip_prefix("data:").and_then(|rest| rest.split_once(',')) {
            Some((media, data)) => {
                Self::from_base64(media.split(';').next().filter(|m| !m.is_empty()).unwrap_or(kind), data)
            }
            None => Self { media_type: kind.to_owned(), bytes: None },
        }
    }

    pub(crate) fn from_base64(media_type: &str, data: &str) -> Self {
        let digits = data.trim_end_matches('=').len();
        Self { media_type: media_type.to_owned(), bytes: Some(digits * 3 / 4) }
    }
}
