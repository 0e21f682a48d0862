//! Providers that fail, over all surfaces: the client's status follows the failure's class, the sentence is
//! the provider's own, the envelope is the surface's (gateway-api §6.1, clients §3).

use serde_json::json;
use tollgate_simulator::{Behaviour, ErrorBody, Fault};
use tollgate_store::RowStatus;

use super::setup::Surfaces;
use super::table::{ALL, Envelope, Surface, Work, answered, streaming};
use crate::client::Answer;

const INVALID: &str = "invalid_request_error";
const INTERNAL: &str = "internal_server_error";
const DEPENDENCY: &str = "failed_dependency";

fn says(status: u16, sentence: &str) -> Behaviour {
    let body = ErrorBody::Message(sentence.to_owned());
    Behaviour::fault(Fault::Status { status, headers: Vec::new(), body })
}

/// The whole of a failed answer: it has the `code`, or any where the provider's own word is told; it is known by its id, what was tried is told, and it cost nothing (I7).
async fn check_failed(at: &Surfaces, surface: &Surface, answer: &Answer, code: Option<&str>, class: &str) {
    let what = format!("{}: {}", surface.name, answer.text());
    let id = answer.header("x-generation-id").unwrap_or_else(|| panic!("no id: {what}"));
    let body = answer.json();
    match surface.envelope {
        Envelope::OpenAi => {
            let told = body["error"]["code"].as_str();
            assert!(told.is_some() && (code.is_none() || told == code), "{what}");
            assert_eq!(body["generationId"], json!(id), "{what}");
        }
        Envelope::Anthropic => assert_eq!(body["request_id"], json!(id), "{what}"),
        Envelope::Cohere => {}
    }
    if surface.envelope != Envelope::Cohere {
        let attempts = &body["providerMetadata"]["gateway"]["routing"]["attempts"];
        assert!(attempts[0]["success"] == false && attempts[0]["error"].is_string(), "{what}");
    }
    let row = at.row_of(answer).await;
    assert_eq!(row.failure.as_deref(), Some(class), "{what}");
    assert_eq!((row.cost.map(|c| c.0), row.status), (Some(0), RowStatus::Void), "{what}");
    assert_eq!(row.client_status, answer.status, "{what}");
}

#[tokio::test]
async fn what_the_provider_has_against_the_operator_is_a_failed_dependency() {
    let at = Surfaces::start().await;
    for (status, sentence, code, class) in [
        (401, "Incorrect API key provided.", "provider_auth", "auth"),
        (402, "Your credit balance is too low to access the API.", "provider_billing", "billing"),
        (403, "You do not have permission", "provider_permission", "permission"),
    ] {
        at.main.set_default(Behaviour::status(status));
        for surface in answered() {
            let answer = surface.ask(&at, surface.model()).await;
            surface.check(&answer, 502, DEPENDENCY, &[sentence]);
            check_failed(&at, &surface, &answer, Some(code), class).await;
        }
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let at = Surfaces::start().await;
    for (after, tries) in [(Some("30"), 1), (None, 2)] {
        let headers = after.map(|s| ("retry-after".to_owned(), s.to_owned())).into_iter().collect();
        at.main.set_default(Behaviour::fault(Fault::Status {
            status: 429,
            headers,
            body: ErrorBody::Provider,
        }));
        for surface in answered() {
            let before = at.main.stats().requests;
            let answer = surface.ask(&at, surface.model()).await;
            surface.check(&answer, 429, "rate_limit_exceeded", &["Rate limit reached"]);
            assert_eq!(answer.header("retry-after"), after, "{}", surface.name);
            assert_eq!(at.main.stats().requests - before, tries, "{}", surface.name);
            check_failed(&at, &surface, &answer, None, "rate_limit").await;
        }
    }
}

#[tokio::test]
async fn servers_that_break_or_are_overloaded() {
    let at = Surfaces::start().await;
    for (status, client, sentence, class) in [
        (500, 502, "The server had an error", "server"),
        (503, 503, "overloaded", "overloaded"),
        (529, 503, "Overloaded", "overloaded"),
    ] {
        at.main.set_default(Behaviour::status(status));
        for surface in answered() {
            let answer = surface.ask(&at, surface.model()).await;
            surface.check(&answer, client, INTERNAL, &[sentence]);
            let row = at.row_of(&answer).await;
            assert_eq!((row.failure.as_deref(), row.attempts), (Some(class), 2), "{} {status}", surface.name);
        }
    }
}

/// Clients find an overflow by the provider's sentence or by the code, and never look at a 5xx (clients §3).
#[tokio::test]
async fn an_overflown_context_keeps_its_sentence_and_gets_the_code() {
    let at = Surfaces::start().await;
    for (status, sentence) in [
        (
            400,
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        ),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (413, "input is too long for requested model"),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    ] {
        at.main.set_default(says(status, sentence));
        for surface in answered() {
            let answer = surface.ask(&at, surface.model()).await;
            surface.check(&answer, 400, INVALID, &[]);
            assert_eq!(surface.message(&answer), sentence, "{}", surface.name);
            check_failed(&at, &surface, &answer, Some("context_length_exceeded"), "context_length").await;
        }
    }
    // A rate in tokens is no overflow.
    at.main.set_default(says(
        429,
        "Rate limit reached: too many tokens per minute. Maximum context length is no issue.",
    ));
    for surface in answered() {
        let answer = surface.ask(&at, surface.model()).await;
        surface.check(&answer, 429, "rate_limit_exceeded", &["per minute"]);
    }
}

#[tokio::test]
async fn a_content_filter_is_the_requests_own_fault() {
    let at = Surfaces::start().await;
    let sentence = "Your request was rejected: input was flagged by our moderation.";
    at.main.set_default(says(400, sentence));
    for surface in answered() {
        let before = at.main.stats().requests;
        let answer = surface.ask(&at, surface.model()).await;
        surface.check(&answer, 400, INVALID, &[sentence]);
        assert_eq!(at.main.stats().requests - before, 1, "{}", surface.name);
        check_failed(&at, &surface, &answer, Some("content_filter"), "content_filter").await;
    }
}

#[tokio::test]
async fn a_provider_that_lacks_the_model_is_404_and_names_it() {
    let at = Surfaces::start().await;
    at.main.set_default(Behaviour::status(404));
    for surface in answered() {
        let answer = surface.ask(&at, surface.model()).await;
        surface.check(&answer, 404, "model_not_found", &["The model does not exist"]);
        if surface.envelope == Envelope::OpenAi {
            assert_eq!(
                answer.json()["error"]["param"],
                json!({"modelId": surface.model()}),
                "{}",
                surface.name
            );
        }
    }
}

/// Errors that come before a stream begins are errors of status, not events.
#[tokio::test]
async fn i15_an_error_before_the_first_content_of_a_stream_has_a_status() {
    let at = Surfaces::start().await;
    for surface in streaming() {
        for (fault, status, kind) in [
            (Fault::Status { status: 403, headers: Vec::new(), body: ErrorBody::Provider }, 502, DEPENDENCY),
            (Fault::ErrorEvent { after: 0 }, 503, INTERNAL),
            (Fault::EmptyBody, 502, INTERNAL),
        ] {
            at.main.set_default(Behaviour { fault: Some(fault), ..Behaviour::text("one two three") });
            let answer = surface.begin(&at, surface.model()).await.answer().await;
            surface.check(&answer, status, kind, &[]);
        }
    }
}

#[tokio::test]
async fn a_failover_is_invisible_but_in_the_metadata() {
    let at = Surfaces::start().await;
    for fault in [401, 500] {
        at.main.set_default(Behaviour::status(fault));
        for surface in answered() {
            let before = at.spare.stats().requests;
            let answer = surface.ask(&at, &surface.duo()).await;
            let what = format!("{} {fault}: {}", surface.name, answer.text());
            if surface.work == Work::Compact {
                // Compaction has no failover (gateway-api §7.2).
                surface.check(&answer, 502, if fault == 401 { DEPENDENCY } else { INTERNAL }, &[]);
                assert_eq!(at.spare.stats().requests, before, "{what}");
                continue;
            }
            assert_eq!(answer.status, 200, "{what}");
            assert!(answer.json()["error"].is_null(), "{what}");
            assert_eq!(at.spare.stats().requests - before, 1, "{what}");
            let row = at.row_of(&answer).await;
            assert!(row.provider.ends_with("-backup") && row.failure.is_none(), "{what}: {row:?}");
            assert_eq!(row.attempts, if fault == 401 { 2 } else { 3 }, "{what}");
        }
        for surface in streaming() {
            at.spare.set_default(Behaviour::text("all is well"));
            let answer = surface.begin(&at, &surface.duo()).await.answer().await;
            assert_eq!((answer.status, surface.text(&answer.body)), (200, "all is well".to_owned()));
            assert!(surface.is_complete(&answer.body), "{}", answer.text());
        }
    }
}

/// Counting does not fail with its provider: what the provider does not say is estimated. What is wrong
/// with the request itself is told.
#[tokio::test]
async fn a_count_falls_back_to_an_estimate() {
    let at = Surfaces::start().await;
    let surface = ALL.into_iter().find(|s| s.work == Work::Count).unwrap();
    for status in [401, 402, 403, 429, 500, 503, 529] {
        at.main.set_default(Behaviour::status(status));
        let answer = surface.ask(&at, surface.model()).await;
        assert_eq!((answer.status, answer.header("x-tollgate-estimated")), (200, Some("true")), "{status}");
        assert!(answer.json()["input_tokens"].as_u64().unwrap() > 0, "{status}");
    }
    at.main.set_default(says(400, "messages.0: all messages must have non-empty content"));
    let answer = surface.ask(&at, surface.model()).await;
    surface.check(&answer, 400, INVALID, &["messages.0: all messages must have non-empty content"]);
    assert!(at.rows().await.is_empty(), "counting is no spending");
}
