//! What every chunk and the whole answer share.

use tollgate_domain::Receipt;
use tollgate_domain::reply::Finish;
use tollgate_wire::json::write_string;

use crate::ReplyContext;
use crate::metadata::{self, write_integer};

/// A `system_fingerprint`: `fp_` and ten digits of base 36, made of a random seed.
#[must_use]
pub fn fingerprint(seed: u128) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(13);
    text.push_str("fp_");
    let mut rest = seed;
    for _ in 0..10 {
        text.push(char::from(DIGITS[usize::try_from(rest % 36).unwrap_or(0)]));
        rest /= 36;
    }
    text
}

impl ReplyContext {
    /// `{"id":…,"object":…,"created":…,"model":…,"choices":[{"index":0,`
    pub(super) fn write_head(&self, out: &mut Vec<u8>, object: &str) {
        out.extend_from_slice(b"{\"id\":");
        write_string(out, &self.generation.to_string());
        out.extend_from_slice(b",\"object\":");
        write_string(out, object);
        out.extend_from_slice(b",\"created\":");
        write_integer(out, self.created_seconds);
        out.extend_from_slice(b",\"model\":");
        write_string(out, &self.model);
        out.extend_from_slice(b",\"choices\":[{\"index\":0,");
    }

    /// From the end of delta or message to the end of the object: what the last chunk of a stream and a
    /// whole answer have in common.
    pub(super) fn write_tail(&self, out: &mut Vec<u8>, receipt: &Receipt, finish: &Finish) {
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        write_string(out, finish.reason.as_str());
        out.extend_from_slice(b"}],\"usage\":");
        super::usage::write(out, receipt, None);
        out.extend_from_slice(b",\"system_fingerprint\":");
        write_string(out, &self.fingerprint);
        if let Some(tier) = &receipt.service_tier {
            out.extend_from_slice(b",\"service_tier\":");
            write_string(out, tier);
        }
        out.extend_from_slice(b",\"generationId\":");
        write_string(out, &self.generation.to_string());
        out.push(b'}');
    }
}

/// The whole `provider_metadata`. The provider's own part is the receipt's, else what its answer ended with,
/// under the slug of the provider that served.
pub(super) fn provider_metadata(receipt: &Receipt, finish: Option<&Finish>) -> Vec<u8> {
    let own = receipt.native.as_ref().map(|(namespace, value)| (namespace.as_str(), value));
    let ended = || {
        let value = finish?.native.as_ref()?;
        Some((receipt.routing.final_provider.as_str(), value))
    };
    metadata::provider_metadata(receipt, own.or_else(ended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_have_ten_digits() {
        for seed in [0, 35, 36, u128::MAX] {
            let text = fingerprint(seed);
            assert!(text.len() == 13 && text.starts_with("fp_"), "{text}");
            assert!(text[3..].bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()), "{text}");
        }
        assert_ne!(fingerprint(1), fingerprint(2));
    }
}
