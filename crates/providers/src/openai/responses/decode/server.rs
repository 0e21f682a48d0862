//! Items other than messages, reasoning and functions: calls of the protocol's own tools that the client
//! must run, and what the provider's tools did (providers §3).

use serde_json::Value;
use tollgate_domain::ReplyEvent;
use tollgate_domain::conversation::{File, FileData};
use tollgate_wire::json::Object;

use super::super::{NAMESPACE, text};

/// What the provider's own tools did, as far as it is billed apart.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// Searches.
    pub(super) searches: u64,
    /// Images.
    pub(super) images: u64,
}

impl Server {
    /// A complete item: an image becomes a file, everything else stays as it is.
    pub(super) fn item(&mut self, object: &Object<'_>, raw: &[u8], out: &mut Vec<ReplyEvent>) {
        let kind = text(object, "type").unwrap_or_default();
        if matches!(&*kind, "web_search_call" | "x_search_call") && is_search(object) {
            self.searches += 1;
        }
        if kind == "image_generation_call"
            && let Some(data) = text(object, "result")
        {
            self.images += 1;
            let format = text(object, "output_format").unwrap_or("png".into());
            out.push(ReplyEvent::File(File {
                media_type: format!("image/{format}"),
                data: FileData::Base64(data.into_owned()),
                filename: None,
                detail: None,
            }));
            return;
        }
        if let Ok(value) = serde_json::from_slice::<Value>(raw) {
            out.push(ReplyEvent::Custom { namespace: NAMESPACE, value });
        }
    }
}

/// Whether a search call searched: opening a page that was found is part of the search before it.
fn is_search(object: &Object<'_>) -> bool {
    let action = object.get("action").and_then(|raw| Object::parse_checked(raw).ok());
    action.as_ref().and_then(|action| text(action, "type")).is_none_or(|kind| kind == "search")
}

/// A call of one of the protocol's own tools that runs at the client: the tool's name, and its arguments in
/// the form that the AI SDK gives them. `None` for everything else.
pub(super) fn client_call(object: &Object<'_>) -> Option<(&'static str, String)> {
    let raw = |key: &str| String::from_utf8_lossy(object.get(key).unwrap_or(b"null")).into_owned();
    match &*text(object, "type")? {
        "local_shell_call" => Some(("local_shell", format!(r#"{{"action":{}}}"#, raw("action")))),
        "shell_call" if runs_here(object) => Some(("shell", format!(r#"{{"action":{}}}"#, raw("action")))),
        "apply_patch_call" => {
            let arguments = format!(r#"{{"callId":{},"operation":{}}}"#, raw("call_id"), raw("operation"));
            Some(("apply_patch", arguments))
        }
        "tool_search_call" if text(object, "execution").as_deref() == Some("client") => {
            let arguments = format!(r#"{{"arguments":{},"call_id":{}}}"#, raw("arguments"), raw("call_id"));
            Some(("tool_search", arguments))
        }
        _ => None,
    }
}

/// Whether a shell's commands are for the client's own machine, not for a container of the provider.
fn runs_here(object: &Object<'_>) -> bool {
    let environment = object.get("environment").and_then(|raw| Object::parse_checked(raw).ok());
    environment.is_some_and(|environment| text(&environment, "type").as_deref() == Some("local"))
}
