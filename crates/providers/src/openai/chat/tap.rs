//! Reads along while a reply of the protocol is passed through: what was consumed and how it ended, by the
//! same rules as the decoder (I2), without building anything of the content.

use tollgate_domain::Failure;
use tollgate_domain::reply::FinishReason;
use tollgate_wire::json::{self, Object, Pattern};

use super::chunk::Chunk;
use super::decode::{merge_info, native};
use super::ending::Ending;
use super::quirks::{Quirks, UsageConvention};
use super::usage::UsageReport;
use crate::{BodyForm, Seen, Tap, Tapped, Target};

/// A tap on one reply.
pub struct ChatTap {
    provider: String,
    usage: UsageConvention,
    ending: Ending,
    report: Option<UsageReport>,
    seen: Seen,
    /// How it ended, once it has.
    over: Option<Option<Failure>>,
    /// The last chunk, when it brought content and nothing else: the next is most often like it.
    like: Option<Like>,
    /// Patterns made since one was last of use.
    unused: u8,
}

/// A chunk that differs from the ones after it in the text that it adds.
struct Like {
    pattern: Pattern,
    /// Bytes of output that it counts for beside its text.
    beside: i64,
}

/// So many patterns that no chunk fits are made; then the stream is not of that kind.
const MOST_UNUSED: u8 = 4;

/// Members of a delta that a client sees.
const TEXTS: [&str; 4] = ["content", "reasoning", "reasoning_content", "refusal"];
const LISTS: [&str; 4] = ["tool_calls", "reasoning_details", "images", "annotations"];

impl ChatTap {
    /// A tap on a reply of an endpoint.
    #[must_use]
    pub fn new(target: &Target) -> Self {
        Self {
            provider: target.provider.clone(),
            usage: Quirks::for_target(target).usage,
            ending: Ending::default(),
            report: None,
            seen: Seen::default(),
            over: None,
            like: None,
            unused: 0,
        }
    }

    fn chunk(&mut self, name: &[u8], data: &[u8], form: BodyForm) -> Tapped {
        let chunk = match Chunk::parse(data, &self.provider, name) {
            Ok(chunk) => chunk,
            Err(_) if self.ending.is_decided() => return Tapped::Nothing,
            Err(failure) => return self.fail(failure),
        };
        merge_info(&mut self.seen.info, &chunk);
        let before = self.seen.output_bytes;
        let mut content = false;
        let mut finishes = false;
        let mut text = None;
        // All choices are content and consumption; how the answer ended is for the first one to say, as in the
        // decoder, so that it is not over while the first is still written.
        let first = chunk.choice();
        for choice in chunk.choices() {
            let is_first = first.as_ref().is_some_and(|first| first.is(&choice));
            if let Some(delta) = choice.delta(form) {
                let size_before = self.seen.output_bytes;
                let (shown, calls) = self.delta(&delta);
                content |= shown;
                text = text.or_else(|| added_text(&delta));
                // Sources alone are no answer, as in the decoder.
                let sourced = self.seen.output_bytes == size_before && delta.has("annotations");
                self.ending.content |= is_first && shown && (calls || !sourced || has_more(&delta));
                self.ending.tool_calls |= is_first && calls;
            }
            if let Some(reason) = choice.finish_reason() {
                finishes = true;
                if is_first {
                    self.ending.note(&reason);
                }
            }
        }
        let report = chunk.usage(self.usage);
        if let Some(text) = text.filter(|_| content && !finishes && report.is_none() && name.is_empty()) {
            let added = self.seen.output_bytes - before;
            self.like = self.pattern(data, text, chunk.padding(), added);
        }
        if let Some(report) = report {
            self.seen.usage = Some(report.usage);
            self.report = Some(report);
        }
        if content { Tapped::Content } else { Tapped::Nothing }
    }

    /// Expects further chunks like this one.
    fn pattern(&mut self, data: &[u8], text: &[u8], padding: Option<&[u8]>, added: u64) -> Option<Like> {
        if self.unused >= MOST_UNUSED {
            return None;
        }
        self.unused += 1;
        let holes: Option<Vec<_>> =
            std::iter::once(text).chain(padding).map(|part| json::place(data, part)).collect();
        let beside = i64::try_from(added).ok()? - i64::try_from(text.len()).ok()?;
        Some(Like { pattern: Pattern::new(data, &holes?)?, beside })
    }

    /// Whether the chunk is like the one before; what it adds is then counted.
    fn alike(&mut self, name: &[u8], data: &[u8]) -> bool {
        let Some(like) = self.like.as_ref().filter(|_| name.is_empty()) else { return false };
        let fit = like.pattern.fit(data).filter(|fillings| fillings[0].len() > 2);
        let Some([text, _]) = fit else {
            self.like = None;
            return false;
        };
        let added = i64::try_from(text.len()).unwrap_or(0) + like.beside;
        self.seen.output_bytes += u64::try_from(added).unwrap_or(0);
        self.unused = 0;
        true
    }

    /// Whether the delta holds anything a client sees, and whether that is calls; its bytes are counted.
    fn delta(&mut self, delta: &Object<'_>) -> (bool, bool) {
        let before = self.seen.output_bytes;
        for key in TEXTS {
            if let Some(raw) = delta.get(key) {
                self.seen.output_bytes += size(raw);
            }
        }
        let mut listed = false;
        for key in LISTS {
            listed |= delta.get(key).is_some_and(is_filled_list);
        }
        let mut calls = false;
        if let Some(raw) = delta.get("tool_calls").filter(|raw| is_filled_list(raw)) {
            // As in the decoder, what is no object is no call.
            calls = json::elements(raw).is_ok_and(|entries| entries.iter().any(|e| e.first() == Some(&b'{')));
            self.seen.output_bytes += size(raw);
        }
        let object = |key: &str| delta.get(key).is_some_and(|raw| raw.first() == Some(&b'{'));
        if object("function_call") {
            calls = true;
            listed = true;
        }
        (listed || object("audio") || self.seen.output_bytes > before, calls)
    }

    fn fail(&mut self, failure: Failure) -> Tapped {
        if self.over.is_none() {
            self.over = Some(Some(failure.clone()));
        }
        Tapped::Failure(failure)
    }

    fn conclude(&mut self, form: BodyForm, done: bool) -> Tapped {
        // What is passed through cannot be repaired: calls count as whole when the provider says `[DONE]`.
        self.ending.tools_complete = self.ending.tool_calls;
        match self.ending.resolve(form, done) {
            Err(failure) => self.fail(failure),
            Ok((reason, _)) => {
                self.finish(reason);
                Tapped::Finished
            }
        }
    }

    fn finish(&mut self, reason: FinishReason) {
        self.over = Some(None);
        self.seen.finish = Some(reason);
        self.seen.native = Some(native(&self.seen.info, self.report.as_ref()));
    }

    /// What was decided, when the reply is over.
    fn verdict(&self) -> Option<Tapped> {
        self.over.as_ref().map(|over| over.clone().map_or(Tapped::Finished, Tapped::Failure))
    }
}

impl Tap for ChatTap {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Tapped {
        let data = data.trim_ascii();
        if self.over.is_some() || data.is_empty() {
            return Tapped::Nothing;
        }
        if data == b"[DONE]" {
            return self.conclude(BodyForm::Stream, true);
        }
        if self.alike(name, data) {
            return Tapped::Content;
        }
        self.chunk(name, data, BodyForm::Stream)
    }

    fn whole(&mut self, body: &[u8]) -> Tapped {
        if let Some(verdict) = self.verdict() {
            return verdict;
        }
        let body = body.trim_ascii();
        if !body.is_empty()
            && let failed @ Tapped::Failure(_) = self.chunk(b"", body, BodyForm::Whole)
        {
            return failed;
        }
        self.conclude(BodyForm::Whole, false)
    }

    fn end(&mut self) -> Tapped {
        self.verdict().unwrap_or_else(|| self.conclude(BodyForm::Stream, false))
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

/// The string that a delta adds: text, reasoning, or a piece of a call's arguments.
fn added_text<'a>(delta: &Object<'a>) -> Option<&'a [u8]> {
    let is_text = |raw: &&[u8]| raw.first() == Some(&b'"') && raw.len() > 2;
    let plain = ["content", "reasoning_content", "reasoning"];
    if let Some(text) = plain.into_iter().find_map(|name| delta.get_borrowed(name).filter(is_text)) {
        return Some(text);
    }
    let calls = delta.get_borrowed("tool_calls").filter(|raw| is_filled_list(raw))?;
    let call = Object::parse_checked(json::elements(calls).ok()?.first()?).ok()?;
    let function = Object::parse_checked(call.get_borrowed("function")?).ok()?;
    function.get_borrowed("arguments").filter(is_text)
}

/// Whether a delta without text holds content beside its annotations.
fn has_more(delta: &Object<'_>) -> bool {
    ["images", "reasoning_details"].into_iter().any(|key| delta.get(key).is_some_and(is_filled_list))
        || delta.get("audio").is_some_and(|raw| raw.first() == Some(&b'{'))
}

/// Bytes of text in a value: of a string its content, of a list its parts, as they stand.
fn size(raw: &[u8]) -> u64 {
    match raw.first() {
        Some(b'"') => raw.len() as u64 - 2,
        Some(b'[') if is_filled_list(raw) => raw.len() as u64,
        _ => 0,
    }
}

fn is_filled_list(raw: &[u8]) -> bool {
    raw.first() == Some(&b'[') && json::elements(raw).is_ok_and(|elements| !elements.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    proptest::proptest! {
        /// A chunk that is like the one before counts as if the one before had not been.
        #[test]
        fn i02_likeness_changes_nothing(
            steps in proptest::collection::vec((0usize..8, r#"[":,a \\{}é]{0,3}"#, 0usize..4), 1..24),
        ) {
            let target = Target { provider: "openai".into(), ..Target::default() };
            let (mut alike, mut apart) = (ChatTap::new(&target), ChatTap::new(&target));
            for (kind, text, more) in steps {
                let delta = match kind {
                    0 | 1 => json!({"content": text}),
                    2 => json!({"reasoning_content": text, "content": null}),
                    3 => json!({"reasoning": text, "reasoning_details": [{"text": text}]}),
                    4 => json!({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}),
                    5 => json!({"content": text, "tool_calls": []}),
                    6 => json!({"content": [{"type": "text", "text": text}]}),
                    _ => json!({}),
                };
                let mut chunk = json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
                match more {
                    1 => chunk["obfuscation"] = json!("xYz12"),
                    2 => chunk["usage"] = json!({"prompt_tokens": 1, "completion_tokens": text.len()}),
                    _ => chunk["usage"] = Value::Null,
                }
                let data = chunk.to_string();
                apart.like = None;
                let verdicts = [&mut alike, &mut apart].map(|tap| tap.event(b"", data.as_bytes()));
                proptest::prop_assert_eq!(&verdicts[0], &verdicts[1], "{}", data);
                proptest::prop_assert_eq!(alike.seen(), apart.seen(), "{}", data);
            }
            let ends = [&mut alike, &mut apart].map(|tap| tap.event(b"", b"[DONE]"));
            proptest::prop_assert_eq!(&ends[0], &ends[1]);
        }
    }

    #[test]
    fn i16_only_the_first_choice_ends_the_answer() {
        let chunk = |index: u64, delta: Value, finish: Value| {
            json!({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}).to_string()
        };
        let call =
            json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]});
        let text = |index| chunk(index, json!({"content": "four"}), Value::Null);
        let others = [text(0), text(1), chunk(1, call, Value::Null), chunk(1, json!({}), json!("length"))];
        for (last, expected) in [(None, None), (Some("stop"), Some(FinishReason::Stop))] {
            let mut tap = ChatTap::new(&Target::default());
            for data in &others {
                tap.event(b"", data.as_bytes());
            }
            assert!(tap.seen().output_bytes > 8, "what the other choices say was generated too");
            if let Some(reason) = last {
                tap.event(b"", chunk(0, json!({}), json!(reason)).as_bytes());
                tap.event(b"", chunk(1, json!({}), json!("length")).as_bytes());
            }
            let end = tap.event(b"", b"[DONE]");
            assert_eq!(matches!(end, Tapped::Finished), expected.is_some(), "{end:?}");
            assert_eq!(tap.seen().finish, expected);
        }
    }

    #[test]
    fn i02_what_is_no_call_is_none_to_the_tap_either() {
        for (calls, expected) in [
            (json!(["text", null]), FinishReason::Stop),
            (json!([null, {"function": {"name": "f"}}]), FinishReason::ToolCalls),
        ] {
            let message = json!({"content": "a", "tool_calls": calls});
            let body = json!({"choices": [{"message": message, "finish_reason": "stop"}]}).to_string();
            let mut tap = ChatTap::new(&Target::default());
            assert_eq!(tap.whole(body.as_bytes()), Tapped::Finished);
            assert_eq!(tap.seen().finish, Some(expected), "{body}");
        }
    }

    #[test]
    fn i16_sources_alone_are_no_answer() {
        let annotations = json!([{"type": "url_citation", "url_citation": {"url": "https://example.com"}}]);
        for (content, ends) in [(Value::Null, false), (json!("a"), true)] {
            let message = json!({"content": content, "annotations": annotations});
            let body = json!({"choices": [{"message": message}]}).to_string();
            let end = ChatTap::new(&Target::default()).whole(body.as_bytes());
            assert_eq!(end == Tapped::Finished, ends, "{end:?}");
        }
    }

    #[test]
    fn chunks_that_differ_in_their_text_are_recognised() {
        let mut tap = ChatTap::new(&Target::default());
        for text in ["one", "two", "three"] {
            let chunk = json!({"choices": [{"delta": {"content": text}}]}).to_string();
            assert_eq!(tap.event(b"", chunk.as_bytes()), Tapped::Content);
        }
        assert!(tap.like.is_some() && tap.unused == 0);
        assert_eq!(tap.seen().output_bytes, 11);
        // A broken chunk is not taken for one that is like the others.
        let broken = r#"{"choices":[{"delta":{"content":"fo"ur"}}]}"#;
        assert!(matches!(tap.event(b"", broken.as_bytes()), Tapped::Failure(_)));
    }
}
