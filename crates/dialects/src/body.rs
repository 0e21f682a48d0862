//! The body of a request as JSON, checked once; every dialect begins here.

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_domain::input_error::InputErrorKind;
use tollgate_wire::json::{self, Checked, JsonError};

/// Checks that the body is one JSON object. `members` names what it must hold, for the message
/// (`'model' and 'messages'`).
///
/// # Errors
/// `Malformed` with line, column and byte offset when it is no JSON; `Invalid` when it is no object.
pub(crate) fn check(body: &Bytes, members: &str) -> Result<Checked<Bytes>, InputError> {
    Checked::new(body.clone()).map_err(|e| not_an_object(body, members, &e))
}

fn not_an_object(body: &[u8], members: &str, error: &JsonError) -> InputError {
    let malformed = |message: String| InputError {
        kind: InputErrorKind::Malformed,
        message,
        param: None,
        code: Some("invalid_json"),
    };
    if body.iter().all(u8::is_ascii_whitespace) {
        return malformed(format!("The request body is empty; expected a JSON object with {members}."));
    }
    if let Ok(()) = json::validate(body) {
        let start = body.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
        let found = json::kind(&body[start..]).describe();
        return InputError {
            kind: InputErrorKind::Invalid,
            message: format!("The request body is {found}; expected a JSON object with {members}."),
            param: None,
            code: Some("invalid_type"),
        };
    }
    let (line, column) = error.line_and_column(body);
    malformed(format!(
        "The request body is not valid JSON: {} at line {line}, column {column} (byte {}). Send one JSON object in UTF-8.",
        error.what, error.offset
    ))
}
