//! Chat completions, whole and streamed.

use serde_json::{Value, json};

use crate::client::{Response, chat, chat_body};
use crate::simulator;

fn tool(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "description": "d", "parameters": {"type": "object",
        "properties": {"location": {"type": "string"}}, "required": ["location"]}}})
}

/// The deltas' strings under a member, joined.
fn joined(response: &Response, member: &str) -> String {
    let events = response.events();
    events.iter().filter_map(|e| e["choices"][0]["delta"][member].as_str()).collect()
}

#[tokio::test]
async fn a_whole_answer_has_text_and_usage() {
    let sim = simulator().await;
    let response = chat(sim.addr(), &chat_body("sim-1", "why is the sky blue?", json!({}))).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    assert!(response.header("x-request-id").is_some());
    let body = response.json();
    assert_eq!((body["object"].as_str(), body["model"].as_str()), (Some("chat.completion"), Some("sim-1")));
    let text = body["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("why is the sky blue?"));
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    let usage = &body["usage"];
    assert_eq!(usage["completion_tokens"], text.len().div_ceil(4));
    assert_eq!(usage["prompt_tokens"], 6 + 3);
    let total = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], total);
}

#[tokio::test]
async fn a_stream_says_the_same_in_small_chunks() {
    let sim = simulator().await;
    let whole = chat(sim.addr(), &chat_body("sim-1", "tell me about rain", json!({}))).await.json();
    let stream = chat(sim.addr(), &chat_body("sim-1", "tell me about rain", json!({"stream": true}))).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(joined(&stream, "content"), whole["choices"][0]["message"]["content"].as_str().unwrap());
    let events = stream.events();
    assert!(events.len() > 10);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "stop");
    assert!(events.iter().all(|e| e.get("usage").is_none()), "usage was not asked for");
    assert_eq!(stream.data().last().unwrap(), "[DONE]");
}

#[tokio::test]
async fn usage_comes_in_a_chunk_of_its_own_when_asked_for() {
    let sim = simulator().await;
    let asked = json!({"stream": true, "stream_options": {"include_usage": true}});
    let stream = chat(sim.addr(), &chat_body("sim-1", "hi there", asked)).await;
    let events = stream.events();
    let (last, others) = events.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert!(last["usage"]["completion_tokens"].as_u64().unwrap() > 0);
    assert!(others.iter().all(|e| e["usage"].is_null() && e.get("usage").is_some()));
    let refused =
        chat(sim.addr(), &chat_body("sim-1", "hi", json!({"stream_options": {"include_usage": true}}))).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("stream_options")));
}

#[tokio::test]
async fn a_tool_is_called_and_its_result_quoted() {
    let sim = simulator().await;
    let tools = json!({"tools": [tool("get_weather"), tool("book_hotel")]});
    let mut body = chat_body("sim-1", "How is the weather in Oslo?", tools);
    let answer = chat(sim.addr(), &body).await.json();
    let message = answer["choices"][0]["message"].clone();
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(message["content"], Value::Null);
    let call = &message["tool_calls"][0];
    assert_eq!(message["tool_calls"].as_array().unwrap().len(), 1);
    assert_eq!(call["function"]["name"], "get_weather");
    assert_eq!(call["function"]["arguments"], r#"{"location":"Oslo"}"#);

    let list = body["messages"].as_array_mut().unwrap();
    list.push(message.clone());
    list.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "minus 3 and snow"}));
    let answer = chat(sim.addr(), &body).await.json();
    assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().contains("minus 3 and snow"));
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");

    body["messages"][2]["tool_call_id"] = json!("call_of_nobody");
    let refused = chat(sim.addr(), &body).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("messages")));
}

#[tokio::test]
async fn parallel_calls_stream_under_their_own_index() {
    let sim = simulator().await;
    let more = json!({"tools": [tool("get_weather")], "stream": true});
    let body = chat_body("sim-1", "In parallel: the weather in Oslo and Rome", more);
    let stream = chat(sim.addr(), &body).await;
    let mut arguments = [String::new(), String::new()];
    let mut ids = Vec::new();
    for event in stream.events() {
        for call in event["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let index = call["index"].as_u64().unwrap() as usize;
            arguments[index].push_str(call["function"]["arguments"].as_str().unwrap());
            ids.extend(call["id"].as_str().map(str::to_owned));
        }
    }
    assert_eq!(arguments, [r#"{"location":"Oslo"}"#, r#"{"location":"Rome"}"#]);
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    assert_eq!(stream.events().last().unwrap()["choices"][0]["finish_reason"], "tool_calls");

    let mut one = body;
    one["parallel_tool_calls"] = json!(false);
    one["stream"] = json!(false);
    let answer = chat(sim.addr(), &one).await.json();
    assert_eq!(answer["choices"][0]["message"]["tool_calls"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn structured_output_follows_the_schema() {
    let sim = simulator().await;
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"},
        "count": {"type": "integer", "minimum": 5}}, "required": ["city", "count"]});
    let format =
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}});
    let answer = chat(sim.addr(), &chat_body("sim-1", "about Oslo please", format)).await.json();
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), json!({"city": "Oslo", "count": 5}));
    let answer =
        chat(sim.addr(), &chat_body("sim-1", "x", json!({"response_format": {"type": "json_object"}}))).await;
    let text = answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(serde_json::from_str::<Value>(&text).unwrap().is_object());
}

#[tokio::test]
async fn reasoning_comes_when_asked_for_and_is_counted() {
    let sim = simulator().await;
    let asked = json!({"reasoning_effort": "high"});
    let whole = chat(sim.addr(), &chat_body("sim-1", "why?", asked)).await.json();
    let reasoning = whole["choices"][0]["message"]["reasoning_content"].as_str().unwrap();
    let counted = whole["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap();
    assert_eq!(counted, reasoning.len().div_ceil(4) as u64);
    assert!(whole["usage"]["completion_tokens"].as_u64().unwrap() > counted);
    let asked = json!({"reasoning_effort": "high", "stream": true});
    let stream = chat(sim.addr(), &chat_body("sim-1", "why?", asked)).await;
    assert_eq!(joined(&stream, "reasoning_content"), reasoning);
    let none =
        chat(sim.addr(), &chat_body("sim-1", "why?", json!({"reasoning_effort": "none"}))).await.json();
    assert!(none["choices"][0]["message"].get("reasoning_content").is_none());
}

#[tokio::test]
async fn limits_stops_alternatives_and_attachments() {
    let sim = simulator().await;
    let answer = chat(sim.addr(), &chat_body("sim-1", "hello", json!({"max_tokens": 3}))).await.json();
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
    let answer =
        chat(sim.addr(), &chat_body("sim-1", "say STOP now", json!({"stop": ["STOP"]}))).await.json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(!answer["choices"][0]["message"]["content"].as_str().unwrap().contains("STOP"));
    let answer = chat(sim.addr(), &chat_body("sim-1", "hello", json!({"n": 2}))).await.json();
    assert_eq!(answer["choices"].as_array().unwrap().len(), 2);
    assert_eq!(answer["choices"][1]["index"], 1);
    let image = json!({"model": "sim-1", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAAAAA="}}]}]});
    let answer = chat(sim.addr(), &image).await.json();
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(text.contains("image/png of 5 bytes"), "{text}");
}

#[tokio::test]
async fn a_repeated_prefix_is_reported_as_cached() {
    let sim = simulator().await;
    let body = chat_body("sim-1", &"a long prompt ".repeat(100), json!({}));
    let first = chat(sim.addr(), &body).await.json();
    let second = chat(sim.addr(), &body).await.json();
    assert_eq!(first["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
    assert_eq!(second["usage"]["prompt_tokens_details"]["cached_tokens"], 256);
    assert_eq!(first["usage"]["prompt_tokens"], second["usage"]["prompt_tokens"]);
}

#[tokio::test]
async fn what_a_provider_refuses_is_refused() {
    let sim = simulator().await;
    let refused = async |body: Value| {
        let response = chat(sim.addr(), &body).await;
        (response.status, response.json()["error"]["param"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refused(json!({"messages": []})).await, (400, "model".to_owned()));
    assert_eq!(refused(json!({"model": "m"})).await, (400, "messages".to_owned()));
    assert_eq!(refused(json!({"model": "m", "messages": []})).await, (400, "messages".to_owned()));
    assert_eq!(refused(chat_body("m", "x", json!({"max_tokens": 0}))).await, (400, "max_tokens".to_owned()));
    assert_eq!(
        refused(chat_body("m", "x", json!({"tool_choice": {"type": "function", "function": {"name": "f"}}})))
            .await,
        (400, "tool_choice".to_owned())
    );
    assert_eq!(refused(json!([1])).await.0, 400);
    let bad = json!({"model": "m", "messages": [{"role": "robot", "content": "x"}]});
    assert_eq!(refused(bad).await, (400, "messages".to_owned()));
}
