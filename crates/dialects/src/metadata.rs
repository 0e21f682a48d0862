//! The gateway's metadata object, the same on every surface; only its place differs (gateway-api §5).
//! Members and their order are those of the recorded service. Beyond the recordings, `serviceTier` is
//! written when a tier other than the default served (gateway-api §5).

use std::io::Write;

use tollgate_domain::receipt::{AttemptRecord, Receipt, Routing};
use tollgate_domain::{GenerationId, JsonText, Nanodollars, Warning};
use tollgate_wire::json::{write_escaped, write_string};

/// Room for an object without many attempts.
const ROOM: usize = 2048;

/// The object of `provider_metadata.gateway`.
#[must_use]
pub fn gateway(receipt: &Receipt) -> Vec<u8> {
    let mut out = Vec::with_capacity(ROOM);
    write_gateway(&mut out, receipt);
    out
}

fn write_gateway(out: &mut Vec<u8>, receipt: &Receipt) {
    out.extend_from_slice(b"{\"routing\":");
    write_routing(out, &receipt.routing);
    out.extend_from_slice(b",\"cost\":");
    write_cost_text(out, receipt.cost);
    out.extend_from_slice(b",\"marketCost\":");
    write_cost_text(out, receipt.market_cost);
    write_generation(out, receipt.generation);
    out.extend_from_slice(b",\"billableWebSearchCalls\":");
    write_integer(out, receipt.usage.searches);
    if let Some(tier) = receipt.service_tier.as_deref().filter(|t| matches!(*t, "flex" | "priority")) {
        write_member(out, b",\"serviceTier\":", tier);
    }
    if !receipt.warnings.is_empty() {
        write_warnings(out, &receipt.warnings);
    }
    out.push(b'}');
}

fn write_warnings(out: &mut Vec<u8>, warnings: &[Warning]) {
    for (i, warning) in warnings.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b",\"warnings\":[" } else { b"," });
        write_member(out, b"{\"type\":", warning.kind.as_str());
        write_member(out, b",\"feature\":", &warning.feature);
        if let Some(details) = &warning.details {
            write_member(out, b",\"details\":", details);
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// The metadata of a request that failed: the path it took, and its id. It carries no cost, since errors
/// are free (I7).
#[must_use]
pub fn failed(routing: &Routing, generation: Option<GenerationId>) -> Vec<u8> {
    let mut out = b"{\"routing\":".to_vec();
    write_routing(&mut out, routing);
    if let Some(id) = generation {
        write_generation(&mut out, id);
    }
    out.push(b'}');
    out
}

/// The whole `provider_metadata`: the provider's own namespace, then the gateway's.
#[must_use]
pub fn provider_metadata(receipt: &Receipt, native: Option<(&str, &JsonText)>) -> Vec<u8> {
    let native = native.filter(|(namespace, _)| *namespace != "gateway");
    let mut out = Vec::with_capacity(ROOM + native.map_or(0, |(_, text)| text.as_str().len()));
    out.push(b'{');
    if let Some((namespace, text)) = native {
        write_string(&mut out, namespace);
        out.push(b':');
        out.extend_from_slice(text.as_str().as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(b"\"gateway\":");
    write_gateway(&mut out, receipt);
    out.push(b'}');
    out
}

/// Appends an integer.
pub(crate) fn write_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends what has a textual form without quotes or escapes in it: ids, amounts.
pub(crate) fn write_plain(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{value}");
}

/// A cost as decimal text; unknown is `null`, never 0 (I5).
fn write_cost_text(out: &mut Vec<u8>, cost: Option<Nanodollars>) {
    match cost {
        Some(cost) => {
            out.push(b'"');
            write_plain(out, cost);
            out.push(b'"');
        }
        None => out.extend_from_slice(b"null"),
    }
}

fn write_generation(out: &mut Vec<u8>, id: GenerationId) {
    out.extend_from_slice(b",\"generationId\":\"");
    write_plain(out, id);
    out.push(b'"');
}

/// Appends a member: `lead` is all from the comma to the colon.
fn write_member(out: &mut Vec<u8>, lead: &[u8], text: &str) {
    out.extend_from_slice(lead);
    write_string(out, text);
}

/// `"provider:model"`, the gateway's own name for a provider's model.
fn write_internal(out: &mut Vec<u8>, lead: &[u8], provider: &str, model: &str) {
    out.extend_from_slice(lead);
    out.push(b'"');
    write_escaped(out, provider);
    out.push(b':');
    write_escaped(out, model);
    out.push(b'"');
}

fn write_routing(out: &mut Vec<u8>, routing: &Routing) {
    let (provider, model) = (&routing.resolved_provider, &routing.resolved_provider_model);
    write_member(out, b"{\"originalModelId\":", routing.original_model.as_str());
    write_member(out, b",\"resolvedProvider\":", provider);
    write_member(out, b",\"resolvedProviderApiModelId\":", model);
    write_internal(out, b",\"internalResolvedModelId\":", provider, model);
    out.extend_from_slice(b",\"fallbacksAvailable\":[");
    for (i, provider) in routing.fallbacks.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(out, provider);
    }
    out.extend_from_slice(b"],\"internalReasoning\":");
    write_selection(out, routing);
    write_member(out, b",\"planningReasoning\":", &routing.reasoning);
    write_member(out, b",\"canonicalSlug\":", routing.canonical_model.as_str());
    write_member(out, b",\"finalProvider\":", &routing.final_provider);
    out.extend_from_slice(b",\"attempts\":");
    let start = out.len();
    write_attempts(out, &routing.attempts);
    let attempts = start..out.len();
    // One model is tried per request so far, so there is one model attempt with all provider attempts.
    write_internal(out, b",\"modelAttemptCount\":1,\"modelAttempts\":[{\"modelId\":", provider, model);
    write_member(out, b",\"canonicalSlug\":", routing.canonical_model.as_str());
    out.extend_from_slice(b",\"success\":");
    let success = routing.attempts.iter().any(|a| a.success);
    out.extend_from_slice(if success { b"true" } else { b"false" });
    out.extend_from_slice(b",\"providerAttemptCount\":");
    write_integer(out, routing.attempts.len());
    out.extend_from_slice(b",\"providerAttempts\":");
    out.extend_from_within(attempts);
    out.extend_from_slice(b"}],\"totalProviderAttemptCount\":");
    write_integer(out, routing.attempts.len());
    out.push(b'}');
}

/// `internalReasoning`: which provider was planned first, and how many stand behind it.
fn write_selection(out: &mut Vec<u8>, routing: &Routing) {
    out.extend_from_slice(b"\"Selected ");
    write_escaped(out, &routing.resolved_provider);
    out.extend_from_slice(b" as preferred provider for ");
    write_escaped(out, routing.canonical_model.name());
    match routing.fallbacks.len() {
        0 => out.extend_from_slice(b". No fallbacks available"),
        n => {
            out.extend_from_slice(b". ");
            write_integer(out, n);
            out.extend_from_slice(b" fallback(s) available: ");
            for (i, provider) in routing.fallbacks.iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                write_escaped(out, provider);
            }
        }
    }
    out.push(b'"');
}

fn write_attempts(out: &mut Vec<u8>, attempts: &[AttemptRecord]) {
    out.push(b'[');
    for (i, attempt) in attempts.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_attempt(out, attempt);
    }
    out.push(b']');
}

fn write_attempt(out: &mut Vec<u8>, attempt: &AttemptRecord) {
    write_member(out, b"{\"provider\":", &attempt.provider);
    write_internal(out, b",\"internalModelId\":", &attempt.provider, &attempt.provider_model);
    write_member(out, b",\"providerApiModelId\":", &attempt.provider_model);
    write_member(out, b",\"credentialType\":", attempt.credential.as_str());
    out.extend_from_slice(if attempt.success { b",\"success\":true" } else { b",\"success\":false" });
    if let Some(error) = &attempt.error {
        write_member(out, b",\"error\":", error);
    }
    out.extend_from_slice(b",\"startTime\":");
    write_millis(out, attempt.start_nanos);
    out.extend_from_slice(b",\"endTime\":");
    write_millis(out, attempt.end_nanos);
    if let Some(id) = &attempt.request_id {
        write_member(out, b",\"providerRequestId\":", id);
    }
    if let Some(status) = attempt.status {
        out.extend_from_slice(b",\"statusCode\":");
        write_integer(out, status);
    }
    if let Some(id) = &attempt.response_id {
        write_member(out, b",\"providerResponseId\":", id);
    }
    out.push(b'}');
}

/// Nanoseconds as milliseconds, at most six decimals, without a float in between.
fn write_millis(out: &mut Vec<u8>, nanos: u64) {
    write_integer(out, nanos / 1_000_000);
    let mut fraction = nanos % 1_000_000;
    if fraction == 0 {
        return;
    }
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(fraction % 10).unwrap_or(0);
        fraction /= 10;
    }
    let used = digits.iter().rposition(|d| *d != b'0').map_or(0, |last| last + 1);
    out.push(b'.');
    out.extend_from_slice(&digits[..used]);
}

#[cfg(test)]
mod tests {
    use tollgate_domain::ModelId;
    use tollgate_domain::id::Ulid;
    use tollgate_domain::receipt::CredentialKind;

    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            generation: GenerationId(Ulid::from_parts(1, 2)),
            routing: Routing {
                original_model: ModelId::new("a/m"),
                canonical_model: ModelId::new("a/m"),
                resolved_provider: "p".into(),
                resolved_provider_model: "up".into(),
                fallbacks: Vec::new(),
                reasoning: "only \"p\" serves it".into(),
                final_provider: "p".into(),
                attempts: vec![AttemptRecord {
                    provider: "p".into(),
                    provider_model: "up".into(),
                    credential: CredentialKind::Byok,
                    success: false,
                    start_nanos: 237_488_977_233,
                    end_nanos: 5_000_000,
                    status: Some(500),
                    error: Some("broke".into()),
                    response_id: None,
                    request_id: None,
                }],
            },
            usage: Default::default(),
            cost: None,
            market_cost: None,
            byok: false,
            native: None,
            service_tier: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn times_are_milliseconds_with_up_to_six_decimals() {
        for (nanos, text) in
            [(0, "0"), (1, "0.000001"), (237_488_977_233, "237488.977233"), (330_271_733_930, "330271.73393")]
        {
            let mut out = Vec::new();
            write_millis(&mut out, nanos);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn i05_unknown_price_is_null() {
        let value: serde_json::Value = serde_json::from_slice(&gateway(&receipt())).unwrap();
        assert!(value["cost"].is_null() && value["marketCost"].is_null());
        let mut known = receipt();
        known.cost = Some(Nanodollars(0));
        known.market_cost = Some(Nanodollars(1_838_750));
        known.service_tier = Some("flex".into());
        let value: serde_json::Value = serde_json::from_slice(&gateway(&known)).unwrap();
        assert_eq!((&value["cost"], &value["marketCost"]), (&"0".into(), &"0.00183875".into()));
        assert_eq!(value["serviceTier"], "flex");
    }

    #[test]
    fn a_failed_attempt_says_why() {
        let value: serde_json::Value = serde_json::from_slice(&failed(&receipt().routing, None)).unwrap();
        let attempt = &value["routing"]["attempts"][0];
        assert_eq!((&attempt["error"], &attempt["credentialType"]), (&"broke".into(), &"byok".into()));
        assert_eq!(value["routing"]["modelAttempts"][0]["success"], false);
        assert!(value.get("cost").is_none());
    }
}
