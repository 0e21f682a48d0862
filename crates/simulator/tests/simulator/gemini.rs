//! Gemini: content whole and streamed, thought signatures, what Google refuses, and the other methods.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

use crate::client::{BEARER, Client, GOOG_KEY, Response, google};
use crate::simulator;

fn ask(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

fn weather() -> Value {
    json!([{"functionDeclarations": [{"name": "get_weather",
        "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}]}])
}

fn parts(answer: &Value) -> &Vec<Value> {
    answer["candidates"][0]["content"]["parts"].as_array().unwrap()
}

fn streamed_parts(response: &Response) -> Vec<Value> {
    response.events().iter().flat_map(|e| parts(e).clone()).collect()
}

#[track_caller]
fn refusal(response: &Response) -> (u16, String, String) {
    let error = response.json()["error"].clone();
    assert_eq!(error["code"], response.status);
    let text = |member: &str| error[member].as_str().unwrap().to_owned();
    (response.status, text("status"), text("message"))
}

#[tokio::test]
async fn a_whole_answer_and_a_stream_say_the_same() {
    let sim = simulator().await;
    let whole = google(sim.addr(), "sim-1", "generateContent", &ask("what is rain?")).await.json();
    let text = parts(&whole)[0]["text"].as_str().unwrap();
    assert!(text.contains("what is rain?"));
    assert_eq!(
        (whole["candidates"][0]["finishReason"].as_str(), whole["modelVersion"].as_str()),
        (Some("STOP"), Some("sim-1"))
    );
    let usage = &whole["usageMetadata"];
    assert_eq!(usage["candidatesTokenCount"], text.len().div_ceil(4));
    assert_eq!(
        usage["totalTokenCount"].as_u64(),
        Some(usage["promptTokenCount"].as_u64().unwrap() + usage["candidatesTokenCount"].as_u64().unwrap())
    );

    let stream = google(sim.addr(), "sim-1", "streamGenerateContent?alt=sse", &ask("what is rain?")).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert!(stream.text().ends_with("\r\n\r\n") && !stream.text().contains("[DONE]"));
    assert_eq!(stream.text().matches('\n').count(), stream.text().matches("\r\n").count());
    let joined: String = streamed_parts(&stream).iter().map(|p| p["text"].as_str().unwrap()).collect();
    assert_eq!(joined, text);
    let events = stream.events();
    let (last, before) = events.split_last().unwrap();
    assert_eq!(
        (last["candidates"][0]["finishReason"].as_str(), &last["usageMetadata"]),
        (Some("STOP"), usage)
    );
    assert!(before.iter().all(|e| e["candidates"][0].get("finishReason").is_none()));

    let list = google(sim.addr(), "sim-1", "streamGenerateContent", &ask("what is rain?")).await.json();
    assert_eq!(list.as_array().unwrap().len(), events.len());
}

#[tokio::test]
async fn calls_are_signed_and_the_signature_has_to_come_back_on_its_part() {
    let sim = simulator().await;
    let mut body = ask("In parallel: the weather in Oslo and Rome");
    body["tools"] = weather();
    let model = "gemini-3-pro";
    let stream = google(sim.addr(), model, "streamGenerateContent?alt=sse", &body).await;
    let calls: Vec<Value> =
        streamed_parts(&stream).into_iter().filter(|p| p.get("functionCall").is_some()).collect();
    assert_eq!(calls[0]["functionCall"], json!({"name": "get_weather", "args": {"city": "Oslo"}}));
    assert_eq!(calls[1]["functionCall"]["args"]["city"], "Rome");
    assert!(calls[0]["thoughtSignature"].is_string() && calls[1].get("thoughtSignature").is_none());
    assert_eq!(stream.events().last().unwrap()["candidates"][0]["finishReason"], "STOP");

    let response = |city: &str| json!({"functionResponse": {"name": "get_weather", "response": {"result": format!("sun in {city}")}}});
    let contents = body["contents"].as_array_mut().unwrap();
    contents.push(json!({"role": "model", "parts": calls}));
    contents.push(json!({"role": "user", "parts": [response("Oslo"), response("Rome")]}));
    let send = async |body: &Value, model: &str| google(sim.addr(), model, "generateContent", body).await;
    let answer = send(&body, model).await.json();
    assert!(parts(&answer)[0]["text"].as_str().unwrap().contains("\"sun in Rome\""), "{answer}");
    assert!(parts(&answer)[0]["thoughtSignature"].is_string());

    let signature = calls[0]["thoughtSignature"].as_str().unwrap();
    let signed = |signature: Value| {
        let mut body = body.clone();
        body["contents"][1]["parts"][0]["thoughtSignature"] = signature;
        body
    };
    let other_alphabet = URL_SAFE.encode(STANDARD.decode(signature).unwrap());
    assert_eq!(send(&signed(json!(other_alphabet)), model).await.status, 200);
    assert_eq!(send(&signed(json!("skip_thought_signature_validator")), model).await.status, 200);
    for wrong in ["AAAA", &format!("A{}", &signature[1..])] {
        let (status, kind, message) = refusal(&send(&signed(json!(wrong)), "gemini-2.5-pro").await);
        assert_eq!((status, kind.as_str()), (400, "INVALID_ARGUMENT"));
        assert!(message.contains("not valid"));
    }
    let missing = signed(Value::Null);
    assert!(refusal(&send(&missing, model).await).2.contains("missing a thought_signature"));
    assert_eq!(send(&missing, "gemini-2.5-pro").await.status, 200);
    let mut moved = missing.clone();
    moved["contents"][1]["parts"][1]["thoughtSignature"] = json!(signature);
    assert_eq!(refusal(&send(&moved, "gemini-2.5-pro").await).0, 400);

    // Once the user has said something more, the turn is over and its signatures are history.
    let mut later = missing;
    let contents = later["contents"].as_array_mut().unwrap();
    contents.push(json!({"role": "model", "parts": [{"text": "It is sunny."}]}));
    contents.push(json!({"role": "user", "parts": [{"text": "thanks"}]}));
    assert_eq!(send(&later, model).await.status, 200);
}

#[tokio::test]
async fn thoughts_are_counted_apart_and_shown_when_asked_for() {
    let sim = simulator().await;
    let mut body = ask("why?");
    body["generationConfig"] = json!({"thinkingConfig": {"includeThoughts": true, "thinkingLevel": "high"}});
    let answer = google(sim.addr(), "gemini-3-flash", "generateContent", &body).await.json();
    assert_eq!((parts(&answer)[0]["thought"].as_bool(), parts(&answer).len()), (Some(true), 2));
    let usage = &answer["usageMetadata"];
    let count = |member: &str| usage[member].as_u64().unwrap();
    assert_eq!(
        count("totalTokenCount"),
        count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount")
    );
    let hidden = google(sim.addr(), "gemini-3-flash", "generateContent", &ask("why?")).await.json();
    assert!(parts(&hidden).iter().all(|p| p.get("thought").is_none()));
    assert!(hidden["usageMetadata"]["thoughtsTokenCount"].as_u64().unwrap() > 0);
    body["generationConfig"] = json!({"thinkingConfig": {"thinkingBudget": 0}});
    let without = google(sim.addr(), "gemini-2.5-flash", "generateContent", &body).await.json();
    assert!(without["usageMetadata"].get("thoughtsTokenCount").is_none());
    assert!(parts(&without)[0].get("thoughtSignature").is_none());
}

#[tokio::test]
async fn schemas_images_limits_and_search() {
    let sim = simulator().await;
    let with = |text: &str, config: Value| {
        let mut body = ask(text);
        body["generationConfig"] = config;
        body
    };
    let schema = json!({"type": "OBJECT", "properties": {"ok": {"type": "BOOLEAN"}}, "required": ["ok"]});
    let config = json!({"responseMimeType": "application/json", "responseSchema": schema});
    let answer = google(sim.addr(), "sim-1", "generateContent", &with("x", config)).await.json();
    assert_eq!(parts(&answer)[0]["text"], r#"{"ok":true}"#);

    let config = json!({"responseModalities": ["TEXT", "IMAGE"]});
    for verb in ["generateContent", "streamGenerateContent?alt=sse"] {
        let response = google(sim.addr(), "sim-1", verb, &with("draw a cat", config.clone())).await;
        let parts =
            if verb.starts_with('s') { streamed_parts(&response) } else { parts(&response.json()).clone() };
        let image = &parts.iter().find(|p| p.get("inlineData").is_some()).unwrap()["inlineData"];
        assert_eq!(image["mimeType"], "image/png");
        assert!(STANDARD.decode(image["data"].as_str().unwrap()).unwrap().starts_with(b"\x89PNG"));
    }
    let limited = google(sim.addr(), "sim-1", "generateContent", &with("x", json!({"maxOutputTokens": 2})))
        .await
        .json();
    assert_eq!(limited["candidates"][0]["finishReason"], "MAX_TOKENS");

    let mut pictured = ask("what is it?");
    let parts_of_user = pictured["contents"][0]["parts"].as_array_mut().unwrap();
    parts_of_user.push(json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}));
    let answer = google(sim.addr(), "sim-1", "generateContent", &pictured).await.json();
    assert!(parts(&answer)[0]["text"].as_str().unwrap().contains("image/png of 3 bytes"));

    let mut search = ask("search for rain");
    search["tools"] = json!([{"googleSearch": {}}]);
    let answer = google(sim.addr(), "sim-1", "generateContent", &search).await.json();
    assert_eq!(answer["candidates"][0]["groundingMetadata"]["webSearchQueries"], json!(["search for rain"]));

    let mut long = ask("hello");
    long["systemInstruction"] = json!({"parts": [{"text": "s".repeat(4000)}]});
    google(sim.addr(), "sim-1", "generateContent", &long).await;
    let second = google(sim.addr(), "sim-1", "generateContent", &long).await.json();
    assert_eq!(second["usageMetadata"]["cachedContentTokenCount"], 896);
}

#[tokio::test]
async fn what_google_refuses_is_refused() {
    let sim = simulator().await;
    let refused = async |body: Value| {
        let (status, kind, message) = refusal(&google(sim.addr(), "sim-1", "generateContent", &body).await);
        assert_eq!((status, kind.as_str()), (400, "INVALID_ARGUMENT"));
        message
    };
    let with = |member: &str, value: Value| {
        let mut body = ask("x");
        body[member] = value;
        body
    };
    assert!(refused(with("stream", json!(true))).await.contains("Unknown name \"stream\""));
    assert!(refused(with("generationConfig", json!({"max_tokens": 3}))).await.contains("max_tokens"));
    let schema = json!([{"functionDeclarations": [{"name": "f", "parameters": {"type": "object",
        "properties": {"const": {"type": "string"}, "a": {"type": "object", "additionalProperties": false}}}}]}]);
    let message = refused(with("tools", schema)).await;
    assert!(message.contains("additionalProperties") && message.contains("properties[a]"), "{message}");
    assert!(refused(with("contents", json!([]))).await.contains("contents"));
    let system = json!([{"role": "system", "parts": [{"text": "x"}]}]);
    assert!(refused(with("contents", system)).await.contains("valid role"));
    let unanswered = json!([{"role": "user", "parts": [{"text": "x"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"text": "y"}]}]);
    assert!(refused(with("contents", unanswered)).await.contains("number of function response parts"));

    let mut client = Client::connect(sim.addr()).await;
    let body = ask("x").to_string();
    client.send("POST", "/v1beta/models/sim-1:generateContent", &[], body.as_bytes()).await;
    assert_eq!(refusal(&client.response().await).1, "PERMISSION_DENIED");
    client.send("POST", "/v1beta/models/sim-1:generateContent?key=not-a-key", &[], body.as_bytes()).await;
    assert_eq!(client.response().await.status, 200);
    client
        .send(
            "POST",
            "/v1/projects/p/locations/l/publishers/google/models/sim-1:generateContent",
            &[BEARER],
            body.as_bytes(),
        )
        .await;
    assert_eq!(client.response().await.status, 200);
    client.send("GET", "/v1beta/models", &[GOOG_KEY], b"").await;
    assert_eq!(client.response().await.json()["models"][0]["name"], "models/sim-1");
}

#[tokio::test]
async fn counting_embedding_and_predicting() {
    let sim = simulator().await;
    let counted = google(sim.addr(), "sim-1", "countTokens", &ask("12345678")).await.json();
    assert_eq!(counted["totalTokens"], 6);
    let whole =
        json!({"generateContentRequest": {"model": "models/sim-1", "contents": ask("12345678")["contents"]}});
    assert_eq!(google(sim.addr(), "sim-1", "countTokens", &whole).await.json()["totalTokens"], 6);

    let content = |text: &str| json!({"parts": [{"text": text}]});
    let one = json!({"content": content("a"), "outputDimensionality": 8});
    let one = google(sim.addr(), "gemini-embedding-2", "embedContent", &one).await.json();
    assert_eq!(one["embedding"]["values"].as_array().unwrap().len(), 8);
    assert_eq!(one["usageMetadata"]["promptTokenCount"], 1);
    let request =
        |text: &str| json!({"model": "models/e", "content": content(text), "outputDimensionality": 8});
    let many = json!({"requests": [request("a"), request("b")]});
    let many = google(sim.addr(), "gemini-embedding-001", "batchEmbedContents", &many).await.json();
    assert_eq!(many["embeddings"][0]["values"], one["embedding"]["values"]);
    assert_ne!(many["embeddings"][0], many["embeddings"][1]);
    assert!(many.get("usageMetadata").is_none());
    let bare = json!({"requests": [{"content": content("a")}]});
    let refused = google(sim.addr(), "e", "batchEmbedContents", &bare).await;
    assert!(refusal(&refused).2.contains("requests[0].model"));
    let crowd: Vec<Value> = (0..101).map(|_| request("a")).collect();
    assert_eq!(google(sim.addr(), "e", "batchEmbedContents", &json!({"requests": crowd})).await.status, 400);

    let imagen = json!({"instances": [{"prompt": "a cat"}], "parameters": {"sampleCount": 2}});
    let made = google(sim.addr(), "imagen-4", "predict", &imagen).await.json();
    let made = made["predictions"].as_array().unwrap();
    assert_eq!((made.len(), made[0]["mimeType"].as_str()), (2, Some("image/png")));
    assert_ne!(made[0], made[1]);
    let vertex = json!({"instances": [{"content": "a"}], "parameters": {"outputDimensionality": 8}});
    let vertex = google(sim.addr(), "text-embedding-005", "predict", &vertex).await.json();
    assert_eq!(vertex["predictions"][0]["embeddings"]["values"], one["embedding"]["values"]);
}
