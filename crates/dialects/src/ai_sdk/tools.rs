//! Tools and the choice among them (gateway-api §17.4).

use serde_json::json;
use tollgate_domain::InputError;
use tollgate_domain::conversation::{FunctionTool, Tool, ToolChoice};

use super::members::{fields, required_text, text, value};
use super::part::Marks;
use super::tool_names::ToolNames;
use crate::checked::{Fields, elements};
use crate::json_path::{Path, array, boolean, excerpt, object};

const KINDS: &str = "\"function\" or \"provider\"";
const CHOICES: &str = "\"auto\", \"none\", \"required\" or \"tool\"";

/// The tools of a body.
pub(super) fn read(body: &Fields<'_>) -> Result<Vec<Tool>, InputError> {
    let path = Path::Body.member("tools");
    let Some(raw) = body.get("tools") else { return Ok(Vec::new()) };
    array(&path, raw)?;
    elements(raw).into_iter().enumerate().map(|(i, raw)| tool(&path.element(i), raw)).collect()
}

fn tool(path: &Path<'_>, raw: &[u8]) -> Result<Tool, InputError> {
    let members = fields(path, raw)?;
    match required_text(path, &members, "type", KINDS)?.as_str() {
        "function" => function(path, &members).map(Tool::Function),
        "provider" | "provider-defined" => {
            let kind =
                required_text(path, &members, "id", "an id such as \"anthropic.web_search_20250305\"")?;
            let namespace = kind.split_once('.').map_or("", |(namespace, _)| namespace).to_owned();
            Ok(Tool::Provider { namespace, kind, value: value(path, raw)? })
        }
        other => {
            let message = format!("'{path}.type' is \"{}\"; expected {KINDS}.", excerpt(other));
            Err(InputError::invalid(path.member("type").to_string(), message))
        }
    }
}

fn function(path: &Path<'_>, members: &Fields<'_>) -> Result<FunctionTool, InputError> {
    let schema_path = path.member("inputSchema");
    let parameters = match members.get("inputSchema") {
        Some(raw) => {
            object(&schema_path, raw)?;
            value(&schema_path, raw)?
        }
        // Providers other than OpenAI insist on a schema.
        None => json!({"type": "object", "properties": {}}),
    };
    Ok(FunctionTool {
        name: required_text(path, members, "name", "the function's name")?,
        description: text(path, members, "description")?,
        parameters,
        strict: members.get("strict").map(|raw| boolean(&path.member("strict"), raw)).transpose()?,
        cache: Marks::read(path, members)?.cache,
    })
}

/// The choice of a body.
pub(super) fn choice(body: &Fields<'_>, names: &ToolNames) -> Result<Option<ToolChoice>, InputError> {
    let path = Path::Body.member("toolChoice");
    let Some(raw) = body.get("toolChoice") else { return Ok(None) };
    let choice = fields(&path, raw)?;
    match required_text(&path, &choice, "type", CHOICES)?.as_str() {
        "auto" => Ok(Some(ToolChoice::Auto)),
        "none" => Ok(Some(ToolChoice::None)),
        "required" => Ok(Some(ToolChoice::Required)),
        "tool" => {
            let name = required_text(&path, &choice, "toolName", "the name of the tool to call")?;
            Ok(Some(ToolChoice::Function(names.to_provider(&name).to_owned())))
        }
        other => {
            let message = format!("'{path}.type' is \"{}\"; expected {CHOICES}.", excerpt(other));
            Err(InputError::invalid(path.member("type").to_string(), message))
        }
    }
}
