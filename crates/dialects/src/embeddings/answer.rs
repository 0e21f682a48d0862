//! Writes the answer: OpenAI's list, without an id, with the gateway's metadata (gateway-api §9).

use tollgate_domain::Receipt;
use tollgate_domain::task::Product;
use tollgate_wire::json::write_string;

use super::request::Encoding;
use super::vector::{write_base64, write_floats};
use crate::metadata::{provider_metadata, write_integer};
use crate::surface::ReplyContext;

/// Writes the whole answer.
pub(super) fn write(
    encoding: Encoding,
    context: &ReplyContext,
    product: &Product,
    receipt: &Receipt,
) -> Vec<u8> {
    let vectors = match product {
        Product::Embedding(reply) => &reply.vectors[..],
        _ => &[],
    };
    let mut out = Vec::with_capacity(4096 + vectors.len() * 4096);
    out.extend_from_slice(b"{\"object\":\"list\",\"data\":[");
    for (i, vector) in vectors.iter().enumerate() {
        out.extend_from_slice(if i > 0 { b"," } else { b"" });
        out.extend_from_slice(b"{\"object\":\"embedding\",\"index\":");
        write_integer(&mut out, i);
        out.extend_from_slice(b",\"embedding\":");
        match encoding {
            Encoding::Float => write_floats(&mut out, vector),
            Encoding::Base64 => write_base64(&mut out, vector),
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"model\":");
    write_string(&mut out, &context.model);
    let usage = &receipt.usage;
    out.extend_from_slice(b",\"usage\":{\"prompt_tokens\":");
    write_integer(&mut out, usage.input_total());
    out.extend_from_slice(b",\"total_tokens\":");
    write_integer(&mut out, usage.input_total().saturating_add(usage.output_total()));
    out.extend_from_slice(b"},\"providerMetadata\":");
    let native = receipt.native.as_ref().map(|(namespace, text)| (namespace.as_str(), text));
    out.extend_from_slice(&provider_metadata(receipt, native));
    out.push(b'}');
    out
}
