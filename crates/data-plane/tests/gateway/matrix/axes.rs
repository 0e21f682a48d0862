//! What the matrix spans: dialects of clients, protocols of providers, cases.

use serde_json::{Value, json};
use tollgate_catalog::Protocol;
use tollgate_catalog::overlay::ModelOverlay;

use super::neutral::{Ask, Said};
use super::{ai_sdk, chat, gemini, messages, responses};
use crate::client::{Answer, request};
use crate::world::{World, model};

/// Chunks of a long stream, and bytes of text of each.
pub const LONG: (usize, usize) = (2000, 8);

/// The `data` of Anthropic's `redacted_thinking`, told from other members of that name.
const REDACTED: &str = "redacted_thinking.data";

/// Anthropic's documented words that make the thinking come redacted.
const MAGIC: &str = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4CCD4253D5E2D82641E52CC2876D9E";

/// A model that all providers have, each under its own name.
pub const SHARED: &str = "test/shared";

/// A dialect of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    ChatCompletions,
    /// The same for clients that put streamed `reasoning_details` together.
    ChatJoined,
    /// The same for clients that keep only the text of reasoning, as `reasoning_content`.
    ChatPlain,
    Messages,
    Responses,
    AiSdk(u8),
}

/// A protocol of providers, by the provider that speaks it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI chat as DeepSeek speaks it: the reasoning of a turn with calls must come back.
    Chat,
    Responses,
    Anthropic,
    /// Gemini 3: it signs unasked, and the first call of each step must bring its signature back.
    Gemini,
    /// Gemini 2.5: it signs while it thinks.
    OlderGemini,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Text,
    Tool,
    ParallelTools,
    Reasoning,
    ReasoningTool,
    /// Anthropic's comes redacted.
    RedactedReasoning,
    /// Reasoning, text and several calls in one turn, with arguments that are easily harmed.
    Everything,
    /// One call after another, then a further question.
    Steps,
    Image,
    CachedPrompt,
    Limit,
    LongStream,
}

impl Dialect {
    pub const ALL: [Self; 8] = [
        Self::ChatCompletions,
        Self::ChatJoined,
        Self::ChatPlain,
        Self::Messages,
        Self::Responses,
        Self::AiSdk(2),
        Self::AiSdk(3),
        Self::AiSdk(4),
    ];

    pub fn name(self) -> String {
        match self {
            Self::ChatCompletions => "chat completions".to_owned(),
            Self::ChatJoined => "chat completions, details joined".to_owned(),
            Self::ChatPlain => "chat completions, details dropped".to_owned(),
            Self::Messages => "messages".to_owned(),
            Self::Responses => "responses".to_owned(),
            Self::AiSdk(version) => format!("AI SDK v{version}"),
        }
    }

    /// A request as bytes.
    fn request(self, world: &World, ask: &Ask) -> Vec<u8> {
        let (path, mut body) = match self {
            Self::ChatCompletions | Self::ChatJoined | Self::ChatPlain => {
                ("/v1/chat/completions", chat::body(ask))
            }
            Self::Messages => ("/v1/messages", messages::body(ask)),
            Self::Responses => ("/v1/responses", responses::body(ask)),
            Self::AiSdk(version) => (ai_sdk::path(version), ai_sdk::body(version, ask)),
        };
        if let Some(routing) = &ask.routing {
            body["providerOptions"]["gateway"] = routing.clone();
        }
        let mut headers = vec![("authorization", format!("Bearer {}", world.key))];
        match self {
            Self::Messages => headers.push(("anthropic-version", "2023-06-01".to_owned())),
            Self::AiSdk(version) => headers.extend(ai_sdk::headers(version, ask)),
            _ => {}
        }
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        request("POST", path, &headers, body.to_string().as_bytes())
    }

    /// Asks, and waits for all of the answer.
    pub async fn ask(self, world: &World, ask: &Ask) -> Answer {
        crate::client::Exchange::send(world.addr, &self.request(world, ask)).await.answer().await
    }

    /// What the answer says to a client.
    pub fn read(self, stream: bool, answer: &Answer) -> Said {
        match (self, stream) {
            (Self::ChatPlain, _) => {
                let mut said = Self::ChatCompletions.read(stream, answer);
                said.turn.as_object_mut().unwrap().shift_remove("reasoning_details");
                said
            }
            (Self::ChatCompletions | Self::ChatJoined, false) => chat::whole(&answer.json()),
            (Self::ChatCompletions, true) => chat::stream(&answer.body, false),
            (Self::ChatJoined, true) => chat::stream(&answer.body, true),
            (Self::Messages, false) => messages::whole(&answer.json()),
            (Self::Messages, true) => messages::stream(&answer.body),
            (Self::Responses, false) => responses::whole(&answer.json()),
            (Self::Responses, true) => responses::stream(&answer.body),
            (Self::AiSdk(version), false) => ai_sdk::whole(version, &answer.json()),
            (Self::AiSdk(version), true) => ai_sdk::stream(version, &answer.body),
        }
    }
}

impl Provider {
    pub const ALL: [Self; 5] =
        [Self::Chat, Self::Responses, Self::Anthropic, Self::Gemini, Self::OlderGemini];

    /// All pairs of different families.
    pub fn pairs() -> impl Iterator<Item = (Self, Self)> {
        let pairs = Self::ALL.into_iter().flat_map(|from| Self::ALL.map(|to| (from, to)));
        pairs.filter(|(from, to)| from.protocol() != to.protocol())
    }

    /// Its column.
    pub fn name(self) -> String {
        match self {
            Self::Gemini => "gemini (3)".to_owned(),
            Self::OlderGemini => "gemini (2.5)".to_owned(),
            other => other.protocol().to_string(),
        }
    }

    pub fn protocol(self) -> Protocol {
        match self {
            Self::Chat => Protocol::OpenaiChat,
            Self::Responses => Protocol::OpenaiResponses,
            Self::Anthropic => Protocol::AnthropicMessages,
            Self::Gemini | Self::OlderGemini => Protocol::Gemini,
        }
    }

    /// The provider's slug and its model.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Chat => ("deepseek", "deepseek-chat"),
            Self::Responses => ("openai", "gpt-5"),
            Self::Anthropic => ("anthropic", "claude-sonnet-4-5"),
            Self::Gemini => ("google", "gemini-3-flash"),
            Self::OlderGemini => ("older-google", "gemini-2.5-flash"),
        }
    }

    /// The model that a case is asked of.
    pub fn model(self, case: Case) -> String {
        let suffix = if case == Case::LongStream { "-long" } else { "" };
        format!("test/{}{suffix}", self.names().1)
    }

    /// The provider as the world has it.
    pub fn configured(self) -> (&'static str, Protocol, Vec<ModelOverlay>) {
        let (slug, name) = self.names();
        let can = ["reasoning", "tool-use", "vision", "explicit-caching"].map(str::to_owned);
        let usual = ModelOverlay {
            capabilities: can.into(),
            max_output_tokens: Some(16_000),
            ..model(&self.model(Case::Text))
        };
        let (chunks, size) = LONG;
        let directives = format!("{name}@chunks={chunks}&chunk_size={size}&size={}", chunks * size);
        let long =
            ModelOverlay { id: self.model(Case::LongStream), upstream: Some(directives), ..usual.clone() };
        let shared = ModelOverlay { id: SHARED.to_owned(), upstream: Some(name.to_owned()), ..usual.clone() };
        (slug, self.protocol(), vec![usual, long, shared])
    }

    /// What the provider itself said, read from its own bytes.
    pub fn read(self, stream: bool, answer: &Answer) -> Said {
        match (self, stream) {
            (Self::Chat, false) => chat::whole(&answer.json()),
            (Self::Chat, true) => chat::stream(&answer.body, false),
            (Self::Responses, false) => responses::whole(&answer.json()),
            (Self::Responses, true) => responses::stream(&answer.body),
            (Self::Anthropic, false) => messages::whole(&answer.json()),
            (Self::Anthropic, true) => messages::stream(&answer.body),
            (Self::Gemini | Self::OlderGemini, false) => gemini::whole(&answer.json()),
            (Self::Gemini | Self::OlderGemini, true) => gemini::stream(&answer.body),
        }
    }

    /// Whether its reasoning has a state that only it can read.
    pub fn seals(self) -> bool {
        self != Self::Chat
    }

    /// What of a message, or of a whole request, only the provider can have made: its reasoning's state. In
    /// chat completions that is the reasoning's text itself.
    pub fn state(self, value: &Value) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Chat => &["reasoning_content"],
            Self::Responses => &["encrypted_content"],
            Self::Anthropic => &["signature", REDACTED],
            Self::Gemini | Self::OlderGemini => &["thoughtSignature"],
        };
        let mut found = Vec::new();
        collect(value, names, &mut found);
        found
    }
}

fn collect(value: &Value, names: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let redacted = members.get("type").is_some_and(|kind| kind == "redacted_thinking");
                let is_state = match name.as_str() {
                    "data" => redacted && names.contains(&REDACTED),
                    name => names.contains(&name),
                };
                match member {
                    Value::String(text) if is_state && !text.is_empty() => {
                        found.push(text.clone());
                    }
                    other => collect(other, names, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|entry| collect(entry, names, found)),
        _ => {}
    }
}

impl Case {
    pub const ALL: [Self; 12] = [
        Self::Text,
        Self::Tool,
        Self::ParallelTools,
        Self::Reasoning,
        Self::ReasoningTool,
        Self::RedactedReasoning,
        Self::Everything,
        Self::Steps,
        Self::Image,
        Self::CachedPrompt,
        Self::Limit,
        Self::LongStream,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Tool => "one tool",
            Self::ParallelTools => "parallel tools",
            Self::Reasoning => "reasoning",
            Self::ReasoningTool => "reasoning and a tool",
            Self::RedactedReasoning => "redacted reasoning and a tool",
            Self::Everything => "reasoning, text and tools in one turn",
            Self::Steps => "reasoning and tools in several steps",
            Self::Image => "image",
            Self::CachedPrompt => "cached prompt",
            Self::Limit => "cut at the limit",
            Self::LongStream => "long stream",
        }
    }

    /// What the person says first.
    pub fn question(self) -> String {
        let text = match self {
            Self::Text => "What is a tollgate? Say \"ünïcode\" \\ ☂.",
            Self::Tool => "How is the weather in Paris?",
            Self::ParallelTools => "Tell me the weather and the time in Paris, in parallel.",
            Self::Reasoning => "Why does a bridge cost money?",
            Self::ReasoningTool => "Which weather will the bridge have?",
            Self::RedactedReasoning => return format!("Which weather will it be? {MAGIC}"),
            Self::Everything => "Do all that you can.",
            Self::Steps => "First the clock, then the sky, please.",
            Self::Image => "What is in this picture?",
            Self::CachedPrompt => "What do your instructions say?",
            Self::Limit => "What is a limit?",
            Self::LongStream => "Write a very long text.",
        };
        text.to_owned()
    }

    pub fn reasons(self) -> bool {
        matches!(
            self,
            Self::Reasoning | Self::ReasoningTool | Self::RedactedReasoning | Self::Everything | Self::Steps
        )
    }

    /// The tools that are called.
    pub fn called(self) -> &'static [&'static str] {
        match self {
            Self::Tool | Self::ReasoningTool | Self::RedactedReasoning => &["get_weather"],
            Self::Steps => &["get_time", "get_weather"],
            Self::Everything => &["get_time", "get_weather", "get_weather"],
            Self::ParallelTools => &["get_weather", "get_time"],
            _ => &[],
        }
    }
}

/// A body without its ids, for comparison.
pub fn without_ids(said: &Said) -> Value {
    let calls: Vec<_> = said.calls.iter().map(|call| json!([call.name, call.arguments])).collect();
    json!({"text": said.text, "reasoning": said.reasoning, "calls": calls, "finish": format!("{:?}", said.finish)})
}
