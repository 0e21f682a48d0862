//! Embeddings, images and rerank: a whole way from a client's body to the bytes of the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Number, Value, json};
use tollgate_dialects::rerank::Version;
use tollgate_dialects::{ReplyContext, TaskRequest, embeddings, images, rerank};
use tollgate_domain::conversation::FileData;
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::Routing;
use tollgate_domain::task::{
    EmbeddingReply, GeneratedImage, ImageReply, Product, Ranked, RerankReply, Task, Vector,
};
use tollgate_domain::{GenerationId, JsonText, ModelId, Nanodollars, Receipt, Usage};

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_785_881_890_000, 7)),
        created_seconds: 1_785_881_890,
        model: "maker/asked-for".into(),
        fingerprint: "fp_0000000000".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

fn receipt(usage: Usage, native: Option<(&str, &str)>) -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("maker/asked-for"),
            canonical_model: ModelId::new("maker/asked-for"),
            resolved_provider: "p".into(),
            resolved_provider_model: "m".into(),
            fallbacks: Vec::new(),
            reasoning: String::new(),
            final_provider: "p".into(),
            attempts: Vec::new(),
        },
        usage,
        cost: Some(Nanodollars(120_000)),
        market_cost: Some(Nanodollars(120_000)),
        byok: false,
        native: native.map(|(name, text)| (name.to_owned(), JsonText::new(text.to_owned()))),
        service_tier: None,
        warnings: Vec::new(),
    }
}

fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn written(request: &dyn TaskRequest, product: &Product, receipt: &Receipt) -> (String, Value) {
    let text = String::from_utf8(request.encode(&context(), product, receipt)).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn embeddings_answer_in_the_form_asked_for() {
    let floats = [0.25f32, -1.0e-7, 3.0];
    let bytes: Vec<u8> = floats.iter().flat_map(|f| f.to_le_bytes()).collect();
    let packed = STANDARD.encode(bytes);
    let numbers = "[0.250, -1e-7,3]";
    let product = Product::Embedding(EmbeddingReply {
        vectors: vec![Vector::Json(JsonText::new(numbers.into())), Vector::Base64(packed.clone())],
        ..Default::default()
    });
    let receipt = receipt(Usage { input_uncached: 9, ..Default::default() }, None);

    let plain =
        embeddings::Request::parse(&body(r#"{"model":"maker/asked-for","input":["a","b"]}"#)).unwrap();
    assert!(matches!(plain.task(), Task::Embedding(e) if e.inputs.len() == 2));
    let (text, value) = written(&plain, &product, &receipt);
    assert_eq!(keys(&value), ["object", "data", "model", "usage", "providerMetadata"]);
    let data = format!(
        r#""data":[{{"object":"embedding","index":0,"embedding":{numbers}}},{{"object":"embedding","index":1,"embedding":[0.25,-1e-7,3.0]}}],"model":"maker/asked-for","usage":{{"prompt_tokens":9,"total_tokens":9}}"#
    );
    assert!(
        text.starts_with(&format!(r#"{{"object":"list",{data},"providerMetadata":{{"gateway":"#)),
        "{text}"
    );
    let gateway = &value["providerMetadata"]["gateway"];
    assert_eq!(gateway["generationId"], context().generation.to_string());
    assert_eq!(gateway["cost"], "0.00012");

    let asked = r#"{"model":"maker/asked-for","input":["a","b"],"encoding_format":"base64"}"#;
    let (_, value) = written(&embeddings::Request::parse(&body(asked)).unwrap(), &product, &receipt);
    for item in value["data"].as_array().unwrap() {
        assert_eq!(item["embedding"], packed.as_str());
    }
}

#[test]
fn images_answer_with_bytes_usage_and_the_providers_metadata() {
    let asked =
        images::Request::generations(&body(r#"{"model":"maker/asked-for","prompt":"p","n":2}"#)).unwrap();
    let image = |data, revised: Option<&str>| GeneratedImage {
        data,
        media_type: None,
        revised_prompt: revised.map(str::to_owned),
    };
    let reply = ImageReply {
        images: vec![
            image(FileData::Base64("QUJD".into()), Some("a \"cat\"")),
            image(FileData::Base64("REVG".into()), None),
        ],
        created: Some(5),
        ..Default::default()
    };
    let usage = Usage {
        input_uncached: 10,
        input_image: 300,
        output_image: 4000,
        output_text: 2,
        images: 2,
        ..Default::default()
    };
    let native = Some(("openai", r#"{"quality":"low"}"#));
    let (_, value) = written(&asked, &Product::Image(reply.clone()), &receipt(usage, native));
    assert_eq!(keys(&value), ["created", "data", "usage", "provider_metadata"]);
    assert_eq!(value["created"], 5);
    assert_eq!(
        value["data"],
        json!([{"b64_json": "QUJD", "revised_prompt": "a \"cat\""}, {"b64_json": "REVG"}])
    );
    assert_eq!(
        value["usage"],
        json!({
            "input_tokens": 310, "output_tokens": 4002, "total_tokens": 4312,
            "input_tokens_details": {"text_tokens": 10, "image_tokens": 300},
            "output_tokens_details": {"text_tokens": 2, "image_tokens": 4000},
        })
    );
    assert_eq!(value["provider_metadata"]["openai"]["quality"], "low");
    assert_eq!(keys(&value["provider_metadata"]), ["openai", "gateway"]);

    let billed_each = Usage { images: 2, ..Default::default() };
    let reply = Product::Image(ImageReply { created: None, ..reply });
    let (_, value) = written(&asked, &reply, &receipt(billed_each, None));
    assert_eq!(
        (keys(&value), &value["created"]),
        (vec!["created", "data", "provider_metadata"], &json!(1_785_881_890))
    );
}

#[test]
fn rerank_answers_in_the_version_asked_for() {
    let score = |f| Number::from_f64(f).unwrap();
    let product = Product::Rerank(RerankReply {
        ranking: vec![Ranked { index: 1, score: score(0.75) }, Ranked { index: 0, score: score(1e-9) }],
        ..Default::default()
    });
    let by_search = receipt(Usage { searches: 1, ..Default::default() }, None);
    let first = r#"{"model":"maker/asked-for","query":"q","documents":["a",{"title":"t","n":[1]}],"return_documents":true}"#;
    let first = rerank::Request::parse(Version::V1, &body(first)).unwrap();
    let (_, value) = written(&first, &product, &by_search);
    assert_eq!(keys(&value), ["id", "results", "meta", "provider_metadata"]);
    assert_eq!(value["id"], context().generation.to_string());
    assert_eq!(
        value["results"],
        json!([
            {"index": 1, "relevance_score": 0.75, "document": {"title": "t", "n": [1]}},
            {"index": 0, "relevance_score": 1e-9, "document": {"text": "a"}},
        ])
    );
    assert_eq!(value["meta"], json!({"api_version": {"version": "1"}, "billed_units": {"search_units": 1}}));
    assert_eq!(value["provider_metadata"]["gateway"]["billableWebSearchCalls"], 0);

    let second = r#"{"model":"maker/asked-for","query":"q","documents":["a","b"],"return_documents":true}"#;
    let second = rerank::Request::parse(Version::V2, &body(second)).unwrap();
    let by_tokens = receipt(Usage { input_uncached: 12, ..Default::default() }, None);
    let (_, value) = written(&second, &product, &by_tokens);
    assert_eq!(value["results"][0], json!({"index": 1, "relevance_score": 0.75}));
    let meta =
        json!({"api_version": {"version": "2"}, "billed_units": {"search_units": 0, "input_tokens": 12}});
    assert_eq!(value["meta"], meta);
}
