//! A response body that gives its connection back when it ends, and closes it when it is dropped before.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::exclusive::Exclusive;
use super::{Lane, StreamSlot};

/// A response body on a lane.
#[derive(Debug)]
pub struct LaneBody {
    incoming: Incoming,
    hold: Hold,
}

#[derive(Debug)]
enum Hold {
    /// An HTTP/1.1 connection: to be given back.
    Exclusive(Arc<Lane>, Exclusive),
    /// A place on an HTTP/2 connection: given back by being dropped.
    Shared(#[expect(dead_code, reason = "held for its Drop")] StreamSlot),
    /// An HTTP/1.1 connection of no lane: closed at the end.
    Alone(Exclusive),
    Released,
}

impl LaneBody {
    pub(super) fn exclusive(incoming: Incoming, lane: Arc<Lane>, connection: Exclusive) -> Self {
        Self { incoming, hold: Hold::Exclusive(lane, connection) }
    }

    pub(super) fn shared(incoming: Incoming, slot: StreamSlot) -> Self {
        Self { incoming, hold: Hold::Shared(slot) }
    }

    /// On a connection that no lane keeps; HTTP/2 drives itself.
    pub(super) fn alone(incoming: Incoming, connection: Option<Exclusive>) -> Self {
        Self { incoming, hold: connection.map_or(Hold::Released, Hold::Alone) }
    }

    fn release(&mut self) {
        if let Hold::Exclusive(lane, connection) = std::mem::replace(&mut self.hold, Hold::Released) {
            lane.give_back(connection);
        }
    }
}

impl Body for LaneBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let incoming = Pin::new(&mut this.incoming);
        let polled = match &mut this.hold {
            Hold::Exclusive(_, connection) | Hold::Alone(connection) => connection.poll_frame(incoming, cx),
            Hold::Shared(_) | Hold::Released => incoming.poll_frame(cx),
        };
        match &polled {
            Poll::Ready(None) => self.release(),
            Poll::Ready(Some(Ok(_))) if self.incoming.is_end_stream() => self.release(),
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
