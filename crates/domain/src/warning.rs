//! What the gateway could not do exactly as asked and did without: clients read it in the metadata
//! (gateway-api §5 `warnings`), and the AI SDK as parts of its own (gateway-api §17.4).

/// One thing that was left out or done otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Which kind.
    pub kind: WarningKind,
    /// The setting, tool or content it is about (`cache_ttl`, `tool web_search`).
    pub feature: String,
    /// What happened, for people.
    pub details: Option<String>,
}

/// Which kind of warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// It was left out.
    Unsupported,
    /// It was done in another way.
    Compatibility,
    /// Anything else; `feature` is the message.
    Other,
}

impl WarningKind {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Compatibility => "compatibility",
            Self::Other => "other",
        }
    }
}

impl Warning {
    /// Something that was left out.
    #[must_use]
    pub fn unsupported(feature: impl Into<String>, details: impl Into<String>) -> Self {
        Self { kind: WarningKind::Unsupported, feature: feature.into(), details: Some(details.into()) }
    }
}
