//! Rerank (gateway-api §17.6).

use bytes::Bytes;
use tollgate_domain::task::{self, Product, RerankDocument, RerankReply, Task};
use tollgate_domain::{InputError, Receipt};
use tollgate_wire::json::{self, Kind};

use super::options::ProviderOptions;
use super::reply::{task_metadata, task_warnings};
use super::{MODEL_HEADER, Version, members};
use crate::checked::elements;
use crate::json_path::{Path, array, excerpt, object, string, wrong};
use crate::metadata::{write_integer, write_plain};
use crate::surface::{Head, ReplyContext, TaskRequest};
use crate::{body, gateway_options};

/// A request for an order of documents.
#[derive(Clone, Debug)]
pub struct RerankRequest {
    /// The version of the answer.
    pub version: Version,
    head: Head,
    task: Task,
}

impl RerankRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// `Malformed` when the body is no JSON; `Invalid` with the JSON path when something is missing or of a
    /// wrong type.
    pub fn parse(version: Version, model: &str, body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'query' and 'documents'")?;
        let model = members::model(MODEL_HEADER, model)?;
        let root = Path::Body;
        let fields = members::fields(&root, checked.text())?;
        let expected = "an object with 'type' and a non-empty array 'values'";
        let documents = members::required(&root, &fields, "documents", expected)?;
        let options = ProviderOptions::read(&fields)?;
        let task = Task::Rerank(task::RerankRequest {
            query: members::required_text(&root, &fields, "query", "what is looked for")?,
            documents: read_documents(&root.member("documents"), documents)?,
            top_n: members::unsigned(&root, &fields, "topN")?.filter(|n| *n > 0),
            max_tokens_per_document: None,
            rank_fields: Vec::new(),
            provider_options: options.others()?,
        });
        let options = gateway_options::parse(fields.get("providerOptions"), None, None)?;
        Ok(Self { version, head: Head { model, options, ..Head::default() }, task })
    }
}

fn read_documents(path: &Path<'_>, raw: &[u8]) -> Result<Vec<RerankDocument>, InputError> {
    const KINDS: &str = "\"text\" or \"object\"";
    let fields = members::fields(path, raw)?;
    let kind = members::required_text(path, &fields, "type", KINDS)?;
    if !matches!(kind.as_str(), "text" | "object") {
        let message = format!("'{path}.type' is \"{}\"; expected {KINDS}.", excerpt(&kind));
        return Err(InputError::invalid(path.member("type").to_string(), message));
    }
    let values_path = path.member("values");
    let raw = members::required(path, &fields, "values", "a non-empty array of documents")?;
    array(&values_path, raw)?;
    let values = elements(raw);
    if values.is_empty() {
        let message = format!("'{values_path}' is an empty array; expected at least one document.");
        return Err(InputError::invalid(values_path.to_string(), message));
    }
    let each = values.into_iter().enumerate();
    each.map(|(i, raw)| {
        let path = values_path.element(i);
        match (kind.as_str(), json::kind(raw)) {
            ("text", Kind::String) => Ok(RerankDocument::Text(string(&path, raw)?.into_owned())),
            ("text", _) => Err(wrong(&path, "a string", raw)),
            _ => {
                object(&path, raw)?;
                members::value(&path, raw).map(RerankDocument::Object)
            }
        }
    })
    .collect()
}

impl TaskRequest for RerankRequest {
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
        let empty = RerankReply::default();
        let reply = match product {
            Product::Rerank(reply) => reply,
            Product::Embedding(_) | Product::Image(_) => &empty,
        };
        let mut out = b"{\"ranking\":[".to_vec();
        for (i, ranked) in reply.ranking.iter().enumerate() {
            out.extend_from_slice(if i > 0 { b",{\"index\":" } else { b"{\"index\":" });
            write_integer(&mut out, ranked.index);
            out.extend_from_slice(b",\"relevanceScore\":");
            write_plain(&mut out, &ranked.score);
            out.push(b'}');
        }
        out.extend_from_slice(b"],\"warnings\":");
        let warnings = task_warnings(self.version, &reply.warnings, &receipt.warnings);
        out.extend_from_slice(warnings.to_string().as_bytes());
        out.extend_from_slice(b",\"providerMetadata\":");
        out.extend_from_slice(&task_metadata(receipt));
        out.push(b'}');
        out
    }
}
