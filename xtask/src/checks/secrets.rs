//! No secrets in logs (I28).
use super::Finding;
use crate::rust::{closing, is_word, words};
use crate::source::{Language, Source};

const MACROS: &[&str] = &[
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "log",
    "span",
    "trace_span",
    "debug_span",
    "info_span",
    "warn_span",
    "error_span",
];
const SECRET_PARTS: &[&str] = &["authorization", "api_key", "apikey", "secret", "password"];

/// Checks the arguments of every log macro, names captured in its message too.
pub fn check(source: &Source) -> Vec<Finding> {
    if source.language != Language::Rust {
        return Vec::new();
    }
    let bytes = source.code.as_bytes();
    let mut findings = Vec::new();
    for (at, word) in words(&source.code) {
        let bang = at + word.len();
        let open = bang + 1;
        let is_macro = bytes.get(bang) == Some(&b'!') && matches!(bytes.get(open), Some(b'(' | b'[' | b'{'));
        if !is_macro || !MACROS.contains(&word) {
            continue;
        }
        let end = closing(&source.code, open);
        let written = words(&source.code[open..end]).map(|(n, w)| (open + n, w));
        let captured = captures(&source.uncommented[open..end]).map(|(n, w)| (open + n, w));
        for (place, name) in written.chain(captured).filter(|(_, name)| names_a_secret(name)) {
            findings.push(Finding::at(
                source,
                place,
                format!("{name} goes into a log; log an id or a count instead (a name ending in _id or _count passes), or nothing (I28)"),
            ));
        }
    }
    findings
}

/// The names that `{name}` in a message captures.
fn captures(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('{').filter_map(move |(at, _)| {
        let rest = &text[at + 1..];
        let name = &rest[..rest.bytes().position(|b| !is_word(b)).unwrap_or(rest.len())];
        (!name.is_empty() && rest[name.len()..].starts_with(['}', ':'])).then_some((at + 1, name))
    })
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name.ends_with("_id") || name.ends_with("_count") {
        return false;
    }
    // `tokens` are what models count; a `token` is what opens doors.
    SECRET_PARTS.iter().any(|part| name.contains(part)) || name.split('_').any(|part| part == "token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines;

    #[test]
    fn secrets_in_log_arguments_are_refused() {
        for text in [
            "tracing::info!(%api_key, \"x\");",
            "warn!(key = %caller.secret, \"x\")",
            "error!(\"bad {token}\")",
            "debug!(\n  header = ?headers.authorization(),\n)",
            "info_span!(\"a\", access_token = t)",
        ] {
            assert_eq!(lines(check, "src/a.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn ids_counts_usage_and_prose_pass() {
        for text in [
            "info!(input_tokens, secret_id = %id, token_count = n, \"a token was refused: {reason}\");",
            "let error = token;",
            "// info!(token)",
            "format!(\"{token}\")",
        ] {
            assert!(lines(check, "src/a.rs", text).is_empty(), "{text}");
        }
    }
}
