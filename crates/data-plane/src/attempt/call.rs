//! The upstream request of one attempt: body, headers, and how its answer will be read.

use bytes::Bytes;
use http::HeaderValue;
use tollgate_dialects::chat_completions::{ReplyContext, fingerprint};
use tollgate_domain::failure::{FailureClass, Origin, Retry};
use tollgate_domain::{Failure, InputError};
use tollgate_providers::openai::chat::{self, ChatTap, Quirks};
use tollgate_providers::{BodyForm, ReplyDecoder, anthropic};
use tollgate_wire::json::Object;

use crate::admit::Ticket;
use crate::decode::ChatIntent;
use crate::lanes::Head;
use crate::relay::Translation;
use crate::resolve::{Route, UpstreamProtocol};

/// One upstream request.
pub(super) struct Call {
    pub head: Head,
    pub body: Bytes,
    pub translation: Translation,
}

/// Encodes a request for a target: spliced when the protocol is the client's own (I17), else through the
/// neutral form.
///
/// # Errors
/// What this target cannot carry; another may.
pub(super) fn prepare(ticket: &Ticket, chat: &ChatIntent, route: &Route) -> Result<Call, Failure> {
    let stream = chat.request.head.stream;
    let mut headers = route.access.headers.clone();
    let accept = if stream { "text/event-stream" } else { "application/json" };
    headers.insert(http::header::ACCEPT, HeaderValue::from_static(accept));
    let context = context(ticket, chat);
    let limit = ticket.gateway.settings.max_reply_bytes;
    let form = if stream { BodyForm::Stream } else { BodyForm::Whole };
    let (body, translation) = match route.access.protocol {
        UpstreamProtocol::OpenaiChat => {
            let body = chat::adapt_checked(&chat.request.checked, &route.codec, stream)
                .map_err(|e| unsuitable(&e))?;
            let native = Quirks::for_target(&route.codec).response_native;
            let translation = match (native, stream) {
                (true, true) => Translation::splice_stream(context, ChatTap::new(&route.codec)),
                (true, false) => Translation::splice_whole(context, ChatTap::new(&route.codec), limit),
                (false, _) => {
                    transcode(context, Box::new(chat::Decoder::new(&route.codec, form)), stream, limit)
                }
            };
            (body, translation)
        }
        UpstreamProtocol::AnthropicMessages => {
            let conversation = chat.request.conversation().map_err(|e| unsuitable(&e))?;
            let encoded = anthropic::messages::encode(&conversation, &route.codec, stream)
                .map_err(|e| unsuitable(&e))?;
            for (name, value) in anthropic::messages::headers(encoded.betas.iter().map(String::as_str)) {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    headers.insert(name, value);
                }
            }
            let decoder = anthropic::messages::Decoder::new(&route.codec, form, encoded.json_tool);
            (encoded.body, transcode(context, Box::new(decoder), stream, limit))
        }
    };
    let body = Bytes::from(patched(body, route));
    Ok(Call { head: Head { target: route.access.target.clone(), headers }, body, translation })
}

fn transcode(
    context: ReplyContext,
    decoder: Box<dyn ReplyDecoder>,
    stream: bool,
    limit: usize,
) -> Translation {
    if stream {
        Translation::transcode_stream(context, decoder)
    } else {
        Translation::transcode_whole(context, decoder, limit)
    }
}

fn context(ticket: &Ticket, chat: &ChatIntent) -> ReplyContext {
    ReplyContext {
        generation: ticket.intent.id,
        created_seconds: ticket.intent.admitted_at.seconds(),
        model: chat.request.head.model.clone(),
        fingerprint: fingerprint(ticket.intent.id.0.0),
        exclude_reasoning: chat.request.reasoning_exclude,
    }
}

/// Sets the members that the endpoint needs in every request.
fn patched(body: Vec<u8>, route: &Route) -> Vec<u8> {
    if route.patch.is_empty() {
        return body;
    }
    let Ok(mut object) = Object::parse_checked(&body) else { return body };
    for (name, value) in &route.patch {
        object.set(name, value.clone());
    }
    object.to_vec()
}

/// The client's content does not suit this target.
fn unsuitable(error: &InputError) -> Failure {
    Failure {
        origin: Origin::Client,
        class: FailureClass::InvalidRequest,
        retry: Retry::OtherTarget,
        status: None,
        message: match &error.param {
            Some(path) if !error.message.contains(path.as_str()) => {
                format!("{} (at '{path}')", error.message)
            }
            _ => error.message.clone(),
        },
        code: error.code.map(str::to_owned),
        retry_after: None,
    }
}
