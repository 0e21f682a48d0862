use serde_json::{Value, json};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_domain::task::{EmbeddingInput, EmbeddingReply, EmbeddingRequest, Product, Vector};
use tollgate_domain::{Failure, JsonText};

use super::{calls, read};
use crate::Target;

fn target(provider: &str, model: &str) -> Target {
    Target { provider: provider.to_owned(), model: model.to_owned(), ..Target::default() }
}

fn texts(texts: &[&str]) -> EmbeddingRequest {
    let inputs = texts.iter().map(|t| EmbeddingInput::Text((*t).to_owned())).collect();
    EmbeddingRequest { inputs, ..EmbeddingRequest::default() }
}

fn body(request: &EmbeddingRequest, target: &Target) -> Value {
    let calls = calls(request, target).unwrap();
    assert_eq!(
        (calls.len(), &calls[0].path[..], &calls[0].content_type[..]),
        (1, "/embeddings", "application/json")
    );
    serde_json::from_slice(&calls[0].body).unwrap()
}

#[test]
fn each_provider_gets_its_own_members() {
    let request = EmbeddingRequest {
        dimensions: Some(256),
        user: Some("u".into()),
        provider_options: vec![
            ("voyage".into(), json!({"inputType": "query", "model": "other"})),
            ("openai".into(), json!({"x": 1})),
        ],
        ..texts(&["a"])
    };
    for (provider, model, want) in [
        (
            "openai",
            "text-embedding-3-small",
            json!({"model": "text-embedding-3-small", "input": ["a"], "encoding_format": "base64", "dimensions": 256, "user": "u", "x": 1}),
        ),
        (
            "mistral",
            "codestral-embed",
            json!({"model": "codestral-embed", "input": ["a"], "encoding_format": "float", "output_dimension": 256}),
        ),
        (
            "voyage",
            "voyage-4",
            json!({"model": "voyage-4", "input": ["a"], "encoding_format": "base64", "output_dimension": 256, "input_type": "query"}),
        ),
        (
            "perplexity",
            "pplx-embed-v1-4b",
            json!({"model": "pplx-embed-v1-4b", "input": ["a"], "encoding_format": "base64_int8", "dimensions": 256}),
        ),
        (
            "openrouter",
            "m",
            json!({"model": "m", "input": ["a"], "encoding_format": "float", "dimensions": 256}),
        ),
        (
            "azure",
            "Cohere-embed-v3-english",
            json!({"model": "Cohere-embed-v3-english", "input": ["a"], "encoding_format": "float", "dimensions": 256, "x": 1}),
        ),
    ] {
        assert_eq!(body(&request, &target(provider, model)), want);
    }
}

#[test]
fn what_an_endpoint_cannot_do_is_left_to_another() {
    let with_length = EmbeddingRequest { dimensions: Some(8), ..texts(&["a"]) };
    for (provider, model) in [("togetherai", "m"), ("fireworks", "m"), ("openai", "text-embedding-ada-002")] {
        let error = calls(&with_length, &target(provider, model)).unwrap_err();
        assert_eq!((error.kind, error.param.as_deref()), (InputErrorKind::Unsupported, Some("dimensions")));
    }
    let tokens = EmbeddingRequest { inputs: vec![EmbeddingInput::Tokens(vec![5])], ..Default::default() };
    assert_eq!(body(&tokens, &target("openai", "m"))["input"], json!([[5]]));
    for provider in ["mistral", "voyage", "perplexity"] {
        let error = calls(&tokens, &target(provider, "m")).unwrap_err();
        assert_eq!((error.kind, error.param.as_deref()), (InputErrorKind::Unsupported, Some("input")));
    }
}

/// Answers a call with a vector `[n]` for the input `n`, in reverse with the indexes that say so.
fn answered(call: &Value) -> Vec<u8> {
    let inputs = call["input"].as_array().unwrap();
    let mut data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(i, text)| json!({"index": i, "embedding": [text.as_str().unwrap().trim().parse::<u32>().unwrap()]}))
        .collect();
    data.reverse();
    json!({"data": data, "model": "m", "usage": {"prompt_tokens": inputs.len(), "total_tokens": 99}})
        .to_string()
        .into_bytes()
}

fn whole_way(request: &EmbeddingRequest, target: &Target) -> (usize, EmbeddingReply) {
    let calls = calls(request, target).unwrap();
    let mut all: Option<Product> = None;
    for (part, call) in calls.iter().enumerate() {
        let body = answered(&serde_json::from_slice(&call.body).unwrap());
        let product = Product::Embedding(read(request, target, part, &body).unwrap());
        match &mut all {
            Some(all) => all.append(product),
            None => all = Some(product),
        }
    }
    match all {
        Some(Product::Embedding(reply)) => (calls.len(), reply),
        other => panic!("{other:?}"),
    }
}

proptest::proptest! {
    #[test]
    fn splitting_keeps_the_order(count in 1usize..1100, wide in 1usize..200, provider in 0usize..3) {
        let provider = ["voyage", "perplexity", "mistral"][provider];
        let inputs = (0..count).map(|n| EmbeddingInput::Text(format!("{n:<wide$}"))).collect();
        let request = EmbeddingRequest { inputs, ..Default::default() };
        let (_, reply) = whole_way(&request, &target(provider, "m"));
        let want: Vec<_> = (0..count).map(|n| Vector::Json(JsonText::new(format!("[{n}]")))).collect();
        proptest::prop_assert_eq!(&reply.vectors, &want);
        proptest::prop_assert_eq!(reply.usage.unwrap().input_uncached, count as u64);
    }
}

#[test]
fn limits_cut_where_the_provider_would_refuse() {
    let many: Vec<String> = (0..2001).map(|n| n.to_string()).collect();
    let many = texts(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(whole_way(&many, &target("voyage", "m")).0, 3);
    assert_eq!(whole_way(&many, &target("openai", "m")).0, 1);
    let heavy = format!("1{}", " ".repeat(400_000));
    assert_eq!(whole_way(&texts(&[&heavy, &heavy, &heavy]), &target("openai", "m")).0, 3);
}

fn failure(provider: &str, count: usize, body: &Value) -> Failure {
    let inputs = vec!["a"; count];
    read(&texts(&inputs), &target(provider, "m"), 0, body.to_string().as_bytes()).unwrap_err()
}

#[test]
fn answers_that_make_no_sense_are_the_providers_failure() {
    for (count, body, says) in [
        (1, json!({"data": []}), "0 embeddings where 1"),
        (1, json!({"data": [{"embedding": [1]}, {"embedding": [2]}]}), "2 embeddings where 1"),
        (2, json!({"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [2]}]}), "double"),
        (1, json!({"data": [{"index": 3, "embedding": [1]}]}), "out of range"),
        (1, json!({"data": [{"embedding": ["1"]}]}), "else than numbers"),
        (1, json!({"data": [{"embedding": [[1]]}]}), "else than numbers"),
        (1, json!({"data": [{"embedding": [null]}]}), "else than numbers"),
        (1, json!({"data": [{"embedding": "AAA="}]}), "32-bit"),
        (1, json!({"data": [{"embedding": "?"}]}), "cannot be read"),
        (1, json!({"data": [{"embedding": 7}]}), "neither"),
        (1, json!({"object": "list"}), "no member 'data'"),
        (1, json!([]), "no member 'data'"),
    ] {
        let failure = failure("openai", count, &body);
        assert_eq!(failure.class, FailureClass::Server, "{body}");
        assert!(failure.message.contains(says), "{body}: {}", failure.message);
    }
    let error = failure("voyage", 1, &json!({"detail": "Rate limit reached for requests"}));
    assert_eq!(error.message, "Rate limit reached for requests");
}

#[test]
fn signed_bytes_become_numbers() {
    let body = json!({"data": [{"embedding": "9gB/gA=="}]}).to_string();
    let reply = read(&texts(&["a"]), &target("perplexity", "m"), 0, body.as_bytes()).unwrap();
    assert_eq!(reply.vectors, [Vector::Json(JsonText::new("[-10,0,127,-128]".into()))]);
    assert_eq!(reply.usage, None);
}
