//! What a model's name tells: rules of this protocol go by the version of the model family (providers §5).

use crate::codec::Target;

/// The parts of a model's name that rules go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// `None`: a Gemini model without a version in its name (`gemini-flash-latest`), taken for the newest.
    version: Option<(u32, u32)>,
    gemma: bool,
    pro: bool,
}

impl Model {
    /// Reads the catalog's id, else the provider's.
    pub(super) fn of(target: &Target) -> Self {
        Self::named(if target.canonical.is_empty() { &target.model } else { &target.canonical })
    }

    fn named(id: &str) -> Self {
        let name = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
        let words: Vec<&str> = name.split('-').collect();
        let version = words.iter().position(|w| *w == "gemini").and_then(|at| number(words.get(at + 1)?));
        Self { version, gemma: name.starts_with("gemma"), pro: words.contains(&"pro") }
    }

    /// At least this version.
    pub(super) fn since(self, major: u32, minor: u32) -> bool {
        !self.gemma && self.version.is_none_or(|version| version >= (major, minor))
    }

    /// A Gemma model, which takes no system instruction.
    pub(super) fn is_gemma(self) -> bool {
        self.gemma
    }

    /// A model of the largest size, which cannot be told not to think.
    pub(super) fn is_pro(self) -> bool {
        self.pro
    }
}

/// `2.5` or `3`.
fn number(word: &str) -> Option<(u32, u32)> {
    let (major, minor) = word.split_once('.').unwrap_or((word, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_spelling() {
        let version = |id| Model::named(id).version;
        assert_eq!(version("google/gemini-2.5-flash-lite"), Some((2, 5)));
        assert_eq!(version("gemini-3-pro-preview"), Some((3, 0)));
        assert_eq!(version("models/gemini-3.1-flash-image"), Some((3, 1)));
        assert_eq!(version("gemini-2.0-flash-001"), Some((2, 0)));
        assert_eq!(version("gemini-flash-latest"), None);
        assert_eq!(version("gemini-omni-1.2-flash"), None);
    }

    #[test]
    fn rules_go_by_version() {
        let model = Model::named;
        assert!(model("gemini-3-flash").since(3, 0));
        assert!(!model("gemini-2.5-pro").since(3, 0));
        assert!(model("gemini-flash-latest").since(3, 0));
        assert!(!model("google/gemma-4-31b-it").since(1, 0));
        assert!(model("google/gemma-4-31b-it").is_gemma());
        assert!(model("gemini-2.5-pro").is_pro() && !model("gemini-2.5-flash").is_pro());
    }
}
