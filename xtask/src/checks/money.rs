//! No floats near money (I4).
use super::Finding;
use crate::rust::{functions, words};
use crate::source::{Language, Source};

const PATH_WORDS: &[&str] = &["money", "price", "cost", "budget", "ledger"];
const MONEY_WORDS: &[&str] = &["cost", "price", "budget", "dollar", "balance", "amount"];
// A visitor that refuses floats has to take them first; what it does with them is still checked.
const FIXED_BY_SERDE: &[&str] = &["visit_f32", "visit_f64"];

/// Checks signatures, fields and casts of files that deal with money, outside of tests.
pub fn check(source: &Source) -> Vec<Finding> {
    if source.language != Language::Rust || source.is_test || !deals_with_money(&source.path) {
        return Vec::new();
    }
    let (fixed, own): (Vec<_>, Vec<_>) =
        functions(&source.code).into_iter().partition(|f| FIXED_BY_SERDE.contains(&f.name));
    let mut findings = Vec::new();
    for (at, word) in words(&source.code) {
        let is_float = matches!(word, "f32" | "f64");
        if !is_float || source.in_test(at) || fixed.iter().any(|f| f.signature.contains(&at)) {
            continue;
        }
        let line_start = source.code[..at].rfind('\n').map_or(0, |n| n + 1);
        let line_end = source.code[at..].find('\n').map_or(source.code.len(), |n| at + n);
        let signature = own.iter().map(|f| &f.signature).find(|s| s.contains(&at)).cloned();
        let around = signature.unwrap_or(line_start..line_end);
        if words(&source.code[around]).any(|(_, w)| is_money(w)) {
            findings.push(Finding::at(
                source,
                at,
                format!("{word} beside money: prices are picodollars (i64), costs nanodollars (i64), sums i128; rounding is half-even, once (I4)"),
            ));
        }
    }
    findings
}

fn deals_with_money(path: &str) -> bool {
    ["crates/catalog/", "crates/store", "crates/domain/"].iter().any(|p| path.starts_with(p))
        || PATH_WORDS.iter().any(|w| path.contains(w))
}

fn is_money(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    MONEY_WORDS.iter().any(|money| word.contains(money))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines;

    #[test]
    fn floats_beside_money_are_refused() {
        for text in [
            "struct A { cost_nanos: f64 }",
            "fn total(\n    price: i64,\n    tokens: i64,\n) -> f64 { 0.0 }",
            "fn a() { let b = budget as f32; }",
        ] {
            assert_eq!(lines(check, "crates/domain/src/a.rs", text).len(), 1, "{text}");
        }
        assert_eq!(lines(check, "crates/data-plane/src/meter/cost.rs", "const DOLLARS: f64 = 1.0;").len(), 1);
    }

    #[test]
    fn a_visitor_may_refuse_floats_but_not_take_them() {
        let visitor =
            |body: &str| format!("fn visit_f64<E>(self, value: f64) -> Result<Price, E> {{\n{body}\n}}");
        assert!(lines(check, "crates/catalog/src/a.rs", &visitor("Err(E::custom(NUMBER))")).is_empty());
        assert_eq!(lines(check, "crates/catalog/src/a.rs", &visitor("let price = value as f64;")), [2]);
    }

    #[test]
    fn floats_elsewhere_and_in_words_pass() {
        assert!(lines(check, "crates/domain/src/a.rs", "struct A { temperature: f64 }").is_empty());
        assert!(
            lines(check, "crates/domain/src/a.rs", "// cost as f64\nconst A: &str = \"cost f64\";")
                .is_empty()
        );
        assert!(lines(check, "crates/wire/src/a.rs", "struct A { cost: f64 }").is_empty());
    }
}
