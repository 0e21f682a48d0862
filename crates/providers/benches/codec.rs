//! What passing a chat-completions exchange to a provider and reading along its answer cost.
//! `cargo bench -p tollgate-providers`.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at broken input")]

use divan::{Bencher, black_box};
use tollgate_providers::openai::chat::{ChatTap, Quirks, adapt_checked, parse_usage};
use tollgate_providers::{Tap, Target};
use tollgate_wire::json::Checked;

fn main() {
    divan::main();
}

fn target() -> Target {
    Target {
        provider: "openai".into(),
        model: "gpt-4o-mini".into(),
        canonical: "openai/gpt-4o-mini".into(),
        ..Target::default()
    }
}

/// Prose with the escapes of prose: a line feed in a hundred characters, quotes here and there.
fn prose(size: usize) -> String {
    const LINE: &str = "Consider the case of a river that bends around a hill; it does so \\\"slowly\\\", grain by grain.\\n";
    LINE.repeat(size / LINE.len() + 1)
}

fn request(messages: usize, bytes: usize) -> String {
    let text = prose(bytes / messages);
    let turn = |i: usize| {
        let role = if i.is_multiple_of(2) { "user" } else { "assistant" };
        format!(r#"{{"role":"{role}","content":"{text}"}}"#)
    };
    let turns: Vec<_> = (0..messages).map(turn).collect();
    format!(
        r#"{{"model":"openai/gpt-4o-mini","messages":[{{"role":"system","content":"Be brief."}},{}],"temperature":0.2,"max_tokens":256,"stream":false,"user":"someone"}}"#,
        turns.join(",")
    )
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

fn bench_adapt(bencher: Bencher, messages: usize, bytes: usize) {
    let (body, target) = (request(messages, bytes), target());
    let checked = Checked::new(body.as_bytes()).unwrap();
    bencher.bench(|| adapt_checked(black_box(&checked), &target, false).unwrap());
}

#[divan::bench]
fn adapt_1k(bencher: Bencher) {
    bench_adapt(bencher, 1, 700);
}

#[divan::bench]
fn adapt_200k_one_prompt(bencher: Bencher) {
    bench_adapt(bencher, 1, 200_000);
}

#[divan::bench]
fn adapt_200k_300_messages(bencher: Bencher) {
    bench_adapt(bencher, 300, 200_000);
}

#[divan::bench]
fn quirks(bencher: Bencher) {
    let target = target();
    bencher.bench(|| Quirks::for_target(black_box(&target)));
}

#[divan::bench]
fn usage(bencher: Bencher) {
    let convention = Quirks::for_target(&target()).usage;
    bencher.bench(|| parse_usage(black_box(USAGE.as_bytes()), convention).unwrap());
}

#[divan::bench]
fn answer_1k(bencher: Bencher) {
    let (body, target) = (whole(), target());
    bencher.bench(|| {
        let mut tap = ChatTap::new(&target);
        tap.whole(black_box(body.as_bytes()));
        tap.seen().usage.unwrap()
    });
}

/// One more chunk of a stream that is under way.
fn next_chunk(bencher: Bencher, delta: impl Fn(usize) -> String) {
    let mut tap = ChatTap::new(&target());
    tap.event(b"", chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null").as_bytes());
    let chunks: Vec<_> = (0..16).map(|i| chunk(&delta(i), "null")).collect();
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % chunks.len();
        tap.event(b"", black_box(chunks[at].as_bytes()))
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
        "[DONE]".to_owned(),
    ];
    let target = target();
    bencher.bench_local(|| {
        let mut tap = ChatTap::new(&target);
        for chunk in &chunks {
            tap.event(b"", black_box(chunk.as_bytes()));
        }
        tap.seen().usage.unwrap()
    });
}
