//! A file under check, with its comments and strings told from its code, and its tests from the rest.
use std::ops::Range;

use crate::{rust, typescript};

/// What a file is written in, as far as the checks care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Rust,
    TypeScript,
    Other,
}

/// One text file.
pub struct Source {
    /// From the repository's top folder, with `/`.
    pub path: String,
    pub text: String,
    pub language: Language,
    /// `text` with comments and the insides of strings blanked out, byte for byte in the same place.
    pub code: String,
    /// `text` with comments blanked out and strings kept.
    pub uncommented: String,
    /// The whole file is test code.
    pub is_test: bool,
    /// Byte ranges of test code in a file that is not test code as a whole.
    pub tests: Vec<Range<usize>>,
}

/// What a byte of source belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Code,
    Comment,
    Text,
}

impl Source {
    /// The file as it stands, before other files have said whether it is test code.
    pub fn new(path: &str, text: &str) -> Source {
        let language = match path.rsplit_once('.').map(|(_, ext)| ext) {
            Some("rs") => Language::Rust,
            Some("ts" | "tsx" | "js" | "jsx" | "mjs") => Language::TypeScript,
            _ => Language::Other,
        };
        let classes = match language {
            Language::Rust => rust::classify(text),
            Language::TypeScript => typescript::classify(text),
            Language::Other => vec![Class::Code; text.len()],
        };
        let code = blank(text, |at| classes[at] != Class::Code);
        let uncommented = blank(text, |at| classes[at] == Class::Comment);
        let tests = if language == Language::Rust { rust::test_regions(&code) } else { Vec::new() };
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            language,
            code,
            uncommented,
            is_test: is_test_path(path),
            tests,
        }
    }

    /// Whether the byte at `at` is test code.
    pub fn in_test(&self, at: usize) -> bool {
        self.is_test || self.tests.iter().any(|range| range.contains(&at))
    }

    /// The line number of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        line_of(&self.text, at)
    }

    /// The file's name without folders and without anything after its first dot.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }
}

/// The line number of a byte, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1
}

/// All files together: a module that its parent declares under `#[cfg(test)]` is test code as a whole.
pub fn load(texts: Vec<(String, String)>) -> Vec<Source> {
    let mut sources: Vec<Source> = texts.iter().map(|(path, text)| Source::new(path, text)).collect();
    let mut test_modules = Vec::new();
    for source in sources.iter().filter(|s| s.language == Language::Rust) {
        let (folder, name) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let stem = name.trim_end_matches(".rs");
        let inside = match stem {
            "mod" | "lib" | "main" => folder.to_owned(),
            _ => format!("{folder}/{stem}"),
        };
        let modules =
            source.tests.iter().filter_map(|range| rust::declared_module(&source.code[range.clone()]));
        test_modules.extend(modules.map(|module| format!("{inside}/{module}")));
    }
    for source in &mut sources {
        let path = &source.path;
        source.is_test |= test_modules.iter().any(|module| {
            path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
    sources
}

fn is_test_path(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let (folders, name) = parts.split_at(parts.len() - 1);
    let name = name.first().copied().unwrap_or_default();
    folders.iter().any(|f| matches!(*f, "tests" | "benches" | "e2e" | "__tests__"))
        || name == "tests.rs"
        || name.contains(".test.")
        || name.contains(".spec.")
}

fn blank(text: &str, hide: impl Fn(usize) -> bool) -> String {
    let bytes = text.bytes().enumerate().map(|(at, b)| match b {
        b'\n' => '\n',
        // What is not ASCII is blanked byte by byte too, so that offsets stay the same.
        _ if hide(at) || !b.is_ascii() => ' ',
        _ => char::from(b),
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_survive_blanking() {
        let source = Source::new("a.rs", "let é = \"ü\"; // ö\nx");
        assert_eq!(source.code.len(), source.text.len());
        assert_eq!(source.text.rfind('x'), source.code.rfind('x'));
        assert!(!source.code.contains("//") && source.uncommented.contains('"'));
    }

    #[test]
    fn a_module_declared_under_cfg_test_is_test_code() {
        let file = |p: &str, t: &str| (p.to_owned(), t.to_owned());
        let sources = load(vec![
            file("crates/a/src/lib.rs", "#[cfg(test)]\nmod replay;\nmod real;"),
            file("crates/a/src/replay.rs", ""),
            file("crates/a/src/replay/deep.rs", ""),
            file("crates/a/src/replayed.rs", ""),
            file("crates/a/src/real.rs", "#[cfg(any(test, feature = \"x\"))]\npub mod fakes;"),
            file("crates/a/src/real/fakes.rs", ""),
        ]);
        let tests: Vec<bool> = sources.iter().map(|s| s.is_test).collect();
        assert_eq!(tests, [false, true, true, false, false, true]);
    }

    #[test]
    fn folders_and_names_of_tests() {
        for path in
            ["crates/a/tests/all/main.rs", "crates/a/src/b/tests.rs", "e2e/run.py", "dashboard/src/a.test.ts"]
        {
            assert!(is_test_path(path), "{path}");
        }
        for path in ["crates/a/src/testing.rs", "crates/a/src/lib.rs"] {
            assert!(!is_test_path(path), "{path}");
        }
    }
}
