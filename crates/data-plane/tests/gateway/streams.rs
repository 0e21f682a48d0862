//! Streams: nothing before content, no false endings, silence.

use std::time::Duration;

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, Chunking, CutHow, Fault, Pace, Script};

use crate::chunks::Chunks;
use crate::world::{World, question};

#[tokio::test]
async fn i15_nothing_is_sent_to_the_client_before_the_first_content() {
    let world = World::start().await;
    let mut exchange = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    // The role alone commits nothing: the attempt may still fail unseen.
    drop(call);
    let mut second = world.puppet.call().await;
    second.begin().await;
    second.role().await;
    second.text("Hello").await;
    exchange.head().await;
    assert_eq!(exchange.status, 200);
    let begun = exchange.until("Hello").await;
    assert_eq!(begun.matches("\"role\"").count(), 1, "the failed attempt left nothing: {begun}");
    // A piece reaches the client when it comes, not with the next one.
    second.text(" there").await;
    exchange.until(" there").await;
    second.finish().await;
    let (rest, clean) = exchange.rest().await;
    assert!(clean && rest.ends_with(b"data: [DONE]\n\n"));
    let rows = world.rows().await;
    assert_eq!((rows.len(), rows[0].attempts, rows[0].status.as_str()), (1, 2, "settled"));
}

/// A short answer may be there as a whole when the gate opens: content and end at once.
#[tokio::test]
async fn i15_a_stream_that_comes_in_one_piece_loses_nothing() {
    let chunk = |delta: Value, finish: Value| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices});
        format!("data: {chunk}\n\n")
    };
    let sse = [
        chunk(json!({"role": "assistant", "content": ""}), Value::Null),
        chunk(json!({"content": "Hello"}), Value::Null),
        chunk(json!({"content": " there"}), Value::Null),
        chunk(json!({}), json!("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let recording =
        json!({"response": {"status": 200, "headers": {"content-type": "text/event-stream"}, "sse": sse}});
    for model in ["test/solo", "test/mistral"] {
        let world = World::start().await;
        world.primary.push_script(Script::replay(&recording, Chunking::whole()).unwrap());
        let answer = world.chat(&question(model, true)).await;
        let chunks = Chunks::read(&answer.body);
        assert_eq!(
            (chunks.text().as_str(), chunks.done),
            ("Hello there", true),
            "{model}: {}",
            answer.text()
        );
        assert_eq!(chunks.all[0]["choices"][0]["delta"], json!({"role": "assistant"}), "{model}");
    }
}

#[tokio::test]
async fn i16_a_cut_stream_has_neither_finish_reason_nor_done() {
    for model in ["test/solo", "test/mistral", "test/claude"] {
        for how in [CutHow::Reset, CutHow::Close, CutHow::End] {
            let world = World::start().await;
            let behaviour = Behaviour {
                fault: Some(Fault::Cut { after: 2, how }),
                ..Behaviour::text("one two three four")
            };
            world.primary.set_default(behaviour);
            let answer = world.chat(&question(model, true)).await;
            let chunks = Chunks::read(&answer.body);
            let what = format!("{model} {how:?}");
            assert!(answer.clean, "{what}: the error is the last thing said, not a broken connection");
            assert!(!chunks.done && !chunks.finished(), "{what}: {}", answer.text());
            assert!(chunks.text().starts_with("one"), "{what}: {}", answer.text());
            let error = chunks.error().unwrap_or_else(|| panic!("{what}: no error in {}", answer.text()));
            assert_eq!(error["type"], "internal_server_error", "{what}");
            assert!(error["message"].as_str().unwrap().len() > 20, "{what}: {error}");
            assert_eq!(chunks.last()["generationId"].as_str(), answer.generation().as_deref(), "{what}");
            let row = &world.rows().await[0];
            assert_eq!(
                (row.status.as_str(), row.failure.as_deref()),
                ("estimated", Some("truncated")),
                "{what}"
            );
            assert_eq!((row.client_status, row.attempts), (200, 1), "{what}");
        }
    }
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_by_comments() {
    let world = World::with(|setup| setup.settings.keep_alive = Duration::from_millis(40)).await;
    let mut exchange = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    call.text("Hello").await;
    exchange.head().await;
    let mut text = exchange.until("Hello").await;
    // The provider is silent until two comments have come.
    while Chunks::read(text.as_bytes()).comments < 2 {
        text.push_str(&exchange.until("\n\n").await);
    }
    call.text(" again").await;
    call.finish().await;
    let (rest, _) = exchange.rest().await;
    text.push_str(std::str::from_utf8(&rest).unwrap());
    let chunks = Chunks::read(text.as_bytes());
    assert!(chunks.done);
    assert_eq!(chunks.text(), "Hello again");
    assert_eq!(world.rows().await[0].status, "settled");
}

#[tokio::test]
async fn i23_a_stalled_stream_ends_in_an_error_of_its_own_class() {
    for model in ["test/solo", "test/claude"] {
        let world = World::with(|setup| setup.settings.event_gap_timeout = Duration::from_millis(150)).await;
        world.primary.set_default(Behaviour {
            fault: Some(Fault::Stall { after: 1 }),
            ..Behaviour::text("one two three")
        });
        let answer = world.chat(&question(model, true)).await;
        let chunks = Chunks::read(&answer.body);
        assert!(!chunks.done && !chunks.finished(), "{}", answer.text());
        let message = chunks.error().unwrap()["message"].as_str().unwrap();
        assert!(message.contains("stalled"), "{message}");
        let row = &world.rows().await[0];
        assert_eq!((row.failure.as_deref(), row.status.as_str()), (Some("timeout"), "estimated"));
        world.primary.wait_for_aborts(1).await;
    }
}

#[tokio::test]
async fn i23_a_request_ends_with_its_total_time_though_the_provider_talks_on() {
    let world = World::with(|setup| setup.settings.total_timeout = Duration::from_millis(400)).await;
    let endless = vec!["word"; 2000].join(" ");
    world.primary.set_default(Behaviour::text(endless).paced(Pace { gap_ms: Some(20), ..Pace::default() }));
    let answer = world.chat(&question("test/solo", true)).await;
    let chunks = Chunks::read(&answer.body);
    assert!(!chunks.done && chunks.text().starts_with("word word"), "{}", answer.text());
    let message = chunks.error().unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("400ms") && !message.contains("nothing came"), "{message}");
    assert_eq!(world.rows().await[0].failure.as_deref(), Some("timeout"));
}

/// However the provider's bytes are cut on the wire, the client's answer is the same.
#[tokio::test]
async fn i20_the_providers_writes_do_not_matter() {
    for model in ["test/solo", "test/mistral", "test/claude"] {
        let mut said: Vec<Value> = Vec::new();
        for bytes in [1, 7, 1000] {
            let world = World::start().await;
            let fault = Some(Fault::SlowDrip { bytes, every_ms: 0 });
            world
                .primary
                .set_default(Behaviour { fault, ..Behaviour::text("Grüße, tollgate 🚧 and goodbye") });
            let answer = world.chat(&question(model, true)).await;
            let chunks = Chunks::read(&answer.body);
            assert!(chunks.done, "{}", answer.text());
            said.push(chunks.all.iter().map(|c| c["choices"][0]["delta"]["content"].clone()).collect());
        }
        assert_eq!(said[0], said[1], "{model}");
        assert_eq!(said[0], said[2], "{model}");
    }
}
