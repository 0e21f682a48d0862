//! What a model must be able to take to serve a request; read by the dialect, compared by routing.

/// What a model must be able to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Images in the prompt.
    pub images: bool,
    /// Documents or other files in the prompt.
    pub files: bool,
    /// Audio in the prompt.
    pub audio: bool,
    /// Tools to call.
    pub tools: bool,
    /// An answer after a JSON schema.
    pub json_schema: bool,
    /// Reasoning was asked for.
    pub reasoning: bool,
    /// Images in the answer.
    pub image_output: bool,
}
