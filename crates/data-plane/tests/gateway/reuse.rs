//! Connections to providers: reused, and replaced without a word when the provider has closed them.

use crate::client::soon;
use crate::world::{World, question};

#[tokio::test]
async fn connections_are_reused_after_whole_answers_and_streams() {
    let world = World::start().await;
    for stream in [false, true, true, false, true] {
        assert_eq!(world.chat(&question("test/solo", stream)).await.status, 200);
    }
    let stats = world.primary.stats();
    assert_eq!((stats.requests, stats.connections), (5, 1));
}

/// The provider closes its idle connection just as the gateway writes on it: the request goes out once more on
/// a fresh one, and that is no attempt that anybody sees.
#[tokio::test]
async fn a_reused_connection_that_dies_is_replaced_without_an_attempt() {
    let world = World::start().await;
    let mut first = world.begin(&question("test/puppet", false)).await;
    let mut call = world.puppet.call().await;
    call.whole("one").await;
    assert_eq!(first.answer().await.status, 200);

    let mut second = world.begin(&question("test/puppet", false)).await;
    assert!(call.request().await.is_some(), "it comes on the idle connection");
    drop(call);
    let mut fresh = world.puppet.call().await;
    fresh.whole("two").await;
    let answer = second.answer().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let message = &answer.json()["choices"][0]["message"];
    assert_eq!(message["content"], "two");
    let attempts = message["provider_metadata"]["gateway"]["routing"]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "{attempts:?}");
}

/// The same when it had been closed long before.
#[tokio::test]
async fn a_connection_closed_between_requests_is_not_used() {
    let world = World::start().await;
    let mut first = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    call.text("one").await;
    call.finish().await;
    assert_eq!(first.answer().await.status, 200);
    drop(call);
    let mut second = world.begin(&question("test/puppet", false)).await;
    let mut fresh = world.puppet.call().await;
    fresh.whole("two").await;
    assert_eq!(second.answer().await.status, 200);
    let rows = world.rows().await;
    assert_eq!((rows.len(), rows[1].attempts), (2, 1));
}

/// A connection whose answer was given up is never used for another request.
#[tokio::test]
async fn a_connection_with_an_unread_answer_is_closed() {
    let world = World::start().await;
    let mut exchange = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    call.text("one").await;
    exchange.head().await;
    exchange.until("one").await;
    drop(exchange);
    soon("the hang-up", call.hung_up()).await;
    let mut second = world.begin(&question("test/puppet", false)).await;
    let mut fresh = world.puppet.call().await;
    fresh.whole("two").await;
    assert_eq!(second.answer().await.status, 200);
}
