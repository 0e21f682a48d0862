use tollgate_domain::task::{
    EmbeddingInput, EmbeddingReply, GeneratedImage, ImageReply, Product, Ranked, RerankDocument, RerankReply,
    Task, Vector,
};
use tollgate_domain::{Receipt, Warning};

use super::*;

fn bytes(body: &Value) -> Bytes {
    Bytes::from(body.to_string())
}

fn encoded(request: &dyn TaskRequest, product: &Product, receipt: &Receipt) -> Value {
    assert_eq!(request.surface(), "ai_sdk");
    assert!(!request.head().stream);
    serde_json::from_slice(&request.encode(&context(), product, receipt)).unwrap()
}

#[test]
fn embeddings() {
    let body = json!({"values": ["a", "b"], "dimensions": 8, "providerOptions": {"gateway": {"tags": ["t"], "safetyIdentifier": "u1"}, "openai": {"x": 1}}});
    let request = EmbeddingRequest::parse(Version::V4, "openai/embed", &bytes(&body)).unwrap();
    assert_eq!((request.head().model.as_str(), request.head().options.tags.len()), ("openai/embed", 1));
    let Task::Embedding(task) = request.task() else { panic!("embeddings") };
    assert_eq!(task.inputs, [EmbeddingInput::Text("a".into()), EmbeddingInput::Text("b".into())]);
    assert_eq!(
        (task.dimensions, task.user.as_deref(), task.provider_options.len()),
        (Some(8), Some("u1"), 1)
    );
    let vectors = vec![Vector::Json(JsonText::new("[0.10, 2e-7]".into())), Vector::Base64("AAAAPw==".into())];
    let product = Product::Embedding(EmbeddingReply { vectors, ..EmbeddingReply::default() });
    let raw = String::from_utf8(request.encode(&context(), &product, &receipt())).unwrap();
    assert!(raw.starts_with(r#"{"embeddings":[[0.10, 2e-7],[0.5]],"usage":{"tokens":16},"#), "{raw}");
    let shown = encoded(&request, &product, &receipt());
    assert_eq!(shown["providerMetadata"]["gateway"]["generationId"], context().generation.to_string());
    assert_eq!(shown["warnings"][0]["type"], "unsupported");
    // Clients of the oldest line send one value as it stands.
    let older = EmbeddingRequest::parse(Version::V2, "a/b", &bytes(&json!({"input": "only"}))).unwrap();
    let Task::Embedding(task) = older.task() else { panic!("embeddings") };
    assert_eq!(task.inputs, [EmbeddingInput::Text("only".into())]);
    assert_eq!(encoded(&older, &product, &receipt()).get("warnings"), None);
}

#[test]
fn images() {
    let body = json!({"prompt": "a cat", "n": 2, "size": "512x512", "aspectRatio": "1:1", "seed": 5,
        "files": [{"type": "file", "mediaType": "image/png", "data": "QUJD"}, {"type": "url", "url": "https://x.test/i.png"}],
        "mask": {"type": "file", "mediaType": "image/png", "data": "QUJD"}, "providerOptions": {"openai": {"quality": "low"}}});
    let request = ImageRequest::parse(Version::V3, "openai/image", &bytes(&body)).unwrap();
    assert!(request.head().needs.image_output && request.head().needs.images);
    let Task::Image(task) = request.task() else { panic!("images") };
    assert_eq!(
        (task.prompt.as_str(), task.count, task.size.as_deref(), task.aspect_ratio.as_deref(), task.seed),
        ("a cat", Some(2), Some("512x512"), Some("1:1"), Some(5))
    );
    assert_eq!(task.images[0].data, FileData::Base64("QUJD".into()));
    assert_eq!(
        (task.images[1].media_type.as_str(), &task.images[1].data),
        ("image/*", &FileData::Url("https://x.test/i.png".into()))
    );
    assert!(task.mask.is_some());
    let image = |prompt: Option<&str>| GeneratedImage {
        data: FileData::Base64("QUJD".into()),
        media_type: None,
        revised_prompt: prompt.map(str::to_owned),
    };
    let warning = Warning::unsupported("seed", "left out");
    let reply = ImageReply {
        images: vec![image(Some("a small cat")), image(None)],
        native: Some(JsonText::new(r#"{"created":1}"#.into())),
        warnings: vec![warning.clone()],
        ..ImageReply::default()
    };
    let mut told = receipt();
    told.warnings = vec![warning];
    let product = Product::Image(reply);
    let shown = encoded(&request, &product, &told);
    assert_eq!(shown["images"], json!(["QUJD", "QUJD"]));
    assert_eq!(
        shown["warnings"],
        json!([{"type": "unsupported", "feature": "seed", "details": "left out"}]),
        "told once"
    );
    assert_eq!(
        shown["providerMetadata"]["anthropic"],
        json!({"created": 1, "images": [{"revisedPrompt": "a small cat"}, {}]})
    );
    assert_eq!(shown["usage"], json!({"inputTokens": 16, "outputTokens": 8, "totalTokens": 24}));
    let older = ImageRequest::parse(Version::V2, "a/b", &bytes(&json!({"prompt": "x", "n": 1}))).unwrap();
    assert_eq!(
        encoded(&older, &product, &told)["warnings"],
        json!([{"type": "other", "message": "seed: left out"}])
    );
}

#[test]
fn rerank() {
    let body = json!({"query": "q", "documents": {"type": "text", "values": ["a", "b"]}, "topN": 1});
    let request = RerankRequest::parse(Version::V4, "cohere/rerank", &bytes(&body)).unwrap();
    let Task::Rerank(task) = request.task() else { panic!("rerank") };
    assert_eq!((task.query.as_str(), task.top_n), ("q", Some(1)));
    assert_eq!(task.documents, [RerankDocument::Text("a".into()), RerankDocument::Text("b".into())]);
    let ranking = vec![Ranked { index: 1, score: serde_json::from_str("0.75").unwrap() }];
    let shown =
        encoded(&request, &Product::Rerank(RerankReply { ranking, ..RerankReply::default() }), &receipt());
    assert_eq!(shown["ranking"], json!([{"index": 1, "relevanceScore": 0.75}]));
    let body = json!({"query": "q", "documents": {"type": "object", "values": [{"t": "a"}]}});
    let request = RerankRequest::parse(Version::V3, "cohere/rerank", &bytes(&body)).unwrap();
    let Task::Rerank(task) = request.task() else { panic!("rerank") };
    assert_eq!(task.documents, [RerankDocument::Object(json!({"t": "a"}))]);
}

#[test]
fn wrong_tasks_name_the_place() {
    let embedding =
        |body: Value| EmbeddingRequest::parse(Version::V4, "a/b", &bytes(&body)).map(|_| ()).unwrap_err();
    let image = |body: Value| ImageRequest::parse(Version::V4, "a/b", &bytes(&body)).map(|_| ()).unwrap_err();
    let rerank =
        |body: Value| RerankRequest::parse(Version::V4, "a/b", &bytes(&body)).map(|_| ()).unwrap_err();
    for (error, path) in [
        (embedding(json!({})), "values"),
        (embedding(json!({"values": []})), "values"),
        (embedding(json!({"values": ["a", 1]})), "values[1]"),
        (embedding(json!({"values": ["a"], "dimensions": "8"})), "dimensions"),
        (image(json!({})), "prompt"),
        (image(json!({"prompt": "x", "n": "two"})), "n"),
        (image(json!({"prompt": "x", "files": [{"type": "odd"}]})), "files[0].type"),
        (image(json!({"prompt": "x", "mask": {"type": "url"}})), "mask.url"),
        (rerank(json!({"query": "q"})), "documents"),
        (rerank(json!({"documents": {"type": "text", "values": ["a"]}})), "query"),
        (rerank(json!({"query": "q", "documents": {"type": "odd"}})), "documents.type"),
        (rerank(json!({"query": "q", "documents": {"type": "text", "values": []}})), "documents.values"),
        (rerank(json!({"query": "q", "documents": {"type": "text", "values": [1]}})), "documents.values[0]"),
        (
            rerank(json!({"query": "q", "documents": {"type": "object", "values": ["a"]}})),
            "documents.values[0]",
        ),
        (
            EmbeddingRequest::parse(Version::V4, "", &bytes(&json!({"values": ["a"]})))
                .map(|_| ())
                .unwrap_err(),
            MODEL_HEADER,
        ),
    ] {
        assert_eq!((error.param.as_deref(), error.status()), (Some(path), 400), "{error}");
    }
}
