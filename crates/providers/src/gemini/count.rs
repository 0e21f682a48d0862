//! How many tokens a conversation has, as the provider counts them (providers §5 `:countTokens`).

use serde_json::{Map, Value, json};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::{Conversation, Failure, InputError};

use super::{address, generate};
use crate::classify;
use crate::codec::Target;

/// The path of a count.
#[must_use]
pub fn count_path(target: &Target) -> String {
    address::method(target, "countTokens")
}

/// Writes a conversation as a request for a count.
///
/// # Errors
/// As [`generate::encode`].
pub fn count_tokens(conversation: &Conversation, target: &Target) -> Result<Vec<u8>, InputError> {
    let encoded = generate::encode(conversation, target, false)?;
    if target.provider == "vertex" {
        return keep(&encoded.body, &["contents", "systemInstruction", "tools"]);
    }
    // The Gemini API counts instructions and tools only within a whole request, which has to name its model.
    let mut whole: Map<String, Value> = serde_json::from_slice(&encoded.body).map_err(|_| unwritable())?;
    whole.insert("model".to_owned(), address::name(target).into());
    serde_json::to_vec(&json!({"generateContentRequest": whole})).map_err(|_| unwritable())
}

fn keep(body: &[u8], members: &[&str]) -> Result<Vec<u8>, InputError> {
    let mut whole: Map<String, Value> = serde_json::from_slice(body).map_err(|_| unwritable())?;
    whole.retain(|key, _| members.contains(&key.as_str()));
    serde_json::to_vec(&whole).map_err(|_| unwritable())
}

fn unwritable() -> InputError {
    InputError::invalid("messages", "The request cannot be written as JSON. Check its content.")
}

/// Reads the answer: the number of tokens.
///
/// # Errors
/// An error under status 200, or an answer without a count.
pub fn read_count(target: &Target, body: &[u8]) -> Result<u64, Failure> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    if value.get("error").is_some() {
        return Err(classify::error_value(&target.provider, 200, &value));
    }
    value.get("totalTokens").and_then(Value::as_u64).ok_or_else(|| {
        Failure::provider(
            FailureClass::Server,
            "The provider's count of tokens cannot be read: it has no number 'totalTokens'.",
        )
    })
}
