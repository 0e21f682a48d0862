//! What one request costs the ledger: intent, settlement, commit. `cargo bench -p tollgate-store-sqlite`.
//!
//! Beside the time, the processor time of the whole process for each row is printed, since that is what
//! bounds a gateway that does other things while the disk works.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a broken store and reports to people"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tollgate_domain::id::Ulid;
use tollgate_domain::{GenerationId, Micros};
use tollgate_store::contract::{intent, row};
use tollgate_store::{Intent, Ledger, LedgerRow};
use tollgate_store_sqlite::{Options, Role, SqliteStore};

fn main() {
    divan::main();
}

/// Ids follow the time of admission, ten to a millisecond, and are random within it, as those of real requests.
fn id(number: u64) -> GenerationId {
    let random = u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 16;
    GenerationId(Ulid::from_parts(1_700_000_000_000 + number / 10, random))
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
        // As `tollgate serve` does it.
        let mut builder = match std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            1 => tokio::runtime::Builder::new_current_thread(),
            processors => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(processors);
                builder
            }
        };
        let runtime = builder.enable_all().build().unwrap();
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
                            row.intent.id = id(next.fetch_add(1, Ordering::Relaxed));
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

/// Nanoseconds of processor time that the threads of this process have used: the ledger's writer, and all others.
/// `None` where the system does not say.
fn cpu_nanos() -> Option<[u64; 2]> {
    let mut sums = [0; 2];
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let task = task.ok()?.path();
        let text = std::fs::read_to_string(task.join("schedstat")).ok()?;
        let writer = std::fs::read_to_string(task.join("comm")).ok()?.trim() == "ledger-writer";
        sums[usize::from(!writer)] += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(sums)
}

/// The processor time of the quietest sample, in nanoseconds a row: other work on the machine only adds to it.
struct Quietest(AtomicU64, AtomicU64);

impl Quietest {
    fn new() -> Self {
        Self(AtomicU64::new(u64::MAX), AtomicU64::new(u64::MAX))
    }

    fn sample(&self, rows: u64, work: impl FnOnce()) {
        let before = cpu_nanos();
        work();
        if let (Some(before), Some(after)) = (before, cpu_nanos()) {
            self.0.fetch_min((after[0] - before[0]) / rows, Ordering::Relaxed);
            self.1.fetch_min((after[1] - before[1]) / rows, Ordering::Relaxed);
        }
    }

    fn print(self, store: &SqliteStore) {
        let statistics = store.statistics();
        println!(
            "processor time a row: writer {} ns, requests {} ns; {} rows in {} commits",
            self.0.into_inner(),
            self.1.into_inner(),
            statistics.rows,
            statistics.commits,
        );
    }
}

/// 64 tasks, each with one request at a time, as a gateway with 64 connections.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn open_and_settle_64_tasks(bencher: divan::Bencher<'_, '_>) {
    measure(bencher, 64, 200);
}

/// 256 tasks: whether more of them share a commit.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn open_and_settle_256_tasks(bencher: divan::Bencher<'_, '_>) {
    measure(bencher, 256, 50);
}

/// One request at a time: what a commit costs when nobody shares it.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn open_and_settle_1_task(bencher: divan::Bencher<'_, '_>) {
    measure(bencher, 1, 100);
}

fn measure(bencher: divan::Bencher<'_, '_>, tasks: u64, rows: u64) {
    let bench = Bench::new(None);
    let spent = Quietest::new();
    bencher
        .counter(divan::counter::ItemsCount::new(tasks * rows))
        .with_inputs(|| (0..tasks).map(|_| Bench::rows(rows)).collect::<Vec<_>>())
        .bench_values(|batches| spent.sample(tasks * rows, || bench.run(batches)));
    spent.print(&bench.store);
}

/// 1,000 requests a second for a second, however long each takes: what the interval between commits is worth.
#[divan::bench(args = [1, 2, 5, 10], sample_count = 3, sample_size = 1)]
fn a_thousand_a_second(bencher: divan::Bencher<'_, '_>, interval_ms: u64) {
    let bench = Bench::new(Some(Duration::from_millis(interval_ms)));
    let spent = Quietest::new();
    bencher.with_inputs(|| Bench::rows(1000)).bench_values(|rows| {
        spent.sample(1000, || {
            bench.runtime.block_on(async {
                let mut ticks = tokio::time::interval(Duration::from_millis(1));
                let mut tasks = Vec::new();
                for mut row in rows {
                    ticks.tick().await;
                    row.intent.id = id(bench.next.fetch_add(1, Ordering::Relaxed));
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
        });
    });
    spent.print(&bench.store);
}

/// The request's own share before it is sent: one append to the journal.
#[divan::bench(sample_count = 20, sample_size = 1000)]
fn open_alone(bencher: divan::Bencher<'_, '_>) {
    let bench = Bench::new(None);
    let ledger: Arc<dyn Ledger> = bench.store.ledger();
    bencher
        .with_inputs(|| -> Intent {
            Intent { id: id(bench.next.fetch_add(1, Ordering::Relaxed)), ..intent(0) }
        })
        .bench_values(|intent| ledger.open(&intent).unwrap());
}
