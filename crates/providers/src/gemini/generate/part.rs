//! A part of a turn, and turns, as they are written.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A part with the signature that stands on it.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) body: Body,
    pub(super) signature: Option<String>,
}

/// What a part holds.
#[derive(Debug)]
pub(super) enum Body {
    Text(String),
    Thought(String),
    /// Bytes or an address; the members as they are written.
    File(Map<String, Value>),
    Call(Call),
    /// What a tool answered.
    Response(Map<String, Value>),
    /// A part that only this protocol knows, its signature included.
    Own(Value),
}

/// A call that the model made.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    pub(super) name: String,
    /// The arguments, byte for byte when they are an object (I18).
    pub(super) args: Option<Box<RawValue>>,
}

/// One turn: neighbouring messages of the same side.
#[derive(Debug)]
pub(super) struct Turn {
    /// The person's side, tools included; else the model's.
    pub(super) user: bool,
    pub(super) parts: Vec<Part>,
    /// The person has said something in it, so that a new turn of the conversation begins here.
    pub(super) speaks: bool,
}

impl Part {
    pub(super) fn new(body: Body) -> Self {
        Self { body, signature: None }
    }

    pub(super) fn is_call(&self) -> bool {
        matches!(self.body, Body::Call(_))
    }

    /// Whether a signature without an id may belong to it.
    pub(super) fn is_signable(&self) -> bool {
        self.signature.is_none() && matches!(self.body, Body::Text(_) | Body::File(_))
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.body {
            Body::Text(text) => map.serialize_entry("text", text)?,
            Body::Thought(text) => {
                map.serialize_entry("text", text)?;
                map.serialize_entry("thought", &true)?;
            }
            Body::File(members) => {
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
            }
            Body::Call(call) => map.serialize_entry("functionCall", call)?,
            Body::Response(response) => map.serialize_entry("functionResponse", response)?,
            Body::Own(value) => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    map.serialize_entry(key, value)?;
                }
            }
        }
        if let Some(signature) = &self.signature {
            map.serialize_entry("thoughtSignature", signature)?;
        }
        map.end()
    }
}

impl Serialize for Call {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("name", &self.name)?;
        if let Some(args) = &self.args {
            map.serialize_entry("args", args)?;
        }
        map.end()
    }
}

impl Serialize for Turn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("role", if self.user { "user" } else { "model" })?;
        map.serialize_entry("parts", &self.parts)?;
        map.end()
    }
}
