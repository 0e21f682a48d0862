//! A database that is locked or full, and a journal whose folder is gone.

use std::fs;

use tollgate_store::contract::{intent, row, team};
use tollgate_store::{Ledger, LedgerState, StoreError, Totals};
use tollgate_store_sqlite::{Options, Role, SqliteStore};

use crate::place::{Folder, until};

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(reason)) => reason,
        other => panic!("expected Unavailable, got {other:?}"),
    }
}

fn waiting(ledger: &dyn Ledger) -> usize {
    match ledger.state() {
        LedgerState::Unavailable { waiting, .. } => waiting,
        LedgerState::Healthy => panic!("healthy"),
    }
}

#[tokio::test]
async fn i25_a_locked_ledger_refuses_new_requests_and_keeps_the_rows_of_open_ones() {
    let folder = Folder::new();
    let store = folder.server().unwrap();
    let ledger = store.ledger();
    (1..=3).for_each(|number| ledger.open(&intent(number)).unwrap());
    let stranger = folder.stranger();
    stranger.execute_batch("BEGIN EXCLUSIVE").unwrap();

    let reason = refusal(ledger.settle(row(intent(1), Some(10))).await);
    assert!(reason.contains("locked by another program") && reason.contains("End that program"), "{reason}");
    assert_eq!(waiting(&*ledger), 1);
    let reason = refusal(ledger.open(&intent(4)));
    assert!(reason.contains("locked"), "{reason}");
    assert_eq!(
        ledger.generation(intent(1).id).await.unwrap(),
        Some(row(intent(1), Some(10))),
        "kept and visible"
    );
    assert_eq!(ledger.open_count(), 2);
    refusal(ledger.settle(row(intent(2), Some(20))).await);
    refusal(ledger.flush().await);
    assert_eq!(waiting(&*ledger), 2);
    assert_eq!(ledger.totals(team(1)).await.unwrap(), Totals::default(), "reading goes on");

    stranger.execute_batch("ROLLBACK").unwrap();
    until("healthy again", || ledger.state() == LedgerState::Healthy).await;
    ledger.open(&intent(4)).unwrap();
    ledger.settle(row(intent(3), Some(30))).await.unwrap();
    ledger.settle(row(intent(2), Some(99))).await.unwrap();
    assert_eq!(ledger.totals(team(1)).await.unwrap(), Totals { cost_nano: 60, requests: 3 });
    assert!(store.statistics().failures > 0);
    ledger.settle(row(intent(4), None)).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(folder.server().unwrap().recovered(), 0);
}

/// A row that was refused in time to somebody is not refused for good, also when nothing else comes.
#[tokio::test]
async fn i10_rows_are_written_by_themselves_when_the_lock_is_gone() {
    let folder = Folder::new();
    let store = folder.server().unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1)).unwrap();
    let stranger = folder.stranger();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    refusal(ledger.settle(row(intent(1), Some(1))).await);
    stranger.execute_batch("COMMIT").unwrap();
    until("healthy again", || ledger.state() == LedgerState::Healthy).await;
    until("written", || stranger.query_row("SELECT count(*) FROM ledger", [], |row| row.get(0)) == Ok(1))
        .await;
    assert_eq!(ledger.totals(team(1)).await.unwrap(), Totals { cost_nano: 1, requests: 1 });
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_short_lock_is_waited_for() {
    let folder = Folder::new();
    let patient = std::time::Duration::from_secs(30);
    let options = Options { busy_timeout: patient, patience: patient, ..folder.options(Role::Server) };
    let store = SqliteStore::open(&options).unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1)).unwrap();
    let stranger = folder.stranger();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    let durable = ledger.settle(row(intent(1), Some(1)));
    assert_eq!(ledger.state(), LedgerState::Healthy);
    stranger.execute_batch("COMMIT").unwrap();
    durable.await.unwrap();
    assert_eq!(store.statistics().failures, 0);
    store.close().await.unwrap();
}

#[tokio::test]
async fn i25_a_full_database_says_so_and_goes_on_when_there_is_room() {
    let folder = Folder::new();
    folder.server().unwrap().close().await.unwrap();
    let stranger = folder.stranger();
    stranger
        .execute_batch("CREATE TABLE ballast (x); INSERT INTO ballast VALUES (zeroblob(1000000));")
        .unwrap();
    let pages: u32 = stranger.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let options = Options { max_pages: Some(pages + 4), ..folder.options(Role::Server) };
    let store = SqliteStore::open(&options).unwrap();
    let ledger = store.ledger();

    let mut settled = 0;
    let reason = loop {
        assert!(settled < 10_000, "it never became full");
        ledger.open(&intent(settled)).unwrap();
        settled += 1;
        match ledger.settle(row(intent(settled - 1), Some(1))).await {
            Ok(()) => {}
            full => break refusal(full),
        }
    };
    assert!(reason.contains("disk is full") && reason.contains("Free space"), "{reason}");
    assert!(refusal(ledger.open(&intent(settled))).contains("full"));
    assert_eq!(waiting(&*ledger), 1);
    let written = ledger.totals(team(1)).await.unwrap();
    assert_eq!(u128::from(written.requests), settled - 1, "nothing of the failed transaction stays");

    stranger.execute_batch("DROP TABLE ballast").unwrap();
    until("healthy again", || ledger.state() == LedgerState::Healthy).await;
    ledger.open(&intent(settled)).unwrap();
    ledger.settle(row(intent(settled), Some(1))).await.unwrap();
    let totals = ledger.totals(team(1)).await.unwrap();
    assert_eq!(u128::from(totals.requests), settled + 1);
    assert_eq!(totals.cost_nano, i128::from(totals.requests));
    store.close().await.unwrap();
}

/// Real: the folder is moved away, so the next segment of the journal cannot be made.
#[tokio::test]
async fn i08_no_request_without_its_intent_in_the_journal() {
    let folder = Folder::new();
    let options = Options { segment_bytes: 300, ..folder.options(Role::Server) };
    let store = SqliteStore::open(&options).unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1)).unwrap();
    let away = folder.path().with_extension("away");
    fs::rename(folder.path(), &away).unwrap();

    let reason = refusal(ledger.open(&intent(2)));
    assert!(reason.contains("journal") || reason.contains("ledger.intents-"), "{reason}");
    assert!(reason.contains("put the data folder back"), "{reason}");
    refusal(ledger.open(&intent(3)));
    assert_eq!(waiting(&*ledger), 0);
    assert_eq!(ledger.open_count(), 1);

    fs::rename(&away, folder.path()).unwrap();
    until("healthy again", || ledger.state() == LedgerState::Healthy).await;
    ledger.open(&intent(2)).unwrap();
    ledger.settle(row(intent(1), Some(1))).await.unwrap();
    drop(ledger);
    drop(store);
    assert_eq!(folder.server().unwrap().recovered(), 1);
}

#[tokio::test]
async fn i08_closing_a_ledger_that_cannot_be_written_says_what_is_lost_and_the_next_start_shows_it() {
    let folder = Folder::new();
    let store = folder.server().unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1)).unwrap();
    let stranger = folder.stranger();
    stranger.execute_batch("BEGIN EXCLUSIVE").unwrap();
    refusal(ledger.settle(row(intent(1), Some(1))).await);
    let reason = refusal(store.close().await);
    assert!(reason.contains("1 finished requests could not be written"), "{reason}");
    assert!(refusal(ledger.open(&intent(2))).contains("closed"));
    refusal(folder.server());
    stranger.execute_batch("ROLLBACK").unwrap();
    assert_eq!(folder.server().unwrap().recovered(), 1);
}

/// With an hour between commits, only the number of rows, or a flush, can bring one on.
#[tokio::test]
async fn rows_share_a_commit_and_a_flush_does_not_wait_for_more() {
    let folder = Folder::new();
    let interval = std::time::Duration::from_secs(3600);
    let options = Options {
        commit_interval: interval,
        commit_spacing: u32::MAX,
        commit_rows: 50,
        ..folder.options(Role::Server)
    };
    let store = SqliteStore::open(&options).unwrap();
    let ledger = store.ledger();
    // Many more are running, so that what waits is not nearly everything.
    (0..500).for_each(|number| ledger.open(&intent(number)).unwrap());
    ledger.settle(row(intent(0), Some(1))).await.unwrap();
    let waiting: Vec<_> = (1..51).map(|number| ledger.settle(row(intent(number), Some(1)))).collect();
    for durable in waiting {
        durable.await.unwrap();
    }
    assert_eq!((store.statistics().commits, store.statistics().rows), (2, 51));
    let waiting: Vec<_> = (51..100).map(|number| ledger.settle(row(intent(number), Some(1)))).collect();
    ledger.flush().await.unwrap();
    for durable in waiting {
        durable.await.unwrap();
    }
    assert_eq!((store.statistics().commits, store.statistics().rows), (3, 100));
    store.close().await.unwrap();
}

#[tokio::test]
async fn i26_open_requests_are_bounded() {
    let folder = Folder::new();
    let store = SqliteStore::open(&Options { max_open: 2, ..folder.options(Role::Server) }).unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1)).unwrap();
    ledger.open(&intent(2)).unwrap();
    assert!(refusal(ledger.open(&intent(3))).starts_with("2 requests are running"));
    assert_eq!(ledger.state(), LedgerState::Healthy, "a limit is no fault");
    ledger.settle(row(intent(1), None)).await.unwrap();
    ledger.open(&intent(3)).unwrap();
    for number in [2, 3] {
        ledger.settle(row(intent(number), None)).await.unwrap();
    }
    store.close().await.unwrap();
}
