//! What a provider must have said for a recorded answer of the service to come about, in the provider's own
//! protocol.

use serde_json::{Value, json};

/// The chunks of a recorded stream; `None` when the answer was whole.
pub fn chunks(response: &Value) -> Option<Vec<Value>> {
    let events = response["sse"].as_str()?.split("\n\n");
    Some(
        events
            .filter_map(|e| e.strip_prefix("data: {"))
            .map(|d| serde_json::from_str(&format!("{{{d}")).unwrap())
            .collect(),
    )
}

/// The exchange to replay for a recorded one.
pub fn exchange(response: &Value, claude: bool) -> Value {
    let (kind, member, body) = match (chunks(response), claude) {
        (Some(chunks), true) => ("text/event-stream", "sse", json!(claude_stream(&chunks))),
        (Some(chunks), false) => ("text/event-stream", "sse", json!(openai_stream(&chunks))),
        (None, true) => ("application/json", "body", claude_whole(&response["body"])),
        (None, false) => ("application/json", "body", openai_whole(&response["body"])),
    };
    let mut headers = json!({ "content-type": kind });
    if response.to_string().contains("providerRequestId") {
        headers[if claude { "request-id" } else { "x-request-id" }] = json!("req_test");
    }
    json!({"response": {"status": 200, "headers": headers, member: body}})
}

fn stop_reason(finish: &Value) -> &'static str {
    match finish.as_str().unwrap() {
        "tool_calls" => "tool_use",
        "length" => "max_tokens",
        _ => "end_turn",
    }
}

fn response_id(metadata: &Value) -> Value {
    let attempts = metadata["gateway"]["routing"]["attempts"].as_array().unwrap();
    attempts.last().unwrap()["providerResponseId"].clone()
}

/// Anthropic's events, block by block.
struct Blocks {
    sse: String,
    next: usize,
    open: Option<&'static str>,
}

impl Blocks {
    fn event(&mut self, event: Value) {
        self.sse.push_str(&format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()));
    }

    fn open(&mut self, kind: &'static str, block: Value) {
        self.close();
        self.open = Some(kind);
        let index = self.next;
        self.event(json!({"type": "content_block_start", "index": index, "content_block": block}));
    }

    fn delta(&mut self, delta: Value) {
        let index = self.next;
        self.event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            let index = self.next;
            self.event(json!({"type": "content_block_stop", "index": index}));
            self.next += 1;
        }
    }

    fn take(&mut self, delta: &Value) {
        for detail in delta["reasoning_details"].as_array().into_iter().flatten() {
            if self.open != Some("thinking") {
                self.open("thinking", json!({"type": "thinking", "thinking": "", "signature": ""}));
            }
            if detail["text"] != "" || detail["signature"] == "" {
                self.delta(json!({"type": "thinking_delta", "thinking": detail["text"]}));
            }
            if detail["signature"].as_str().is_some_and(|s| !s.is_empty()) {
                self.delta(json!({"type": "signature_delta", "signature": detail["signature"]}));
            }
        }
        if let Some(text) = delta["content"].as_str() {
            if self.open != Some("text") {
                self.open("text", json!({"type": "text", "text": ""}));
            }
            self.delta(json!({"type": "text_delta", "text": text}));
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            if call["id"].is_string() {
                let name = &call["function"]["name"];
                self.open("tool", json!({"type": "tool_use", "id": call["id"], "name": name, "input": {}}));
            }
            let arguments = &call["function"]["arguments"];
            if arguments != "" {
                self.delta(json!({"type": "input_json_delta", "partial_json": arguments}));
            }
        }
    }
}

fn claude_stream(chunks: &[Value]) -> String {
    let last = &chunks.last().unwrap()["choices"][0];
    let metadata = &last["delta"]["provider_metadata"];
    let usage = &metadata["anthropic"]["usage"];
    let mut early = usage.clone();
    early["output_tokens"] = json!(1);
    let mut blocks = Blocks { sse: String::new(), next: 0, open: None };
    blocks.event(json!({"type": "message_start", "message": {"id": response_id(metadata), "type": "message",
        "role": "assistant", "model": "claude", "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": early}}));
    chunks.iter().for_each(|chunk| blocks.take(&chunk["choices"][0]["delta"]));
    blocks.close();
    let stop = json!({"stop_reason": stop_reason(&last["finish_reason"]), "stop_sequence": null});
    blocks.event(
        json!({"type": "message_delta", "delta": stop, "usage": {"output_tokens": usage["output_tokens"]}}),
    );
    blocks.event(json!({"type": "message_stop"}));
    blocks.sse
}

fn claude_whole(body: &Value) -> Value {
    let message = &body["choices"][0]["message"];
    let mut content = Vec::new();
    for detail in message["reasoning_details"].as_array().into_iter().flatten() {
        content
            .push(json!({"type": "thinking", "thinking": detail["text"], "signature": detail["signature"]}));
    }
    if let Some(text) = message["content"].as_str().filter(|t| !t.is_empty()) {
        content.push(json!({"type": "text", "text": text}));
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let input: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        content.push(
            json!({"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": input}),
        );
    }
    let metadata = &message["provider_metadata"];
    json!({"id": response_id(metadata), "type": "message", "role": "assistant", "model": "claude", "content": content,
        "stop_reason": stop_reason(&body["choices"][0]["finish_reason"]), "stop_sequence": null,
        "usage": metadata["anthropic"]["usage"]})
}

/// Usage as the provider's chat protocol reports it; the service leaves Gemini's thoughts out.
fn openai_usage(answer: &Value, metadata: &Value) -> Value {
    let usage = &answer["usage"];
    let count = |value: &Value| value.as_u64().unwrap();
    let thoughts = &usage["completion_tokens_details"]["reasoning_tokens"];
    let (prompt, mut output) = (count(&usage["prompt_tokens"]), count(&usage["completion_tokens"]));
    if metadata["google"].is_object() {
        output += count(thoughts);
    }
    let cached = &usage["prompt_tokens_details"]["cached_tokens"];
    json!({"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thoughts}})
}

/// The chat protocol's message: reasoning is plain text.
fn plain(delta: &Value) -> Value {
    let mut plain = serde_json::Map::new();
    for (name, value) in delta.as_object().unwrap() {
        match name.as_str() {
            "reasoning" => plain.insert("reasoning_content".to_owned(), value.clone()),
            "reasoning_details" | "provider_metadata" => None,
            _ => plain.insert(name.clone(), value.clone()),
        };
    }
    Value::Object(plain)
}

fn openai_stream(chunks: &[Value]) -> String {
    let last = chunks.last().unwrap();
    let metadata = &last["choices"][0]["delta"]["provider_metadata"];
    let mut sse = String::new();
    let mut write = |choices: Value, usage: Value| {
        let mut chunk = json!({"id": response_id(metadata), "object": "chat.completion.chunk", "created": 1,
            "model": "upstream", "choices": choices});
        if !usage.is_null() {
            chunk["usage"] = usage;
        }
        if !last["service_tier"].is_null() {
            chunk["service_tier"] = last["service_tier"].clone();
        }
        sse.push_str(&format!("data: {chunk}\n\n"));
    };
    for chunk in chunks {
        let choice = &chunk["choices"][0];
        let delta = plain(&choice["delta"]);
        if delta.as_object().unwrap().is_empty() && choice["finish_reason"].is_null() {
            continue;
        }
        write(
            json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": choice["finish_reason"]}]),
            Value::Null,
        );
    }
    write(json!([]), openai_usage(last, metadata));
    sse.push_str("data: [DONE]\n\n");
    sse
}

fn openai_whole(body: &Value) -> Value {
    let choice = &body["choices"][0];
    let mut whole = json!({"id": response_id(&choice["message"]["provider_metadata"]), "object": "chat.completion",
        "created": 1, "model": "upstream",
        "choices": [{"index": 0, "message": plain(&choice["message"]), "logprobs": null,
            "finish_reason": choice["finish_reason"]}],
        "usage": openai_usage(body, &choice["message"]["provider_metadata"])});
    if !body["service_tier"].is_null() {
        whole["service_tier"] = body["service_tier"].clone();
    }
    whole
}
