//! Tests of counts, embeddings and images.

use serde_json::{Value, json};
use tollgate_domain::conversation::{File, FileData, Message, Part, Role};
use tollgate_domain::failure::{FailureClass, Retry};
use tollgate_domain::task::{EmbeddingInput, EmbeddingRequest, ImageRequest, Vector};
use tollgate_domain::{Conversation, JsonText, Usage};

use super::{count_path, count_tokens, embeddings, images, read_count};
use crate::codec::{Target, TaskCall};

fn target(provider: &str, model: &str) -> Target {
    Target { provider: provider.into(), model: model.into(), ..Target::default() }
}

fn google(model: &str) -> Target {
    target("google", model)
}

fn sent(calls: &[TaskCall]) -> Vec<(&str, Value)> {
    calls.iter().map(|call| (call.path.as_str(), serde_json::from_slice(&call.body).unwrap())).collect()
}

fn texts(count: usize) -> EmbeddingRequest {
    let inputs = (0..count).map(|n| EmbeddingInput::Text(format!("t{n}"))).collect();
    EmbeddingRequest { inputs, ..EmbeddingRequest::default() }
}

#[test]
fn counts_are_asked_of_the_whole_request() {
    let said = |role, text: &str| Message { role, name: None, parts: vec![Part::text(text)], cache: None };
    let mut conversation = Conversation {
        messages: vec![said(Role::System, "s"), said(Role::User, "u")],
        ..Conversation::default()
    };
    conversation.settings.seed = Some(1);
    assert_eq!(count_path(&google("gemini-3-flash")), "/models/gemini-3-flash:countTokens");
    let body = |target: &Target| -> Value {
        serde_json::from_slice(&count_tokens(&conversation, target).unwrap()).unwrap()
    };
    let system = json!({"parts": [{"text": "s"}]});
    let contents = json!([{"role": "user", "parts": [{"text": "u"}]}]);
    assert_eq!(
        body(&google("gemini-3-flash")),
        json!({"generateContentRequest": {
            "systemInstruction": system, "contents": contents, "generationConfig": {"seed": 1}, "model": "models/gemini-3-flash",
        }})
    );
    assert_eq!(
        body(&target("vertex", "gemini-3-flash")),
        json!({"systemInstruction": system, "contents": contents})
    );
    let read = |text: &str| read_count(&google("m"), text.as_bytes());
    assert_eq!(read(r#"{"totalTokens":31,"promptTokensDetails":[]}"#), Ok(31));
    assert_eq!(read("{}").unwrap_err().class, FailureClass::Server);
    let missing = read(r#"{"error":{"code":404,"message":"models/m is not found","status":"NOT_FOUND"}}"#);
    assert_eq!(missing.unwrap_err().class, FailureClass::NotFound);
}

#[test]
fn embeddings_are_cut_into_calls() {
    let mut request = texts(101);
    request.dimensions = Some(768);
    request.provider_options =
        vec![("google".into(), json!({"taskType": "RETRIEVAL_DOCUMENT", "title": "T"}))];
    let calls = embeddings::calls(&request, &google("gemini-embedding-001")).unwrap();
    let found = sent(&calls);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, "/models/gemini-embedding-001:batchEmbedContents");
    assert_eq!(found[0].1["requests"].as_array().map(Vec::len), Some(100));
    assert_eq!(
        found[1].1,
        json!({"requests": [{
            "model": "models/gemini-embedding-001", "content": {"parts": [{"text": "t100"}]},
            "taskType": "RETRIEVAL_DOCUMENT", "title": "T", "outputDimensionality": 768,
        }]})
    );
    let calls = embeddings::calls(&texts(1), &google("gemini-embedding-001")).unwrap();
    assert_eq!(sent(&calls)[0].0, "/models/gemini-embedding-001:embedContent");
    let calls = embeddings::calls(&texts(2), &google("gemini-embedding-2")).unwrap();
    assert_eq!(
        sent(&calls)[1],
        (
            "/models/gemini-embedding-2:embedContent",
            json!({"model": "models/gemini-embedding-2", "content": {"parts": [{"text": "t1"}]}})
        )
    );
    let vertex = target("vertex", "text-embedding-005");
    let calls = embeddings::calls(&request, &vertex).unwrap();
    let found = sent(&calls);
    assert_eq!((found.len(), found[0].0), (1, "/models/text-embedding-005:predict"));
    assert_eq!(
        found[0].1["instances"][1],
        json!({"content": "t1", "task_type": "RETRIEVAL_DOCUMENT", "title": "T"})
    );
    assert_eq!(found[0].1["parameters"], json!({"outputDimensionality": 768}));
    assert_eq!(embeddings::calls(&texts(3), &target("vertex", "gemini-embedding-001")).unwrap().len(), 3);
}

#[test]
fn what_is_no_text_cannot_be_embedded() {
    let tokens =
        EmbeddingRequest { inputs: vec![EmbeddingInput::Tokens(vec![1])], ..EmbeddingRequest::default() };
    let error = embeddings::calls(&tokens, &google("m")).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("input[0]"));
    assert!(embeddings::calls(&texts(0), &google("m")).is_err());
}

#[test]
fn i17_vectors_keep_their_digits() {
    let read = |request: &EmbeddingRequest, target: &Target, part, text: &str| {
        embeddings::read(request, target, part, text.as_bytes())
    };
    let vector = |text: &str| Vector::Json(JsonText::new(text.to_owned()));
    let model = google("gemini-embedding-001");
    let one = read(
        &texts(1),
        &model,
        0,
        r#"{"embedding":{"values":[0.10,-1e-05]},"usageMetadata":{"promptTokenCount":4}}"#,
    )
    .unwrap();
    assert_eq!(one.vectors, [vector("[0.10,-1e-05]")]);
    assert_eq!(one.usage, Some(Usage { input_uncached: 4, ..Usage::default() }));
    let rest = read(&texts(101), &model, 1, r#"{"embeddings":[{"values":[1]}]}"#).unwrap();
    assert_eq!((rest.vectors.len(), rest.usage), (1, None));
    let vertex = target("vertex", "text-embedding-005");
    let two = r#"{"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":2}}},{"embeddings":{"values":[2],"statistics":{"token_count":3}}}]}"#;
    let two = read(&texts(2), &vertex, 0, two).unwrap();
    assert_eq!((two.vectors, two.usage.unwrap().input_total()), (vec![vector("[1]"), vector("[2]")], 5));
    for (body, class) in [
        (r#"{"embeddings":[{"values":[1]}]}"#, FailureClass::Server),
        (r#"{"embeddings":[{},{}]}"#, FailureClass::Server),
        ("nothing", FailureClass::Server),
        (
            r#"{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}"#,
            FailureClass::RateLimit,
        ),
    ] {
        assert_eq!(read(&texts(2), &model, 0, body).unwrap_err().class, class, "{body}");
    }
}

fn drawing() -> ImageRequest {
    ImageRequest { prompt: "a cat".into(), ..ImageRequest::default() }
}

#[test]
fn imagen_predicts_up_to_four_images_a_call() {
    let request = ImageRequest {
        count: Some(6),
        size: Some("1792x1024".into()),
        seed: Some(3),
        provider_options: vec![("google".into(), json!({"personGeneration": "dont_allow"}))],
        ..drawing()
    };
    let calls = images::calls(&request, &target("vertex", "imagen-4.0-generate-001")).unwrap();
    let found = sent(&calls);
    assert_eq!(
        found.iter().map(|(_, b)| b["parameters"]["sampleCount"].as_u64()).collect::<Vec<_>>(),
        [Some(4), Some(2)]
    );
    assert_eq!(
        found[1],
        (
            "/models/imagen-4.0-generate-001:predict",
            json!({
                "instances": [{"prompt": "a cat"}],
                "parameters": {"sampleCount": 2, "aspectRatio": "16:9", "seed": 3, "addWatermark": false, "personGeneration": "dont_allow"},
            })
        )
    );
    let google = google("imagen-4.0-generate-001");
    let calls = images::calls(&request, &google).unwrap();
    assert_eq!(sent(&calls)[0].1["parameters"].get("seed"), None);
    let body = br#"{"predictions":[{"bytesBase64Encoded":"AA==","mimeType":"image/png"}]}"#;
    let warned = images::read(&request, &google, 0, body).unwrap().warnings;
    assert_eq!(warned.iter().map(|w| w.feature.as_str()).collect::<Vec<_>>(), ["seed"]);
}

#[test]
fn gemini_models_draw_one_image_a_call() {
    let image = File {
        media_type: "image/png".into(),
        data: FileData::Base64("AA==".into()),
        filename: None,
        detail: None,
    };
    let request = ImageRequest {
        count: Some(2),
        aspect_ratio: Some("3:2".into()),
        size: Some("2K".into()),
        seed: Some(7),
        images: vec![image],
        provider_options: vec![("google".into(), json!({"imageConfig": {"x": 1}, "safetySettings": []}))],
        ..drawing()
    };
    let calls = images::calls(&request, &google("gemini-3-pro-image")).unwrap();
    let found = sent(&calls);
    assert_eq!((found.len(), found[0].0), (2, "/models/gemini-3-pro-image:generateContent"));
    assert_eq!(
        found[1].1,
        json!({
            "contents": [{"role": "user", "parts": [{"text": "a cat"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}],
            "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "seed": 8, "imageConfig": {"aspectRatio": "3:2", "imageSize": "2K", "x": 1}},
            "safetySettings": [],
        })
    );
}

#[test]
fn images_that_cannot_be_asked_for() {
    let file = || File {
        media_type: "image/png".into(),
        data: FileData::Base64("AA==".into()),
        filename: None,
        detail: None,
    };
    let param =
        |request: &ImageRequest, model: &str| images::calls(request, &google(model)).unwrap_err().param;
    let masked = ImageRequest { mask: Some(file()), ..drawing() };
    assert_eq!(param(&masked, "gemini-3-pro-image").as_deref(), Some("mask"));
    let changed = ImageRequest { images: vec![file()], ..drawing() };
    assert_eq!(param(&changed, "imagen-4.0-generate-001").as_deref(), Some("image"));
    let many = ImageRequest { count: Some(1000), ..drawing() };
    assert_eq!(param(&many, "gemini-3-pro-image").as_deref(), Some("n"));
}

#[test]
fn images_are_read_and_counted() {
    let imagen = google("imagen-4.0-generate-001");
    let body = json!({"predictions": [{"bytesBase64Encoded": "AA==", "mimeType": "image/png", "prompt": "a fine cat"}, {"raiFilteredReason": "no people"}]});
    let reply = images::read(&drawing(), &imagen, 0, body.to_string().as_bytes()).unwrap();
    assert_eq!(reply.images.len(), 1);
    assert_eq!(reply.images[0].revised_prompt.as_deref(), Some("a fine cat"));
    assert_eq!(reply.usage, Some(Usage { images: 1, ..Usage::default() }));
    assert_eq!(reply.warnings.len(), 1);
    for (body, class) in [
        (json!({"predictions": [{"raiFilteredReason": "no people"}]}), FailureClass::ContentFilter),
        (json!({"predictions": [{"raiFilteredReason": " "}]}), FailureClass::ContentFilter),
        (json!({}), FailureClass::ContentFilter),
        (
            json!({"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}),
            FailureClass::InvalidRequest,
        ),
    ] {
        let failure = images::read(&drawing(), &imagen, 0, body.to_string().as_bytes()).unwrap_err();
        assert_eq!(failure.class, class, "{body}");
        assert!(!failure.message.trim().is_empty(), "{body}");
    }
}

#[test]
fn drawn_images_are_read_with_their_tokens() {
    let model = google("gemini-2.5-flash-image");
    let body = json!({
        "candidates": [{"content": {"parts": [{"text": "Here."}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1295, "totalTokenCount": 1300, "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}]},
    });
    let request = ImageRequest { extra: vec![("quality".into(), "high".into())], ..drawing() };
    let reply = images::read(&request, &model, 0, body.to_string().as_bytes()).unwrap();
    assert_eq!(reply.images[0].data, FileData::Base64("AA==".into()));
    let usage =
        Usage { input_uncached: 5, output_text: 5, output_image: 1290, images: 1, ..Usage::default() };
    assert_eq!(reply.usage, Some(usage));
    assert_eq!(reply.warnings.len(), 1);
    assert!(images::read(&request, &model, 1, body.to_string().as_bytes()).unwrap().warnings.is_empty());
    let without = |finish: &str, parts: Value| {
        let body = json!({"candidates": [{"content": {"parts": parts}, "finishReason": finish}]});
        images::read(&drawing(), &model, 0, body.to_string().as_bytes()).unwrap_err()
    };
    assert_eq!(without("IMAGE_SAFETY", json!([])).class, FailureClass::ContentFilter);
    let spoken = without("STOP", json!([{"text": "I cannot."}]));
    assert_eq!((spoken.class, spoken.retry), (FailureClass::Server, Retry::OtherTarget));
    assert!(spoken.message.ends_with("I cannot."));
}
