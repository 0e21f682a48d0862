//! Tools of OpenAI's `custom` type take plain text in place of JSON arguments. In the neutral form, where
//! arguments are JSON text, a call of one is `{"input": "<the text>"}`, so that every provider's protocol can
//! carry it; a provider of this protocol may also report the plain text itself. [`input`] undoes both.

use serde::Deserialize;
use tollgate_wire::json::{self, write_string};

use crate::checked::{Fields, elements};

/// A text as arguments.
pub(super) fn arguments(input: &str) -> String {
    let mut out = b"{\"input\":".to_vec();
    write_string(&mut out, input);
    out.push(b'}');
    // What `write_string` appends is UTF-8.
    String::from_utf8(out).unwrap_or_default()
}

/// The text that a call's arguments give the tool: the member `input` when there is no other, else all of
/// them as they stand.
pub(super) fn input(arguments: &str) -> String {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wrapped {
        input: String,
    }
    match serde_json::from_str(arguments) {
        Ok(Wrapped { input }) if !is_plain(arguments) => input,
        _ => arguments.to_owned(),
    }
}

/// Whether arguments that begin so are the plain text, whatever follows.
pub(super) fn is_plain(begin: &str) -> bool {
    begin.trim_start().chars().next().is_some_and(|first| first != '{')
}

/// The names of the custom tools that a request declares. `tools` is its checked member of that name.
pub(super) fn names(tools: &[u8]) -> Vec<String> {
    let name = |raw: &[u8]| {
        let tool = Fields::of(raw)?;
        let custom = tool.get("type").and_then(json::string)? == "custom";
        tool.get("name").filter(|_| custom).and_then(json::string).map(std::borrow::Cow::into_owned)
    };
    elements(tools).into_iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn i18_a_text_goes_round(text in "\\PC{0,40}|[\\x00-\\x7f]{0,20}") {
            proptest::prop_assert_eq!(input(&arguments(&text)), text);
        }
    }

    #[test]
    fn plain_text_and_other_arguments_stay_as_they_are() {
        for text in ["*** Begin Patch", "", "{\"input\":1}", "{\"input\":\"a\",\"b\":1}", "\"x\"", "[\"x\"]"]
        {
            assert_eq!(input(text), text);
        }
    }

    #[test]
    fn only_custom_tools_are_named() {
        let tools = br#"[{"type":"custom","name":"apply_patch"},{"type":"function","name":"f"},{"type":"web_search"}]"#;
        assert_eq!(names(tools), ["apply_patch"]);
    }
}
