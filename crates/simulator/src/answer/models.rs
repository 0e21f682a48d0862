//! The list of models, in OpenAI's form and in Anthropic's.

use serde_json::{Value, json};

use crate::reply::Reply;

/// Answers with the list; `anthropic` when the request says which version of that API it speaks.
pub(crate) fn write(models: &[String], anthropic: bool) -> Reply {
    let body = if anthropic {
        let entry = |id: &String| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"});
        let data: Vec<Value> = models.iter().map(entry).collect();
        json!({"data": data, "has_more": false, "first_id": models.first(), "last_id": models.last()})
    } else {
        let entry = |id: &String| json!({"id": id, "object": "model", "created": 1_767_225_600, "owned_by": "simulator"});
        json!({"object": "list", "data": models.iter().map(entry).collect::<Vec<_>>()})
    };
    Reply::json(200, &body)
}
