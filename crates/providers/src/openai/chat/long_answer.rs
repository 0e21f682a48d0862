//! Answers that a provider gives only as a stream, however the client wants them.

use tollgate_wire::json::{self, Object};

use super::quirks::Quirks;
use crate::Target;

/// Whether the provider answers this body only as a stream (providers §2): Fireworks above a number of tokens,
/// Alibaba's open models while they think. `body` is what [`adapt`](super::adapt()) or
/// [`encode`](super::encode()) wrote for a whole answer; it must then be written again for a stream, whose
/// events are collected.
#[must_use]
pub fn must_stream(body: &[u8], target: &Target) -> bool {
    let quirks = Quirks::for_target(target);
    if !quirks.thinking_needs_stream && quirks.stream_above_tokens.is_none() {
        return false;
    }
    let Ok(body) = Object::parse_checked(body) else { return false };
    let thinks =
        quirks.thinking_needs_stream && body.get("enable_thinking").and_then(json::boolean) != Some(false);
    let asked = ["max_tokens", "max_completion_tokens"].into_iter().filter_map(|name| body.get(name));
    let most = asked.filter_map(json::unsigned).max();
    thinks || quirks.stream_above_tokens.zip(most).is_some_and(|(limit, most)| most > limit)
}

#[cfg(test)]
mod tests {
    use super::super::adapt;
    use super::*;

    fn asks(provider: &str, model: &str, members: &str) -> bool {
        let target =
            Target { provider: provider.into(), model: model.into(), reasoning: true, ..Target::default() };
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{members}}}"#);
        must_stream(&adapt(body.as_bytes(), &target, false).unwrap(), &target)
    }

    #[test]
    fn only_what_the_provider_will_not_give_whole_is_streamed() {
        for (provider, model, members, expected) in [
            ("alibaba", "qwen3-32b", "", true),
            ("alibaba", "qwen3-32b", r#","reasoning":{"effort":"high"}"#, true),
            ("alibaba", "qwen3-32b", r#","reasoning":{"enabled":false}"#, false),
            ("alibaba", "qwen3-32b", r#","reasoning_effort":"none""#, false),
            ("alibaba", "qwen3-32b", r#","enable_thinking":false"#, false),
            ("alibaba", "qwen3-32b", r#","providerOptions":{"alibaba":{"enableThinking":false}}"#, false),
            ("alibaba", "qwen3-max", r#","reasoning":{"effort":"high"}"#, false),
            ("fireworks", "m", "", false),
            ("fireworks", "m", r#","max_tokens":4096"#, false),
            ("fireworks", "m", r#","max_tokens":4097"#, true),
            ("fireworks", "m", r#","max_completion_tokens":4097"#, true),
            ("fireworks", "m", r#","providerOptions":{"fireworks":{"maxTokens":9000}}"#, true),
            ("groq", "m", r#","max_tokens":90000"#, false),
        ] {
            assert_eq!(asks(provider, model, members), expected, "{provider} {model} {members}");
        }
    }
}
