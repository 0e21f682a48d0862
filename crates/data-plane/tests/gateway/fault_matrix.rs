//! Every way a provider can fail × stream or whole × both protocols × with and without a healthy second
//! target: what the client sees, how often each provider was asked, what the row says.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tollgate_simulator::{Answer as Said, Behaviour, CutHow, ErrorBody, Fault};

use crate::chunks::Chunks;
use crate::world::{Row, World, question};

/// One way to fail, and what a client with one provider hears.
#[derive(Clone)]
struct Case {
    name: &'static str,
    /// `None`: the provider's port is closed.
    behaviour: Option<Behaviour>,
    status: u16,
    kind: &'static str,
    /// Part of the message.
    says: &'static str,
    /// Attempts on one target.
    tries: u64,
    /// Another target is asked.
    onward: bool,
    /// Only for streams, only for whole answers, or both.
    forms: &'static [bool],
    /// The failure's class in the row; of two, either: which one depends on how much of it made sense.
    class: &'static [&'static str],
}

const BOTH: &[bool] = &[true, false];
const INVALID: &str = "invalid_request_error";
const INTERNAL: &str = "internal_server_error";

fn case(
    name: &'static str,
    fault: Fault,
    heard: (u16, &'static str, &'static str),
    tries: u64,
    class: &'static [&'static str],
) -> Case {
    let (status, kind, says) = heard;
    let behaviour = Some(Behaviour { fault: Some(fault), ..Behaviour::text("one two three four five") });
    Case { name, behaviour, status, kind, says, tries, onward: true, forms: BOTH, class }
}

fn status(code: u16) -> Fault {
    Fault::Status { status: code, headers: Vec::new(), body: ErrorBody::Provider }
}

fn retry_after(code: u16, seconds: &str) -> Fault {
    let headers = vec![("retry-after".to_owned(), seconds.to_owned())];
    Fault::Status { status: code, headers, body: ErrorBody::Provider }
}

fn page(code: u16) -> Fault {
    let body = "<html><head><title>Bad gateway at the edge</title></head></html>".to_owned();
    Fault::Status {
        status: code,
        headers: Vec::new(),
        body: ErrorBody::Custom { content_type: "text/html".to_owned(), body },
    }
}

fn statuses() -> Vec<Case> {
    let dependency = "failed_dependency";
    let last = |case: Case| Case { onward: false, ..case };
    vec![
        last(case("400", status(400), (400, INVALID, "The request was refused."), 1, &["invalid_request"])),
        case("401", status(401), (502, dependency, "Incorrect API key provided."), 1, &["auth"]),
        case(
            "402",
            status(402),
            (502, dependency, "Your credit balance is too low to access the API."),
            1,
            &["billing"],
        ),
        case("403", status(403), (502, dependency, "You do not have permission"), 1, &["permission"]),
        case("404", status(404), (404, "model_not_found", "The model does not exist"), 1, &["not_found"]),
        case("408", status(408), (504, INTERNAL, "The request was refused."), 2, &["timeout"]),
        last(case(
            "413",
            status(413),
            (413, INVALID, "Request exceeds the maximum size"),
            1,
            &["request_too_large"],
        )),
        case("429", status(429), (429, "rate_limit_exceeded", "Rate limit reached"), 2, &["rate_limit"]),
        case(
            "429 after 0",
            retry_after(429, "0"),
            (429, "rate_limit_exceeded", "Rate limit reached"),
            2,
            &["rate_limit"],
        ),
        case(
            "429 after 30",
            retry_after(429, "30"),
            (429, "rate_limit_exceeded", "Rate limit reached"),
            1,
            &["rate_limit"],
        ),
        case("500", status(500), (502, INTERNAL, "The server had an error"), 2, &["server"]),
        case("502", status(502), (502, INTERNAL, "The server had an error"), 2, &["server"]),
        case("503", status(503), (503, INTERNAL, "overloaded"), 2, &["overloaded"]),
        case("529", status(529), (503, INTERNAL, "Overloaded"), 2, &["overloaded"]),
        case("page 502", page(502), (502, INTERNAL, "HTML page: Bad gateway at the edge"), 2, &["server"]),
    ]
}

fn connections() -> Vec<Case> {
    let refused = Case {
        behaviour: None,
        ..case("refused", Fault::EmptyBody, (502, INTERNAL, "ould not connect"), 2, &["server"])
    };
    vec![
        refused,
        case("reset", Fault::ResetBeforeHeaders, (502, INTERNAL, "broke before an answer"), 2, &["server"]),
        case("closed", Fault::CloseBeforeHeaders, (502, INTERNAL, "broke before an answer"), 2, &["server"]),
        case("empty 200", Fault::EmptyBody, (502, INTERNAL, ""), 2, &["truncated"]),
        case(
            "cut by reset",
            Fault::Cut { after: 0, how: CutHow::Reset },
            (502, INTERNAL, ""),
            2,
            &["truncated"],
        ),
        case(
            "cut by close",
            Fault::Cut { after: 0, how: CutHow::Close },
            (502, INTERNAL, ""),
            2,
            &["truncated"],
        ),
    ]
}

fn bodies() -> Vec<Case> {
    let only = |forms, case: Case| Case { forms, ..case };
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Come back later.", "code": null}});
    let inside = Behaviour { answer: Said::Json { status: 200, body: error }, ..Behaviour::default() };
    let disguised = Fault::WrongContentType { content_type: "text/html".to_owned() };
    vec![
        Case {
            behaviour: Some(inside),
            ..case("200 with an error", Fault::Hang, (503, INTERNAL, "Come back later."), 2, &["overloaded"])
        },
        case("error event", Fault::ErrorEvent { after: 0 }, (503, INTERNAL, "verloaded"), 2, &["overloaded"]),
        only(
            &[true],
            case(
                "not a stream",
                disguised,
                (502, INTERNAL, "asked for an event stream but answered with text/html"),
                2,
                &["server"],
            ),
        ),
        case("page 200", page(200), (502, INTERNAL, ""), 2, &["server"]),
        case("malformed", Fault::Malformed { after: 0 }, (502, INTERNAL, ""), 2, &["server", "truncated"]),
        only(
            &[true],
            case(
                "clean end too soon",
                Fault::Cut { after: 0, how: CutHow::End },
                (502, INTERNAL, ""),
                2,
                &["truncated"],
            ),
        ),
        only(
            &[false],
            case(
                "half a body",
                Fault::Cut { after: 0, how: CutHow::End },
                (502, INTERNAL, ""),
                2,
                &["server", "truncated"],
            ),
        ),
        only(
            &[false],
            case(
                "oversized body",
                Fault::Oversized { after: 0, bytes: 1 << 20 },
                (502, INTERNAL, "exceeds 262144 bytes"),
                2,
                &["server"],
            ),
        ),
    ]
}

/// The world of a case. Deadlines are short only where they are what is tested.
async fn world(case: &Case, hangs: bool) -> World {
    let world = World::with(|setup| {
        setup.settings.max_reply_bytes = 256 << 10;
        if hangs {
            setup.settings.first_content_timeout = Duration::from_millis(700);
        }
    })
    .await;
    if let Some(behaviour) = &case.behaviour {
        world.primary.set_default(behaviour.clone());
    }
    world
}

fn model(case: &Case, anthropic: bool, duo: bool) -> String {
    let refused = case.behaviour.is_none();
    let parts =
        [(anthropic, "claude"), (refused, "refused"), (!anthropic && !refused && !duo, "solo"), (duo, "duo")];
    let named: Vec<_> = parts.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
    format!("test/{}", named.join("-"))
}

/// One target: the client is told, in the words of the provider, under a status of its own.
async fn alone(case: &Case, stream: bool, anthropic: bool, hangs: bool) {
    let what = format!("{}, stream {stream}, anthropic {anthropic}, alone", case.name);
    let world = world(case, hangs).await;
    let answer = world.chat(&question(&model(case, anthropic, false), stream)).await;
    assert_eq!(answer.status, case.status, "{what}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    let body = answer.json();
    assert_eq!(body["error"]["type"], case.kind, "{what}: {body}");
    assert!(answer.message().contains(case.says) && answer.message().len() >= 10, "{what}: {body}");
    let attempts = body["providerMetadata"]["gateway"]["routing"]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len() as u64, case.tries, "{what}: {body}");
    assert!(attempts.iter().all(|a| a["success"] == false && a["error"].is_string()), "{what}: {body}");
    if let Some(Fault::Status { status, .. }) = case.behaviour.as_ref().and_then(|b| b.fault.as_ref()) {
        assert!(
            attempts.iter().all(|a| a["statusCode"] == *status),
            "{what}: the provider's own status: {body}"
        );
    }
    let asked = if case.name == "429 after 30" {
        Some("30")
    } else if case.name == "429 after 0" {
        Some("0")
    } else {
        None
    };
    assert_eq!(answer.header("retry-after"), asked, "{what}");
    if case.status == 404 {
        assert!(body["error"]["param"]["modelId"].as_str().unwrap().starts_with("test/"), "{what}: {body}");
    }
    if case.behaviour.is_some() {
        assert_eq!(world.primary.stats().requests, case.tries, "{what}");
    }
    check_free(&world, &what, case, case.tries, answer.generation()).await;
}

/// I7: an error costs nothing, and its row says which failure it was.
async fn check_free(world: &World, what: &str, case: &Case, attempts: u64, id: Option<String>) {
    let rows = world.rows().await;
    assert_eq!(rows.len(), 1, "{what}: {rows:?}");
    let Row { id: row_id, status, cost, failure, client_status, attempts: counted, .. } = rows[0].clone();
    assert_eq!((status.as_str(), cost, Some(row_id)), ("void", Some(0), id), "{what}");
    let failure = failure.unwrap_or_default();
    assert!(case.class.contains(&failure.as_str()), "{what}: {failure}, expected {:?}", case.class);
    assert_eq!(client_status, i64::from(case.status), "{what}");
    assert_eq!(counted as u64, attempts, "{what}");
}

/// A healthy second target: the client never notices, unless the failure is its own.
async fn replaced(case: &Case, stream: bool, anthropic: bool, hangs: bool) {
    let what = format!("{}, stream {stream}, anthropic {anthropic}, with a second target", case.name);
    let world = world(case, hangs).await;
    world.backup.set_default(Behaviour::text("all is well"));
    let answer = world.chat(&question(&model(case, anthropic, true), stream)).await;
    if case.behaviour.is_some() {
        assert_eq!(world.primary.stats().requests, case.tries, "{what}: {}", answer.text());
    }
    assert_eq!(world.backup.stats().requests, u64::from(case.onward), "{what}");
    if !case.onward {
        assert_eq!(
            (answer.status, answer.json()["error"]["type"].as_str()),
            (case.status, Some(case.kind)),
            "{what}"
        );
        return check_free(&world, &what, case, case.tries, answer.generation()).await;
    }
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    let (text, metadata) = if stream {
        let chunks = Chunks::read(&answer.body);
        assert!(chunks.done && chunks.error().is_none(), "{what}");
        (chunks.text(), chunks.last()["choices"][0]["delta"]["provider_metadata"].clone())
    } else {
        let message = answer.json()["choices"][0]["message"].clone();
        (message["content"].as_str().unwrap().to_owned(), message["provider_metadata"].clone())
    };
    assert_eq!(text, "all is well", "{what}");
    let routing = &metadata["gateway"]["routing"];
    let attempts = routing["attempts"].as_array().unwrap();
    assert_eq!(attempts.len() as u64, case.tries + 1, "{what}: {routing}");
    let succeeded: Vec<_> = attempts.iter().map(|a| a["success"] == true).collect();
    assert_eq!(succeeded.iter().filter(|s| **s).count(), 1, "{what}");
    assert!(
        *succeeded.last().unwrap() && routing["finalProvider"].as_str().unwrap().ends_with("backup"),
        "{what}: {routing}"
    );
    let rows = world.rows().await;
    assert_eq!(
        (rows.len(), rows[0].status.as_str(), rows[0].attempts as u64),
        (1, "settled", case.tries + 1),
        "{what}"
    );
    assert!(rows[0].provider.ends_with("backup") && rows[0].cost.unwrap() > 0, "{what}: {rows:?}");
}

/// All cells of the table, a few at a time.
async fn run(cases: Vec<Case>, hangs: bool) {
    let mut running = JoinSet::new();
    for case in cases {
        for &stream in case.forms {
            for anthropic in [false, true] {
                for second in [false, true] {
                    if running.len() >= 8 {
                        running.join_next().await.unwrap().unwrap();
                    }
                    let case = case.clone();
                    running.spawn(async move {
                        if second {
                            replaced(&case, stream, anthropic, hangs).await;
                        } else {
                            alone(&case, stream, anthropic, hangs).await;
                        }
                    });
                }
            }
        }
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn i07_error_statuses() {
    run(statuses(), false).await;
}

#[tokio::test]
async fn i07_broken_connections() {
    run(connections(), false).await;
}

#[tokio::test]
async fn i07_bodies_that_are_no_answers() {
    run(bodies(), false).await;
}

#[tokio::test]
async fn i23_silence_before_content() {
    let says = "within 700ms";
    let hang = case("hang", Fault::Hang, (504, INTERNAL, says), 2, &["timeout"]);
    let stall = case("stall", Fault::Stall { after: 0 }, (504, INTERNAL, says), 2, &["timeout"]);
    run(vec![hang, stall], true).await;
}

/// One event beyond the limit of the reader: a failed attempt before content, an in-band error after it.
#[tokio::test]
async fn i26_an_event_without_end_is_not_held() {
    // The limit is checked between reads.
    let bytes = tollgate_wire::sse::DEFAULT_EVENT_LIMIT + (2 << 20);
    let world = World::start().await;
    let fault = |after| Behaviour {
        fault: Some(Fault::Oversized { after, bytes }),
        ..Behaviour::text("one two three")
    };
    world.primary.set_default(fault(0));
    let answer = world.chat(&question("test/duo", true)).await;
    assert_eq!((answer.status, world.backup.stats().requests), (200, 1), "{}", answer.text());
    world.primary.set_default(fault(1));
    let answer = world.chat(&question("test/claude", true)).await;
    let chunks = Chunks::read(&answer.body);
    assert!(!chunks.done && chunks.text().starts_with("one"), "{}", chunks.text());
    assert_eq!(chunks.error().unwrap()["type"], INTERNAL);
}

/// Once content has been sent, no other target is asked: the client is told in-band, and what was made counts.
#[tokio::test]
async fn i15_i16_failures_after_content() {
    for (name, fault, class) in [
        ("reset", Fault::Cut { after: 2, how: CutHow::Reset }, "truncated"),
        ("close", Fault::Cut { after: 2, how: CutHow::Close }, "truncated"),
        ("clean end", Fault::Cut { after: 2, how: CutHow::End }, "truncated"),
        ("malformed", Fault::Malformed { after: 2 }, "server"),
        ("error event", Fault::ErrorEvent { after: 2 }, "overloaded"),
        ("stall", Fault::Stall { after: 2 }, "timeout"),
    ] {
        for model in ["test/duo", "test/claude-duo"] {
            let what = format!("{name} {model}");
            let world =
                World::with(|setup| setup.settings.event_gap_timeout = Duration::from_millis(300)).await;
            let behaviour =
                Behaviour { fault: Some(fault.clone()), ..Behaviour::text("one two three four five") };
            world.primary.set_default(behaviour);
            let answer = world.chat(&question(model, true)).await;
            assert_eq!(answer.status, 200, "{what}");
            let chunks = Chunks::read(&answer.body);
            assert!(!chunks.done && !chunks.finished(), "{what}: {}", answer.text());
            assert!(chunks.text().starts_with("one"), "{what}: {}", answer.text());
            let error = chunks.error().unwrap_or_else(|| panic!("{what}: {}", answer.text()));
            assert!(error["message"].is_string() && error["type"] == INTERNAL, "{what}: {error}");
            assert_eq!((world.primary.stats().requests, world.backup.stats().requests), (1, 0), "{what}");
            let row = &world.rows().await[0];
            assert_eq!(
                (row.failure.as_deref(), row.attempts, row.client_status),
                (Some(class), 1, 200),
                "{what}"
            );
            assert!(row.status == "estimated" && row.cost.unwrap() > 0, "{what}: {row:?}");
        }
    }
}
