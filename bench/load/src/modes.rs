//! The three ways to load: closed loop, open loop, and streams held open.
use std::cell::Cell;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::unix::AsyncFd;

use crate::exchange::{Conf, attempt, connect};
use crate::stats::{Stats, add, now};

/// How long and how hard; times in seconds, rate in requests a second.
pub struct Effort {
    pub secs: f64,
    pub warm: f64,
    pub conns: usize,
    pub rate: f64,
    pub ramp_ms: u64,
}

async fn pause(secs: f64) {
    tokio::time::sleep(Duration::from_secs_f64(secs)).await;
}

/// Next request when the last has ended. Gives the measured seconds.
pub async fn closed(c: Rc<Conf>, st: Rc<Stats>, e: &Effort) -> f64 {
    for _ in 0..e.conns {
        let (c, st) = (c.clone(), st.clone());
        tokio::task::spawn_local(async move {
            let mut slot = None;
            loop {
                attempt(&mut slot, &c, &st, 0).await;
            }
        });
    }
    pause(e.warm).await;
    println!("MEASURE");
    st.measuring.set(true);
    let t = now();
    pause(e.secs).await;
    st.measuring.set(false);
    println!("END");
    (now() - t) as f64 / 1e9
}

/// Constant arrival rate. Gives the measured seconds and the number of requests left unanswered.
pub async fn open(c: Rc<Conf>, st: Rc<Stats>, e: &Effort) -> (f64, u64) {
    let (tx, rx) = tokio::sync::mpsc::unbounded_channel();
    let rx = Rc::new(tokio::sync::Mutex::new(rx));
    let waiting = Rc::new(Cell::new(0u64));
    for _ in 0..e.conns {
        let (c, st, rx, w) = (c.clone(), st.clone(), rx.clone(), waiting.clone());
        tokio::task::spawn_local(async move {
            let mut slot = connect(&c, &st).await.ok();
            loop {
                let Some(due) = rx.lock().await.recv().await else { return };
                add(&w, 1);
                attempt(&mut slot, &c, &st, due).await;
                w.set(w.get() - 1);
            }
        });
    }
    pause(0.1).await;
    let end = now() + ((e.warm + e.secs) * 1e9) as u64;
    tokio::task::spawn_local(arrivals(e.rate, end, tx));
    pause(e.warm).await;
    println!("MEASURE");
    st.measuring.set(true);
    let t = now();
    pause(e.secs).await;
    println!("END");
    let took = (now() - t) as f64 / 1e9;
    let deadline = now() + 5_000_000_000; // answers still under way count, for up to 5 s
    while waiting.get() > 0 && now() < deadline {
        pause(0.02).await;
    }
    st.measuring.set(false);
    (took, waiting.get())
}

/// Opens streams and keeps them open. Gives the seconds they were held.
pub async fn hold(c: Rc<Conf>, st: Rc<Stats>, e: &Effort) -> f64 {
    st.measuring.set(true);
    for i in 0..e.conns {
        let (c, st) = (c.clone(), st.clone());
        tokio::task::spawn_local(async move {
            add(&st.open, 1);
            let mut slot = None;
            attempt(&mut slot, &c, &st, 0).await;
            st.open.set(st.open.get() - 1);
        });
        if i % 8 == 7 {
            tokio::time::sleep(Duration::from_millis(e.ramp_ms)).await;
        }
    }
    // ready once every stream gave its first chunk, or 90 s passed
    let limit = now() + 90_000_000_000;
    while (st.first.borrow().len() as usize) < e.conns && now() < limit {
        pause(0.05).await;
    }
    println!("READY {} streaming, {} open", st.first.borrow().len(), st.open.get());
    println!("MEASURE");
    let (before, t) = (st.chunks.get(), now());
    pause(e.secs).await;
    println!("END");
    let held = (now() - t) as f64 / 1e9;
    eprintln!("chunks/s while held: {:.0}", (st.chunks.get() - before) as f64 / held);
    st.measuring.set(false);
    held
}

/// Arrivals at a constant rate from a timerfd (tokio's own timer has 1 ms steps).
async fn arrivals(rate: f64, end: u64, tx: tokio::sync::mpsc::UnboundedSender<u64>) {
    let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC) };
    let fd = unsafe { AsyncFd::register(OwnedFd::from_raw_fd(fd)) }.unwrap();
    let step = 1e9 / rate;
    let t0 = now() + 1_000_000;
    let mut i = 0u64;
    loop {
        let due = t0 + (i as f64 * step) as u64;
        if due >= end {
            return;
        }
        if due > now() {
            let it = libc::itimerspec {
                it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 },
                it_value: libc::timespec {
                    tv_sec: (due / 1_000_000_000) as i64,
                    tv_nsec: (due % 1_000_000_000) as i64,
                },
            };
            unsafe {
                libc::timerfd_settime(fd.as_raw_fd(), libc::TFD_TIMER_ABSTIME, &it, std::ptr::null_mut())
            };
            let mut g = fd.readable().await.unwrap();
            let mut x = [0u8; 8];
            unsafe { libc::read(fd.as_raw_fd(), x.as_mut_ptr().cast(), 8) };
            g.clear_ready();
        }
        let _ = tx.send(due);
        i += 1;
    }
}
