//! Answers that go on from each other on one connection although nobody stores them (gateway-api §7.3:
//! with `store: false`, `previous_response_id` chains inside the connection only). The connection keeps the
//! last exchange's items and puts them before the next request's own.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::refusal::Refusal;

/// The most that a chain may hold, in bytes of JSON (I26). A longer one is forgotten: the client then has to
/// send its history.
const MAX_BYTES: usize = 8 << 20;

/// The last exchange of a connection.
#[derive(Default)]
pub(super) struct Chain {
    /// The answer's id; `None` until one is complete.
    id: Option<String>,
    /// Its request's items and its own.
    items: Vec<Box<RawValue>>,
    /// The items of the request that is running.
    running: Vec<Box<RawValue>>,
}

impl Chain {
    /// The body with the items that it goes on from in place of their id; other bodies as they are.
    ///
    /// # Errors
    /// The input is neither text nor an array.
    pub fn continued(&self, body: Bytes) -> Result<Bytes, Refusal> {
        let Ok(mut members) = serde_json::from_slice::<Map<String, Value>>(&body) else { return Ok(body) };
        let wanted = members.get("previous_response_id").and_then(Value::as_str);
        if wanted.is_none() || wanted != self.id.as_deref() {
            return Ok(body);
        }
        members.remove("previous_response_id");
        let own = items(members.get("input"));
        let all: Vec<Value> =
            self.items.iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).chain(own).collect();
        members.insert("input".to_owned(), Value::Array(all));
        Ok(serde_json::to_vec(&members).map_or(body, Bytes::from))
    }

    /// A request begins.
    pub fn begin(&mut self, body: &[u8]) {
        let members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        self.running = raw(items(members.get("input")));
    }

    /// Looks at a frame of the running answer; its last one completes the exchange.
    pub fn note(&mut self, frame: &[u8]) {
        const ENDS: [&str; 2] = ["response.completed", "response.incomplete"];
        if !ENDS.iter().any(|end| memchr::memmem::find(frame, end.as_bytes()).is_some()) {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Value>(frame) else { return };
        if !event["type"].as_str().is_some_and(|kind| ENDS.contains(&kind)) {
            return;
        }
        let response = &event["response"];
        let mut all = std::mem::take(&mut self.running);
        all.extend(raw(items(response.get("output"))));
        let size: usize = all.iter().map(|item| item.get().len()).sum();
        self.id = response["id"].as_str().filter(|_| size <= MAX_BYTES).map(str::to_owned);
        self.items = if self.id.is_some() { all } else { Vec::new() };
    }
}

/// An input or output as items: text is one message of the user.
fn items(input: Option<&Value>) -> Vec<Value> {
    match input {
        Some(Value::Array(items)) => items.clone(),
        Some(Value::String(text)) => vec![json!({"role": "user", "content": text})],
        _ => Vec::new(),
    }
}

fn raw(items: Vec<Value>) -> Vec<Box<RawValue>> {
    items.iter().filter_map(|item| serde_json::value::to_raw_value(item).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: &Value) -> Bytes {
        Bytes::from(value.to_string())
    }

    #[test]
    fn a_request_goes_on_from_the_exchange_before() {
        let mut chain = Chain::default();
        let first = body(&json!({"model": "m", "input": "one"}));
        assert_eq!(chain.continued(first.clone()).unwrap(), first);
        chain.begin(&first);
        chain.note(br#"{"type":"response.output_text.delta","delta":"response.completed"}"#);
        let end = json!({"type": "response.completed", "response": {"id": "gen_1", "output": [{"type": "message", "content": "two"}]}});
        chain.note(end.to_string().as_bytes());
        let next = body(
            &json!({"model": "m", "previous_response_id": "gen_1", "input": [{"role": "user", "content": "three"}]}),
        );
        let joined: Value = serde_json::from_slice(&chain.continued(next).unwrap()).unwrap();
        let contents: Vec<_> =
            joined["input"].as_array().unwrap().iter().map(|i| i["content"].clone()).collect();
        assert_eq!(contents, ["one", "two", "three"]);
        assert!(joined.get("previous_response_id").is_none());
        let other = body(&json!({"model": "m", "previous_response_id": "gen_2", "input": "x"}));
        assert_eq!(chain.continued(other.clone()).unwrap(), other, "another id is the ledger's to find");
    }
}
