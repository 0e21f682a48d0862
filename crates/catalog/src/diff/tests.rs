use super::*;
use crate::format::{read, to_compact};

fn edited(edit: impl Fn(String) -> String) -> (Catalog, Catalog) {
    let old = Catalog::builtin().unwrap();
    let new = read(&edit(to_compact(&old))).unwrap();
    (old, new)
}

fn lines(old: &Catalog, new: &Catalog) -> Vec<String> {
    diff(old, new).iter().map(ToString::to_string).collect()
}

/// Edits the line of one model.
fn at_model(text: &str, id: &str, edit: impl Fn(&str) -> String) -> String {
    let start = format!("{{\"id\":\"{id}\",");
    let line = |l: &str| if l.starts_with(&start) { edit(l) } else { l.to_owned() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn equal_catalogs_have_no_difference() {
    let (old, new) = edited(|text| text);
    assert!(diff(&old, &new).is_empty());
}

#[test]
fn changed_prices_are_told_with_both_values() {
    let (old, new) = edited(|text| {
        at_model(&text, "openai/gpt-5.4-mini", |line| {
            line.replacen("\"input\":\"0.00000075\"", "\"input\":\"0.0000008\"", 1)
                .replacen("\"output\":\"0.0000045\",", "", 1)
                .replacen("\"flex\":{\"input\":\"0.000000375\"", "\"flex\":{\"input\":\"0.0000004\"", 1)
        })
    });
    assert_eq!(
        lines(&old, &new),
        [
            "$ openai/gpt-5.4-mini at openai (gpt-5.4-mini): input 0.00000075 -> 0.0000008",
            "$ openai/gpt-5.4-mini at openai (gpt-5.4-mini): flex.input 0.000000375 -> 0.0000004",
            "$ openai/gpt-5.4-mini at openai (gpt-5.4-mini): output 0.0000045 -> unknown",
        ]
    );
}

#[test]
fn models_endpoints_and_providers_come_and_go() {
    let (old, new) = edited(|text| {
        let text = text.replacen("{\"id\":\"zai/glm-5\"", "{\"id\":\"zai/glm-5-next\"", 1);
        let text = at_model(&text, "openai/gpt-5.4-mini", |line| {
            line.replacen("\"provider\":\"azure\"", "\"provider\":\"groq\"", 1).replacen(
                "GPT 5.4 Mini",
                "Mini",
                1,
            )
        });
        text.replacen("\"slug\":\"wandb\"", "\"slug\":\"wandb2\"", 1).replacen(
            "https://api.groq.com",
            "https://groq.example",
            1,
        )
    });
    assert_eq!(
        lines(&old, &new),
        [
            "~ provider groq",
            "- provider wandb",
            "+ provider wandb2",
            "~ openai/gpt-5.4-mini: name",
            "- openai/gpt-5.4-mini at azure (gpt-5.4-mini)",
            "+ openai/gpt-5.4-mini at groq (gpt-5.4-mini)",
            "- model zai/glm-5",
            "+ model zai/glm-5-next",
        ]
    );
}

#[test]
fn other_changes_of_an_endpoint_are_told() {
    let (old, new) = edited(|text| {
        at_model(&text, "openai/gpt-5.4-mini", |line| line.replacen("2027-09-21", "2027-09-22", 1))
    });
    assert_eq!(lines(&old, &new), ["~ openai/gpt-5.4-mini at azure (gpt-5.4-mini)"]);
}
