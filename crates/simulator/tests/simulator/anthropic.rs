//! Messages, whole and streamed.

use serde_json::{Value, json};

use crate::client::{BEARER, Client, Response, VERSION, X_API_KEY, messages, messages_body, post};
use crate::simulator;

/// The strings of one kind of delta, joined, per block.
fn joined(response: &Response, kind: &str, member: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut current = u64::MAX;
    for event in response.named_events() {
        if event["delta"]["type"] == kind {
            let index = event["index"].as_u64().unwrap();
            if index != current {
                current = index;
                blocks.push(String::new());
            }
            blocks.last_mut().unwrap().push_str(event["delta"][member].as_str().unwrap());
        }
    }
    blocks
}

fn tool(name: &str) -> Value {
    json!({"name": name, "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}})
}

#[tokio::test]
async fn a_whole_message_and_a_stream_say_the_same() {
    let sim = simulator().await;
    let whole = messages(sim.addr(), &messages_body("sim-1", "what is rain?", json!({}))).await;
    assert!(whole.header("request-id").is_some());
    let whole = whole.json();
    assert_eq!((whole["type"].as_str(), whole["stop_reason"].as_str()), (Some("message"), Some("end_turn")));
    let text = whole["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("what is rain?"));
    assert_eq!(whole["usage"]["output_tokens"], text.len().div_ceil(4));

    let stream =
        messages(sim.addr(), &messages_body("sim-1", "what is rain?", json!({"stream": true}))).await;
    assert_eq!(joined(&stream, "text_delta", "text"), [text]);
    let events = stream.named_events();
    let kinds: Vec<&str> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["message_start", "content_block_start", "ping"]);
    assert_eq!(kinds[kinds.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
    let end = &events[events.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], "end_turn");
    assert_eq!(end["usage"]["output_tokens"], whole["usage"]["output_tokens"]);
    assert_eq!(events[0]["message"]["usage"]["input_tokens"], whole["usage"]["input_tokens"]);
}

#[tokio::test]
async fn tools_are_called_in_parallel_and_their_results_quoted() {
    let sim = simulator().await;
    let more = json!({"tools": [tool("get_weather")], "stream": true});
    let mut body = messages_body("sim-1", "In parallel: the weather in Oslo and Rome", more);
    let stream = messages(sim.addr(), &body).await;
    let inputs = joined(&stream, "input_json_delta", "partial_json");
    assert_eq!(inputs, [r#"{"city":"Oslo"}"#, r#"{"city":"Rome"}"#]);

    body["stream"] = json!(false);
    let answer = messages(sim.addr(), &body).await.json();
    assert_eq!(answer["stop_reason"], "tool_use");
    let blocks = answer["content"].as_array().unwrap().clone();
    assert_eq!(blocks[1]["input"], json!({"city": "Rome"}));
    assert_ne!(blocks[0]["id"], blocks[1]["id"]);
    let results: Vec<Value> = blocks
        .iter()
        .map(|b| json!({"type": "tool_result", "tool_use_id": b["id"], "content": format!("sun in {}", b["input"]["city"])}))
        .collect();
    let list = body["messages"].as_array_mut().unwrap();
    list.push(json!({"role": "assistant", "content": blocks}));
    list.push(json!({"role": "user", "content": results}));
    let answer = messages(sim.addr(), &body).await.json();
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("sun in \"Oslo\"") && text.contains("sun in \"Rome\""), "{text}");

    body["messages"][2]["content"][0]["tool_use_id"] = json!("toolu_other");
    let refused = messages(sim.addr(), &body).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("unexpected `tool_use_id`"));
}

#[tokio::test]
async fn thinking_is_signed_and_must_come_back_unchanged() {
    let sim = simulator().await;
    let thinking = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    let body = messages_body("sim-1", "why?", thinking);
    let answer = messages(sim.addr(), &body).await.json();
    let block = answer["content"][0].clone();
    assert_eq!(
        (block["type"].as_str(), answer["content"][1]["type"].as_str()),
        (Some("thinking"), Some("text"))
    );

    let mut streamed = body.clone();
    streamed["stream"] = json!(true);
    let stream = messages(sim.addr(), &streamed).await;
    assert_eq!(joined(&stream, "thinking_delta", "thinking"), [block["thinking"].as_str().unwrap()]);
    assert_eq!(joined(&stream, "signature_delta", "signature"), [block["signature"].as_str().unwrap()]);

    let mut next = body.clone();
    let list = next["messages"].as_array_mut().unwrap();
    list.push(json!({"role": "assistant", "content": answer["content"]}));
    list.push(json!({"role": "user", "content": "and then?"}));
    assert_eq!(messages(sim.addr(), &next).await.status, 200);
    next["messages"][1]["content"][0]["thinking"] = json!("changed on the way");
    let refused = messages(sim.addr(), &next).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"]["message"].as_str().unwrap().contains("Invalid `signature`"));

    let hidden = json!({"thinking": {"type": "adaptive", "display": "omitted"}});
    let answer = messages(sim.addr(), &messages_body("sim-1", "why?", hidden)).await.json();
    assert_eq!(answer["content"][0]["thinking"], "");
    assert!(!answer["content"][0]["signature"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn marked_prompts_are_written_to_the_cache_and_then_read() {
    let sim = simulator().await;
    let mut body = messages_body(
        "sim-1",
        "hello",
        json!({"system": [
        {"type": "text", "text": "s".repeat(3999), "cache_control": {"type": "ephemeral"}}]}),
    );
    let first = messages(sim.addr(), &body).await.json()["usage"].clone();
    let second = messages(sim.addr(), &body).await.json()["usage"].clone();
    let counts = |u: &Value| {
        ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]
            .map(|f| u[f].as_u64().unwrap())
    };
    assert_eq!(counts(&first), [5, 1000, 0]);
    assert_eq!(counts(&second), [5, 0, 1000]);
    body["system"][0]["cache_control"]["ttl"] = json!("1h");
    body["model"] = json!("sim-2");
    let hour = messages(sim.addr(), &body).await.json()["usage"].clone();
    assert_eq!(
        hour["cache_creation"],
        json!({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1000})
    );
}

#[tokio::test]
async fn counting_structured_output_stops_and_documents() {
    let sim = simulator().await;
    let body = json!({"model": "sim-1", "messages": [{"role": "user", "content": "12345678"}]});
    let counted = post(sim.addr(), "/anthropic/v1/messages/count_tokens", &body).await;
    assert_eq!(counted.json(), json!({"input_tokens": 6}));

    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
    let format = json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}});
    let answer = messages(sim.addr(), &messages_body("sim-1", "x", format)).await.json();
    assert_eq!(answer["content"][0]["text"], r#"{"ok":true}"#);

    let stop = json!({"stop_sequences": ["HALT"]});
    let answer = messages(sim.addr(), &messages_body("sim-1", "say HALT", stop)).await.json();
    assert_eq!(
        (answer["stop_reason"].as_str(), answer["stop_sequence"].as_str()),
        (Some("stop_sequence"), Some("HALT"))
    );
    let answer = messages(sim.addr(), &messages_body("sim-1", "x", json!({"max_tokens": 2}))).await.json();
    assert_eq!(answer["stop_reason"], "max_tokens");

    let file = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "read it"},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}]}]});
    let answer = messages(sim.addr(), &messages_body("sim-1", "", file)).await.json();
    assert!(answer["content"][0]["text"].as_str().unwrap().contains("application/pdf of 3 bytes"));
}

#[tokio::test]
async fn what_a_provider_refuses_is_refused() {
    let sim = simulator().await;
    let good = messages_body("sim-1", "x", json!({}));
    let send = async |headers: &[(&str, &str)], body: &Value| {
        let mut client = Client::connect(sim.addr()).await;
        client.send("POST", "/v1/messages", headers, body.to_string().as_bytes()).await;
        let response = client.response().await;
        let error = response.json()["error"].clone();
        (response.status, error["type"].as_str().unwrap_or_default().to_owned(), error["message"].to_string())
    };
    assert_eq!(send(&[X_API_KEY, VERSION], &good).await.0, 200);
    assert_eq!(send(&[BEARER, VERSION], &good).await.0, 200);
    let (status, kind, _) = send(&[VERSION], &good).await;
    assert_eq!((status, kind.as_str()), (401, "authentication_error"));
    let (status, _, message) = send(&[X_API_KEY], &good).await;
    assert!(status == 400 && message.contains("anthropic-version"), "{message}");
    for (member, said) in [("max_tokens", "max_tokens: Field required"), ("model", "model: Field required")] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(member);
        let (status, kind, message) = send(&[X_API_KEY, VERSION], &body).await;
        assert_eq!((status, kind.as_str()), (400, "invalid_request_error"));
        assert!(message.contains(said), "{message}");
    }
    let forced = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [tool("f")],
        "tool_choice": {"type": "any"}});
    assert_eq!(send(&[X_API_KEY, VERSION], &messages_body("m", "x", forced)).await.0, 400);
    let empty = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]});
    assert_eq!(send(&[X_API_KEY, VERSION], &messages_body("m", "x", empty)).await.0, 400);
}
