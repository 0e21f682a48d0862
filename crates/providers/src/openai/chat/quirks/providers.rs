//! The table: what each provider's quirks are, by slug and model family (providers §1, §2).

use super::{
    FileForm, Quirks, ReasoningBack, ReasoningStyle, SchemaRule, SystemRole, TokenLimit, ToolChoiceRule,
    ToolIds, UsageConvention,
};
use crate::Target;

/// The quirks of an endpoint.
pub(super) fn quirks(target: &Target) -> Quirks {
    let family = family(target);
    match target.provider.as_str() {
        "openai" => openai(target, family),
        "azure" => azure(target, family),
        "bedrock-mantle" => {
            Quirks { openai_members: true, top_k: false, service_tiers: &BOTH_TIERS, ..Quirks::plain() }
        }
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
        "minimax" => Quirks { response_native: false, ..Quirks::listed(&["prompt_cache_key"]) },
        "deepinfra" if family.starts_with("gemini") || family.starts_with("claude") => {
            Quirks { usage: UsageConvention::ReasoningBeside, ..Quirks::plain() }
        }
        _ => Quirks::plain(),
    }
}

/// The model's name without its creator: what rules by family look at. A deployment's name says nothing
/// of its model, so the catalog's id comes first.
pub(in crate::openai) fn family(target: &Target) -> &str {
    let id = if target.canonical.is_empty() { &target.model } else { &target.canonical };
    id.rsplit('/').next().unwrap_or(id)
}

/// Whether OpenAI's reasoning rules hold: `o1` and its like, `gpt-5` and later but for its chat variants.
pub(in crate::openai) fn openai_reasons(family: &str) -> bool {
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
pub(in crate::openai) fn samples_without_effort(target: &Target) -> bool {
    gpt_version(family(target)).is_some_and(|version| version >= (5, 1))
}

/// The sampling members that OpenAI's reasoning models refuse while they reason.
pub(in super::super) const SAMPLING: [&str; 4] = ["temperature", "top_p", "logprobs", "top_logprobs"];

/// Every tier of the gateway.
const BOTH_TIERS: [&str; 2] = ["flex", "priority"];

/// The tiers of OpenAI's families: the cheap one from o3 and GPT-5 on, the fast one from GPT-4 on but for
/// the smallest and the chat variants of GPT-5 (providers §1).
fn openai_tiers(family: &str) -> &'static [&'static str] {
    let number = |c: char| c.is_ascii_digit();
    let o_series =
        family.strip_prefix('o').and_then(|rest| rest.split(|c| !number(c)).next()?.parse::<u32>().ok());
    let (flex, priority) = match (o_series, gpt_version(family)) {
        (Some(version), _) => (version >= 3, version >= 3),
        (None, Some((major, _))) if major >= 5 => {
            (!family.contains("-chat"), !family.contains("nano") && !family.contains("-chat"))
        }
        (None, Some((major, _))) => (false, major == 4),
        (None, None) => (false, family.starts_with("chatgpt-4")),
    };
    match (flex, priority) {
        (true, true) => &BOTH_TIERS,
        (true, false) => &["flex"],
        (false, true) => &["priority"],
        (false, false) => &[],
    }
}

fn openai(target: &Target, family: &str) -> Quirks {
    let mut quirks = Quirks {
        service_tiers: openai_tiers(family),
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
pub(in super::super) fn follows_openai_reasoning(target: &Target) -> bool {
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
        service_tiers: &["flex"],
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
    Quirks {
        strict_tools: false,
        schema: SchemaRule::Plain,
        stream_above_tokens: Some(4096),
        service_tiers: &["priority"],
        ..Quirks::listed(&[])
    }
}

fn cerebras(family: &str) -> Quirks {
    let glm = family.contains("glm");
    Quirks {
        limit: TokenLimit::MaxCompletionTokens,
        schema: SchemaRule::SameStrict,
        service_tiers: &BOTH_TIERS,
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
        part.strip_suffix('b')
            .is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit() || c == '.'))
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
        service_tiers: &BOTH_TIERS,
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
