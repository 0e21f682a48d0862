//! Rerank (gateway-api §11) in both of Cohere's versions, by Cohere's and by Voyage's protocol.

use serde_json::{Value, json};

use super::setup::Surfaces;
use crate::client::Answer;
use crate::world::cost;

fn asks(model: &str, documents: Value) -> Value {
    json!({"model": model, "query": "a tollgate", "documents": documents})
}

fn documents() -> Value {
    json!(["a bridge over a river", "a tollgate bars a road", "a gate"])
}

fn order(answer: &Answer) -> Vec<u64> {
    let said = answer.json();
    let results = said["results"].as_array().unwrap_or_else(|| panic!("no results: {said}"));
    let scores: Vec<_> = results.iter().map(|r| r["relevance_score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{said}");
    results.iter().map(|r| r["index"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn both_versions_by_both_protocols() {
    let at = Surfaces::start().await;
    for (path, version) in [("/v1/rerank", "1"), ("/v2/rerank", "2")] {
        for (model, provider_path) in [("test/rerank", "/v2/rerank"), ("test/voyage", "/v1/rerank")] {
            let answer = at.post(path, &asks(model, documents())).await;
            assert_eq!(answer.status, 200, "{path} {model}: {}", answer.text());
            assert_eq!(order(&answer), [1, 2, 0], "{path} {model}");
            let said = answer.json();
            assert_eq!(said["id"], json!(answer.header("x-generation-id").unwrap()), "{path} {model}");
            assert_eq!(said["meta"]["api_version"]["version"], version, "{path} {model}");
            assert!(said["results"][0].get("document").is_none(), "{path} {model}");
            let sent = at.main.requests().pop().unwrap();
            assert_eq!((sent.path(), &sent.json()["documents"]), (provider_path, &documents()));

            let mut body = asks(model, documents());
            body["top_n"] = json!(2);
            assert_eq!(order(&at.post(path, &body).await), [1, 2], "{path} {model}");
            let sent = at.main.requests().pop().unwrap().json();
            let name = if model == "test/rerank" { "top_n" } else { "top_k" };
            assert_eq!(sent[name], 2, "{sent}");
        }
    }
}

#[tokio::test]
async fn version_1_takes_objects_and_sends_documents_back() {
    let at = Surfaces::start().await;
    for model in ["test/rerank", "test/voyage"] {
        let objects = json!([{"title": "bridge", "text": "over a river"}, {"title": "a tollgate", "text": "bars a road"}]);
        let mut body = asks(model, objects.clone());
        body["return_documents"] = json!(true);
        body["rank_fields"] = json!(["title"]);
        let answer = at.post("/v1/rerank", &body).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        assert_eq!(order(&answer), [1, 0], "{model}");
        assert_eq!(answer.json()["results"][0]["document"], objects[1], "{model}");
        let sent = at.main.requests().pop().unwrap().json();
        assert!(sent["documents"].as_array().unwrap().iter().all(Value::is_string), "{sent}");
        assert!(
            !sent["documents"][0].as_str().unwrap().contains("river"),
            "only the fields that count: {sent}"
        );
        let mut texts = asks(model, documents());
        texts["return_documents"] = json!(true);
        let answer = at.post("/v1/rerank", &texts).await;
        assert_eq!(answer.json()["results"][0]["document"]["text"], "a tollgate bars a road", "{model}");
    }
}

#[tokio::test]
async fn i03_search_units_and_tokens_are_paid() {
    let at = Surfaces::start().await;
    let many = vec!["a document"; 150];
    for (documents, units) in [(documents(), 1), (json!(many), 2)] {
        let answer = at.post("/v2/rerank", &asks("test/rerank", documents)).await;
        let billed = answer.json()["meta"]["billed_units"].clone();
        assert_eq!(billed, json!({"search_units": units}));
        let row = at.row_of(&answer).await;
        assert_eq!(
            (row.usage.searches, row.cost.unwrap().0),
            (units, i64::try_from(units).unwrap() * 2_000_000)
        );
        let gateway = answer.json()["provider_metadata"]["gateway"].clone();
        assert_eq!(gateway["cost"], json!(row.cost.unwrap().to_string()), "{gateway}");
        assert_eq!(row.intent.dialect, "rerank");
    }
    let answer = at.post("/v2/rerank", &asks("test/voyage", documents())).await;
    let row = at.row_of(&answer).await;
    let tokens = row.usage.input_total();
    assert!(tokens > 0, "{row:?}");
    assert_eq!(answer.json()["meta"]["billed_units"]["input_tokens"], tokens);
    assert_eq!(row.cost.unwrap().0, cost(tokens, 0, 0));
}
