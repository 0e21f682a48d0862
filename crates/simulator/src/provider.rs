//! From a request to its delivery: which protocol it speaks, what the behaviour says, the checks that a
//! provider makes, the answer.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::Value;

use crate::answer::{
    self, Meta, Tokens, anthropic, anthropic_read, cohere_embed, embeddings, gemini, images, models,
    openai_chat, openai_read, rerank, responses,
};
use crate::api_error::{ApiError, Envelope, request_id};
use crate::behaviour::{Answer, Behaviour};
use crate::delivery::{self, Delivery, Dressing, ErrorEvent, Manner};
use crate::directive;
use crate::fault::{ErrorBody, Fault};
use crate::multipart;
use crate::reply::{Body, Piece, Reply};
use crate::request::Request;
use crate::state::State;
use crate::surface::{Surface, Verb};

/// Plans the answer to a request.
pub(crate) fn respond(state: &State, request: &Request, body: Option<&Value>, order: u64) -> Delivery {
    let surface = Surface::of(request.path());
    let envelope = surface.envelope(request);
    let form = match body {
        None => request.header("content-type").and_then(|kind| multipart::as_json(kind, &request.body)),
        Some(_) => None,
    };
    let body = body.or(form.as_ref());
    let in_path = surface.model_in_path(request.path());
    let named = in_path.as_deref().or_else(|| body.and_then(|b| b["model"].as_str())).unwrap_or_default();
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
            // Google has no `retry-after`: the time stands in the body (providers §5).
            let in_body = |name: &str| self.envelope == Envelope::Google && name == "retry-after";
            let wait =
                headers.iter().find(|(name, _)| in_body(name)).and_then(|(_, value)| value.parse().ok());
            let mut reply = self.status_reply(*status, body, wait);
            let headers = headers.iter().filter(|(name, _)| !in_body(name));
            headers.for_each(|(name, value)| reply.set_header(name, value.clone()));
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

    fn status_reply(&self, status: u16, body: &ErrorBody, retry_after: Option<u64>) -> Reply {
        let error = match body {
            ErrorBody::Provider => ApiError::of_status(status),
            ErrorBody::Message(text) => ApiError::new(status, text),
            ErrorBody::Custom { content_type, body } => {
                return Reply::bytes(status, content_type, body.clone());
            }
        };
        ApiError { retry_after, ..error }.reply(self.envelope, self.order)
    }

    /// How the protocol says in the middle of a 200 that it is overloaded.
    fn dressing(&self) -> Dressing {
        let order = self.order;
        let error = ApiError::of_status(if self.envelope == Envelope::Anthropic { 529 } else { 503 });
        let mut body = Bytes::from(error.body(self.envelope, order).to_string());
        let error_event = match self.envelope {
            Envelope::Responses => {
                body = responses::failed_body(&error, order);
                ErrorEvent::After(Box::new(move |events| responses::failed_events(&error, order, events)))
            }
            Envelope::Google if !self.as_events() => {
                let element = body.clone();
                ErrorEvent::After(Box::new(move |elements| {
                    let before: &[u8] = if elements == 0 { b"[" } else { b",\r\n" };
                    [before, &element, b"]"].concat().into()
                }))
            }
            envelope => ErrorEvent::Same(error.event(envelope, order)),
        };
        let event_name = match self.envelope {
            Envelope::Anthropic => Some("content_block_delta"),
            Envelope::Responses => Some("response.output_text.delta"),
            _ => None,
        };
        Dressing { error_event, error_body: body, event_name }
    }

    /// Whether a Google stream is one of events; without `alt=sse` it is a JSON list.
    fn as_events(&self) -> bool {
        self.request.query().split('&').any(|pair| pair == "alt=sse")
    }

    fn plan(&self, mut reply: Reply, behaviour: &Behaviour, ours: bool) -> Delivery {
        let name = match self.envelope {
            Envelope::Anthropic => Some("request-id"),
            Envelope::Google => None,
            _ => Some("x-request-id"),
        };
        if let Some(name) = name.filter(|_| ours) {
            reply.headers.push((name.to_owned(), request_id(self.envelope, self.order)));
        }
        behaviour.headers.iter().for_each(|(name, value)| reply.set_header(name, value.clone()));
        delivery::plan(
            reply,
            &Manner {
                pace: &behaviour.pace,
                gap: self.state.settings.chunk_gap,
                fault: behaviour.fault.as_ref(),
                dressing: self.dressing(),
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
            return Ok(models::write(&self.state.settings.models, self.envelope));
        }
        let body = body.filter(|b| b.is_object()).ok_or_else(|| {
            ApiError::new(400, "We could not parse the JSON body of your request: expected a JSON object.")
        })?;
        if self.envelope == Envelope::Anthropic && self.request.header("anthropic-version").is_none() {
            return Err(ApiError::new(400, "anthropic-version: header is required"));
        }
        if self.model.is_empty() {
            return Err(match self.envelope {
                Envelope::Anthropic => ApiError::new(400, "model: Field required"),
                Envelope::Cohere => ApiError::new(400, "invalid request: model is required"),
                _ => ApiError::param("model", "you must provide a model parameter"),
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
        let others = match self.envelope {
            Envelope::Google => {
                let in_query = self.request.query().split('&').find_map(|pair| pair.strip_prefix("key="));
                [self.request.header("x-goog-api-key"), in_query]
            }
            _ => [self.request.header("x-api-key"), self.request.header("api-key")],
        };
        if bearer.into_iter().chain(others.into_iter().flatten()).any(|key| !key.trim().is_empty()) {
            return Ok(());
        }
        Err(match self.envelope {
            Envelope::OpenAi | Envelope::Responses => ApiError::new(
                401,
                "You didn't provide an API key. You need to provide your API key in an Authorization header \
                 using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            ),
            Envelope::Anthropic => ApiError::new(401, "x-api-key header is required"),
            Envelope::Google => ApiError::new(
                403,
                "Method doesn't allow unregistered callers (callers without established identity). Please use \
                 API Key or other form of API consumer identity to call this API.",
            ),
            Envelope::Cohere => ApiError::new(401, "no api key supplied"),
            Envelope::Voyage => ApiError::new(401, "No API key was provided in the Authorization header."),
        })
    }

    fn said(&self, behaviour: &Behaviour, body: &Value) -> Result<Reply, ApiError> {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let seal = self.state.seal;
        let meta = Meta { order: self.order, created, usage: &behaviour.usage, seal };
        let state = self.state;
        match self.surface {
            Surface::Embeddings => embeddings::write(body, self.model, &meta),
            Surface::ImageGenerations => images::write(body, self.model, false, &meta),
            Surface::ImageEdits => images::write(body, self.model, true, &meta),
            Surface::CohereRerank => rerank::cohere(body, &meta),
            Surface::CohereEmbed => cohere_embed::write(body, &meta),
            Surface::VoyageRerank => rerank::voyage(body, self.model, &meta),
            Surface::CountTokens => {
                Ok(anthropic::count(&anthropic_read::read(body, self.model, true, seal)?))
            }
            Surface::Messages => {
                let ask = anthropic_read::read(body, self.model, false, seal)?;
                let said = answer::decide(&ask, &behaviour.answer);
                let counted = state.cache().anthropic(&ask, state.settings.cache_minimum_tokens);
                Ok(anthropic::write(&ask, &said, with_output(counted, &said), &meta))
            }
            Surface::Responses => {
                let (mut cache, mut memory) = (state.cache(), state.responses());
                responses::answer(body, self.model, &behaviour.answer, &mut cache, &mut memory, &meta)
            }
            Surface::Compact => {
                let (mut cache, memory) = (state.cache(), state.responses());
                responses::compact(body, self.model, &mut cache, &memory, &meta)
            }
            Surface::Gemini(verb) => self.gemini(verb, behaviour, body, &meta),
            Surface::ChatCompletions | Surface::Models | Surface::Unknown => {
                let deepseek = [self.request.path(), self.model].iter().any(|s| s.contains("deepseek"));
                let ask = openai_read::read(body, self.model, deepseek)?;
                let said = answer::decide(&ask, &behaviour.answer);
                let counted = state.cache().openai(&ask);
                Ok(openai_chat::write(&ask, &said, with_output(counted, &said), &meta))
            }
        }
    }

    fn gemini(
        &self,
        verb: Verb,
        behaviour: &Behaviour,
        body: &Value,
        meta: &Meta<'_>,
    ) -> Result<Reply, ApiError> {
        match verb {
            Verb::CountTokens => Ok(gemini::count(&gemini::read_count(body, self.model, meta.seal)?)),
            Verb::Embed => gemini::embed::one(body, self.model, meta),
            Verb::BatchEmbed => gemini::embed::many(body, self.model, meta),
            Verb::Predict => gemini::predict::write(body, meta),
            Verb::Generate | Verb::Stream => {
                let ask = gemini::read(body, self.model, verb == Verb::Stream, meta.seal)?;
                let said = answer::decide(&ask, &behaviour.answer);
                let counted = self.state.cache().openai(&ask);
                Ok(gemini::write(&ask, &said, with_output(counted, &said), meta, self.as_events()))
            }
        }
    }
}

fn with_output(counted: Tokens, said: &answer::Said) -> Tokens {
    let (output, reasoning) = answer::output_tokens(said);
    Tokens { output, reasoning, ..counted }
}
