//! The surfaces, each with a request that is in order and the envelope of its errors (gateway-api §6).

use serde_json::{Value, json};

use super::setup::{Surfaces, events};
use crate::client::{Answer, Exchange};

/// How errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `{error: {message, type, param, code}}`: OpenAI's surfaces, and the AI SDK's, which is always nested.
    OpenAi,
    /// `{type: "error", error: {type, message}}`.
    Anthropic,
    /// `{message}`.
    Cohere,
}

/// What a request on a surface is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Conversation,
    /// A count of tokens: no answer, no row.
    Count,
    Compact,
    Embedding,
    Image,
    Rerank,
}

/// One surface.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    pub name: &'static str,
    pub path: &'static str,
    pub envelope: Envelope,
    pub work: Work,
    /// The model of its own protocol; with `-duo`, at two providers.
    model: &'static str,
    /// The header that names the model, where it is not in the body.
    pub model_header: Option<&'static str>,
    /// A request without its model.
    body: &'static str,
    /// A member that no request may lack.
    pub required: &'static str,
    /// What makes the body wrong: the JSON pointer, a value of a wrong type, the path in the error.
    pub wrong: (&'static str, &'static str, &'static str),
}

/// A picture of one pixel.
pub const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const CHAT: Surface = Surface {
    name: "chat",
    path: "/v1/chat/completions",
    envelope: Envelope::OpenAi,
    work: Work::Conversation,
    model: "test/chat",
    model_header: None,
    body: r#"{"messages":[{"role":"user","content":"What is a tollgate?"}]}"#,
    required: "messages",
    wrong: ("/messages/0/role", "7", "messages[0].role"),
};

const MESSAGES: Surface = Surface {
    name: "messages",
    path: "/v1/messages",
    envelope: Envelope::Anthropic,
    model: "anthropic/claude",
    body: r#"{"max_tokens":100,"messages":[{"role":"user","content":"What is a tollgate?"}]}"#,
    required: "max_tokens",
    ..CHAT
};

const RESPONSES: Surface = Surface {
    name: "responses",
    path: "/v1/responses",
    model: "test/responses",
    body: r#"{"input":[{"role":"user","content":"What is a tollgate?"}]}"#,
    required: "input",
    wrong: ("/input/0/role", "7", "input[0].role"),
    ..CHAT
};

const AI_LANGUAGE: Surface = Surface {
    name: "AI SDK language",
    path: "/v4/ai/language-model",
    model_header: Some("ai-language-model-id"),
    body: r#"{"prompt":[{"role":"user","content":[{"type":"text","text":"What is a tollgate?"}]}]}"#,
    required: "prompt",
    wrong: ("/prompt/0/role", "7", "prompt[0].role"),
    ..CHAT
};

const EMBEDDINGS: Surface = Surface {
    name: "embeddings",
    path: "/v1/embeddings",
    work: Work::Embedding,
    model: "test/embed",
    body: r#"{"input":["one","two"]}"#,
    required: "input",
    wrong: ("/input/1", "7", "input[1]"),
    ..CHAT
};

const GENERATIONS: Surface = Surface {
    name: "image generations",
    path: "/v1/images/generations",
    work: Work::Image,
    model: "test/image",
    body: r#"{"prompt":"A tollgate"}"#,
    required: "prompt",
    wrong: ("/n", "\"two\"", "n"),
    ..CHAT
};

const RERANK: Surface = Surface {
    name: "rerank v2",
    path: "/v2/rerank",
    envelope: Envelope::Cohere,
    work: Work::Rerank,
    model: "test/rerank",
    body: r#"{"query":"tollgate","documents":["a bridge","a tollgate"]}"#,
    required: "query",
    wrong: ("/documents/1", "7", "documents[1]"),
    ..CHAT
};

/// All surfaces that take a request by POST.
pub const ALL: [Surface; 14] = [
    CHAT,
    MESSAGES,
    Surface {
        name: "count_tokens",
        path: "/v1/messages/count_tokens",
        work: Work::Count,
        required: "messages",
        ..MESSAGES
    },
    RESPONSES,
    Surface { name: "compact", path: "/v1/responses/compact", work: Work::Compact, ..RESPONSES },
    EMBEDDINGS,
    GENERATIONS,
    Surface {
        name: "image edits",
        path: "/v1/images/edits",
        body: r#"{"prompt":"Redder","images":[{"image_url":"data:image/png;base64,iVBORw0KGgo="}]}"#,
        wrong: ("/images/0/image_url", "7", "images[0].image_url"),
        ..GENERATIONS
    },
    Surface { name: "rerank v1", path: "/v1/rerank", ..RERANK },
    RERANK,
    AI_LANGUAGE,
    Surface {
        name: "AI SDK embedding",
        path: "/v4/ai/embedding-model",
        model_header: Some("ai-model-id"),
        body: r#"{"values":["one","two"]}"#,
        required: "values",
        wrong: ("/values/1", "7", "values[1]"),
        ..EMBEDDINGS
    },
    Surface {
        name: "AI SDK image",
        path: "/v3/ai/image-model",
        model_header: Some("ai-model-id"),
        body: r#"{"prompt":"A tollgate","n":1}"#,
        ..GENERATIONS
    },
    Surface {
        name: "AI SDK reranking",
        path: "/v4/ai/reranking-model",
        envelope: Envelope::OpenAi,
        model_header: Some("ai-model-id"),
        body: r#"{"query":"tollgate","documents":{"type":"text","values":["a bridge","a tollgate"]}}"#,
        wrong: ("/documents/values/1", "7", "documents.values[1]"),
        ..RERANK
    },
];

/// Those whose answers a provider makes.
pub fn answered() -> impl Iterator<Item = Surface> {
    ALL.into_iter().filter(|s| s.work != Work::Count)
}

/// Those that answer as a stream.
pub fn streaming() -> impl Iterator<Item = Surface> {
    ALL.into_iter().filter(|s| s.work == Work::Conversation)
}

impl Surface {
    /// The model of its own protocol, at one provider.
    pub fn model(&self) -> &'static str {
        if self.model == "anthropic/claude" { "anthropic/claude-haiku-4.5" } else { self.model }
    }

    /// Another one, at two providers.
    pub fn duo(&self) -> String {
        format!("{}-duo", self.model)
    }

    /// A model of another kind, and the kind that is wanted.
    pub fn wrong_kind(&self) -> (&'static str, &'static str) {
        match self.work {
            Work::Conversation | Work::Count | Work::Compact => ("test/embed", "language"),
            Work::Embedding => ("test/chat", "embedding"),
            Work::Image => ("test/rerank", "image"),
            Work::Rerank => ("test/chat", "reranking"),
        }
    }

    /// The body of a request, in order.
    pub fn request(&self, model: &str, stream: bool) -> Value {
        let mut body: Value = serde_json::from_str(self.body).unwrap();
        if self.model_header.is_none() {
            body["model"] = json!(model);
            if stream {
                body["stream"] = json!(true);
            }
        }
        body
    }

    /// The headers that go with it.
    pub fn headers<'a>(&self, model: &'a str, stream: bool) -> Vec<(&'static str, &'a str)> {
        let mut headers: Vec<_> = self.model_header.into_iter().map(|name| (name, model)).collect();
        if stream && self.model_header.is_some() {
            headers.push(("ai-language-model-streaming", "true"));
        }
        headers
    }

    /// Sends any body with the headers of a model.
    pub async fn send(&self, at: &Surfaces, model: &str, body: &[u8]) -> Answer {
        at.post_with(self.path, &self.headers(model, false), body).await
    }

    /// Asks a model, whole.
    pub async fn ask(&self, at: &Surfaces, model: &str) -> Answer {
        self.send(at, model, self.request(model, false).to_string().as_bytes()).await
    }

    /// Begins a streamed answer.
    pub async fn begin(&self, at: &Surfaces, model: &str) -> Exchange {
        let body = self.request(model, true).to_string();
        at.begin_with(self.path, &self.headers(model, true), body.as_bytes()).await
    }

    /// Checks an error: its envelope, its type and that the message contains all of `says`.
    pub fn check(&self, answer: &Answer, status: u16, kind: &str, says: &[&str]) {
        let what = format!("{}: {} {}", self.name, answer.status, answer.text());
        assert_eq!(answer.status, status, "{what}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
        let body = answer.json();
        let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let error: Vec<_> =
            body["error"].as_object().map(|e| e.keys().map(String::as_str).collect()).unwrap_or_default();
        match self.envelope {
            Envelope::OpenAi => {
                assert_eq!(error, ["message", "type", "param", "code"], "{what}");
                assert_eq!((&body["error"]["type"], members[0]), (&json!(kind), "error"), "{what}");
            }
            Envelope::Anthropic => {
                assert_eq!(error, ["type", "message"], "{what}");
                assert_eq!(body["type"], "error", "{what}");
                assert_eq!(body["error"]["type"], anthropic(status, kind), "{what}");
            }
            Envelope::Cohere => assert_eq!(members, ["message"], "{what}"),
        }
        let message = self.message(answer);
        assert!(message.len() >= 10, "{what}");
        for part in says {
            assert!(message.contains(part), "'{part}' is not in: {what}");
        }
    }

    /// The error's sentence.
    pub fn message(&self, answer: &Answer) -> String {
        let body = answer.json();
        let message =
            if self.envelope == Envelope::Cohere { &body["message"] } else { &body["error"]["message"] };
        message.as_str().unwrap_or_else(|| panic!("{}: no message: {body}", self.name)).to_owned()
    }

    /// What a streamed answer says.
    pub fn text(&self, body: &[u8]) -> String {
        let delta = |(_, data): (String, Value)| {
            let text = match self.name {
                "chat" => &data["choices"][0]["delta"]["content"],
                "messages" => &data["delta"]["text"],
                _ if data["type"] == "response.output_text.delta" || data["type"] == "text-delta" => {
                    &data["delta"]
                }
                _ => &Value::Null,
            };
            text.as_str().map(str::to_owned)
        };
        events(body).into_iter().filter_map(delta).collect()
    }

    /// Whether a streamed answer says that it is complete.
    pub fn is_complete(&self, body: &[u8]) -> bool {
        events(body).iter().any(|(_, data)| match self.name {
            "chat" => data == "[DONE]" || data["choices"][0]["finish_reason"].is_string(),
            "messages" => data["type"] == "message_stop" || data["delta"]["stop_reason"].is_string(),
            "responses" => data["type"] == "response.completed" || data["type"] == "response.incomplete",
            _ => data["type"] == "finish" || data == "[DONE]",
        })
    }

    /// The error inside a streamed answer, which must be the last thing said: its type and its message.
    pub fn error_in(&self, body: &[u8]) -> (String, String) {
        let all = events(body);
        let what = format!("{}: {}", self.name, String::from_utf8_lossy(body));
        let (name, last) = all.last().unwrap_or_else(|| panic!("nothing: {what}")).clone();
        let error = match self.name {
            "messages" => {
                assert_eq!((name.as_str(), &last["type"]), ("error", &json!("error")), "{what}");
                last["error"].clone()
            }
            "responses" => {
                assert_eq!(last["type"], "response.failed", "{what}");
                assert_eq!(last["response"]["status"], "failed", "{what}");
                let (_, error) =
                    all.iter().rfind(|(name, _)| name == "error").unwrap_or_else(|| panic!("{what}"));
                assert_eq!(last["response"]["error"]["message"], error["message"], "{what}");
                error["error"].clone()
            }
            "chat" => last["error"].clone(),
            _ => {
                assert_eq!(last["type"], "error", "{what}");
                last["error"].clone()
            }
        };
        let text =
            |member: &str| error[member].as_str().unwrap_or_else(|| panic!("no {member}: {what}")).to_owned();
        (text("type"), text("message"))
    }
}

/// Anthropic's word for an error of this status (providers §4 "Errors").
fn anthropic(status: u16, kind: &str) -> &'static str {
    match status {
        400 | 405 | 408 | 422 => "invalid_request_error",
        401 => "authentication_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        500 | 502 => "api_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        _ => panic!("no word for {status} {kind}"),
    }
}
