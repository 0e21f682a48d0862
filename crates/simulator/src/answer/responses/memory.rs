//! Responses that were stored, for `previous_response_id` and item references. Bounded: the oldest is
//! forgotten first.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

const MOST_RESPONSES: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    responses: HashMap<String, Stored>,
    /// The output items of all responses, by their ids.
    items: HashMap<String, Value>,
    order: VecDeque<String>,
    bytes: usize,
}

#[derive(Debug)]
struct Stored {
    /// The conversation up to and with the response.
    items: Vec<Value>,
    own: Vec<String>,
    bytes: usize,
}

impl Memory {
    /// The conversation up to and with a response.
    pub(crate) fn conversation(&self, response: &str) -> Option<&[Value]> {
        self.responses.get(response).map(|stored| stored.items.as_slice())
    }

    /// An output item of a response.
    pub(crate) fn item(&self, id: &str) -> Option<&Value> {
        self.items.get(id)
    }

    pub(crate) fn store(&mut self, response: String, items: Vec<Value>, output: &[Value]) {
        let bytes = items.iter().map(|item| item.to_string().len()).sum();
        let mut own = Vec::new();
        for item in output {
            if let Some(id) = item["id"].as_str() {
                self.items.insert(id.to_owned(), item.clone());
                own.push(id.to_owned());
            }
        }
        self.bytes += bytes;
        self.order.push_back(response.clone());
        self.responses.insert(response, Stored { items, own, bytes });
        while self.order.len() > MOST_RESPONSES || self.bytes > MOST_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(stored) = self.order.pop_front().and_then(|oldest| self.responses.remove(&oldest)) else {
            self.bytes = 0;
            return;
        };
        self.bytes -= stored.bytes;
        for id in stored.own {
            self.items.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_are_forgotten_with_their_items() {
        let mut memory = Memory::default();
        let large = "x".repeat(MOST_BYTES / 3);
        for n in 0..4 {
            let item = json!({"id": format!("msg_{n}"), "text": large});
            memory.store(format!("resp_{n}"), vec![item.clone()], &[item]);
        }
        assert!(memory.conversation("resp_0").is_none() && memory.item("msg_0").is_none());
        assert!(memory.conversation("resp_3").is_some() && memory.item("msg_3").is_some());
        assert!(memory.bytes <= MOST_BYTES);
    }
}
