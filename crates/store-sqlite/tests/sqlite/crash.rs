//! Killed processes and torn journals.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use tollgate_store::contract::{intent, row, team};
use tollgate_store::{LedgerRow, RowStatus, Totals};
use tollgate_store_sqlite::{Role, SqliteStore};

use crate::place::{Folder, options_of};

const FOLDER: &str = "TOLLGATE_TEST_CHILD_FOLDER";
const OPENED: u128 = 60;
const AWAITED: u128 = 25;
const SETTLED: u128 = 40;

/// Opens 60 requests, waits for 25 settlements, only starts 15 more, and waits to be killed.
async fn be_killed(folder: std::ffi::OsString) {
    let store = SqliteStore::open(&options_of(folder.as_ref(), Role::Server)).unwrap();
    let ledger = store.ledger();
    for number in 0..OPENED {
        ledger.open(&intent(number)).unwrap();
    }
    for number in 0..AWAITED {
        ledger.settle(row(intent(number), Some(1))).await.unwrap();
    }
    for number in AWAITED..SETTLED {
        drop(ledger.settle(row(intent(number), Some(1))));
    }
    std::io::stdout().write_all(b"ready\n").unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
    unreachable!("killed before its input ends");
}

#[tokio::test]
async fn i08_i09_i10_kill_9_loses_no_request() {
    // The test runs itself again as the process that is killed.
    if let Some(folder) = std::env::var_os(FOLDER) {
        return be_killed(folder).await;
    }
    let folder = Folder::new();
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::i08_i09_i10_kill_9_loses_no_request", "--nocapture"])
            .env(FOLDER, folder.path().join(round.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).any(|line| line.contains("ready"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(ready, "the child ended by itself");

        let options = options_of(&folder.path().join(round.to_string()), Role::Server);
        let store = SqliteStore::open(&options).unwrap();
        let ledger = store.ledger();
        let mut interrupted = 0;
        let mut cost = 0;
        for number in 0..OPENED {
            let found = ledger.generation(intent(number).id).await.unwrap();
            let found = found.unwrap_or_else(|| panic!("request {number} has no row"));
            if found.status == RowStatus::Interrupted {
                assert!(number >= AWAITED, "request {number} was on disk");
                assert_eq!(found.intent, intent(number));
                interrupted += 1;
            } else {
                assert!(number < SETTLED, "request {number} was never settled");
                assert_eq!(found, row(intent(number), Some(1)));
                cost += 1;
            }
        }
        assert_eq!(store.recovered(), interrupted);
        let totals = ledger.totals(team(1)).await.unwrap();
        assert_eq!(totals, Totals { cost_nano: cost, requests: u64::try_from(OPENED).unwrap() });
        store.close().await.unwrap();
        assert_eq!(SqliteStore::open(&options).unwrap().recovered(), 0, "found once");
    }
}

fn leave_open(folder: &Folder, count: u128) {
    let store = folder.server().unwrap();
    (0..count).for_each(|number| store.ledger().open(&intent(number)).unwrap());
}

#[tokio::test]
async fn i08_a_torn_last_record_costs_only_itself() {
    for cut in [1_u64, 20] {
        let folder = Folder::new();
        leave_open(&folder, 5);
        let segment = folder.segments().pop().unwrap();
        let file = OpenOptions::new().write(true).open(&segment).unwrap();
        file.set_len(file.metadata().unwrap().len() - cut).unwrap();
        drop(file);
        assert_eq!(folder.server().unwrap().recovered(), 4);
    }
    let folder = Folder::new();
    leave_open(&folder, 5);
    let mut file = OpenOptions::new().append(true).open(folder.segments().pop().unwrap()).unwrap();
    file.write_all(&[0; 100]).unwrap();
    let store = folder.server().unwrap();
    assert_eq!(store.recovered(), 5);
    store.close().await.unwrap();
}

/// Killed between the commit of a recovery and the removal of the journal.
#[tokio::test]
async fn i10_a_journal_that_is_recovered_again_adds_nothing() {
    let folder = Folder::new();
    leave_open(&folder, 3);
    let segment = folder.segments().pop().unwrap();
    let bytes = fs::read(&segment).unwrap();
    let store = folder.server().unwrap();
    assert_eq!(store.recovered(), 3);
    store.close().await.unwrap();
    fs::write(&segment, bytes).unwrap();
    let store = folder.server().unwrap();
    assert_eq!(store.recovered(), 0);
    assert_eq!(store.ledger().totals(team(1)).await.unwrap(), Totals { cost_nano: 0, requests: 3 });
    store.close().await.unwrap();
    assert_eq!(folder.segments(), Vec::<std::path::PathBuf>::new(), "read, so removed");
}

#[tokio::test]
async fn finished_segments_are_removed_and_open_requests_keep_theirs() {
    let folder = Folder::new();
    let mut options = folder.options(Role::Server);
    options.segment_bytes = 600;
    let store = SqliteStore::open(&options).unwrap();
    let ledger = store.ledger();
    ledger.open(&intent(1000)).unwrap();
    let kept = folder.segments();
    for number in 0..100 {
        ledger.open(&intent(number)).unwrap();
        ledger.settle(row(intent(number), Some(1))).await.unwrap();
    }
    let segments = folder.segments();
    assert!(segments.len() <= 3, "{segments:?}");
    assert_eq!(segments.first(), kept.first());
    ledger.settle(row(intent(1000), Some(1))).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(folder.segments(), Vec::<std::path::PathBuf>::new());
}

/// Counts that SQLite cannot hold, and texts with anything in them, do not stop the rows behind them.
#[tokio::test]
async fn a_strange_row_does_not_hold_up_the_others() {
    let folder = Folder::new();
    let store = folder.server().unwrap();
    let ledger = store.ledger();
    let mut strange = intent(1);
    strange.requested_model = "\0'; DROP TABLE ledger; --\u{10FFFF}".repeat(1000);
    strange.tags = vec![String::new(), "\0\"".to_owned()];
    ledger.open(&strange).unwrap();
    let mut usage = row(intent(1), None).usage;
    usage.output_text = u64::MAX;
    ledger.settle(LedgerRow { usage, ..row(strange.clone(), Some(i64::MIN)) }).await.unwrap();
    let found = ledger.generation(strange.id).await.unwrap().unwrap();
    assert_eq!(found.usage.output_text, i64::MAX.unsigned_abs());
    assert_eq!(found.intent, strange);
    store.close().await.unwrap();
}
