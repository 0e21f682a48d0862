//! How long a file and a function may be; `xtask/tidy-allow.txt` lists exceptions and may only shrink.
use std::collections::BTreeMap;

use super::Finding;
use crate::source::{Language, Source, line_of};
use crate::{rust, typescript};

const FILE_LIMIT: usize = 800;
const BODY_LIMIT: usize = 100;
const ALLOW: &str = "xtask/tidy-allow.txt";

/// What is too long: by path and item, its size and where it is.
type Oversized<'a> = BTreeMap<(String, String), (usize, &'a Source, usize)>;

/// Checks every Rust and TypeScript file outside of tests.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut oversized: Oversized = BTreeMap::new();
    for source in
        sources.iter().filter(|s| !s.is_test && s.language != Language::Other && !is_generated(&s.path))
    {
        let lines = code_lines(source);
        if lines > FILE_LIMIT {
            oversized.insert((source.path.clone(), "file".into()), (lines, source, 0));
        }
        for (name, at, lines) in bodies(source) {
            let item = oversized.entry((source.path.clone(), name)).or_insert((lines, source, at));
            if lines > item.0 {
                *item = (lines, source, at);
            }
        }
    }
    let mut findings = Vec::new();
    if let Some(allow) = sources.iter().find(|s| s.path == ALLOW) {
        apply(allow, &mut oversized, &mut findings);
    }
    for ((_, item), (lines, source, at)) in oversized {
        let message = if item == "file" {
            format!(
                "{lines} lines of code outside of tests, {FILE_LIMIT} is the limit: a file has one subject; move the second one to a file of its own"
            )
        } else {
            format!(
                "the body of {item} has {lines} lines, {BODY_LIMIT} is the limit: give its steps names of their own"
            )
        };
        findings.push(Finding::at(source, at, message));
    }
    findings
}

/// Takes the entries of the allow file out of `oversized`, and finds those that could shrink.
fn apply(allow: &Source, oversized: &mut Oversized, findings: &mut Vec<Finding>) {
    let mut at = 0;
    for line in allow.text.split_inclusive('\n') {
        let (start, entry) = (at, line.trim());
        at += line.len();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let Some((path, item, max)) = parse(entry) else {
            findings.push(Finding::at(allow, start, format!("cannot read {entry:?}; write `path:item max`")));
            continue;
        };
        let key = (path.to_owned(), item.to_owned());
        let message = match oversized.get(&key).map(|(lines, ..)| *lines) {
            None => format!("{path}:{item} is within the limit or gone: remove this entry"),
            Some(lines) if lines < max => {
                format!("{path}:{item} has shrunk to {lines}: write {lines} instead of {max}")
            }
            Some(lines) if lines > max => format!(
                "{path}:{item} has grown from {max} to {lines}: make it smaller; entries may only shrink"
            ),
            Some(_) => {
                oversized.remove(&key);
                continue;
            }
        };
        oversized.remove(&key);
        findings.push(Finding::at(allow, start, message));
    }
}

fn parse(entry: &str) -> Option<(&str, &str, usize)> {
    let (name, max) = entry.rsplit_once(' ')?;
    let (path, item) = name.trim_end().rsplit_once(':')?;
    Some((path, item, max.parse().ok()?))
}

fn is_generated(path: &str) -> bool {
    path.ends_with(".d.ts") || path.contains(".gen.") || path.split('/').any(|part| part == "generated")
}

/// Lines that hold more than blanks and comments, outside of tests.
fn code_lines(source: &Source) -> usize {
    let mut at = 0;
    let mut count = 0;
    for line in source.uncommented.split_inclusive('\n') {
        if !line.trim().is_empty() && !source.in_test(at + line.len() - line.trim_start().len()) {
            count += 1;
        }
        at += line.len();
    }
    count
}

/// Functions over the limit outside of tests: name, where, lines between the braces.
fn bodies(source: &Source) -> Vec<(String, usize, usize)> {
    let functions: Vec<(String, usize, std::ops::Range<usize>)> = match source.language {
        Language::Rust => rust::functions(&source.code)
            .into_iter()
            .filter_map(|f| Some((f.name.to_owned(), f.signature.start, f.body?)))
            .collect(),
        _ => typescript::functions(&source.code).into_iter().map(|(n, body)| (n, body.start, body)).collect(),
    };
    let sized = functions.into_iter().filter(|(_, at, _)| !source.in_test(*at)).map(|(name, at, body)| {
        let lines = line_of(&source.code[body.clone()], body.len()).saturating_sub(2);
        (name, at, lines)
    });
    sized.filter(|(_, _, lines)| *lines > BODY_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(files: &[(&str, String)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        check(&sources).iter().map(Finding::to_string).collect()
    }

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    x();\n".repeat(lines))
    }

    #[test]
    fn a_body_of_a_hundred_lines_passes_and_one_more_does_not() {
        assert!(run(&[("src/a.rs", function("a", 100))]).is_empty());
        let found = run(&[("src/a.rs", function("a", 101))]);
        assert!(found.len() == 1 && found[0].contains("body of a has 101 lines"), "{found:?}");
        assert_eq!(run(&[("src/a.ts", format!("function {}", &function("a", 101)[3..]))]).len(), 1);
    }

    #[test]
    fn braces_in_strings_do_not_end_a_body() {
        let text = format!("fn a() {{\n let x = \"}}\"; let y = '}}'; // }}\n{}}}\n", " x();\n".repeat(100));
        assert_eq!(run(&[("src/a.rs", text)]).len(), 1);
    }

    #[test]
    fn tests_blanks_and_comments_do_not_count() {
        let text = "// c\n\n".repeat(900) + &"const A: u8 = 1;\n".repeat(800);
        assert!(run(&[("src/a.rs", text.clone())]).is_empty());
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function("b", 200));
        assert!(run(&[("src/a.rs", text.clone() + &tests)]).is_empty());
        assert!(run(&[("tests/all/main.rs", function("b", 900))]).is_empty());
        assert_eq!(run(&[("src/a.rs", text + "const B: u8 = 1;\n")]).len(), 1);
    }

    #[test]
    fn an_exception_must_be_exact() {
        let with = |max: usize, lines: usize| {
            run(&[("src/a.rs", function("a", lines)), (ALLOW, format!("# why\nsrc/a.rs:a {max}\n"))])
        };
        assert!(with(120, 120).is_empty());
        assert!(with(130, 120)[0].contains("write 120 instead of 130"));
        assert!(with(120, 130)[0].contains("grown"));
        assert!(with(120, 90)[0].contains("remove this entry"));
        assert!(run(&[(ALLOW, "nonsense\n".into())])[0].contains("path:item max"));
    }
}
