use tollgate_domain::conversation::Tool;

use super::*;

fn names() -> ToolNames {
    let tool = |id: &str, name: &str| Tool::Provider {
        namespace: "anthropic".into(),
        kind: id.into(),
        value: json!({"id": id, "name": name}),
    };
    ToolNames::of(&[
        tool("anthropic.web_search_20250305", "search"),
        tool("anthropic.code_execution_20250825", "run"),
    ])
}

fn part(version: Version, block: &Value, calls: &mut Vec<(String, String)>) -> Option<Value> {
    to_part(version, &names(), calls, ANTHROPIC, block).map(Value::Object)
}

/// A client's view of a part, sent back.
fn back(part: &Value) -> Value {
    let id = part["toolCallId"].as_str().unwrap();
    let name = part["toolName"].as_str().unwrap();
    let found = match part.get("input").and_then(Value::as_str) {
        Some(input) => {
            let server = part.pointer("/providerMetadata/anthropic/serverName").and_then(Value::as_str);
            from_call(&names(), id, name, &serde_json::from_str(input).unwrap(), server)
        }
        None => {
            let failed = part.get("isError").is_some_and(|e| *e == true);
            from_result(&names(), id, name, &part["result"], failed)
        }
    };
    let (namespace, block) = found.unwrap();
    assert_eq!(namespace, ANTHROPIC);
    block
}

#[test]
fn i18_calls_that_the_provider_ran_go_round() {
    let blocks = [
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
            {"type": "web_search_result", "url": "https://x.test", "title": "T", "page_age": null, "encrypted_content": "e=="}]}),
        json!({"type": "server_tool_use", "id": "srvtoolu_2", "name": "bash_code_execution", "input": {"command": "ls"}}),
        json!({"type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_2",
            "content": {"type": "bash_code_execution_result", "stdout": "a", "stderr": "", "return_code": 0, "content": []}}),
        json!({"type": "server_tool_use", "id": "srvtoolu_3", "name": "web_search", "input": {"query": "r"}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_3",
            "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}}),
        json!({"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "look", "server_name": "files", "input": {}}),
        json!({"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": true, "content": [{"type": "text", "text": "no"}]}),
        json!({"type": "server_tool_use", "id": "srvtoolu_4", "name": "tool_search_tool_regex", "input": {"query": "x"}}),
        json!({"type": "tool_search_tool_result", "tool_use_id": "srvtoolu_4", "content":
            {"type": "tool_search_tool_search_result", "tool_references": [{"type": "tool_reference", "tool_name": "f"}]}}),
    ];
    for version in [Version::V2, Version::V3, Version::V4] {
        let mut calls = Vec::new();
        for block in &blocks {
            assert_eq!(back(&part(version, block, &mut calls).unwrap()), *block, "{version:?}");
        }
    }
}

#[test]
fn clients_see_their_own_names() {
    let mut calls = Vec::new();
    let call =
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}});
    assert_eq!(
        part(Version::V4, &call, &mut calls),
        Some(json!({"type": "tool-call", "toolCallId": "srvtoolu_1", "toolName": "search",
            "input": "{\"query\":\"q\"}", "providerExecuted": true}))
    );
    let result = json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1",
        "content": {"type": "web_search_tool_result_error", "error_code": "unavailable"}});
    let shown = json!({"type": "tool-result", "toolCallId": "srvtoolu_1", "toolName": "search",
        "result": {"type": "web_search_tool_result_error", "errorCode": "unavailable"}, "isError": true});
    assert_eq!(part(Version::V4, &result, &mut calls), Some(shown));
    let execution = json!({"type": "server_tool_use", "id": "srvtoolu_2", "name": "text_editor_code_execution", "input": {"path": "a"}});
    let shown = part(Version::V3, &execution, &mut calls).unwrap();
    assert_eq!(
        (&shown["toolName"], &shown["input"]),
        (&json!("run"), &json!("{\"type\":\"text_editor_code_execution\",\"path\":\"a\"}"))
    );
    let unknown = json!({"type": "server_tool_use", "id": "srvtoolu_3", "name": "web_fetch", "input": {}});
    assert_eq!(part(Version::V3, &unknown, &mut calls).unwrap()["dynamic"], true);
    assert_eq!(part(Version::V2, &unknown, &mut calls).unwrap().get("dynamic"), None);
}

#[test]
fn other_blocks_are_custom_parts_where_there_are_such() {
    let block = json!({"type": "compaction", "content": "short"});
    let shown = part(Version::V4, &block, &mut Vec::new()).unwrap();
    assert_eq!(shown["kind"], "anthropic.compaction");
    let own = shown.pointer("/providerMetadata/gateway");
    assert_eq!(from_custom("anthropic.compaction", own), Some((ANTHROPIC.to_owned(), block.clone())));
    assert_eq!(part(Version::V3, &block, &mut Vec::new()), None);
    assert_eq!(from_custom("openai.compaction", None), None);
    assert_eq!(from_call(&names(), "ws_1", "web_search", &json!({}), None), None);
    assert_eq!(from_result(&names(), "ws_1", "web_search", &json!({}), false), None);
}
