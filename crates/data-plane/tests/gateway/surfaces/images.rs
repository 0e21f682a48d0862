//! Images (gateway-api §10): made and changed, as JSON and as a form; and those of a language model's answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::setup::{Surfaces, events};
use super::table::PIXEL;
use crate::client::{Answer, Exchange};
use crate::world::cost;

fn check_png(data: &Value) {
    let bytes = STANDARD.decode(data.as_str().unwrap_or_else(|| panic!("no image: {data}"))).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"), "{data}");
}

async fn check_row(at: &Surfaces, answer: &Answer) {
    let said = answer.json();
    let row = at.row_of(answer).await;
    let (input, output) = (row.usage.input_total(), row.usage.output_total());
    assert!(output > 0, "{row:?}");
    assert_eq!(
        (&said["usage"]["input_tokens"], &said["usage"]["output_tokens"]),
        (&json!(input), &json!(output))
    );
    assert_eq!(row.cost.unwrap().0, cost(input, 0, output));
    assert_eq!(said["provider_metadata"]["gateway"]["cost"], json!(row.cost.unwrap().to_string()), "{said}");
    assert_eq!(row.intent.dialect, "images");
}

#[tokio::test]
async fn images_are_made() {
    let at = Surfaces::start().await;
    for model in ["test/image", "test/gemini-image"] {
        let body = json!({"model": model, "prompt": "A tollgate", "n": 2, "response_format": "b64_json"});
        let answer = at.post("/v1/images/generations", &body).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let said = answer.json();
        assert!(said["created"].as_u64().unwrap() > 1_700_000_000, "{model}");
        let data = said["data"].as_array().unwrap();
        assert_eq!(data.len(), 2, "{model}");
        data.iter().for_each(|image| check_png(&image["b64_json"]));
        check_row(&at, &answer).await;
    }
    let options = json!({"model": "test/image", "prompt": "x", "size": "1024x1536", "quality": "low", "background": "opaque"});
    at.post("/v1/images/generations", &options).await;
    let sent = at.main.requests().pop().unwrap().json();
    for name in ["size", "quality", "background"] {
        assert_eq!(sent[name], options[name], "{sent}");
    }
}

#[tokio::test]
async fn images_are_changed_as_json() {
    let at = Surfaces::start().await;
    let url = format!("data:image/png;base64,{PIXEL}");
    for model in ["test/image", "test/gemini-image"] {
        let images = json!([{"image_url": url}, {"image_url": {"url": url}}]);
        let body = json!({"model": model, "prompt": "Redder", "images": images});
        let answer = at.post("/v1/images/edits", &body).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        check_png(&answer.json()["data"][0]["b64_json"]);
        check_row(&at, &answer).await;
        let sent = at.main.requests().pop().unwrap();
        let path = if model == "test/image" {
            "/v1/images/edits"
        } else {
            "/v1beta/models/gemini-image:generateContent"
        };
        assert_eq!(sent.path(), path);
    }
}

fn form(parts: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    let boundary = "-----boundary-of-a-test";
    let mut body = Vec::new();
    for (disposition, kind, bytes) in parts {
        let kind = if kind.is_empty() { String::new() } else { format!("content-type: {kind}\r\n") };
        let head = format!("--{boundary}\r\ncontent-disposition: form-data; {disposition}\r\n{kind}\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

async fn send_form(at: &Surfaces, parts: &[(&str, &str, &[u8])]) -> Answer {
    let (kind, body) = form(parts);
    let head = format!(
        "POST /v1/images/edits HTTP/1.1\r\nhost: gateway.test\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        at.key,
        body.len()
    );
    Exchange::send(at.addr, &[head.as_bytes(), &body].concat()).await.answer().await
}

#[tokio::test]
async fn images_are_changed_as_a_form() {
    let at = Surfaces::start().await;
    let png = STANDARD.decode(PIXEL).unwrap();
    for (model, name) in
        [("test/image", "image"), ("test/image", "image[]"), ("test/gemini-image", "image[]")]
    {
        let file = format!("name=\"{name}\"; filename=\"a.png\"");
        let parts: [(&str, &str, &[u8]); 5] = [
            ("name=\"model\"", "", model.as_bytes()),
            ("name=\"prompt\"", "", "Röter".as_bytes()),
            ("name=\"n\"", "", b"1"),
            (&file, "image/png", &png),
            (&file, "image/png", &png),
        ];
        let parts = if name == "image" { &parts[..4] } else { &parts[..] };
        let answer = send_form(&at, parts).await;
        assert_eq!(answer.status, 200, "{model} {name}: {}", answer.text());
        check_png(&answer.json()["data"][0]["b64_json"]);
        check_row(&at, &answer).await;
        if model == "test/image" {
            let sent = at.main.requests().pop().unwrap();
            let found = sent.body.windows(png.len()).filter(|w| *w == png).count();
            assert_eq!(found, parts.len() - 3, "the files arrive as they are");
            assert!(sent.header("content-type").unwrap().starts_with("multipart/form-data; boundary="));
        }
    }
    for (parts, path) in [
        (
            vec![
                ("name=\"prompt\"", "", &b"x"[..]),
                ("name=\"image\"; filename=\"a.png\"", "image/png", &png),
            ],
            "model",
        ),
        (
            vec![
                ("name=\"model\"", "", &b"test/image"[..]),
                ("name=\"image\"; filename=\"a.png\"", "image/png", &png),
            ],
            "prompt",
        ),
        (vec![("name=\"model\"", "", &b"test/image"[..]), ("name=\"prompt\"", "", &b"x"[..])], "image"),
    ] {
        let answer = send_form(&at, &parts).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["param"]),
            (400, &json!(path)),
            "{}",
            answer.text()
        );
    }
    let answer = send_form(&at, &[]).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
}

/// A language model that draws does so in a chat (§7.1 `modalities`).
#[tokio::test]
async fn a_chat_answers_with_an_image() {
    let at = Surfaces::start().await;
    let mut body = json!({"model": "test/gemini-image", "modalities": ["text", "image"],
        "messages": [{"role": "user", "content": "Draw a tollgate."}]});
    let answer = at.post("/v1/chat/completions", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let url = |images: &Value| images[0]["image_url"]["url"].as_str().unwrap_or_default().to_owned();
    let said = answer.json();
    let message = &said["choices"][0]["message"];
    assert_eq!(message["images"][0]["type"], "image_url", "{message}");
    let whole = url(&message["images"]);
    check_png(&json!(whole.strip_prefix("data:image/png;base64,").unwrap()));
    assert!(message["content"].as_str().unwrap().len() > 10, "text and image");
    let row = at.row_of(&answer).await;
    assert_eq!(said["usage"]["completion_tokens"], row.usage.output_total());
    assert!(row.usage.output_total() > 1000, "the image's tokens count: {:?}", row.usage);

    body["stream"] = json!(true);
    let answer = at.post("/v1/chat/completions", &body).await;
    let all = events(&answer.body);
    let images: Vec<_> =
        all.iter().map(|(_, c)| &c["choices"][0]["delta"]["images"]).filter(|i| i.is_array()).collect();
    assert_eq!(images.len(), 1, "{}", answer.text());
    assert_eq!(url(images[0]), whole);
    assert_eq!(all.last().unwrap().1, "[DONE]");

    // Who does not ask for one gets none.
    body.as_object_mut().unwrap().remove("modalities");
    body["model"] = json!("test/gemini");
    body["stream"] = json!(false);
    let answer = at.post("/v1/chat/completions", &body).await;
    assert!(answer.json()["choices"][0]["message"].get("images").is_none(), "{}", answer.text());
}
