//! Signals: the first one drains, the second one ends the process at once.

use tokio_util::sync::CancellationToken;

/// The exit code of a process that a second signal ended.
const AT_ONCE: i32 = 130;

/// A token that the first SIGTERM or SIGINT cancels.
pub fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let told = token.clone();
    let mut signals = Signals::new();
    tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopping: running requests may finish; a second signal stops at once");
        told.cancel();
        signals.next().await;
        tracing::warn!("stopped at once; the next start shows the requests that were running as interrupted");
        std::process::exit(AT_ONCE);
    });
    token
}

#[cfg(unix)]
struct Signals {
    terminate: Option<tokio::signal::unix::Signal>,
    interrupt: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Signals are caught from now on.
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let catch = |kind, name| {
            signal(kind).inspect_err(|error| tracing::warn!(%error, "{name} is not caught; it ends the process without a drain")).ok()
        };
        Self {
            terminate: catch(SignalKind::terminate(), "SIGTERM"),
            interrupt: catch(SignalKind::interrupt(), "SIGINT"),
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            () = one(&mut self.terminate) => {}
            () = one(&mut self.interrupt) => {}
        }
    }
}

#[cfg(unix)]
async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
