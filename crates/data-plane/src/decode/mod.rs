//! Bytes → [`RequestIntent`]: the dialect's head, the model, the gateway options. The body is kept as it
//! came, for passthrough (I17).

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use tollgate_dialects::{ConversationRequest, Head, TaskRequest, chat_completions, gateway_options};
use tollgate_domain::options::GatewayOptions;
use tollgate_domain::task::Task;

use crate::refusal::Refusal;
use crate::resolve::Purpose;

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
    pub session: Option<String>,
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
        let kept = |name: &str| text(name).map(str::to_owned);
        Ok(Self {
            options,
            body_bytes,
            betas: kept("anthropic-beta"),
            session: kept("x-session-affinity"),
            work,
        })
    }

    pub fn head(&self) -> &Head {
        self.work.head()
    }
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

    /// What it is for, where no provider's state is needed.
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Conversation(request) => Purpose::Conversation { dialect: request.dialect(), state: false },
            Self::Task(request) => match request.task() {
                Task::Embedding(_) => Purpose::Embedding,
                Task::Image(_) => Purpose::Image,
                Task::Rerank(_) => Purpose::Rerank,
            },
        }
    }
}

/// Reads a chat-completions request (gateway-api §7.1).
///
/// # Errors
/// 400 with the place that is wrong.
pub(crate) fn chat(headers: &HeaderMap, body: &Bytes) -> Result<RequestIntent, Refusal> {
    let request = chat_completions::Request::parse(body)?;
    RequestIntent::new(Work::Conversation(Arc::new(request)), headers, body.len())
}
