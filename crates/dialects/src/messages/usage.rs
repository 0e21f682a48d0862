//! The `usage` object: Anthropic's, whose input count leaves out what was read from and written to a cache
//! (clients §0.3, providers §0.1).

use tollgate_domain::Usage;

use crate::metadata::write_integer;

/// Appends the object. A stream's first report must name at least one token of output, since clients take a
/// zero for a broken answer; `least_output` is that number, else 0.
pub(super) fn write(out: &mut Vec<u8>, usage: &Usage, least_output: u64) {
    let cached = usage.input_cache_read.saturating_add(usage.cache_write());
    count(out, b"{\"input_tokens\":", usage.input_total().saturating_sub(cached));
    count(out, b",\"cache_creation_input_tokens\":", usage.cache_write());
    count(out, b",\"cache_read_input_tokens\":", usage.input_cache_read);
    if usage.input_cache_write_1h > 0 {
        count(out, b",\"cache_creation\":{\"ephemeral_5m_input_tokens\":", usage.input_cache_write_5m);
        count(out, b",\"ephemeral_1h_input_tokens\":", usage.input_cache_write_1h);
        out.push(b'}');
    }
    count(out, b",\"output_tokens\":", usage.output_total().max(least_output));
    if usage.output_reasoning > 0 {
        count(out, b",\"output_tokens_details\":{\"thinking_tokens\":", usage.output_reasoning);
        out.push(b'}');
    }
    if usage.searches > 0 {
        count(out, b",\"server_tool_use\":{\"web_search_requests\":", usage.searches);
        out.push(b'}');
    }
    out.push(b'}');
}

/// Appends a member: `lead` is all from the comma to the colon.
fn count(out: &mut Vec<u8>, lead: &[u8], value: u64) {
    out.extend_from_slice(lead);
    write_integer(out, value);
}
