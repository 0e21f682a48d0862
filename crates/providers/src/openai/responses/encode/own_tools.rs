//! Calls of the protocol's own client tools, and their answers: each has items of its own (providers §3).
//! In the neutral form they are plain calls, whose arguments are those that the AI SDK gives them.

use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{Tool, ToolCall, ToolOutput, ToolResult};

use super::super::options::snake;
use super::tools;

/// Which items a tool's calls and answers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Function,
    Custom,
    LocalShell,
    Shell,
    ApplyPatch,
    ToolSearch,
}

impl Form {
    /// The form of a tool's calls, by the definition of that name.
    pub(super) fn of(name: &str, tools: &[Tool]) -> Self {
        let own = tools.iter().find_map(|tool| match tool {
            Tool::Provider { kind, value, .. } if tools::name_of(kind, value) == name => Some(kind),
            _ => None,
        });
        let kind = own.map(|kind| kind.strip_prefix("openai.").unwrap_or(kind));
        kind.and_then(Self::of_kind).unwrap_or(Self::Function)
    }

    fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "custom" => Self::Custom,
            "local_shell" => Self::LocalShell,
            "shell" => Self::Shell,
            "apply_patch" => Self::ApplyPatch,
            "tool_search" => Self::ToolSearch,
            _ => return None,
        })
    }

    /// The form of a call that is an item already.
    pub(super) fn of_item(item: &Value) -> Option<Self> {
        Self::of_kind(item["type"].as_str()?.strip_suffix("_call")?.trim_end_matches("_tool"))
    }
}

/// The item of a call, and the form that it really got: arguments of another shape make it a function's.
pub(super) fn call(call: &ToolCall, form: Form, item_id: Option<&str>) -> (Value, Form) {
    let arguments: Map<String, Value> = serde_json::from_str(&call.arguments).unwrap_or_default();
    let id = call.id.as_str();
    let mut item = match (form, arguments.get("action"), arguments.get("operation")) {
        (Form::Custom, ..) => {
            // A dialect whose arguments are always JSON wraps the tool's text.
            let wrapped = arguments.get("input").and_then(Value::as_str).filter(|_| arguments.len() == 1);
            let text = wrapped.unwrap_or(&call.arguments);
            json!({"type": "custom_tool_call", "call_id": id, "name": call.name, "input": text})
        }
        (Form::LocalShell, Some(action), _) => {
            json!({"type": "local_shell_call", "call_id": id, "action": snake(action), "status": "completed"})
        }
        (Form::Shell, Some(action), _) => {
            json!({"type": "shell_call", "call_id": id, "action": snake(action), "status": "completed"})
        }
        (Form::ApplyPatch, _, Some(operation)) => {
            json!({"type": "apply_patch_call", "call_id": id, "operation": operation, "status": "completed"})
        }
        (Form::ToolSearch, ..) => {
            let sought = arguments.get("arguments").cloned().unwrap_or_else(|| json!({}));
            json!({"type": "tool_search_call", "call_id": id, "execution": "client", "arguments": sought, "status": "completed"})
        }
        _ => {
            let written = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.as_str() };
            let item =
                json!({"type": "function_call", "call_id": id, "name": call.name, "arguments": written});
            return (item, Form::Function);
        }
    };
    // A shell's calls are known by the item's own id too.
    if let Some(item_id) = item_id {
        item["id"] = Value::from(item_id);
    }
    (item, form)
}

/// The item of an answer; `output` is what a function's answer would hold.
pub(super) fn result(result: &ToolResult, form: Form, output: Value) -> Value {
    let id = result.call_id.as_str();
    let told = told(&result.output);
    let plain =
        || told.get("output").filter(|own| own.is_string()).cloned().unwrap_or_else(|| output.clone());
    match form {
        Form::Function => json!({"type": "function_call_output", "call_id": id, "output": output}),
        Form::Custom => json!({"type": "custom_tool_call_output", "call_id": id, "output": output}),
        Form::LocalShell => json!({"type": "local_shell_call_output", "call_id": id, "output": plain()}),
        Form::Shell => {
            let runs = told.get("output").filter(|own| own.is_array()).map_or_else(
                || {
                    let code = i32::from(result.is_error);
                    json!([{"stdout": output, "stderr": "", "outcome": {"type": "exit", "exit_code": code}}])
                },
                snake,
            );
            json!({"type": "shell_call_output", "call_id": id, "output": runs})
        }
        Form::ApplyPatch => {
            let status = told.get("status").and_then(Value::as_str);
            let status = status.unwrap_or(if result.is_error { "failed" } else { "completed" });
            json!({"type": "apply_patch_call_output", "call_id": id, "status": status, "output": plain()})
        }
        Form::ToolSearch => {
            let found = told.get("tools").cloned().unwrap_or_else(|| json!([]));
            json!({"type": "tool_search_output", "call_id": id, "execution": "client", "status": "completed", "tools": found})
        }
    }
}

/// The members of an answer that is a JSON object, as a value or as text.
fn told(output: &ToolOutput) -> Map<String, Value> {
    match output {
        ToolOutput::Json(Value::Object(members)) => members.clone(),
        ToolOutput::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        _ => Map::new(),
    }
}
