//! Exchanges for the golden tests: the examples committed beside this file, and, where the folder of
//! recorded exchanges is there, those too. One JSON file is one exchange with what its decoding must give.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One exchange.
pub struct Fixture {
    /// `provider/file`, for messages.
    pub name: String,
    /// The provider's folder.
    pub provider: String,
    /// Whether the reply was asked for as a stream.
    pub streaming: bool,
    /// The request's body, when it was recorded.
    pub request: Option<Value>,
    /// The HTTP status.
    pub status: u16,
    /// The response's headers.
    pub headers: http::HeaderMap,
    /// The response's bytes.
    pub body: Vec<u8>,
    /// Whether the bytes are server-sent events.
    pub sse: bool,
    /// What decoding must give; `Null` when the exchange has no expectation.
    pub expect: Value,
}

/// The recorded exchanges of one protocol and operation, in the order of their names. Empty, with a plain
/// line on stderr, when the folder (`TOLLGATE_FIXTURES`, or `../shared/fixtures` beside the checkout) is
/// absent.
pub fn recorded(protocol: &str, operation: &str) -> Vec<Fixture> {
    let root = std::env::var_os("TOLLGATE_FIXTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join("../shared/fixtures"),
        PathBuf::from,
    );
    if !root.is_dir() {
        eprintln!("skipped: no recorded exchanges at {} (set TOLLGATE_FIXTURES)", root.display());
        return Vec::new();
    }
    let mut found = Vec::new();
    for folder in sorted_entries(&root).into_iter().filter(|p| p.is_dir()) {
        found.extend(load_folder(&folder, protocol, operation));
    }
    found
}

/// The chat examples committed in `examples/<folder>`.
pub fn examples(folder: &str, protocol: &str) -> Vec<Fixture> {
    examples_of(folder, protocol, "chat")
}

/// The examples of an operation committed in `examples/<folder>`.
pub fn examples_of(folder: &str, protocol: &str, operation: &str) -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/examples").join(folder);
    let found = load_folder(&root, protocol, operation);
    assert!(!found.is_empty(), "no examples in {}", root.display());
    found
}

fn load_folder(folder: &Path, protocol: &str, operation: &str) -> Vec<Fixture> {
    sorted_entries(folder)
        .into_iter()
        .filter(|p| {
            p.extension().is_some_and(|e| e == "json") && p.file_name().is_some_and(|n| n != "index.json")
        })
        .filter_map(|path| load(&path, protocol, operation))
        .collect()
}

fn sorted_entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    entries
}

fn load(path: &Path, protocol: &str, operation: &str) -> Option<Fixture> {
    let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let value: Value = serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    if word("protocol") != protocol || word("operation") != operation {
        return None;
    }
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let response = &value["response"];
    let (body, sse) = response_bytes(response);
    Some(Fixture {
        name: format!("{folder}/{}", path.file_name().unwrap_or_default().to_string_lossy()),
        provider: word("provider"),
        streaming: value["streaming"].as_bool().unwrap_or(false),
        request: value.pointer("/request/body").filter(|b| b.is_object()).cloned(),
        status: u16::try_from(response["status"].as_u64().unwrap_or(200)).unwrap(),
        headers: headers(&response["headers"]),
        body,
        sse,
        expect: value["expect"].clone(),
    })
}

/// The bytes of a response and whether they are server-sent events.
fn response_bytes(response: &Value) -> (Vec<u8>, bool) {
    if let Some(sse) = response["sse"].as_str() {
        return (sse.as_bytes().to_vec(), true);
    }
    if let Some(text) = response["text"].as_str() {
        return (text.as_bytes().to_vec(), false);
    }
    let Some(events) = response["events"].as_array() else {
        return (serde_json::to_vec(&response["body"]).unwrap(), false);
    };
    let named = response["framing"] == "sse-event-data";
    let mut bytes = Vec::new();
    for event in events {
        // A payload that is a bare word (`[DONE]`) is kept as a JSON string in the file.
        let data = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        if named {
            bytes.extend_from_slice(
                format!("event: {}\n", event["type"].as_str().unwrap_or_default()).as_bytes(),
            );
        }
        bytes.extend_from_slice(format!("data: {data}\n\n").as_bytes());
    }
    (bytes, true)
}

fn headers(value: &Value) -> http::HeaderMap {
    let mut map = http::HeaderMap::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let (Ok(name), Some(text)) = (http::HeaderName::try_from(name.as_str()), value.as_str()) else {
            continue;
        };
        if let Ok(value) = http::HeaderValue::from_str(text) {
            map.insert(name, value);
        }
    }
    map
}
