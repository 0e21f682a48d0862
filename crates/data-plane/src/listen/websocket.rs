//! Responses over a WebSocket (gateway-api §7.3): each text frame is a request, each event of its answer a
//! frame. Requests run one after the other, each authenticated anew, so that a revoked key ends with the
//! answer that is running.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tollgate_dialects::openai_error::OpenAiError;
use tollgate_dialects::responses::websocket as wire;

use super::Lifetime;
use super::body::{DISCARD_BYTES, DISCARD_SILENCE};
use super::chain::Chain;
use crate::admit::Arrival;
use crate::authenticate;
use crate::decode;
use crate::gateway::Gateway;
use crate::pipeline;
use crate::refusal::Refusal;
use crate::relay::ReplyBody;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Whether a request asks to become a WebSocket.
pub(super) fn is_upgrade(request: &Request<Incoming>) -> bool {
    let has = |name, word: &str| {
        let value = request.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        value.is_some_and(|list| list.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket")
}

/// Accepts the handshake; the conversation runs beside the connection that it came by.
///
/// # Errors
/// 401 without a valid key; 400 or 426 for a handshake that is none.
pub(super) fn accept(
    gateway: &Arc<Gateway>,
    lifetime: &Lifetime,
    mut request: Request<Incoming>,
    arrival: Arrival,
) -> Result<Response<ReplyBody>, Refusal> {
    authenticate::caller(&gateway.snapshot(), request.headers(), arrival.at)?;
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return Err(Refusal::new(OpenAiError::new(
            400,
            "invalid_request_error",
            "The WebSocket handshake has no 'Sec-WebSocket-Key' header; use a WebSocket client.",
        )));
    };
    if request.headers().get(header::SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13") {
        return Err(Refusal::new(OpenAiError::new(
            426,
            "invalid_request_error",
            "Only version 13 of the WebSocket protocol is spoken; send 'Sec-WebSocket-Version: 13'.",
        )));
    }
    let accept = derive_accept_key(key.as_bytes());
    let mut response = Response::new(ReplyBody::full(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let mut headers = request.headers().clone();
    // They belong to the handshake, not to the requests.
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    let (gateway, ends) = (Arc::clone(gateway), lifetime.clone());
    lifetime.tracker.spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let limits = WebSocketConfig::default()
            .max_message_size(Some(wire::MAX_FRAME_BYTES))
            .max_frame_size(Some(wire::MAX_FRAME_BYTES));
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(limits)).await;
        let cut = ends.cut.clone();
        let session = Session { gateway, headers, socket, model: None, chain: Chain::default() };
        tokio::select! {
            () = session.run(ends) => {}
            () = cut.cancelled() => {}
        }
    });
    Ok(response)
}

/// One connection.
struct Session {
    gateway: Arc<Gateway>,
    /// The headers of the handshake: they count for every request.
    headers: HeaderMap,
    socket: Socket,
    /// The model of the first answer: a connection has one (gateway-api §7.3).
    model: Option<String>,
    chain: Chain,
}

/// Why a connection ends.
struct Close(u16, &'static str);

impl Close {
    const NOT_TEXT: Self = Self(wire::CLOSE_POLICY, "only text frames are taken");
    const TOO_LARGE: Self = Self(wire::CLOSE_POLICY, "a frame may have 4 MiB at most");
}

impl Session {
    async fn run(mut self, ends: Lifetime) {
        let dies = Instant::now() + wire::LIFETIME;
        let close = loop {
            let idle = Instant::now() + wire::IDLE;
            let message = tokio::select! {
                biased;
                () = ends.shutdown.cancelled() => break Close(wire::CLOSE_GOING_AWAY, "the gateway is shutting down"),
                message = tokio::time::timeout_at(idle.min(dies), self.socket.next()) => message,
            };
            let text = match message {
                Err(_) if Instant::now() >= dies => {
                    break Close(wire::CLOSE_GOING_AWAY, "the connection reached its age");
                }
                Err(_) => break Close(wire::CLOSE_GOING_AWAY, "the connection was idle"),
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
                Ok(Some(Ok(Message::Binary(_) | Message::Frame(_)))) => break Close::NOT_TEXT,
                Ok(Some(Err(Error::Capacity(_)))) => break Close::TOO_LARGE,
                // The client closed, or is gone.
                Ok(None | Some(Ok(Message::Close(_)) | Err(_))) => return,
            };
            match self.serve(&text).await {
                Ok(Some(close)) => break close,
                Ok(None) => {}
                // The client is gone: its request has been settled.
                Err(Gone) => return,
            }
        };
        let frame = CloseFrame { code: CloseCode::from(close.0), reason: close.1.into() };
        // It may be gone already.
        let _ = self.socket.close(Some(frame)).await;
        discard(self.socket.get_mut()).await;
    }

    /// Answers one frame.
    async fn serve(&mut self, text: &str) -> Result<Option<Close>, Gone> {
        match self.begin(text).await {
            Ok(Begun::Answer(response)) => self.relay(response).await,
            Ok(Begun::OtherModel) => {
                Ok(Some(Close(wire::CLOSE_POLICY, "a connection serves one model; open another one")))
            }
            Err(refusal) => {
                let payment = refusal.error.status == 402;
                let frame = wire::error_frame(&refusal.error, refusal.generation);
                self.send(frame).await?;
                Ok(payment.then_some(Close(wire::CLOSE_PAYMENT, "payment required")))
            }
        }
    }

    async fn begin(&mut self, text: &str) -> Result<Begun, Refusal> {
        let arrival = Arrival { at: self.gateway.clock.now(), instant: Instant::now() };
        let snapshot = self.gateway.snapshot();
        let caller = authenticate::caller(&snapshot, &self.headers, arrival.at)?;
        let body = wire::read_frame(text)?;
        let body = self.chain.continued(body)?;
        let asked = decode::responses(&self.headers, &body)?;
        let model = asked.head().model.clone();
        if self.model.as_ref().is_some_and(|known| *known != model) {
            return Ok(Begun::OtherModel);
        }
        self.chain.begin(&body);
        let response = pipeline::serve(&self.gateway, &snapshot, &caller, asked, arrival).await?;
        self.model = Some(model);
        Ok(Begun::Answer(response.into_body()))
    }

    /// Sends an answer's events as frames. Dropping the body, because the client is gone, ends the request.
    async fn relay(&mut self, mut body: ReplyBody) -> Result<Option<Close>, Gone> {
        let mut bytes = BytesMut::new();
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                message = self.socket.next() => match message {
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Text(_))) => {
                        let error = OpenAiError::new(
                            409,
                            "invalid_request_error",
                            "The answer before is still running on this connection; wait for its end or open another connection.",
                        );
                        self.send(wire::error_frame(&error, None)).await?;
                        continue;
                    }
                    Some(Ok(Message::Binary(_) | Message::Frame(_))) => return Ok(Some(Close::NOT_TEXT)),
                    Some(Err(Error::Capacity(_))) => return Ok(Some(Close::TOO_LARGE)),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                },
            };
            let Some(Ok(frame)) = frame else { return Ok(None) };
            let Ok(data) = frame.into_data() else { continue };
            bytes.extend_from_slice(&data);
            // Whole events only: one may come in several pieces.
            let Some(end) = memchr::memmem::rfind(&bytes, b"\n\n").map(|at| at + 2) else { continue };
            let events = bytes.split_to(end);
            for frame in wire::frames(&events) {
                self.chain.note(frame);
                let text = String::from_utf8_lossy(frame).into_owned();
                self.send(text).await?;
            }
        }
    }

    async fn send(&mut self, text: String) -> Result<(), Gone> {
        self.socket.send(Message::text(text)).await.map_err(|_| Gone)
    }
}

/// Reads what the client still sends, within bounds: a connection that ends with unread bytes is reset, and
/// the client would hear of that instead of the reason (I26).
async fn discard(stream: &mut TokioIo<Upgraded>) {
    let mut room = DISCARD_BYTES;
    let mut piece = [0; 4 << 10];
    while room > 0 {
        match tokio::time::timeout(DISCARD_SILENCE, stream.read(&mut piece)).await {
            Ok(Ok(read)) if read > 0 => room = room.saturating_sub(read),
            _ => return,
        }
    }
}

enum Begun {
    Answer(ReplyBody),
    OtherModel,
}

/// The client is gone.
struct Gone;
