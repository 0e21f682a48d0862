//! Writes the answer in Cohere's shape (gateway-api §11).

use tollgate_domain::Receipt;
use tollgate_domain::task::{Product, RerankDocument};
use tollgate_wire::json::write_string;

use super::request::Version;
use crate::metadata::{provider_metadata, write_integer, write_plain};
use crate::surface::ReplyContext;

/// Writes the whole answer; `documents` is empty unless they are to be sent back.
pub(super) fn write(
    version: Version,
    context: &ReplyContext,
    product: &Product,
    documents: &[RerankDocument],
    receipt: &Receipt,
) -> Vec<u8> {
    let ranking = match product {
        Product::Rerank(reply) => &reply.ranking[..],
        _ => &[],
    };
    let mut out = b"{\"id\":\"".to_vec();
    write_plain(&mut out, context.generation);
    out.extend_from_slice(b"\",\"results\":[");
    for (i, ranked) in ranking.iter().enumerate() {
        out.extend_from_slice(if i > 0 { b"," } else { b"" });
        out.extend_from_slice(b"{\"index\":");
        write_integer(&mut out, ranked.index);
        out.extend_from_slice(b",\"relevance_score\":");
        write_plain(&mut out, &ranked.score);
        match documents.get(ranked.index) {
            Some(RerankDocument::Text(text)) => {
                out.extend_from_slice(b",\"document\":{\"text\":");
                write_string(&mut out, text);
                out.push(b'}');
            }
            Some(RerankDocument::Object(object)) => {
                out.extend_from_slice(b",\"document\":");
                write_plain(&mut out, object);
            }
            None => {}
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"meta\":{\"api_version\":{\"version\":\"");
    write_plain(&mut out, version.as_str());
    out.extend_from_slice(b"\"},\"billed_units\":{\"search_units\":");
    write_integer(&mut out, receipt.usage.searches);
    // Providers that bill tokens have no search units; Cohere's shape has a place for those too.
    if receipt.usage.input_total() > 0 {
        out.extend_from_slice(b",\"input_tokens\":");
        write_integer(&mut out, receipt.usage.input_total());
    }
    out.extend_from_slice(b"}},\"provider_metadata\":");
    // A search unit is no web search: the metadata's count of those stays 0.
    let mut shown = receipt.clone();
    shown.usage.searches = 0;
    let native = receipt.native.as_ref().map(|(namespace, text)| (namespace.as_str(), text));
    out.extend_from_slice(&provider_metadata(&shown, native));
    out.push(b'}');
    out
}
