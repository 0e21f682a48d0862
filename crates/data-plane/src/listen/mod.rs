//! Accept, HTTP/1.1 and HTTP/2, the body cap, timeouts against slow clients, drain.

mod body;
mod chain;
mod dispatch;
mod route;
mod websocket;

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_dialects::openai_error::OpenAiError;

use crate::gateway::Gateway;
use crate::refusal::{Envelope, Refusal};
use crate::relay::ReplyBody;

/// Answers what is not the data plane's: the management API and the dashboard.
pub type Fallback = Arc<
    dyn Fn(http::Request<Incoming>) -> Pin<Box<dyn Future<Output = http::Response<ReplyBody>> + Send>>
        + Send
        + Sync,
>;

/// When what a connection has begun must end.
#[derive(Clone)]
struct Lifetime {
    /// The process is to end: nothing new begins.
    shutdown: CancellationToken,
    /// The grace period is over: what still runs is dropped, which settles its requests.
    cut: CancellationToken,
    /// All connections, upgraded ones included.
    tracker: TaskTracker,
}

/// The listener's work.
#[derive(Clone)]
pub struct Server {
    gateway: Arc<Gateway>,
    fallback: Option<Fallback>,
}

impl Server {
    /// Serves a gateway alone.
    #[must_use]
    pub fn new(gateway: Arc<Gateway>) -> Self {
        Self { gateway, fallback: None }
    }

    /// Serves a gateway, and gives all other paths to `fallback`.
    #[must_use]
    pub fn with_fallback(gateway: Arc<Gateway>, fallback: Fallback) -> Self {
        Self { gateway, fallback: Some(fallback) }
    }

    /// Serves until `shutdown`; then stops accepting, lets running requests finish for at most `grace`, and
    /// returns how many connections had to be cut.
    pub async fn serve(&self, listener: TcpListener, shutdown: CancellationToken, grace: Duration) -> usize {
        let lifetime = Lifetime { shutdown, cut: CancellationToken::new(), tracker: TaskTracker::new() };
        let Lifetime { shutdown, cut, tracker } = &lifetime;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        tracker.spawn(self.clone().connection(stream, lifetime.clone()));
                    }
                    Err(error) => {
                        self.gateway.metrics.limit_hit("accept");
                        tracing::warn!(%error, "a connection could not be accepted");
                        // Out of file descriptors, most likely: trying at once would only burn the processor.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        drop(listener);
        tracker.close();
        if tokio::time::timeout(grace, tracker.wait()).await.is_ok() {
            return 0;
        }
        let left = tracker.len();
        cut.cancel();
        tracker.wait().await;
        left
    }

    async fn connection(self, stream: TcpStream, lifetime: Lifetime) {
        let Lifetime { shutdown, cut, .. } = lifetime.clone();
        // Failing to set it costs only latency.
        let _ = stream.set_nodelay(true);
        let patience = self.gateway.settings.request_head_timeout;
        let opening = tokio::select! {
            biased;
            opening = tokio::time::timeout(patience, Opening::of(&stream)) => opening,
            () = shutdown.cancelled() => return,
        };
        let service = service_fn(move |request| {
            let (server, lifetime) = (self.clone(), lifetime.clone());
            async move {
                // On the heap, and gone with the response head: a connection that streams does not carry the
                // room that deciding took.
                let mut answer =
                    Box::pin(dispatch::answer(&server.gateway, server.fallback.as_ref(), &lifetime, request));
                Ok::<_, Infallible>(std::future::poll_fn(|cx| guarded(answer.as_mut(), cx)).await)
            }
        });
        let io = TokioIo::new(stream);
        let served: Pin<Box<dyn Future<Output = ()> + Send>> = match opening {
            Ok(Opening::Http1) => {
                let connection = http1(patience).serve_connection(io, service).with_upgrades();
                Box::pin(drive(connection, |c| c.graceful_shutdown(), shutdown, cut))
            }
            Ok(Opening::Http2) => {
                let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
                let connection = builder.serve_connection(io, service);
                Box::pin(drive(connection, |c| c.graceful_shutdown(), shutdown, cut))
            }
            Ok(Opening::Unclear) => {
                let mut builder = auto::Builder::new(TokioExecutor::new());
                builder
                    .http1()
                    .timer(TokioTimer::new())
                    .header_read_timeout(patience)
                    .http2()
                    .timer(TokioTimer::new())
                    .keep_alive_interval(Duration::from_secs(30));
                let connection = builder.serve_connection_with_upgrades(io, service).into_owned();
                Box::pin(drive(connection, |c| c.graceful_shutdown(), shutdown, cut))
            }
            // Nothing came, or the client is gone already.
            Ok(Opening::Closed) | Err(_) => return,
        };
        served.await;
    }
}

fn http1(patience: Duration) -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience);
    builder
}

/// What a connection opens with. Looked at without taking it: a reader that takes the first bytes apart
/// from the rest costs every HTTP/1.1 connection a second, larger read buffer.
enum Opening {
    Http1,
    Http2,
    /// Too little came at once to say.
    Unclear,
    Closed,
}

impl Opening {
    async fn of(stream: &TcpStream) -> Self {
        // No HTTP/1.1 method begins so; it is HTTP/2's preface.
        const PREFACE: &[u8] = b"PRI";
        let mut first = [0; PREFACE.len()];
        match stream.peek(&mut first).await {
            Ok(0) | Err(_) => Self::Closed,
            Ok(n) if first[..n] != PREFACE[..n] => Self::Http1,
            Ok(n) if n == PREFACE.len() => Self::Http2,
            Ok(_) => Self::Unclear,
        }
    }
}

/// Serves a connection to its end, to the end of its running requests after `shutdown`, or to the `cut`.
async fn drive<C: Future>(
    connection: C,
    finish: fn(Pin<&mut C>),
    shutdown: CancellationToken,
    cut: CancellationToken,
) {
    tokio::pin!(connection);
    let mut draining = false;
    loop {
        tokio::select! {
            biased;
            // A client's broken connection is no event of ours: its request has been settled.
            _ = connection.as_mut() => return,
            () = shutdown.cancelled(), if !draining => {
                draining = true;
                finish(connection.as_mut());
            }
            () = cut.cancelled() => return,
        }
    }
}

/// A panic is one request's, not the process's nor the connection's (I24).
fn guarded(
    answer: Pin<&mut impl Future<Output = Response<ReplyBody>>>,
    cx: &mut Context<'_>,
) -> Poll<Response<ReplyBody>> {
    // What it borrowed is shared state behind locks, or the request's own and dropped by the unwinding.
    catch_unwind(AssertUnwindSafe(|| answer.poll(cx))).unwrap_or_else(|_| {
        tracing::error!("a request panicked; the panic is reported above");
        let message = "A fault of Tollgate ended this request; its log says more. Please report it.";
        Poll::Ready(Refusal::new(OpenAiError::internal(message)).into_response(Envelope::OpenAi))
    })
}
