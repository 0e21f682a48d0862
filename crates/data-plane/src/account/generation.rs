//! `GET /v1/generation` and `GET /v1/credits` (gateway-api §14.1, §14.2).

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;
use tollgate_domain::money::Nanodollars;
use tollgate_domain::{GenerationId, Micros};
use tollgate_store::{LedgerRow, StoreError};

use crate::authenticate::Caller;
use crate::gateway::Gateway;
use crate::refusal::{Refusal, json};
use crate::relay::ReplyBody;

/// A flat error, as this surface has it.
#[derive(Serialize)]
struct Flat<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct Envelope {
    data: Data,
}

/// Every member is a number, text or boolean and none is null: the client refuses anything else. Costs are
/// numbers in dollars, written from exact decimal text.
#[derive(Serialize)]
struct Data {
    id: String,
    created_at: String,
    model: String,
    provider_name: String,
    streamed: bool,
    finish_reason: String,
    total_cost: Box<RawValue>,
    usage: Box<RawValue>,
    upstream_inference_cost: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    market_cost: Option<Box<RawValue>>,
    is_byok: bool,
    latency: i64,
    generation_time: i64,
    tokens_prompt: u64,
    tokens_completion: u64,
    native_tokens_prompt: u64,
    native_tokens_completion: u64,
    native_tokens_reasoning: u64,
    native_tokens_cached: u64,
    native_tokens_cache_creation: u64,
    billable_web_search_calls: u64,
}

/// One generation of the caller's team, also at once after its answer.
pub(crate) async fn generation(
    gateway: &Gateway,
    caller: &Caller,
    id: Option<&str>,
) -> Result<Response<ReplyBody>, Refusal> {
    let Some(text) = id.filter(|t| !t.is_empty()) else {
        return Ok(flat(StatusCode::BAD_REQUEST, &Flat { error: "id is required", id: None, message: None }));
    };
    let Some(id) = GenerationId::parse(text) else {
        let error = "Invalid generation ID format. Expected format: gen_<ulid>";
        return Ok(flat(StatusCode::BAD_REQUEST, &Flat { error, id: None, message: None }));
    };
    let row = gateway.ledger.generation(id).await.map_err(|e| unreadable(&e))?;
    let Some(row) = row.filter(|r| r.intent.team == caller.team) else {
        let message =
            "No usage event with this id belongs to your team. A request that is still running has none yet.";
        let body = Flat { error: "Usage event not found", id: Some(text), message: Some(message) };
        return Ok(flat(StatusCode::NOT_FOUND, &body));
    };
    let body = serde_json::to_vec(&Envelope { data: data(&row) }).unwrap_or_default();
    Ok(json(StatusCode::OK, Bytes::from(body)))
}

/// The team's balance and what it has used. Without credits switched on there is no balance to run out of.
pub(crate) async fn credits(gateway: &Gateway, caller: &Caller) -> Result<Response<ReplyBody>, Refusal> {
    let totals = gateway.ledger.totals(caller.team).await.map_err(|e| unreadable(&e))?;
    let used = Nanodollars(i64::try_from(totals.cost_nano).unwrap_or(i64::MAX));
    let body = format!("{{\"balance\":\"0\",\"total_used\":\"{used}\"}}");
    Ok(json(StatusCode::OK, Bytes::from(body)))
}

pub(super) fn unreadable(error: &StoreError) -> Refusal {
    Refusal::unavailable(format!("The ledger cannot be read right now: {error}"))
}

fn flat(status: StatusCode, body: &Flat<'_>) -> Response<ReplyBody> {
    json(status, Bytes::from(serde_json::to_vec(body).unwrap_or_default()))
}

fn data(row: &LedgerRow) -> Data {
    let usage = &row.usage;
    let (prompt, completion) = (usage.input_total(), usage.output_total());
    Data {
        id: row.intent.id.to_string(),
        created_at: iso(row.intent.admitted_at),
        model: row.intent.canonical_model.clone(),
        provider_name: row.provider.clone(),
        streamed: row.intent.streamed,
        finish_reason: row.finish_reason.clone(),
        total_cost: number(row.cost),
        usage: number(row.cost),
        upstream_inference_cost: number(if row.byok { row.market_cost } else { None }),
        market_cost: row.market_cost.map(|c| number(Some(c))),
        is_byok: row.byok,
        latency: row.ttft_micros.unwrap_or(row.duration_micros) / 1000,
        generation_time: row.duration_micros / 1000,
        tokens_prompt: prompt,
        tokens_completion: completion,
        native_tokens_prompt: prompt,
        native_tokens_completion: completion,
        native_tokens_reasoning: usage.output_reasoning,
        native_tokens_cached: usage.input_cache_read,
        native_tokens_cache_creation: usage.cache_write(),
        billable_web_search_calls: usage.searches,
    }
}

/// Decimal text as a JSON number. The surface has no way to say "unknown": an unpriced request shows 0 here,
/// and `market_cost` is left out.
fn number(amount: Option<Nanodollars>) -> Box<RawValue> {
    let text = amount.unwrap_or_default().to_string();
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// ISO 8601 with milliseconds, UTC.
fn iso(at: Micros) -> String {
    let timestamp = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    format!("{timestamp:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_with_milliseconds() {
        assert_eq!(iso(Micros(1_773_346_164_123_456)), "2026-03-12T20:09:24.123Z");
    }
}
