//! Messages as the protocol's system instruction and alternating turns (providers §5 "Request from chat").

use std::collections::HashMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tollgate_domain::conversation::{
    Content, Message, Part as Given, Role, ToolCall, ToolOutput, ToolResult,
};
use tollgate_domain::{Conversation, InputError, Warning};

use super::super::is_own;
use super::super::model::Model;
use super::call_id;
use super::files;
use super::part::{Body, Call, Part, Turn};
use super::signatures::{Signatures, mark_foreign};
use crate::codec::Target;

/// What stands for the person when a conversation begins with the model.
const OPENING: &str = "Continue.";
/// The name of a function whose call is nowhere in the history: the protocol insists on one.
const UNKNOWN_FUNCTION: &str = "unknown_function";

/// A prompt in the protocol's form.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    /// Texts of the system instruction.
    pub(super) system: Vec<String>,
    pub(super) turns: Vec<Turn>,
}

/// Builds the prompt.
///
/// # Errors
/// A file that the protocol cannot carry, with its path; a conversation without any content.
pub(super) fn build(
    conversation: &Conversation,
    target: &Target,
    warnings: &mut Vec<Warning>,
) -> Result<Prompt, InputError> {
    let model = Model::of(target);
    let mut writer = Writer { target, model, names: HashMap::new(), prompt: Prompt::default(), warnings };
    for (index, message) in conversation.messages.iter().enumerate() {
        writer.message(index, message)?;
    }
    let mut prompt = writer.prompt;
    if prompt.turns.is_empty() {
        // Instructions alone are a request elsewhere; here somebody has to speak.
        if prompt.system.is_empty() {
            return Err(InputError::missing("messages", "at least one message with content"));
        }
        let parts =
            std::mem::take(&mut prompt.system).into_iter().map(|t| Part::new(Body::Text(t))).collect();
        prompt.turns.push(Turn { user: true, parts, speaks: true });
    }
    if prompt.turns.first().is_some_and(|turn| !turn.user) {
        let parts = vec![Part::new(Body::Text(OPENING.to_owned()))];
        prompt.turns.insert(0, Turn { user: true, parts, speaks: true });
    }
    for turn in prompt.turns.iter_mut().filter(|turn| turn.user) {
        turn.parts.sort_by_key(|part| !matches!(part.body, Body::Response(_)));
    }
    if model.since(3, 0) {
        let current = prompt.turns.iter().rposition(|turn| turn.user && turn.speaks).unwrap_or(0);
        for turn in prompt.turns[current..].iter_mut().filter(|turn| !turn.user) {
            mark_foreign(&mut turn.parts);
        }
    }
    if model.is_gemma() {
        instruct_in_turn(&mut prompt);
    }
    Ok(prompt)
}

/// Gemma takes no system instruction: it stands before what the person says first.
fn instruct_in_turn(prompt: &mut Prompt) {
    let system = std::mem::take(&mut prompt.system).join("\n\n");
    let Some(turn) = prompt.turns.first_mut().filter(|_| !system.is_empty()) else { return };
    match turn.parts.first_mut().map(|part| &mut part.body) {
        Some(Body::Text(text)) => *text = format!("{system}\n\n{text}"),
        _ => turn.parts.insert(0, Part::new(Body::Text(system))),
    }
}

struct Writer<'a> {
    target: &'a Target,
    model: Model,
    /// Names of the functions called, by the client's id of the call.
    names: HashMap<String, String>,
    prompt: Prompt,
    warnings: &'a mut Vec<Warning>,
}

impl Writer<'_> {
    fn message(&mut self, index: usize, message: &Message) -> Result<(), InputError> {
        let path = format!("messages[{index}]");
        match message.role {
            Role::System | Role::Developer if self.prompt.turns.is_empty() => {
                self.instruct(message);
                Ok(())
            }
            Role::Assistant => {
                let parts = self.spoken_by_model(message, &path)?;
                self.add(false, false, parts);
                Ok(())
            }
            _ => {
                let speaks = message.parts.iter().any(|p| !matches!(p.content, Content::ToolResult(_)));
                let parts = self.spoken_by_user(message, &path)?;
                self.add(true, speaks, parts);
                Ok(())
            }
        }
    }

    fn instruct(&mut self, message: &Message) {
        for part in &message.parts {
            match &part.content {
                Content::Text(text) if !text.is_empty() => self.prompt.system.push(text.clone()),
                Content::File(_) => self.warnings.push(Warning::unsupported(
                    "file in a system message",
                    "Gemini's instructions are text only; the file was left out.",
                )),
                _ => {}
            }
        }
    }

    fn add(&mut self, user: bool, speaks: bool, parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        match self.prompt.turns.last_mut() {
            Some(turn) if turn.user == user => {
                turn.parts.extend(parts);
                turn.speaks |= speaks;
            }
            _ => self.prompt.turns.push(Turn { user, parts, speaks }),
        }
    }

    fn spoken_by_model(&mut self, message: &Message, path: &str) -> Result<Vec<Part>, InputError> {
        let mut signatures = Signatures::of(message);
        let mut parts = Vec::with_capacity(message.parts.len());
        for (at, given) in message.parts.iter().enumerate() {
            let body = match &given.content {
                Content::Reasoning(reasoning) => {
                    signatures.reasoning(reasoning, &mut parts);
                    continue;
                }
                Content::Text(text) | Content::Refusal(text) => {
                    let signed = own_signature(given).is_some();
                    (signed || !text.is_empty()).then(|| Body::Text(text.clone()))
                }
                Content::File(_) => Some(self.file(given, &format!("{path}.content[{at}]"))?),
                Content::ToolCall(call) => Some(self.call(call)),
                Content::Custom { namespace, value } => own_part(namespace, value),
                Content::ToolResult(_) => None,
            };
            let Some(body) = body else { continue };
            let signature = own_signature(given).or_else(|| match &given.content {
                Content::ToolCall(call) => signatures.call(&call.id),
                _ => None,
            });
            parts.push(Part { body, signature });
        }
        signatures.settle(&mut parts);
        Ok(parts)
    }

    fn spoken_by_user(&mut self, message: &Message, path: &str) -> Result<Vec<Part>, InputError> {
        let mut parts = Vec::with_capacity(message.parts.len());
        for (at, given) in message.parts.iter().enumerate() {
            let path = || format!("{path}.content[{at}]");
            match &given.content {
                Content::Text(text) | Content::Refusal(text) if !text.is_empty() => {
                    parts.push(Part::new(Body::Text(text.clone())));
                }
                Content::File(_) => parts.push(Part::new(self.file(given, &path())?)),
                Content::ToolResult(result) => self.result(result, &path(), &mut parts)?,
                Content::Custom { namespace, value } => {
                    parts.extend(own_part(namespace, value).map(Part::new));
                }
                _ => {}
            }
        }
        Ok(parts)
    }

    /// A file, with what the part's own data says of it (`videoMetadata`, `mediaResolution`).
    fn file(&self, given: &Given, path: &str) -> Result<Body, InputError> {
        let Content::File(file) = &given.content else { return Ok(Body::Text(String::new())) };
        let mut body = files::body(file, path, self.target)?;
        if let Body::File(members) = &mut body {
            for key in ["videoMetadata", "mediaResolution"] {
                let own = own_data(given).find_map(|data| data.get(key)).filter(|value| !value.is_null());
                members.extend(own.map(|value| (key.to_owned(), value.clone())));
            }
        }
        Ok(body)
    }

    fn call(&mut self, call: &ToolCall) -> Body {
        self.names.insert(call.id.clone(), call.name.clone());
        Body::Call(Call { id: self.known_id(&call.id), name: call.name.clone(), args: args(&call.arguments) })
    }

    /// The id that the provider may be told: none that was made here, and none to older models on Vertex,
    /// which do not know ids.
    fn known_id(&self, id: &str) -> Option<String> {
        let takes = self.target.provider != "vertex" || self.model.since(3, 0);
        (takes && !id.is_empty() && !call_id::is_minted(id)).then(|| id.to_owned())
    }

    fn result(&self, result: &ToolResult, path: &str, parts: &mut Vec<Part>) -> Result<(), InputError> {
        let name = self.names.get(&result.call_id).or(result.name.as_ref());
        let mut response = Map::new();
        if let Some(id) = self.known_id(&result.call_id) {
            response.insert("id".to_owned(), id.into());
        }
        response.insert("name".to_owned(), name.map_or(UNKNOWN_FUNCTION, String::as_str).into());
        let (value, shown) = self.output(result, path)?;
        response.insert("response".to_owned(), value);
        // Newer models take files inside the answer; for others they follow it.
        if self.model.since(3, 0) {
            if !shown.is_empty() {
                let shown: Vec<Value> = shown.into_iter().map(Value::Object).collect();
                response.insert("parts".to_owned(), shown.into());
            }
            parts.push(Part::new(Body::Response(response)));
        } else {
            parts.push(Part::new(Body::Response(response)));
            parts.extend(shown.into_iter().map(|members| Part::new(Body::File(members))));
        }
        Ok(())
    }

    /// What a tool answered as the object that the protocol wants, and the files in it.
    fn output(
        &self,
        result: &ToolResult,
        path: &str,
    ) -> Result<(Value, Vec<Map<String, Value>>), InputError> {
        let key = if result.is_error { "error" } else { "result" };
        let mut shown = Vec::new();
        let value = match &result.output {
            ToolOutput::Json(object @ Value::Object(_)) if !result.is_error => object.clone(),
            ToolOutput::Json(value) => json!({key: value}),
            ToolOutput::Text(text) => json!({key: text}),
            ToolOutput::Parts(given) => {
                let mut texts: Vec<&str> = Vec::new();
                for (at, part) in given.iter().enumerate() {
                    match &part.content {
                        Content::Text(text) | Content::Refusal(text) => texts.push(text),
                        Content::File(_) => match self.file(part, &format!("{path}.output[{at}]"))? {
                            Body::File(members) => shown.push(members),
                            _ => {
                                if let Content::File(file) = &part.content
                                    && let tollgate_domain::conversation::FileData::Text(text) = &file.data
                                {
                                    texts.push(text);
                                }
                            }
                        },
                        _ => {}
                    }
                }
                match texts.as_slice() {
                    [] if shown.is_empty() => json!({key: ""}),
                    [] => json!({}),
                    [one] => json!({key: one}),
                    several => json!({key: several.join("\n")}),
                }
            }
        };
        Ok((value, shown))
    }
}

/// A part's data of this protocol.
fn own_data(part: &Given) -> impl Iterator<Item = &Value> {
    part.provider.iter().filter(|(namespace, _)| is_own(namespace)).map(|(_, value)| value)
}

/// The signature that a client of the AI SDK keeps on the part itself.
fn own_signature(part: &Given) -> Option<String> {
    let text = own_data(part)
        .find_map(|data| data.get("thoughtSignature").or_else(|| data.get("thought_signature"))?.as_str())?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// A part that only this protocol knows.
fn own_part(namespace: &str, value: &Value) -> Option<Body> {
    (is_own(namespace) && value.as_object().is_some_and(|o| !o.is_empty())).then(|| Body::Own(value.clone()))
}

/// A call's arguments as the object that the protocol wants, byte for byte when they are one. Absent
/// arguments are `{}`; what is no object is kept inside one.
fn args(arguments: &str) -> Option<Box<RawValue>> {
    let text = arguments.trim();
    let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
    if text.is_empty() || text == "null" {
        return raw("{}");
    }
    if text.starts_with('{')
        && let Some(object) = raw(text)
    {
        return Some(object);
    }
    let other = serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::from(arguments));
    raw(&json!({"arguments": other}).to_string())
}
