//! Passthrough of a whole answer whose provider speaks this protocol itself (I17).

use tollgate_domain::Receipt;
use tollgate_wire::json::{self, JsonError, Object, write_string};

use super::reply::{ReplyContext, provider_metadata};
use super::splice_stream::adjust_reasoning;
use super::usage;

/// The provider's answer is no chat completion: a failure of the provider.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpliceError {
    /// It is no JSON object.
    #[error("the provider's answer is not a JSON object: {0}")]
    NotJson(#[from] JsonError),
    /// It has no choice with a message.
    #[error("the provider's answer has no 'choices[0].message'")]
    NoMessage,
}

/// Replaces in a whole `chat.completion` what the gateway owns: `id`, `model`, `usage` (the provider's own
/// further members follow ours), the first message's `provider_metadata` and `generationId`; adds the
/// reasoning members that some client would miss, or removes them all when reasoning is excluded. What the
/// provider sent keeps its order; added members stand where the service has them.
///
/// # Errors
/// The provider's body is no chat completion.
pub fn splice_whole(
    context: &ReplyContext,
    upstream_body: &[u8],
    receipt: &Receipt,
) -> Result<Vec<u8>, SpliceError> {
    let mut body = Object::parse(upstream_body)?;
    let choices = body.get_borrowed("choices").ok_or(SpliceError::NoMessage)?;
    let choices = json::elements(choices).map_err(|_| SpliceError::NoMessage)?;
    if choices.is_empty() {
        return Err(SpliceError::NoMessage);
    }
    let metadata = provider_metadata(receipt, None);
    let mut joined = vec![b'['];
    for (i, raw) in choices.into_iter().enumerate() {
        if i > 0 {
            joined.push(b',');
        }
        splice_choice(context, raw, (i == 0).then_some(&metadata[..]), &mut joined)?;
    }
    joined.push(b']');
    let mut id = Vec::with_capacity(34);
    write_string(&mut id, &context.generation.to_string());
    body.set("id", &id[..]);
    body.set_string("model", &context.model);
    body.set("choices", joined);
    if !body.has("system_fingerprint") {
        body.set_string("system_fingerprint", &context.fingerprint);
    }
    let upstream = body.get("usage").and_then(|raw| Object::parse_checked(raw).ok());
    let mut usage_json = Vec::with_capacity(512);
    usage::write(&mut usage_json, receipt, upstream.as_ref());
    let mut out = Vec::with_capacity(upstream_body.len() + metadata.len() + usage_json.len() + 128);
    write_with_ends(&body, &usage_json, &id, &mut out);
    Ok(out)
}

fn splice_choice(
    context: &ReplyContext,
    raw: &[u8],
    metadata: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), SpliceError> {
    let mut choice = Object::parse_checked(raw).map_err(|_| SpliceError::NoMessage)?;
    let message = choice.get_borrowed("message").ok_or(SpliceError::NoMessage)?;
    let mut message = Object::parse_checked(message).map_err(|_| SpliceError::NoMessage)?;
    adjust_reasoning(&mut message, context.exclude_reasoning);
    if let Some(metadata) = metadata {
        message.set("provider_metadata", metadata);
    }
    choice.set("message", message.to_vec());
    if !choice.has("logprobs") {
        choice.set("logprobs", &b"null"[..]);
    }
    choice.write_to(out);
    Ok(())
}

/// Writes an answer or last chunk with our `usage` (where it stood, else behind `choices`) and with
/// `generationId` as its last member.
pub(super) fn write_with_ends(object: &Object<'_>, usage: &[u8], id: &[u8], out: &mut Vec<u8>) {
    let in_place = object.has("usage");
    out.push(b'{');
    for (name, value) in object.members().filter(|(name, _)| name != "generationId") {
        let value = if name == "usage" { usage } else { value };
        write_string(out, &name);
        out.push(b':');
        out.extend_from_slice(value);
        out.push(b',');
        if name == "choices" && !in_place {
            out.extend_from_slice(b"\"usage\":");
            out.extend_from_slice(usage);
            out.push(b',');
        }
    }
    out.extend_from_slice(b"\"generationId\":");
    out.extend_from_slice(id);
    out.push(b'}');
}
