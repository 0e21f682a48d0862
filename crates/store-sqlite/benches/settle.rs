//! What one request costs the ledger: intent, settlement, commit. `cargo bench -p tollgate-store-sqlite`.
//!
//! Beside the time, the processor time of the whole process for each row is printed, since that is what
//! bounds a gateway that does other things while the disk works.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a broken store and reports to people"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tollgate_domain::Micros;
use tollgate_store::contract::{intent, row};
use tollgate_store::{Intent, Ledger, LedgerRow};
use tollgate_store_sqlite::{Options, Role, SqliteStore};

fn main() {
    divan::main();
}

struct Bench {
    runtime: tokio::runtime::Runtime,
    store: SqliteStore,
    folder: PathBuf,
    next: Arc<AtomicU64>,
}

impl Bench {
    fn new(interval: Option<Duration>) -> Self {
        let folder = std::env::temp_dir().join(format!("tollgate-bench-{}", std::process::id()));
        let counter = AtomicU64::new(1);
        let entropy = Arc::new(move || u128::from(counter.fetch_add(1, Ordering::Relaxed)));
        let mut options =
            Options::new(folder.join("tollgate.db"), Role::Server, Arc::new(|| Micros(1)), entropy);
        options.commit_interval = interval.unwrap_or(options.commit_interval);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
            .enable_all()
            .build()
            .unwrap();
        Self {
            runtime,
            store: SqliteStore::open(&options).unwrap(),
            folder,
            next: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Rows that are made before the clock runs: making them is the data plane's work.
    fn rows(count: u64) -> Vec<LedgerRow> {
        (0..count).map(|_| row(intent(0), Some(1_000))).collect()
    }

    fn run(&self, batches: Vec<Vec<LedgerRow>>) {
        self.runtime.block_on(async {
            let tasks: Vec<_> = batches
                .into_iter()
                .map(|rows| {
                    let (ledger, next) = (self.store.ledger(), Arc::clone(&self.next));
                    tokio::spawn(async move {
                        for mut row in rows {
                            // Ids follow the time of admission, as those of real requests do.
                            row.intent.id = intent(u128::from(next.fetch_add(1, Ordering::Relaxed))).id;
                            ledger.open(&row.intent).unwrap();
                            ledger.settle(row).await.unwrap();
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Nanoseconds of processor time that the threads of this process have used; `None` where the system does not say.
fn cpu_nanos() -> Option<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(sum)
}

/// 64 tasks, each with one request at a time, as a gateway with 64 connections.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn open_and_settle_64_tasks(bencher: divan::Bencher<'_, '_>) {
    measure(bencher, 64, 200);
}

/// One request at a time: what a commit costs when nobody shares it.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn open_and_settle_1_task(bencher: divan::Bencher<'_, '_>) {
    measure(bencher, 1, 100);
}

fn measure(bencher: divan::Bencher<'_, '_>, tasks: u64, rows: u64) {
    let bench = Bench::new(None);
    let (spent, count) = (AtomicU64::new(0), AtomicU64::new(0));
    bencher
        .counter(divan::counter::ItemsCount::new(tasks * rows))
        .with_inputs(|| (0..tasks).map(|_| Bench::rows(rows)).collect::<Vec<_>>())
        .bench_values(|batches| {
            let before = cpu_nanos();
            bench.run(batches);
            if let (Some(before), Some(after)) = (before, cpu_nanos()) {
                spent.fetch_add(after - before, Ordering::Relaxed);
                count.fetch_add(tasks * rows, Ordering::Relaxed);
            }
        });
    let statistics = bench.store.statistics();
    println!(
        "processor time a row: {} ns; rows a commit: {}",
        spent.into_inner().checked_div(count.into_inner()).unwrap_or(0),
        statistics.rows.checked_div(statistics.commits).unwrap_or(0),
    );
}

/// 1,000 requests a second for a second, however long each takes: what the interval between commits is worth.
#[divan::bench(args = [1, 2, 5, 10], sample_count = 1, sample_size = 1)]
fn a_thousand_a_second(bencher: divan::Bencher<'_, '_>, interval_ms: u64) {
    let bench = Bench::new(Some(Duration::from_millis(interval_ms)));
    let spent = AtomicU64::new(0);
    bencher.with_inputs(|| Bench::rows(1000)).bench_values(|rows| {
        let before = cpu_nanos();
        bench.runtime.block_on(async {
            let mut ticks = tokio::time::interval(Duration::from_millis(1));
            let mut tasks = Vec::new();
            for mut row in rows {
                ticks.tick().await;
                row.intent.id = intent(u128::from(bench.next.fetch_add(1, Ordering::Relaxed))).id;
                let ledger = bench.store.ledger();
                tasks.push(tokio::spawn(async move {
                    ledger.open(&row.intent).unwrap();
                    ledger.settle(row).await.unwrap();
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
        });
        if let (Some(before), Some(after)) = (before, cpu_nanos()) {
            spent.store((after - before) / 1000, Ordering::Relaxed);
        }
    });
    let statistics = bench.store.statistics();
    println!("processor time a row: {} ns; commits: {}", spent.into_inner(), statistics.commits);
}

/// The request's own share before it is sent: one append to the journal.
#[divan::bench(sample_count = 20, sample_size = 1000)]
fn open_alone(bencher: divan::Bencher<'_, '_>) {
    let bench = Bench::new(None);
    let ledger: Arc<dyn Ledger> = bench.store.ledger();
    bencher
        .with_inputs(|| -> Intent { intent(u128::from(bench.next.fetch_add(1, Ordering::Relaxed))) })
        .bench_values(|intent| ledger.open(&intent).unwrap());
}
