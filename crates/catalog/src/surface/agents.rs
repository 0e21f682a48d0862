//! The catalog as coding agents read it (gateway-api §16): Claude Code's list and Codex's.

use serde::Serialize;

use super::entry::description;
use super::{UNKNOWN_CONTEXT_WINDOW, bytes};
use crate::catalog::Catalog;
use crate::model::{Capability, Modality, Model, ModelKind};
use crate::price::Level;

/// What stands before every model id of Claude Code's list.
const CLAUDE_CODE: &str = "claude-code/";

/// What Claude Code reads as a context of a million tokens.
const MILLION: &str = "[1m]";

/// From this context window on, in tokens, an id carries [`MILLION`].
const MILLION_TOKENS: u64 = 1_000_000;

#[derive(Serialize)]
struct ClaudeList<'a> {
    data: Vec<ClaudeModel<'a>>,
    has_more: bool,
    first_id: Option<String>,
    last_id: Option<String>,
}

#[derive(Serialize)]
struct ClaudeModel<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    display_name: &'a str,
    created_at: String,
}

/// The body of `GET /claude-code/v1/models`: Anthropic's list form, whole on one page. Language models that
/// can be called and can answer in text; ids are `claude-code/<id>`, with `[1m]` behind them when the
/// context window has a million tokens or more (gateway-api §16).
#[must_use]
pub fn claude_code_models(catalog: &Catalog) -> Vec<u8> {
    let data: Vec<_> = talking(catalog).map(claude_model).collect();
    let id = |model: Option<&ClaudeModel<'_>>| model.map(|m| m.id.clone());
    let (first_id, last_id) = (id(data.first()), id(data.last()));
    bytes(&ClaudeList { data, has_more: false, first_id, last_id })
}

fn claude_model(model: &Model) -> ClaudeModel<'_> {
    let million = model.context_window.is_some_and(|tokens| tokens >= MILLION_TOKENS);
    // Anthropic gives the epoch for a release that is not known; readers insist on a time.
    let day = model.released.map_or_else(|| "1970-01-01".to_owned(), |day| day.to_string());
    ClaudeModel {
        kind: "model",
        id: format!("{CLAUDE_CODE}{}{}", model.id, if million { MILLION } else { "" }),
        display_name: &model.name,
        created_at: format!("{day}T00:00:00Z"),
    }
}

/// The model id that a coding agent means: without the prefix and the suffix of [`claude_code_models`].
/// Either may be missing, as agents add and remove the suffix themselves.
#[must_use]
pub fn strip_agent_id(id: &str) -> &str {
    let id = id.strip_prefix(CLAUDE_CODE).unwrap_or(id);
    id.strip_suffix(MILLION).unwrap_or(id)
}

/// Models that can be called and answer in text; where it is not known what they give, they count.
fn talking(catalog: &Catalog) -> impl Iterator<Item = &Model> {
    catalog.models().iter().filter(|m| {
        let text = m.output.is_empty() || m.output.contains(&Modality::Text);
        m.kind == ModelKind::Language && text && m.endpoints.iter().any(|e| catalog.callable(e))
    })
}

/// Codex rejects a model without instructions, and sends none when they are empty; these stand in for the
/// ones that its own list has for each model.
const CODEX_INSTRUCTIONS: &str = "You are a coding agent that works in the user's terminal. Work on the \
task until it is done. Read the code that a change touches before you make it, keep changes small and in the \
style of what is there, and use the tools you are given to read, edit and run; never guess what a file \
holds or what a command would print. Run the project's own tests where there are any. Do not undo work that \
is not yours, and ask before anything that cannot be undone. When you are done, say in a few sentences what \
you changed, what you ran and what it showed.";

#[derive(Serialize)]
struct CodexList<'a> {
    models: Vec<CodexModel<'a>>,
}

/// A model as Codex reads it. What codex-cli 0.169.0 insists on: `slug`, `display_name`,
/// `supported_reasoning_levels` (each with a description), `shell_type`, `visibility`, `supported_in_api`,
/// `priority`, `support_verbosity`, `truncation_policy`, `experimental_supported_tools` and
/// `base_instructions`. Earlier ones insist on `supports_reasoning_summaries` and
/// `supports_parallel_tool_calls` besides. One model that it cannot read fails the whole list.
#[derive(Serialize)]
struct CodexModel<'a> {
    slug: &'a str,
    display_name: &'a str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_reasoning_level: Option<&'a str>,
    supported_reasoning_levels: Vec<ReasoningLevel<'a>>,
    shell_type: &'static str,
    visibility: &'static str,
    supported_in_api: bool,
    priority: usize,
    base_instructions: &'static str,
    supports_reasoning_summaries: bool,
    default_reasoning_summary: &'static str,
    support_verbosity: bool,
    truncation_policy: Truncation,
    supports_parallel_tool_calls: bool,
    context_window: u64,
    experimental_supported_tools: [&'static str; 0],
    input_modalities: Vec<&'static str>,
}

#[derive(Serialize)]
struct ReasoningLevel<'a> {
    effort: &'a str,
    description: String,
}

/// How much of a tool's output Codex keeps.
#[derive(Serialize)]
struct Truncation {
    mode: &'static str,
    limit: u64,
}

/// The body of `GET /codex/v1/models`: Codex's `ModelsResponse`. All language models that can be called and
/// answer in text, newest first. Those that cannot drive Codex (no tools, batch only, being withdrawn) are
/// hidden from its picker, but their facts are there for whoever names one.
#[must_use]
pub fn codex_models(catalog: &Catalog) -> Vec<u8> {
    let mut found: Vec<_> = talking(catalog).collect();
    // The sort is stable: models of one day keep the order of their ids.
    found.sort_by_key(|m| std::cmp::Reverse(m.released));
    let models = found.into_iter().enumerate().map(|(at, model)| codex_model(model, at + 1)).collect();
    bytes(&CodexList { models })
}

fn codex_model(model: &Model, priority: usize) -> CodexModel<'_> {
    let tools = model.can(Capability::ToolUse);
    let batch = model.variant.as_ref().is_some_and(|v| v.level == Level::Batch);
    let reasoning = model.can(Capability::Reasoning);
    let efforts = efforts(model);
    CodexModel {
        slug: model.id.as_str(),
        display_name: &model.name,
        description: description(model),
        default_reasoning_level: default_effort(&efforts),
        supported_reasoning_levels: efforts
            .into_iter()
            .map(|effort| ReasoningLevel { effort, description: effort_description(effort) })
            .collect(),
        // Codex's own choice of shell tool; each that it may choose is a plain function.
        shell_type: "default",
        visibility: if tools && !batch && !model.deprecated { "list" } else { "hide" },
        supported_in_api: true,
        priority,
        base_instructions: CODEX_INSTRUCTIONS,
        supports_reasoning_summaries: reasoning,
        default_reasoning_summary: if reasoning { "auto" } else { "none" },
        // Which models take a verbosity is not known.
        support_verbosity: false,
        truncation_policy: Truncation { mode: "tokens", limit: 10_000 },
        supports_parallel_tool_calls: tools,
        context_window: model.context_window.unwrap_or(UNKNOWN_CONTEXT_WINDOW),
        experimental_supported_tools: [],
        // Codex knows no other words than these, and fails at those it does not know.
        input_modalities: if model.input.contains(&Modality::Image) || model.can(Capability::Vision) {
            vec!["text", "image"]
        } else {
            vec!["text"]
        },
    }
}

/// The efforts a model knows. One that takes a budget instead is given it by effort: the gateway translates.
fn efforts(model: &Model) -> Vec<&str> {
    let Some(reasoning) = &model.reasoning else { return Vec::new() };
    if reasoning.efforts.is_empty() && reasoning.budget.is_some() {
        return vec!["low", "medium", "high"];
    }
    // Codex refuses an empty word.
    reasoning.efforts.iter().map(String::as_str).filter(|effort| !effort.is_empty()).collect()
}

fn default_effort<'a>(efforts: &[&'a str]) -> Option<&'a str> {
    efforts.iter().find(|e| **e == "medium").or_else(|| efforts.get(efforts.len() / 2)).copied()
}

fn effort_description(effort: &str) -> String {
    match effort {
        "none" => "Answers at once, without reasoning".to_owned(),
        "minimal" => "As little reasoning as possible".to_owned(),
        "low" => "Little reasoning, quick answers".to_owned(),
        "medium" => "Between speed and depth".to_owned(),
        "high" => "Much reasoning for hard tasks".to_owned(),
        "xhigh" => "Very much reasoning for the hardest tasks".to_owned(),
        "max" => "As much reasoning as the model can do".to_owned(),
        other => format!("The model's own level '{other}'"),
    }
}

#[cfg(test)]
mod tests;
