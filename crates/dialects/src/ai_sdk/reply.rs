//! What the ends of a stream and a whole answer have in common, and the parts that are written whole.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{File, FileData};
use tollgate_domain::reply::{Finish, FinishReason};
use tollgate_domain::warning::WarningKind;
use tollgate_domain::{Receipt, Usage, Warning};
use tollgate_wire::json::write_string;

use super::{Version, timestamp};
use crate::ReplyContext;
use crate::metadata::{self, write_integer};

/// Appends a member: `lead` is all from the comma to the colon.
pub(super) fn text_member(out: &mut Vec<u8>, lead: &[u8], text: &str) {
    out.extend_from_slice(lead);
    write_string(out, text);
}

fn count(out: &mut Vec<u8>, lead: &[u8], value: u64) {
    out.extend_from_slice(lead);
    write_integer(out, value);
}

/// Appends `"usage":…,"finishReason":…,"providerMetadata":…`.
pub(super) fn write_ending(out: &mut Vec<u8>, version: Version, receipt: &Receipt, finish: &Finish) {
    out.extend_from_slice(b"\"usage\":");
    write_usage(out, version, &receipt.usage);
    out.extend_from_slice(b",\"finishReason\":");
    write_finish(out, version, finish);
    out.extend_from_slice(b",\"providerMetadata\":");
    out.extend_from_slice(&provider_metadata(receipt, Some(finish)));
}

/// The whole `providerMetadata`. The provider's own part is the receipt's, else what its answer ended with,
/// under the slug of the provider that served.
fn provider_metadata(receipt: &Receipt, finish: Option<&Finish>) -> Vec<u8> {
    let own = receipt.native.as_ref().map(|(namespace, value)| (namespace.as_str(), value));
    let ended = || {
        let value = finish?.native.as_ref()?;
        Some((receipt.routing.final_provider.as_str(), value))
    };
    // A client takes every namespace for an object.
    let native = own.or_else(ended).filter(|(_, text)| text.as_str().trim_start().starts_with('{'));
    metadata::provider_metadata(receipt, native)
}

/// The same for answers that are no conversation.
pub(super) fn task_metadata(receipt: &Receipt) -> Vec<u8> {
    provider_metadata(receipt, None)
}

/// Totals include cache and reasoning in every version.
fn write_usage(out: &mut Vec<u8>, version: Version, usage: &Usage) {
    let (input, output) = (usage.input_total(), usage.output_total());
    let (read, write) = (usage.input_cache_read, usage.cache_write());
    if version == Version::V2 {
        count(out, b"{\"inputTokens\":", input);
        count(out, b",\"outputTokens\":", output);
        count(out, b",\"totalTokens\":", input.saturating_add(output));
        count(out, b",\"reasoningTokens\":", usage.output_reasoning);
        count(out, b",\"cachedInputTokens\":", read);
        out.push(b'}');
        return;
    }
    count(out, b"{\"inputTokens\":{\"total\":", input);
    count(out, b",\"noCache\":", input.saturating_sub(read).saturating_sub(write));
    count(out, b",\"cacheRead\":", read);
    count(out, b",\"cacheWrite\":", write);
    count(out, b"},\"outputTokens\":{\"total\":", output);
    count(out, b",\"text\":", output.saturating_sub(usage.output_reasoning));
    count(out, b",\"reasoning\":", usage.output_reasoning);
    out.extend_from_slice(b"}}");
}

fn write_finish(out: &mut Vec<u8>, version: Version, finish: &Finish) {
    let word = match finish.reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool-calls",
        FinishReason::ContentFilter => "content-filter",
        FinishReason::Error => "error",
        FinishReason::Other => "other",
    };
    if version == Version::V2 {
        return write_string(out, word);
    }
    text_member(out, b"{\"unified\":", word);
    if let Some(raw) = &finish.raw {
        text_member(out, b",\"raw\":", raw);
    }
    out.push(b'}');
}

/// Appends `"id":…,"timestamp":…,"modelId":…`.
pub(super) fn write_response(out: &mut Vec<u8>, context: &ReplyContext) {
    text_member(out, b"\"id\":", &context.generation.to_string());
    out.extend_from_slice(b",\"timestamp\":\"");
    timestamp::write(out, context.created_seconds);
    text_member(out, b"\",\"modelId\":", &context.model);
}

/// Warnings of a language model's call.
pub(super) fn warnings(version: Version, warnings: &[Warning]) -> Value {
    warnings
        .iter()
        .map(|warning| if version == Version::V2 { older(warning) } else { newer(warning) })
        .collect()
}

/// Warnings of other models, of the provider's answer and of the request, each once. Before v3 a client
/// knows one kind there, and refuses an answer with any other.
pub(super) fn task_warnings(version: Version, answer: &[Warning], request: &[Warning]) -> Value {
    let each = answer.iter().chain(request.iter().filter(|w| !answer.contains(w)));
    each.map(|warning| if version == Version::V2 { other(warning) } else { newer(warning) }).collect()
}

fn newer(warning: &Warning) -> Value {
    if warning.kind == WarningKind::Other {
        return other(warning);
    }
    let mut value = json!({"type": warning.kind.as_str(), "feature": warning.feature});
    if let Some(details) = &warning.details {
        value["details"] = details.as_str().into();
    }
    value
}

fn older(warning: &Warning) -> Value {
    if warning.kind != WarningKind::Unsupported {
        return other(warning);
    }
    let mut value = match warning.feature.strip_prefix("tool ") {
        Some(name) => {
            let tool = json!({"type": "function", "name": name, "inputSchema": {}});
            json!({"type": "unsupported-tool", "tool": tool})
        }
        None => json!({"type": "unsupported-setting", "setting": warning.feature}),
    };
    if let Some(details) = &warning.details {
        value["details"] = details.as_str().into();
    }
    value
}

fn other(warning: &Warning) -> Value {
    let message = match &warning.details {
        Some(details) => format!("{}: {details}", warning.feature),
        None => warning.feature.clone(),
    };
    json!({"type": "other", "message": message})
}

/// A generated file; `None` when only the provider can read it.
pub(super) fn file_part(version: Version, file: &File) -> Option<Map<String, Value>> {
    let data = match &file.data {
        FileData::Base64(data) => data.clone(),
        FileData::Text(text) => STANDARD.encode(text),
        FileData::Url(url) if version == Version::V4 => {
            return object(json!({
                "type": "file", "mediaType": file.media_type, "data": {"type": "url", "url": url},
            }));
        }
        FileData::Url(_) | FileData::Reference(_) => return None,
    };
    let data = if version == Version::V4 { json!({"type": "data", "data": data}) } else { json!(data) };
    object(json!({"type": "file", "mediaType": file.media_type, "data": data}))
}

/// A source: of OpenAI's annotation, nested or flat, an address; of a document that Anthropic cites, the
/// document. Other forms have none here.
pub(super) fn source_part(id: &str, value: &Value) -> Option<Map<String, Value>> {
    let cited = value.get("url_citation").unwrap_or(value);
    let text = |key: &str| cited.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    if let Some(url) = text("url") {
        let mut part = json!({"type": "source", "sourceType": "url", "id": id, "url": url});
        if let Some(title) = text("title") {
            part["title"] = title.into();
        }
        return object(part);
    }
    let title = text("document_title").or_else(|| text("title")).or_else(|| text("filename"));
    let media = match text("type") {
        Some("page_location") => "application/pdf",
        Some("char_location" | "content_block_location" | "search_result_location") => "text/plain",
        Some("file_citation" | "container_file_citation") => "application/octet-stream",
        _ => return None,
    };
    let mut part = json!({
        "type": "source", "sourceType": "document", "id": id, "mediaType": media,
        "title": title.unwrap_or("document"),
    });
    if let Some(name) = text("filename") {
        part["filename"] = name.into();
    }
    object(part)
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_the_versions_own() {
        let list = [
            Warning::unsupported("tool web_search", "no such tool"),
            Warning::unsupported("topK", "left out"),
            Warning {
                kind: WarningKind::Compatibility,
                feature: "seed".into(),
                details: Some("rounded".into()),
            },
            Warning { kind: WarningKind::Other, feature: "be careful".into(), details: None },
        ];
        assert_eq!(
            warnings(Version::V4, &list),
            json!([
                {"type": "unsupported", "feature": "tool web_search", "details": "no such tool"},
                {"type": "unsupported", "feature": "topK", "details": "left out"},
                {"type": "compatibility", "feature": "seed", "details": "rounded"},
                {"type": "other", "message": "be careful"}
            ])
        );
        assert_eq!(warnings(Version::V3, &list), warnings(Version::V4, &list));
        let older = warnings(Version::V2, &list);
        assert_eq!(older[0]["type"], "unsupported-tool");
        assert_eq!(older[0]["tool"]["name"], "web_search");
        assert_eq!(
            older[1],
            json!({"type": "unsupported-setting", "setting": "topK", "details": "left out"})
        );
        assert_eq!(older[2], json!({"type": "other", "message": "seed: rounded"}));
        let kinds: Vec<_> = task_warnings(Version::V2, &list[..2], &list)
            .as_array()
            .unwrap()
            .iter()
            .map(|w| w["type"].clone())
            .collect();
        assert_eq!(kinds, ["other"; 4]);
    }

    #[test]
    fn sources_are_addresses_or_documents() {
        let part = |value: Value| source_part("s", &value).map(Value::Object);
        let nested = json!({"type": "url_citation", "url_citation": {"url": "https://x.test", "title": "X", "start_index": 0}});
        let expected =
            json!({"type": "source", "sourceType": "url", "id": "s", "url": "https://x.test", "title": "X"});
        assert_eq!(part(nested), Some(expected.clone()));
        assert_eq!(
            part(json!({"type": "url_citation", "url": "https://x.test", "title": "X"})),
            Some(expected)
        );
        assert_eq!(
            part(json!({"type": "page_location", "document_title": "D", "cited_text": "c"})),
            Some(
                json!({"type": "source", "sourceType": "document", "id": "s", "mediaType": "application/pdf", "title": "D"})
            )
        );
        assert_eq!(part(json!({"type": "odd"})), None);
    }
}
