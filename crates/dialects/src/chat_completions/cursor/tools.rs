//! Tools and the choice among them: flat as in Responses, or as Anthropic has them, into the nested form.

use tollgate_domain::InputError;
use tollgate_wire::json::{self, Kind, Object};

use super::{array, made, present, required};
use crate::checked::{Fields, elements};
use crate::json_path::{Path, string};

/// Rewrites `tools`; gives whether there was anything to do.
pub(super) fn tools(body: &mut Object<'_>) -> Result<bool, InputError> {
    let root = Path::Body;
    let path = root.member("tools");
    let Some(raw) = present(body, "tools") else { return Ok(false) };
    let mut changed = false;
    let mut tools = Vec::new();
    for (i, raw) in elements(raw).into_iter().enumerate() {
        let nested = match Fields::of(raw) {
            Some(fields) => nested(&path.element(i), &fields)?,
            None => None,
        };
        changed |= nested.is_some();
        tools.push(nested.unwrap_or_else(|| raw.to_vec()));
    }
    if changed {
        body.set("tools", array(&tools));
    }
    Ok(changed)
}

/// The nested form of a tool; `None` when it has it already, or is none that chat completions knows.
fn nested(path: &Path<'_>, fields: &Fields<'_>) -> Result<Option<Vec<u8>>, InputError> {
    let kind = fields.get("type").and_then(json::string);
    let anthropic = fields.get("input_schema").is_some();
    let nests = fields.get("function").is_some() || fields.get("custom").is_some();
    match kind.as_deref() {
        _ if nests => Ok(None),
        None | Some("function") => {
            // A tool with nothing of a function in it is left to the reader, which says what is missing.
            let flat = anthropic || fields.get("name").is_some() || fields.get("parameters").is_some();
            if flat { function(path, fields).map(Some) } else { Ok(None) }
        }
        Some("custom") if anthropic => function(path, fields).map(Some),
        Some("custom") => custom(path, fields).map(Some),
        Some(_) => Ok(None),
    }
}

fn name<'a>(path: &Path<'_>, fields: &Fields<'a>) -> Result<&'a [u8], InputError> {
    let raw = required(path, fields, "name", "the tool's name")?;
    string(&path.member("name"), raw).map(|_| raw)
}

fn function(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let mut function = Object::new();
    function.set("name", name(path, fields)?);
    let (mut tool, mut rest) = (Object::new(), Vec::new());
    for (member, raw) in fields.iter().filter(|(_, raw)| !json::is_null(raw)) {
        match member {
            "description" | "parameters" | "strict" => function.set(member, raw),
            "input_schema" => function.set("parameters", raw),
            "type" | "name" => {}
            // Cache marks and whatever else stands on the tool.
            _ => rest.push((member, raw)),
        }
    }
    tool.set_string("type", "function");
    tool.set("function", function.to_vec());
    for (member, raw) in rest {
        tool.set(member, raw);
    }
    Ok(tool.to_vec())
}

/// A tool that is called with free text. Its grammar is one object deeper in chat completions.
fn custom(path: &Path<'_>, fields: &Fields<'_>) -> Result<Vec<u8>, InputError> {
    let mut custom = Object::new();
    custom.set("name", name(path, fields)?);
    if let Some(raw) = fields.get("description") {
        custom.set("description", raw);
    }
    if let Some(raw) = fields.get("format") {
        let format = Fields::of(raw).filter(|format| {
            let kind = format.get("type").and_then(json::string);
            kind.as_deref() == Some("grammar") && format.get("grammar").is_none()
        });
        let nested = format.map(|format| {
            let mut grammar = Object::new();
            for (member, raw) in format.iter().filter(|(member, _)| *member != "type") {
                grammar.set(member, raw);
            }
            made(&[("type", b"\"grammar\""), ("grammar", &grammar.to_vec())])
        });
        custom.set("format", nested.unwrap_or_else(|| raw.to_vec()));
    }
    Ok(made(&[("type", b"\"custom\""), ("custom", &custom.to_vec())]))
}

/// Rewrites `tool_choice`; gives whether there was anything to do.
pub(super) fn choice(body: &mut Object<'_>) -> Result<bool, InputError> {
    let root = Path::Body;
    let path = root.member("tool_choice");
    let Some(raw) = present(body, "tool_choice") else { return Ok(false) };
    if json::kind(raw) == Kind::String {
        let any = raw == b"\"any\"";
        if any {
            body.set_string("tool_choice", "required");
        }
        return Ok(any);
    }
    let Some(fields) = Fields::of(raw) else { return Ok(false) };
    let nests = fields.get("function").is_some() || fields.get("custom").is_some();
    let kind = fields.get("type").and_then(json::string);
    let named = |kind: &str| -> Result<Vec<u8>, InputError> {
        let holder = made(&[("name", name(&path, &fields)?)]);
        let mut choice = Object::new();
        choice.set_string("type", kind);
        choice.set(kind, holder);
        Ok(choice.to_vec())
    };
    let rewritten = match kind.as_deref() {
        _ if nests => return Ok(false),
        Some("auto") => b"\"auto\"".to_vec(),
        Some("none") => b"\"none\"".to_vec(),
        Some("any" | "required") => b"\"required\"".to_vec(),
        Some("tool" | "function") => named("function")?,
        Some("custom") => named("custom")?,
        // A choice among tools that a provider runs.
        _ => return Ok(false),
    };
    body.set("tool_choice", rewritten);
    let one = fields.get("disable_parallel_tool_use").and_then(json::boolean) == Some(true);
    if one && present(body, "parallel_tool_calls").is_none() {
        body.set("parallel_tool_calls", b"false".as_slice());
    }
    Ok(true)
}
