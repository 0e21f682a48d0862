//! Blocks that only one provider knows. Calls that Anthropic runs itself become provider-executed tool calls
//! and results, whose values have the AI SDK's names of members. Any other block goes round untouched: in v4
//! as a custom part, before that in the metadata of a reasoning part without text, which clients keep.

use serde_json::{Map, Value, json};

use super::Version;
use super::part::GATEWAY;
use super::tool_names::{ToolNames, umbrella};

const ANTHROPIC: &str = "anthropic";
/// The member of the gateway's namespace that holds a block untouched.
const BLOCK: &str = "block";
/// Tools whose results have other names of members in the AI SDK; results of others are the provider's own.
const RENAMED: [&str; 3] = ["web_search", "web_fetch", "tool_search"];
/// The member of the gateway's namespace that says whose the block is, where the part does not.
const NAMESPACE: &str = "namespace";
/// Ids of calls that Anthropic runs itself.
const SERVER_ID: &str = "srvtoolu_";
/// Ids of calls that Anthropic makes of an MCP server.
const MCP_ID: &str = "mcptoolu_";

/// The part of a block; `None` when the version has no form for it. `calls` holds (id, name) of the calls
/// so far.
pub(super) fn to_part(
    version: Version,
    names: &ToolNames,
    calls: &mut Vec<(String, String)>,
    namespace: &str,
    block: &Value,
) -> Option<Map<String, Value>> {
    let kind = block.get("type").and_then(Value::as_str).unwrap_or_default();
    let part = match kind {
        "server_tool_use" | "mcp_tool_use" if namespace == ANTHROPIC => call(version, names, calls, block),
        _ if namespace == ANTHROPIC && kind.ends_with("_tool_result") => result(version, names, calls, block),
        _ => None,
    };
    match part {
        Some(Value::Object(part)) => Some(part),
        _ if version < Version::V4 => None,
        _ => match json!({
            "type": "custom",
            "kind": format!("{namespace}.{}", if kind.is_empty() { "block" } else { kind }),
            "providerMetadata": {GATEWAY: {BLOCK: block}},
        }) {
            Value::Object(part) => Some(part),
            _ => None,
        },
    }
}

fn call(
    version: Version,
    names: &ToolNames,
    calls: &mut Vec<(String, String)>,
    block: &Value,
) -> Option<Value> {
    let id = block.get("id")?.as_str()?;
    let own = block.get("name")?.as_str()?;
    let mut input = block.get("input").cloned().unwrap_or_else(|| json!({}));
    let (family, of_family) = umbrella(own);
    if of_family && let Value::Object(members) = &mut input {
        members.shift_insert(0, "type".to_owned(), own.into());
    }
    let (name, known) = names.to_client(family);
    calls.push((id.to_owned(), name.to_owned()));
    let mut part = json!({
        "type": "tool-call", "toolCallId": id, "toolName": name,
        "input": input.to_string(), "providerExecuted": true,
    });
    if !known && version > Version::V2 {
        part["dynamic"] = true.into();
    }
    if let Some(server) = block.get("server_name") {
        part["providerMetadata"] = json!({ANTHROPIC: {"type": "mcp-tool-use", "serverName": server}});
    }
    Some(part)
}

fn result(version: Version, names: &ToolNames, calls: &[(String, String)], block: &Value) -> Option<Value> {
    let id = block.get("tool_use_id")?.as_str()?;
    let own = block.get("type")?.as_str()?.strip_suffix("_tool_result")?;
    let content = block.get("content")?;
    let content = if RENAMED.contains(&own) { camel(content) } else { content.clone() };
    let (by_kind, known) = names.to_client(umbrella(own).0);
    let name = calls.iter().rev().find(|(call, _)| call == id).map_or(by_kind, |(_, name)| name);
    let failed = block.get("is_error").and_then(Value::as_bool).unwrap_or_else(|| {
        content.get("type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("_error"))
    });
    let mut part = json!({"type": "tool-result", "toolCallId": id, "toolName": name, "result": content});
    if failed {
        part["isError"] = true.into();
    }
    if version == Version::V2 {
        part["providerExecuted"] = true.into();
    } else if !known {
        part["dynamic"] = true.into();
    }
    Some(part)
}

/// The block of a custom part that a client sends back: (namespace, block).
pub(super) fn from_custom(kind: &str, gateway: Option<&Value>) -> Option<(String, Value)> {
    let block = gateway?.get(BLOCK).filter(|b| b.is_object())?;
    Some((kind.split_once('.')?.0.to_owned(), block.clone()))
}

/// The metadata that carries a block in a version without custom parts.
pub(super) fn carrier(namespace: &str, block: &Value, generation: Option<&str>) -> Value {
    let mut own = json!({NAMESPACE: namespace, BLOCK: block});
    if let Some(id) = generation {
        own["generationId"] = id.into();
    }
    json!({GATEWAY: own})
}

/// The block that a reasoning part carries: (namespace, block).
pub(super) fn from_carrier(gateway: Option<&Value>) -> Option<(String, Value)> {
    let own = gateway?;
    let block = own.get(BLOCK).filter(|b| b.is_object())?;
    Some((own.get(NAMESPACE)?.as_str()?.to_owned(), block.clone()))
}

/// The block of a provider-executed call that a client sends back; `None` when it is not known whose it is.
pub(super) fn from_call(
    names: &ToolNames,
    id: &str,
    name: &str,
    input: &Value,
    server: Option<&str>,
) -> Option<(String, Value)> {
    let block = if id.starts_with(MCP_ID) {
        json!({"type": "mcp_tool_use", "id": id, "name": name, "server_name": server?, "input": input})
    } else if id.starts_with(SERVER_ID) {
        let mut input = input.clone();
        let mut own = names.to_provider(name).to_owned();
        if own == "code_execution"
            && let Some(members) = input.as_object_mut()
            && let Some(Value::String(kind)) = members.get("type").cloned()
            && umbrella(&kind).1
        {
            members.shift_remove("type");
            own = kind;
        }
        json!({"type": "server_tool_use", "id": id, "name": own, "input": input})
    } else {
        return None;
    };
    Some((ANTHROPIC.to_owned(), block))
}

/// The block of the result of such a call.
pub(super) fn from_result(
    names: &ToolNames,
    id: &str,
    name: &str,
    output: &Value,
    is_error: bool,
) -> Option<(String, Value)> {
    // A client may have kept a failure as its text.
    let parsed = output.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let content = parsed.as_ref().filter(|v| v.is_object()).unwrap_or(output);
    let block = if id.starts_with(MCP_ID) {
        json!({"type": "mcp_tool_result", "tool_use_id": id, "is_error": is_error, "content": content})
    } else if id.starts_with(SERVER_ID) {
        let own = names.to_provider(name);
        let kind = content.get("type").and_then(Value::as_str).unwrap_or_default();
        let of_kind = ["bash_code_execution", "text_editor_code_execution"].into_iter();
        let own = match own {
            "code_execution" => of_kind.clone().find(|k| kind.starts_with(k)).unwrap_or(own),
            "tool_search_tool_regex" | "tool_search_tool_bm25" => "tool_search",
            _ => own,
        };
        let content = if RENAMED.contains(&own) { snake(content) } else { content.clone() };
        json!({"type": format!("{own}_tool_result"), "tool_use_id": id, "content": content})
    } else {
        return None;
    };
    Some((ANTHROPIC.to_owned(), block))
}

/// Whether a provider-executed call or result with this id can be told back to the provider.
pub(super) fn knows(id: &str) -> bool {
    id.starts_with(SERVER_ID) || id.starts_with(MCP_ID)
}

fn camel(value: &Value) -> Value {
    renamed(value, &|name| {
        let mut out = String::with_capacity(name.len());
        let mut raise = false;
        for c in name.chars() {
            if c == '_' && !out.is_empty() {
                raise = true;
            } else {
                out.push(if raise { c.to_ascii_uppercase() } else { c });
                raise = false;
            }
        }
        out
    })
}

fn snake(value: &Value) -> Value {
    renamed(value, &|name| {
        let mut out = String::with_capacity(name.len() + 4);
        for c in name.chars() {
            if c.is_ascii_uppercase() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        }
        out
    })
}

fn renamed(value: &Value, name: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().map(|(k, v)| (name(k), renamed(v, name))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|v| renamed(v, name)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
