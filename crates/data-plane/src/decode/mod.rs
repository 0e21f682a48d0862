//! Bytes → [`ChatIntent`]: the dialect's head, the model, the gateway options. The body is kept as it came,
//! for passthrough (I17).

use bytes::Bytes;
use http::HeaderMap;
use tollgate_dialects::chat_completions::Request;
use tollgate_dialects::gateway_options;
use tollgate_domain::options::GatewayOptions;

use crate::refusal::Refusal;

/// A chat-completions request, understood as far as routing needs it.
#[derive(Debug)]
pub(crate) struct ChatIntent {
    pub request: Request,
    /// Options of body and headers united.
    pub options: GatewayOptions,
}

/// Reads a chat-completions request (gateway-api §7.1).
///
/// # Errors
/// 400 with the place that is wrong.
pub(crate) fn chat(headers: &HeaderMap, body: &Bytes) -> Result<ChatIntent, Refusal> {
    let request = Request::parse(body)?;
    let mut options = request.head.options.clone();
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    gateway_options::attribution(
        text(gateway_options::TAGS_HEADER),
        text(gateway_options::USER_HEADER),
        &mut options,
    )?;
    Ok(ChatIntent { request, options })
}
