//! What sets a provider of the chat-completions protocol apart (providers §1, §2), as data: one value per
//! provider and model family. Encoding, passthrough, decoding and tapping read it; none of them knows a
//! provider's name.

mod providers;

use crate::Target;

pub(super) use providers::{SAMPLING, follows_openai_reasoning};
pub(in crate::openai) use providers::{family, openai_reasons, samples_without_effort};

/// How a provider counts in its usage report (providers §0.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsageConvention {
    /// The prompt count includes cached tokens and the completion count includes reasoning.
    #[default]
    Inclusive,
    /// Reasoning stands beside the completion count (xAI chat).
    ReasoningBeside,
    /// The total minus the prompt is the output; the part the completion count leaves out is reasoning
    /// (Google's compatible endpoint).
    TotalMinusPrompt,
    /// Cached tokens stand beside the prompt count (Grok on Azure); an upper bound.
    CachedBeside,
    /// As `Inclusive`, but audio is counted and billed apart, outside the totals (Mistral).
    AudioApart,
    /// As `Inclusive`, but a top-level reasoning count stands beside the completion count (Perplexity).
    TopLevelReasoningBeside,
}

/// The member that limits the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLimit {
    /// Either name is taken as the client wrote it.
    AsSent,
    /// Only `max_tokens`.
    MaxTokens,
    /// Only `max_completion_tokens`.
    MaxCompletionTokens,
}

/// The role of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemRole {
    /// Both roles are taken.
    AsSent,
    /// Only `developer`.
    Developer,
    /// Only `system`.
    System,
}

/// Which ids of tool calls are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolIds {
    /// Any.
    AsSent,
    /// Exactly nine letters and digits (Mistral).
    NineAlphanumerics,
}

/// What is done with `tool_choice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolChoiceRule {
    /// It is understood.
    AsSent,
    /// `required` is called `any` (Mistral).
    RequiredIsAny,
    /// `required` is not known: `auto` comes nearest (older Moonshot models).
    RequiredIsAuto,
    /// Only `auto`: `none` takes the tools away, anything else is left out (Z.ai, Ollama).
    AutoOnly,
}

/// How reasoning is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningStyle {
    /// `reasoning_effort`.
    Effort,
    /// `reasoning_effort` with `none` and `high` only (hybrid models of Mistral).
    EffortOnOff,
    /// `reasoning_effort` with `none` and `default` only, and `reasoning_format` (Groq's Qwen).
    GroqSwitch,
    /// `reasoning_effort`, and `include_reasoning` to leave the text out (Groq's gpt-oss).
    GroqEffort,
    /// `thinking: {type}` (DeepSeek, Moonshot, Z.ai), with `reasoning_effort` where the model has efforts.
    Thinking,
    /// `enable_thinking` and `thinking_budget` (Alibaba).
    EnableThinking,
    /// `reasoning: {enabled}` and `reasoning_effort` (Together).
    Enabled,
    /// `chat_template_kwargs: {enable_thinking}` and `reasoning_effort` (vLLM and its kin).
    Template,
    /// `disable_reasoning` (Cerebras' GLM).
    Disable,
    /// The gateway's own `reasoning` object is understood as it is (OpenRouter).
    Object,
    /// It cannot be asked for.
    None,
}

/// How the reasoning of earlier turns is carried back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasoningBack {
    /// Not at all.
    Drop,
    /// As `reasoning_content`; on a turn with tool calls it is made from `reasoning_details` if need be.
    Content,
    /// As `reasoning`, made in the same way.
    Text,
    /// As `reasoning_details`.
    Details,
}

/// What is done with a JSON schema for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaRule {
    /// It is understood.
    AsSent,
    /// Not known: JSON mode, with the schema in a system message (DeepSeek, Z.ai).
    InPrompt,
    /// Understood without members beyond `name` and `schema` (Fireworks).
    Plain,
    /// Understood, but `strict` must be the same for the schema and all tools (Cerebras).
    SameStrict,
}

/// How documents are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// `file{file_data, filename}`.
    OpenAi,
    /// The same, and addresses are taken for `file_data` (OpenRouter).
    OpenAiOrUrl,
    /// `document_url` (Mistral).
    DocumentUrl,
}

/// Everything that sets one endpoint apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// The response has OpenAI's plain shape, so it may be passed on without being decoded.
    pub response_native: bool,
    /// How usage is counted.
    pub usage: UsageConvention,
    /// Which member limits the answer.
    pub limit: TokenLimit,
    /// Which role instructions have.
    pub system_role: SystemRole,
    /// Members that are not sent.
    pub drop: Vec<&'static str>,
    /// Members that have another name there.
    pub rename: &'static [(&'static str, &'static str)],
    /// `stream_options.include_usage` is understood.
    pub stream_usage: bool,
    /// `stream` with tools needs `tool_stream: true` for deltas of arguments (Z.ai).
    pub tool_stream: bool,
    /// Which tool-call ids are taken.
    pub tool_ids: ToolIds,
    /// What is done with `tool_choice`.
    pub tool_choice: ToolChoiceRule,
    /// Function tools may carry `strict`.
    pub strict_tools: bool,
    /// How reasoning is asked for.
    pub reasoning: ReasoningStyle,
    /// How reasoning is carried back.
    pub reasoning_back: ReasoningBack,
    /// Explicit cache marks are honoured, on content parts.
    pub cache_marks: bool,
    /// A cache mark on the request as a whole is honoured too.
    pub cache_mark_of_request: bool,
    /// Messages may carry `name`.
    pub message_name: bool,
    /// A content array of texts only must become a string.
    pub flat_text: bool,
    /// User and assistant must take turns, and there are no tools (Perplexity).
    pub alternate: bool,
    /// A last assistant message needs `prefix: true` (Mistral).
    pub prefix: bool,
    /// What is done with a JSON schema.
    pub schema: SchemaRule,
    /// How documents are attached.
    pub files: FileForm,
    /// The temperature may not pass 1.
    pub temperature_to_one: bool,
    /// `top_k` is understood.
    pub top_k: bool,
    /// `n` beyond 1 is refused.
    pub single_choice: bool,
    /// A thinking model answers only as a stream unless thinking is off (Alibaba's open models).
    pub thinking_needs_stream: bool,
    /// An answer that may become longer than so many tokens is given only as a stream (Fireworks).
    pub stream_above_tokens: Option<u64>,
    /// The service tiers beside the default that are known for the model (`flex`, `priority`).
    pub service_tiers: &'static [&'static str],
    /// A delta of reasoning that repeats the one before is a duplicate (xAI).
    pub repeated_reasoning: bool,
    /// Gemini's thought signatures go back in `extra_content` of a tool call.
    pub thought_signatures: bool,
    /// OpenAI's own members (`refusal` in the history, `safety_identifier`) are understood.
    pub openai_members: bool,
}

/// Only OpenAI and Azure know these; the servers of the tables refuse or ignore them.
const OPENAI_ONLY: [&str; 7] =
    ["store", "metadata", "prediction", "audio", "prompt_cache_retention", "safety_identifier", "verbosity"];

impl Quirks {
    /// A server that follows OpenAI closely and of which nothing else is known.
    fn plain() -> Self {
        Self {
            response_native: true,
            usage: UsageConvention::Inclusive,
            limit: TokenLimit::AsSent,
            system_role: SystemRole::System,
            drop: Vec::new(),
            rename: &[],
            stream_usage: true,
            tool_stream: false,
            tool_ids: ToolIds::AsSent,
            tool_choice: ToolChoiceRule::AsSent,
            strict_tools: true,
            reasoning: ReasoningStyle::Effort,
            reasoning_back: ReasoningBack::Content,
            cache_marks: false,
            cache_mark_of_request: false,
            message_name: true,
            flat_text: false,
            alternate: false,
            prefix: false,
            schema: SchemaRule::AsSent,
            files: FileForm::OpenAi,
            temperature_to_one: false,
            top_k: true,
            single_choice: false,
            thinking_needs_stream: false,
            stream_above_tokens: None,
            service_tiers: &[],
            repeated_reasoning: false,
            thought_signatures: false,
            openai_members: false,
        }
    }

    /// A server of the tables: OpenAI's own members are not sent, and `max_tokens` is its name.
    fn listed(drop: &[&'static str]) -> Self {
        let mut all = drop.to_vec();
        all.extend(OPENAI_ONLY);
        Self { drop: all, limit: TokenLimit::MaxTokens, ..Self::plain() }
    }

    /// A service tier under its name here, where it is known. Words beyond the gateway's own (`auto`,
    /// `default`) are the client's, for a provider that has tiers at all.
    #[must_use]
    pub fn tier<'t>(&self, tier: &'t str) -> Option<&'t str> {
        let tier = if tier == "fast" { "priority" } else { tier };
        let known = match tier {
            "flex" | "priority" => self.service_tiers.contains(&tier),
            _ => !self.service_tiers.is_empty(),
        };
        known.then_some(tier)
    }

    /// The quirks of an endpoint, by its provider's slug and its model's family.
    #[must_use]
    pub fn for_target(target: &Target) -> Self {
        providers::quirks(target)
    }
}

/// Whether a model of OpenAI's is served at a tier.
pub(in crate::openai) fn knows_tier(target: &Target, tier: &str) -> bool {
    Quirks::for_target(target).tier(tier).is_some()
}

#[cfg(test)]
mod tests;
