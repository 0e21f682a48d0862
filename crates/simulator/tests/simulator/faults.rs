//! Each fault as a client sees it.

use serde_json::json;
use tollgate_simulator::{Behaviour, CutHow, ErrorBody, Fault, Simulator};

use crate::client::{BEARER, Client, Ending, Response, VERSION, chat, chat_body, messages, messages_body};
use crate::simulator;

fn content_events(response: &Response) -> usize {
    response
        .events()
        .iter()
        .filter(|e| e["choices"][0]["delta"]["content"].as_str().is_some_and(|c| !c.is_empty()))
        .count()
}

async fn with(sim: &Simulator, fault: Fault, stream: bool) -> Response {
    sim.control().set_default(Behaviour::fault(fault));
    chat(sim.addr(), &chat_body("sim-1", "tell me about rain", json!({"stream": stream}))).await
}

#[tokio::test]
async fn statuses_come_in_the_protocols_own_envelope() {
    let sim = simulator().await;
    let response = chat(sim.addr(), &chat_body("sim-1@status=503,retry_after=2", "x", json!({}))).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("2")));
    assert_eq!(response.json()["error"]["type"], "server_error");
    let response = messages(sim.addr(), &messages_body("sim-1@status=529", "x", json!({}))).await;
    assert_eq!(response.status, 529);
    assert_eq!(
        (response.json()["type"].as_str(), response.json()["error"]["type"].as_str()),
        (Some("error"), Some("overloaded_error"))
    );
    let response = messages(sim.addr(), &messages_body("sim-1@status=401", "x", json!({}))).await;
    assert_eq!(
        (response.status, response.json()["error"]["type"].as_str()),
        (401, Some("authentication_error"))
    );
    let response = chat(sim.addr(), &chat_body("sim-1@fault=html,status=520", "x", json!({}))).await;
    assert_eq!((response.status, response.header("content-type")), (520, Some("text/html")));
    assert!(response.text().starts_with("<html>"));
    let body = ErrorBody::Message("maximum context length".to_owned());
    let headers = vec![("x-should-retry".to_owned(), "false".to_owned())];
    let response = with(&sim, Fault::Status { status: 400, headers, body }, true).await;
    assert_eq!(response.header("x-should-retry"), Some("false"));
    assert_eq!(response.json()["error"]["message"], "maximum context length");
    assert!(response.ending == Ending::Complete);
}

#[tokio::test]
async fn a_misspelt_directive_is_an_error_that_names_it() {
    let sim = simulator().await;
    let response = chat(sim.addr(), &chat_body("sim-1@stauts=503", "x", json!({}))).await;
    assert_eq!(response.status, 400);
    assert!(response.json()["error"]["message"].as_str().unwrap().contains("stauts"));
}

#[tokio::test]
async fn connections_end_before_the_headers() {
    let sim = simulator().await;
    let reset = with(&sim, Fault::ResetBeforeHeaders, false).await;
    assert_eq!((reset.status, reset.ending), (0, Ending::Reset));
    let closed = with(&sim, Fault::CloseBeforeHeaders, false).await;
    assert_eq!((closed.status, closed.ending), (0, Ending::Closed));
}

#[tokio::test]
async fn streams_are_cut_after_so_many_events() {
    let sim = simulator().await;
    for (how, ending) in
        [(CutHow::Reset, Ending::Reset), (CutHow::Close, Ending::Closed), (CutHow::End, Ending::Complete)]
    {
        for after in [0, 3] {
            let response = with(&sim, Fault::Cut { after, how }, true).await;
            assert_eq!((response.status, response.ending), (200, ending), "{how:?} after {after}");
            assert_eq!(content_events(&response), after as usize, "{how:?} after {after}");
            assert!(!response.text().contains("[DONE]"));
        }
    }
    let whole = with(&sim, Fault::Cut { after: 0, how: CutHow::Reset }, false).await;
    let length: usize = whole.header("content-length").unwrap().parse().unwrap();
    assert_eq!((whole.ending, whole.body.len()), (Ending::Reset, length / 2));
}

#[tokio::test]
async fn an_error_event_ends_a_200() {
    let sim = simulator().await;
    let response = with(&sim, Fault::ErrorEvent { after: 2 }, true).await;
    assert_eq!((response.status, response.ending, content_events(&response)), (200, Ending::Complete, 2));
    assert!(response.events().last().unwrap()["error"]["message"].is_string());
    let stream = messages_body("sim-1@error_after=1", "x", json!({"stream": true}));
    let events = messages(sim.addr(), &stream).await.named_events();
    assert_eq!(events.last().unwrap()["error"]["type"], "overloaded_error");
    let whole = with(&sim, Fault::ErrorEvent { after: 2 }, false).await;
    assert_eq!(whole.status, 200);
    assert!(whole.json().get("error").is_some());
}

#[tokio::test]
async fn events_are_garbled_or_too_large() {
    let sim = simulator().await;
    let response = with(&sim, Fault::Malformed { after: 1 }, true).await;
    assert_eq!(response.data().len(), response.events().len() + 2, "the garbled one and [DONE] are no JSON");
    assert_eq!(response.ending, Ending::Complete);
    let response = with(&sim, Fault::Oversized { after: 1, bytes: 300_000 }, true).await;
    assert!(response.data().iter().any(|d| d.len() >= 300_000));
    let whole = with(&sim, Fault::Malformed { after: 1 }, false).await;
    assert!(serde_json::from_slice::<serde_json::Value>(&whole.body).is_err());
    let whole = with(&sim, Fault::Oversized { after: 1, bytes: 300_000 }, false).await;
    assert!(whole.body.len() > 300_000 && whole.json()["object"] == "chat.completion");
}

#[tokio::test]
async fn types_bodies_and_drips() {
    let sim = simulator().await;
    let response = with(&sim, Fault::WrongContentType { content_type: "text/html".to_owned() }, true).await;
    assert_eq!(response.header("content-type"), Some("text/html"));
    assert!(response.text().ends_with("data: [DONE]\n\n"));
    let response = with(&sim, Fault::EmptyBody, true).await;
    assert_eq!((response.status, response.body.len(), response.ending), (200, 0, Ending::Complete));
    let plain =
        chat(sim.addr(), &chat_body("sim-1@fault=none", "tell me about rain", json!({"stream": true}))).await;
    let dripped = with(&sim, Fault::SlowDrip { bytes: 100, every_ms: 0 }, true).await;
    assert_eq!(content_events(&dripped), content_events(&plain));
}

#[tokio::test]
async fn a_stall_stops_after_so_many_events_with_the_connection_open() {
    let sim = simulator().await;
    sim.control().set_default(Behaviour::fault(Fault::Stall { after: 2 }));
    let mut client = Client::connect(sim.addr()).await;
    let body = chat_body("sim-1", "tell me about rain", json!({"stream": true}));
    client.send("POST", "/v1/chat/completions", &[BEARER], body.to_string().as_bytes()).await;
    client.read_past("\"delta\":{\"content\":\"").await;
    let stats = sim.control().wait_until(|s| s.open_streams == 1).await;
    assert_eq!((stats.finished, stats.aborted, stats.in_flight), (0, 0, 1));
    drop(client);
    assert_eq!(sim.control().wait_for_aborts(1).await.finished, 0);
}

#[tokio::test]
async fn times_limits_a_fault_to_the_next_requests() {
    let sim = simulator().await;
    let statuses = async |model: &str| {
        let mut all = Vec::new();
        for _ in 0..3 {
            all.push(chat(sim.addr(), &chat_body(model, "x", json!({}))).await.status);
        }
        all
    };
    assert_eq!(statuses("sim-1@status=503,times=2").await, [503, 503, 200]);
    assert_eq!(statuses("sim-1@status=503,times=1").await, [503, 200, 200]);
    sim.control().set_default(Behaviour::status(500).times(1));
    assert_eq!(statuses("sim-1").await, [500, 200, 200]);
}

#[tokio::test]
async fn the_header_directs_as_well_and_wins_over_the_model() {
    let sim = simulator().await;
    let mut client = Client::connect(sim.addr()).await;
    let body = chat_body("sim-1@status=503", "x", json!({})).to_string();
    let path = "/v1/chat/completions";
    client.send("POST", path, &[BEARER, ("x-mock", "status=429&retry_after=7")], body.as_bytes()).await;
    let response = client.response().await;
    assert_eq!((response.status, response.header("retry-after")), (429, Some("7")));
}

#[tokio::test]
async fn filler_and_reported_usage_are_as_directed() {
    let sim = simulator().await;
    let whole =
        chat(sim.addr(), &chat_body("sim-1@size=2000&prompt_tokens=77&cached_tokens=5", "x", json!({})))
            .await
            .json();
    assert_eq!(whole["choices"][0]["message"]["content"].as_str().unwrap().len(), 2000);
    assert_eq!(whole["usage"]["prompt_tokens"], 77);
    assert_eq!(whole["usage"]["prompt_tokens_details"]["cached_tokens"], 5);
    let model = "sim-1@chunks=40,chunk_size=10,usage=always";
    let stream = chat(sim.addr(), &chat_body(model, "x", json!({"stream": true}))).await;
    assert_eq!(content_events(&stream), 40);
    assert_eq!(stream.events().last().unwrap()["choices"], json!([]));
    let mut client = Client::connect(sim.addr()).await;
    let body = messages_body("sim-1@cache_write_tokens=9,output_tokens=3", "x", json!({})).to_string();
    client.send("POST", "/v1/messages", &[BEARER, VERSION], body.as_bytes()).await;
    let usage = client.response().await.json()["usage"].clone();
    assert_eq!(
        (usage["cache_creation_input_tokens"].as_u64(), usage["output_tokens"].as_u64()),
        (Some(9), Some(3))
    );
}
