//! The bytes of the request that the run sends over and over.

/// What the command line says about the request.
pub struct Shape<'a> {
    pub addr: &'a str,
    pub path: &'a str,
    pub model: &'a str,
    pub key: Option<&'a str>,
    pub headers: Vec<&'a str>,
    pub stream: bool,
    /// Ask for the usage chunk of a stream (OpenAI shape only).
    pub usage: bool,
    pub anthropic: bool,
    /// Bytes of conversation text.
    pub prompt: usize,
}

const TURN_BYTES: usize = 2000;
const UNIT: &str = r#"You are editing src/main.rs.\nfn main() { println!(\"hello {}\", name); }\n- keep the style\t- run the tests\n"#;

/// A conversation of ~2 kB turns, as an agent sends it: escapes, code, several messages.
pub fn body(shape: &Shape) -> Vec<u8> {
    let mut turns = Vec::new();
    let mut left = shape.prompt;
    while left > 0 || turns.is_empty() {
        let n = left.min(TURN_BYTES);
        left -= n;
        let mut text = UNIT.repeat(n / UNIT.len());
        text.extend(std::iter::repeat_n('x', n % UNIT.len()));
        let role = if turns.len() % 2 == 0 { "user" } else { "assistant" };
        turns.push(format!(r#"{{"role":"{role}","content":"{text}"}}"#));
    }
    if turns.len() % 2 == 0 {
        turns.push(r#"{"role":"user","content":"go on"}"#.into());
    }
    let extra = match (shape.stream, shape.usage && !shape.anthropic) {
        (false, _) => "",
        (true, false) => r#","stream":true"#,
        (true, true) => r#","stream":true,"stream_options":{"include_usage":true}"#,
    };
    let (model, turns) = (shape.model, turns.join(","));
    format!(r#"{{"model":"{model}","max_tokens":1024,"temperature":0.5{extra},"messages":[{turns}]}}"#)
        .into_bytes()
}

/// Head and body, ready to be written.
pub fn bytes(shape: &Shape, body: &[u8]) -> Vec<u8> {
    let accept = if shape.stream { "text/event-stream" } else { "application/json" };
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\naccept: {accept}\r\nuser-agent: gwload/0.1\r\ncontent-length: {}\r\n",
        shape.path,
        shape.addr,
        body.len()
    );
    if let Some(key) = shape.key {
        head += &format!("authorization: Bearer {key}\r\n");
        if shape.anthropic {
            head += &format!("x-api-key: {key}\r\n");
        }
    }
    if shape.anthropic {
        head += "anthropic-version: 2023-06-01\r\n";
    }
    for header in &shape.headers {
        head += &format!("{header}\r\n");
    }
    let mut out = head.into_bytes();
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}
