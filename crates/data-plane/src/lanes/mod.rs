//! The HTTP client. A lane is the set of connections to one origin: idle HTTP/1.1 connections are reused
//! last in, first out; several HTTP/2 connections share the streams, because one connection queues at
//! about a hundred of them. A slot is released when the response body ends, and a dead reused connection
//! is replaced at once on the same target. Redirects are never followed (I29).

mod body;
mod connect;
mod exclusive;
mod get;
mod origin;

pub use body::LaneBody;
pub use connect::Connector;
pub use origin::{BadBaseUrl, BaseUrl, Origin};

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2;
use tokio::time::Instant;
use tollgate_telemetry::metrics::{Metrics, ProviderLabels};

use connect::Connection;
use exclusive::Exclusive;

/// Limits of the connections.
#[derive(Clone, Copy, Debug)]
pub struct LaneSettings {
    /// How long connecting may take, TLS included (I23).
    pub connect_timeout: Duration,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// Idle connections kept for one origin.
    pub max_idle: usize,
    /// Streams put on one HTTP/2 connection.
    pub streams_per_connection: usize,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_idle: 4096,
            streams_per_connection: 90,
        }
    }
}

/// A request that did not get response headers.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No connection.
    #[error("could not connect to {origin}: {reason}")]
    Connect {
        /// Where to.
        origin: Origin,
        /// Why not.
        reason: String,
    },
    /// No connection in time.
    #[error("could not connect to {origin} within {timeout:?}")]
    ConnectTimeout {
        /// Where to.
        origin: Origin,
        /// The limit.
        timeout: Duration,
    },
    /// The connection broke before response headers.
    #[error("the connection to {origin} broke before an answer came: {reason}")]
    Broken {
        /// Where to.
        origin: Origin,
        /// How.
        reason: String,
    },
}

/// All lanes of the process.
#[derive(Debug)]
pub struct Lanes {
    connector: Arc<Connector>,
    settings: LaneSettings,
    metrics: Arc<Metrics>,
    lanes: Mutex<HashMap<Origin, Arc<Lane>>>,
}

impl Lanes {
    /// No lanes yet.
    #[must_use]
    pub fn new(connector: Connector, settings: LaneSettings, metrics: Arc<Metrics>) -> Self {
        Self { connector: Arc::new(connector), settings, metrics, lanes: Mutex::default() }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The lane to an origin; made at the first call.
    #[must_use]
    pub fn lane(&self, origin: &Origin) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(origin.clone()).or_insert_with(|| {
            let lane = Arc::new(Lane {
                origin: origin.clone(),
                connector: Arc::clone(&self.connector),
                settings: self.settings,
                metrics: Arc::clone(&self.metrics),
                idle: Mutex::default(),
                shared: Mutex::default(),
                exclusive: AtomicBool::new(!origin.tls),
                turn: tokio::sync::Mutex::default(),
            });
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(sweep_regularly(Arc::downgrade(&lane), self.settings.idle_timeout / 4));
            }
            lane
        }))
    }
}

/// The connections to one origin.
#[derive(Debug)]
pub struct Lane {
    origin: Origin,
    connector: Arc<Connector>,
    settings: LaneSettings,
    metrics: Arc<Metrics>,
    idle: Mutex<Vec<IdleConnection>>,
    shared: Mutex<Vec<SharedConnection>>,
    /// The origin is known to speak only HTTP/1.1.
    exclusive: AtomicBool,
    /// Where connections may be shared, they are opened one after the other: a burst of requests to a new
    /// origin opens a few, not one each.
    turn: tokio::sync::Mutex<()>,
}

type Http2Sender = http2::SendRequest<Full<Bytes>>;

#[derive(Debug)]
struct IdleConnection {
    connection: Exclusive,
    since: Instant,
}

#[derive(Debug)]
struct SharedConnection {
    sender: Http2Sender,
    streams: Arc<AtomicUsize>,
}

/// One HTTP/2 stream's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct StreamSlot(Arc<AtomicUsize>);

impl StreamSlot {
    fn take(streams: &Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(streams))
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What to send: everything but the body, kept so that it can be sent again on another connection.
#[derive(Debug, Clone)]
pub struct Head {
    /// The path and query.
    pub target: http::Uri,
    /// All headers but `host`, which the lane adds.
    pub headers: http::HeaderMap,
}

impl Lane {
    /// Where it leads to.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// POSTs and waits for response headers. Dropping the future closes the connection (I22).
    ///
    /// # Errors
    /// When no connection could be had, or it broke before response headers.
    pub async fn post(
        self: &Arc<Self>,
        head: &Head,
        body: Bytes,
    ) -> Result<http::Response<LaneBody>, SendError> {
        if let Some((sender, slot)) = self.shared_connection() {
            match self.post_shared(sender, slot, head, body.clone()).await {
                Err(SendError::Broken { .. }) => {}
                result => return result,
            }
        } else if let Some(mut connection) = self.idle_connection().await {
            match connection.send(self.request(head, body.clone(), false)).await {
                Ok(response) => return Ok(self.release_at_end(response, connection)),
                // The provider had closed the reused connection: not an attempt, try a fresh one.
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
        self.post_fresh(head, body).await
    }

    async fn post_fresh(
        self: &Arc<Self>,
        head: &Head,
        body: Bytes,
    ) -> Result<http::Response<LaneBody>, SendError> {
        let timeout = self.settings.connect_timeout;
        let turn = if self.exclusive.load(Ordering::Relaxed) {
            None
        } else {
            // Behind a connection that hangs, nobody waits longer than for one of their own.
            tokio::time::timeout(timeout, self.turn.lock()).await.ok()
        };
        if turn.is_some()
            && let Some((sender, slot)) = self.shared_connection()
        {
            drop(turn);
            return self.post_shared(sender, slot, head, body).await;
        }
        let connection = match tokio::time::timeout(timeout, self.connector.connect(&self.origin)).await {
            Err(_) => return Err(SendError::ConnectTimeout { origin: self.origin.clone(), timeout }),
            Ok(Err(reason)) => return Err(SendError::Connect { origin: self.origin.clone(), reason }),
            Ok(Ok(connection)) => connection,
        };
        self.metrics
            .connections_opened
            .get_or_create(&ProviderLabels { origin: self.origin.to_string() })
            .inc();
        match connection {
            Connection::Http1(mut connection) => {
                self.exclusive.store(true, Ordering::Relaxed);
                drop(turn);
                let response = connection.send(self.request(head, body, false)).await;
                response.map(|r| self.release_at_end(r, connection)).map_err(|e| self.broken(&e))
            }
            Connection::Http2(sender) => {
                let streams = Arc::new(AtomicUsize::new(0));
                let slot = StreamSlot::take(&streams);
                let kept = SharedConnection { sender: sender.clone(), streams };
                self.shared.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                drop(turn);
                self.post_shared(sender, slot, head, body).await
            }
        }
    }

    async fn post_shared(
        &self,
        mut sender: Http2Sender,
        slot: StreamSlot,
        head: &Head,
        body: Bytes,
    ) -> Result<http::Response<LaneBody>, SendError> {
        let response = sender.send_request(self.request(head, body, true)).await;
        response.map(|r| r.map(|b| LaneBody::shared(b, slot))).map_err(|e| self.broken(&e))
    }

    fn broken(&self, error: &hyper::Error) -> SendError {
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            reason = format!("{reason}: {inner}");
            source = inner.source();
        }
        SendError::Broken { origin: self.origin.clone(), reason }
    }

    fn request(&self, head: &Head, body: Bytes, absolute: bool) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.headers_mut() = head.headers.clone();
        if absolute {
            *request.uri_mut() = self.origin.absolute(&head.target);
        } else {
            *request.uri_mut() = head.target.clone();
            request.headers_mut().insert(http::header::HOST, self.origin.host_header());
        }
        request
    }

    fn shared_connection(&self) -> Option<(Http2Sender, StreamSlot)> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|c| !c.sender.is_closed());
        shared
            .iter()
            .find(|c| c.streams.load(Ordering::Relaxed) < self.settings.streams_per_connection)
            .map(|c| (c.sender.clone(), StreamSlot::take(&c.streams)))
    }

    async fn idle_connection(&self) -> Option<Exclusive> {
        loop {
            let candidate = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if candidate.since.elapsed() > self.settings.idle_timeout {
                // Everything below it is older still.
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return None;
            }
            let mut connection = candidate.connection;
            if connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    fn release_at_end(
        self: &Arc<Self>,
        response: http::Response<hyper::body::Incoming>,
        connection: Exclusive,
    ) -> http::Response<LaneBody> {
        response.map(|body| LaneBody::exclusive(body, Arc::clone(self), connection))
    }

    /// Takes back a connection whose response body has ended.
    pub(crate) fn give_back(&self, connection: Exclusive) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= self.settings.max_idle {
            self.metrics.limit_hit("idle_connections");
            return;
        }
        idle.push(IdleConnection { connection, since: Instant::now() });
    }

    /// Closes idle connections that are too old or that the provider has closed. Nothing else looks at them.
    fn sweep(&self) {
        let now = Instant::now();
        let mut idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        idle.retain_mut(|c| now - c.since <= self.settings.idle_timeout && !c.connection.has_ended());
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // What came back meanwhile is younger and stays on top.
        idle.append(&mut kept);
        *kept = idle;
    }
}

/// Sweeps a lane for as long as it lives.
async fn sweep_regularly(lane: Weak<Lane>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        match lane.upgrade() {
            Some(lane) => lane.sweep(),
            None => return,
        }
    }
}

/// Whether a reused connection turned out to be dead before any of the answer came.
fn is_stale(error: &hyper::Error) -> bool {
    error.is_canceled() || error.is_closed() || error.is_incomplete_message() || {
        let mut source = std::error::Error::source(error);
        let mut io = false;
        while let Some(inner) = source {
            io |= inner.downcast_ref::<std::io::Error>().is_some_and(|e| {
                matches!(
                    e.kind(),
                    std::io::ErrorKind::ConnectionReset
                        | std::io::ErrorKind::BrokenPipe
                        | std::io::ErrorKind::ConnectionAborted
                        | std::io::ErrorKind::NotConnected
                )
            });
            source = inner.source();
        }
        io
    }
}
