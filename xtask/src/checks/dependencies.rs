//! Who may import whom (ARCHITECTURE.md): read from each crate's manifest.
use toml::Table;

use super::Finding;
use crate::source::Source;

/// What a crate may depend on. A new crate needs a line here, which is the moment to think about its place.
struct Rule {
    /// The folder under `crates/`; a final `*` stands for any ending.
    folder: &'static str,
    /// Crates of ours; `*` means all of them.
    ours: &'static [&'static str],
    /// No async runtime and no HTTP stack, not even in tests.
    pure: bool,
}

const PURE: bool = true;
const IO: bool = false;

/// Everything below the two planes except the implementations of the store, which only the binary names.
const LIBRARIES: &[&str] =
    &["domain", "wire", "dialects", "providers", "catalog", "policy", "store", "crypto", "telemetry"];

const RULES: &[Rule] = &[
    Rule { folder: "domain", ours: &[], pure: PURE },
    Rule { folder: "wire", ours: &["domain"], pure: PURE },
    Rule { folder: "catalog", ours: &["domain"], pure: PURE },
    Rule { folder: "policy", ours: &["domain"], pure: PURE },
    Rule { folder: "crypto", ours: &["domain"], pure: PURE },
    Rule { folder: "store", ours: &["domain"], pure: PURE },
    Rule { folder: "dialects", ours: &["domain", "wire"], pure: PURE },
    Rule { folder: "providers", ours: &["domain", "wire", "catalog"], pure: PURE },
    Rule { folder: "telemetry", ours: &["domain"], pure: IO },
    Rule { folder: "simulator", ours: &["domain", "wire"], pure: IO },
    Rule { folder: "store-*", ours: &["domain", "store"], pure: IO },
    Rule { folder: "data-plane", ours: LIBRARIES, pure: IO },
    Rule { folder: "console", ours: LIBRARIES, pure: IO },
    Rule { folder: "tollgate", ours: &["*"], pure: IO },
];

/// Which kind of dependency table a name stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Normal,
    Build,
    Dev,
}

/// Checks the manifest of every crate of the workspace.
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let folder = match source.path.split('/').collect::<Vec<_>>()[..] {
            ["crates", folder, "Cargo.toml"] => folder,
            ["xtask", "Cargo.toml"] => "xtask",
            _ => continue,
        };
        match source.text.parse::<Table>() {
            Ok(manifest) => check_manifest(source, folder, &manifest, &mut findings),
            Err(error) => {
                findings.push(Finding::at(source, 0, format!("this is not valid TOML: {error}")));
            }
        }
    }
    findings
}

fn check_manifest(source: &Source, folder: &str, manifest: &Table, findings: &mut Vec<Finding>) {
    let rule = RULES.iter().find(|rule| matches_folder(rule.folder, folder));
    if rule.is_none() && folder != "xtask" {
        findings.push(Finding::at(
            source,
            0,
            format!("crate {folder} has no rule; decide what it may import and add it to RULES in xtask/src/checks/dependencies.rs"),
        ));
    }
    for (section, name) in dependencies(manifest) {
        let at = line_start(&source.text, &name);
        let complaint = match rule {
            Some(rule) => {
                ours(rule, folder, section, &name).or_else(|| third_party(rule, folder, section, &name))
            }
            None => None,
        };
        if let Some(complaint) = complaint {
            findings.push(Finding::at(source, at, complaint));
        }
    }
}

fn matches_folder(pattern: &str, folder: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => folder.starts_with(start),
        None => folder == pattern,
    }
}

/// Every dependency by its package's name, those of single targets too.
fn dependencies(manifest: &Table) -> Vec<(Section, String)> {
    let mut found = Vec::new();
    let mut tables = vec![manifest];
    if let Some(targets) = manifest.get("target").and_then(|t| t.as_table()) {
        tables.extend(targets.values().filter_map(|t| t.as_table()));
    }
    for table in tables {
        for (section, key) in [
            (Section::Normal, "dependencies"),
            (Section::Build, "build-dependencies"),
            (Section::Dev, "dev-dependencies"),
        ] {
            for (name, spec) in table.get(key).and_then(|t| t.as_table()).into_iter().flatten() {
                let package = spec.get("package").and_then(|p| p.as_str()).unwrap_or(name);
                found.push((section, package.to_owned()));
            }
        }
    }
    found
}

fn ours(rule: &Rule, folder: &str, section: Section, name: &str) -> Option<String> {
    let other = name.strip_prefix("tollgate-").or((name == "tollgate").then_some("tollgate"))?;
    if section == Section::Dev || rule.ours.iter().any(|o| *o == "*" || *o == other) {
        return None;
    }
    let allowed = if rule.ours.is_empty() { "nothing of ours".into() } else { rule.ours.join(", ") };
    Some(format!(
        "{folder} may not import {other}; it may import {allowed}. Move what is needed to a crate both may import, or pass it in from the crate above"
    ))
}

fn third_party(rule: &Rule, folder: &str, section: Section, name: &str) -> Option<String> {
    let family = |roots: &[&str]| {
        roots
            .iter()
            .any(|root| name == *root || name.strip_prefix(root).is_some_and(|rest| rest.starts_with('-')))
    };
    if rule.pure && family(&["tokio", "hyper", "axum"]) {
        return Some(format!(
            "{folder} is pure: no {name}, not in tests either. Take bytes and the time as arguments; leave sockets and tasks to data-plane, console, store-*, telemetry, simulator or tollgate"
        ));
    }
    if section == Section::Dev {
        return None;
    }
    if family(&["sqlx", "rusqlite"]) && !folder.starts_with("store-") {
        return Some(format!("{name} belongs in store-* only; go through the ports of the store crate"));
    }
    if name == "anyhow" && folder != "tollgate" {
        return Some(format!(
            "{folder} is a library: name its errors with thiserror; anyhow is for the binary and for tests"
        ));
    }
    if name == "aws-lc-rs" && folder != "crypto" {
        return Some(format!(
            "{name} belongs in crypto only; use what the crypto crate offers, or add it there"
        ));
    }
    None
}

fn line_start(text: &str, name: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start().trim_start_matches('"');
        if rest
            .strip_prefix(name)
            .is_some_and(|r| !r.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        {
            return at;
        }
        at += line.len();
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(folder: &str, text: &str) -> Vec<String> {
        check(&[Source::new(&format!("crates/{folder}/Cargo.toml"), text)])
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn neither_side_of_the_conversation_knows_the_other() {
        let found = messages(
            "dialects",
            "[dependencies]\ntollgate-wire.workspace = true\ntollgate-providers.workspace = true\n",
        );
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("Cargo.toml:3") && found[0].contains("may not import providers"),
            "{found:?}"
        );
    }

    #[test]
    fn the_planes_do_not_know_each_other_nor_a_store() {
        assert_eq!(messages("data-plane", "[dependencies]\ntollgate-console = \"1\"\n").len(), 1);
        assert_eq!(messages("console", "[dependencies]\ntollgate-data-plane = \"1\"\n").len(), 1);
        assert_eq!(messages("console", "[dependencies]\ntollgate-store-sqlite = \"1\"\n").len(), 1);
        assert!(
            messages(
                "tollgate",
                "[dependencies]\ntollgate-console = \"1\"\ntollgate-store-sqlite = \"1\"\nanyhow = \"1\"\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn pure_crates_stay_pure_even_in_tests() {
        for text in [
            "[dependencies]\nhyper-util = \"1\"\n",
            "[dev-dependencies]\ntokio = \"1\"\n",
            "[dependencies]\nrt = { package = \"tokio\" }\n",
        ] {
            assert_eq!(messages("wire", text).len(), 1, "{text}");
        }
        assert!(messages("telemetry", "[dependencies]\ntokio = \"1\"\n").is_empty());
        assert!(messages("wire", "[dependencies]\nhyperlink = \"1\"\n").is_empty());
    }

    #[test]
    fn third_parties_have_one_place() {
        assert_eq!(messages("data-plane", "[dependencies]\nrusqlite = \"1\"\n").len(), 1);
        assert_eq!(messages("data-plane", "[target.'cfg(unix)'.dependencies]\nanyhow = \"1\"\n").len(), 1);
        assert_eq!(messages("providers", "[dependencies]\naws-lc-rs = \"1\"\n").len(), 1);
        assert!(
            messages("providers", "[dev-dependencies]\nanyhow = \"1\"\ntollgate-simulator = \"1\"\n")
                .is_empty()
        );
        assert!(messages("store-sqlite", "[dependencies]\nrusqlite = \"1\"\ntokio = \"1\"\n").is_empty());
    }

    #[test]
    fn a_crate_without_a_rule_is_refused() {
        assert!(messages("novel", "[dependencies]\n")[0].contains("no rule"));
    }
}
