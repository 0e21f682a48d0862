//! Answers that go well: both protocols, whole and streamed, passed through and transcoded.

use serde_json::{Value, json};
use tollgate_simulator::{Behaviour, CutHow, Fault, Script, UsageOverride, UsageWhen};
use tollgate_store::RowStatus;

use crate::chunks::Chunks;
use crate::client::Answer;
use crate::world::{World, cost, question};

const SAID: &str = "A tollgate bars a road until the toll is paid, and counts who passed.";

/// Model, provider, id of the model there, how an id of its answers begins.
const ROUTES: [(&str, &str, &str, &str); 3] = [
    ("test/solo", "primary", "solo", "chatcmpl-sim"),
    ("test/mistral", "mistral", "mistral", "chatcmpl-sim"),
    ("test/claude", "claude-primary", "claude", "msg_01Sim"),
];

/// 100 prompt tokens of which 40 are cached, 20 generated; Anthropic counts the cached ones beside the others.
fn says(model: &str) -> Behaviour {
    let input = if model == "test/claude" { 60 } else { 100 };
    let usage = UsageOverride {
        input_tokens: Some(input),
        cached_tokens: Some(40),
        cache_write_tokens: Some(0),
        output_tokens: Some(20),
        // Mistral reports without being asked.
        when: UsageWhen::Always,
        ..UsageOverride::default()
    };
    Behaviour { usage, ..Behaviour::text(SAID) }
}

fn check_usage(usage: &Value) {
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"], &usage["total_tokens"]),
        (&json!(100), &json!(20), &json!(120))
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 40);
    // A number, and exactly tokens × price.
    assert_eq!(usage["cost"].to_string(), "0.000124");
    assert_eq!(usage["market_cost"].to_string(), "0.000124");
}

fn check_metadata(metadata: &Value, id: &str, route: (&str, &str, &str, &str)) {
    let (model, provider, provider_model, response_id) = route;
    let gateway = &metadata["gateway"];
    assert_eq!((&gateway["generationId"], &gateway["cost"]), (&json!(id), &json!("0.000124")));
    let routing = &gateway["routing"];
    for (member, value) in [
        ("originalModelId", model),
        ("canonicalSlug", model),
        ("resolvedProvider", provider),
        ("finalProvider", provider),
        ("resolvedProviderApiModelId", provider_model),
    ] {
        assert_eq!(routing[member], value, "{member}");
    }
    let attempts = routing["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &routing["totalProviderAttemptCount"]), (1, &json!(1)));
    let attempt = &attempts[0];
    assert_eq!((&attempt["success"], &attempt["statusCode"]), (&json!(true), &json!(200)));
    assert_eq!(
        (&attempt["provider"], &attempt["providerApiModelId"]),
        (&json!(provider), &json!(provider_model))
    );
    assert!(attempt["providerResponseId"].as_str().unwrap().starts_with(response_id), "{attempt}");
    assert!(attempt["providerRequestId"].is_string(), "{attempt}");
    assert!(attempt["startTime"].as_f64() < attempt["endTime"].as_f64(), "{attempt}");
    assert_eq!(routing["modelAttempts"][0]["providerAttempts"], routing["attempts"]);
}

/// The row says what the answer said (I3), and was on the disk when the last byte came (I9).
async fn check_row(world: &World, id: &str, provider: &str, streamed: bool) {
    let on_disk = world.row_on_disk(id).expect("a row on the disk with the last byte");
    assert_eq!(on_disk, ("settled".to_owned(), Some(cost(60, 40, 20)), 100, 20));
    let row = world.row(id).await.unwrap();
    assert_eq!((row.status, row.client_status, row.attempts), (RowStatus::Settled, 200, 1));
    assert_eq!(
        (row.usage.input_uncached, row.usage.input_cache_read, row.usage.output_total()),
        (60, 40, 20)
    );
    assert!(!row.usage.estimated && !row.usage.anomaly);
    assert_eq!(
        (row.cost.unwrap().0, row.market_cost, row.provider.as_str()),
        (cost(60, 40, 20), row.cost, provider)
    );
    assert_eq!((row.finish_reason.as_str(), row.failure, row.intent.streamed), ("stop", None, streamed));
    assert!(row.rates.contains("1000000"), "{}", row.rates);
    assert!(!row.price_version.is_empty() && row.response_id.is_some());
    assert!(row.ttft_micros.unwrap() <= row.duration_micros && row.overhead_micros <= row.duration_micros);
}

fn generation_of(answer: &Answer) -> String {
    let id = answer.generation().expect("x-generation-id");
    assert!(id.starts_with("gen_") && id.len() == 30, "{id}");
    id
}

#[tokio::test]
async fn i03_i09_a_streamed_answer_its_receipt_and_its_row_agree() {
    for route in ROUTES {
        let world = World::start().await;
        world.primary.set_default(says(route.0));
        let mut exchange = world.begin(&question(route.0, true)).await;
        exchange.head().await;
        assert_eq!(exchange.status, 200, "{route:?}");
        assert!(exchange.header("content-type").unwrap().starts_with("text/event-stream"));
        let id = exchange.header("x-generation-id").unwrap().to_owned();
        let (body, clean) = exchange.rest().await;
        // At once, before anything else runs here.
        check_row(&world, &id, route.1, true).await;
        assert!(clean, "{route:?}");
        let chunks = Chunks::read(&body);
        assert!(chunks.done, "{route:?}");
        assert_eq!(chunks.text(), SAID, "{route:?}");
        assert_eq!(chunks.all[0]["choices"][0]["delta"], json!({"role": "assistant"}), "{route:?}");
        let fingerprint = chunks.all[0]["system_fingerprint"].clone();
        for (at, chunk) in chunks.all.iter().enumerate() {
            let last = at + 1 == chunks.all.len();
            assert_eq!((&chunk["id"], &chunk["model"]), (&json!(id), &json!(route.0)), "{route:?}");
            assert_eq!(chunk["object"], "chat.completion.chunk");
            assert_eq!(chunk["system_fingerprint"], fingerprint);
            let choice = &chunk["choices"][0];
            assert!(choice["delta"].is_object(), "{chunk}");
            assert_eq!(
                (choice["finish_reason"] == "stop", chunk["usage"].is_object()),
                (last, last),
                "{chunk}"
            );
            assert_eq!(chunk["generationId"] == json!(id), last, "{chunk}");
        }
        check_usage(&chunks.last()["usage"]);
        check_metadata(&chunks.last()["choices"][0]["delta"]["provider_metadata"], &id, route);
    }
}

#[tokio::test]
async fn i03_i09_a_whole_answer_its_receipt_and_its_row_agree() {
    for route in ROUTES {
        let world = World::start().await;
        world.primary.set_default(says(route.0));
        let answer = world.chat(&question(route.0, false)).await;
        assert_eq!(answer.status, 200, "{route:?} {}", answer.text());
        let id = generation_of(&answer);
        check_row(&world, &id, route.1, false).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body = answer.json();
        assert_eq!(
            (&body["id"], &body["generationId"], &body["model"]),
            (&json!(id), &json!(id), &json!(route.0))
        );
        assert_eq!(body["object"], "chat.completion");
        let message = &body["choices"][0]["message"];
        assert_eq!((&message["content"], &message["role"]), (&json!(SAID), &json!("assistant")), "{route:?}");
        assert_eq!(body["choices"][0]["finish_reason"], "stop");
        check_usage(&body["usage"]);
        check_metadata(&message["provider_metadata"], &id, route);
    }
}

#[tokio::test]
async fn i05_a_model_without_price_costs_null_not_nothing() {
    let world = World::start().await;
    for stream in [false, true] {
        let answer = world.chat(&question("test/unpriced", stream)).await;
        let usage = if stream {
            Chunks::read(&answer.body).last()["usage"].clone()
        } else {
            answer.json()["usage"].clone()
        };
        assert!(usage["cost"].is_null() && usage["prompt_tokens"].as_u64().unwrap() > 0, "{usage}");
        let row = world.row(&generation_of(&answer)).await.unwrap();
        assert_eq!((row.cost, row.status, row.rates.as_str()), (None, RowStatus::Settled, ""));
    }
}

#[tokio::test]
async fn i17_a_provider_of_the_same_protocol_gets_the_members_as_they_were_sent() {
    let world = World::start().await;
    let mut body = question("test/solo", true);
    body["x_unknown"] = json!({"kept": [1, 2.50, "three"]});
    body["temperature"] = json!(0.25);
    assert_eq!(world.chat(&body).await.status, 200);
    let seen = &world.primary.requests()[0];
    let sent = seen.json();
    assert_eq!(
        (&sent["model"], &sent["x_unknown"], &sent["temperature"]),
        (&json!("solo"), &body["x_unknown"], &json!(0.25))
    );
    assert_eq!(sent["messages"], body["messages"]);
    assert_eq!(
        sent["stream_options"]["include_usage"], true,
        "asked for upstream although the client did not"
    );
    assert_eq!(seen.header("authorization"), Some("Bearer sk-not-a-real-key"), "never the client's key");
    assert_eq!(seen.header("accept"), Some("text/event-stream"));
}

#[tokio::test]
async fn i24_an_attempt_takes_nothing_of_the_one_before_it() {
    let world = World::start().await;
    world.primary.set_default(Behaviour::status(401));
    let answer = world.chat(&question("test/mixed", false)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (first, second) = (&world.primary.requests()[0], &world.backup.requests()[0]);
    assert!(first.header("authorization").is_some() && first.header("anthropic-version").is_none());
    assert!(second.header("authorization").is_none(), "{:?}", second.headers);
    assert_eq!(second.header("x-api-key"), Some("sk-not-a-real-key"));
    assert_eq!((first.path(), second.path()), ("/v1/chat/completions", "/v1/messages"));
    assert_eq!((&first.json()["model"], &second.json()["model"]), (&json!("mixed"), &json!("mixed")));
    let routing = answer.json()["choices"][0]["message"]["provider_metadata"]["gateway"]["routing"].clone();
    assert_eq!(
        (&routing["finalProvider"], &routing["resolvedProvider"]),
        (&json!("claude-backup"), &json!("primary"))
    );
    assert_eq!(routing["fallbacksAvailable"], json!(["claude-backup"]));
}

/// 200 requests at once, of every kind of end: each has exactly one row, and none stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i08_i10_each_of_many_concurrent_requests_has_exactly_one_row() {
    let world = std::sync::Arc::new(World::start().await);
    let faults = [
        Behaviour::natural(),
        Behaviour::status(500),
        Behaviour::cut(2, CutHow::Reset),
        Behaviour::status(400),
        Behaviour::status(503),
        Behaviour::fault(Fault::ErrorEvent { after: 1 }),
    ];
    for at in 0..60 {
        world.primary.push_script(Script::new(faults[at % faults.len()].clone()));
    }
    let mut running = tokio::task::JoinSet::new();
    for number in 0..200 {
        let world = std::sync::Arc::clone(&world);
        running.spawn(async move {
            let model =
                ["test/solo", "test/duo", "test/claude", "test/mistral", "test/claude-duo"][number % 5];
            let mut exchange = world.begin(&question(model, number % 2 == 0)).await;
            if number % 11 == 0 {
                // Leaves at once: it may or may not have been admitted.
                return None;
            }
            exchange.answer().await.generation()
        });
    }
    let mut ids = Vec::new();
    while let Some(id) = running.join_next().await {
        ids.extend(id.unwrap());
    }
    assert_eq!(ids.len(), 200 - 19);
    let rows = world.rows().await;
    for id in &ids {
        assert_eq!(rows.iter().filter(|row| row.id == *id).count(), 1, "{id}");
    }
    assert!((ids.len()..=200).contains(&rows.len()), "{} rows", rows.len());
    assert!(rows.iter().all(|row| row.status != "interrupted"), "{rows:?}");
    assert_eq!((world.gateway.open_requests(), world.store.ledger().open_count()), (0, 0));
}
