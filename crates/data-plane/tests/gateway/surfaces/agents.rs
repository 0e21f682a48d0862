//! The base addresses of coding agents (gateway-api §16): what is served there, and how it is marked.

use serde_json::{Value, json};

use super::setup::Surfaces;
use super::table::ALL;

/// Each surface is under each agent's address as it is at the root, and its row says whose it was.
#[tokio::test]
async fn what_agents_ask_is_marked_in_the_ledger() {
    let at = Surfaces::start().await;
    for agent in ["claude-code", "codex", "cursor", "coding-agent"] {
        for surface in
            ALL.iter().filter(|s| matches!(s.name, "chat" | "messages" | "responses" | "embeddings"))
        {
            let path = format!("/{agent}{}", surface.path);
            let mut headers = surface.headers(surface.model(), false);
            headers.push(("ai-reporting-tags", "mine"));
            let body = surface.request(surface.model(), false).to_string();
            let answer = at.post_with(&path, &headers, body.as_bytes()).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let row = at.row_of(&answer).await;
            assert_eq!(row.intent.tags, ["mine".to_owned(), format!("agent:{agent}")], "{path}");
        }
    }
    // A client that uses up the tags keeps its own.
    let tags: Vec<String> = (0..10).map(|n| format!("t{n}")).collect();
    let body = ALL[0].request("test/chat", false).to_string();
    let joined = tags.join(",");
    let headers = [("ai-reporting-tags", joined.as_str())];
    let answer = at.post_with("/cursor/v1/chat/completions", &headers, body.as_bytes()).await;
    assert_eq!(at.row_of(&answer).await.intent.tags, tags);
    // Nothing is marked at the root.
    let answer = at.post("/v1/chat/completions", &ALL[0].request("test/chat", false)).await;
    assert!(at.row_of(&answer).await.intent.tags.is_empty());
}

#[tokio::test]
async fn errors_come_in_the_envelope_of_the_agents_surface() {
    let at = Surfaces::start().await;
    for agent in ["claude-code", "codex", "cursor", "coding-agent"] {
        for surface in ALL.iter().filter(|s| matches!(s.name, "messages" | "count_tokens")) {
            let mut body: Value = surface.request("anthropic/claude-haiku-9", false);
            body["model"] = json!("anthropic/claude-haiku-9");
            let answer = at.post(&format!("/{agent}{}", surface.path), &body).await;
            surface.check(&answer, 404, "model_not_found", &["anthropic/claude-haiku-4.5"]);
        }
    }
    for agent in ["codex", "cursor", "coding-agent"] {
        let answer = at.post(&format!("/{agent}/v1/responses"), &json!({"model": "test/responses"})).await;
        ALL[3].check(&answer, 400, "invalid_request_error", &["input"]);
    }
}

/// Claude Code reads Anthropic's list, and sends the ids back as they stand there.
#[tokio::test]
async fn claude_codes_list_is_of_ids_that_its_requests_resolve() {
    let at = Surfaces::start().await;
    // The list is public, as that of all models is.
    let list = at.raw("GET", "/claude-code/v1/models?limit=1000", &[], b"").await;
    assert_eq!(list.status, 200, "{}", list.text());
    let data = list.json()["data"].as_array().unwrap().clone();
    let ids: Vec<_> = data.iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"claude-code/anthropic/claude-haiku-4.5"), "{ids:?}");
    assert!(ids.contains(&"claude-code/test/chat[1m]"), "a million tokens are marked: {ids:?}");
    for hidden in ["test/image", "test/embed", "test/rerank", "test/voyage"] {
        assert!(!ids.contains(&format!("claude-code/{hidden}").as_str()), "{ids:?}");
    }
    let told = list.json();
    assert_eq!(
        (&told["has_more"], &told["first_id"], &told["last_id"]),
        (&json!(false), &json!(ids[0]), &json!(ids[ids.len() - 1]))
    );
    for (model, id) in data.iter().zip(&ids) {
        assert_eq!(model["type"], "model", "{model}");
        assert!(model["display_name"].is_string() && model["created_at"].is_string(), "{model}");
        if id.contains("puppet") {
            continue;
        }
        let body = json!({"model": id, "max_tokens": 50, "messages": [{"role": "user", "content": "x"}]});
        let answer = at.post("/claude-code/v1/messages?beta=true", &body).await;
        assert_eq!(answer.status, 200, "{id}: {}", answer.text());
        let canonical = id.trim_start_matches("claude-code/").trim_end_matches("[1m]");
        assert_eq!(at.row_of(&answer).await.intent.canonical_model, canonical);
        let count = at.post("/claude-code/v1/messages/count_tokens", &body).await;
        assert!(count.status == 200 && count.json()["input_tokens"].is_u64(), "{id}: {}", count.text());
    }
}

#[tokio::test]
async fn codexs_list_has_what_codex_insists_on() {
    let at = Surfaces::start().await;
    let list = at.raw("GET", "/codex/v1/models?client_version=0.169.0", &[], b"").await;
    assert_eq!(list.status, 200, "{}", list.text());
    let models = list.json()["models"].as_array().unwrap().clone();
    let slugs: Vec<_> = models.iter().map(|m| m["slug"].as_str().unwrap()).collect();
    for wanted in ["test/chat", "test/responses", "anthropic/claude-haiku-4.5"] {
        assert!(slugs.contains(&wanted), "{slugs:?}");
    }
    assert!(!slugs.contains(&"test/embed"), "{slugs:?}");
    for model in &models {
        for member in [
            "display_name",
            "supported_reasoning_levels",
            "shell_type",
            "visibility",
            "supported_in_api",
            "priority",
            "support_verbosity",
            "truncation_policy",
            "experimental_supported_tools",
            "base_instructions",
            "supports_reasoning_summaries",
            "supports_parallel_tool_calls",
            "context_window",
        ] {
            assert!(!model[member].is_null(), "{member}: {model}");
        }
        let instructions = model["base_instructions"].as_str().unwrap();
        assert!(!instructions.is_empty(), "{model}");
    }
    // What it then sends.
    for slug in slugs.iter().filter(|slug| !slug.contains("puppet")) {
        let body = json!({"model": slug, "instructions": "Be brief.", "stream": true, "store": false,
            "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]}]});
        let answer = at.post("/codex/v1/responses", &body).await;
        assert_eq!(answer.status, 200, "{slug}: {}", answer.text());
        assert!(answer.text().contains("event: response.completed"), "{slug}: {}", answer.text());
    }
    let plain = at.raw("GET", "/cursor/v1/models", &[], b"").await.json();
    assert_eq!(plain, at.raw("GET", "/v1/models", &[], b"").await.json(), "other agents read the usual list");
}

/// Cursor sends members of Responses to the chat's path.
#[tokio::test]
async fn cursors_bodies_are_put_into_shape() {
    let at = Surfaces::start().await;
    let tool = json!({"type": "function", "name": "read_file", "description": "Reads.", "strict": false,
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}});
    let body = json!({"model": "test/chat", "instructions": "Be brief.", "max_output_tokens": 77, "stream": false,
        "tools": [tool], "tool_choice": "auto",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "What is in a.txt?"}]},
            {"type": "function_call", "call_id": "call_1", "name": "read_file", "arguments": "{\"path\":\"a.txt\"}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "forty-two"}]});
    let answer = at.post("/cursor/v1/chat/completions", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let said = answer.json();
    assert_eq!(said["object"], "chat.completion", "the answer is the chat's");
    assert!(said["choices"][0]["message"]["content"].as_str().unwrap().contains("forty-two"), "{said}");
    let sent = at.main.requests().pop().unwrap();
    assert_eq!(sent.path(), "/v1/chat/completions");
    let sent = sent.json();
    let roles: Vec<_> =
        sent["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool"], "{sent}");
    assert_eq!(
        sent["messages"][2]["tool_calls"][0]["function"]["arguments"], "{\"path\":\"a.txt\"}",
        "{sent}"
    );
    assert_eq!(sent["tools"][0]["function"]["name"], "read_file", "{sent}");
    assert!(sent.get("input").is_none() && sent.get("instructions").is_none(), "{sent}");
    assert_eq!(at.row_of(&answer).await.intent.tags, ["agent:cursor"]);

    // A body in order is taken as everywhere; elsewhere Cursor's is refused.
    let usual = ALL[0].request("test/chat", false);
    assert_eq!(at.post("/cursor/v1/chat/completions", &usual).await.status, 200);
    let answer = at.post("/v1/chat/completions", &body).await;
    ALL[0].check(&answer, 400, "invalid_request_error", &["messages"]);
    // Errors name the place in what was sent.
    let mut wrong = body.clone();
    wrong["input"][0]["content"][0]["text"] = json!(7);
    let answer = at.post("/cursor/v1/chat/completions", &wrong).await;
    ALL[0].check(&answer, 400, "invalid_request_error", &["input[0].content[0].text"]);
}
