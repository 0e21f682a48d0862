//! Where the wire of a gateway with its providers may differ from the recorded service, and why. This is the
//! only list; `docs/wire-differences.md` says the same for people.

use serde_json::Value;

/// A difference that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meant {
    /// Reasoning is written as `reasoning_content` too: some clients read only that name.
    ReasoningContent,
    /// The provider's chat protocol has reasoning as plain text: its summary and encrypted forms, with their
    /// formats and ids, belong to other protocols of the provider.
    PlainReasoning,
    /// The same: an entry or chunk that holds only opaque reasoning has nothing to be made of.
    OpaqueReasoning,
    /// What a provider reports about itself depends on the protocol that it was called by.
    OwnMetadata,
    /// The service leaves Gemini's thoughts out of the totals; here the total holds its subset (I1, I3).
    GeminiThoughts,
    /// A `content: ""` or a reasoning of no text in the middle of a stream says nothing and is not sent when transcoded.
    EmptyContent,
    /// OpenAI writes its tier into each chunk: members that it owns pass as they are, in its order, and what is
    /// added to a message follows them (I17).
    ProvidersMembers,
    /// The service asks another provider after a 400; this gateway holds a 400 for the client's own fault, so
    /// that the recorded failover has another status here.
    RefusedElsewhere,
}

impl Meant {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ReasoningContent,
        Self::PlainReasoning,
        Self::OpaqueReasoning,
        Self::OwnMetadata,
        Self::GeminiThoughts,
        Self::EmptyContent,
        Self::ProvidersMembers,
        Self::RefusedElsewhere,
    ];
}

/// Which values are compared by type only: ids, times, prices, and how this gateway is configured.
const OWN_VALUES: [&str; 14] = [
    ".id",
    ".created",
    ".system_fingerprint",
    ".generationId",
    ".cost",
    ".market_cost",
    ".marketCost",
    ".startTime",
    ".endTime",
    ".providerRequestId",
    ".providerResponseId",
    ".fallbacksAvailable",
    ".internalReasoning",
    ".planningReasoning",
];

/// Whether only the type of the value at this path is compared.
pub fn by_type(path: &str) -> bool {
    // A tool call's id is content; an answer's is the gateway's own.
    OWN_VALUES.iter().any(|name| path.ends_with(name)) && !path.contains("tool_calls")
}

/// Why the value at a path may differ; `None`: it may not.
pub fn meant(path: &str, claude: bool, expected: Option<&Value>, found: Option<&Value>) -> Option<Meant> {
    let member = path.rsplit('.').next().unwrap_or_default();
    if expected.is_none() && member == "reasoning_content" {
        return Some(Meant::ReasoningContent);
    }
    if claude {
        return None;
    }
    if expected.is_none() && member == "service_tier" && !path.contains(".choices") {
        return Some(Meant::ProvidersMembers);
    }
    if member == "statusCode" && expected.is_some_and(|e| e == 400) && found.is_some_and(|f| f == 500) {
        return Some(Meant::RefusedElsewhere);
    }
    if path.contains(".provider_metadata.") && !path.contains(".provider_metadata.gateway") {
        return Some(Meant::OwnMetadata);
    }
    if path.contains(".reasoning_details") {
        return Some(if found.is_none() { Meant::OpaqueReasoning } else { Meant::PlainReasoning });
    }
    let (expected, found) = (expected?.as_u64()?, found?.as_u64()?);
    let counts = path.ends_with("usage.completion_tokens") || path.ends_with("usage.total_tokens");
    (counts && found > expected).then_some(Meant::GeminiThoughts)
}

/// Whether a recorded chunk says nothing.
pub fn is_empty(chunk: &Value) -> bool {
    let delta = &chunk["choices"][0]["delta"];
    let unsigned =
        delta["reasoning_details"].as_array().is_none_or(|d| d.iter().all(|e| e["signature"] == ""));
    delta["content"] == "" || (delta["reasoning"] == "" && unsigned)
}

/// Why the members of the object at a path may have another order.
pub fn meant_order(path: &str, claude: bool) -> Option<Meant> {
    let the_chunk = !path.contains(".choices") && !path.contains(".usage");
    (!claude && (the_chunk || path.ends_with(".message"))).then_some(Meant::ProvidersMembers)
}

/// Whether a recorded delta has nothing that this gateway could have been told.
pub fn unsaid(delta: &Value, claude: bool) -> Option<Meant> {
    let opaque = |entry: &Value| entry["type"] == "reasoning.encrypted";
    let only_opaque = delta["reasoning"].is_null()
        && delta["reasoning_details"].as_array().is_some_and(|entries| entries.iter().all(opaque));
    if only_opaque && !claude {
        return Some(Meant::OpaqueReasoning);
    }
    None
}
