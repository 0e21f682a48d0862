//! Passthrough of a whole answer whose provider speaks this protocol itself (I17).

use tollgate_domain::Receipt;
use tollgate_wire::json::{self, Kind, Object};

use super::stream::provider_metadata;
use crate::{ReplyContext, SpliceError};

/// Replaces in a whole `message` what the gateway owns: `id`, `model` and `provider_metadata`. Every other
/// member stays byte for byte and in order.
///
/// # Errors
/// The provider's body is no message.
pub fn splice_whole(
    context: &ReplyContext,
    upstream_body: &[u8],
    receipt: &Receipt,
) -> Result<Vec<u8>, SpliceError> {
    let mut body = Object::parse(upstream_body)?;
    if body.get("content").is_none_or(|raw| json::kind(raw) != Kind::Array) {
        return Err(SpliceError::Missing("content"));
    }
    body.set_string("id", &context.generation.to_string());
    body.set_string("model", &context.model);
    body.set("provider_metadata", provider_metadata(receipt, None));
    Ok(body.to_vec())
}
