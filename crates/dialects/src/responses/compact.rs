//! `POST /v1/responses/compact`: a history to be compacted by the provider, whose body is passed through
//! (gateway-api §7.2).

use bytes::Bytes;
use tollgate_domain::InputError;
use tollgate_wire::json::{self, Checked};

use super::request::read_model;
use super::shape;
use crate::json_path::{Path, string};
use crate::surface::Head;
use crate::{body, gateway_options};

/// A request that passed the structural checks.
#[derive(Clone, Debug)]
pub struct CompactRequest {
    /// What routing must know; `stream` is false.
    pub head: Head,
    /// The answer before, as the client knows it: then only the provider that holds it can serve.
    pub previous_response_id: Option<String>,
    /// The body as it came.
    pub checked: Checked<Bytes>,
}

impl CompactRequest {
    /// Reads the head and checks what every such body has. Members that are not known are accepted.
    ///
    /// # Errors
    /// `Malformed` when the body is no JSON; `Invalid` with the JSON path when a member is missing or has a
    /// wrong type or value.
    pub fn parse(body: &Bytes) -> Result<Self, InputError> {
        let checked = body::check(body, "'model' and 'input'")?;
        let object = checked.object();
        let get = |key: &str| object.get(key).filter(|v| !json::is_null(v));
        let model = read_model(get("model"))?;
        let previous_response_id = match get("previous_response_id") {
            Some(raw) => Some(string(&Path::Body.member("previous_response_id"), raw)?.into_owned()),
            None => None,
        };
        let found = match get("input") {
            Some(raw) => shape::check_input(raw, &checked)?,
            None if previous_response_id.is_some() => shape::Found::default(),
            None => return Err(InputError::missing("input", "a string or an array of items")),
        };
        let options = gateway_options::parse(get("providerOptions"), get("user"), get("safety_identifier"))?;
        drop(object);
        let head = Head { model, options, needs: found.needs, ..Head::default() };
        Ok(Self { head, previous_response_id, checked })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<CompactRequest, InputError> {
        CompactRequest::parse(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn the_head_is_read_and_the_body_kept() {
        let body = r#"{"model":"openai/gpt-5","input":[{"role":"user","content":"hi"}],"new":1,"user":"u"}"#;
        let request = parse(body).unwrap();
        assert_eq!((request.head.model.as_str(), request.head.stream), ("openai/gpt-5", false));
        assert_eq!(
            (request.head.options.user.as_deref(), request.checked.text()),
            (Some("u"), body.as_bytes())
        );
        assert!(parse(r#"{"model":"m","previous_response_id":"resp_1"}"#).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, param) in [
            (r#"{"input":"x"}"#, Some("model")),
            (r#"{"model":"m"}"#, Some("input")),
            (r#"{"model":"m","input":[7]}"#, Some("input[0]")),
            ("[]", None),
        ] {
            assert_eq!(parse(body).unwrap_err().param.as_deref(), param, "{body}");
        }
    }
}
