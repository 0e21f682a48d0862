//! What an answer repeats of its request, as the client wrote it. It is taken out of the body once; the body
//! itself is not kept.

use tollgate_wire::json;

use super::custom_tool;
use crate::checked::Fields;

/// Members before `model` and the value that stands for an absent one.
const EARLY: &[(&str, &str)] = &[
    ("background", "false"),
    ("frequency_penalty", "0.0"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
];

/// Members after `output`.
const LATE: &[(&str, &str)] = &[
    ("parallel_tool_calls", "true"),
    ("presence_penalty", "0.0"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("prompt_cache_retention", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("store", "true"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"},"verbosity":"medium"}"#),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", "\"disabled\""),
    ("user", "null"),
    ("metadata", "{}"),
];

/// The repeated members as JSON, on one line.
#[derive(Debug)]
pub(super) struct Echo {
    /// Those before `model`, each with a comma before it.
    pub(super) early: Vec<u8>,
    /// Those after `output`, each with a comma before it.
    pub(super) late: Vec<u8>,
    /// The service tier asked for.
    pub(super) service_tier: Option<Vec<u8>>,
    /// The names of the custom tools that were declared.
    pub(super) custom_tools: Vec<String>,
}

impl Echo {
    /// Of a checked body.
    pub(super) fn of(body: &[u8]) -> Self {
        let fields = Fields::of(body);
        let get = |name: &str| fields.as_ref().and_then(|f| f.get(name));
        let write = |members: &[(&str, &str)]| {
            let mut out = Vec::with_capacity(512);
            for (name, default) in members {
                // A limit of 0 is none (clients §4).
                let sent = get(name).filter(|raw| *name != "max_output_tokens" || *raw != b"0");
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
                match (sent, *name) {
                    (None, _) => out.extend_from_slice(default.as_bytes()),
                    (Some(raw), "text" | "reasoning") => write_filled(&mut out, raw, default),
                    (Some(raw), _) => write_on_one_line(&mut out, raw),
                }
            }
            out
        };
        Self {
            early: write(EARLY),
            late: write(LATE),
            service_tier: get("service_tier").map(<[u8]>::to_vec),
            custom_tools: get("tools").map(custom_tool::names).unwrap_or_default(),
        }
    }
}

/// An object with those members of a default that it has not.
fn write_filled(out: &mut Vec<u8>, raw: &[u8], default: &str) {
    let (Some(sent), Some(default)) = (Fields::of(raw), Fields::of(default.as_bytes())) else {
        write_on_one_line(out, raw);
        return;
    };
    out.push(b'{');
    let missing = default.iter().filter(|(name, _)| sent.get(name).is_none());
    let present = sent.iter().filter(|(_, value)| !json::is_null(value));
    for (i, (name, value)) in present.chain(missing).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        json::write_string(out, name);
        out.push(b':');
        write_on_one_line(out, value);
    }
    out.push(b'}');
}

/// Line ends, which JSON has only between its tokens, become spaces, as in an event of a stream they would
/// end it.
pub(super) fn write_on_one_line(out: &mut Vec<u8>, raw: &[u8]) {
    out.extend(raw.iter().map(|b| if matches!(b, b'\n' | b'\r') { b' ' } else { *b }));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(members: &[u8]) -> Value {
        let text = std::str::from_utf8(members).unwrap().replacen(',', "{", 1) + "}";
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_was_not_sent_has_openais_default() {
        let echo = Echo::of(b"{}");
        assert_eq!(value(&echo.early)["max_output_tokens"], Value::Null);
        let late = value(&echo.late);
        assert_eq!((&late["store"], &late["metadata"]), (&json!(true), &json!({})));
        assert_eq!(late["text"], json!({"format": {"type": "text"}, "verbosity": "medium"}));
        assert!(echo.service_tier.is_none() && echo.custom_tools.is_empty());
    }

    #[test]
    fn what_was_sent_comes_back_as_written() {
        let body = br#"{"instructions":"a\u0062","temperature":0.70,"max_output_tokens":0,"text":{"format":null,"verbosity":"low","x":1},
            "reasoning":{"summary":"auto"},"tools":[
              {"type":"custom","name":"patch"}],"service_tier":"flex","input":"secret"}"#;
        let echo = Echo::of(body);
        let late = String::from_utf8(echo.late.clone()).unwrap();
        assert!(late.contains("\"temperature\":0.70") && !late.contains('\n'), "{late}");
        assert_eq!(value(&echo.late)["text"], json!({"verbosity":"low","x":1,"format":{"type":"text"}}));
        assert_eq!(value(&echo.late)["reasoning"], json!({"summary":"auto","effort":null}));
        assert_eq!(value(&echo.early)["max_output_tokens"], Value::Null);
        assert!(String::from_utf8(echo.early).unwrap().contains(r#""instructions":"a\u0062""#));
        assert_eq!(
            (echo.service_tier.unwrap(), echo.custom_tools),
            (b"\"flex\"".to_vec(), vec!["patch".to_owned()])
        );
        assert!(!late.contains("secret"), "the prompt is not kept");
    }
}
