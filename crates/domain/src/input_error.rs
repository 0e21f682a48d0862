//! What is wrong with a client's request, said so that the client's author can mend it.

/// Which kind of wrong; decides the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputErrorKind {
    /// The body is no JSON (400).
    Malformed,
    /// A member is missing, or has a wrong type or value (400).
    Invalid,
    /// The model does not take this content (400).
    Unsupported,
    /// The body is larger than the limit (413).
    TooLarge,
    /// The model does not exist (404).
    ModelNotFound,
}

/// A request that cannot be served as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InputError {
    /// The kind.
    pub kind: InputErrorKind,
    /// What happened, what was expected, what to do next.
    pub message: String,
    /// The JSON path of the member (`messages[2].content[0].type`), where there is one.
    pub param: Option<String>,
    /// A machine-readable code.
    pub code: Option<&'static str>,
}

impl InputError {
    /// A member with a wrong type or value.
    #[must_use]
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: InputErrorKind::Invalid,
            message: message.into(),
            param: Some(path.into()),
            code: Some("invalid_value"),
        }
    }

    /// A required member that is absent.
    #[must_use]
    pub fn missing(path: impl Into<String>, expected: &str) -> Self {
        let path = path.into();
        Self {
            kind: InputErrorKind::Invalid,
            message: format!("'{path}' is missing; expected {expected}."),
            param: Some(path),
            code: Some("missing_required_parameter"),
        }
    }

    /// A member of a wrong type.
    #[must_use]
    pub fn wrong_type(path: impl Into<String>, expected: &str, found: &str) -> Self {
        let path = path.into();
        Self {
            kind: InputErrorKind::Invalid,
            message: format!("'{path}' must be {expected}, but it is {found}."),
            param: Some(path),
            code: Some("invalid_type"),
        }
    }

    /// Content that the model or provider cannot take.
    #[must_use]
    pub fn unsupported(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: InputErrorKind::Unsupported,
            message: message.into(),
            param: Some(path.into()),
            code: Some("unsupported_value"),
        }
    }

    /// The HTTP status of the kind.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.kind {
            InputErrorKind::Malformed | InputErrorKind::Invalid | InputErrorKind::Unsupported => 400,
            InputErrorKind::TooLarge => 413,
            InputErrorKind::ModelNotFound => 404,
        }
    }
}
