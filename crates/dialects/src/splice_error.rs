//! Why an answer cannot be passed through.

use tollgate_wire::json::JsonError;

/// The provider's answer is not of the protocol that it should be: a failure of the provider.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpliceError {
    /// It is no JSON object.
    #[error("the provider's answer is not a JSON object: {0}")]
    NotJson(#[from] JsonError),
    /// A member that every such answer has is absent or of another type.
    #[error("the provider's answer has no '{0}'")]
    Missing(&'static str),
    /// No provider speaks the client's protocol, so that nothing can be passed through.
    #[error("no provider speaks the client's protocol; its answer must be translated")]
    NotSpoken,
}
