//! The upstream request of one attempt at a conversation: body, headers, and how its answer will be read.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tollgate_dialects as dialects;
use tollgate_dialects::chat_completions::fingerprint;
use tollgate_dialects::{ConversationRequest, Dialect, ReplyContext};
use tollgate_domain::failure::{FailureClass, Origin, Retry};
use tollgate_domain::{Failure, InputError, Warning};
use tollgate_providers::openai::chat::{self, ChatTap, Quirks};
use tollgate_providers::{BodyForm, ReplyDecoder, Tap, anthropic, gemini, openai};
use tollgate_wire::json::Object;

use crate::admit::Ticket;
use crate::decode::RequestIntent;
use crate::lanes::Head;
use crate::relay::{Translation, Whole};
use crate::resolve::{Route, UpstreamProtocol};

/// One upstream request.
pub(super) struct Call {
    pub head: Head,
    pub body: Bytes,
    pub translation: Translation,
    /// The provider is asked for a stream, which the client may or may not be.
    pub streams: bool,
    pub warnings: Vec<Warning>,
}

/// A body, and how its answer is read.
struct Encoded {
    body: Vec<u8>,
    reading: Reading,
    form: BodyForm,
    warnings: Vec<Warning>,
}

enum Reading {
    /// Both sides speak the same protocol (I17).
    Tap(Box<dyn Tap>),
    /// Through the neutral form.
    Decoder(Box<dyn ReplyDecoder>),
}

/// Encodes a request for a target: spliced when the protocol is the client's own (I17), else through the
/// neutral form.
///
/// # Errors
/// What this target cannot carry; another may.
pub(super) fn prepare(
    ticket: &Ticket,
    asked: &RequestIntent,
    request: &Arc<dyn ConversationRequest>,
    route: &Route,
) -> Result<Call, Failure> {
    let stream = request.head().stream;
    let mut headers = route.access.headers.clone();
    if let Some(session) = &asked.session {
        headers.insert("x-session-affinity", session.clone());
    }
    if let Some(token) = subscription(asked, route) {
        headers.remove("x-api-key");
        headers.insert(http::header::AUTHORIZATION, token.clone());
    }
    let encoded = encode(asked, &**request, route, &mut headers).map_err(|e| unsuitable(&e))?;
    let streams = encoded.form == BodyForm::Stream;
    let accept = if streams { "text/event-stream" } else { "application/json" };
    headers.insert(http::header::ACCEPT, HeaderValue::from_static(accept));
    let context = context(ticket, request.head());
    let whole = |context| Whole {
        request: Arc::clone(request),
        context,
        limit: ticket.gateway.settings.max_reply_bytes,
    };
    let translation = match (encoded.reading, stream) {
        (Reading::Tap(tap), true) => match request.stream_splice(context) {
            Some(splice) => Translation::splice_stream(tap, splice),
            None => return Err(Failure::provider(FailureClass::Server, "This dialect has no passthrough.")),
        },
        (Reading::Tap(tap), false) => Translation::splice_whole(whole(context), tap),
        (Reading::Decoder(decoder), true) => {
            Translation::transcode_stream(decoder, request.stream_encoder(context))
        }
        (Reading::Decoder(decoder), false) => Translation::transcode_whole(whole(context), decoder),
    };
    let body = Bytes::from(patched(encoded.body, route));
    let target = match asked.compact {
        true => route.access.target("/responses/compact"),
        false => route.target(streams).clone(),
    };
    let head = Head { target, headers };
    Ok(Call { head, body, translation, streams, warnings: encoded.warnings })
}

/// The caller's own token for this target, which goes in place of the operator's key (gateway-api §2.1).
pub(super) fn subscription<'a>(asked: &'a RequestIntent, route: &Route) -> Option<&'a HeaderValue> {
    asked.subscription.as_ref().filter(|_| route.protocol == UpstreamProtocol::AnthropicMessages)
}

fn encode(
    asked: &RequestIntent,
    request: &dyn ConversationRequest,
    route: &Route,
    headers: &mut HeaderMap,
) -> Result<Encoded, InputError> {
    let (target, stream) = (&route.codec, request.head().stream);
    let form = if stream { BodyForm::Stream } else { BodyForm::Whole };
    match route.protocol {
        UpstreamProtocol::OpenaiChat => {
            let native = Quirks::for_target(target).response_native;
            let (body, warnings) = if request.dialect() == Dialect::ChatCompletions {
                (chat::adapt_checked(request.checked(), target, stream)?, Vec::new())
            } else {
                (chat::encode(&request.conversation()?, target, stream)?, Vec::new())
            };
            let reading = if native && request.dialect() == Dialect::ChatCompletions {
                Reading::Tap(Box::new(ChatTap::new(target)))
            } else {
                Reading::Decoder(Box::new(chat::Decoder::new(target, form)))
            };
            Ok(Encoded { body, reading, form, warnings })
        }
        UpstreamProtocol::AnthropicMessages if request.dialect() == Dialect::Messages => {
            let checked = request.checked();
            let body = anthropic::messages::adapt_checked(checked, target, stream)?;
            let needed = anthropic::messages::option_betas(checked);
            add_betas(headers, asked.betas.as_deref(), &needed);
            let tap = anthropic::messages::MessagesTap::new(target);
            Ok(Encoded { body, reading: Reading::Tap(Box::new(tap)), form, warnings: Vec::new() })
        }
        UpstreamProtocol::AnthropicMessages => {
            let encoded = anthropic::messages::encode(&request.conversation()?, target, stream)?;
            add_betas(headers, asked.betas.as_deref(), &encoded.betas);
            let decoder = anthropic::messages::Decoder::new(target, form, encoded.json_tool);
            let reading = Reading::Decoder(Box::new(decoder));
            Ok(Encoded { body: encoded.body, reading, form, warnings: Vec::new() })
        }
        UpstreamProtocol::Gemini => {
            let encoded = gemini::generate::encode(&request.conversation()?, target, stream)?;
            let decoder = gemini::generate::Decoder::new(target, form);
            let reading = Reading::Decoder(Box::new(decoder));
            Ok(Encoded { body: encoded.body, reading, form, warnings: encoded.warnings })
        }
        UpstreamProtocol::OpenaiResponses if request.dialect() == Dialect::Responses => {
            let previous = asked.continues.as_ref().map(|c| c.response_id.as_str());
            let checked = request.checked();
            let body = if asked.compact {
                openai::responses::adapt_compact(checked.text(), target)?
            } else {
                openai::responses::adapt_checked(checked, target, stream, previous)?
            };
            let tap = openai::responses::ResponsesTap::new(target);
            Ok(Encoded { body, reading: Reading::Tap(Box::new(tap)), form, warnings: Vec::new() })
        }
        UpstreamProtocol::OpenaiResponses => {
            let encoded = openai::responses::encode(&request.conversation()?, target, stream)?;
            let decoder = openai::responses::Decoder::new(target, form);
            let reading = Reading::Decoder(Box::new(decoder));
            Ok(Encoded { body: encoded.body, reading, form, warnings: encoded.warnings })
        }
        protocol => Err(InputError::unsupported(
            "model",
            format!("{} cannot carry a conversation by {protocol:?}.", route.access.slug),
        )),
    }
}

/// The protocol's version and betas: the client's own list, united with what the request needs.
fn add_betas(headers: &mut HeaderMap, client: Option<&str>, needed: &[String]) {
    let names = client.into_iter().chain(needed.iter().map(String::as_str));
    for (name, value) in anthropic::messages::headers(names) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// Bytes of a request that make one token, where nothing better is known.
const BYTES_PER_TOKEN: usize = 4;

/// What an answer repeats of its request.
pub(crate) fn context(ticket: &Ticket, head: &dialects::Head) -> ReplyContext {
    ReplyContext {
        generation: ticket.intent.id,
        created_seconds: ticket.intent.admitted_at.seconds(),
        model: head.model.clone(),
        fingerprint: fingerprint(ticket.intent.id.0.0),
        exclude_reasoning: head.exclude_reasoning,
        prompt_tokens_estimate: u64::try_from(ticket.prompt_bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(0),
    }
}
/// Sets the members that the endpoint needs in every request.
pub(super) fn patched(body: Vec<u8>, route: &Route) -> Vec<u8> {
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
pub(super) fn unsuitable(error: &InputError) -> Failure {
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
