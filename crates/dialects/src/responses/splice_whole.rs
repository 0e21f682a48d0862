//! Passthrough of a whole answer whose provider speaks this protocol itself (I17).

use tollgate_domain::Receipt;
use tollgate_wire::json::{self, Kind, Object, write_string};

use super::reply::{METADATA_NAMES, provider_metadata};
use crate::ReplyContext;
use crate::SpliceError;

/// The gateway's values as JSON, made once.
#[derive(Debug)]
pub(super) struct Names {
    id: Vec<u8>,
    model: Vec<u8>,
    /// The answer before, as the client named it.
    previous: Option<Vec<u8>>,
}

impl Names {
    pub(super) fn of(context: &ReplyContext, previous: Option<&str>) -> Self {
        let text = |text: &str| {
            let mut out = Vec::with_capacity(text.len() + 2);
            write_string(&mut out, text);
            out
        };
        Self {
            id: text(&context.generation.to_string()),
            model: text(&context.model),
            previous: previous.map(text),
        }
    }

    /// Sets them in a `response` object.
    pub(super) fn put<'a>(&'a self, response: &mut Object<'a>) {
        response.set("id", &self.id[..]);
        // A compaction names no model.
        if response.has("model") {
            response.set("model", &self.model[..]);
        }
        // The provider has its own name for it.
        let named = response.get("previous_response_id").is_some_and(|raw| !json::is_null(raw));
        if let Some(previous) = self.previous.as_deref().filter(|_| named) {
            response.set("previous_response_id", previous);
        }
    }
}

/// Adds the metadata as the last members, also when the provider is a gateway of the same kind.
pub(super) fn put_metadata<'a>(response: &mut Object<'a>, metadata: &'a [u8]) {
    for name in METADATA_NAMES {
        response.remove(name);
        response.set(name, metadata);
    }
}

/// Replaces in a whole `response` what the gateway owns: `id` and `model`, and the answer before, which is
/// told by the client's name of it (`previous`); adds the metadata under both names (gateway-api §5).
/// Everything else is as the provider sent it, in its order.
///
/// # Errors
/// The provider's body is no response of this protocol.
pub fn splice_whole(
    context: &ReplyContext,
    previous: Option<&str>,
    upstream_body: &[u8],
    receipt: &Receipt,
) -> Result<Vec<u8>, SpliceError> {
    let mut body = Object::parse(upstream_body)?;
    if !body.get("output").is_some_and(|raw| json::kind(raw) == Kind::Array) {
        return Err(SpliceError::Missing("output"));
    }
    let metadata = provider_metadata(receipt, None);
    let names = Names::of(context, previous);
    names.put(&mut body);
    put_metadata(&mut body, &metadata);
    Ok(body.to_vec())
}
