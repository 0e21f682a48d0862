//! Embeddings, rerank and images: every example and recorded exchange. The recorded request must be what is
//! written for the same neutral request, and the answer must give what it holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tollgate_domain::Usage;
use tollgate_domain::conversation::{File, FileData};
use tollgate_domain::failure::{Failure, Retry};
use tollgate_domain::task::{
    EmbeddingInput, EmbeddingReply, EmbeddingRequest, ImageReply, ImageRequest, RerankDocument, RerankReply,
    RerankRequest, Vector,
};
use tollgate_providers::classify::classify;
use tollgate_providers::openai::{embeddings, images};
use tollgate_providers::{Target, TaskCall, cohere, rerank};

use crate::fixture::{self, Fixture};

/// Recorded exchanges of each protocol and operation that the folder holds, so that none is skipped unseen.
const RECORDED: [(&str, &str, usize); 5] = [
    ("openai-embeddings", "embedding", 15),
    ("cohere-v2", "embedding", 4),
    ("cohere-v2", "rerank", 3),
    ("rerank", "rerank", 3),
    ("openai-images", "image", 9),
];

fn target(fixture: &Fixture) -> Target {
    let model = fixture.request.as_ref().and_then(|body| body["model"].as_str()).unwrap_or("m");
    Target { provider: fixture.provider.clone(), model: model.to_owned(), ..Target::default() }
}

fn answer(fixture: &Fixture) -> Value {
    serde_json::from_slice(&fixture.body).unwrap()
}

/// A recorded body with `null` members taken out, which clients of some providers write for "not said".
fn said(body: &Value) -> Map<String, Value> {
    body.as_object()
        .unwrap()
        .iter()
        .filter(|(_, v)| !v.is_null())
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// Members that no neutral member stands for, as the options of the provider.
fn options(fixture: &Fixture, body: &Map<String, Value>, known: &[&str]) -> Vec<(String, Value)> {
    let rest: Map<String, Value> = body
        .iter()
        .filter(|(k, _)| !known.contains(&k.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    vec![(fixture.provider.clone(), Value::Object(rest))]
}

/// The one call, and that each member of the recorded request stands in it; what it holds beyond must be in
/// `beyond`.
fn assert_written(fixture: &Fixture, calls: &[TaskCall], mut want: Map<String, Value>, beyond: &[&str]) {
    let [call] = calls else { panic!("{}: {} calls", fixture.name, calls.len()) };
    let mut written: Map<String, Value> = serde_json::from_slice(&call.body).unwrap();
    if let Some(single) = want.get("input").filter(|input| input.is_string()).cloned() {
        want.insert("input".to_owned(), json!([single]));
    }
    written.retain(|name, _| want.contains_key(name) || !beyond.contains(&name.as_str()));
    assert_eq!(Value::from(written), Value::from(want), "{}", fixture.name);
}

fn assert_error(fixture: &Fixture) {
    let (name, expect) = (&fixture.name, &fixture.expect);
    let failure: Failure = classify(&fixture.provider, fixture.status, &fixture.headers, &fixture.body);
    assert_eq!(failure.class.as_str(), expect["error_class"], "{name}");
    assert_eq!(u64::from(fixture.status), expect["error_status"], "{name}");
    assert_eq!(matches!(failure.retry, Retry::SameTarget(_)), expect["retry_same_endpoint"], "{name}");
    assert_eq!(failure.retry != Retry::Never, expect["fallback_next_endpoint"], "{name}");
}

fn assert_usage(fixture: &Fixture, usage: Option<Usage>, fallback: Value) {
    let usage = usage.unwrap_or_default();
    let all = json!({
        "input_total": usage.input_total(),
        "output_total": usage.output_total(),
        "searches": usage.searches,
    });
    let want = fixture.expect.get("usage").cloned().unwrap_or(fallback);
    for (name, value) in want.as_object().unwrap() {
        assert_eq!(&all[name], value, "{}: {name}", fixture.name);
    }
    assert!(!usage.anomaly, "{}", fixture.name);
}

fn numbers(vector: &Vector) -> Vec<f64> {
    match vector {
        Vector::Json(text) => serde_json::from_str(text.as_str()).unwrap(),
        Vector::Base64(text) => {
            let bytes = STANDARD.decode(text).unwrap();
            bytes.chunks(4).map(|quad| f64::from(f32::from_le_bytes(quad.try_into().unwrap()))).collect()
        }
    }
}

fn embedding_request(fixture: &Fixture, count: usize) -> (EmbeddingRequest, Option<Map<String, Value>>) {
    let Some(recorded) = &fixture.request else {
        let inputs = vec![EmbeddingInput::Text("a".into()); count];
        return (EmbeddingRequest { inputs, ..Default::default() }, None);
    };
    let body = said(recorded);
    let input = body.get("input").or_else(|| body.get("texts")).unwrap();
    let items = input.as_array().cloned().unwrap_or_else(|| vec![input.clone()]);
    let one = |item: &Value| match item {
        Value::String(text) => EmbeddingInput::Text(text.clone()),
        tokens => EmbeddingInput::Tokens(serde_json::from_value(tokens.clone()).unwrap()),
    };
    let known = ["model", "input", "texts", "dimensions", "output_dimension", "user"];
    let request = EmbeddingRequest {
        inputs: items.iter().map(one).collect(),
        dimensions: body.get("dimensions").or_else(|| body.get("output_dimension")).and_then(Value::as_u64),
        user: body.get("user").and_then(Value::as_str).map(str::to_owned),
        provider_options: options(fixture, &body, &known),
    };
    (request, Some(body))
}

fn assert_vectors(fixture: &Fixture, reply: &EmbeddingReply, sent: &[Value]) {
    assert_eq!(reply.vectors.len(), sent.len(), "{}", fixture.name);
    for (vector, sent) in reply.vectors.iter().zip(sent) {
        match (vector, sent) {
            // Numbers are kept to the digit; base64 is kept as it is.
            (Vector::Json(text), Value::Array(_)) => assert_eq!(text.to_value(), *sent, "{}", fixture.name),
            (Vector::Base64(text), Value::String(_)) => assert_eq!(text, sent, "{}", fixture.name),
            // Signed bytes.
            (Vector::Json(_), Value::String(text)) => {
                let bytes = STANDARD.decode(text).unwrap();
                let want: Vec<f64> = bytes.iter().map(|b| f64::from(b.cast_signed())).collect();
                assert_eq!(numbers(vector), want, "{}", fixture.name);
            }
            other => panic!("{}: {other:?}", fixture.name),
        }
        assert!(!numbers(vector).is_empty(), "{}", fixture.name);
    }
    if let Some(want) = fixture.expect.get("vectors") {
        let found: Vec<Vec<f64>> = reply.vectors.iter().map(numbers).collect();
        let want: Vec<Vec<f64>> = serde_json::from_value(want.clone()).unwrap();
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
        let same = found.len() == want.len()
            && found.iter().zip(&want).all(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(close));
        assert!(same, "{}: {found:?}", fixture.name);
    }
}

fn openai_embedding(fixture: &Fixture) {
    let answer = answer(fixture);
    let mut data = answer["data"].as_array().unwrap().clone();
    data.sort_by_key(|item| item["index"].as_u64());
    let (request, body) = embedding_request(fixture, data.len());
    let target = target(fixture);
    if let Some(body) = body {
        let calls = embeddings::calls(&request, &target).unwrap();
        assert_written(fixture, &calls, body, &["encoding_format"]);
    }
    let reply = embeddings::read(&request, &target, 0, &fixture.body).unwrap();
    let sent: Vec<Value> = data.iter().map(|item| item["embedding"].clone()).collect();
    assert_vectors(fixture, &reply, &sent);
    assert_eq!(reply.info.model.as_deref(), answer["model"].as_str(), "{}", fixture.name);
    assert_usage(fixture, reply.usage, json!({"input_total": answer["usage"]["total_tokens"]}));
}

fn cohere_embedding(fixture: &Fixture) {
    let answer = answer(fixture);
    let sent = answer["embeddings"]["float"].as_array().unwrap();
    let (request, body) = embedding_request(fixture, sent.len());
    let target = target(fixture);
    if let Some(body) = body {
        assert_written(fixture, &cohere::embed::calls(&request, &target).unwrap(), body, &[]);
    }
    let reply = cohere::embed::read(&request, &target, 0, &fixture.body).unwrap();
    assert_vectors(fixture, &reply, sent);
    assert_usage(
        fixture,
        reply.usage,
        json!({"input_total": answer["meta"]["billed_units"]["input_tokens"]}),
    );
}

fn any_rerank(fixture: &Fixture) {
    let answer = answer(fixture);
    let results = answer.get("results").or_else(|| answer.get("data")).and_then(Value::as_array).unwrap();
    let most = results.iter().filter_map(|r| r["index"].as_u64()).max().unwrap();
    let target = target(fixture);
    let body = fixture.request.as_ref().map(said);
    let documents: Vec<String> = match &body {
        Some(body) => serde_json::from_value(body["documents"].clone()).unwrap(),
        None => vec!["a".to_owned(); usize::try_from(most).unwrap() + 1],
    };
    let number = |names: &[&str]| names.iter().find_map(|name| body.as_ref()?.get(*name)?.as_u64());
    let known = ["model", "query", "documents", "top_n", "top_k", "max_tokens_per_doc"];
    let request = RerankRequest {
        query: body.as_ref().map_or_else(String::new, |b| b["query"].as_str().unwrap().to_owned()),
        documents: documents.into_iter().map(RerankDocument::Text).collect(),
        top_n: number(&["top_n", "top_k"]),
        max_tokens_per_document: number(&["max_tokens_per_doc"]),
        provider_options: body.as_ref().map(|b| options(fixture, b, &known)).unwrap_or_default(),
        ..Default::default()
    };
    let is_cohere = fixture.provider == "cohere";
    if let Some(body) = body {
        let calls = if is_cohere {
            cohere::rerank::calls(&request, &target)
        } else {
            rerank::calls(&request, &target)
        };
        assert_written(fixture, &calls.unwrap(), body, &[]);
    }
    let reply: RerankReply = if is_cohere {
        cohere::rerank::read(&request, &target, 0, &fixture.body)
    } else {
        rerank::read(&request, &target, 0, &fixture.body)
    }
    .unwrap();
    let found: Vec<Value> = reply.ranking.iter().map(|r| json!([r.index, r.score])).collect();
    let sent = results.iter().map(|r| json!([r["index"], r["relevance_score"]])).collect();
    let want: Vec<Value> =
        fixture.expect.get("ranking").map_or(sent, |ranking| ranking.as_array().unwrap().clone());
    assert_eq!(found, want, "{}", fixture.name);
    let fallback = match answer.pointer("/meta/billed_units/search_units") {
        Some(units) => json!({"searches": units}),
        None => json!({"input_total": answer["usage"]["total_tokens"], "searches": 0}),
    };
    assert_usage(fixture, reply.usage, fallback);
}

fn image_file(item: &Value) -> File {
    let url = item["image_url"].as_str().or_else(|| item["url"].as_str()).unwrap();
    let (media_type, data) = match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, data)) => (media_type, FileData::Base64(data.to_owned())),
        None => ("image/*", FileData::Url(url.to_owned())),
    };
    File { media_type: media_type.to_owned(), data, filename: None, detail: None }
}

fn image_request(fixture: &Fixture) -> (ImageRequest, Option<Map<String, Value>>) {
    let Some(recorded) = &fixture.request else { return (ImageRequest::default(), None) };
    let body = said(recorded);
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let size = body.get("width").map(|width| format!("{width}x{}", body["height"])).or_else(|| text("size"));
    let extra = ["quality", "background", "output_format", "style"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())))
        .collect();
    let request = ImageRequest {
        prompt: text("prompt").unwrap(),
        count: body.get("n").and_then(Value::as_u64),
        size,
        aspect_ratio: text("aspect_ratio"),
        seed: body.get("seed").and_then(Value::as_i64),
        images: body.get("images").and_then(Value::as_array).into_iter().flatten().map(image_file).collect(),
        extra,
        ..Default::default()
    };
    (request, Some(body))
}

fn openai_image(fixture: &Fixture) {
    let answer = answer(fixture);
    let target = target(fixture);
    let (request, body) = image_request(fixture);
    if let Some(body) = body {
        let edits = body.contains_key("images");
        let calls = images::calls(&request, &target).unwrap();
        let path = if edits { "/images/edits" } else { "/images/generations" };
        assert_eq!(calls[0].path, path, "{}", fixture.name);
        assert_written(fixture, &calls, body, &["response_format"]);
    }
    if fixture.status >= 400 {
        return assert_error(fixture);
    }
    let reply: ImageReply = images::read(&request, &target, 0, &fixture.body).unwrap();
    let sent = answer["data"].as_array().unwrap();
    assert_eq!(reply.images.len(), sent.len(), "{}", fixture.name);
    for (image, sent) in reply.images.iter().zip(sent) {
        let want = match sent["b64_json"].as_str() {
            Some(text) => FileData::Base64(text.to_owned()),
            None => FileData::Url(sent["url"].as_str().unwrap().to_owned()),
        };
        assert_eq!(image.data, want, "{}", fixture.name);
        assert_eq!(image.revised_prompt.as_deref(), sent["revised_prompt"].as_str(), "{}", fixture.name);
        assert!(image.media_type.is_some() || matches!(image.data, FileData::Url(_)), "{}", fixture.name);
    }
    assert_eq!(reply.created, answer["created"].as_i64(), "{}", fixture.name);
    assert_eq!(reply.usage.unwrap().images, sent.len() as u64, "{}", fixture.name);
    if let Some(count) = fixture.expect.get("images") {
        assert_eq!(sent.len() as u64, *count, "{}", fixture.name);
    }
    assert_usage(fixture, reply.usage, json!({"input_total": 0, "output_total": 0}));
}

fn assert_one(protocol: &str, operation: &str, fixture: &Fixture) {
    match (protocol, operation) {
        ("openai-images", _) => openai_image(fixture),
        _ if fixture.status >= 400 => assert_error(fixture),
        ("openai-embeddings", _) => openai_embedding(fixture),
        ("cohere-v2", "embedding") => cohere_embedding(fixture),
        _ => any_rerank(fixture),
    }
}

#[test]
fn task_examples_are_written_and_read_as_expected() {
    for (protocol, operation, _) in RECORDED {
        for fixture in fixture::examples_of("tasks", protocol, operation) {
            assert!(fixture.expect.is_object(), "{}", fixture.name);
            assert_one(protocol, operation, &fixture);
        }
    }
}

#[test]
fn task_recordings_are_written_and_read_as_expected() {
    for (protocol, operation, count) in RECORDED {
        let found = fixture::recorded(protocol, operation);
        for fixture in &found {
            assert_one(protocol, operation, fixture);
        }
        assert!(found.is_empty() || found.len() >= count, "{protocol} {operation}: {}", found.len());
        eprintln!("{protocol} {operation}: {} recorded exchanges as expected", found.len());
    }
}
