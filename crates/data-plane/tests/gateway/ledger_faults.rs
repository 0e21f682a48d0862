//! A ledger that cannot be written: new requests are refused with the reason, open ones finish.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tollgate_domain::GenerationId;
use tollgate_domain::id::TeamId;
use tollgate_store::ledger::BoxFuture;
use tollgate_store::{
    Durable, Intent, Ledger, LedgerRow, LedgerState, ReportQuery, ReportRow, StoreError, Totals,
};

use crate::chunks::Chunks;
use crate::client::soon;
use crate::world::{World, question, until};

#[tokio::test]
async fn i25_a_ledger_that_cannot_be_written_refuses_new_requests_and_lets_open_ones_finish() {
    let world = World::start().await;
    let mut open = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    call.text("Hello").await;
    open.head().await;
    open.until("Hello").await;

    let stranger = world.stranger();
    stranger.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // The next settlement finds it out; its own client still gets its answer.
    let witness = world.chat(&question("test/solo", false)).await;
    assert_eq!(witness.status, 200, "{}", witness.text());

    let refused = world.chat(&question("test/solo", true)).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    let message = refused.message();
    assert!(message.contains("cannot record requests") && message.contains("locked"), "{message}");
    assert_eq!(refused.json()["error"]["type"], "internal_server_error");
    assert_eq!(world.primary.stats().requests, 1, "nothing was sent for the refused request");

    let ready = world.raw("GET", "/readyz", &[], b"").await;
    assert_eq!((ready.status, &ready.json()["status"]), (503, &"degraded".into()));
    assert!(
        ready.json()["degraded"][0].as_str().unwrap().contains("ledger cannot be written"),
        "{}",
        ready.text()
    );
    assert_eq!(world.raw("GET", "/healthz", &[], b"").await.status, 200, "the process itself is well");
    assert_eq!(world.raw("GET", "/v1/models", &[], b"").await.status, 200);

    call.text(" and goodbye").await;
    call.finish().await;
    let (rest, clean) = open.rest().await;
    let chunks = Chunks::read(&rest);
    assert!(clean && chunks.done && chunks.error().is_none());
    let id = chunks.last()["generationId"].as_str().unwrap().to_owned();
    assert!(world.row(&id).await.is_some(), "kept in memory, and to be looked up");

    stranger.execute_batch("ROLLBACK").unwrap();
    drop(stranger);
    until("the ledger to recover", || world.store.ledger().state() == LedgerState::Healthy).await;
    assert_eq!(world.chat(&question("test/solo", false)).await.status, 200);
    assert_eq!(world.raw("GET", "/readyz", &[], b"").await.status, 200);
    let rows = world.rows().await;
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows.iter().any(|row| row.id == id && row.status == "settled"));
}

/// A ledger that says when a row is durable only when the test lets it, and panics when it is told to.
struct Gated {
    inner: Arc<dyn Ledger>,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    panics: AtomicBool,
    open: AtomicBool,
    opened: Notify,
    settled: Mutex<Vec<LedgerRow>>,
}

impl Ledger for Gated {
    fn open(&self, intent: &Intent) -> Result<(), StoreError> {
        assert!(!self.gate.panics.swap(false, Ordering::AcqRel), "a panic that a test wants");
        self.inner.open(intent)
    }

    fn settle(&self, row: LedgerRow) -> Durable {
        self.gate.settled.lock().unwrap().push(row.clone());
        let (durable, gate) = (self.inner.settle(row), Arc::clone(&self.gate));
        Box::pin(async move {
            while !gate.open.load(Ordering::Acquire) {
                gate.opened.notified().await;
            }
            durable.await
        })
    }

    fn state(&self) -> LedgerState {
        self.inner.state()
    }

    fn open_count(&self) -> usize {
        self.inner.open_count()
    }

    fn generation(&self, id: GenerationId) -> BoxFuture<Result<Option<LedgerRow>, StoreError>> {
        self.inner.generation(id)
    }

    fn totals(&self, team: TeamId) -> BoxFuture<Result<Totals, StoreError>> {
        self.inner.totals(team)
    }

    fn report(&self, query: ReportQuery) -> BoxFuture<Result<Vec<ReportRow>, StoreError>> {
        self.inner.report(query)
    }

    fn flush(&self) -> BoxFuture<Result<(), StoreError>> {
        self.inner.flush()
    }
}

async fn gated() -> (World, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let shared = Arc::clone(&gate);
    let world =
        World::with(|setup| setup.ledger = Some(Box::new(|inner| Arc::new(Gated { inner, gate: shared }))))
            .await;
    (world, gate)
}

#[tokio::test]
async fn i09_only_the_end_of_a_stream_waits_for_the_ledger() {
    let (world, gate) = gated().await;
    let mut exchange = world.begin(&question("test/puppet", true)).await;
    let mut call = world.puppet.call().await;
    call.begin().await;
    call.role().await;
    call.text("Hello").await;
    exchange.head().await;
    exchange.until("Hello").await;
    call.text(" there").await;
    call.finish().await;
    // Content is not held back …
    exchange.until(" there").await;
    until("the settlement", || gate.settled.lock().unwrap().len() == 1).await;
    let mut rest = Box::pin(exchange.rest());
    // … the end is, for as long as the row is not durable.
    for _ in 0..200 {
        let waited =
            std::future::poll_fn(|cx| std::task::Poll::Ready(rest.as_mut().poll(cx).is_pending())).await;
        assert!(waited, "the end came before the row was durable");
        tokio::task::yield_now().await;
    }
    gate.open.store(true, Ordering::Release);
    gate.opened.notify_one();
    let (body, clean) = soon("the end", rest).await;
    assert!(clean && Chunks::read(&body).done);
}

#[tokio::test]
async fn i09_a_whole_answer_waits_for_the_ledger() {
    let (world, gate) = gated().await;
    let mut exchange = world.begin(&question("test/solo", false)).await;
    until("the settlement", || gate.settled.lock().unwrap().len() == 1).await;
    let mut answer = Box::pin(exchange.answer());
    for _ in 0..200 {
        let waited =
            std::future::poll_fn(|cx| std::task::Poll::Ready(answer.as_mut().poll(cx).is_pending())).await;
        assert!(waited, "the answer came before the row was durable");
        tokio::task::yield_now().await;
    }
    gate.open.store(true, Ordering::Release);
    gate.opened.notify_one();
    assert_eq!(soon("the answer", answer).await.status, 200);
}

/// A client that leaves while its last bytes wait for the ledger is charged once, as a complete answer.
#[tokio::test]
async fn i10_leaving_at_the_last_moment_does_not_settle_twice() {
    let (world, gate) = gated().await;
    let exchange = world.begin(&question("test/solo", true)).await;
    until("the settlement", || gate.settled.lock().unwrap().len() == 1).await;
    drop(exchange);
    world.settled().await;
    let rows = world.rows().await;
    assert_eq!((rows.len(), rows[0].status.as_str()), (1, "settled"));
    assert_eq!(gate.settled.lock().unwrap().len(), 1);
}

/// A panic is one request's: its client hears of it, the next one does not.
#[tokio::test]
async fn i24_a_panic_is_one_requests() {
    let (world, gate) = gated().await;
    gate.open.store(true, Ordering::Release);
    for stream in [false, true] {
        gate.panics.store(true, Ordering::Release);
        let answer = world.chat(&question("test/solo", stream)).await;
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (500, &"internal_server_error".into()));
        assert!(answer.message().contains("fault of Tollgate"), "{}", answer.message());
        assert_eq!(world.gateway.open_requests(), 0);
        assert_eq!(world.chat(&question("test/solo", stream)).await.status, 200);
    }
    assert_eq!(world.rows().await.len(), 2);
}
