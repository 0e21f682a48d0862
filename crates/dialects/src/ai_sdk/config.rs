//! The list of models (gateway-api §17.3).

use tollgate_wire::json::write_string;

use super::Version;

/// One model of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigEntry<'a> {
    /// The model's id (`openai/gpt-5`).
    pub id: &'a str,
    /// Its name for people.
    pub name: &'a str,
    /// What it is.
    pub description: Option<&'a str>,
    /// Dollars a prompt token, as decimal text.
    pub input_price: Option<&'a str>,
    /// Dollars a generated token, as decimal text.
    pub output_price: Option<&'a str>,
    /// Dollars a token read from a cache, as decimal text.
    pub cache_read: Option<&'a str>,
    /// Dollars a token written to a cache, as decimal text.
    pub cache_write: Option<&'a str>,
    /// `language`, `embedding`, `image`, `reranking`, …; clients drop entries of a kind they do not know.
    pub model_type: &'a str,
    /// The provider that is named in the specification.
    pub provider: &'a str,
}

/// The answer of `GET {base}/config`. Prices are left out unless both input and output are known: a client
/// refuses the whole list when one of the two is missing.
#[must_use]
pub fn config<'a>(version: Version, entries: impl Iterator<Item = ConfigEntry<'a>>) -> Vec<u8> {
    let mut out = b"{\"models\":[".to_vec();
    for (i, entry) in entries.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_entry(&mut out, version, &entry);
    }
    out.extend_from_slice(b"]}");
    out
}

fn write_entry(out: &mut Vec<u8>, version: Version, entry: &ConfigEntry<'_>) {
    member(out, b"{\"id\":", entry.id);
    member(out, b",\"name\":", entry.name);
    match entry.description {
        Some(text) => member(out, b",\"description\":", text),
        None => out.extend_from_slice(b",\"description\":null"),
    }
    if let (Some(input), Some(output)) = (entry.input_price, entry.output_price) {
        member(out, b",\"pricing\":{\"input\":", input);
        member(out, b",\"output\":", output);
        if let Some(price) = entry.cache_read {
            member(out, b",\"input_cache_read\":", price);
        }
        if let Some(price) = entry.cache_write {
            member(out, b",\"input_cache_write\":", price);
        }
        out.push(b'}');
    }
    member(out, b",\"specification\":{\"specificationVersion\":", version.literal());
    member(out, b",\"provider\":", entry.provider);
    member(out, b",\"modelId\":", entry.id);
    member(out, b"},\"modelType\":", entry.model_type);
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, lead: &[u8], text: &str) {
    out.extend_from_slice(lead);
    write_string(out, text);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn prices_need_both_input_and_output() {
        let entry = ConfigEntry {
            id: "a/b",
            name: "B \"x\"",
            description: None,
            input_price: Some("0.000001"),
            output_price: Some("0.000002"),
            cache_read: Some("0.0000001"),
            cache_write: None,
            model_type: "language",
            provider: "a",
        };
        let half = ConfigEntry { output_price: None, description: Some("d"), ..entry };
        for (version, literal) in [(Version::V2, "v2"), (Version::V3, "v3"), (Version::V4, "v4")] {
            let body: Value = serde_json::from_slice(&config(version, [entry, half].into_iter())).unwrap();
            let specification = json!({"specificationVersion": literal, "provider": "a", "modelId": "a/b"});
            assert_eq!(
                body["models"][0],
                json!({"id": "a/b", "name": "B \"x\"", "description": null,
                    "pricing": {"input": "0.000001", "output": "0.000002", "input_cache_read": "0.0000001"},
                    "specification": specification, "modelType": "language"})
            );
            assert_eq!(body["models"][1].get("pricing"), None);
            assert_eq!(body["models"][1]["specification"], specification);
        }
        assert_eq!(config(Version::V4, std::iter::empty()), b"{\"models\":[]}");
    }
}
