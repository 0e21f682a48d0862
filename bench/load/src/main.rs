//! gwload: one single-threaded load generator for AI gateways.
//!
//!   gwload closed --url U --conns 64 --secs 8           closed loop, next request when the last ended
//!   gwload open   --url U --rate 500 --conns 64 --secs 8  constant arrival rate; latency counts from the
//!                                                        scheduled arrival (no coordinated omission)
//!   gwload hold   --url U --conns 2000 --secs 20        opens N streams, prints READY, keeps them open
//!
//! `--stream` makes each request a streaming one. Chunks of the mock upstream carry their send time
//! (`t=<CLOCK_MONOTONIC ns>;`), so the latency of each chunk is one-way and exact on one machine.
//! Result: one JSON object on stdout.
mod exchange;
mod modes;
mod request;
mod stats;

use std::rc::Rc;

const USAGE: &str = "usage: gwload closed|open|hold --url http://127.0.0.1:PORT/PATH [--stream] [--conns N] [--secs S] [--warmup S] [--rate R]
  [--model M] [--key K] [--header 'K: V']... [--api openai|anthropic] [--prompt BYTES] [--no-usage] [--body FILE]";

fn wrong_usage(what: &str) -> ! {
    eprintln!("gwload: {what}\n{USAGE}");
    std::process::exit(2)
}

/// The command line: a mode, then `--name value` pairs and flags.
struct Args(Vec<String>);

impl Args {
    fn mode(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|a| a == name)
    }
    fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.windows(2).filter(|w| w[0] == name);
        values.map(|w| w[1].as_str()).collect()
    }
    fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }
    fn num(&self, name: &str, default: f64) -> f64 {
        let Some(text) = self.get(name) else { return default };
        text.parse().unwrap_or_else(|_| wrong_usage(&format!("{name} needs a number, not {text:?}")))
    }
}

fn conf(args: &Args) -> exchange::Conf {
    let url = args.get("--url").unwrap_or_else(|| wrong_usage("--url is missing"));
    let Some(rest) = url.strip_prefix("http://") else { wrong_usage("--url must begin with http://") };
    let (addr, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let shape = request::Shape {
        addr,
        path: if path.is_empty() { "/" } else { path },
        model: args.get("--model").unwrap_or("mock-1"),
        key: args.get("--key"),
        headers: args.all("--header"),
        stream: args.has("--stream") || args.mode() == "hold",
        usage: !args.has("--no-usage"),
        anthropic: args.get("--api") == Some("anthropic"),
        prompt: args.num("--prompt", 1000.0) as usize,
    };
    let body = match args.get("--body") {
        Some(file) => {
            std::fs::read(file).unwrap_or_else(|e| wrong_usage(&format!("cannot read {file}: {e}")))
        }
        None => request::body(&shape),
    };
    exchange::Conf {
        addr: addr.to_string(),
        request: request::bytes(&shape, &body),
        stream: shape.stream,
        open_sched: args.mode() == "open",
    }
}

fn main() {
    let args = Args(std::env::args().skip(1).collect());
    let c = Rc::new(conf(&args));
    let st = Rc::new(stats::Stats::new());
    let effort = modes::Effort {
        secs: args.num("--secs", 5.0),
        warm: args.num("--warmup", 1.0),
        conns: args.num("--conns", 64.0) as usize,
        rate: args.num("--rate", 100.0),
        ramp_ms: args.num("--ramp-ms", 10.0) as u64,
    };
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (took, late) = tokio::task::LocalSet::new().block_on(&rt, async {
        match args.mode() {
            "closed" => (modes::closed(c, st.clone(), &effort).await, 0),
            "open" => modes::open(c, st.clone(), &effort).await,
            "hold" => (modes::hold(c, st.clone(), &effort).await, 0),
            other => wrong_usage(&format!("the mode is closed, open or hold, not {other:?}")),
        }
    });
    println!("{}", stats::report(args.mode(), took, late, &st));
    std::process::exit(0); // connections of a closed loop are still busy: do not wait for them
}
