mod history;
mod settings;

use serde_json::{Value, json};
use tollgate_domain::Warning;
use tollgate_domain::conversation::{
    Content, Conversation, FunctionTool, Message, Part, Role, Tool, ToolCall,
};

use super::{Encoded, encode};
use crate::Target;

fn target(provider: &str, model: &str) -> Target {
    Target { provider: provider.into(), model: model.into(), ..Target::default() }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts, cache: None }
}

fn said(role: Role, text: &str) -> Message {
    message(role, vec![Part::text(text)])
}

fn talk(messages: Vec<Message>) -> Conversation {
    Conversation { messages, ..Conversation::default() }
}

fn function(name: &str) -> Tool {
    Tool::Function(FunctionTool {
        name: name.into(),
        description: None,
        parameters: json!({"type": "object", "properties": {"a": {"type": "string"}}}),
        strict: None,
        cache: None,
    })
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::new(Content::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() }))
}

fn body_for(target: &Target, conversation: &Conversation) -> (Value, Vec<Warning>) {
    let Encoded { body, warnings } = encode(conversation, target, false).unwrap();
    (serde_json::from_slice(&body).unwrap(), warnings)
}

fn body(conversation: &Conversation) -> Value {
    body_for(&target("openai", "gpt-5"), conversation).0
}

fn features(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.feature.as_str()).collect()
}
