//! Embeddings (gateway-api §9) through OpenAI's, Gemini's and Cohere's protocols.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::setup::Surfaces;
use crate::client::Answer;
use crate::world::cost;

/// Model, the member of its request that holds the dimensions, the most inputs of one of its calls.
const MODELS: [(&str, &str, usize); 4] = [
    ("test/embed", "/dimensions", 2048),
    ("test/gemini-embedding-001", "/requests/0/outputDimensionality", 100),
    ("test/gemini-embedding-2", "/outputDimensionality", 1),
    ("test/cohere-embed", "/output_dimension", 96),
];

async fn embed(at: &Surfaces, model: &str, input: Value, more: Value) -> Answer {
    let mut body = json!({"model": model, "input": input});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = at.post("/v1/embeddings", &body).await;
    assert_eq!(answer.status, 200, "{model}: {}", answer.text());
    answer
}

fn floats(vector: &Value) -> Vec<f32> {
    match vector {
        Value::String(text) => {
            let bytes = STANDARD.decode(text).unwrap();
            bytes.as_chunks::<4>().0.iter().map(|n| f32::from_le_bytes(*n)).collect()
        }
        numbers => numbers.as_array().unwrap().iter().map(|n| n.to_string().parse().unwrap()).collect(),
    }
}

#[tokio::test]
async fn vectors_are_the_same_as_numbers_and_as_base64() {
    let at = Surfaces::start().await;
    for (model, place, _) in MODELS {
        let input = json!(["one", "two", "three"]);
        let plain = embed(&at, model, input.clone(), json!({"dimensions": 256})).await.json();
        let number = embed(&at, model, input.clone(), json!({"dimensions": 256, "encoding_format": "float"}))
            .await
            .json();
        let sent = at.main.requests().pop().unwrap().json();
        assert_eq!(sent.pointer(place), Some(&json!(256)), "{model}: {sent}");
        let coded =
            embed(&at, model, input, json!({"dimensions": 256, "encoding_format": "base64"})).await.json();
        assert_eq!((&plain["object"], &plain["model"]), (&json!("list"), &json!(model)));
        for (i, entry) in plain["data"].as_array().unwrap().iter().enumerate() {
            assert_eq!((&entry["object"], &entry["index"]), (&json!("embedding"), &json!(i)));
            let vector = floats(&entry["embedding"]);
            assert!(entry["embedding"].is_array() && vector.len() == 256, "{model}");
            assert_eq!(vector, floats(&number["data"][i]["embedding"]), "{model}");
            assert!(coded["data"][i]["embedding"].is_string(), "{model}");
            assert_eq!(vector, floats(&coded["data"][i]["embedding"]), "{model}");
        }
        assert_ne!(plain["data"][0]["embedding"], plain["data"][1]["embedding"], "{model}");
        let shorter = embed(&at, model, json!("one"), json!({"dimensions": 512})).await.json();
        assert_eq!(floats(&shorter["data"][0]["embedding"]).len(), 512, "{model}");
    }
}

#[tokio::test]
async fn i03_an_answer_and_its_row_agree() {
    let at = Surfaces::start().await;
    for (model, ..) in MODELS {
        let answer = embed(&at, model, json!(["one two three", "four"]), json!({})).await;
        let said = answer.json();
        let members: Vec<_> = said.as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["object", "data", "model", "usage", "providerMetadata"], "{model}");
        let tokens = said["usage"]["prompt_tokens"].as_u64().unwrap();
        assert!(tokens > 0 && said["usage"]["total_tokens"] == tokens, "{model}: {}", said["usage"]);
        assert!(said["usage"].get("completion_tokens").is_none());
        let row = at.row_of(&answer).await;
        assert_eq!((row.usage.input_total(), row.cost.unwrap().0), (tokens, cost(tokens, 0, 0)), "{model}");
        assert_eq!((row.intent.dialect.as_str(), row.intent.streamed), ("embeddings", false));
        let gateway = &said["providerMetadata"]["gateway"];
        assert_eq!(gateway["cost"], json!(row.cost.unwrap().to_string()), "{model}");
        assert_eq!(gateway["generationId"], json!(answer.header("x-generation-id").unwrap()), "{model}");
    }
}

/// More than a provider takes at once goes to it in several calls and comes back as one answer, in order.
#[tokio::test]
async fn large_batches_are_split_and_put_together() {
    let at = Surfaces::start().await;
    for (model, _, most) in MODELS {
        at.main.reset();
        let texts: Vec<String> = (0..250).map(|n| format!("text {n}")).collect();
        let answer = embed(&at, model, json!(texts), json!({"dimensions": 256})).await;
        let said = answer.json();
        assert_eq!(said["data"].as_array().unwrap().len(), 250, "{model}");
        assert_eq!(at.main.stats().requests, 250_u64.div_ceil(most as u64), "{model}");
        for place in [0, 95, 96, 100, 249] {
            let alone = embed(&at, model, json!(texts[place]), json!({"dimensions": 256})).await.json();
            assert_eq!(said["data"][place]["embedding"], alone["data"][0]["embedding"], "{model} {place}");
            assert_eq!(said["data"][place]["index"], place, "{model}");
        }
        // All calls are one request, paid once.
        let row = at.row_of(&answer).await;
        assert_eq!(said["usage"]["prompt_tokens"].as_u64(), Some(row.usage.input_total()), "{model}");
        assert_eq!((row.attempts, row.cost.unwrap().0), (1, cost(row.usage.input_total(), 0, 0)), "{model}");
    }
}
