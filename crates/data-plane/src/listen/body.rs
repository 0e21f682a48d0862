//! A request body, within its limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tollgate_dialects::openai_error::OpenAiError;

use crate::gateway::Gateway;
use crate::refusal::Refusal;

/// What is still read of a body that is refused, and for how long, so that a client that sends all of it
/// before it reads hears why instead of a broken connection (I26).
pub(super) const DISCARD_BYTES: usize = 64 << 20;
pub(super) const DISCARD_SILENCE: Duration = Duration::from_secs(1);

/// Reads the whole body. A client that `waits` (`expect: 100-continue`) has not sent it yet.
///
/// # Errors
/// 413 beyond the limit, 408 when the client stops sending, 400 when it breaks off.
pub(super) async fn read(gateway: &Gateway, mut body: Incoming, waits: bool) -> Result<Bytes, Refusal> {
    let limit = gateway.settings.max_body_bytes;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        if !waits {
            discard(body).await;
        }
        return Err(too_large(gateway, limit));
    }
    let patience = gateway.settings.request_body_timeout;
    let mut whole = BytesMut::new();
    let mut first: Option<Bytes> = None;
    while let Some(frame) = next(gateway, &mut body, patience).await? {
        let Ok(data) = frame.into_data() else { continue };
        let held = first.as_ref().map_or(whole.len(), Bytes::len);
        if held + data.len() > limit {
            discard(body).await;
            return Err(too_large(gateway, limit));
        }
        // Most bodies come in one piece and are not copied.
        if held == 0 {
            first = Some(data);
        } else {
            if let Some(first) = first.take() {
                whole.reserve(announced.max(first.len() + data.len()));
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

async fn next(
    gateway: &Gateway,
    body: &mut Incoming,
    patience: Duration,
) -> Result<Option<http_body::Frame<Bytes>>, Refusal> {
    // What is already there needs no timer.
    let frame = std::future::poll_fn(|cx| match std::pin::Pin::new(&mut *body).poll_frame(cx) {
        std::task::Poll::Ready(frame) => std::task::Poll::Ready(Some(frame)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    });
    let frame = match frame.await {
        Some(frame) => frame,
        None => match tokio::time::timeout(patience, body.frame()).await {
            Ok(frame) => frame,
            Err(_) => {
                gateway.metrics.limit_hit("request_body_timeout");
                let message =
                    format!("The request body stopped coming for {patience:?}. Send the request again.");
                return Err(Refusal::new(OpenAiError::new(408, "invalid_request_error", message)));
            }
        },
    };
    frame.transpose().map_err(|_| {
        Refusal::new(OpenAiError::new(
            400,
            "invalid_request_error",
            "The request body broke off before its end.",
        ))
    })
}

async fn discard(mut body: Incoming) {
    let mut room = DISCARD_BYTES;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(DISCARD_SILENCE, body.frame()).await {
        room = room.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if room == 0 {
            return;
        }
    }
}

fn too_large(gateway: &Gateway, limit: usize) -> Refusal {
    gateway.metrics.limit_hit("body_bytes");
    let message = format!(
        "The request body exceeds {limit} bytes, the limit of this gateway. Send less, or ask its operator to raise server.max_body."
    );
    Refusal::new(OpenAiError::too_large(message))
}
