//! A provider's stream of Messages or Responses, passed through: whatever the provider sends, clients get events
//! of one line of JSON and one end, the provider's when it sent one, and the tap ends as the decoder does.

use bytes::Bytes;
use tollgate_dialects::{ConversationRequest, SpliceError, messages, responses};
use tollgate_domain::failure::FailureClass;
use tollgate_domain::{Failure, ReplyEvent};
use tollgate_providers::{BodyForm, ReplyDecoder, Tap, Tapped, anthropic, openai};
use tollgate_wire::json::{self, Object};
use tollgate_wire::sse;

use crate::{chunk_stream, endpoints, own_events, reply_events, shown};

const MESSAGES: &[u8] = br#"{"model":"a/b","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
const RESPONSES: &[u8] = br#"{"model":"a/b","input":"hi"}"#;

/// A byte that names the protocol (bit 0: Responses), one for the endpoint, then a reply.
pub fn check(data: &[u8]) {
    let [what, endpoint, reply @ ..] = data else { return };
    if what % 2 == 0 {
        let request = messages::Request::parse(&Bytes::from_static(MESSAGES)).expect("a request");
        splice(&request, reply, &["message_stop", "error"]);
        whole(&request, reply);
        let target = endpoints::anthropic(true);
        let tap = anthropic::messages::MessagesTap::new(&target);
        let decoder = |form| anthropic::messages::Decoder::new(&target, form, None);
        same_end(tap, decoder(BodyForm::Stream), reply);
    } else {
        let request = responses::Request::parse(&Bytes::from_static(RESPONSES)).expect("a request");
        splice(&request, reply, &["response.completed", "response.incomplete", "response.failed"]);
        whole(&request, reply);
        let target = endpoints::responses(usize::from(*endpoint));
        let tap = openai::responses::ResponsesTap::new(&target);
        same_end(tap, openai::responses::Decoder::new(&target, BodyForm::Stream), reply);
    }
}

fn each_event(reply: &[u8], mut each: impl FnMut(&[u8], &[u8])) {
    let mut decoder = sse::Decoder::default();
    let mut each = |event: sse::Event<'_>| each(event.name, event.data);
    decoder.feed(reply, &mut each).expect("far below the limit");
    decoder.finish(&mut each);
}

/// `ends`: the types of the events that are an end.
fn splice(request: &dyn ConversationRequest, reply: &[u8], ends: &[&str]) {
    let context = chunk_stream::context(false);
    for fails in [false, true] {
        let mut splice = request.stream_splice(context.clone()).expect("a protocol of providers");
        let mut out = Vec::new();
        each_event(reply, |name, data| splice.event(name, data, &mut out));
        let before = out.len();
        if fails {
            splice.fail(&Failure::provider(FailureClass::Truncated, "The stream was cut."), &mut out);
        } else {
            splice.close(&chunk_stream::receipt(), &mut out);
        }
        assert!(out.len() > before, "no end");
        let read = own_events::read(&out);
        let found: Vec<usize> =
            read.iter().enumerate().filter(|(_, e)| ends.contains(&&*kind(e))).map(|(at, _)| at).collect();
        assert_eq!(found, [read.len() - 1], "one end, which is last: {}", shown(&out));
        if fails {
            let last = kind(&read[read.len() - 1]);
            assert!(matches!(&*last, "error" | "response.failed"), "{last}");
        }
    }
}

/// The type of an event, or else its name.
fn kind((name, data): &(String, Vec<u8>)) -> String {
    let event = Object::parse(data).expect("an object");
    event.get("type").and_then(json::string).map_or_else(|| name.clone(), |kind| kind.into_owned())
}

/// A whole answer keeps all that the gateway does not own.
fn whole(request: &dyn ConversationRequest, reply: &[u8]) {
    let (context, receipt) = (chunk_stream::context(false), chunk_stream::receipt());
    let spliced = match request.splice_whole(&context, reply, &receipt) {
        Ok(spliced) => spliced,
        Err(SpliceError::NotSpoken) => panic!("a protocol of providers"),
        Err(_) => return,
    };
    assert_eq!(json::validate(&spliced), Ok(()), "{}", shown(&spliced));
    let (sent, written) = (Object::parse(reply).expect("taken"), Object::parse(&spliced).expect("an object"));
    let id = written.get("id").and_then(json::string);
    assert_eq!(id.as_deref(), Some(&*context.generation.to_string()));
    let owned = ["id", "model", "provider_metadata", "providerMetadata"];
    for (name, _) in sent.members().filter(|(name, _)| !owned.contains(&&**name)) {
        assert_eq!(written.get(&name), sent.get(&name), "{name} was touched");
    }
}

/// The tap reads what the decoder reads, as long as the decoder takes the bytes for events.
fn same_end(mut tap: impl Tap, decoder: impl ReplyDecoder, reply: &[u8]) {
    let mut end = None;
    each_event(reply, |name, data| match tap.event(name, data) {
        found @ (Tapped::Finished | Tapped::Failure(_)) => {
            assert_eq!(end, None, "two ends");
            end = Some(found);
        }
        Tapped::Nothing | Tapped::Content => {}
    });
    let end = end.unwrap_or_else(|| tap.end());
    assert_eq!(tap.end(), end, "the end is told twice, differently");
    let first = reply.trim_ascii_start().first();
    if matches!(first, None | Some(b'{' | b'[' | b'<')) || reply.first() != first {
        return;
    }
    let events = reply_events::decode(decoder, &[reply]);
    match (events.last(), &end) {
        (Some(ReplyEvent::Finish(finish)), Tapped::Finished) => {
            assert_eq!(tap.seen().finish, Some(finish.reason), "reason");
            assert_eq!(tap.seen().native, finish.native, "metadata");
            let usage = events.iter().rev().find_map(|event| match event {
                ReplyEvent::Usage(usage) => Some(*usage),
                _ => None,
            });
            assert_eq!(tap.seen().usage, usage, "usage");
        }
        (Some(ReplyEvent::Failure(theirs)), Tapped::Failure(ours)) => {
            // Only the decoder knows an event that was cut from one that is broken.
            let cut = !reply.ends_with(b"\n\n") && !reply.ends_with(b"\n\r\n");
            assert!(cut || ours.class == theirs.class, "{} / {}", ours.message, theirs.message);
        }
        (theirs, ours) => panic!("the decoder ends in {theirs:?}, the tap in {ours:?}"),
    }
}
