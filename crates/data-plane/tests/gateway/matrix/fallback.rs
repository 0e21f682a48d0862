//! The provider of a conversation fails, and within the same request one of another family takes it over: each
//! gets a body of its own, with its own state or none (I19, I24).

use serde_json::json;
use tokio::task::JoinSet;
use tollgate_simulator::{Behaviour, Script, SeenRequest};

use super::axes::{Case, Dialect, Provider, SHARED};
use super::neutral::{Ask, Entry, result_of};
use super::world;
use crate::world::World;

/// Attempts on a provider that answers 500.
const TRIES: usize = 2;

/// How the path of a provider's protocol ends.
fn path(provider: Provider, stream: bool) -> &'static str {
    match (provider, stream) {
        (Provider::Chat, _) => "/chat/completions",
        (Provider::Responses, _) => "/responses",
        (Provider::Anthropic, _) => "/messages",
        (Provider::Gemini | Provider::OlderGemini, false) => ":generateContent",
        (Provider::Gemini | Provider::OlderGemini, true) => ":streamGenerateContent",
    }
}

async fn falls(
    world: &World,
    dialect: Dialect,
    (from, to): (Provider, Provider),
    stream: bool,
) -> Result<(), String> {
    let case = Case::ReasoningTool;
    let mut ask = Ask::person(SHARED, stream, &case.question());
    (ask.reasons, ask.tools) = (true, true);
    let (own, other) = (from.names().0, to.names().0);
    ask.routing = Some(json!({"only": [own]}));
    let answer = dialect.ask(world, &ask).await;
    if answer.status != 200 {
        return Err(format!("first turn: {}", answer.text()));
    }
    let first = dialect.read(stream, &answer);
    let mut next = ask.and_then(&first, Entry::results(&first.calls));
    next.routing = Some(json!({"order": [own, other], "only": [own, other]}));
    let fails = Script::new(Behaviour::status(500)).times(u32::try_from(TRIES).unwrap());
    world.primary.push_script(fails.on_path(path(from, stream)));
    let before = world.primary.requests().len();
    let answer = dialect.ask(world, &next).await;
    let attempts: Vec<SeenRequest> = world.primary.requests().split_off(before);
    let paths: Vec<_> = attempts.iter().map(SeenRequest::path).collect();
    if answer.status != 200 || attempts.len() != TRIES + 1 {
        return Err(format!("{paths:?}: {} {}", answer.status, answer.text()));
    }
    let said = dialect.read(stream, &answer);
    if !said.complete || !said.text.contains(result_of("get_weather")) {
        return Err(format!("the result is not known: {said:?}"));
    }
    let (sent, [last]) = attempts.split_at(TRIES) else { return Err("no attempts".to_owned()) };
    let issued = from.state(&sent[0].json());
    if issued.is_empty() || sent.iter().any(|attempt| attempt.body != sent[0].body) {
        return Err(format!("{issued:?} in {:?}", sent.iter().map(SeenRequest::json).collect::<Vec<_>>()));
    }
    let body = last.json().to_string();
    if (from.seals() && issued.iter().any(|state| body.contains(state))) || body.contains("tgs1.") {
        return Err(format!("{issued:?} went along: {body}"));
    }
    Ok(())
}

async fn all(dialect: Dialect) -> Vec<String> {
    let world = world().await;
    let mut wrong = Vec::new();
    for (from, to) in Provider::pairs() {
        for stream in [false, true] {
            if let Err(what) = falls(&world, dialect, (from, to), stream).await {
                wrong.push(format!("{dialect:?} from {from:?} to {to:?}, stream {stream}: {what}"));
            }
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i19_i24_a_fallback_of_another_family_gets_a_body_of_its_own() {
    let mut running = JoinSet::new();
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::ChatPlain) {
        running.spawn(all(dialect));
    }
    let mut wrong = Vec::new();
    while let Some(found) = running.join_next().await {
        wrong.extend(found.unwrap());
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} things do not hold:\n{}", wrong.len(), wrong.join("\n"));
}
