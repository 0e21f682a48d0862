//! Mock model provider: as little work per request as HTTP/1.1 allows.
//!
//! Behaviour is the process default (flags, or `/__mock/set?...` at run time), overridden per
//! request by (in rising priority) a model-name suffix `name@k=v&k=v`, the header `x-mock: k=v&k=v`
//! and the query string. The model suffix exists because gateways forward the model, but often
//! neither headers nor query.
mod answer;
mod counts;
mod net;
mod params;
mod replies;
mod sse;

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::LazyLock;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::answer::{PARAMS, handle};
use crate::counts::{CONNS, CONNS_TOTAL};
use crate::net::{Io, listen};
use crate::replies::FILLER;

fn serve(addr: SocketAddr) {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(31).build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&rt, async move {
        let l = tokio::net::TcpListener::from_std(listen(addr).unwrap_or_else(|e| {
            eprintln!("bind {addr}: {e}");
            std::process::exit(1)
        }))
        .unwrap();
        loop {
            let Ok((s, _)) = l.accept().await else {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            let _ = s.set_nodelay(true);
            let fd = s.as_raw_fd();
            tokio::task::spawn_local(async move {
                CONNS.fetch_add(1, Relaxed);
                CONNS_TOTAL.fetch_add(1, Relaxed);
                let _ = hyper::server::conn::http1::Builder::new()
                    .max_buf_size(1 << 20)
                    .serve_connection(Io { s }, hyper::service::service_fn(move |r| handle(r, fd)))
                    .await;
                CONNS.fetch_sub(1, Relaxed);
            });
        }
    });
}

fn main() {
    let (mut port, mut threads, mut host) = (9100u16, 1usize, "127.0.0.1".to_string());
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut it = args.iter();
    while let Some(a) = it.next() {
        let k = a.trim_start_matches("--").replace('-', "_");
        let v = it.next().unwrap_or_else(|| { eprintln!("usage: mock-upstream [--port N] [--host A] [--threads N] [--KEY VALUE ...]  keys as for /__mock/set"); std::process::exit(2) });
        match k.as_str() {
            "port" => port = v.parse().expect("port"),
            "threads" => threads = v.parse().expect("threads"),
            "host" => host = v.clone(),
            _ => {
                if !PARAMS.lock().unwrap().set(&k, v) {
                    eprintln!("unknown or bad --{k} {v}");
                    std::process::exit(2)
                }
            }
        }
    }
    let addr: SocketAddr = format!("{host}:{port}").parse().expect("address");
    LazyLock::force(&FILLER);
    eprintln!("mock-upstream on http://{addr}, {threads} thread(s)");
    let hs: Vec<_> = (1..threads).map(|_| std::thread::spawn(move || serve(addr))).collect();
    serve(addr);
    for h in hs {
        let _ = h.join();
    }
}
