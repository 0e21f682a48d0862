//! Unfinished work, tests that do not run, and lints switched off without a reason.
use super::Finding;
use crate::rust::{closing, is_word, words};
use crate::source::{Language, Source};

/// Files whose text is data or made by a tool.
const DATA: &[&str] = &[".lock", ".json", ".jsonl", ".snap", ".svg", ".txt", ".csv"];

// Written in two halves so that this file does not find itself.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Checks one file; marks in every text, the rest in Rust.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !DATA.iter().any(|ext| source.path.ends_with(ext)) {
        for (at, word) in words(&source.text).filter(|(_, word)| MARKS.contains(word)) {
            findings.push(Finding::at(
                source,
                at,
                format!("{word}: finish it, or open an issue and say in words what is missing"),
            ));
        }
    }
    if source.language == Language::Rust {
        macros(source, &mut findings);
        attributes(source, &mut findings);
    }
    findings
}

fn macros(source: &Source, findings: &mut Vec<Finding>) {
    for (at, word) in words(&source.code) {
        if matches!(word, "todo" | "unimplemented")
            && source.code.as_bytes().get(at + word.len()) == Some(&b'!')
        {
            findings.push(Finding::at(
                source,
                at,
                format!("{word}!: write it, or return an error that says what is not supported"),
            ));
        }
    }
}

fn attributes(source: &Source, findings: &mut Vec<Finding>) {
    for (hash, _) in source.code.match_indices('#') {
        let rest = &source.code[hash + 1..];
        let open = hash + 1 + usize::from(rest.starts_with('!'));
        if source.code.as_bytes().get(open) != Some(&b'[') {
            continue;
        }
        let inside = &source.code[open + 1..closing(&source.code, open)];
        let name: String = inside.trim_start().bytes().take_while(|b| is_word(*b)).map(char::from).collect();
        let names: Vec<&str> = words(inside).map(|(_, word)| word).collect();
        let says = |what: &str| name == what || (name == "cfg_attr" && names.contains(&what));
        if says("ignore") {
            findings.push(Finding::at(
                source,
                hash,
                "an ignored test proves nothing: make it run, or delete it",
            ));
        }
        if says("allow") {
            findings.push(Finding::at(
                source,
                hash,
                "allow outlives its cause: write #[expect(lint, reason = \"why\")]",
            ));
        }
        if says("expect") && !names.contains(&"reason") {
            findings.push(Finding::at(
                source,
                hash,
                "an expectation needs its why: #[expect(lint, reason = \"why\")]",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines;

    #[test]
    fn marks_are_found_anywhere_as_whole_words() {
        let (first, second, third) = (MARKS[0], MARKS[1], MARKS[2]);
        let text = format!("// {first}: x\nlet a = \"{second}\"; // {first}S\n# {third}\n{third}{third}\n");
        assert_eq!(lines(check, "a.py", &text), [1, 2, 3]);
        assert!(lines(check, "Cargo.lock", &text).is_empty());
    }

    #[test]
    fn unfinished_macros_are_found_in_code_only() {
        let bang = '!';
        assert_eq!(
            lines(check, "a.rs", &format!("fn a() {{ todo{bang}() }}\nfn b() {{ unimplemented{bang}() }}")),
            [1, 2]
        );
        let words = format!("// say todo{bang}() in words\nlet todo = \"unimplemented{bang}\";");
        assert!(lines(check, "a.rs", &words).is_empty());
    }

    #[test]
    fn lints_are_expected_with_a_reason() {
        assert_eq!(lines(check, "a.rs", "#[allow(dead_code)]\nfn a() {}\n#![allow(x)]"), [1, 3]);
        assert_eq!(lines(check, "a.rs", "#[cfg_attr(test, allow(x))]"), [1]);
        assert_eq!(lines(check, "a.rs", "#[expect(dead_code)]\nfn a() {}"), [1]);
        assert!(
            lines(check, "a.rs", "#[expect(dead_code, reason = \"x\")]\nfn a() { b.expect(\"c\"); }")
                .is_empty()
        );
    }

    #[test]
    fn ignored_tests_are_found() {
        assert_eq!(lines(check, "a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}"), [2]);
    }
}
