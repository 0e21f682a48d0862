//! What a model's name tells: rules of this protocol go by the version of the model family (providers §4).

use crate::codec::Target;

/// The parts of a Claude model's name that rules go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    version: Option<(u32, u32)>,
    fable: bool,
    haiku: bool,
}

impl Model {
    /// Reads the catalog's id, else the provider's. A model of another family has no version.
    pub(super) fn of(target: &Target) -> Self {
        let id = if target.canonical.is_empty() { &target.model } else { &target.canonical };
        Self::named(id)
    }

    fn named(id: &str) -> Self {
        let words: Vec<&str> =
            id.split(['/', '-', '.', '_', '@', ':']).skip_while(|word| *word != "claude").skip(1).collect();
        let number = |word: &&str| if word.len() <= 2 { word.parse::<u32>().ok() } else { None };
        let version = words.iter().position(|word| number(word).is_some()).and_then(|at| {
            let minor = words.get(at + 1).and_then(&number).unwrap_or(0);
            words.get(at).and_then(number).map(|major| (major, minor))
        });
        Self { version, fable: words.contains(&"fable"), haiku: words.contains(&"haiku") }
    }

    fn since(self, major: u32, minor: u32) -> bool {
        self.version.is_some_and(|version| version >= (major, minor))
    }

    /// Reasons as much as it finds right, steered by effort, instead of by a budget.
    pub(super) fn reasons_adaptively(self) -> bool {
        self.since(4, 6)
    }

    /// Cannot be told not to reason.
    pub(super) fn always_reasons(self) -> bool {
        self.fable || (self.since(5, 5) && !self.haiku)
    }

    /// Answers 400 to temperature, top_p and top_k.
    pub(super) fn rejects_sampling(self) -> bool {
        self.since(4, 7)
    }

    /// Answers 400 to temperature and top_p together.
    pub(super) fn rejects_both_samplings(self) -> bool {
        self.since(4, 1)
    }

    /// Reasons between tool calls only when the beta is asked for.
    pub(super) fn interleaves_by_beta(self) -> bool {
        self.since(4, 0) && !self.since(4, 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_spelling() {
        let version = |id| Model::named(id).version;
        assert_eq!(version("anthropic/claude-opus-4.6"), Some((4, 6)));
        assert_eq!(version("claude-3-5-sonnet-20241022"), Some((3, 5)));
        assert_eq!(version("claude-sonnet-4-20250514"), Some((4, 0)));
        assert_eq!(version("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), Some((4, 5)));
        assert_eq!(version("anthropic/claude-3-haiku"), Some((3, 0)));
        assert_eq!(version("claude-fable-5"), Some((5, 0)));
        assert_eq!(version("minimax/minimax-m2"), None);
    }

    #[test]
    fn rules_go_by_version() {
        let model = Model::named;
        assert!(!model("anthropic/claude-opus-4.5").reasons_adaptively());
        assert!(model("anthropic/claude-sonnet-4.6").reasons_adaptively());
        assert!(model("anthropic/claude-fable-5").always_reasons());
        assert!(model("anthropic/claude-opus-5.5").always_reasons());
        assert!(!model("anthropic/claude-haiku-5.5").always_reasons());
        assert!(!model("anthropic/claude-sonnet-5").always_reasons());
        assert!(!model("minimax/minimax-m2").rejects_sampling());
        assert!(model("anthropic/claude-opus-4.1").rejects_both_samplings());
        assert!(!model("anthropic/claude-opus-4").rejects_both_samplings());
    }
}
