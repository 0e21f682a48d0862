//! The path of a request, a line a stage.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::admit::{Arrival, admit};
use crate::attempt;
use crate::authenticate::Caller;
use crate::decode;
use crate::gateway::Gateway;
use crate::refusal::{self, Refusal};
use crate::relay::{ReplyBody, StreamParts};
use crate::resolve;
use crate::settle::{self, Ending};
use crate::snapshot::Snapshot;

/// The response header that carries the request's id.
const GENERATION_HEADER: HeaderName = HeaderName::from_static("x-generation-id");

/// Chat completions, from an authenticated request on.
pub(crate) async fn chat_completions(
    gateway: &Arc<Gateway>,
    snapshot: &Snapshot,
    caller: &Caller,
    headers: &HeaderMap,
    body: Bytes,
    arrival: Arrival,
) -> Result<Response<ReplyBody>, Refusal> {
    let chat = decode::chat(headers, &body)?;
    let plan =
        resolve::plan(snapshot, &chat.request.head.model, &chat.request.head.needs, &chat.options, None)?;
    let mut ticket = admit(gateway, caller, &chat, plan, arrival)?;
    let generation = ticket.intent.id;
    let mut live = match attempt::run(&mut ticket, &chat).await {
        Ok(live) => live,
        Err(failure) => {
            let (receipt, durable) =
                settle::settle(&mut ticket, &Ending::Failed(failure.clone()), &Default::default());
            // An error answer is not a success: it need not wait, but the row is on its way.
            drop(durable);
            return Err(Refusal::failed(&failure, generation, Some(receipt.routing)));
        }
    };
    let mut response = if chat.request.head.stream {
        let parts = StreamParts {
            ticket,
            translation: live.translation,
            upstream: live.upstream,
            out: live.out,
            finished: live.finished,
        };
        let mut response = Response::new(ReplyBody::stream(parts));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Nginx and its kin would otherwise collect the events.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    } else {
        let (receipt, durable) = settle::settle(&mut ticket, &Ending::Complete, live.translation.seen());
        live.translation
            .close(&receipt, &mut live.out)
            .map_err(|failure| Refusal::failed(&failure, generation, Some(receipt.routing)))?;
        // The last byte waits for the row (I9). A ledger that cannot be written now keeps the row in memory.
        let _ = durable.await;
        refusal::json(StatusCode::OK, Bytes::from(live.out))
    };
    if let Ok(value) = HeaderValue::from_str(&generation.to_string()) {
        response.headers_mut().insert(GENERATION_HEADER, value);
    }
    Ok(response)
}
