//! Clients that leave (I22): the provider's connection is closed at once, and the row is written.

use std::time::{Duration, Instant};

use serde_json::json;
use tollgate_simulator::{Behaviour, Control, Fault, Pace};

use crate::client::{Exchange, soon};
use crate::world::{Row, World, question};

/// The contract is 100 ms; a loaded machine may take longer to notice, which is no fault of the gateway.
const ALLOWED: Duration = Duration::from_secs(1);

/// Leaves, and gives how long the provider took to see its own connection closed.
async fn leave(exchange: Exchange, provider: &Control) -> Duration {
    let left = Instant::now();
    drop(exchange);
    soon("the provider to see the abort", provider.wait_for_aborts(1)).await;
    let seen = provider.requests()[0].client_left_at.unwrap();
    seen.saturating_duration_since(left)
}

async fn only_row(world: &World) -> Row {
    let rows = world.rows().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = rows[0].clone();
    assert_eq!((row.failure.as_deref(), row.client_status), (Some("client_closed"), 499), "{row:?}");
    row
}

#[tokio::test]
async fn i22_a_client_that_leaves_before_headers_frees_the_provider() {
    for (model, stream) in
        [("test/solo", true), ("test/solo", false), ("test/claude", true), ("test/claude", false)]
    {
        let world = World::start().await;
        world.primary.set_default(Behaviour::fault(Fault::Hang));
        let exchange = world.begin(&question(model, stream)).await;
        soon("the request at the provider", world.primary.wait_for_requests(1)).await;
        let took = leave(exchange, &world.primary).await;
        println!("left before headers, {model}, stream {stream}: {took:?}");
        assert!(took < ALLOWED, "{took:?}");
        let row = only_row(&world).await;
        assert_eq!((row.status.as_str(), row.cost), ("void", Some(0)));
        assert_eq!(world.primary.stats().requests, 1, "nobody is asked again for a client that has left");
    }
}

#[tokio::test]
async fn i22_a_client_that_leaves_in_mid_stream_is_charged_what_was_made() {
    for model in ["test/solo", "test/mistral", "test/claude"] {
        let world = World::start().await;
        let slow = Pace { gap_ms: Some(60_000), ..Pace::default() };
        world.primary.set_default(Behaviour::text("one two three").paced(slow));
        let mut exchange = world.begin(&question(model, true)).await;
        exchange.head().await;
        exchange.until("one").await;
        let took = leave(exchange, &world.primary).await;
        println!("left in mid-stream, {model}: {took:?}");
        assert!(took < ALLOWED, "{took:?}");
        let row = only_row(&world).await;
        assert_eq!(row.status, "estimated");
        assert!(row.cost.unwrap() > 0, "{row:?}");
    }
}

#[tokio::test]
async fn i22_a_client_that_leaves_during_a_whole_answer_frees_the_provider() {
    for model in ["test/solo", "test/claude"] {
        let world = World::start().await;
        world.primary.set_default(Behaviour::fault(Fault::Stall { after: 0 }));
        let exchange = world.begin(&question(model, false)).await;
        soon("the request at the provider", world.primary.wait_for_requests(1)).await;
        let took = leave(exchange, &world.primary).await;
        println!("left during a whole answer, {model}: {took:?}");
        assert!(took < ALLOWED, "{took:?}");
        only_row(&world).await;
    }
}

/// Also while the gateway waits between two attempts: nothing more is sent.
#[tokio::test]
async fn i22_a_client_that_leaves_during_a_backoff_ends_the_retries() {
    let world = World::with(|setup| {
        setup.settings.retry.backoff_base = Duration::from_secs(20);
        setup.settings.retry.backoff_max = Duration::from_secs(20);
        setup.settings.retry.retry_after_alone = Duration::from_secs(25);
    })
    .await;
    world.primary.set_default(Behaviour::status(500));
    let exchange = world.begin(&question("test/solo", true)).await;
    soon("the failed attempt", world.primary.wait_until(|stats| stats.finished >= 1)).await;
    drop(exchange);
    let row = only_row(&world).await;
    assert_eq!((row.attempts, world.primary.stats().requests), (1, 1));
}

#[tokio::test]
async fn i22_a_client_that_leaves_while_it_sends_its_body_costs_nothing() {
    let world = World::start().await;
    let mut raw =
        world.chat_text(&json!({"model": "test/solo", "messages": [{"role": "user", "content": "hello"}]}));
    raw.truncate(raw.len() - 10);
    drop(Exchange::send(world.addr, &raw).await);
    // A request after it is served, and is the only one that the provider and the ledger saw.
    assert_eq!(world.chat(&question("test/solo", false)).await.status, 200);
    assert_eq!((world.primary.stats().requests, world.rows().await.len()), (1, 1));
}
