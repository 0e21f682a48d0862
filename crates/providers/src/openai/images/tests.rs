use serde_json::{Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{File, FileData};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_domain::task::ImageRequest;

use super::form::tests::read as read_form;
use super::{calls, read};
use crate::{Target, TaskCall};

fn target(provider: &str, model: &str) -> Target {
    Target { provider: provider.to_owned(), model: model.to_owned(), ..Target::default() }
}

fn request() -> ImageRequest {
    ImageRequest { prompt: "a cat".into(), ..ImageRequest::default() }
}

fn png(data: &str) -> File {
    File { media_type: "image/png".into(), data: FileData::Base64(data.into()), filename: None, detail: None }
}

fn linked(url: &str) -> File {
    File { media_type: "image/*".into(), data: FileData::Url(url.into()), filename: None, detail: None }
}

fn one(request: &ImageRequest, target: &Target) -> TaskCall {
    let mut calls = calls(request, target).unwrap();
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

fn body(call: &TaskCall) -> Value {
    assert_eq!(call.content_type, "application/json");
    serde_json::from_slice(&call.body).unwrap()
}

fn refused(request: &ImageRequest, target: &Target) -> InputError {
    calls(request, target).unwrap_err()
}

#[test]
fn each_provider_gets_its_own_members() {
    let asked = ImageRequest {
        count: Some(1),
        size: Some("1024x768".into()),
        aspect_ratio: Some("4:3".into()),
        seed: Some(7),
        extra: vec![
            ("quality".into(), json!("low")),
            ("style".into(), json!("vivid")),
            ("output_format".into(), json!("jpeg")),
        ],
        user: Some("u".into()),
        provider_options: vec![
            ("xai".into(), json!({"resolution": "2k", "responseFormat": "url"})),
            ("togetherai".into(), json!({"steps": 4})),
        ],
        ..request()
    };
    for (provider, model, more, left_out) in [
        (
            "openai",
            "gpt-image-1",
            json!({"size": "1024x768", "quality": "low", "style": "vivid", "output_format": "jpeg", "user": "u"}),
            &["aspect_ratio", "seed"][..],
        ),
        (
            "openai",
            "dall-e-3",
            json!({"size": "1024x768", "quality": "low", "style": "vivid", "output_format": "jpeg", "user": "u", "response_format": "b64_json"}),
            &["aspect_ratio", "seed"],
        ),
        (
            "xai",
            "grok-imagine-image",
            json!({"aspect_ratio": "4:3", "quality": "low", "resolution": "2k", "response_format": "b64_json"}),
            &["size", "seed", "style", "output_format"],
        ),
        (
            "togetherai",
            "flux",
            json!({"width": 1024, "height": 768, "seed": 7, "output_format": "jpeg", "steps": 4, "response_format": "base64"}),
            &["aspect_ratio", "quality", "style"],
        ),
        (
            "recraft",
            "recraftv3",
            json!({"size": "1024x768", "random_seed": 7, "style": "vivid", "response_format": "b64_json"}),
            &["aspect_ratio", "quality", "output_format"],
        ),
        (
            "elsewhere",
            "m",
            json!({"size": "1024x768", "seed": 7, "quality": "low", "style": "vivid", "output_format": "jpeg", "response_format": "b64_json"}),
            &["aspect_ratio"],
        ),
    ] {
        let target = target(provider, model);
        let call = one(&asked, &target);
        let mut want = json!({"model": model, "prompt": "a cat", "n": 1});
        for (name, value) in more.as_object().unwrap() {
            want[name] = value.clone();
        }
        assert_eq!((&call.path[..], body(&call)), ("/images/generations", want));
        let reply = read(&asked, &target, 0, br#"{"data":[{"b64_json":"QQ=="}]}"#).unwrap();
        let warned: Vec<_> = reply.warnings.iter().map(|w| w.feature.as_str()).collect();
        assert_eq!(warned, left_out, "{provider}");
    }
    assert!(body(&one(&request(), &target("own-proxy", "gpt-image-1"))).get("response_format").is_none());
    assert_eq!(
        body(&one(&request(), &target("openai", "gpt-image-1"))),
        json!({"model": "gpt-image-1", "prompt": "a cat"})
    );
}

#[test]
fn more_images_than_a_call_makes_take_several() {
    let counts = |provider: &str, model: &str, count| {
        let asked = ImageRequest { count: Some(count), seed: Some(5), ..request() };
        let calls = calls(&asked, &target(provider, model)).unwrap();
        calls
            .iter()
            .map(|call| {
                let body = body(call);
                (body["n"].as_u64().unwrap(), body["seed"].as_i64())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(counts("openai", "dall-e-3", 3), [(1, None), (1, None), (1, None)]);
    assert_eq!(counts("together", "m", 9), [(4, Some(5)), (4, Some(6)), (1, Some(7))]);
    assert_eq!(counts("openai", "gpt-image-1", 10), [(10, None)]);
    let error = refused(&ImageRequest { count: Some(65), ..request() }, &target("openai", "dall-e-3"));
    assert_eq!(error.param.as_deref(), Some("n"));
    let reply = read(
        &ImageRequest { seed: Some(1), ..request() },
        &target("openai", "dall-e-3"),
        1,
        br#"{"data":[{"url":"https://x.test/a"}]}"#,
    )
    .unwrap();
    assert!(reply.warnings.is_empty(), "warnings come with the first part only");
}

#[test]
fn edits_are_forms_where_the_bytes_are_there() {
    let asked = ImageRequest {
        count: Some(2),
        images: vec![
            png("QUJD"),
            File { filename: Some("my \"cat\".webp".into()), media_type: "image/webp".into(), ..png("REVG") },
        ],
        mask: Some(png("QQ==")),
        extra: vec![("output_compression".into(), json!(80))],
        ..request()
    };
    let call = one(&asked, &target("openai", "gpt-image-1"));
    assert_eq!(call.path, "/images/edits");
    let field = |name: &str, text: &str| (name.to_owned(), None, None, text.as_bytes().to_vec());
    let file = |name: &str, file: &str, media: &str, data: &[u8]| {
        (name.to_owned(), Some(file.to_owned()), Some(media.to_owned()), data.to_vec())
    };
    assert_eq!(
        read_form(&call.content_type, &call.body),
        [
            field("model", "gpt-image-1"),
            field("prompt", "a cat"),
            field("n", "2"),
            field("output_compression", "80"),
            file("image[]", "image-0.png", "image/png", b"ABC"),
            file("image[]", "my %22cat%22.webp", "image/webp", b"DEF"),
            file("mask", "mask.png", "image/png", b"A"),
        ]
    );
    assert_eq!(one(&asked, &target("openai", "gpt-image-1")), call, "the same bytes each time");

    let single = ImageRequest { images: vec![png("QUJD")], ..request() };
    let form = one(&single, &target("openai", "dall-e-2"));
    assert!(read_form(&form.content_type, &form.body).contains(&file(
        "image",
        "image-0.png",
        "image/png",
        b"ABC"
    )));
}

#[test]
fn edits_are_json_where_that_is_spoken() {
    let asked = ImageRequest { images: vec![linked("https://x.test/a.png"), png("QUJD")], ..request() };
    let call = one(&asked, &target("openai", "gpt-image-1"));
    assert_eq!(call.path, "/images/edits");
    assert_eq!(
        body(&call)["images"],
        json!([{"image_url": "https://x.test/a.png"}, {"image_url": "data:image/png;base64,QUJD"}])
    );
    let call =
        one(&ImageRequest { mask: Some(png("QQ==")), ..asked.clone() }, &target("openai", "gpt-image-1"));
    assert_eq!(body(&call)["mask"], json!({"image_url": "data:image/png;base64,QQ=="}));
    let call = one(&asked, &target("xai", "grok-imagine-image"));
    assert_eq!(call.path, "/images/edits");
    assert_eq!(body(&call)["images"][1], json!({"type": "image_url", "url": "data:image/png;base64,QUJD"}));
    let single = ImageRequest { images: vec![linked("https://x.test/a.png")], ..request() };
    let call = one(&single, &target("xai", "grok-imagine-image"));
    assert_eq!(body(&call)["image"]["url"], "https://x.test/a.png");
    let call = one(&single, &target("togetherai", "flux-kontext"));
    assert_eq!(
        (&call.path[..], &body(&call)["image_url"]),
        ("/images/generations", &json!("https://x.test/a.png"))
    );
}

#[test]
fn what_a_model_cannot_do_is_left_to_another() {
    let two = ImageRequest { images: vec![png("QUJD"), png("QUJD")], ..request() };
    let masked = ImageRequest { images: vec![png("QUJD")], mask: Some(png("QUJD")), ..request() };
    let fetched = ImageRequest { images: vec![linked("https://x.test/a")], ..request() };
    let stored = ImageRequest {
        images: vec![File { data: FileData::Reference("file-1".into()), ..png("") }],
        ..request()
    };
    for (asked, provider, model, path) in [
        (&two, "openai", "dall-e-2", "images"),
        (&two, "togetherai", "m", "images"),
        (&two, "openai", "dall-e-3", "images"),
        (&two, "recraft", "recraftv3", "images"),
        (&masked, "xai", "m", "mask"),
        (&fetched, "openai", "dall-e-2", "images"),
        (&stored, "openai", "gpt-image-1", "images"),
    ] {
        let error = refused(asked, &target(provider, model));
        assert_eq!(
            (error.kind, error.param.as_deref()),
            (InputErrorKind::Unsupported, Some(path)),
            "{provider} {model}: {error}"
        );
    }
    let alone = ImageRequest { mask: Some(png("QUJD")), ..request() };
    assert_eq!(refused(&alone, &target("openai", "m")).param.as_deref(), Some("mask"));
    let unreadable = ImageRequest { images: vec![png("?")], ..request() };
    assert_eq!(refused(&unreadable, &target("openai", "m")).kind, InputErrorKind::Invalid);
    let azure = Target { canonical: "bfl/flux-2-pro".into(), ..target("azure", "my-deployment") };
    assert_eq!(body(&one(&request(), &azure))["response_format"], "b64_json");
}

#[test]
fn answers_come_as_base64_data_urls_and_addresses() {
    let body = json!({
        "created": 12, "output_format": "webp", "quality": "high",
        "data": [
            {"b64_json": "iVBORw0KGgo=", "revised_prompt": "better"},
            {"b64_json": "data:image/gif;base64,QQ==", "revised_prompt": ""},
            {"b64_json": "QQ=="},
            {"url": "https://x.test/a", "mime_type": "image/jpeg"},
            {"b64_json": null, "url": null},
        ],
    });
    let reply = read(&request(), &target("openai", "m"), 0, body.to_string().as_bytes()).unwrap();
    let found: Vec<_> = reply
        .images
        .iter()
        .map(|i| (i.data.clone(), i.media_type.as_deref(), i.revised_prompt.as_deref()))
        .collect();
    let base64 = |text: &str| FileData::Base64(text.to_owned());
    assert_eq!(
        found,
        [
            (base64("iVBORw0KGgo="), Some("image/png"), Some("better")),
            (base64("QQ=="), Some("image/gif"), None),
            (base64("QQ=="), Some("image/webp"), None),
            (FileData::Url("https://x.test/a".into()), Some("image/jpeg"), None),
        ]
    );
    assert_eq!((reply.created, reply.usage.unwrap().images), (Some(12), 4));
    assert_eq!(reply.usage.unwrap().output_total(), 0);
    let native = reply.native.unwrap().to_value();
    assert_eq!(
        (&native["quality"], &native["outputFormat"], &native["images"][0]),
        (&json!("high"), &json!("webp"), &json!({"revisedPrompt": "better"}))
    );
}

fn usage(report: Value) -> tollgate_domain::Usage {
    let body = json!({"data": [{"b64_json": "QQ=="}], "usage": report}).to_string();
    read(&request(), &target("openai", "gpt-image-1"), 0, body.as_bytes()).unwrap().usage.unwrap()
}

#[test]
fn i01_image_tokens_have_their_own_buckets() {
    let full = usage(json!({
        "input_tokens": 350, "output_tokens": 4200, "total_tokens": 4550,
        "input_tokens_details": {"text_tokens": 50, "image_tokens": 300, "cached_tokens": 120, "cached_tokens_details": {"image_tokens": 100, "text_tokens": 20}},
        "output_tokens_details": {"image_tokens": 4160, "text_tokens": 40},
    }));
    assert_eq!((full.input_uncached, full.input_image, full.input_cache_read), (30, 200, 120));
    assert_eq!((full.output_image, full.output_text, full.images, full.anomaly), (4160, 40, 1, false));
    assert_eq!((full.input_total(), full.output_total()), (350, 4200));
    let bare = usage(json!({"input_tokens": 10, "output_tokens": 1000}));
    assert_eq!((bare.input_uncached, bare.output_image, bare.output_text), (10, 1000, 0));
    assert_eq!(usage(json!({"cost_in_usd_ticks": 7})).input_total(), 0);
}

#[test]
fn i03_a_contradictory_report_is_clamped_and_flagged() {
    let odd = usage(
        json!({"input_tokens": 5, "output_tokens": 2, "input_tokens_details": {"image_tokens": 9}, "output_tokens_details": {"image_tokens": 3}}),
    );
    assert_eq!((odd.input_total(), odd.output_total(), odd.anomaly), (5, 2, true));
}

#[test]
fn answers_that_make_no_sense_are_the_providers_failure() {
    let read = |body: &str| read(&request(), &target("openai", "m"), 0, body.as_bytes()).unwrap_err();
    for (body, says) in [
        ("{}", "no member 'data'"),
        (r#"{"data":[]}"#, "no image"),
        (r#"{"data":[{}]}"#, "no image"),
        ("", "no JSON"),
    ] {
        let failure = read(body);
        assert!(
            failure.class == FailureClass::Server && failure.message.contains(says),
            "{body}: {}",
            failure.message
        );
    }
    let blocked = read(r#"{"error":{"message":"Your request was rejected","code":"moderation_blocked"}}"#);
    assert_eq!(blocked.class, FailureClass::ContentFilter);
}

proptest::proptest! {
    #[test]
    fn splitting_asks_for_as_many_as_were_wanted(count in 1u64..=64, provider in 0usize..4) {
        let (provider, model) = [("openai", "dall-e-3"), ("openai", "gpt-image-1"), ("togetherai", "m"), ("recraft", "m")][provider];
        let asked = ImageRequest { count: Some(count), ..request() };
        let sum: u64 = calls(&asked, &target(provider, model)).unwrap().iter().map(|call| body(call)["n"].as_u64().unwrap()).sum();
        proptest::prop_assert_eq!(sum, count);
    }
}
