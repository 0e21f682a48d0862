//! OpenAI's images, generated and edited.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{BEARER, Client, Response, post};
use crate::simulator;

const GENERATIONS: &str = "/v1/images/generations";

fn form(fields: &[(&str, &str)], files: &[&str]) -> (String, Vec<u8>) {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    for name in files {
        body.push_str(&format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\r\n--xy\r\n"
        ));
    }
    body.push_str("--xyz--\r\n");
    ("multipart/form-data; boundary=xyz".to_owned(), body.into_bytes())
}

#[tokio::test]
async fn images_are_pngs_and_counted() {
    let sim = simulator().await;
    let body = json!({"model": "gpt-image-1", "prompt": "a cat", "n": 2, "size": "1024x1536"});
    let answer = post(sim.addr(), GENERATIONS, &body).await.json();
    let data = answer["data"].as_array().unwrap();
    assert_eq!(data.len(), 2);
    assert_ne!(data[0], data[1]);
    let bytes = STANDARD.decode(data[0]["b64_json"].as_str().unwrap()).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!((answer["size"].as_str(), answer["output_format"].as_str()), (Some("1024x1536"), Some("png")));
    assert_eq!(answer["usage"]["input_tokens_details"], json!({"text_tokens": 2, "image_tokens": 0}));
    let directed = json!({"model": "gpt-image-1@prompt_tokens=5,output_tokens=7", "prompt": "a cat"});
    assert_eq!(post(sim.addr(), GENERATIONS, &directed).await.json()["usage"]["total_tokens"], 12);
}

#[tokio::test]
async fn the_older_form_takes_a_response_format_and_the_newer_refuses_it() {
    let sim = simulator().await;
    let older = json!({"model": "dall-e-3", "prompt": "a cat"});
    let answer = post(sim.addr(), GENERATIONS, &older).await.json();
    assert!(answer["data"][0]["url"].as_str().unwrap().starts_with("https://"));
    assert!(answer.get("usage").is_none());
    let older = json!({"model": "dall-e-3", "prompt": "a cat", "response_format": "b64_json"});
    assert!(post(sim.addr(), GENERATIONS, &older).await.json()["data"][0]["b64_json"].is_string());
    for (member, value) in [("response_format", json!("b64_json")), ("n", json!(0)), ("prompt", json!(""))] {
        let mut body = json!({"model": "gpt-image-1", "prompt": "a cat"});
        body[member] = value;
        let refused = post(sim.addr(), GENERATIONS, &body).await;
        assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some(member)));
    }
}

#[tokio::test]
async fn edits_come_as_a_form_or_as_json() {
    let sim = simulator().await;
    let send = async |fields: &[(&str, &str)], files: &[&str]| -> Response {
        let (kind, body) = form(fields, files);
        let mut client = Client::connect(sim.addr()).await;
        client.send("POST", "/v1/images/edits", &[BEARER, ("content-type", &kind)], &body).await;
        client.response().await
    };
    let fields = [("model", "gpt-image-1"), ("prompt", "a hat"), ("n", "2")];
    let answer = send(&fields, &["image[]", "image[]", "mask"]).await.json();
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["usage"]["input_tokens_details"], json!({"text_tokens": 2, "image_tokens": 388}));
    let one = send(&fields, &["image"]).await.json();
    assert_eq!(one["usage"]["input_tokens_details"]["image_tokens"], 194);
    let refused = send(&fields, &[]).await;
    assert_eq!((refused.status, refused.json()["error"]["param"].as_str()), (400, Some("image")));
    let directed = send(&[("model", "gpt-image-1@status=429"), ("prompt", "x")], &["image"]).await;
    assert_eq!(directed.status, 429);
    let body: Value = json!({"model": "gpt-image-1", "prompt": "a hat", "images": [{"image_url": "data:image/png;base64,AAAA"}]});
    assert_eq!(post(sim.addr(), "/v1/images/edits", &body).await.status, 200);
}
