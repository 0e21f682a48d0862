//! Scripts, the control surface over HTTP, and the simulator as a program.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Options, Script, Simulator, StandaloneError, run_standalone};

use crate::client::{chat, chat_body, get, messages, messages_body, post};
use crate::simulator;

async fn said(sim: &Simulator, model: &str) -> String {
    let answer = chat(sim.addr(), &chat_body(model, "question", json!({"user": model}))).await.json();
    answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn scripts_go_first_in_first_out_then_the_default() {
    let sim = simulator().await;
    let control = sim.control();
    control.set_default(Behaviour::text("default"));
    control.push_script(Script::new(Behaviour::text("for b")).on_model("b"));
    control.push_script(Script::new(Behaviour::text("first")).times(2));
    control.push_script(Script::new(Behaviour::text("second")).on_path("/chat/completions"));
    control.push_script(Script::new(Behaviour::text("for ada")).on_member("user", "ada"));
    let mut all = Vec::new();
    for model in ["a", "a", "b", "a", "a", "ada", "ada"] {
        all.push(said(&sim, model).await);
    }
    assert_eq!(all, ["first", "first", "for b", "second", "default", "for ada", "default"]);
    assert_eq!(control.scripts_left(), 0);
    control.reset();
    assert!(said(&sim, "a").await.contains("question"), "back to the natural answer");
    assert_eq!(control.stats().requests, 1);
}

#[tokio::test]
async fn a_scripted_conversation_is_said_in_both_protocols() {
    let sim = simulator().await;
    let answer = json!({"behaviour": {"answer": {"kind": "say", "text": "T", "reasoning": "R",
        "calls": [{"name": "f", "arguments": {"x": 1}}]}}, "times": 2});
    let added = post(sim.addr(), "/__sim/script", &answer).await;
    assert_eq!(added.json(), json!({"added": 1}));
    let message =
        chat(sim.addr(), &chat_body("m", "q", json!({}))).await.json()["choices"][0]["message"].clone();
    assert_eq!((message["content"].as_str(), message["reasoning_content"].as_str()), (Some("T"), Some("R")));
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], r#"{"x":1}"#);
    let blocks = messages(sim.addr(), &messages_body("m", "q", json!({}))).await.json()["content"].clone();
    let kinds: Vec<_> = blocks.as_array().unwrap().iter().map(|b| b["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["thinking", "text", "tool_use"]);
}

#[tokio::test]
async fn the_same_is_reachable_over_http() {
    let sim = simulator().await;
    let scripts =
        json!([{"behaviour": "status=503"}, {"behaviour": {"answer": {"kind": "json", "body": {"own": 1}}}}]);
    assert_eq!(post(sim.addr(), "/__sim/script", &scripts).await.json(), json!({"added": 2}));
    assert_eq!(chat(sim.addr(), &chat_body("m", "q", json!({"user": "ada"}))).await.status, 503);
    assert_eq!(
        chat(sim.addr(), &chat_body("m", "q", json!({"user": "bob"}))).await.json(),
        json!({"own": 1})
    );
    post(sim.addr(), "/__sim/default", &json!("status=500")).await;
    let named = json!({"metadata": {"user_id": "eve"}});
    assert_eq!(messages(sim.addr(), &messages_body("m", "q", named)).await.status, 500);

    let stats = get(sim.addr(), "/__sim/stats").await.json();
    assert_eq!((stats["requests"].as_u64(), stats["finished"].as_u64()), (Some(3), Some(3)));
    assert_eq!(get(sim.addr(), "/__sim/seen?field=user").await.json(), json!(["ada", "bob"]));
    assert_eq!(get(sim.addr(), "/__sim/seen?field=metadata.user_id").await.json(), json!(["eve"]));
    assert_eq!(get(sim.addr(), "/__sim/seen?field=other").await.status, 400);
    let requests = get(sim.addr(), "/__sim/requests").await.json();
    assert_eq!(requests[0]["body"]["user"], "ada");
    assert_eq!(
        (requests[2]["target"].as_str(), requests[2]["client_left"].as_bool()),
        (Some("/v1/messages"), Some(false))
    );

    let bad = post(sim.addr(), "/__sim/script", &json!([{"behaviour": "stauts=1"}])).await;
    assert_eq!(bad.status, 400);
    assert!(bad.text().contains("a script cannot be read"), "{}", bad.text());
    post(sim.addr(), "/__sim/reset", &json!(null)).await;
    assert_eq!(get(sim.addr(), "/__sim/requests").await.json(), json!([]));
    assert_eq!(get(sim.addr(), "/__sim/stats").await.json()["requests"], 0);
    assert_eq!(chat(sim.addr(), &chat_body("m", "q", json!({}))).await.status, 200);
}

#[tokio::test]
async fn only_the_last_requests_are_kept() {
    let sim = Simulator::start(Options { keep_requests: 2, ..Options::default() }).await.unwrap();
    for model in ["a", "b", "c"] {
        said(&sim, model).await;
    }
    let kept = sim.control().requests();
    let orders: Vec<_> = kept.iter().map(|r| (r.order, r.json()["model"].clone())).collect();
    assert_eq!(orders, [(1, json!("b")), (2, json!("c"))]);
    assert_eq!(kept[0].header("host"), Some("simulator"));
    assert_eq!((kept[0].method.as_str(), kept[0].path()), ("POST", "/v1/chat/completions"));
    let users: Vec<Value> = sim.control().seen("user").unwrap();
    assert_eq!(users, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_program_loads_its_script_file_and_stops_when_told() {
    let file = std::env::temp_dir().join(format!("tollgate-simulator-scripts-{}.json", std::process::id()));
    std::fs::write(&file, r#"[{"behaviour": "status=418"}]"#).unwrap();
    let (started, address) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let path = file.clone();
    let program = tokio::spawn(async move {
        let told = |addr| started.send(addr).unwrap();
        run_standalone(Options::default(), Some(&path), told, async { stopped.await.unwrap() }).await
    });
    let addr = address.await.unwrap();
    assert_eq!(chat(addr, &chat_body("m", "q", json!({}))).await.status, 418);
    stop.send(()).unwrap();
    program.await.unwrap().unwrap();
    std::fs::write(&file, "[{}]").unwrap();
    let error =
        run_standalone(Options::default(), Some(&file), |_| (), std::future::ready(())).await.unwrap_err();
    assert!(matches!(error, StandaloneError::Parse { .. }), "{error}");
    std::fs::remove_file(&file).unwrap();
    let error =
        run_standalone(Options::default(), Some(&file), |_| (), std::future::ready(())).await.unwrap_err();
    assert!(matches!(error, StandaloneError::Read { .. }), "{error}");
}
