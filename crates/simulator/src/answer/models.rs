//! The list of models, in OpenAI's form, in Anthropic's and in Google's.

use serde_json::{Value, json};

use crate::api_error::Envelope;
use crate::reply::Reply;

/// Answers with the list in the form of the API that the request speaks.
pub(crate) fn write(models: &[String], envelope: Envelope) -> Reply {
    let body = match envelope {
        Envelope::Anthropic => {
            let entry = |id: &String| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"});
            let data: Vec<Value> = models.iter().map(entry).collect();
            json!({"data": data, "has_more": false, "first_id": models.first(), "last_id": models.last()})
        }
        Envelope::Google => {
            let entry = |id: &String| {
                json!({"name": format!("models/{id}"), "version": "001", "displayName": id,
                    "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
                    "supportedGenerationMethods": ["generateContent", "countTokens"]})
            };
            json!({"models": models.iter().map(entry).collect::<Vec<_>>()})
        }
        _ => {
            let entry = |id: &String| json!({"id": id, "object": "model", "created": 1_767_225_600, "owned_by": "simulator"});
            json!({"object": "list", "data": models.iter().map(entry).collect::<Vec<_>>()})
        }
    };
    Reply::json(200, &body)
}
