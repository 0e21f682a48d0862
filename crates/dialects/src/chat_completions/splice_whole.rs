//! Passthrough of a whole answer whose provider speaks this protocol itself (I17).

use tollgate_domain::Receipt;
use tollgate_wire::json::{self, Object, write_string};

use super::reply::provider_metadata;
use super::splice_stream::{Names, adjust_reasoning};
use super::usage;
use crate::ReplyContext;
use crate::SpliceError;

const NO_MESSAGE: &str = "choices[0].message";

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
    let choices = body.get_borrowed("choices").ok_or(SpliceError::Missing(NO_MESSAGE))?;
    let choices = json::elements(choices).map_err(|_| SpliceError::Missing(NO_MESSAGE))?;
    if choices.is_empty() {
        return Err(SpliceError::Missing(NO_MESSAGE));
    }
    let metadata = provider_metadata(receipt, None);
    let mut spliced = Vec::with_capacity(choices.len());
    for (i, raw) in choices.into_iter().enumerate() {
        spliced.push(Choice::splice(context, raw, (i == 0).then_some(&metadata[..]))?);
    }
    let names = Names::of(context);
    names.put(&mut body);
    // Of repeated members one is left, for ours.
    body.set("choices", &b"[]"[..]);
    let upstream = body.get_borrowed("usage").and_then(|raw| Object::parse_checked(raw).ok());
    let mut out = Vec::with_capacity(upstream_body.len() + metadata.len() + 1024);
    let ends = Ends { usage: &|out| usage::write(out, receipt, upstream.as_ref()), id: &names.id };
    write_with_ends(&body, &|out| write_choices(out, &spliced), &ends, &mut out);
    Ok(out)
}

/// One choice as the client gets it.
struct Choice<'a> {
    choice: Object<'a>,
    message: Object<'a>,
}

impl<'a> Choice<'a> {
    fn splice(
        context: &ReplyContext,
        raw: &'a [u8],
        metadata: Option<&'a [u8]>,
    ) -> Result<Self, SpliceError> {
        let mut choice = Object::parse_checked(raw).map_err(|_| SpliceError::Missing(NO_MESSAGE))?;
        let message = choice.get_borrowed("message").ok_or(SpliceError::Missing(NO_MESSAGE))?;
        let mut message = Object::parse_checked(message).map_err(|_| SpliceError::Missing(NO_MESSAGE))?;
        adjust_reasoning(&mut message, context.exclude_reasoning);
        if let Some(metadata) = metadata {
            message.set("provider_metadata", metadata);
        }
        if !choice.has("logprobs") {
            choice.set("logprobs", &b"null"[..]);
        }
        Ok(Self { choice, message })
    }
}

fn write_choices(out: &mut Vec<u8>, choices: &[Choice<'_>]) {
    for (i, Choice { choice, message }) in choices.iter().enumerate() {
        out.push(if i == 0 { b'[' } else { b',' });
        choice.write_with(out, "message", |out| message.write_to(out));
    }
    out.push(b']');
}

/// The members that an answer ends with.
pub(super) struct Ends<'e> {
    /// Writes our `usage`.
    pub usage: &'e dyn Fn(&mut Vec<u8>),
    /// Our id, as JSON.
    pub id: &'e [u8],
}

/// Writes an answer or last chunk with its choices, our `usage` (where it stood, else behind `choices`) and
/// `generationId` as its last member.
pub(super) fn write_with_ends(
    object: &Object<'_>,
    choices: &dyn Fn(&mut Vec<u8>),
    ends: &Ends<'_>,
    out: &mut Vec<u8>,
) {
    let in_place = object.has("usage");
    out.push(b'{');
    for (name, value) in object.members().filter(|(name, _)| name != "generationId") {
        write_string(out, &name);
        out.push(b':');
        match &*name {
            "usage" => (ends.usage)(out),
            "choices" => choices(out),
            _ => out.extend_from_slice(value),
        }
        out.push(b',');
        if name == "choices" && !in_place {
            out.extend_from_slice(b"\"usage\":");
            (ends.usage)(out);
            out.push(b',');
        }
    }
    out.extend_from_slice(b"\"generationId\":");
    out.extend_from_slice(ends.id);
    out.push(b'}');
}
