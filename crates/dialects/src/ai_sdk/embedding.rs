//! Embeddings (gateway-api §17.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tollgate_domain::task::{self, EmbeddingInput, Product, Task, Vector};
use tollgate_domain::{InputError, Receipt};
use tollgate_wire::json::{self, Kind};

use super::options::ProviderOptions;
use super::reply::task_metadata;
use super::{MODEL_HEADER, Version, members};
use crate::json_path::{Path, string, wrong};
use crate::metadata::write_integer;
use crate::surface::{Head, ReplyContext, TaskRequest};
use crate::{body, gateway_options};

/// A request for embeddings.
#[derive(Clone, Debug)]
pub struct EmbeddingRequest {
    /// The version of the answer.
    pub version: Version,
    head: Head,
    task: Task,
}

impl EmbeddingRequest {
    /// Reads a body: `values`, or `input` of clients 1.x and 2.x, which send one value as it stands.
    ///
    /// # Errors
    /// `Malformed` when the body is no JSON; `Invalid` with the JSON path when something is missing or of a
    /// wrong type.
    pub fn parse(version: Version, model: &str, body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'values'")?;
        let model = members::model(MODEL_HEADER, model)?;
        let root = Path::Body;
        let fields = members::fields(&root, checked.text())?;
        let (name, raw) = match (fields.get("values"), fields.get("input")) {
            (Some(raw), _) => ("values", raw),
            (None, Some(raw)) => ("input", raw),
            (None, None) => return Err(InputError::missing("values", "a non-empty array of strings")),
        };
        let path = root.member(name);
        let texts = match json::kind(raw) {
            Kind::String => vec![string(&path, raw)?.into_owned()],
            Kind::Array => members::texts(&path, raw)?,
            _ => return Err(wrong(&path, "an array of strings", raw)),
        };
        if texts.is_empty() {
            let message = format!("'{name}' is an empty array; expected at least one text.");
            return Err(InputError::invalid(name, message));
        }
        let options = ProviderOptions::read(&fields)?;
        let task = Task::Embedding(task::EmbeddingRequest {
            inputs: texts.into_iter().map(EmbeddingInput::Text).collect(),
            dimensions: members::unsigned(&root, &fields, "dimensions")?.filter(|n| *n > 0),
            user: options.safety_identifier(),
            provider_options: options.others()?,
        });
        let options = gateway_options::parse(fields.get("providerOptions"), None, None)?;
        Ok(Self { version, head: Head { model, options, ..Head::default() }, task })
    }
}

impl TaskRequest for EmbeddingRequest {
    fn surface(&self) -> &'static str {
        "ai_sdk"
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn task(&self) -> &Task {
        &self.task
    }

    fn encode(&self, _context: &ReplyContext, product: &Product, receipt: &Receipt) -> Vec<u8> {
        let vectors = match product {
            Product::Embedding(reply) => reply.vectors.as_slice(),
            Product::Image(_) | Product::Rerank(_) => &[],
        };
        let mut out = Vec::with_capacity(1024 + vectors.len() * 8192);
        out.extend_from_slice(b"{\"embeddings\":[");
        for (i, vector) in vectors.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            write_vector(&mut out, vector);
        }
        out.extend_from_slice(b"],\"usage\":{\"tokens\":");
        write_integer(&mut out, receipt.usage.input_total());
        out.push(b'}');
        if self.version > Version::V2 && !receipt.warnings.is_empty() {
            out.extend_from_slice(b",\"warnings\":");
            let warnings = super::reply::task_warnings(self.version, &[], &receipt.warnings);
            out.extend_from_slice(warnings.to_string().as_bytes());
        }
        out.extend_from_slice(b",\"providerMetadata\":");
        out.extend_from_slice(&task_metadata(receipt));
        out.push(b'}');
        out
    }
}

/// Numbers as the provider wrote them (I17); of bytes, each number's shortest text that reads back as the
/// same 32 bits.
fn write_vector(out: &mut Vec<u8>, vector: &Vector) {
    let bytes = match vector {
        Vector::Json(text) => return out.extend_from_slice(text.as_str().as_bytes()),
        Vector::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
    };
    out.push(b'[');
    for (i, number) in bytes.as_chunks::<4>().0.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        // Writing into memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, &f32::from_le_bytes(*number));
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn i17_numbers_read_back_as_the_same_bits(numbers in proptest::collection::vec(
            proptest::num::f32::NORMAL | proptest::num::f32::SUBNORMAL | proptest::num::f32::ZERO, 0..9)) {
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            let mut out = Vec::new();
            write_vector(&mut out, &Vector::Base64(STANDARD.encode(bytes)));
            let texts: Vec<serde_json::Number> = serde_json::from_slice(&out).unwrap();
            let read: Vec<u32> = texts.iter().map(|n| n.to_string().parse::<f32>().unwrap().to_bits()).collect();
            let sent: Vec<u32> = numbers.iter().map(|n| n.to_bits()).collect();
            prop_assert_eq!(read, sent);
        }
    }

    #[test]
    fn numbers_are_short() {
        let mut out = Vec::new();
        let bytes: Vec<u8> = [0.1f32, -2.5, 0.0].iter().flat_map(|n| n.to_le_bytes()).collect();
        write_vector(&mut out, &Vector::Base64(STANDARD.encode(bytes)));
        assert_eq!(out, b"[0.1,-2.5,0.0]");
    }
}
