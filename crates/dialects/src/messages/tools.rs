//! Tools and the choice among them.

use tollgate_domain::InputError;
use tollgate_domain::conversation::{FunctionTool, Tool, ToolChoice};
use tollgate_wire::json;

use super::NAMESPACE;
use super::block::{cache_mark, value};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, boolean, string, wrong};

/// Reads the definitions: the client's functions, and tools that are the provider's own.
pub(super) fn definitions(fields: &Fields<'_>) -> Result<Vec<Tool>, InputError> {
    let root = Path::Body;
    let path = root.member("tools");
    let raw = fields.get("tools").map(elements).unwrap_or_default();
    raw.into_iter().enumerate().map(|(i, raw)| definition(&path.element(i), raw)).collect()
}

fn definition(path: &Path<'_>, raw: &[u8]) -> Result<Tool, InputError> {
    let Some(fields) = Fields::of(raw) else { return Err(wrong(path, "an object", raw)) };
    let kind = fields.get("type").map(|raw| string(&path.member("type"), raw)).transpose()?;
    if let Some(kind) = kind.filter(|kind| kind != "custom") {
        let namespace = if kind.starts_with("vercel:") { "vercel" } else { NAMESPACE };
        return Ok(Tool::Provider {
            namespace: namespace.to_owned(),
            kind: kind.into_owned(),
            value: value(path, raw)?,
        });
    }
    let name = fields
        .get("name")
        .ok_or_else(|| InputError::missing(path.member("name").to_string(), "the tool's name"))?;
    let schema = fields.get("input_schema").ok_or_else(|| {
        let expected = "the JSON schema of the tool's input";
        InputError::missing(path.member("input_schema").to_string(), expected)
    })?;
    let description =
        fields.get("description").map(|raw| string(&path.member("description"), raw)).transpose()?;
    Ok(Tool::Function(FunctionTool {
        name: string(&path.member("name"), name)?.into_owned(),
        description: description.map(std::borrow::Cow::into_owned),
        parameters: value(&path.member("input_schema"), schema)?,
        strict: fields.get("strict").map(|raw| boolean(&path.member("strict"), raw)).transpose()?,
        cache: cache_mark(path, &fields)?,
    }))
}

/// `tool_choice`: what must be called, and whether several calls may be made at once.
pub(super) fn choice(fields: &Fields<'_>) -> Result<(Option<ToolChoice>, Option<bool>), InputError> {
    let root = Path::Body;
    let path = root.member("tool_choice");
    let Some(raw) = fields.get("tool_choice") else { return Ok((None, None)) };
    let Some(choice) = Fields::of(raw) else {
        return Err(wrong(&path, "an object such as {\"type\":\"auto\"}", raw));
    };
    let one_by_one = choice
        .get("disable_parallel_tool_use")
        .map(|raw| boolean(&path.member("disable_parallel_tool_use"), raw))
        .transpose()?;
    let kind = choice.get("type").and_then(json::string);
    let chosen = match kind.as_deref() {
        None => {
            let expected = "\"auto\", \"any\", \"tool\" or \"none\"";
            return Err(InputError::missing(path.member("type").to_string(), expected));
        }
        Some("auto") => Some(ToolChoice::Auto),
        Some("any") => Some(ToolChoice::Required),
        Some("none") => Some(ToolChoice::None),
        Some("tool") => match choice.get("name") {
            Some(raw) => Some(ToolChoice::Function(string(&path.member("name"), raw)?.into_owned())),
            None => return Err(InputError::missing(path.member("name").to_string(), "the tool's name")),
        },
        // A choice that is not known yet leaves the provider's default.
        Some(_) => None,
    };
    Ok((chosen, one_by_one.map(|off| !off)))
}
