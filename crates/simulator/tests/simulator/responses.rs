//! OpenAI Responses: whole, streamed, with state, with what was sealed.

use serde_json::{Value, json};
use tollgate_simulator::{Options, Simulator};

use crate::client::{Response, post, responses};
use crate::simulator;

fn function(name: &str) -> Value {
    json!({"type": "function", "name": name, "strict": false,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}})
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn of_type<'a>(answer: &'a Value, kind: &str) -> Vec<&'a Value> {
    answer["output"].as_array().unwrap().iter().filter(|item| item["type"] == kind).collect()
}

fn text(answer: &Value) -> &str {
    of_type(answer, "message")[0]["content"][0]["text"].as_str().unwrap()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|e| e["type"].as_str().unwrap()).collect()
}

/// The deltas of one kind, joined, per output item.
fn joined(events: &[Value], kind: &str) -> Vec<String> {
    let mut all: Vec<(u64, String)> = Vec::new();
    for event in events.iter().filter(|e| e["type"] == kind) {
        let index = event["output_index"].as_u64().unwrap();
        if all.last().is_none_or(|(last, _)| *last != index) {
            all.push((index, String::new()));
        }
        all.last_mut().unwrap().1.push_str(event["delta"].as_str().unwrap());
    }
    all.into_iter().map(|(_, text)| text).collect()
}

async fn refused(sim: &Simulator, body: Value) -> (u16, String, String) {
    let response: Response = responses(sim.addr(), &body).await;
    let error = response.json()["error"].clone();
    let text = |member: &str| error[member].as_str().unwrap_or_default().to_owned();
    (response.status, text("code"), text("message"))
}

#[tokio::test]
async fn a_whole_response_and_a_stream_say_the_same() {
    let sim = simulator().await;
    let mut body = json!({"model": "sim-1", "input": "what is rain?", "metadata": {"a": "b"}});
    let whole = responses(sim.addr(), &body).await.json();
    assert_eq!((whole["object"].as_str(), whole["status"].as_str()), (Some("response"), Some("completed")));
    assert!(text(&whole).contains("what is rain?"));
    assert_eq!(whole["metadata"], json!({"a": "b"}));
    assert_eq!(whole["usage"]["output_tokens"], text(&whole).len().div_ceil(4));

    body["stream"] = json!(true);
    let stream = responses(sim.addr(), &body).await;
    let events = stream.named_events();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at, "{event}");
    }
    let kinds = kinds(&events);
    assert_eq!(
        kinds[..5],
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta"
        ]
    );
    assert_eq!(
        kinds[kinds.len() - 4..],
        [
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed"
        ]
    );
    assert_eq!(joined(&events, "response.output_text.delta"), [text(&whole)]);
    let last = &events.last().unwrap()["response"];
    assert_eq!(last["output"][0]["content"], whole["output"][0]["content"]);
    assert_eq!(last["usage"], whole["usage"]);
    assert!(events[0]["response"]["usage"].is_null());
    assert_eq!(events[2]["item"]["content"], json!([]));
}

#[tokio::test]
async fn functions_and_custom_tools_are_called_and_their_outputs_quoted() {
    let sim = simulator().await;
    let mut body = json!({"model": "sim-1", "stream": true, "tools": [function("get_weather")],
        "input": [user("In parallel: the weather in Oslo and Rome")]});
    let events = responses(sim.addr(), &body).await.named_events();
    let arguments = joined(&events, "response.function_call_arguments.delta");
    assert_eq!(arguments, [r#"{"city":"Oslo"}"#, r#"{"city":"Rome"}"#]);
    let added: Vec<&Value> = events.iter().filter(|e| e["type"] == "response.output_item.added").collect();
    assert_eq!(
        (added[0]["item"]["arguments"].as_str(), added[1]["output_index"].as_u64()),
        (Some(""), Some(1))
    );

    body["stream"] = json!(false);
    let answer = responses(sim.addr(), &body).await.json();
    let calls = of_type(&answer, "function_call");
    assert_ne!(calls[0]["call_id"], calls[1]["call_id"]);
    let items = body["input"].as_array_mut().unwrap();
    items.extend(answer["output"].as_array().unwrap().iter().cloned());
    for call in &calls {
        items.push(json!({"type": "function_call_output", "call_id": call["call_id"],
            "output": format!("sun for {}", call["arguments"].as_str().unwrap())}));
    }
    let answer = responses(sim.addr(), &body).await.json();
    assert!(text(&answer).contains("sun for {\"city\":\"Oslo\"}"), "{answer}");
    body["input"].as_array_mut().unwrap().pop();
    let (status, _, message) = refused(&sim, body.clone()).await;
    assert!(status == 400 && message.contains("No tool output found for function call"), "{message}");
    body["input"][3]["call_id"] = json!("call_other");
    assert!(refused(&sim, body).await.2.contains("No tool call found"));

    let custom = json!({"model": "sim-1", "stream": true, "input": "write the sql please",
        "tools": [{"type": "custom", "name": "write_sql"}]});
    let events = responses(sim.addr(), &custom).await.named_events();
    let input = joined(&events, "response.custom_tool_call_input.delta");
    let done = events.iter().find(|e| e["type"] == "response.output_item.done").unwrap();
    assert_eq!(
        (done["item"]["type"].as_str(), &done["item"]["input"]),
        (Some("custom_tool_call"), &json!(input[0]))
    );
    assert!(input[0].contains("write the sql please"));
}

#[tokio::test]
async fn encrypted_reasoning_comes_back_byte_for_byte_or_not_at_all() {
    let sim = simulator().await;
    let mut body = json!({"model": "sim-1", "store": false, "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "high", "summary": "auto"}, "input": [user("why?")]});
    let answer = responses(sim.addr(), &body).await.json();
    let reasoning = of_type(&answer, "reasoning")[0].clone();
    assert_eq!(reasoning["summary"].as_array().unwrap().len(), 2);
    assert!(answer["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64().unwrap() > 0);

    body["stream"] = json!(true);
    let events = responses(sim.addr(), &body).await.named_events();
    let shown: String =
        reasoning["summary"].as_array().unwrap().iter().map(|p| p["text"].as_str().unwrap()).collect();
    assert_eq!(joined(&events, "response.reasoning_summary_text.delta"), [shown]);
    let done = events.iter().find(|e| e["type"] == "response.output_item.done").unwrap();
    assert_eq!(done["item"]["encrypted_content"], reasoning["encrypted_content"]);
    body["stream"] = json!(false);

    let items = body["input"].as_array_mut().unwrap();
    items.extend(answer["output"].as_array().unwrap().iter().cloned());
    items.push(user("and then?"));
    assert_eq!(responses(sim.addr(), &body).await.status, 200);

    let sealed = reasoning["encrypted_content"].as_str().unwrap();
    for changed in [format!("{sealed}A"), sealed[..sealed.len() - 4].to_owned(), "gAAAAABforeign".to_owned()]
    {
        let mut changed_body = body.clone();
        changed_body["input"][1]["encrypted_content"] = json!(changed);
        let (status, code, _) = refused(&sim, changed_body).await;
        assert_eq!((status, code.as_str()), (400, "invalid_encrypted_content"));
    }
    let other =
        Simulator::start(Options { issuer: "another".to_owned(), ..Options::default() }).await.unwrap();
    assert_eq!(refused(&other, body.clone()).await.1, "invalid_encrypted_content");

    // The id alone means nothing when nothing was stored, and the item has to stand before its answer.
    let mut alone = body.clone();
    alone["input"][1].as_object_mut().unwrap().remove("encrypted_content");
    assert_eq!(refused(&sim, alone).await.0, 404);
    let mut moved = body.clone();
    moved["input"].as_array_mut().unwrap().remove(2);
    assert!(refused(&sim, moved).await.2.contains("required following item"));

    body["include"] = json!([]);
    let answer = responses(sim.addr(), &body).await.json();
    assert!(of_type(&answer, "reasoning")[0].get("encrypted_content").is_none());
}

#[tokio::test]
async fn stored_responses_are_continued_and_unknown_ones_refused() {
    let sim = simulator().await;
    let first = json!({"model": "sim-1", "input": "the weather in Oslo", "tools": [function("weather")]});
    let answer = responses(sim.addr(), &first).await.json();
    let call = of_type(&answer, "function_call")[0];
    let output = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "snow"});
    let next = json!({"model": "sim-1", "previous_response_id": answer["id"], "input": [output]});
    let second = responses(sim.addr(), &next).await.json();
    assert!(text(&second).contains("\"snow\"") && text(&second).contains("the weather in Oslo"));
    assert_eq!(second["previous_response_id"], answer["id"]);

    let by_reference = json!({"model": "sim-1", "input": [user("the weather in Oslo"),
        {"type": "item_reference", "id": call["id"]}, next["input"][0]]});
    assert!(text(&responses(sim.addr(), &by_reference).await.json()).contains("snow"));
    let unknown = json!({"model": "sim-1", "input": [{"type": "item_reference", "id": "msg_x"}, user("x")]});
    assert_eq!(refused(&sim, unknown).await.0, 404);

    let unstored = json!({"model": "sim-1", "store": false, "input": "hello"});
    let id = responses(sim.addr(), &unstored).await.json()["id"].clone();
    for id in [id, json!("resp_unknown")] {
        let (status, code, message) =
            refused(&sim, json!({"model": "sim-1", "previous_response_id": id, "input": "x"})).await;
        assert_eq!((status, code.as_str()), (400, "previous_response_not_found"));
        assert!(message.contains(id.as_str().unwrap()));
    }
}

#[tokio::test]
async fn limits_schemas_images_cache_and_search() {
    let sim = simulator().await;
    let mut body =
        json!({"model": "sim-1", "input": "tell me about rain", "max_output_tokens": 16, "stream": true});
    let events = responses(sim.addr(), &body).await.named_events();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
    body["max_output_tokens"] = json!(15);
    assert_eq!(refused(&sim, body).await.1, "integer_below_min_value");

    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
    let format = json!({"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": true}});
    let answer = responses(sim.addr(), &json!({"model": "sim-1", "input": "x", "text": format})).await.json();
    assert_eq!((text(&answer), &answer["text"]), (r#"{"ok":true}"#, &format));

    let picture = json!({"model": "sim-1", "input": [{"role": "user", "content": [
        {"type": "input_text", "text": "what is it?"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}]});
    assert!(text(&responses(sim.addr(), &picture).await.json()).contains("image/png of 3 bytes"));

    let long = json!({"model": "sim-1", "instructions": "s".repeat(4000), "input": "hello"});
    let cached = async || {
        responses(sim.addr(), &long).await.json()["usage"]["input_tokens_details"]["cached_tokens"].clone()
    };
    assert_eq!(cached().await, 0);
    assert_eq!(cached().await, 896);

    let search = json!({"model": "sim-1", "stream": true, "input": "search for rain", "tools": [{"type": "web_search"}]});
    let events = responses(sim.addr(), &search).await.named_events();
    assert!(kinds(&events).contains(&"response.web_search_call.searching"));
    assert!(kinds(&events).contains(&"response.output_text.annotation.added"));
    let directed = json!({"model": "sim-1@prompt_tokens=70,cached_tokens=7,output_tokens=9", "input": "x"});
    let usage = responses(sim.addr(), &directed).await.json()["usage"].clone();
    assert_eq!(
        (usage["total_tokens"].as_u64(), usage["input_tokens_details"]["cached_tokens"].as_u64()),
        (Some(79), Some(7))
    );
}

#[tokio::test]
async fn what_chat_completions_have_is_refused_here() {
    let sim = simulator().await;
    let good = json!({"model": "sim-1", "input": [user("x")]});
    for (member, value) in
        [("messages", json!([])), ("max_tokens", json!(5)), ("stop", json!("x")), ("n", json!(2))]
    {
        let mut body = good.clone();
        body[member] = value;
        assert_eq!(refused(&sim, body).await.1, "unsupported_parameter", "{member}");
    }
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    let nested = json!([{"type": "function", "function": {"name": "f"}}]);
    assert!(refused(&sim, with("tools", nested)).await.2.contains("tools[0].name"));
    let chat_part = json!([{"role": "user", "content": [{"type": "text", "text": "x"}]}]);
    assert!(refused(&sim, with("input", chat_part)).await.2.contains("'input_text'"));
    let wrong_side =
        json!([user("x"), {"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]);
    assert!(refused(&sim, with("input", wrong_side)).await.2.contains("'output_text' and 'refusal'"));
    assert_eq!(refused(&sim, with("input", json!([]))).await.1, "empty_array");
    assert_eq!(refused(&sim, json!({"model": "sim-1"})).await.1, "missing_required_parameter");
}

#[tokio::test]
async fn a_compacted_conversation_goes_on() {
    let sim = simulator().await;
    let body = json!({"model": "sim-1", "input": [user("remember the number 4711"),
        {"role": "assistant", "content": [{"type": "output_text", "text": "noted"}]}]});
    let compacted = post(sim.addr(), "/v1/responses/compact", &body).await.json();
    assert_eq!(compacted["object"], "response.compaction");
    let output = compacted["output"].as_array().unwrap();
    assert_eq!((output[0]["role"].as_str(), output[1]["type"].as_str()), (Some("user"), Some("compaction")));
    let mut next = json!({"model": "sim-1", "input": [output[0], output[1], user("go on")]});
    let answer = responses(sim.addr(), &next).await;
    assert_eq!(answer.status, 200);
    next["input"][1]["encrypted_content"] = json!("gAAAAABnot");
    assert_eq!(refused(&sim, next).await.1, "invalid_encrypted_content");
}
