//! Tools and the choice among them (providers §4).

use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{FunctionTool, Tool, ToolChoice};

use super::block::Block;
use super::options::snake;
use super::{Betas, schema};
use crate::codec::Target;

/// Families of the provider's own tools: a version is eight digits behind.
const VERSIONED: [&str; 9] = [
    "web_search",
    "web_fetch",
    "code_execution",
    "bash",
    "text_editor",
    "computer",
    "memory",
    "advisor",
    "tool_search_tool_regex",
];

/// The definitions. Tools of other providers are dropped.
pub(super) fn definitions(tools: &[Tool], target: &Target, betas: &mut Betas) -> Vec<Block> {
    tools
        .iter()
        .filter_map(|tool| match tool {
            Tool::Function(function) => Some(definition(function, target)),
            Tool::Provider { kind, value, .. } => provider_tool(kind, value, target, betas),
        })
        .collect()
}

fn definition(function: &FunctionTool, target: &Target) -> Block {
    // Without native structured output a schema cannot be enforced, and asking for it is refused.
    let strict = function.strict.filter(|_| target.structured_output);
    let parameters = schema::of_tool(&function.parameters);
    let parameters = if strict == Some(true) { schema::closed(&parameters) } else { parameters };
    let mut members = Map::new();
    members.insert("name".to_owned(), function.name.clone().into());
    if let Some(description) = function.description.as_ref().filter(|d| !d.is_empty()) {
        members.insert("description".to_owned(), description.clone().into());
    }
    members.insert("input_schema".to_owned(), parameters);
    if strict == Some(true) {
        members.insert("strict".to_owned(), Value::Bool(true));
    }
    Block { members, cache: function.cache, ..Block::default() }
}

/// A tool of this provider, as the client wrote it or from the AI SDK's form
/// (`{type: provider, id: anthropic.…, name, args}`).
fn provider_tool(kind: &str, value: &Value, target: &Target, betas: &mut Betas) -> Option<Block> {
    let kind = kind.strip_prefix("anthropic.").unwrap_or(kind);
    let custom = kind == "custom" && value.get("input_schema").is_some();
    if !(custom || known(kind)) {
        return None;
    }
    add_betas(kind, target, betas);
    let Some(arguments) = value.get("args") else { return Some(Block::of(value.clone())) };
    let mut members = Map::new();
    members.insert("type".to_owned(), kind.into());
    members.insert("name".to_owned(), own_name(kind).into());
    if let Value::Object(arguments) = snake(arguments) {
        members.extend(arguments);
    }
    Some(Block::of(Value::Object(members)))
}

fn known(kind: &str) -> bool {
    if kind == "mcp_toolset" || family_of(kind) == "tool_search_tool_bm25" {
        return true;
    }
    let family = family_of(kind);
    // Other providers have a `web_search` too; only the versioned one, or the search of tools, is meant.
    (family != kind || family.starts_with("tool_search_tool")) && VERSIONED.contains(&family)
}

/// The kind without its version.
fn family_of(kind: &str) -> &str {
    match kind.rsplit_once('_') {
        Some((family, version)) if version.len() == 8 && version.bytes().all(|b| b.is_ascii_digit()) => {
            family
        }
        _ => kind,
    }
}

/// The name under which the provider knows its tool.
fn own_name(kind: &str) -> &str {
    match kind {
        "text_editor_20241022" | "text_editor_20250124" => "str_replace_editor",
        _ if family_of(kind) == "text_editor" => "str_replace_based_edit_tool",
        _ => family_of(kind),
    }
}

fn add_betas(kind: &str, target: &Target, betas: &mut Betas) {
    let beta = match kind {
        "computer_20241022" | "bash_20241022" | "text_editor_20241022" => "computer-use-2024-10-22",
        "computer_20250124" | "bash_20250124" | "text_editor_20250124" | "text_editor_20250429" => {
            "computer-use-2025-01-24"
        }
        "computer_20251124" => "computer-use-2025-11-24",
        "code_execution_20250522" => "code-execution-2025-05-22",
        "web_fetch_20250910" => "web-fetch-2025-09-10",
        "web_search_20260209" | "web_fetch_20260209" => "code-execution-web-tools-2026-02-09",
        "mcp_toolset" => "mcp-client-2025-11-20",
        _ => match family_of(kind) {
            "code_execution" => "code-execution-2025-08-25",
            "memory" => "context-management-2025-06-27",
            "advisor" => "advisor-tool-2026-03-01",
            // The clouds know the search of tools under its first name.
            "tool_search_tool_regex" | "tool_search_tool_bm25" if target.provider == "anthropic" => {
                "advanced-tool-use-2025-11-20"
            }
            "tool_search_tool_regex" | "tool_search_tool_bm25" => "tool-search-tool-2025-10-19",
            _ => return,
        },
    };
    betas.add(beta);
}

/// `tool_choice`; `None` leaves it to the provider. With reasoning a forced call is refused, so that the
/// model is left free.
pub(super) fn choice(choice: Option<&ToolChoice>, parallel: Option<bool>, reasons: bool) -> Option<Value> {
    let mut value = match choice {
        Some(ToolChoice::None) => return Some(json!({"type": "none"})),
        Some(ToolChoice::Auto) => json!({"type": "auto"}),
        Some(ToolChoice::Required | ToolChoice::Function(_)) if reasons => json!({"type": "auto"}),
        Some(ToolChoice::Required) => json!({"type": "any"}),
        Some(ToolChoice::Function(name)) => json!({"type": "tool", "name": name}),
        None if parallel == Some(false) => json!({"type": "auto"}),
        None => return None,
    };
    if parallel == Some(false) {
        value["disable_parallel_tool_use"] = Value::Bool(true);
    }
    Some(value)
}

/// The tool whose input is the answer, for a model without native structured output.
pub(super) fn answer_tool(taken: &[Block], schema: &Value, description: Option<&str>) -> (String, Block) {
    let mut name = "json".to_owned();
    while taken.iter().any(|tool| tool.members.get("name").is_some_and(|n| *n == *name)) {
        name.push_str("_answer");
    }
    let description = description.unwrap_or("Respond with a JSON object.");
    let block =
        Block::of(json!({"name": name, "description": description, "input_schema": schema::of_tool(schema)}));
    (name, block)
}
