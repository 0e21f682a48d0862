//! Every dialect of clients × every protocol of conversations × what people do with models, streamed and
//! whole: what comes out is what went in. `docs/matrix.md` is what this test prints.
//!
//! - [`axes`]: dialects, protocols and cases; [`neutral`]: conversations and answers in neutral words
//! - [`chat`], [`messages`], [`responses`], [`ai_sdk`], [`gemini`]: writers of requests, readers of answers
//! - [`cell`]: what must hold in one cell; [`exceptions`]: what cannot, and why; [`document`]: the page
//! - [`moves`]: a conversation that goes on with another provider (I19); [`fallback`]: the same within one
//!   request

mod ai_sdk;
mod axes;
mod cell;
mod chat;
mod document;
mod exceptions;
mod fallback;
mod gemini;
mod messages;
mod moves;
mod neutral;
mod responses;

use tokio::task::JoinSet;

use crate::world::World;
use axes::{Case, Dialect, Provider};
use cell::{Aspect, Cell, Failure, Try};
use exceptions::{EXCEPTIONS, Exception};

/// A cell that was tried, and what did not hold.
type Tried = (Cell, Vec<Failure>);

/// A world in which each protocol has its provider.
async fn world() -> World {
    World::with(|setup| setup.providers = Provider::ALL.map(Provider::configured).into()).await
}

/// All cells of one dialect.
async fn tried(dialect: Dialect) -> Vec<Tried> {
    let world = world().await;
    let mut all = Vec::new();
    for provider in Provider::ALL {
        for case in Case::ALL {
            let cell = Cell { dialect, provider, case };
            if !cell.differs() {
                continue;
            }
            let (mut failures, mut last) = (Vec::new(), Vec::new());
            for stream in [false, true] {
                let mut one = Try { world: &world, cell, stream, failures: Vec::new() };
                last.push(one.run().await);
                failures.extend(one.failures);
            }
            if let [Some(whole), Some(streamed)] = &last[..] {
                let [whole, streamed] =
                    [whole, streamed].map(|said| (axes::without_ids(said).to_string(), said.usage));
                if whole != streamed {
                    let what = format!("whole {whole:?}\n    streamed {streamed:?}");
                    failures.push(Failure { aspect: Aspect::Agreement, stream: None, what });
                }
            }
            all.push((cell, failures));
        }
    }
    assert_eq!(world.gateway.open_requests(), 0);
    all
}

/// What does not hold and is no exception, and exceptions that hold by now.
fn judged(all: &[Tried], exceptions: &[Exception]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (cell, failures) in all {
        let meant = |aspect| exceptions.iter().any(|e| e.aspect == aspect && e.covers(*cell));
        for failure in failures.iter().filter(|failure| !meant(failure.aspect)) {
            wrong
                .push(format!("{cell:?} stream {:?} {:?}: {}", failure.stream, failure.aspect, failure.what));
        }
        for exception in exceptions.iter().filter(|e| e.covers(*cell)) {
            if !failures.iter().any(|failure| failure.aspect == exception.aspect) {
                wrong.push(format!("{cell:?} holds by now: remove the exception '{}'", exception.reason));
            }
        }
    }
    wrong
}

#[test]
fn an_exception_that_comes_to_hold_is_told() {
    let cell = Cell { dialect: Dialect::Messages, provider: Provider::Chat, case: Case::Text };
    let failure = |aspect| Failure { aspect, stream: None, what: "x".to_owned() };
    let exception = Exception {
        dialects: &[Dialect::Messages],
        providers: &Provider::ALL,
        cases: &[Case::Text],
        aspect: Aspect::State,
        reason: "it cannot",
    };
    let judged = |failures: Vec<Failure>| judged(&[(cell, failures)], std::slice::from_ref(&exception));
    assert!(judged(vec![failure(Aspect::State)]).is_empty());
    assert!(judged(vec![])[0].ends_with("remove the exception 'it cannot'"));
    let other = judged(vec![failure(Aspect::State), failure(Aspect::Usage)]);
    assert!(other.len() == 1 && other[0].contains("Usage"), "{other:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i18_i19_what_comes_out_is_what_went_in() {
    let mut running = JoinSet::new();
    for dialect in Dialect::ALL {
        running.spawn(tried(dialect));
    }
    let mut all = Vec::new();
    while let Some(cells) = running.join_next().await {
        all.extend(cells.unwrap());
    }
    let place = |cell: &Cell| {
        let dialect = Dialect::ALL.iter().position(|d| *d == cell.dialect);
        let provider = Provider::ALL.iter().position(|p| *p == cell.provider);
        (Case::ALL.iter().position(|c| *c == cell.case), dialect, provider)
    };
    all.sort_by_key(|(cell, _)| place(cell));
    let cells = all.iter().map(|(cell, _)| format!("{cell:?}"));
    assert_eq!(cells.collect::<std::collections::BTreeSet<_>>().len(), document::cells().count());
    let wrong = judged(&all, EXCEPTIONS);
    assert!(wrong.is_empty(), "{} things do not hold:\n{}", wrong.len(), wrong.join("\n"));
    document::check(&all);
}
