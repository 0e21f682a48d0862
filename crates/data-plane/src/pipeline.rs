//! The path of a request, a line a stage.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use tollgate_dialects::openai_error::OpenAiError;

use crate::admit::{Arrival, Ticket, admit};
use crate::attempt::{self, Done, Live};
use crate::authenticate::Caller;
use crate::continued;
use crate::decode::{RequestIntent, Work};
use crate::gateway::Gateway;
use crate::meter;
use crate::refusal::{self, Refusal};
use crate::relay::{ReplyBody, StreamParts};
use crate::resolve;
use crate::settle::{self, Ending};
use crate::snapshot::Snapshot;

/// Serves a request from its intent on.
///
/// # Errors
/// Why there is no answer.
pub(crate) async fn serve(
    gateway: &Arc<Gateway>,
    snapshot: &Snapshot,
    caller: &Caller,
    mut asked: RequestIntent,
    arrival: Arrival,
) -> Result<Response<ReplyBody>, Refusal> {
    continued::find(gateway, caller, &mut asked).await?;
    let mut plan = resolve::plan(snapshot, asked.head(), &asked.options, asked.purpose())?;
    if asked.compact {
        // Compaction has no failover: only its provider can read what comes of it (gateway-api §7.2).
        plan.targets.truncate(1);
    }
    let mut ticket = admit(gateway, caller, &asked, plan, arrival)?;
    let generation = ticket.intent.id;
    let done = match attempt::run(&mut ticket, &asked).await {
        Ok(done) => done,
        Err(failure) => {
            let (receipt, durable) =
                settle::settle(&mut ticket, &Ending::Failed(failure.clone()), &Default::default());
            // An error answer is not a success: it need not wait, but the row is on its way.
            drop(durable);
            return Err(Refusal::failed(&failure, generation, Some(receipt.routing)));
        }
    };
    let mut response = match (done, &asked.work) {
        (Done::Live(live), _) if asked.head().stream => stream(ticket, *live),
        (Done::Live(mut live), _) => {
            let (receipt, durable) = settle::settle(&mut ticket, &Ending::Complete, live.translation.seen());
            live.translation
                .close(&receipt, &mut live.out)
                .map_err(|failure| Refusal::failed(&failure, generation, Some(receipt.routing)))?;
            // The last byte waits for the row (I9). A ledger that cannot be written now keeps the row in memory.
            let _ = durable.await;
            refusal::json(StatusCode::OK, Bytes::from(live.out))
        }
        (Done::Product(product), Work::Task(request)) => {
            let context = attempt::context(&ticket, asked.head());
            let (receipt, durable) = settle::settle(&mut ticket, &Ending::Complete, &meter::seen(&product));
            let body = request.encode(&context, &product, &receipt);
            let _ = durable.await;
            refusal::json(StatusCode::OK, Bytes::from(body))
        }
        // A conversation has no product.
        (Done::Product(_), Work::Conversation(_)) => {
            return Err(Refusal::new(OpenAiError::internal("The request's kind changed on the way.")));
        }
    };
    refusal::note_generation(&mut response, Some(generation));
    Ok(response)
}

fn stream(ticket: Ticket, live: Live) -> Response<ReplyBody> {
    let Live { translation, upstream, out, finished } = live;
    let parts = StreamParts { ticket, translation, upstream, out, finished };
    let mut response = Response::new(ReplyBody::stream(parts));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Nginx and its kin would otherwise collect the events.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
