//! Embeddings and the list of models.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::client::{BEARER, Client, VERSION, get, post};
use crate::simulator;

#[tokio::test]
async fn vectors_have_the_length_asked_for_and_depend_on_the_input() {
    let sim = simulator().await;
    let body = json!({"model": "sim-embed-1", "input": ["a", "b", "a"], "dimensions": 8});
    let answer = post(sim.addr(), "/v1/embeddings", &body).await.json();
    let data = answer["data"].as_array().unwrap();
    assert_eq!(data.len(), 3);
    assert_eq!(data[2]["index"], 2);
    assert_eq!(data[0]["embedding"], data[2]["embedding"]);
    assert_ne!(data[0]["embedding"], data[1]["embedding"]);
    let vector: Vec<f64> =
        data[0]["embedding"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert_eq!(vector.len(), 8);
    assert!((vector.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-5);
    assert_eq!(answer["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
}

#[tokio::test]
async fn base64_holds_the_same_floats() {
    let sim = simulator().await;
    let floats = json!({"model": "e", "input": "x", "dimensions": 4});
    let coded = json!({"model": "e", "input": "x", "dimensions": 4, "encoding_format": "base64"});
    let floats = post(sim.addr(), "/embeddings", &floats).await.json()["data"][0]["embedding"].clone();
    let coded = post(sim.addr(), "/embeddings", &coded).await.json()["data"][0]["embedding"].clone();
    let bytes = STANDARD.decode(coded.as_str().unwrap()).unwrap();
    let decoded: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let floats: Vec<f32> = floats.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
    assert_eq!(decoded, floats);
}

#[tokio::test]
async fn tokens_count_as_tokens_and_bad_input_is_refused() {
    let sim = simulator().await;
    let tokens = json!({"model": "e@dims=2", "input": [[1, 2, 3], [4, 5]]});
    let answer = post(sim.addr(), "/v1/embeddings", &tokens).await.json();
    assert_eq!((answer["usage"]["total_tokens"].as_u64(), answer["model"].as_str()), (Some(5), Some("e")));
    assert_eq!(answer["data"][0]["embedding"].as_array().unwrap().len(), 2);
    for input in [json!(""), json!([]), json!(["a", ""]), json!(7), json!(null)] {
        let refused = post(sim.addr(), "/v1/embeddings", &json!({"model": "e", "input": input})).await;
        assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("input")));
    }
}

#[tokio::test]
async fn models_are_listed_in_both_forms() {
    let sim = simulator().await;
    let list = get(sim.addr(), "/openai/v1/models").await.json();
    assert_eq!((list["object"].as_str(), list["data"][0]["id"].as_str()), (Some("list"), Some("sim-1")));
    let mut client = Client::connect(sim.addr()).await;
    client.send("GET", "/v1/models", &[BEARER, VERSION], b"").await;
    let list = client.response().await.json();
    assert_eq!((list["first_id"].as_str(), list["data"][0]["type"].as_str()), (Some("sim-1"), Some("model")));
    client.send("POST", "/v1/models", &[BEARER], b"{}").await;
    assert_eq!(client.response().await.status, 405);
}
