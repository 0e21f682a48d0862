//! Bytes → [`RequestIntent`]: the dialect's head, the model, the gateway options. The body is kept as it
//! came, for passthrough (I17).

mod surfaces;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use tollgate_crypto::{GatewayKey, KeyFormatError};
use tollgate_dialects::{ConversationRequest, Head, TaskRequest, gateway_options};
use tollgate_domain::options::{GatewayOptions, MAX_TAGS};
use tollgate_domain::task::Task;

use crate::refusal::Refusal;
use crate::resolve::Purpose;

pub(crate) use surfaces::*;

/// The header of the gateway's own key.
const KEY_HEADER: &str = "x-ai-gateway-api-key";

/// A request, understood as far as routing needs it.
#[derive(Debug)]
pub(crate) struct RequestIntent {
    pub work: Work,
    /// Options of body and headers united.
    pub options: GatewayOptions,
    /// The body's length in bytes.
    pub body_bytes: usize,
    /// The client's own `anthropic-beta` list, for providers that know it.
    pub betas: Option<String>,
    /// `x-session-affinity`, for providers that keep a prompt's cache by it (gateway-api §2.2).
    pub session: Option<HeaderValue>,
    /// A subscription's token that goes to Anthropic in place of the operator's key: the `Authorization`
    /// of a request whose gateway key came in its own header (gateway-api §2.1).
    pub subscription: Option<HeaderValue>,
    /// The provider must hold the conversation's state (Responses' `previous_response_id` and the like).
    pub needs_state: bool,
    /// A history is to be compacted, not answered (gateway-api §7.2).
    pub compact: bool,
    /// The answer that the conversation goes on from, as the client names it.
    pub previous_response: Option<String>,
    /// The same as its provider names it, and that provider.
    pub continues: Option<Continued>,
}

/// An earlier answer at its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Continued {
    pub provider: String,
    pub response_id: String,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// A language model's answer.
    Conversation(Arc<dyn ConversationRequest>),
    /// Embeddings, images or rerank.
    Task(Arc<dyn TaskRequest>),
}

impl RequestIntent {
    /// Of any request whose body has been read.
    ///
    /// # Errors
    /// 400 when the attribution headers pass their limits (gateway-api §2.2).
    pub fn new(work: Work, headers: &HeaderMap, body_bytes: usize) -> Result<Self, Refusal> {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let mut options = work.head().options.clone();
        gateway_options::attribution(
            text(gateway_options::TAGS_HEADER),
            text(gateway_options::USER_HEADER),
            &mut options,
        )?;
        Ok(Self {
            options,
            body_bytes,
            betas: text("anthropic-beta").map(str::to_owned),
            session: headers.get("x-session-affinity").cloned(),
            subscription: subscription(headers),
            needs_state: false,
            compact: false,
            previous_response: None,
            continues: None,
            work,
        })
    }

    pub fn head(&self) -> &Head {
        self.work.head()
    }

    /// Marks it as a coding agent's (gateway-api §16): with a tag, unless the client has used them all.
    pub fn mark_agent(&mut self, name: &str) {
        let tag = format!("agent:{name}");
        if self.options.tags.len() < MAX_TAGS && !self.options.tags.contains(&tag) {
            self.options.tags.push(tag);
        }
    }
}

/// A provider's own token, which stands in `Authorization` when the gateway's key has its own header. A
/// client that sends the gateway's key in both has none: that key is never passed on (I28).
pub(crate) fn subscription(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(header::AUTHORIZATION).filter(|_| headers.contains_key(KEY_HEADER))?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let foreign = matches!(GatewayKey::check(token.trim()), Err(KeyFormatError::Prefix));
    if !scheme.eq_ignore_ascii_case("bearer") || !foreign {
        return None;
    }
    let mut value = value.clone();
    value.set_sensitive(true);
    Some(value)
}

impl Work {
    fn head(&self) -> &Head {
        match self {
            Self::Conversation(request) => request.head(),
            Self::Task(request) => request.head(),
        }
    }

    /// The word for metrics and the ledger.
    pub fn surface(&self) -> &'static str {
        match self {
            Self::Conversation(request) => request.dialect().as_str(),
            Self::Task(request) => request.surface(),
        }
    }
}

impl RequestIntent {
    /// What it is for.
    pub fn purpose(&self) -> Purpose {
        match &self.work {
            Work::Conversation(request) => {
                Purpose::Conversation { dialect: request.dialect(), state: self.needs_state }
            }
            Work::Task(request) => match request.task() {
                Task::Embedding(_) => Purpose::Embedding,
                Task::Image(_) => Purpose::Image,
                Task::Rerank(_) => Purpose::Rerank,
            },
        }
    }
}
