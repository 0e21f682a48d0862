//! Ids of calls as the protocol takes them (`^[a-zA-Z0-9_-]+$`), rewritten alike in calls and results.

use std::collections::{HashMap, HashSet};

/// Which id of the client stands for which id of the request.
#[derive(Debug, Default)]
pub(super) struct ToolIds {
    current: HashMap<String, String>,
    used: HashSet<String>,
}

impl ToolIds {
    /// The id of a call. An id that an earlier call has taken (some providers number per turn) is made
    /// unique; results that follow belong to the later call.
    pub(super) fn call(&mut self, id: &str) -> String {
        let base = sanitized(id);
        let mut unique = base.clone();
        let mut number = 2;
        while !self.used.insert(unique.clone()) {
            unique = format!("{base}_{number}");
            number += 1;
        }
        self.current.insert(id.to_owned(), unique.clone());
        unique
    }

    /// The id of a result.
    pub(super) fn result(&self, id: &str) -> String {
        self.current.get(id).cloned().unwrap_or_else(|| sanitized(id))
    }
}

fn sanitized(id: &str) -> String {
    if id.is_empty() {
        return "call".to_owned();
    }
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_rewritten_alike_and_kept_apart() {
        let mut ids = ToolIds::default();
        assert_eq!(ids.call("toolu_1-a"), "toolu_1-a");
        assert_eq!(ids.call("functions.get:0"), "functions_get_0");
        assert_eq!(ids.call("functions/get:0"), "functions_get_0_2");
        assert_eq!(ids.result("functions.get:0"), "functions_get_0");
        assert_eq!(ids.result("functions/get:0"), "functions_get_0_2");
        assert_eq!(ids.call("functions.get:0"), "functions_get_0_3");
        assert_eq!(ids.result("functions.get:0"), "functions_get_0_3");
        assert_eq!(ids.result("unknown id"), "unknown_id");
        assert_eq!(ids.call(""), "call");
    }
}
