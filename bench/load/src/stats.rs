//! What is counted and timed: one set of counters and histograms for the whole run.
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use hdrhistogram::Histogram;

/// `CLOCK_MONOTONIC` in nanoseconds: the clock that the mock upstream stamps its chunks with.
pub fn now() -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// Everything one run counts; the histograms hold nanoseconds.
pub struct Stats {
    pub measuring: Cell<bool>,
    pub ok: Cell<u64>,
    pub chunks: Cell<u64>,
    pub bytes: Cell<u64>,
    pub connects: Cell<u64>,
    pub open: Cell<u64>,
    pub first_err: RefCell<String>,
    pub errs: RefCell<BTreeMap<String, u64>>,
    pub total: RefCell<Histogram<u64>>, // send -> end of response
    pub sched: RefCell<Histogram<u64>>, // scheduled arrival -> end of response (open loop)
    pub ttfb: RefCell<Histogram<u64>>,  // send -> response head
    pub ttft: RefCell<Histogram<u64>>,  // send (or scheduled arrival) -> first content chunk
    pub first: RefCell<Histogram<u64>>, // upstream wrote first chunk -> read here
    pub chunk: RefCell<Histogram<u64>>, // upstream wrote chunk -> read here (all but the first)
    pub gap: RefCell<Histogram<u64>>,   // between two content chunks
}
fn h() -> RefCell<Histogram<u64>> {
    RefCell::new(Histogram::new_with_bounds(500, 600_000_000_000, 3).unwrap())
}

pub fn rec(hist: &RefCell<Histogram<u64>>, v: u64) {
    hist.borrow_mut().saturating_record(v);
}

pub fn add(c: &Cell<u64>, n: u64) {
    c.set(c.get() + n);
}

impl Stats {
    pub fn new() -> Self {
        Stats {
            measuring: Cell::new(false),
            ok: Cell::new(0),
            chunks: Cell::new(0),
            bytes: Cell::new(0),
            connects: Cell::new(0),
            open: Cell::new(0),
            first_err: RefCell::default(),
            errs: RefCell::default(),
            total: h(),
            sched: h(),
            ttfb: h(),
            ttft: h(),
            first: h(),
            chunk: h(),
            gap: h(),
        }
    }

    /// Counts an error while measuring, and keeps the first one with some of its body.
    pub fn err(&self, e: &str, detail: &[u8]) {
        if !self.measuring.get() {
            return;
        }
        *self.errs.borrow_mut().entry(e.to_string()).or_insert(0) += 1;
        if self.first_err.borrow().is_empty() {
            *self.first_err.borrow_mut() =
                format!("{e}: {}", String::from_utf8_lossy(&detail[..detail.len().min(300)]));
        }
    }
}

/// A histogram as JSON, in microseconds; `null` when it is empty.
fn pct(hist: &RefCell<Histogram<u64>>) -> String {
    let h = hist.borrow();
    if h.is_empty() {
        return "null".into();
    }
    let q = |p: f64| h.value_at_quantile(p) as f64 / 1000.0;
    format!(
        r#"{{"n":{},"mean":{:.1},"p50":{:.1},"p90":{:.1},"p99":{:.1},"p999":{:.1},"max":{:.1}}}"#,
        h.len(),
        h.mean() / 1000.0,
        q(0.5),
        q(0.9),
        q(0.99),
        q(0.999),
        h.max() as f64 / 1000.0
    )
}

/// The result of a run as one line of JSON; `took` in seconds, `late`: requests not answered in time.
pub fn report(mode: &str, took: f64, late: u64, st: &Stats) -> String {
    let mut ru: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut ru) };
    let cpu = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) as f64
        + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) as f64 / 1e6;
    let errs: Vec<String> = st.errs.borrow().iter().map(|(k, v)| format!("{k:?}:{v}")).collect();
    let first_error: String = st
        .first_err
        .borrow()
        .chars()
        .map(|c| match c {
            '"' | '\\' => '\'',
            c if c.is_ascii_graphic() => c,
            _ => ' ',
        })
        .collect();
    let nerr: u64 = st.errs.borrow().values().sum();
    format!(
        r#"{{"mode":"{mode}","secs":{took:.3},"ok":{},"errors":{nerr},"unfinished":{late},"rps":{:.1},"chunks":{},"chunks_per_s":{:.0},"bytes":{},"connects":{},"open":{},"load_cpu_s":{cpu:.2},"us":{{"total":{},"scheduled":{},"head":{},"ttft":{},"first_oneway":{},"chunk_oneway":{},"chunk_gap":{}}},"errs":{{{}}},"first_error":"{first_error}"}}"#,
        st.ok.get(),
        st.ok.get() as f64 / took,
        st.chunks.get(),
        st.chunks.get() as f64 / took,
        st.bytes.get(),
        st.connects.get(),
        st.open.get(),
        pct(&st.total),
        pct(&st.sched),
        pct(&st.ttfb),
        pct(&st.ttft),
        pct(&st.first),
        pct(&st.chunk),
        pct(&st.gap),
        errs.join(",")
    )
}
