//! A conversation and an answer in neutral words: what every dialect writes and what every dialect reads.

use serde_json::{Value, json};

/// What a client asks.
#[derive(Clone, Debug)]
pub struct Ask {
    pub model: String,
    pub stream: bool,
    /// Reasoning is wanted, of middle effort.
    pub reasons: bool,
    /// The tools `get_weather` and `get_time` are on offer.
    pub tools: bool,
    /// The most tokens of the answer.
    pub limit: Option<u64>,
    /// `providerOptions.gateway`: who is to be asked.
    pub routing: Option<Value>,
    pub history: Vec<Entry>,
}

/// One entry of a conversation.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Instructions, with a cache mark behind them.
    Instructions(String),
    /// What a person says, with an image or without.
    Person { text: String, image: bool },
    /// The model's turn, in the client's own form, as its dialect has it sent back.
    Model(Value),
    /// Results of tools, in the order of the calls.
    Results(Vec<(Call, String)>),
}

/// A tool call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    pub id: String,
    pub name: String,
    pub arguments: Value,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finish {
    #[default]
    Unknown,
    Stop,
    ToolCalls,
    Length,
}

/// Tokens, cached ones within `input`, reasoning within `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub input: u64,
    pub cached: u64,
    /// Written to the cache; `None` where the form has no such count.
    pub written: Option<u64>,
    pub output: u64,
}

/// What an answer says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    pub text: String,
    pub reasoning: String,
    pub calls: Vec<Call>,
    pub finish: Finish,
    pub usage: Usage,
    /// The turn as a client of the dialect sends it back.
    pub turn: Value,
    /// The form's own end was seen: nothing is missing.
    pub complete: bool,
}

impl Ask {
    pub fn person(model: &str, stream: bool, text: &str) -> Self {
        let history = vec![Entry::Person { text: text.to_owned(), image: false }];
        Self {
            model: model.to_owned(),
            stream,
            reasons: false,
            tools: false,
            limit: None,
            routing: None,
            history,
        }
    }

    /// The same with the model's answer and what came after it.
    pub fn and_then(&self, said: &Said, next: Entry) -> Self {
        let mut further = self.clone();
        further.history.extend([Entry::Model(said.turn.clone()), next]);
        further
    }
}

impl Entry {
    pub fn says(text: &str) -> Self {
        Self::Person { text: text.to_owned(), image: false }
    }

    /// What the tools have to say to these calls: each result names its call's tool.
    pub fn results(calls: &[Call]) -> Self {
        Self::Results(calls.iter().map(|call| (call.clone(), result_of(&call.name).to_owned())).collect())
    }
}

/// The result of a tool.
pub fn result_of(tool: &str) -> &'static str {
    match tool {
        "get_weather" => "Sunny, 21 degrees and \"mild\".",
        _ => "It is 14:05 – ünïcode.",
    }
}

/// The tools on offer: name, what it does, schema.
pub fn tools() -> [(&'static str, &'static str, Value); 2] {
    let schema = || {
        json!({"type": "object", "properties": {
            "city": {"type": "string", "description": "The city."}, "days": {"type": "integer"}},
            "required": ["city", "days"]})
    };
    [("get_weather", "The weather of a city.", schema()), ("get_time", "The time in a city.", schema())]
}

/// The image of a prompt: media type, base64, how many bytes it is.
pub const IMAGE: (&str, &str, usize) = (
    "image/png",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
    68,
);

/// All JSON payloads of an event stream.
pub fn events(body: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n");
    let data = text.split("\n\n").filter_map(|event| {
        event.lines().find_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]")
    });
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|e| panic!("{e}: {data}"))).collect()
}

/// Text of a member, empty when it is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A count, 0 when it is none.
pub fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// Arguments as JSON; what cannot be read is kept as a text, which equals no object.
pub fn arguments(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_else(|_| json!(raw))
}

/// Appends to a text member.
pub fn append(holder: &mut Value, member: &str, more: &str) {
    match &mut holder[member] {
        Value::String(text) => text.push_str(more),
        other => *other = json!(more),
    }
}
