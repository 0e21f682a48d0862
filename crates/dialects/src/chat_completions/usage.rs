//! The `usage` object: OpenAI's, inclusive of cached and reasoning tokens, with cost as a JSON number
//! (clients §0.2, §0.3). Members and order are the recorded service's.

use tollgate_domain::{Nanodollars, Receipt};
use tollgate_wire::json::{Object, write_string};

use crate::metadata::{write_integer, write_plain};

/// Members of `usage` that the gateway owns.
const OWNED: &[&str] = &[
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost",
    "is_byok",
    "prompt_tokens_details",
    "cost_details",
    "completion_tokens_details",
    "cache_creation_input_tokens",
    "market_cost",
];

/// Appends the object. `upstream` is the provider's own usage when it speaks the same protocol: its members
/// that the gateway does not own follow ours, at both levels (I17).
pub(super) fn write(out: &mut Vec<u8>, receipt: &Receipt, upstream: Option<&Object<'_>>) {
    let usage = &receipt.usage;
    let (input, output) = (usage.input_total(), usage.output_total());
    out.push(b'{');
    count(out, b"\"prompt_tokens\":", input);
    count(out, b",\"completion_tokens\":", output);
    count(out, b",\"total_tokens\":", input.saturating_add(output));
    out.extend_from_slice(b",\"cost\":");
    write_cost(out, receipt.cost);
    out.extend_from_slice(if receipt.byok { b",\"is_byok\":true" } else { b",\"is_byok\":false" });

    out.extend_from_slice(b",\"prompt_tokens_details\":{");
    count(out, b"\"cached_tokens\":", usage.input_cache_read);
    count(out, b",\"audio_tokens\":", usage.input_audio);
    count(out, b",\"video_tokens\":", 0);
    write_foreign_details(
        out,
        upstream,
        "prompt_tokens_details",
        &["cached_tokens", "audio_tokens", "video_tokens"],
    );

    // Clients add the upstream's cost to `cost`, so it is set for the caller's own credential only.
    out.extend_from_slice(b"},\"cost_details\":{\"upstream_inference_cost\":");
    write_cost(out, receipt.market_cost.filter(|_| receipt.byok));
    out.extend_from_slice(
        b",\"upstream_inference_prompt_cost\":0,\"upstream_inference_completions_cost\":0},\"completion_tokens_details\":{",
    );
    count(out, b"\"reasoning_tokens\":", usage.output_reasoning);
    count(out, b",\"image_tokens\":", usage.output_image);
    write_foreign_details(out, upstream, "completion_tokens_details", &["reasoning_tokens", "image_tokens"]);
    out.push(b'}');
    count(out, b",\"cache_creation_input_tokens\":", usage.cache_write());
    out.extend_from_slice(b",\"market_cost\":");
    write_cost(out, receipt.market_cost);
    if let Some(object) = upstream {
        write_foreign(out, object, OWNED);
    }
    out.push(b'}');
}

/// Appends a member: `lead` is all from the comma to the colon.
fn count(out: &mut Vec<u8>, lead: &[u8], value: u64) {
    out.extend_from_slice(lead);
    write_integer(out, value);
}

/// A number made of the decimal text, never of a float (I4); unknown is `null` (I5).
fn write_cost(out: &mut Vec<u8>, cost: Option<Nanodollars>) {
    match cost {
        Some(cost) => write_plain(out, cost),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_foreign_details(out: &mut Vec<u8>, upstream: Option<&Object<'_>>, name: &str, owned: &[&str]) {
    if let Some(Ok(details)) = upstream.and_then(|u| u.get(name)).map(Object::parse_checked) {
        write_foreign(out, &details, owned);
    }
}

fn write_foreign(out: &mut Vec<u8>, object: &Object<'_>, owned: &[&str]) {
    for (name, value) in object.members().filter(|(name, _)| !owned.contains(&&**name)) {
        out.push(b',');
        write_string(out, &name);
        out.push(b':');
        out.extend_from_slice(value);
    }
}
