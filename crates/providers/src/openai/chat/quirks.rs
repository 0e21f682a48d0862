//! What sets a provider of the chat-completions protocol apart (providers §1, §2), as data: one value per
//! provider and model family. Encoding, passthrough, decoding and tapping read it; none of them knows a
//! provider's name.

use crate::Target;

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
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a table, not states")]
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

    /// The quirks of an endpoint, by its provider's slug and its model's family.
    #[must_use]
    pub fn for_target(target: &Target) -> Self {
        let family = family(target);
        match target.provider.as_str() {
            "openai" => openai(target, family),
            "azure" => azure(target, family),
            "bedrock-mantle" => Self { openai_members: true, top_k: false, ..Self::plain() },
            "groq" => groq(family),
            "deepseek" => deepseek(),
            "xai" => xai(target, family),
            "mistral" => mistral(target, family),
            "together" | "togetherai" => together(),
            "fireworks" => fireworks(),
            "cerebras" => cerebras(family),
            "perplexity" => perplexity(),
            "moonshotai" => moonshot(target, family),
            "alibaba" => alibaba(family),
            "zai" => zai(),
            "openrouter" | "vercel" => openrouter(target),
            "ollama" => ollama(),
            "huggingface" => huggingface(),
            "vllm" | "gpustack" | "llamacpp" | "sglang" => local(ReasoningStyle::Template),
            "lmstudio" => local(ReasoningStyle::Effort),
            "google" | "gemini" | "vertex" => google(),
            "minimax" => Self { response_native: false, ..Self::listed(&["prompt_cache_key"]) },
            "deepinfra" if family.starts_with("gemini") || family.starts_with("claude") => {
                Self { usage: UsageConvention::ReasoningBeside, ..Self::plain() }
            }
            _ => Self::plain(),
        }
    }
}

/// The model's name without its creator: what rules by family look at. A deployment's name says nothing
/// of its model, so the catalog's id comes first.
fn family(target: &Target) -> &str {
    let id = if target.canonical.is_empty() { &target.model } else { &target.canonical };
    id.rsplit('/').next().unwrap_or(id)
}

/// Whether OpenAI's reasoning rules hold: `o1` and its like, `gpt-5` and later but for its chat variants.
fn openai_reasons(family: &str) -> bool {
    let mut letters = family.chars();
    if letters.next() == Some('o') && letters.next().is_some_and(|c| c.is_ascii_digit()) {
        return true;
    }
    gpt_version(family).is_some_and(|(major, _)| major >= 5) && !family.contains("-chat")
}

/// Major and minor version of a `gpt-…` name.
fn gpt_version(family: &str) -> Option<(u32, u32)> {
    let version = family.strip_prefix("gpt-")?;
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut numbers = version[..end].split('.');
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0)))
}

/// Whether the family takes sampling settings while its reasoning is off (from GPT-5.1 on).
#[must_use]
pub(super) fn samples_without_effort(target: &Target) -> bool {
    gpt_version(family(target)).is_some_and(|version| version >= (5, 1))
}

/// The sampling members that OpenAI's reasoning models refuse while they reason.
pub(super) const SAMPLING: [&str; 4] = ["temperature", "top_p", "logprobs", "top_logprobs"];

fn openai(target: &Target, family: &str) -> Quirks {
    let mut quirks = Quirks {
        openai_members: true,
        top_k: false,
        system_role: SystemRole::AsSent,
        reasoning_back: ReasoningBack::Drop,
        ..Quirks::plain()
    };
    if openai_reasons(family) {
        quirks.limit = TokenLimit::MaxCompletionTokens;
        quirks.system_role = SystemRole::Developer;
        quirks.drop = vec!["presence_penalty", "frequency_penalty", "logit_bias"];
    } else if family.contains("search-preview") {
        quirks.drop = vec!["temperature"];
    }
    if !target.reasoning && !openai_reasons(family) {
        quirks.reasoning = ReasoningStyle::None;
    }
    quirks
}

/// Whether OpenAI's rules for its reasoning models hold for the endpoint.
pub(super) fn follows_openai_reasoning(target: &Target) -> bool {
    matches!(target.provider.as_str(), "openai" | "azure") && openai_reasons(family(target))
}

fn azure(target: &Target, family: &str) -> Quirks {
    let mut quirks = openai(target, family);
    if family.starts_with("grok") {
        quirks.usage = UsageConvention::CachedBeside;
    }
    if !family.starts_with("gpt") && !openai_reasons(family) {
        quirks.system_role = SystemRole::System;
    }
    quirks
}

fn groq(family: &str) -> Quirks {
    let reasoning = if family.starts_with("qwen") || family.starts_with("deepseek") {
        ReasoningStyle::GroqSwitch
    } else if family.starts_with("gpt-oss") {
        ReasoningStyle::GroqEffort
    } else {
        ReasoningStyle::None
    };
    Quirks {
        limit: TokenLimit::AsSent,
        message_name: false,
        single_choice: true,
        top_k: false,
        reasoning,
        reasoning_back: ReasoningBack::Text,
        ..Quirks::listed(&["logprobs", "top_logprobs", "logit_bias", "prompt_cache_key"])
    }
}

fn deepseek() -> Quirks {
    Quirks {
        schema: SchemaRule::InPrompt,
        top_k: false,
        reasoning: ReasoningStyle::Thinking,
        ..Quirks::listed(&["top_k", "seed", "prompt_cache_key"])
    }
}

fn xai(target: &Target, family: &str) -> Quirks {
    let reasons = !family.contains("non-reasoning")
        && (target.reasoning || family.starts_with("grok-4") || family.starts_with("grok-3-mini"));
    let mut drop = Vec::new();
    if reasons {
        drop.extend(["stop", "presence_penalty", "frequency_penalty"]);
    }
    let has_effort = reasons && (family.starts_with("grok-3-mini") || !target.reasoning_efforts.is_empty());
    if !has_effort {
        drop.push("reasoning_effort");
    }
    Quirks {
        response_native: false,
        usage: UsageConvention::ReasoningBeside,
        limit: TokenLimit::AsSent,
        strict_tools: false,
        top_k: false,
        reasoning: if has_effort { ReasoningStyle::Effort } else { ReasoningStyle::None },
        reasoning_back: ReasoningBack::Drop,
        repeated_reasoning: true,
        ..Quirks::listed(&drop)
    }
}

fn mistral(target: &Target, family: &str) -> Quirks {
    const DROP: [&str; 8] = [
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "user",
        "stream_options",
        "top_k",
        "service_tier",
        "modalities",
    ];
    let mut drop = DROP.to_vec();
    let hybrid = target.reasoning && !family.starts_with("magistral");
    if !hybrid {
        drop.push("reasoning_effort");
    }
    Quirks {
        response_native: false,
        usage: UsageConvention::AudioApart,
        rename: &[("seed", "random_seed")],
        stream_usage: false,
        tool_ids: ToolIds::NineAlphanumerics,
        tool_choice: ToolChoiceRule::RequiredIsAny,
        message_name: false,
        prefix: true,
        files: FileForm::DocumentUrl,
        top_k: false,
        reasoning: if hybrid { ReasoningStyle::EffortOnOff } else { ReasoningStyle::None },
        reasoning_back: ReasoningBack::Drop,
        ..Quirks::listed(&drop)
    }
}

fn together() -> Quirks {
    Quirks {
        reasoning: ReasoningStyle::Enabled,
        reasoning_back: ReasoningBack::Text,
        ..Quirks::listed(&["service_tier", "prompt_cache_key"])
    }
}

fn fireworks() -> Quirks {
    Quirks { strict_tools: false, schema: SchemaRule::Plain, ..Quirks::listed(&[]) }
}

fn cerebras(family: &str) -> Quirks {
    let glm = family.contains("glm");
    Quirks {
        limit: TokenLimit::MaxCompletionTokens,
        schema: SchemaRule::SameStrict,
        top_k: false,
        reasoning: if glm { ReasoningStyle::Disable } else { ReasoningStyle::Effort },
        reasoning_back: ReasoningBack::Drop,
        ..Quirks::listed(&["presence_penalty", "frequency_penalty", "logit_bias", "prompt_cache_key"])
    }
}

fn perplexity() -> Quirks {
    const DROP: [&str; 9] = [
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "stop",
        "seed",
        "n",
        "logit_bias",
        "prompt_cache_key",
    ];
    Quirks {
        response_native: false,
        usage: UsageConvention::TopLevelReasoningBeside,
        alternate: true,
        reasoning_back: ReasoningBack::Drop,
        ..Quirks::listed(&DROP)
    }
}

fn moonshot(target: &Target, family: &str) -> Quirks {
    let thinks = target.reasoning || family.contains("thinking");
    let older = family.starts_with("moonshot-v1") || family == "kimi-k2" || family.starts_with("kimi-k2-");
    let mut drop = vec!["top_k", "seed", "functions"];
    if thinks {
        drop.push("temperature");
    }
    Quirks {
        temperature_to_one: true,
        flat_text: true,
        top_k: false,
        tool_choice: if older { ToolChoiceRule::RequiredIsAuto } else { ToolChoiceRule::AsSent },
        reasoning: ReasoningStyle::Thinking,
        ..Quirks::listed(&drop)
    }
}

fn alibaba(family: &str) -> Quirks {
    Quirks {
        cache_marks: true,
        reasoning: ReasoningStyle::EnableThinking,
        reasoning_back: ReasoningBack::Drop,
        thinking_needs_stream: is_open_qwen(family),
        ..Quirks::listed(&["frequency_penalty", "prompt_cache_key"])
    }
}

/// Alibaba's open models name their size (`qwen3-32b`, `qwen3-235b-a22b`).
fn is_open_qwen(family: &str) -> bool {
    let sized = family.split('-').any(|part| {
        part.strip_suffix('b').is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit() || c == '.'))
    });
    family.starts_with("qwen3") && sized && !family.contains("instruct") && !family.contains("coder")
}

fn zai() -> Quirks {
    Quirks {
        tool_stream: true,
        tool_choice: ToolChoiceRule::AutoOnly,
        schema: SchemaRule::InPrompt,
        temperature_to_one: true,
        reasoning: ReasoningStyle::Thinking,
        ..Quirks::listed(&["prompt_cache_key"])
    }
}

fn openrouter(target: &Target) -> Quirks {
    Quirks {
        system_role: SystemRole::AsSent,
        reasoning: ReasoningStyle::Object,
        reasoning_back: ReasoningBack::Details,
        cache_marks: true,
        // Only Anthropic's API has an automatic breakpoint.
        cache_mark_of_request: target.canonical.starts_with("anthropic/") || target.canonical.is_empty(),
        files: FileForm::OpenAiOrUrl,
        openai_members: true,
        ..Quirks::plain()
    }
}

fn ollama() -> Quirks {
    Quirks {
        tool_choice: ToolChoiceRule::AutoOnly,
        reasoning_back: ReasoningBack::Text,
        ..Quirks::listed(&["logit_bias", "n", "user", "prompt_cache_key"])
    }
}

fn huggingface() -> Quirks {
    Quirks { reasoning_back: ReasoningBack::Drop, ..Quirks::listed(&["prompt_cache_key"]) }
}

fn local(reasoning: ReasoningStyle) -> Quirks {
    Quirks { reasoning, limit: TokenLimit::MaxTokens, ..Quirks::plain() }
}

fn google() -> Quirks {
    Quirks {
        response_native: false,
        usage: UsageConvention::TotalMinusPrompt,
        thought_signatures: true,
        top_k: false,
        reasoning_back: ReasoningBack::Drop,
        ..Quirks::listed(&["prompt_cache_key", "logit_bias"])
    }
}
