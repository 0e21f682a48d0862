//! Accepting connections and serving the requests on each, one after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::admin;
use crate::delivery::{self, Delivery, End, Step};
use crate::provider;
use crate::request::{self, ReadError};
use crate::state::State;

/// Bytes of pipelined requests taken in while a request is answered.
const PIPELINE_LIMIT: usize = 64 << 10;

/// Serves until told to stop (or until the sender is dropped), then closes every connection.
pub(crate) async fn accept(listener: TcpListener, state: Arc<State>, mut stop: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    state.counters.connections.fetch_add(1, Relaxed);
                    connections.spawn(connection(stream, Arc::clone(&state)));
                }
                Err(error) => {
                    // Out of descriptors, most likely: accepting again at once would spin.
                    tracing::warn!(%error, "the simulator could not accept a connection; it tries again");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn connection(mut stream: TcpStream, state: Arc<State>) {
    // Each write is an event that the client is to see at once.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut buffer = BytesMut::with_capacity(8 << 10);
    loop {
        let request = match request::read(&mut stream, &mut buffer).await {
            Ok(request) => request,
            Err(ReadError::Gone) => return,
            Err(ReadError::Refused(status, why)) => {
                let body = json!({"error": {"message": why, "type": "invalid_request_error"}}).to_string();
                let head = format!(
                    "HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                let _gone_too = delivery::run(&mut stream, vec![Step::Write(head.into())]).await;
                return;
            }
        };
        if let Some(planned) = admin::respond(&state, &request) {
            if deliver(&mut stream, &mut buffer, planned).await != Some(End::KeepAlive) {
                return;
            }
            continue;
        }
        let body: Option<Value> = serde_json::from_slice(&request.body).ok();
        let mut in_flight = state.begin(&request, body.as_ref());
        let planned = provider::respond(&state, &request, body.as_ref(), in_flight.order);
        drop((request, body));
        if planned.stream {
            in_flight.streams();
        }
        match deliver(&mut stream, &mut buffer, planned).await {
            Some(end) => {
                in_flight.finished();
                match end {
                    End::KeepAlive => {}
                    End::Close => return,
                    End::Reset => {
                        // Nothing more can be done about a socket that refuses the option.
                        let _closed_by_fin_then = stream.set_zero_linger();
                        return;
                    }
                }
            }
            None => return in_flight.client_left(),
        }
    }
}

/// Carries out a delivery; `None` when the client went away first.
async fn deliver(stream: &mut TcpStream, buffer: &mut BytesMut, mut delivery: Delivery) -> Option<End> {
    if let [Step::Write(bytes)] = delivery.steps.as_mut_slice() {
        // The usual answer is one write that fits the socket's buffer: no need to watch the client.
        match stream.try_write(bytes) {
            Ok(written) if written == bytes.len() => return Some(delivery.end),
            Ok(written) => drop(bytes.split_to(written)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
    let (mut reader, mut writer) = stream.split();
    tokio::select! {
        biased;
        ran = delivery::run(&mut writer, delivery.steps) => ran.ok().map(|()| delivery.end),
        () = departure(&mut reader, buffer) => None,
    }
}

/// Ends when the client has closed or reset its side. What it sends meanwhile is kept for the next request.
async fn departure<R: AsyncRead + Unpin>(reader: &mut R, buffer: &mut BytesMut) {
    while buffer.len() < PIPELINE_LIMIT {
        buffer.reserve(4096);
        match reader.read_buf(buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    std::future::pending::<()>().await;
}
