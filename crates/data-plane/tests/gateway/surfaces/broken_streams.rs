//! Streams that break after content, over all surfaces and protocols: the error comes in the dialect's own
//! words, and nothing says that the answer was complete (I16, gateway-api §6.5).

use std::time::Duration;

use tollgate_simulator::{Behaviour, CutHow, Fault};

use super::setup::Surfaces;
use super::table::{Envelope, streaming};

const MODELS: [&str; 4] = ["test/chat", "anthropic/claude-haiku-4.5", "test/responses", "test/gemini"];
const SAID: &str = "one two three four five six";

async fn check_broken(faults: &[(Fault, &str, &str)], at: &Surfaces) {
    for surface in streaming() {
        for model in MODELS {
            for (fault, class, says) in faults {
                let what = format!("{} on {model}, {fault:?}", surface.name);
                at.main.set_default(Behaviour { fault: Some(fault.clone()), ..Behaviour::text(SAID) });
                let answer = surface.begin(at, model).await.answer().await;
                assert_eq!(answer.status, 200, "{what}: {}", answer.text());
                assert!(answer.clean, "{what}: the error is the last thing said, not a broken connection");
                assert!(surface.text(&answer.body).starts_with("one"), "{what}: {}", answer.text());
                assert!(!surface.is_complete(&answer.body), "{what}: {}", answer.text());
                let (kind, message) = surface.error_in(&answer.body);
                let kinds: &[&str] = match surface.envelope {
                    Envelope::Anthropic => &["api_error", "overloaded_error", "timeout_error"],
                    _ => &["internal_server_error"],
                };
                assert!(kinds.contains(&kind.as_str()), "{what}: {kind}");
                assert!(message.contains(says) && message.len() > 8, "{what}: {message}");
                let row = at.row_of(&answer).await;
                assert_eq!(row.failure.as_deref(), Some(*class), "{what}");
                assert_eq!((row.client_status, row.attempts), (200, 1), "{what}");
                assert!(row.usage.estimated && row.cost.unwrap().0 > 0, "{what}: {row:?}");
            }
        }
    }
}

#[tokio::test]
async fn i16_a_cut_stream_ends_in_the_dialects_own_error() {
    let at = Surfaces::start().await;
    let cut = |how| (Fault::Cut { after: 2, how }, "truncated", "");
    check_broken(&[cut(CutHow::Reset), cut(CutHow::Close), cut(CutHow::End)], &at).await;
}

#[tokio::test]
async fn i16_an_error_inside_a_stream_ends_in_the_dialects_own_error() {
    let at = Surfaces::start().await;
    check_broken(&[(Fault::ErrorEvent { after: 2 }, "overloaded", "verloaded")], &at).await;
}

#[tokio::test]
async fn i23_a_stalled_stream_ends_in_the_dialects_own_error() {
    let at = Surfaces::with(|setup| setup.settings.event_gap_timeout = Duration::from_millis(120)).await;
    check_broken(&[(Fault::Stall { after: 1 }, "timeout", "stalled")], &at).await;
}

/// A provider that thinks for long: the client's connection is kept alive in a way that its reader takes.
#[tokio::test]
async fn a_silent_stream_is_kept_alive_on_every_surface() {
    let at = Surfaces::with(|setup| setup.settings.keep_alive = Duration::from_millis(30)).await;
    for surface in streaming() {
        let ping = match surface.envelope {
            Envelope::Anthropic => "event: ping\ndata: {\"type\":\"ping\"}\n\n",
            _ => ": ping\n\n",
        };
        let mut exchange = surface.begin(&at, "test/puppet").await;
        let mut call = at.puppet.call().await;
        call.begin().await;
        call.role().await;
        call.text("Hello").await;
        exchange.head().await;
        let mut text = exchange.until("Hello").await;
        while text.matches(ping).count() < 2 {
            text.push_str(&exchange.until("\n\n").await);
        }
        call.text(" again").await;
        call.finish().await;
        let (rest, clean) = exchange.rest().await;
        let body = [text.as_bytes(), &rest].concat();
        assert!(clean && surface.is_complete(&body), "{}: {}", surface.name, String::from_utf8_lossy(&body));
        assert_eq!(surface.text(&body), "Hello again", "{}", surface.name);
    }
}
