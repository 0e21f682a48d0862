//! What reading a request and writing an answer cost. `cargo bench -p tollgate-dialects`.
//!
//! The bodies have the shapes that matter in use: a short question, one long prompt, a long history.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at broken input")]

use bytes::Bytes;
use divan::{Bencher, black_box};
use tollgate_dialects::ReplyContext;
use tollgate_dialects::chat_completions::{Request, StreamSplice, splice_whole};
use tollgate_domain::id::Ulid;
use tollgate_domain::receipt::{AttemptRecord, CredentialKind, Receipt, Routing};
use tollgate_domain::{GenerationId, ModelId, Nanodollars, Usage};

fn main() {
    divan::main();
}

/// Prose with the escapes of prose: a line feed in a hundred characters, quotes here and there.
fn prose(size: usize) -> String {
    const LINE: &str = "Consider the case of a river that bends around a hill; it does so \\\"slowly\\\", grain by grain.\\n";
    LINE.repeat(size / LINE.len() + 1)
}

fn request(messages: usize, bytes: usize) -> Bytes {
    let text = prose(bytes / messages);
    let turn = |i: usize| {
        let role = if i.is_multiple_of(2) { "user" } else { "assistant" };
        format!(r#"{{"role":"{role}","content":"{text}"}}"#)
    };
    let turns: Vec<_> = (0..messages).map(turn).collect();
    let text = format!(
        r#"{{"model":"openai/gpt-4o-mini","messages":[{{"role":"system","content":"Be brief."}},{}],"temperature":0.2,"max_tokens":256,"stream":false,"user":"someone"}}"#,
        turns.join(",")
    );
    Bytes::from(text)
}

fn context() -> ReplyContext {
    ReplyContext {
        generation: GenerationId(Ulid::from_parts(1_760_000_000_000, 1)),
        created_seconds: 1_760_000_000,
        model: "openai/gpt-4o-mini".into(),
        fingerprint: "fp_0123456789".into(),
        exclude_reasoning: false,
        prompt_tokens_estimate: 0,
    }
}

fn receipt() -> Receipt {
    Receipt {
        generation: context().generation,
        routing: Routing {
            original_model: ModelId::new("openai/gpt-4o-mini"),
            canonical_model: ModelId::new("openai/gpt-4o-mini"),
            resolved_provider: "openai".into(),
            resolved_provider_model: "gpt-4o-mini".into(),
            fallbacks: vec!["azure".into()],
            reasoning: "Providers by price.".into(),
            final_provider: "openai".into(),
            attempts: vec![AttemptRecord {
                provider: "openai".into(),
                provider_model: "gpt-4o-mini".into(),
                credential: CredentialKind::System,
                success: true,
                start_nanos: 237_488_977_233,
                end_nanos: 237_988_977_233,
                status: Some(200),
                error: None,
                response_id: Some("chatcmpl-0123456789abcdefghij".into()),
                request_id: None,
            }],
        },
        usage: Usage { input_uncached: 100, output_text: 200, ..Usage::default() },
        cost: Some(Nanodollars(135_000)),
        market_cost: Some(Nanodollars(135_000)),
        byok: false,
        native: None,
        service_tier: Some("default".into()),
        warnings: Vec::new(),
    }
}

const USAGE: &str = r#"{"prompt_tokens":100,"completion_tokens":200,"total_tokens":300,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;

fn whole() -> String {
    format!(
        r#"{{"id":"chatcmpl-0123456789abcdefghij","object":"chat.completion","created":1760000000,"model":"gpt-4o-mini-2024-07-18","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{USAGE},"service_tier":"default","system_fingerprint":"fp_50cad350e4"}}"#,
        prose(400)
    )
}

fn chunk(delta: &str, finish: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-0123456789abcdefghij","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_50cad350e4","choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"usage":null}}"#
    )
}

fn usage_chunk() -> String {
    format!(
        r#"{{"id":"chatcmpl-0123456789abcdefghij","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_50cad350e4","choices":[],"usage":{USAGE}}}"#
    )
}

#[divan::bench]
fn request_1k(bencher: Bencher) {
    let body = request(1, 700);
    bencher.bench(|| Request::parse(black_box(&body)).unwrap());
}

#[divan::bench]
fn request_200k_one_prompt(bencher: Bencher) {
    let body = request(1, 200_000);
    bencher.bench(|| Request::parse(black_box(&body)).unwrap());
}

#[divan::bench]
fn request_200k_300_messages(bencher: Bencher) {
    let body = request(300, 200_000);
    bencher.bench(|| Request::parse(black_box(&body)).unwrap());
}

#[divan::bench]
fn answer_1k(bencher: Bencher) {
    let (context, body, receipt) = (context(), whole(), receipt());
    bencher.bench(|| splice_whole(&context, black_box(body.as_bytes()), &receipt).unwrap());
}

#[divan::bench]
fn metadata(bencher: Bencher) {
    let receipt = receipt();
    bencher.bench(|| tollgate_dialects::metadata::provider_metadata(black_box(&receipt), None));
}

/// One more chunk of a stream that is under way.
fn next_chunk(bencher: Bencher, delta: impl Fn(usize) -> String) {
    let mut splice = StreamSplice::new(context());
    let mut out = Vec::with_capacity(4096);
    splice.event(chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null").as_bytes(), &mut out);
    let chunks: Vec<_> = (0..16).map(|i| chunk(&delta(i), "null")).collect();
    let mut at = 0;
    bencher.bench_local(|| {
        out.clear();
        at = (at + 1) % chunks.len();
        splice.event(black_box(chunks[at].as_bytes()), &mut out);
        out.len()
    });
}

#[divan::bench]
fn chunk_content(bencher: Bencher) {
    next_chunk(bencher, |i| format!(r#"{{"content":" word{i}"}}"#));
}

#[divan::bench]
fn chunk_reasoning(bencher: Bencher) {
    next_chunk(bencher, |i| format!(r#"{{"reasoning_content":" word{i}","content":null}}"#));
}

#[divan::bench]
fn chunk_tool_arguments(bencher: Bencher) {
    next_chunk(bencher, |i| {
        format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":"\"w{i}"}}}}]}}"#)
    });
}

#[divan::bench]
fn stream_of_one_word(bencher: Bencher) {
    let chunks = [
        chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null"),
        chunk(r#"{"content":"Hi"}"#, "null"),
        chunk("{}", "\"stop\""),
        usage_chunk(),
    ];
    let (context, receipt) = (context(), receipt());
    bencher.bench_local(|| {
        let mut splice = StreamSplice::new(context.clone());
        let mut out = Vec::with_capacity(4096);
        for chunk in &chunks {
            splice.event(black_box(chunk.as_bytes()), &mut out);
        }
        splice.close(&receipt, &mut out);
        out
    });
}
