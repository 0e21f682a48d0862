//! Paths that exist on one machine only, and the folder of recorded fixtures beside the checkout.
use super::Finding;
use crate::rust::is_word;
use crate::source::{Language, Source};

// Written in two halves so that this file does not find itself.
const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];
const BESIDE: &str = concat!("../sh", "ared");

/// Checks the text of any file.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if source.path.ends_with(".lock") || source.path.ends_with("package-lock.json") {
        return findings;
    }
    for path in MACHINE {
        // Preceded by a word or a dot it is a part of a longer path or of an address.
        let begins = |at: usize| {
            at == 0 || !matches!(source.text.as_bytes()[at - 1], b if is_word(b) || b"./-~".contains(&b))
        };
        for (at, _) in source.text.match_indices(path).filter(|(at, _)| begins(*at)) {
            findings.push(Finding::at(source, at, format!("{path} is a folder of one machine: use a path relative to the repository, a setting, or a made-up one")));
        }
    }
    for (at, _) in source.text.match_indices(BESIDE) {
        let explained = source.path.ends_with(".md")
            && paragraph(&source.text, at).to_ascii_lowercase().contains("fixture");
        let tested = source.in_test(at) && (source.is_test || source.language == Language::Rust);
        if !explained && !tested {
            findings.push(Finding::at(source, at, format!("{BESIDE} may be read by tests over recorded fixtures and named by the documentation that explains them, nowhere else")));
        }
    }
    findings
}

fn paragraph(text: &str, at: usize) -> &str {
    let start = text[..at].rfind("\n\n").unwrap_or(0);
    let end = text[at..].find("\n\n").map_or(text.len(), |n| at + n);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines;

    #[test]
    fn machine_paths_are_found() {
        let text = format!(
            "cp {}a b\nsee https://example.com{}x\nhref=\"{}me\"\n",
            MACHINE[0], MACHINE[1], MACHINE[2]
        );
        assert_eq!(lines(check, "docs/a.md", &text), [1, 3]);
    }

    #[test]
    fn the_folder_beside_is_for_tests_and_their_documentation() {
        let text = format!("const A: &str = \"{BESIDE}/fixtures\";");
        assert_eq!(lines(check, "crates/a/src/lib.rs", &text), [1]);
        assert!(lines(check, "crates/a/tests/all/main.rs", &text).is_empty());
        assert!(
            lines(check, "crates/a/src/lib.rs", &format!("#[cfg(test)]\nmod tests {{ {text} }}")).is_empty()
        );
        assert!(
            lines(check, "docs/testing.md", &format!("Recorded fixtures are read\nfrom {BESIDE}."))
                .is_empty()
        );
        assert_eq!(lines(check, "docs/testing.md", &format!("Fixtures.\n\nSee {BESIDE}.")), [3]);
    }
}
