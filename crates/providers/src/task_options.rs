//! `providerOptions.<slug>` of a task: members for the body, in the provider's spelling or the AI SDK's
//! (gateway-api §4).

use serde_json::{Map, Value};

/// The options that speak to a provider, with names in snake case; of a repeated one the last wins.
pub(crate) fn members(options: &[(String, Value)], provider: &str) -> Map<String, Value> {
    let mut found = Map::new();
    for namespace in namespaces_of(provider) {
        for (_, value) in options.iter().filter(|(slug, _)| slug == namespace) {
            for (name, value) in value.as_object().into_iter().flatten() {
                found.insert(snake_case(name), value.clone());
            }
        }
    }
    found
}

/// The namespaces that speak to a provider; a later one wins.
fn namespaces_of(provider: &str) -> Vec<&str> {
    match provider {
        "azure" => vec!["openai", "azure"],
        "together" | "togetherai" => vec!["together", "togetherai"],
        other => vec![other],
    }
}

fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_providers_own_options_count() {
        let options = [
            ("voyage".to_owned(), json!({"inputType": "query", "truncation": false})),
            ("openai".to_owned(), json!({"a": 1, "b": 2})),
            ("azure".to_owned(), json!({"b": 3})),
            ("broken".to_owned(), json!(7)),
        ];
        assert_eq!(
            Value::from(members(&options, "voyage")),
            json!({"input_type": "query", "truncation": false})
        );
        assert_eq!(Value::from(members(&options, "azure")), json!({"a": 1, "b": 3}));
        assert!(members(&options, "broken").is_empty() && members(&options, "xai").is_empty());
    }
}
