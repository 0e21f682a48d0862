//! Shutdown: nothing new is accepted, what runs finishes.

use tokio::net::TcpStream;

use crate::chunks::Chunks;
use crate::client::soon;
use crate::world::{World, question};

#[tokio::test]
async fn a_running_stream_finishes_while_the_gateway_drains() {
    let mut world = World::start().await;
    let mut exchange = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    call.text("Hello").await;
    exchange.head().await;
    let mut text = exchange.until("Hello").await;
    world.shutdown.cancel();
    soon("the listener to close", async {
        while TcpStream::connect(world.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    call.text(" and goodbye").await;
    call.finish().await;
    let (rest, clean) = exchange.rest().await;
    text.push_str(std::str::from_utf8(&rest).unwrap());
    let chunks = Chunks::read(text.as_bytes());
    assert!(clean && chunks.done);
    assert_eq!(chunks.text(), "Hello and goodbye");
    let served = world.served.take().unwrap();
    assert_eq!(soon("serve to return", served).await.unwrap(), 0, "connections that had to be cut");
    assert_eq!(world.rows().await[0].status, "settled");
}

/// An idle keep-alive connection does not hold the shutdown up.
#[tokio::test]
async fn idle_connections_are_closed_by_the_drain() {
    let mut world = World::start().await;
    let mut exchange = world.begin(&question("test/solo", false)).await;
    assert_eq!(exchange.answer().await.status, 200);
    exchange.again(&world.chat_text(&question("test/solo", false))).await;
    assert_eq!(exchange.answer().await.status, 200, "the connection serves another request");
    world.shutdown.cancel();
    assert_eq!(soon("serve to return", world.served.take().unwrap()).await.unwrap(), 0);
}
