//! What Anthropic signs and seals, its web search, and the reasoning DeepSeek wants back.

use serde_json::{Value, json};
use tollgate_simulator::{Options, Simulator};

use crate::client::{chat, chat_body, messages, messages_body, post};
use crate::simulator;

const REDACT: &str = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4CCD4253D5E2D82641E52CC2876D9E";

fn thinking() -> Value {
    json!({"thinking": {"type": "enabled", "budget_tokens": 1024}})
}

/// The request that goes on from an answer.
fn continued(body: &Value, content: &Value) -> Value {
    let mut next = body.clone();
    let list = next["messages"].as_array_mut().unwrap();
    list.push(json!({"role": "assistant", "content": content}));
    list.push(json!({"role": "user", "content": "and then?"}));
    next
}

#[tokio::test]
async fn signatures_of_others_are_refused() {
    let sim = simulator().await;
    let body = messages_body("sim-1", "why?", thinking());
    let answer = messages(sim.addr(), &body).await.json();
    let mut next = continued(&body, &answer["content"]);
    assert_eq!(messages(sim.addr(), &next).await.status, 200);
    let other =
        Simulator::start(Options { issuer: "another".to_owned(), ..Options::default() }).await.unwrap();
    assert_eq!(messages(other.addr(), &next).await.status, 400);
    let counted = post(sim.addr(), "/v1/messages/count_tokens", &next).await;
    assert!(counted.json()["input_tokens"].as_u64().unwrap() > 0);
    for signature in ["", "EqQBCgIYAhIMforeign"] {
        next["messages"][1]["content"][0]["signature"] = json!(signature);
        let refused = messages(sim.addr(), &next).await;
        assert_eq!(refused.status, 400);
        assert!(refused.json()["error"]["message"].as_str().unwrap().contains("Invalid `signature`"));
    }
}

#[tokio::test]
async fn redacted_thinking_is_sealed() {
    let sim = simulator().await;
    let mut body = messages_body("sim-1", REDACT, thinking());
    let answer = messages(sim.addr(), &body).await.json();
    assert_eq!(answer["content"][0]["type"], "redacted_thinking");
    assert_eq!(messages(sim.addr(), &continued(&body, &answer["content"])).await.status, 200);
    let mut changed = answer["content"].clone();
    changed[0]["data"] = json!("AAAA");
    assert_eq!(messages(sim.addr(), &continued(&body, &changed)).await.status, 400);
    body["stream"] = json!(true);
    let events = messages(sim.addr(), &body).await.named_events();
    let start = events.iter().find(|e| e["type"] == "content_block_start").unwrap();
    assert_eq!(start["content_block"], answer["content"][0]);
}

#[tokio::test]
async fn the_providers_own_search_runs_when_it_is_wanted() {
    let sim = simulator().await;
    let tools = json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]});
    let mut body = messages_body("sim-1", "search for rain", tools.clone());
    let answer = messages(sim.addr(), &body).await.json();
    let kinds: Vec<&str> =
        answer["content"].as_array().unwrap().iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["server_tool_use", "web_search_tool_result", "text"]);
    assert_eq!(answer["content"][0]["id"], answer["content"][1]["tool_use_id"]);
    assert_eq!(
        (answer["stop_reason"].as_str(), answer["usage"]["server_tool_use"]["web_search_requests"].as_u64()),
        (Some("end_turn"), Some(1))
    );

    body["stream"] = json!(true);
    let events = messages(sim.addr(), &body).await.named_events();
    let started: Vec<&Value> = events.iter().filter(|e| e["type"] == "content_block_start").collect();
    assert_eq!(started[0]["content_block"]["input"], json!({}));
    assert_eq!(started[1]["content_block"]["content"], answer["content"][1]["content"]);
    assert_eq!(started[2]["content_block"], json!({"type": "text", "text": "", "citations": []}));
    let cited = events.iter().find(|e| e["delta"]["type"] == "citations_delta").unwrap();
    assert_eq!(cited["delta"]["citation"], answer["content"][2]["citations"][0]);
    let input: String = events.iter().filter_map(|e| e["delta"]["partial_json"].as_str()).collect();
    assert_eq!(input, r#"{"query":"search for rain"}"#);
    let (before, after) = (&events[0]["message"]["usage"], &events[events.len() - 2]["usage"]);
    assert!(after["input_tokens"].as_u64() > before["input_tokens"].as_u64());
    body["stream"] = json!(false);

    assert_eq!(messages(sim.addr(), &continued(&body, &answer["content"])).await.status, 200);
    let mut changed = answer["content"].clone();
    changed[1]["content"][0]["encrypted_content"] = json!("AAAA");
    assert_eq!(messages(sim.addr(), &continued(&body, &changed)).await.status, 400);
    let plain = messages(sim.addr(), &messages_body("sim-1", "what is rain?", tools)).await.json();
    assert_eq!(plain["content"][0]["type"], "text");
    assert!(plain["usage"].get("server_tool_use").is_none());
}

#[tokio::test]
async fn deepseek_reasons_unasked_and_wants_the_reasoning_of_its_calls_back() {
    let sim = simulator().await;
    let tool = json!({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}});
    let mut body = chat_body("deepseek-reasoner", "the weather", json!({"tools": [tool]}));
    let answer = chat(sim.addr(), &body).await.json();
    let message = answer["choices"][0]["message"].clone();
    assert!(message["reasoning_content"].is_string());
    let list = body["messages"].as_array_mut().unwrap();
    list.push(message.clone());
    list.push(json!({"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "rain"}));
    assert_eq!(chat(sim.addr(), &body).await.status, 200);
    body["messages"][1].as_object_mut().unwrap().remove("reasoning_content");
    let refused = chat(sim.addr(), &body).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("message index 1"));
    body["model"] = json!("sim-1");
    body["reasoning_effort"] = json!("low");
    assert_eq!(chat(sim.addr(), &body).await.status, 200);
}
