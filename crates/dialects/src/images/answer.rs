//! Writes the answer: images as base64, with the gateway's metadata (gateway-api §10).

use tollgate_domain::conversation::FileData;
use tollgate_domain::task::{GeneratedImage, Product};
use tollgate_domain::{Receipt, Usage};
use tollgate_wire::json::write_string;

use crate::metadata::{provider_metadata, write_integer};
use crate::surface::ReplyContext;

/// Writes the whole answer.
pub(super) fn write(context: &ReplyContext, product: &Product, receipt: &Receipt) -> Vec<u8> {
    let (images, created) = match product {
        Product::Image(reply) => (&reply.images[..], reply.created),
        _ => (&[][..], None),
    };
    let mut out = Vec::with_capacity(4096 + images.iter().map(size).sum::<usize>());
    out.extend_from_slice(b"{\"created\":");
    write_integer(&mut out, created.unwrap_or(context.created_seconds));
    out.extend_from_slice(b",\"data\":[");
    let mut first = true;
    for image in images {
        let (member, text): (&[u8], _) = match &image.data {
            FileData::Base64(text) => (b"{\"b64_json\":", text),
            // Addresses are fetched before (gateway-api §10); one that is still here beats nothing.
            FileData::Url(text) => (b"{\"url\":", text),
            FileData::Reference(_) | FileData::Text(_) => continue,
        };
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(member);
        write_string(&mut out, text);
        if let Some(prompt) = &image.revised_prompt {
            out.extend_from_slice(b",\"revised_prompt\":");
            write_string(&mut out, prompt);
        }
        out.push(b'}');
    }
    out.push(b']');
    write_usage(&mut out, &receipt.usage);
    out.extend_from_slice(b",\"provider_metadata\":");
    let native = receipt.native.as_ref().map(|(namespace, text)| (namespace.as_str(), text));
    out.extend_from_slice(&provider_metadata(receipt, native));
    out.push(b'}');
    out
}

fn size(image: &GeneratedImage) -> usize {
    match &image.data {
        FileData::Base64(text) | FileData::Url(text) => text.len() + 64,
        FileData::Reference(_) | FileData::Text(_) => 0,
    }
}

/// Tokens, where the model counts any: many are billed by the image.
fn write_usage(out: &mut Vec<u8>, usage: &Usage) {
    let (input, output) = (usage.input_total(), usage.output_total());
    if input == 0 && output == 0 {
        return;
    }
    out.extend_from_slice(b",\"usage\":{\"input_tokens\":");
    write_integer(out, input);
    out.extend_from_slice(b",\"output_tokens\":");
    write_integer(out, output);
    out.extend_from_slice(b",\"total_tokens\":");
    write_integer(out, input.saturating_add(output));
    out.extend_from_slice(b",\"input_tokens_details\":{\"text_tokens\":");
    write_integer(out, input - usage.input_image);
    out.extend_from_slice(b",\"image_tokens\":");
    write_integer(out, usage.input_image);
    out.extend_from_slice(b"},\"output_tokens_details\":{\"text_tokens\":");
    write_integer(out, output - usage.output_image);
    out.extend_from_slice(b",\"image_tokens\":");
    write_integer(out, usage.output_image);
    out.extend_from_slice(b"}}");
}
