//! Messages of the neutral conversation as the items of `input` (providers §3).

use serde_json::{Map, Value, json};
use tollgate_domain::InputError;
use tollgate_domain::conversation::{
    Content, Conversation, Message, Part, Reasoning, ReasoningKind, Role, Tool, ToolCall, ToolOutput,
    ToolResult,
};

use super::super::NAMESPACE;
use super::super::quirks::Quirks;
use super::files;
use super::own_tools::{self, Form};
use crate::caching::Automatic;

/// What the model is told.
pub(super) struct Input {
    /// A single leading system message of text.
    pub(super) instructions: Option<String>,
    /// Everything else, in order.
    pub(super) items: Vec<Value>,
}

/// The whole conversation as items.
pub(super) fn build(conversation: &Conversation, quirks: &Quirks) -> Result<Input, InputError> {
    let instructions = instructions(&conversation.messages);
    let from = usize::from(instructions.is_some());
    let mut writer = Writer {
        quirks,
        automatic: if quirks.cache_marks { Automatic::of(conversation) } else { Automatic::default() },
        last: conversation.messages.len().saturating_sub(1),
        tools: &conversation.tools,
        items: Vec::new(),
        pending: Vec::new(),
        carried: Vec::new(),
        forms: Vec::new(),
    };
    for (at, message) in conversation.messages.iter().enumerate().skip(from) {
        writer.message(at, message)?;
    }
    writer.carry();
    let mut items = writer.items;
    if quirks.calls_last {
        calls_last(&mut items);
    }
    Ok(Input { instructions, items })
}

/// The text of the first message, when it alone instructs and something follows it.
fn instructions(messages: &[Message]) -> Option<String> {
    let instructs = |message: &Message| matches!(message.role, Role::System | Role::Developer);
    let [first, second, ..] = messages else { return None };
    if !instructs(first) || instructs(second) {
        return None;
    }
    let texts: Option<Vec<&str>> = first
        .parts
        .iter()
        .map(|part| match &part.content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.map(|texts| texts.join("\n")).filter(|text| !text.is_empty())
}

struct Writer<'a> {
    quirks: &'a Quirks,
    /// Breakpoints to place.
    automatic: Automatic,
    /// The place of the last message.
    last: usize,
    tools: &'a [Tool],
    items: Vec<Value>,
    /// Reasoning that waits for the item it belongs to: the provider refuses it without one.
    pending: Vec<Sealed>,
    /// Files of the model's own turns, which have no place there: they go into the user's turn that follows.
    carried: Vec<Value>,
    /// Calls that are no function calls, by their id: their answers have another form too.
    forms: Vec<(String, Form)>,
}

/// One reasoning item.
#[derive(Debug, Default)]
struct Sealed {
    id: Option<String>,
    summary: Vec<String>,
    data: Option<String>,
}

impl Writer<'_> {
    fn message(&mut self, at: usize, message: &Message) -> Result<(), InputError> {
        let path = format!("messages[{at}]");
        if message.role == Role::Assistant {
            return self.assistant(message, &path);
        }
        self.pending.clear();
        let role = match message.role {
            Role::System | Role::Developer if self.quirks.openai_reasoning => "developer",
            Role::Developer if self.quirks.developer_role => "developer",
            Role::System | Role::Developer => "system",
            Role::User | Role::Assistant | Role::Tool => "user",
        };
        let mut content = Vec::new();
        for part in &message.parts {
            match &part.content {
                Content::ToolResult(result) => self.result(result, &path)?,
                Content::Custom { namespace, value } if self.is_own(namespace) && is_item(value) => {
                    self.turn(role, &mut content);
                    self.items.push(value.clone());
                }
                _ => content.extend(self.part(part, &path)?),
            }
        }
        if let Some(part) = content.last_mut().filter(|_| self.is_marked(at, message)) {
            part["cache_control"] = json!({"type": "ephemeral"});
        }
        self.turn(role, &mut content);
        Ok(())
    }

    /// Whether a breakpoint stands behind a message, the client's own or one to be placed.
    fn is_marked(&self, at: usize, message: &Message) -> bool {
        let own = message.cache.is_some() && self.quirks.cache_marks;
        own || self.automatic.behind(at).is_some() || (at == self.last && self.automatic.last.is_some())
    }

    /// A message that is not the model's, unless it is empty.
    fn turn(&mut self, role: &str, content: &mut Vec<Value>) {
        if content.is_empty() {
            return;
        }
        let mut content = std::mem::take(content);
        if role == "user" {
            content.splice(0..0, std::mem::take(&mut self.carried));
        }
        self.items.push(json!({"role": role, "content": simple(content)}));
    }

    /// Carried files that no turn of the user takes up.
    fn carry(&mut self) {
        if !self.carried.is_empty() {
            let content = std::mem::take(&mut self.carried);
            self.items.push(json!({"role": "user", "content": content}));
        }
    }

    /// Whether opaque data of a namespace is for this provider.
    fn is_own(&self, namespace: &str) -> bool {
        namespace == NAMESPACE || self.quirks.namespaces.iter().any(|own| own == namespace)
    }

    /// What the provider's own metadata says of a part, under its AI SDK name.
    fn note<'p>(&self, part: &'p Part, key: &str) -> Option<&'p str> {
        let own = part.provider.iter().filter(|(name, _)| self.quirks.namespaces.contains(name));
        own.filter_map(|(_, value)| value.get(key)?.as_str()).next()
    }

    /// A part of a message that is not the model's; `None` for what only another provider knows.
    fn part(&self, part: &Part, path: &str) -> Result<Option<Value>, InputError> {
        let mut value = match &part.content {
            Content::Text(text) | Content::Refusal(text) => json!({"type": "input_text", "text": text}),
            Content::File(file) => files::part(file, path)?,
            Content::Custom { namespace, value } if self.is_own(namespace) => value.clone(),
            _ => return Ok(None),
        };
        if part.cache.is_some() && self.quirks.cache_marks {
            value["cache_control"] = json!({"type": "ephemeral"});
        }
        Ok(Some(value))
    }

    fn assistant(&mut self, message: &Message, path: &str) -> Result<(), InputError> {
        let mut texts: Vec<Value> = Vec::new();
        let mut phase = None;
        for part in &message.parts {
            match &part.content {
                Content::Text(text) | Content::Refusal(text) if text.is_empty() => {}
                Content::Text(text) => {
                    let own = self.note(part, "phase");
                    if own != phase {
                        self.texts(&mut texts, phase);
                        phase = own;
                    }
                    texts.push(json!({"type": "output_text", "text": text}));
                }
                Content::Refusal(text) => texts.push(json!({"type": "refusal", "refusal": text})),
                Content::Reasoning(reasoning) => {
                    self.texts(&mut texts, phase);
                    self.reasoning(reasoning, part);
                }
                Content::ToolCall(call) => {
                    self.texts(&mut texts, phase);
                    self.call(call, part);
                }
                Content::ToolResult(result) => {
                    self.texts(&mut texts, phase);
                    self.result(result, path)?;
                }
                Content::Custom { namespace, value } if self.is_own(namespace) => {
                    self.texts(&mut texts, phase);
                    self.item(value.clone());
                }
                Content::Custom { .. } => {}
                Content::File(file) => self.carried.push(files::part(file, path)?),
            }
        }
        self.texts(&mut texts, phase);
        Ok(())
    }

    /// The texts gathered so far, as one message.
    fn texts(&mut self, texts: &mut Vec<Value>, phase: Option<&str>) {
        if texts.is_empty() {
            return;
        }
        let mut item = json!({"role": "assistant", "content": std::mem::take(texts)});
        if let Some(phase) = phase {
            item["phase"] = Value::from(phase);
        }
        self.item(item);
    }

    /// An item of the model, and before it the reasoning that led to it.
    fn item(&mut self, item: Value) {
        for sealed in std::mem::take(&mut self.pending) {
            let Some(data) = sealed.data else { continue };
            let mut value = Map::new();
            value.insert("type".to_owned(), "reasoning".into());
            if let Some(id) = sealed.id {
                value.insert("id".to_owned(), id.into());
            }
            let summary =
                sealed.summary.into_iter().map(|text| json!({"type": "summary_text", "text": text}));
            value.insert("summary".to_owned(), summary.collect());
            value.insert("encrypted_content".to_owned(), data.into());
            self.items.push(Value::Object(value));
        }
        if let (Some(form), Some(id)) = (Form::of_item(&item), item["call_id"].as_str()) {
            self.forms.push((id.to_owned(), form));
        }
        self.items.push(item);
    }

    /// Takes up reasoning whose state this provider can read; any other is left out here (I19).
    fn reasoning(&mut self, reasoning: &Reasoning, part: &Part) {
        let noted = self.note(part, "reasoningEncryptedContent");
        let own = reasoning.format.as_deref() == Some(self.quirks.state);
        if !own && noted.is_none() {
            return;
        }
        let id = reasoning.id.clone().or_else(|| self.note(part, "itemId").map(str::to_owned));
        let data = reasoning.data.clone().or_else(|| noted.map(str::to_owned));
        // Pieces of one item: the same id, or without ids what comes before its state.
        let same = self.pending.last().is_some_and(|last| match (&last.id, &id) {
            (Some(last), Some(id)) => last == id,
            (None, None) => last.data.is_none(),
            _ => false,
        });
        if !same {
            self.pending.push(Sealed { id, ..Sealed::default() });
        }
        let Some(sealed) = self.pending.last_mut() else { return };
        if !reasoning.text.is_empty() && reasoning.kind == ReasoningKind::Summary {
            sealed.summary.push(reasoning.text.clone());
        }
        sealed.data = data.or(sealed.data.take());
    }

    fn call(&mut self, call: &ToolCall, part: &Part) {
        let form = Form::of(&call.name, self.tools);
        let (mut item, form) = own_tools::call(call, form, self.note(part, "itemId"));
        if let (Form::Function, Some(namespace)) = (form, self.note(part, "namespace")) {
            item["namespace"] = Value::from(namespace);
        }
        self.item(item);
    }

    fn result(&mut self, result: &ToolResult, path: &str) -> Result<(), InputError> {
        let output = match &result.output {
            ToolOutput::Text(text) => Value::from(text.as_str()),
            ToolOutput::Json(value) => Value::from(value.to_string()),
            ToolOutput::Parts(parts) => {
                let mut content = Vec::with_capacity(parts.len());
                for part in parts {
                    content.extend(self.part(part, path)?);
                }
                if content.is_empty() { Value::from("") } else { simple(content) }
            }
        };
        let known = self.forms.iter().rev().find(|(id, _)| *id == result.call_id);
        let form = known.map_or(Form::Function, |(_, form)| *form);
        self.items.push(own_tools::result(result, form, output));
        Ok(())
    }
}

/// Whether a value is an item of its own rather than a part of a message.
fn is_item(value: &Value) -> bool {
    let kind = value["type"].as_str().unwrap_or_default();
    !(kind.starts_with("input_") || kind.starts_with("output_text"))
}

/// One plain text is a string, anything else an array.
fn simple(mut content: Vec<Value>) -> Value {
    if let [part] = content.as_mut_slice()
        && part["type"] == "input_text"
        && part.as_object().is_some_and(|members| members.len() == 2)
    {
        return part["text"].take();
    }
    Value::Array(content)
}

/// Puts the calls of each turn of the model behind everything else of it.
fn calls_last(items: &mut [Value]) {
    let is_call = |item: &Value| item["type"].as_str().is_some_and(|kind| kind.ends_with("_call"));
    let of_model = |item: &Value| is_call(item) || item["role"] == "assistant" || item["type"] == "reasoning";
    for turn in items.chunk_by_mut(|a, b| of_model(a) && of_model(b)) {
        turn.sort_by_key(is_call);
    }
}
