//! `providerOptions.google`: what the client wants of this provider in particular (gateway-api §4), in the
//! protocol's own spelling or the AI SDK's.

use serde_json::{Map, Value};

use super::is_own;
use crate::codec::Target;

/// The options of one request that speak to the provider: a later namespace adds to an earlier one.
pub(super) fn merged(options: &[(String, Value)], target: &Target) -> Map<String, Value> {
    let mut found = Map::new();
    for (_, value) in options.iter().filter(|(namespace, _)| speaks_to(namespace, target)) {
        let members = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        found.extend(members.map(|(key, value)| (camel(key), value.clone())));
    }
    found
}

/// Google's own namespace speaks to whoever serves Gemini, that of its cloud to its cloud only.
fn speaks_to(namespace: &str, target: &Target) -> bool {
    match target.provider.as_str() {
        "vertex" => is_own(namespace),
        provider => namespace == "google" || namespace == provider,
    }
}

/// `snake_case` as `camelCase`; the protocol takes both, so that only the outer names are made one.
pub(super) fn camel(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut upper = false;
    for c in key.chars() {
        if c == '_' && !out.is_empty() {
            upper = true;
        } else if upper {
            out.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}
