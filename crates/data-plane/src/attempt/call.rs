//! The upstream request of one attempt at a conversation: body, headers, and how its answer will be read.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tollgate_dialects as dialects;
use tollgate_dialects::chat_completions::fingerprint;
use tollgate_dialects::{ConversationRequest, Dialect, ReplyContext};
use tollgate_domain::conversation::{Content, File, FileData, ToolOutput, ToolResult};
use tollgate_domain::failure::{FailureClass, Origin, Retry};
use tollgate_domain::input_error::InputErrorKind;
use tollgate_domain::{Conversation, Failure, InputError, Warning};
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
pub(super) async fn prepare(
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
    let encoded = encode(ticket, asked, &**request, route, &mut headers).await.map_err(|e| unsuitable(&e))?;
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
    asked.subscription.as_ref().filter(|_| route.takes_subscriptions())
}

/// The client's own body where both sides speak the same protocol (I17), else the neutral form.
async fn encode(
    ticket: &Ticket,
    asked: &RequestIntent,
    request: &dyn ConversationRequest,
    route: &Route,
    headers: &mut HeaderMap,
) -> Result<Encoded, InputError> {
    if let Some(encoded) = pass_through(asked, request, route, headers)? {
        return Ok(encoded);
    }
    let mut conversation = request.conversation()?;
    let stream = request.head().stream;
    match translate(&conversation, asked, route, stream, headers) {
        // What the provider cannot fetch itself is fetched for it (gateway-api §17.4).
        Err(error) if error.kind == InputErrorKind::Unsupported && names_files(&conversation) => {
            ticket.gateway.fetcher.inline(&mut conversation).await?;
            translate(&conversation, asked, route, stream, headers)
        }
        done => done,
    }
}

/// Whether a file of the prompt is only named by its address.
fn names_files(conversation: &Conversation) -> bool {
    let named = |content: &Content| matches!(content, Content::File(File { data: FileData::Url(_), .. }));
    conversation.messages.iter().flat_map(|m| &m.parts).any(|part| match &part.content {
        Content::ToolResult(ToolResult { output: ToolOutput::Parts(parts), .. }) => {
            parts.iter().any(|p| named(&p.content))
        }
        content => named(content),
    })
}

fn form(stream: bool) -> BodyForm {
    if stream { BodyForm::Stream } else { BodyForm::Whole }
}

/// The client's own body, spliced; `None` when the protocols differ.
fn pass_through(
    asked: &RequestIntent,
    request: &dyn ConversationRequest,
    route: &Route,
    headers: &mut HeaderMap,
) -> Result<Option<Encoded>, InputError> {
    let (target, checked, stream) = (&route.codec, request.checked(), request.head().stream);
    let (body, reading) = match (request.dialect(), route.protocol) {
        (Dialect::ChatCompletions, UpstreamProtocol::OpenaiChat) => {
            let body = chat::adapt_checked(checked, target, stream)?;
            if !stream && chat::must_stream(&body, target) {
                // The provider gives it only as a stream, which is collected for the client.
                let body = chat::adapt_checked(checked, target, true)?;
                let decoder = chat::Decoder::new(target, BodyForm::Stream);
                let reading = Reading::Decoder(Box::new(decoder));
                return Ok(Some(Encoded { body, reading, form: BodyForm::Stream, warnings: Vec::new() }));
            }
            if Quirks::for_target(target).response_native {
                (body, Reading::Tap(Box::new(ChatTap::new(target))))
            } else {
                (body, Reading::Decoder(Box::new(chat::Decoder::new(target, form(stream)))))
            }
        }
        (Dialect::Messages, UpstreamProtocol::AnthropicMessages) => {
            let body = anthropic::messages::adapt_checked(checked, target, stream)?;
            let needed = anthropic::messages::option_betas(checked, target);
            add_betas(headers, asked.betas.as_deref(), &needed);
            (body, Reading::Tap(Box::new(anthropic::messages::MessagesTap::new(target))))
        }
        (Dialect::Responses, UpstreamProtocol::OpenaiResponses) => {
            let previous = asked.continues.as_ref().map(|c| c.response_id.as_str());
            let body = if asked.compact {
                openai::responses::adapt_compact(checked.text(), target)?
            } else {
                openai::responses::adapt_checked(checked, target, stream, previous)?
            };
            (body, Reading::Tap(Box::new(openai::responses::ResponsesTap::new(target))))
        }
        _ => return Ok(None),
    };
    Ok(Some(Encoded { body, reading, form: form(stream), warnings: Vec::new() }))
}

/// The neutral form in the provider's protocol. A client that wants its answer whole may get one that was
/// asked for as a stream.
fn translate(
    conversation: &Conversation,
    asked: &RequestIntent,
    route: &Route,
    stream: bool,
    headers: &mut HeaderMap,
) -> Result<Encoded, InputError> {
    let target = &route.codec;
    // Too long to be waited for in one piece: the stream is collected for a client that wants it whole.
    let stream = stream
        || (route.protocol == UpstreamProtocol::AnthropicMessages
            && anthropic::messages::must_stream(conversation, target));
    let mut form = form(stream);
    let (body, decoder, warnings): (_, Box<dyn ReplyDecoder>, _) = match route.protocol {
        UpstreamProtocol::OpenaiChat => {
            let mut body = chat::encode(conversation, target, stream)?;
            if !stream && chat::must_stream(&body, target) {
                form = BodyForm::Stream;
                body = chat::encode(conversation, target, true)?;
            }
            (body, Box::new(chat::Decoder::new(target, form)), Vec::new())
        }
        UpstreamProtocol::AnthropicMessages => {
            let encoded = anthropic::messages::encode(conversation, target, stream)?;
            add_betas(headers, asked.betas.as_deref(), &encoded.betas);
            let decoder = anthropic::messages::Decoder::new(target, form, encoded.json_tool);
            (encoded.body, Box::new(decoder), Vec::new())
        }
        UpstreamProtocol::Gemini => {
            let encoded = gemini::generate::encode(conversation, target, stream)?;
            (encoded.body, Box::new(gemini::generate::Decoder::new(target, form)), encoded.warnings)
        }
        UpstreamProtocol::OpenaiResponses => {
            let encoded = openai::responses::encode(conversation, target, stream)?;
            (encoded.body, Box::new(openai::responses::Decoder::new(target, form)), encoded.warnings)
        }
        protocol => {
            let message = format!("{} cannot carry a conversation by {protocol:?}.", route.access.slug);
            return Err(InputError::unsupported("model", message));
        }
    };
    Ok(Encoded { body, reading: Reading::Decoder(decoder), form, warnings })
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
