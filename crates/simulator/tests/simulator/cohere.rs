//! Reranking in Cohere's form and in Voyage's, and Cohere's embeddings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{Client, post};
use crate::simulator;

fn documents() -> Value {
    json!(["Bread is baked.", "Rain falls from clouds in autumn.", "Rain and clouds."])
}

#[tokio::test]
async fn cohere_ranks_what_shares_the_querys_words_first() {
    let sim = simulator().await;
    let mut body = json!({"model": "rerank-1", "query": "rain clouds", "documents": documents(), "top_n": 2});
    let answer = post(sim.addr(), "/v2/rerank", &body).await.json();
    let order: Vec<u64> =
        answer["results"].as_array().unwrap().iter().map(|r| r["index"].as_u64().unwrap()).collect();
    assert_eq!(order, [2, 1]);
    let score = |n: usize| answer["results"][n]["relevance_score"].as_f64().unwrap();
    assert!(1.0 > score(0) && score(0) > score(1) && score(1) > 0.0);
    assert_eq!(answer["meta"]["billed_units"], json!({"search_units": 1}));
    body["documents"] = (0..101).map(|n| json!(format!("document {n}"))).collect();
    let units =
        post(sim.addr(), "/v2/rerank", &body).await.json()["meta"]["billed_units"]["search_units"].clone();
    assert_eq!(units, 2);
}

#[tokio::test]
async fn cohere_refuses_in_its_own_shape() {
    let sim = simulator().await;
    let good = json!({"model": "rerank-1", "query": "rain", "documents": documents()});
    let refused = async |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        let response = post(sim.addr(), "/v2/rerank", &body).await;
        assert!(response.json()["message"].is_string() && response.json()["id"].is_string());
        response.status
    };
    assert_eq!(refused("query", json!("")).await, 400);
    assert_eq!(refused("documents", json!([])).await, 400);
    assert_eq!(refused("documents", json!([{"text": "x"}])).await, 400);
    assert_eq!(refused("top_n", json!(0)).await, 400);
    assert_eq!(refused("model", json!("")).await, 400);
    assert_eq!(refused("providerOptions", json!({})).await, 422);
    assert_eq!(refused("model", json!("m@status=429")).await, 429);
    let mut client = Client::connect(sim.addr()).await;
    client.send("POST", "/v2/rerank", &[], good.to_string().as_bytes()).await;
    let response = client.response().await;
    assert_eq!((response.status, response.json()["message"].as_str()), (401, Some("no api key supplied")));
}

#[tokio::test]
async fn voyage_ranks_alike_in_its_own_form() {
    let sim = simulator().await;
    let body = json!({"model": "rerank-2.5", "query": "rain clouds", "documents": documents(), "top_k": 1,
        "return_documents": true});
    let answer = post(sim.addr(), "/v1/rerank", &body).await.json();
    assert_eq!(answer["object"], "list");
    let data = answer["data"].as_array().unwrap();
    assert_eq!((data.len(), data[0]["index"].as_u64()), (1, Some(2)));
    assert_eq!(data[0]["document"], "Rain and clouds.");
    assert!(answer["usage"]["total_tokens"].as_u64().unwrap() > 0);
    let refused = post(sim.addr(), "/v1/rerank", &json!({"model": "m", "documents": documents()})).await;
    assert!(refused.status == 400 && refused.json()["detail"].is_string());
}

#[tokio::test]
async fn cohere_embeds_in_the_types_asked_for() {
    let sim = simulator().await;
    let mut body = json!({"model": "embed-4@dims=4", "texts": ["a", "b"], "input_type": "search_document",
        "embedding_types": ["float", "base64"]});
    let answer = post(sim.addr(), "/v2/embed", &body).await.json();
    let floats: Vec<f32> = answer["embeddings"]["float"][1]
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap() as f32)
        .collect();
    let coded = STANDARD.decode(answer["embeddings"]["base64"][1].as_str().unwrap()).unwrap();
    let decoded: Vec<f32> =
        coded.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!((floats.len(), &floats), (4, &decoded));
    assert_eq!(answer["meta"]["billed_units"]["input_tokens"], 2);
    assert_eq!(answer["texts"], body["texts"]);
    body["texts"] = (0..97).map(|n| json!(n.to_string())).collect();
    assert_eq!(post(sim.addr(), "/v2/embed", &body).await.status, 400);
    body.as_object_mut().unwrap().remove("input_type");
    body["texts"] = json!(["a"]);
    let refused = post(sim.addr(), "/v2/embed", &body).await;
    assert!(refused.status == 400 && refused.json()["message"].as_str().unwrap().contains("input_type"));
}
