//! Faults in the shapes of the protocols beside chat completions and messages.

use serde_json::{Value, json};

use crate::client::{BEARER, Client, Ending, GOOG_KEY, Response, google, post, responses};
use crate::simulator;

fn contents(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

fn deltas(response: &Response) -> usize {
    response.events().iter().filter(|e| e["delta"].is_string()).count()
}

#[tokio::test]
async fn statuses_come_in_each_protocols_own_envelope() {
    let sim = simulator().await;
    let refused =
        responses(sim.addr(), &json!({"model": "sim-1@status=429,retry_after=3", "input": "x"})).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3")));
    assert_eq!(refused.json()["error"]["code"], "rate_limit_exceeded");

    for (status, kind) in
        [(429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE"), (500, "INTERNAL"), (404, "NOT_FOUND")]
    {
        let model = format!("sim-1%40status={status},retry_after=3");
        let refused = google(sim.addr(), &model, "generateContent", &contents("x")).await;
        let error = refused.json()["error"].clone();
        assert_eq!((refused.status, error["status"].as_str()), (status, Some(kind)));
        assert_eq!(refused.header("retry-after"), None);
        let details = error["details"].as_array().unwrap();
        assert_eq!(details.last().unwrap()["retryDelay"], "3s");
    }
    let image = json!({"model": "gpt-image-1@status=500", "prompt": "x"});
    assert_eq!(
        post(sim.addr(), "/v1/images/generations", &image).await.json()["error"]["type"],
        "server_error"
    );
    for path in ["/v2/rerank", "/v2/embed"] {
        let refused = post(sim.addr(), path, &json!({"model": "m@status=503"})).await;
        assert!(refused.status == 503 && refused.json()["message"].is_string());
    }
    let refused = post(sim.addr(), "/v1/rerank", &json!({"model": "m@status=401"})).await;
    assert!(refused.status == 401 && refused.json()["detail"].is_string());
    let misspelt = google(sim.addr(), "sim-1@stauts=503", "countTokens", &contents("x")).await;
    assert!(misspelt.json()["error"]["message"].as_str().unwrap().contains("stauts"));
}

#[tokio::test]
async fn odd_bodies_are_answered_and_never_fatal() {
    let sim = simulator().await;
    let paths = [
        (
            "/v1/responses",
            json!({"model": "m", "input": [], "tools": [], "text": {}, "reasoning": {}, "include": [],
            "tool_choice": {}, "instructions": "", "previous_response_id": null, "metadata": {}, "stream": true}),
        ),
        ("/v1/responses/compact", json!({"model": "m", "input": "x", "instructions": ""})),
        (
            "/v1beta/models/gemini-3:generateContent",
            json!({"contents": [{"parts": [{"text": "x"}]}], "tools": [],
            "toolConfig": {}, "generationConfig": {}, "systemInstruction": {}}),
        ),
        ("/v1beta/models/m:countTokens", json!({"generateContentRequest": {}})),
        ("/v1beta/models/m:embedContent", json!({"content": {}, "outputDimensionality": 1})),
        ("/v1beta/models/m:batchEmbedContents", json!({"requests": []})),
        ("/v1beta/models/m:predict", json!({"instances": [], "parameters": {}})),
        ("/v1/images/generations", json!({"model": "m", "prompt": "x", "n": 1, "size": ""})),
        ("/v1/images/edits", json!({"model": "m", "prompt": "x", "image": [], "images": []})),
        ("/v2/rerank", json!({"model": "m", "query": "x", "documents": ["x"], "top_n": 1})),
        (
            "/v2/embed",
            json!({"model": "m", "texts": ["x"], "input_type": "x", "embedding_types": [],
            "output_dimension": 256}),
        ),
        ("/v1/rerank", json!({"model": "m", "query": "x", "documents": ["x"], "top_k": 1})),
    ];
    let odd = json!([null, 7, -1, "x", "", true, [], {}, [7], [{}], [[]], ["x"], {"type": 7}, [{"type": "x"}],
        [{"role": "user"}], [{"parts": [{}]}], {"type": "function"}]);
    let mut client = Client::connect(sim.addr()).await;
    for (path, body) in paths {
        for member in body.as_object().unwrap().keys() {
            for value in odd.as_array().unwrap() {
                let mut body = body.clone();
                body[member] = value.clone();
                client.send("POST", path, &[BEARER, GOOG_KEY], body.to_string().as_bytes()).await;
                let response = client.response().await;
                assert!(
                    matches!(response.status, 200 | 400 | 404 | 422) && response.ending == Ending::Complete,
                    "{path} {body}: {}",
                    response.status
                );
            }
        }
    }
}

#[tokio::test]
async fn a_response_fails_in_the_middle_with_numbered_events() {
    let sim = simulator().await;
    let body = json!({"model": "sim-1@error_after=2", "input": "tell me about rain", "stream": true});
    let response = responses(sim.addr(), &body).await;
    let events = response.named_events();
    assert_eq!((response.status, deltas(&response)), (200, 2));
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at);
    }
    let [.., error, failed] = events.as_slice() else { panic!("two events") };
    assert_eq!((error["type"].as_str(), failed["type"].as_str()), (Some("error"), Some("response.failed")));
    assert_eq!(failed["response"]["error"]["code"], "server_error");
    assert_eq!(failed["response"]["id"], events[0]["response"]["id"]);
    let whole = responses(sim.addr(), &json!({"model": "sim-1@error_after=2", "input": "x"})).await;
    assert_eq!((whole.status, whole.json()["status"].as_str()), (200, Some("failed")));
}

#[tokio::test]
async fn a_google_stream_fails_in_the_middle() {
    let sim = simulator().await;
    let verb = "streamGenerateContent?alt=sse";
    let response = google(sim.addr(), "sim-1@error_after=2", verb, &contents("tell me about rain")).await;
    let events = response.events();
    assert_eq!((events.len(), events[2]["error"]["status"].as_str()), (3, Some("UNAVAILABLE")));
    for after in ["0", "2"] {
        let model = format!("sim-1@error_after={after}");
        let list =
            google(sim.addr(), &model, "streamGenerateContent", &contents("tell me about rain")).await.json();
        assert_eq!(list.as_array().unwrap().last().unwrap()["error"]["code"], 503, "after {after}");
    }
}

#[tokio::test]
async fn cuts_garbles_and_filler_apply_to_every_stream() {
    let sim = simulator().await;
    for (fault, ending) in [
        ("reset_after=3", Ending::Reset),
        ("close_after=3", Ending::Closed),
        ("end_after=3", Ending::Complete),
    ] {
        let body = json!({"model": format!("sim-1@{fault}"), "input": "tell me about rain", "stream": true});
        let response = responses(sim.addr(), &body).await;
        assert_eq!((response.ending, deltas(&response)), (ending, 3), "{fault}");
        let model = format!("sim-1@{fault}");
        let verb = "streamGenerateContent?alt=sse";
        let response = google(sim.addr(), &model, verb, &contents("tell me about rain")).await;
        assert_eq!((response.ending, response.events().len()), (ending, 3), "{fault}");
    }
    let body = json!({"model": "sim-1@malformed_after=1", "input": "tell me about rain", "stream": true});
    let garbled = responses(sim.addr(), &body).await;
    assert_eq!(garbled.data().len(), garbled.events().len() + 1);
    let verb = "streamGenerateContent?alt=sse";
    let long = google(sim.addr(), "sim-1@chunks=200,chunk_size=7", verb, &contents("x")).await;
    assert_eq!(long.events().len(), 201);
    let long = json!({"model": "sim-1@chunks=200,chunk_size=7", "input": "x", "stream": true});
    assert_eq!(deltas(&responses(sim.addr(), &long).await), 200);

    let mut client = Client::connect(sim.addr()).await;
    let body = contents("x").to_string();
    let headers = [GOOG_KEY, BEARER, ("x-mock", "status=529")];
    client.send("POST", "/v1beta/models/sim-1:generateContent", &headers, body.as_bytes()).await;
    assert_eq!(client.response().await.status, 529);
}
