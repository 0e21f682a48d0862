//! One entry of the model list (gateway-api §13.1). What is not known is left out, never null.

use serde::Serialize;

use super::pricing::Pricing;
use super::{UNKNOWN_CONTEXT_WINDOW, UNKNOWN_MAX_TOKENS};
use crate::model::{Capability, Endpoint, Modality, Model, ModelKind};
use crate::price::Level;

#[derive(Serialize)]
pub(super) struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    released: i64,
    owned_by: &'a str,
    name: &'a str,
    description: String,
    #[serde(rename = "type")]
    kind: ModelKind,
    supported_specifications: [&'static str; 3],
    modalities: Modalities<'a>,
    architecture: Architecture,
    pricing: Pricing,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_window: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    supported_parameters: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_options: Vec<ReasoningOption<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    knowledge: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated_at: Option<i64>,
}

#[derive(Serialize)]
struct Modalities<'a> {
    input: &'a [Modality],
    output: &'a [Modality],
}

/// The older form of modalities, which Zed reads (clients §2) and the endpoints list has.
#[derive(Serialize)]
pub(super) struct Architecture {
    pub(super) modality: String,
    pub(super) input_modalities: Vec<&'static str>,
    pub(super) output_modalities: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ReasoningOption<'a> {
    Toggle,
    Effort {
        values: &'a [String],
    },
    BudgetTokens {
        min: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
    },
}

impl<'a> Entry<'a> {
    /// Of the endpoints that are there, of which there must be one: the first with a price gives it.
    pub(super) fn new(model: &'a Model, there: &[&Endpoint]) -> Self {
        // A release that is not known is the epoch: clients want a number, and sort by it.
        let released = model.released.map_or(0, |d| d.unix_seconds());
        let priced = there.iter().find_map(|e| e.prices.as_ref());
        let (context_window, max_tokens) = limits(model);
        Self {
            id: model.id.as_str(),
            object: "model",
            created: released,
            released,
            owned_by: model.creator(),
            name: &model.name,
            description: description(model),
            kind: model.kind,
            supported_specifications: ["v2", "v3", "v4"],
            modalities: Modalities { input: &model.input, output: &model.output },
            architecture: architecture(model),
            pricing: priced.map(|p| Pricing::new(model, p)).unwrap_or_default(),
            context_window,
            max_tokens,
            tags: tags(model, there),
            supported_parameters: supported_parameters(model),
            temperature: model.capabilities.temperature(),
            reasoning_options: reasoning_options(model),
            knowledge: model.knowledge.as_deref(),
            regions: ["eu", "us"]
                .into_iter()
                .filter(|r| there.iter().any(|e| e.region.as_deref() == Some(r)))
                .collect(),
            deprecated_at: deprecated_at(there),
        }
    }
}

/// Language models have both numbers whatever is known (clients §2: Roo, Zed); speech and transcription
/// models have no output limit.
fn limits(model: &Model) -> (Option<u64>, Option<u64>) {
    match model.kind {
        ModelKind::Language => {
            let context = model.context_window.unwrap_or(UNKNOWN_CONTEXT_WINDOW);
            (Some(context), Some(model.max_output_tokens.unwrap_or(UNKNOWN_MAX_TOKENS.min(context))))
        }
        ModelKind::Speech | ModelKind::Transcription => (model.context_window, None),
        _ => (model.context_window, model.max_output_tokens),
    }
}

/// The day from which no endpoint is left; `None` while one has no such day.
fn deprecated_at(there: &[&Endpoint]) -> Option<i64> {
    let last = there.iter().map(|e| e.deprecated_on).collect::<Option<Vec<_>>>()?.into_iter().max()?;
    Some(last.unix_seconds() * 1000)
}

pub(super) fn description(model: &Model) -> String {
    let kind = match model.kind {
        ModelKind::Language => "Language model",
        ModelKind::Embedding => "Embedding model",
        ModelKind::Image => "Image model",
        ModelKind::Video => "Video model",
        ModelKind::Realtime => "Realtime model",
        ModelKind::Reranking => "Reranking model",
        ModelKind::Speech => "Speech model",
        ModelKind::Transcription => "Transcription model",
        ModelKind::Decision => "Decision model",
    };
    let mut text = format!("{kind} of {}", model.creator());
    if let Some(tokens) = model.context_window {
        text.push_str(&format!(", context of {tokens} tokens"));
    }
    if let Some(tokens) = model.max_output_tokens {
        text.push_str(&format!(", output up to {tokens}"));
    }
    if model.deprecated {
        text.push_str("; being withdrawn by its creator");
    }
    text.push('.');
    text
}

pub(super) fn tags(model: &Model, there: &[&Endpoint]) -> Vec<&'static str> {
    let can = |c| model.can(c);
    let prices = || there.iter().filter_map(|e| e.prices.as_ref());
    let fast = model.variant.as_ref().is_some_and(|v| v.level == Level::Fast)
        || prices().any(|p| p.levels.iter().any(|(l, _)| *l == Level::Fast));
    let zero = |p: Option<tollgate_domain::Picodollars>| p.is_some_and(|p| p.0 == 0);
    let free = model.kind == ModelKind::Language
        && prices().any(|p| zero(p.standard.table.input) && zero(p.standard.table.output));
    let live_transcription = model.kind == ModelKind::Transcription
        && there.iter().any(|e| e.apis.iter().any(|a| a == "/v1/realtime/transcription_sessions"));
    [
        ("explicit-caching", can(Capability::ExplicitCaching)),
        ("fast", fast),
        ("file-input", can(Capability::FileInput)),
        ("free", free),
        ("image-generation", model.kind == ModelKind::Image || can(Capability::ImageOutput)),
        ("implicit-caching", can(Capability::ImplicitCaching)),
        ("reasoning", can(Capability::Reasoning)),
        ("tool-use", can(Capability::ToolUse)),
        ("video-generation", model.kind == ModelKind::Video),
        ("vision", can(Capability::Vision)),
        ("web-search", can(Capability::WebSearch)),
        ("websocket-realtime", model.kind == ModelKind::Realtime),
        ("websocket-transcription", live_transcription),
    ]
    .into_iter()
    .filter_map(|(tag, holds)| holds.then_some(tag))
    .collect()
}

pub(super) fn supported_parameters(model: &Model) -> Vec<&'static str> {
    if model.kind != ModelKind::Language {
        return Vec::new();
    }
    let tools = model.can(Capability::ToolUse);
    let reasoning = model.can(Capability::Reasoning);
    [
        ("max_tokens", true),
        ("temperature", model.capabilities.temperature() != Some(false)),
        ("stop", true),
        ("tools", tools),
        ("tool_choice", tools),
        ("reasoning", reasoning),
        ("include_reasoning", reasoning),
    ]
    .into_iter()
    .filter_map(|(name, holds)| holds.then_some(name))
    .collect()
}

fn reasoning_options(model: &Model) -> Vec<ReasoningOption<'_>> {
    let Some(reasoning) = &model.reasoning else { return Vec::new() };
    let mut options = Vec::new();
    if reasoning.toggle {
        options.push(ReasoningOption::Toggle);
    }
    if !reasoning.efforts.is_empty() {
        options.push(ReasoningOption::Effort { values: &reasoning.efforts });
    }
    if let Some(budget) = reasoning.budget {
        options.push(ReasoningOption::BudgetTokens { min: budget.min.unwrap_or(0), max: budget.max });
    }
    options
}

pub(super) fn architecture(model: &Model) -> Architecture {
    // This form has one word for PDF and other files.
    let words = |list: &[Modality]| {
        let mut words: Vec<&'static str> = Vec::new();
        for modality in list {
            let word = if *modality == Modality::Pdf { "file" } else { modality.as_str() };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    };
    let (input, output) = (words(&model.input), words(&model.output));
    Architecture {
        modality: format!("{}→{}", input.join("+"), output.join("+")),
        input_modalities: input,
        output_modalities: output,
    }
}
