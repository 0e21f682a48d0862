//! Names of tools that a provider defines. The provider knows its tool by its own name (`web_search`), the
//! client by the key under which it has registered it, and only the key is understood by the client.

use tollgate_domain::conversation::Tool;

/// The pairs of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ToolNames(Vec<(String, String)>);

/// Tools that the model of one of them may run as.
const EXECUTION: &str = "code_execution";

impl ToolNames {
    /// Of the tools of a request; those of Anthropic, whose answers name them.
    pub(super) fn of(tools: &[Tool]) -> Self {
        let pairs = tools.iter().filter_map(|tool| match tool {
            Tool::Provider { kind, value, .. } => {
                let own = own_name(kind.strip_prefix("anthropic.")?);
                Some((own.to_owned(), value.get("name")?.as_str()?.to_owned()))
            }
            Tool::Function(_) => None,
        });
        Self(pairs.collect())
    }

    /// The client's name of a tool, and whether the client knows it as one of the provider's.
    pub(super) fn to_client<'n>(&'n self, own: &'n str) -> (&'n str, bool) {
        match self.0.iter().find(|(name, _)| name == own) {
            Some((_, client)) => (client, true),
            None => (own, false),
        }
    }

    /// The provider's name of a tool.
    pub(super) fn to_provider<'n>(&'n self, client: &'n str) -> &'n str {
        self.0.iter().find(|(_, name)| name == client).map_or(client, |(own, _)| own)
    }
}

/// The name by which Anthropic's model calls the tool of an id.
fn own_name(id: &str) -> &str {
    let family = match id.rsplit_once('_') {
        Some((family, version)) if version.len() == 8 && version.bytes().all(|b| b.is_ascii_digit()) => {
            family
        }
        _ => id,
    };
    match (family, id) {
        (_, "text_editor_20241022" | "text_editor_20250124") => "str_replace_editor",
        ("text_editor", _) => "str_replace_based_edit_tool",
        _ => family,
    }
}

/// The tool that an execution of a kind belongs to: newer code execution runs as two tools, which a client
/// knows as one.
pub(super) fn umbrella(own: &str) -> (&str, bool) {
    match own {
        "bash_code_execution" | "text_editor_code_execution" => (EXECUTION, true),
        _ => (own, false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_the_clients_keys() {
        let tool = |id: &str, name: &str| Tool::Provider {
            namespace: "anthropic".into(),
            kind: id.into(),
            value: json!({"id": id, "name": name}),
        };
        let names = ToolNames::of(&[
            tool("anthropic.web_search_20250305", "s"),
            tool("anthropic.text_editor_20250124", "edit"),
            tool("anthropic.text_editor_20250728", "edit2"),
            tool("anthropic.bash_20250124", "bash"),
            tool("openai.web_search", "w"),
        ]);
        assert_eq!(names.to_client("web_search"), ("s", true));
        assert_eq!(names.to_provider("s"), "web_search");
        assert_eq!(names.to_client("str_replace_editor"), ("edit", true));
        assert_eq!(names.to_client("str_replace_based_edit_tool"), ("edit2", true));
        assert_eq!(names.to_client("bash"), ("bash", true));
        assert_eq!((names.to_client("f"), names.to_provider("w")), (("f", false), "w"));
    }
}
