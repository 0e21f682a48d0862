//! What a streamed answer says.

use serde_json::Value;

/// A streamed answer, taken apart.
#[derive(Debug, Default)]
pub struct Chunks {
    /// All JSON events.
    pub all: Vec<Value>,
    /// Comments between them.
    pub comments: usize,
    /// `[DONE]` came, last.
    pub done: bool,
}

impl Chunks {
    pub fn read(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap();
        let mut chunks = Self::default();
        for event in text.split_terminator("\n\n") {
            assert!(!chunks.done, "something after [DONE]: {event}");
            if event.starts_with(':') {
                chunks.comments += 1;
            } else if event == "data: [DONE]" {
                chunks.done = true;
            } else {
                let data = event.strip_prefix("data: ").unwrap_or_else(|| panic!("no data line: {event}"));
                chunks.all.push(serde_json::from_str(data).unwrap());
            }
        }
        chunks
    }

    /// Chunks of the answer, errors left out.
    pub fn answer(&self) -> impl Iterator<Item = &Value> {
        self.all.iter().filter(|c| c.get("error").is_none())
    }

    /// The visible text.
    pub fn text(&self) -> String {
        self.answer().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect()
    }

    /// The in-band error.
    pub fn error(&self) -> Option<&Value> {
        self.all.iter().find_map(|c| c.get("error"))
    }

    /// Any chunk names a finish reason.
    pub fn finished(&self) -> bool {
        self.answer().any(|c| !c["choices"][0]["finish_reason"].is_null())
    }

    pub fn last(&self) -> &Value {
        self.all.last().expect("a chunk")
    }
}
