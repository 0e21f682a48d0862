//! From a request to its delivery: which protocol it speaks, what the behaviour says, the checks that a
//! provider makes, the answer.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::answer::{
    self, Meta, Tokens, anthropic, anthropic_read, embeddings, models, openai_chat, openai_read,
};
use crate::api_error::{ApiError, Envelope, request_id};
use crate::behaviour::{Answer, Behaviour};
use crate::delivery::{self, Delivery, Dressing, Manner};
use crate::directive;
use crate::fault::{ErrorBody, Fault};
use crate::reply::{Body, Piece, Reply};
use crate::request::Request;
use crate::state::State;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surface {
    ChatCompletions,
    Messages,
    CountTokens,
    Embeddings,
    Models,
    Unknown,
}

impl Surface {
    fn of(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        match path {
            p if p.ends_with("/chat/completions") => Self::ChatCompletions,
            p if p.ends_with("/messages/count_tokens") => Self::CountTokens,
            p if p.ends_with("/messages") => Self::Messages,
            p if p.ends_with("/embeddings") => Self::Embeddings,
            p if p.ends_with("/models") => Self::Models,
            _ => Self::Unknown,
        }
    }
}

/// Plans the answer to a request.
pub(crate) fn respond(state: &State, request: &Request, body: Option<&Value>, order: u64) -> Delivery {
    let surface = Surface::of(request.path());
    let envelope = match surface {
        Surface::Messages | Surface::CountTokens => Envelope::Anthropic,
        Surface::Models if request.header("anthropic-version").is_some() => Envelope::Anthropic,
        _ => Envelope::OpenAi,
    };
    let named = body.and_then(|b| b["model"].as_str()).unwrap_or_default();
    let (model, directives) = directive::split_model(named);
    let place = Place { state, request, surface, envelope, order, model };
    let header = request.header("x-mock");
    let null = Value::Null;
    match state.behaviour(request.path(), model, directives, header, body.unwrap_or(&null)) {
        Ok(behaviour) => place.deliver(&behaviour, body),
        Err(error) => {
            let reply = ApiError::param("model", error.to_string()).reply(envelope, order);
            place.plan(reply, &Behaviour::default(), true)
        }
    }
}

struct Place<'a> {
    state: &'a State,
    request: &'a Request,
    surface: Surface,
    envelope: Envelope,
    order: u64,
    model: &'a str,
}

impl Place<'_> {
    fn deliver(&self, behaviour: &Behaviour, body: Option<&Value>) -> Delivery {
        if let Some(Fault::Status { status, headers, body }) = &behaviour.fault {
            let mut reply = self.status_reply(*status, body);
            headers.iter().for_each(|(name, value)| reply.set_header(name, value.clone()));
            return self.plan(reply, behaviour, true);
        }
        match &behaviour.answer {
            Answer::Replay(replay) => {
                let pieces = replay.pieces();
                let whole =
                    replay.chunking().split == crate::Split::Whole || matches!(replay.status(), 204 | 304);
                let body = if whole {
                    Body::Whole(replay.body().clone())
                } else {
                    Body::Pieces(pieces.into_iter().map(Piece::content).collect())
                };
                let reply = Reply { status: replay.status(), headers: replay.headers().to_vec(), body };
                let mut paced = behaviour.clone();
                paced.pace.gap_ms = Some(replay.chunking().gap_ms);
                self.plan(reply, &paced, false)
            }
            Answer::Json { status, body } => self.plan(Reply::json(*status, body), behaviour, true),
            _ => {
                let reply =
                    self.answer(behaviour, body).unwrap_or_else(|e| e.reply(self.envelope, self.order));
                self.plan(reply, behaviour, true)
            }
        }
    }

    fn status_reply(&self, status: u16, body: &ErrorBody) -> Reply {
        match body {
            ErrorBody::Provider => ApiError::of_status(status).reply(self.envelope, self.order),
            ErrorBody::Message(text) => ApiError::new(status, text).reply(self.envelope, self.order),
            ErrorBody::Custom { content_type, body } => Reply::bytes(status, content_type, body.clone()),
        }
    }

    fn plan(&self, mut reply: Reply, behaviour: &Behaviour, ours: bool) -> Delivery {
        if ours {
            let name = if self.envelope == Envelope::Anthropic { "request-id" } else { "x-request-id" };
            reply.headers.push((name.to_owned(), request_id(self.envelope, self.order)));
        }
        behaviour.headers.iter().for_each(|(name, value)| reply.set_header(name, value.clone()));
        let overloaded = match self.envelope {
            Envelope::Anthropic => ApiError::of_status(529),
            Envelope::OpenAi => ApiError::of_status(503),
        };
        let dressing = Dressing {
            error_event: overloaded.event(self.envelope, self.order),
            error_body: overloaded.body(self.envelope, self.order).to_string().into(),
            event_name: (self.envelope == Envelope::Anthropic).then_some("content_block_delta"),
        };
        delivery::plan(
            reply,
            &Manner {
                pace: &behaviour.pace,
                gap: self.state.settings.chunk_gap,
                fault: behaviour.fault.as_ref(),
                dressing,
                keep_alive: self.request.keep_alive,
                join: ours,
            },
        )
    }

    /// What a provider does with the request, checks first.
    fn answer(&self, behaviour: &Behaviour, body: Option<&Value>) -> Result<Reply, ApiError> {
        if self.surface == Surface::Unknown {
            let message = format!("Unknown request URL: {} {}.", self.request.method, self.request.path());
            return Err(ApiError { code: Some("unknown_url"), ..ApiError::new(404, message) });
        }
        self.authorized()?;
        let wanted = if self.surface == Surface::Models { "GET" } else { "POST" };
        if self.request.method != wanted {
            let message = format!("Method {} is not allowed here; use {wanted}.", self.request.method);
            return Err(ApiError::new(405, message));
        }
        if self.surface == Surface::Models {
            return Ok(models::write(&self.state.settings.models, self.envelope == Envelope::Anthropic));
        }
        let body = body.filter(|b| b.is_object()).ok_or_else(|| {
            ApiError::new(400, "We could not parse the JSON body of your request: expected a JSON object.")
        })?;
        if self.envelope == Envelope::Anthropic && self.request.header("anthropic-version").is_none() {
            return Err(ApiError::new(400, "anthropic-version: header is required"));
        }
        if self.model.is_empty() {
            return Err(match self.envelope {
                Envelope::OpenAi => ApiError::param("model", "you must provide a model parameter"),
                Envelope::Anthropic => ApiError::new(400, "model: Field required"),
            });
        }
        self.said(behaviour, body)
    }

    fn authorized(&self) -> Result<(), ApiError> {
        let bearer = self
            .request
            .header("authorization")
            .and_then(|v| v.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key);
        let keys = [bearer, self.request.header("x-api-key"), self.request.header("api-key")];
        if keys.into_iter().flatten().any(|key| !key.trim().is_empty()) {
            return Ok(());
        }
        Err(ApiError::new(
            401,
            match self.envelope {
                Envelope::OpenAi => {
                    "You didn't provide an API key. You need to provide your API key in an Authorization header \
                     using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
                }
                Envelope::Anthropic => "x-api-key header is required",
            },
        ))
    }

    fn said(&self, behaviour: &Behaviour, body: &Value) -> Result<Reply, ApiError> {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let meta = Meta { order: self.order, created, usage: &behaviour.usage };
        match self.surface {
            Surface::Embeddings => embeddings::write(body, self.model, &meta),
            Surface::CountTokens => Ok(anthropic::count(&anthropic_read::read(body, self.model, true)?)),
            Surface::Messages => {
                let ask = anthropic_read::read(body, self.model, false)?;
                let said = answer::decide(&ask, &behaviour.answer);
                let counted = self.state.cache().anthropic(&ask, self.state.settings.cache_minimum_tokens);
                Ok(anthropic::write(&ask, &said, with_output(counted, &said), &meta))
            }
            _ => {
                let ask = openai_read::read(body, self.model)?;
                let said = answer::decide(&ask, &behaviour.answer);
                let counted = self.state.cache().openai(&ask);
                Ok(openai_chat::write(&ask, &said, with_output(counted, &said), &meta))
            }
        }
    }
}

fn with_output(counted: Tokens, said: &answer::Said) -> Tokens {
    let (output, reasoning) = answer::output_tokens(said);
    Tokens { output, reasoning, ..counted }
}
