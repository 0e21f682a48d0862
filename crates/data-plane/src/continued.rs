//! Conversations whose state a provider holds (gateway-api §7.2 `previous_response_id`). Clients know an
//! answer by the gateway's id; the ledger knows what its provider calls it. This is the one place where a
//! request waits for the store, and only such a request does.

use serde_json::json;
use tollgate_dialects::openai_error::OpenAiError;
use tollgate_domain::GenerationId;

use crate::authenticate::Caller;
use crate::decode::{Continued, RequestIntent};
use crate::gateway::Gateway;
use crate::refusal::Refusal;

/// Finds the answer that the request goes on from, and keeps the request with its provider. An id that is
/// not the gateway's is a provider's own and goes through as it is.
///
/// # Errors
/// 404 for an id of the gateway that the caller's team has no answer of; 400 when the client does not allow
/// its provider.
pub(crate) async fn find(
    gateway: &Gateway,
    caller: &Caller,
    asked: &mut RequestIntent,
) -> Result<(), Refusal> {
    let Some(id) = asked.previous_response.as_deref().filter(|id| id.starts_with(GenerationId::PREFIX))
    else {
        return Ok(());
    };
    let found = match GenerationId::parse(id) {
        Some(id) => gateway.ledger.generation(id).await.map_err(|e| {
            Refusal::unavailable(format!(
                "The ledger cannot be read right now, so the earlier answer is not found: {e}"
            ))
        })?,
        None => None,
    };
    let own = found.filter(|row| row.intent.team == caller.team);
    let Some((provider, response_id)) = own.and_then(|row| Some((row.provider, row.response_id?))) else {
        let message = format!(
            "No answer '{id}' is known to this gateway for your team, so the conversation cannot go on from it. Send the whole history in 'input', without 'previous_response_id'."
        );
        let error = OpenAiError::new(404, "invalid_request_error", message)
            .with_code(tollgate_dialects::responses::websocket::PREVIOUS_RESPONSE_NOT_FOUND)
            .with_param(json!("previous_response_id"));
        return Err(Refusal::new(error));
    };
    let only = &asked.options.only;
    if !only.is_empty() && !only.contains(&provider) {
        let message = format!(
            "The answer '{id}' is kept by '{provider}', which 'providerOptions.gateway.only' leaves out. Add '{provider}' to it, or send the whole history in 'input', without 'previous_response_id'."
        );
        let error = OpenAiError::new(400, "invalid_request_error", message);
        return Err(Refusal::new(error.with_param(json!("providerOptions.gateway.only"))));
    }
    asked.options.only = vec![provider.clone()];
    asked.continues = Some(Continued { provider, response_id });
    Ok(())
}
