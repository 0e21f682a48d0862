//! Directives: behaviour set from the outside, in the model name or a header. The list is in
//! `docs/directives.md`.

use thiserror::Error;

use crate::behaviour::{Answer, Behaviour, UsageWhen};
use crate::fault::{CutHow, ErrorBody, Fault};

/// A directive that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DirectiveError {
    /// No such key.
    #[error(
        "the simulator directive \"{0}\" is unknown; use one of size, chunks, chunk_size, delay_ms, ttft_ms, \
         first_ms, gap_ms, usage, prompt_tokens, cached_tokens, cache_write_tokens, output_tokens, dims, \
         status, retry_after, fault, reset_after, close_after, end_after, hang_after, stall_after, \
         malformed_after, error_after, oversized_after, oversized_bytes, drip_bytes, drip_ms, content_type, times"
    )]
    Unknown(String),
    /// A value of the wrong kind.
    #[error("the simulator directive \"{key}\" has the value \"{value}\"; expected {expected}")]
    Value {
        /// The directive.
        key: String,
        /// What it was set to.
        value: String,
        /// What it may be set to.
        expected: &'static str,
    },
}

const OVERSIZED_BYTES: usize = 1 << 20;
const HTML: &str = "<html>\r\n<head><title>Error</title></head>\r\n<body>\r\n<center><h1>Error</h1></center>\r\n</body>\r\n</html>\r\n";

/// Splits `name@k=v,k=v` into the model's name and its directives. An `@` without a `=` behind it belongs
/// to the name, as in a dated model version.
pub(crate) fn split_model(model: &str) -> (&str, Option<&str>) {
    match model.find('@') {
        Some(at) if model[at..].contains('=') => (&model[..at], Some(&model[at + 1..])),
        _ => (model, None),
    }
}

/// Applies directives over a behaviour.
pub(crate) fn apply(text: &str, behaviour: &mut Behaviour) -> Result<(), DirectiveError> {
    for pair in text.split(['&', ',']).map(str::trim).filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        set(behaviour, key.trim(), value.trim())?;
    }
    Ok(())
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, DirectiveError> {
    value.parse().map_err(|_| wrong(key, value, "a whole number, zero or more, in range"))
}

fn wrong(key: &str, value: &str, expected: &'static str) -> DirectiveError {
    DirectiveError::Value { key: key.to_owned(), value: value.to_owned(), expected }
}

fn set(b: &mut Behaviour, key: &str, value: &str) -> Result<(), DirectiveError> {
    match key {
        "delay_ms" => b.pace.delay_ms = number(key, value)?,
        "ttft_ms" => b.pace.ttft_ms = number(key, value)?,
        "first_ms" => b.pace.first_ms = number(key, value)?,
        "gap_ms" => b.pace.gap_ms = Some(number(key, value)?),
        "prompt_tokens" => b.usage.input_tokens = Some(number(key, value)?),
        "cached_tokens" => b.usage.cached_tokens = Some(number(key, value)?),
        "cache_write_tokens" => b.usage.cache_write_tokens = Some(number(key, value)?),
        "output_tokens" => b.usage.output_tokens = Some(number(key, value)?),
        "dims" => b.usage.dimensions = Some(number(key, value)?),
        "times" => b.times = Some(number(key, value)?),
        "usage" => {
            b.usage.when = match value {
                "asked" => UsageWhen::Asked,
                "always" => UsageWhen::Always,
                "never" => UsageWhen::Never,
                _ => return Err(wrong(key, value, "always, never or asked")),
            }
        }
        "size" | "chunks" | "chunk_size" => set_filler(b, key, number(key, value)?),
        _ => set_fault(b, key, value)?,
    }
    Ok(())
}

fn set_filler(b: &mut Behaviour, key: &str, n: usize) {
    let (mut size, mut chunks, mut chunk_size) = match b.answer {
        Answer::Filler { size, chunks, chunk_size } => (size, chunks, chunk_size),
        _ => (1024, 50, 12),
    };
    match key {
        "size" => size = n,
        "chunks" => chunks = n,
        _ => chunk_size = n,
    }
    b.answer = Answer::Filler { size, chunks, chunk_size };
}

fn set_fault(b: &mut Behaviour, key: &str, value: &str) -> Result<(), DirectiveError> {
    let after = || number::<u32>(key, value);
    b.fault = Some(match key {
        "status" => return set_status(b, key, value),
        "retry_after" => {
            let seconds: u64 = number(key, value)?;
            let (status, mut headers, body) = match b.fault.take() {
                Some(Fault::Status { status, headers, body }) => (status, headers, body),
                _ => (503, Vec::new(), ErrorBody::Provider),
            };
            headers.retain(|(name, _)| name != "retry-after");
            headers.push(("retry-after".to_owned(), seconds.to_string()));
            Fault::Status { status, headers, body }
        }
        "fault" => return set_named(b, key, value),
        "reset_after" | "cut_after" => Fault::Cut { after: after()?, how: CutHow::Reset },
        "close_after" => Fault::Cut { after: after()?, how: CutHow::Close },
        "end_after" => Fault::Cut { after: after()?, how: CutHow::End },
        "hang_after" | "stall_after" => Fault::Stall { after: after()? },
        "malformed_after" => Fault::Malformed { after: after()? },
        "error_after" => Fault::ErrorEvent { after: after()? },
        "oversized_after" => {
            let bytes = match b.fault {
                Some(Fault::Oversized { bytes, .. }) => bytes,
                _ => OVERSIZED_BYTES,
            };
            Fault::Oversized { after: after()?, bytes }
        }
        "oversized_bytes" => {
            let after = match b.fault {
                Some(Fault::Oversized { after, .. }) => after,
                _ => 0,
            };
            Fault::Oversized { after, bytes: number(key, value)? }
        }
        "drip_bytes" | "drip_ms" => {
            let (mut bytes, mut every_ms) = match b.fault {
                Some(Fault::SlowDrip { bytes, every_ms }) => (bytes, every_ms),
                _ => (16, 0),
            };
            if key == "drip_bytes" {
                bytes = number::<usize>(key, value)?.max(1);
            } else {
                every_ms = number(key, value)?;
            }
            Fault::SlowDrip { bytes, every_ms }
        }
        "content_type" => Fault::WrongContentType { content_type: value.to_owned() },
        _ => return Err(DirectiveError::Unknown(key.to_owned())),
    });
    Ok(())
}

fn set_status(b: &mut Behaviour, key: &str, value: &str) -> Result<(), DirectiveError> {
    let status: u16 = number(key, value)?;
    if !(200..=999).contains(&status) {
        return Err(wrong(key, value, "an HTTP status from 200 to 999"));
    }
    b.fault = match b.fault.take() {
        _ if status == 200 => None,
        Some(Fault::Status { headers, body, .. }) => Some(Fault::Status { status, headers, body }),
        _ => Some(Fault::Status { status, headers: Vec::new(), body: ErrorBody::Provider }),
    };
    Ok(())
}

fn set_named(b: &mut Behaviour, key: &str, value: &str) -> Result<(), DirectiveError> {
    b.fault = match value {
        "none" => None,
        "reset" => Some(Fault::ResetBeforeHeaders),
        "close" => Some(Fault::CloseBeforeHeaders),
        "hang" => Some(Fault::Hang),
        "empty" => Some(Fault::EmptyBody),
        "html" => {
            let (status, headers) = match b.fault.take() {
                Some(Fault::Status { status, headers, .. }) => (status, headers),
                _ => (502, Vec::new()),
            };
            let body = ErrorBody::Custom { content_type: "text/html".to_owned(), body: HTML.to_owned() };
            Some(Fault::Status { status, headers, body })
        }
        _ => return Err(wrong(key, value, "reset, close, hang, empty, html or none")),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_version_with_an_at_sign_is_not_a_directive() {
        assert_eq!(split_model("claude@20240620"), ("claude@20240620", None));
        assert_eq!(split_model("sim-1@status=503"), ("sim-1", Some("status=503")));
    }

    #[test]
    fn status_and_retry_after_combine_in_either_order() {
        let one = Behaviour::from_directives("status=429,retry_after=2").unwrap();
        let other = Behaviour::from_directives("retry_after=2&status=429").unwrap();
        assert_eq!(one, other);
        let Some(Fault::Status { status: 429, headers, .. }) = one.fault else { panic!("{one:?}") };
        assert_eq!(headers, [("retry-after".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn a_misspelt_directive_is_refused_with_the_known_ones() {
        let error = Behaviour::from_directives("stauts=503").unwrap_err().to_string();
        assert!(error.contains("stauts") && error.contains("retry_after"), "{error}");
        let error = Behaviour::from_directives("gap_ms=soon").unwrap_err().to_string();
        assert!(error.contains("whole number"), "{error}");
    }
}
