//! Stands in for model providers: speaks their protocols from the request itself, from scripts and from
//! recorded exchanges, with faults. For demonstrations, tests and load.
//!
//! A [`Simulator`] answers by the end of the path, whatever stands before it; [`paths`] lists them all. A
//! replay or an error is given on any path.
//!
//! What a request gets is decided in this order: the first [`Script`] that matches it, else the default
//! [`Behaviour`]; then the directives in its model name, then those in its header `x-mock` (see
//! [`directives`]). Over HTTP a simulator is directed under `/__sim/` (see [`http_control`]).
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use tollgate_simulator::{Behaviour, Options, Script, Simulator};
//!
//! let simulator = Simulator::start(Options::default()).await?;
//! let control = simulator.control();
//! control.push_script(Script::new(Behaviour::status(503)).times(2));
//! // … send requests to simulator.base_url() …
//! control.wait_for_requests(3).await;
//! simulator.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod admin;
mod answer;
mod api_error;
mod behaviour;
mod checksum;
mod control;
mod delivery;
mod directive;
mod event_stream;
mod fault;
mod listen;
mod multipart;
mod provider;
mod replay;
mod reply;
mod request;
mod script;
mod seal;
mod standalone;
mod state;
mod stats;
mod surface;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use behaviour::{Answer, Behaviour, SayCall, UsageOverride, UsageWhen};
pub use control::{Control, SeenRequest};
pub use directive::DirectiveError;
pub use fault::{CutHow, ErrorBody, Fault, Pace};
pub use replay::{Chunking, Replay, ReplayError, Split};
pub use script::{Matcher, Script};
pub use standalone::{StandaloneError, load_scripts, run_standalone};
pub use stats::Stats;

#[doc = include_str!("../docs/paths.md")]
pub mod paths {}

#[doc = include_str!("../docs/directives.md")]
pub mod directives {}

#[doc = include_str!("../docs/http_control.md")]
pub mod http_control {}

/// How a simulator is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens. Default: a free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// What requests get that no script matches. Default: the natural answer.
    pub default: Behaviour,
    /// Wait between the content events of a stream where the behaviour's pace does not say. Default: none.
    pub chunk_gap: Duration,
    /// How many of the last requests are kept. Default: 1000.
    pub keep_requests: usize,
    /// Body members whose values are kept for every request, at most 1,000,000 each; a dot goes into an
    /// object. Default: `user` and `metadata.user_id`.
    pub seen_fields: Vec<String>,
    /// What `…/models` lists.
    pub models: Vec<String>,
    /// Anthropic cache marks over fewer tokens than this are ignored. Default: 0; real models want 1024 to
    /// 4096 (providers §4).
    pub cache_minimum_tokens: u64,
    /// In whose name encrypted reasoning and thought signatures are issued. What another issuer sealed is
    /// refused, so two simulators of different issuers are like two accounts. Default: `simulator`.
    pub issuer: String,
}

impl Default for Options {
    fn default() -> Self {
        let owned = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect();
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            default: Behaviour::default(),
            chunk_gap: Duration::ZERO,
            keep_requests: 1000,
            seen_fields: owned(&["user", "metadata.user_id"]),
            models: owned(&["sim-1", "sim-1-mini", "sim-1-reasoning", "sim-embed-1"]),
            cache_minimum_tokens: 0,
            issuer: "simulator".to_owned(),
        }
    }
}

/// A running simulator. It stops when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    control: Control,
    /// Dropped, it stops the task below, and with it every connection.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Binds and serves in tasks of the current runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let addr = listener.local_addr()?;
        let state = Arc::new(state::State::new(options));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listen::accept(listener, Arc::clone(&state), stopped));
        Ok(Self { addr, control: Control { state }, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://address`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A handle to direct it.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops it and waits until every connection is closed.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The task ends by itself; it can only have been cancelled by the end of its runtime.
        let _ended = self.task.await;
    }
}
