//! A request for a language model (gateway-api §17.4).

use bytes::Bytes;
use tollgate_domain::conversation::{ReasoningRequest, ResponseFormat};
use tollgate_domain::reply::Finish;
use tollgate_domain::{Conversation, InputError, Receipt, ReplyEvent};
use tollgate_wire::json::{self, Checked};

use super::stream::LanguageStream;
use super::tool_names::ToolNames;
use super::{LANGUAGE_MODEL_HEADER, Version, members, options, shape, whole};
use crate::checked::Fields;
use crate::json_path::{Path, array, wrong};
use crate::surface::{ConversationRequest, Dialect, Head, ReplyContext, StreamSplicer, StreamWriter};
use crate::{SpliceError, body, gateway_options};

/// A request that passed the structural checks.
#[derive(Clone, Debug)]
pub struct LanguageRequest {
    /// The version of the body, and of the answer.
    pub version: Version,
    /// What routing must know.
    pub head: Head,
    /// The body as it came, with what its check has found.
    pub checked: Checked<Bytes>,
    names: ToolNames,
}

impl LanguageRequest {
    /// Reads the head and checks the structure of the body. `model` and `stream` are said by headers only;
    /// members that are not known are accepted.
    ///
    /// # Errors
    /// `Malformed` with line, column and byte offset when the body is no JSON; `Invalid` with the JSON path
    /// (or the header's name) and what was found when something is missing or of a wrong type or value.
    pub fn parse(version: Version, model: &str, stream: bool, body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'prompt'")?;
        let model = members::model(LANGUAGE_MODEL_HEADER, model)?;
        let Some(fields) = Fields::of(checked.text()) else {
            return Err(wrong(&Path::Body, "an object", checked.text()));
        };
        let mut needs = shape::check(&fields)?;
        if let Some(raw) = fields.get("tools") {
            let path = Path::Body.member("tools");
            array(&path, raw)?;
            needs.tools = !crate::checked::elements(raw).is_empty();
        }
        let max_tokens = options::max_tokens(&fields)?;
        needs.json_schema =
            matches!(options::response_format(&fields)?, Some(ResponseFormat::JsonSchema { .. }));
        needs.reasoning = options::reasoning(&fields)?.as_ref().is_some_and(ReasoningRequest::wanted);
        needs.image_output = options::modalities(&fields).iter().any(|word| word == "image");
        let options = gateway_options::parse(fields.get("providerOptions"), None, None)?;
        let names = if needs.tools { options::tool_names(checked.text()) } else { ToolNames::default() };
        let head = Head { model, stream, max_tokens, options, needs, exclude_reasoning: false };
        drop(fields);
        Ok(Self { version, head, checked, names })
    }
}

impl ConversationRequest for LanguageRequest {
    fn dialect(&self) -> Dialect {
        Dialect::AiSdk
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn checked(&self) -> &Checked<Bytes> {
        &self.checked
    }

    fn conversation(&self) -> Result<Conversation, InputError> {
        options::conversation(self.checked.text())
    }

    fn stream_encoder(&self, context: ReplyContext) -> Box<dyn StreamWriter> {
        Box::new(LanguageStream::new(self.version, context, self.names.clone()))
    }

    fn encode_whole(
        &self,
        context: &ReplyContext,
        events: &[ReplyEvent],
        finish: &Finish,
        receipt: &Receipt,
    ) -> Vec<u8> {
        whole::encode(self.version, context, self.names.clone(), events, finish, receipt)
    }

    fn stream_splice(&self, _context: ReplyContext) -> Option<Box<dyn StreamSplicer>> {
        None
    }

    fn splice_whole(
        &self,
        _context: &ReplyContext,
        upstream_body: &[u8],
        _receipt: &Receipt,
    ) -> Result<Vec<u8>, SpliceError> {
        json::Object::parse(upstream_body)?;
        Err(SpliceError::NotSpoken)
    }
}
