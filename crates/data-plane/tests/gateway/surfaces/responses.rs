//! OpenAI Responses (gateway-api §7.2): answers that go on from each other, storage, compaction.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, UsageOverride};

use super::setup::{Surfaces, events};
use crate::client::{Answer, Exchange, request};
use crate::world::cost;

fn asks(model: &str, text: &str) -> Value {
    json!({"model": model, "input": [{"role": "user", "content": text}]})
}

fn continues(model: &str, text: &str, id: &str) -> Value {
    let mut body = asks(model, text);
    body["previous_response_id"] = json!(id);
    body
}

fn id_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn check_refused(answer: &Answer, status: u16, code: &str, says: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let error = answer.json()["error"].clone();
    assert_eq!((&error["type"], &error["code"]), (&json!("invalid_request_error"), &json!(code)), "{error}");
    for part in says {
        assert!(answer.message().contains(part), "'{part}' is not in {error}");
    }
}

#[tokio::test]
async fn an_answer_is_gone_on_from_by_the_gateways_id() {
    let at = Surfaces::start().await;
    for stream in [false, true] {
        let mut first = asks("test/responses", "My name is Ada.");
        first["stream"] = json!(stream);
        let answer = at.post("/v1/responses", &first).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = if stream {
            let all = events(&answer.body);
            for (at, (name, event)) in all.iter().enumerate() {
                assert_eq!(
                    (&event["type"], &event["sequence_number"]),
                    (&json!(name), &json!(at)),
                    "{event}"
                );
            }
            let (name, last) = all.last().unwrap().clone();
            assert_eq!(name, "response.completed");
            assert!(
                all.iter().all(|(_, e)| e.get("response").is_none_or(|r| r["id"] == last["response"]["id"]))
            );
            last["response"]["id"].as_str().unwrap().to_owned()
        } else {
            id_of(&answer)
        };
        assert_eq!(Some(id.as_str()), answer.header("x-generation-id"));
        let row = at.row_of(&answer).await;
        let native = row.response_id.clone().unwrap();
        assert!(native.starts_with("resp_sim"), "{native}");

        let second = at.post("/v1/responses", &continues("test/responses", "What is my name?", &id)).await;
        assert_eq!(second.status, 200, "{}", second.text());
        let sent = at.main.requests().pop().unwrap().json();
        assert_eq!(sent["previous_response_id"], json!(native), "the provider's own id");
        assert_eq!(sent["input"], json!([{"role": "user", "content": "What is my name?"}]));
        assert_eq!(second.json()["previous_response_id"], json!(id), "the client's own word");
        // The history counts: the provider had it.
        assert!(at.row_of(&second).await.usage.input_total() > row.usage.input_total());
    }
}

/// Only who holds the answer can go on from it, also when another provider would be tried first.
#[tokio::test]
async fn i21_a_continued_answer_stays_with_its_provider() {
    let at = Surfaces::start().await;
    at.main.set_default(Behaviour::status(401));
    let first = at.post("/v1/responses", &asks("test/responses-duo", "one")).await;
    assert_eq!(at.row_of(&first).await.provider, "responses-backup");
    at.main.reset();
    let second = at.post("/v1/responses", &continues("test/responses-duo", "two", &id_of(&first))).await;
    assert_eq!(second.status, 200, "{}", second.text());
    assert_eq!(
        (at.main.stats().requests, at.row_of(&second).await.provider.as_str()),
        (0, "responses-backup")
    );
    // When it is away, nobody else is asked.
    at.spare.set_default(Behaviour::status(503));
    let third = at.post("/v1/responses", &continues("test/responses-duo", "three", &id_of(&second))).await;
    assert_eq!((third.status, at.main.stats().requests), (503, 0), "{}", third.text());
}

#[tokio::test]
async fn answers_that_cannot_be_gone_on_from_are_explained() {
    let at = Surfaces::start().await;
    let not_found = "previous_response_not_found";
    for id in ["gen_01KKHTV13RQ8R92YDVT3EBXPV4", "gen_short", "gen_"] {
        let answer = at.post("/v1/responses", &continues("test/responses", "x", id)).await;
        check_refused(&answer, 404, not_found, &[id, "whole history", "previous_response_id"]);
        assert_eq!(answer.json()["error"]["param"], "previous_response_id");
    }
    // Another team's answer is as unknown as one that never was.
    let first = at.post("/v1/responses", &asks("test/responses", "one")).await;
    let body = continues("test/responses", "two", &id_of(&first)).to_string();
    let bearer = format!("Bearer {}", at.foreign_key);
    let raw = request("POST", "/v1/responses", &[("authorization", &bearer)], body.as_bytes());
    check_refused(&Exchange::send(at.addr, &raw).await.answer().await, 404, not_found, &["for your team"]);
    // The answer's provider does not have the other model.
    for model in ["test/chat", "anthropic/claude-haiku-4.5"] {
        let answer = at.post("/v1/responses", &continues(model, "two", &id_of(&first))).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(
            answer.message().contains("whole history") && answer.message().contains(model),
            "{}",
            answer.text()
        );
    }
    // The client does not allow its provider.
    let mut body = continues("test/responses-duo", "two", &id_of(&first));
    body["providerOptions"] = json!({"gateway": {"only": ["responses-backup"]}});
    let answer = at.post("/v1/responses", &body).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["param"]),
        (400, &json!("providerOptions.gateway.only"))
    );
    assert!(answer.message().contains("'responses-main'"), "{}", answer.message());
    // An answer of a provider that keeps none.
    let chat = at.post("/v1/responses", &asks("test/chat", "one")).await;
    assert_eq!(chat.status, 200, "{}", chat.text());
    let answer = at.post("/v1/responses", &continues("test/chat", "two", &id_of(&chat))).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.message().contains("whole history"), "{}", answer.message());
    let asked: Vec<_> = at.main.requests().iter().map(|r| r.path().to_owned()).collect();
    assert_eq!(asked, ["/v1/responses", "/v1/chat/completions"], "nothing else was sent");
    assert_eq!(at.rows().await.len(), 2);
}

#[tokio::test]
async fn store_is_the_clients_to_say() {
    let at = Surfaces::start().await;
    for (store, sent) in
        [(json!(false), json!(false)), (json!(true), json!(true)), (Value::Null, Value::Null)]
    {
        let mut body = asks("test/responses", "one");
        if !store.is_null() {
            body["store"] = store.clone();
        }
        let answer = at.post("/v1/responses", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(at.main.requests().pop().unwrap().json()["store"], sent, "{store}");
    }
    // What was not stored cannot be gone on from: the provider says so.
    let mut body = asks("test/responses", "one");
    body["store"] = json!(false);
    let first = at.post("/v1/responses", &body).await;
    let answer = at.post("/v1/responses", &continues("test/responses", "two", &id_of(&first))).await;
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    assert!(!answer.text().contains("resp_sim") || answer.json()["error"]["message"].is_string());
}

#[tokio::test]
async fn a_history_is_compacted_by_its_provider() {
    let at = Surfaces::start().await;
    let usage = UsageOverride {
        input_tokens: Some(100),
        cached_tokens: Some(40),
        output_tokens: Some(20),
        ..UsageOverride::default()
    };
    at.main.set_default(Behaviour { usage, ..Behaviour::natural() });
    for path in ["/v1/responses/compact", "/codex/v1/responses/compact"] {
        let mut body = asks("test/responses", "one");
        body["x_unknown"] = json!({"kept": [1, 2]});
        let answer = at.post(path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let sent = at.main.requests().pop().unwrap();
        assert_eq!((sent.path(), &sent.json()["x_unknown"]), ("/v1/responses/compact", &body["x_unknown"]));
        let said = answer.json();
        assert_eq!(said["object"], "response.compaction", "{said}");
        assert_eq!(said["output"].as_array().unwrap().last().unwrap()["type"], "compaction", "{said}");
        let row = at.row_of(&answer).await;
        assert_eq!((row.cost.unwrap().0, row.intent.streamed), (cost(60, 40, 20), false));
        // What came of it goes into the next request as it is.
        let mut next = asks("test/responses", "two");
        let mut items = said["output"].as_array().unwrap().clone();
        items.push(next["input"][0].clone());
        next["input"] = json!(items);
        let answer = at.post("/v1/responses", &next).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(at.main.requests().pop().unwrap().json()["input"], next["input"]);
    }
}
