//! The `response` object, the same in a stream's first and last events and as a whole answer.

use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::{Failure, Receipt, Usage};

use super::echo::Echo;
use super::item::member;
use super::output::Output;
use crate::ReplyContext;
use crate::metadata::{self, write_integer};
use crate::openai_error::{self, OpenAiError};

/// How an answer stands.
pub(super) enum State<'a> {
    /// It has begun.
    Begun,
    /// It is over.
    Over {
        /// What it says.
        output: &'a Output,
        /// Why it ended.
        finish: &'a Finish,
        /// What happened to the request.
        receipt: &'a Receipt,
    },
    /// It broke.
    Broken(&'a OpenAiError),
}

/// The terminal event of an answer that ended so, which is also its `status`.
pub(super) fn ending(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other => "completed",
        FinishReason::Length | FinishReason::ContentFilter => "incomplete",
        FinishReason::Error => "failed",
    }
}

/// Whether the answer ended within what it said last.
pub(super) fn cut(reason: FinishReason) -> bool {
    ending(reason) != "completed"
}

/// Appends the object.
pub(super) fn write(out: &mut Vec<u8>, context: &ReplyContext, echo: &Echo, state: &State<'_>) {
    let (status, completed_at) = match state {
        State::Begun => ("in_progress", None),
        State::Broken(_) => ("failed", None),
        State::Over { finish, receipt, .. } => {
            let status = ending(finish.reason);
            (status, (status == "completed").then(|| context.created_seconds + seconds_taken(receipt)))
        }
    };
    member(out, b"{\"id\":", &context.generation.to_string());
    out.extend_from_slice(b",\"object\":\"response\",\"created_at\":");
    write_integer(out, context.created_seconds);
    member(out, b",\"status\":", status);
    out.extend_from_slice(b",\"completed_at\":");
    match completed_at {
        Some(seconds) => write_integer(out, seconds),
        None => out.extend_from_slice(b"null"),
    }
    write_reasons(out, state);
    out.extend_from_slice(&echo.early);
    member(out, b",\"model\":", &context.model);
    out.extend_from_slice(b",\"output\":[");
    if let State::Over { output, .. } = state {
        for (i, item) in output.items().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(item);
        }
    }
    out.push(b']');
    write_tier(out, echo, state);
    out.extend_from_slice(&echo.late);
    out.extend_from_slice(b",\"usage\":");
    match state {
        State::Over { receipt, finish, .. } => {
            write_usage(out, &receipt.usage);
            write_metadata(out, &provider_metadata(receipt, Some(finish)));
        }
        State::Begun | State::Broken(_) => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

/// `error` and `incomplete_details`.
fn write_reasons(out: &mut Vec<u8>, state: &State<'_>) {
    let (mut error, mut incomplete) = (None, None);
    match state {
        State::Begun => {}
        State::Broken(broken) => error = Some((code(broken), broken.message.as_str())),
        State::Over { finish, .. } => match finish.reason {
            FinishReason::Length => incomplete = Some("max_output_tokens"),
            FinishReason::ContentFilter => incomplete = Some("content_filter"),
            FinishReason::Error => {
                error = Some((
                    "server_error",
                    "The provider ended the answer with an error. Send the request again.",
                ));
            }
            FinishReason::Stop | FinishReason::ToolCalls | FinishReason::Other => {}
        },
    }
    match error {
        Some((code, message)) => {
            out.extend_from_slice(b",\"error\":");
            write_cause(out, code, message);
        }
        None => out.extend_from_slice(b",\"error\":null"),
    }
    match incomplete {
        Some(reason) => {
            member(out, b",\"incomplete_details\":{\"reason\":", reason);
            out.push(b'}');
        }
        None => out.extend_from_slice(b",\"incomplete_details\":null"),
    }
}

/// The tier that served; until that is known, the one asked for.
fn write_tier(out: &mut Vec<u8>, echo: &Echo, state: &State<'_>) {
    let served = match state {
        State::Over { receipt, .. } => receipt.service_tier.as_deref(),
        State::Begun | State::Broken(_) => None,
    };
    match (served, &echo.service_tier, state) {
        (Some(tier), _, _) => member(out, b",\"service_tier\":", tier),
        (None, Some(asked), _) => {
            out.extend_from_slice(b",\"service_tier\":");
            out.extend_from_slice(asked);
        }
        (None, None, State::Over { .. }) => member(out, b",\"service_tier\":", "default"),
        (None, None, _) => member(out, b",\"service_tier\":", "auto"),
    }
}

/// How long the attempts took, in whole seconds: there is no other clock here.
fn seconds_taken(receipt: &Receipt) -> i64 {
    let attempts = &receipt.routing.attempts;
    let (Some(first), Some(last)) = (attempts.first(), attempts.last()) else { return 0 };
    i64::try_from(last.end_nanos.saturating_sub(first.start_nanos) / 1_000_000_000).unwrap_or(0)
}

/// Inclusive of cached and reasoning tokens, which are itemised (providers §0.1).
fn write_usage(out: &mut Vec<u8>, usage: &Usage) {
    let (input, output) = (usage.input_total(), usage.output_total());
    let mut count = |lead: &[u8], value: u64| {
        out.extend_from_slice(lead);
        write_integer(out, value);
    };
    count(b"{\"input_tokens\":", input);
    count(b",\"input_tokens_details\":{\"cached_tokens\":", usage.input_cache_read);
    count(b",\"cache_write_tokens\":", usage.cache_write());
    count(b"},\"output_tokens\":", output);
    count(b",\"output_tokens_details\":{\"reasoning_tokens\":", usage.output_reasoning);
    count(b"},\"total_tokens\":", input.saturating_add(output));
    out.push(b'}');
}

/// Under both names that readers know (gateway-api §5).
fn write_metadata(out: &mut Vec<u8>, metadata: &[u8]) {
    for lead in METADATA_NAMES {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(lead.as_bytes());
        out.extend_from_slice(b"\":");
        out.extend_from_slice(metadata);
    }
}

/// The names under which the metadata stands.
pub(super) const METADATA_NAMES: [&str; 2] = ["providerMetadata", "provider_metadata"];

/// The whole metadata. The provider's own part is the receipt's, else what its answer ended with, under the
/// slug of the provider that served.
pub(super) fn provider_metadata(receipt: &Receipt, finish: Option<&Finish>) -> Vec<u8> {
    let own = receipt.native.as_ref().map(|(namespace, value)| (namespace.as_str(), value));
    let ended = || Some((receipt.routing.final_provider.as_str(), finish?.native.as_ref()?));
    metadata::provider_metadata(receipt, own.or_else(ended))
}

/// The `code` of an error, which this protocol always has.
fn code(error: &OpenAiError) -> &str {
    error.code.as_deref().unwrap_or(error.kind)
}

/// What a client is told of a failure.
pub(super) fn error_of(failure: &Failure, context: &ReplyContext) -> OpenAiError {
    openai_error::from_failure(failure).with_model(&context.model)
}

/// Appends the `error` of a failed response.
pub(super) fn write_failed_error(out: &mut Vec<u8>, error: &OpenAiError) {
    write_cause(out, code(error), &error.message);
}

fn write_cause(out: &mut Vec<u8>, code: &str, message: &str) {
    member(out, b"{\"code\":", code);
    member(out, b",\"message\":", message);
    out.push(b'}');
}

/// Appends the members of an `error` event after its number: flat as documented, and once more in an object,
/// by which OpenAI's own libraries and the AI SDK know that the stream broke.
pub(super) fn write_error(out: &mut Vec<u8>, error: &OpenAiError) {
    member(out, b",\"code\":", code(error));
    member(out, b",\"message\":", &error.message);
    out.extend_from_slice(b",\"param\":");
    let param = error.param.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string);
    out.extend_from_slice(param.as_bytes());
    out.extend_from_slice(b",\"error\":");
    write_error_object(out, error);
}

/// Appends `{type, code, message, param}`.
pub(super) fn write_error_object(out: &mut Vec<u8>, error: &OpenAiError) {
    member(out, b"{\"type\":", error.kind);
    out.extend_from_slice(b",\"code\":");
    match &error.code {
        Some(code) => tollgate_wire::json::write_string(out, code),
        None => out.extend_from_slice(b"null"),
    }
    member(out, b",\"message\":", &error.message);
    out.extend_from_slice(b",\"param\":");
    let param = error.param.as_ref().map_or_else(|| "null".to_owned(), ToString::to_string);
    out.extend_from_slice(param.as_bytes());
    out.push(b'}');
}
