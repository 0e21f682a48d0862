//! A conversation with reasoning and tool calls that goes on with a provider of another family, and then comes
//! back: foreign state is dropped there and only there (I19).

use tokio::task::JoinSet;

use super::axes::{Case, Dialect, Provider};
use super::neutral::{Ask, Entry, Said, result_of};
use super::world;
use crate::world::World;

/// What carries state of a family that a dialect has no place for.
const TOKEN: &str = "tgs1.";

struct Move<'w> {
    world: &'w World,
    dialect: Dialect,
    stream: bool,
    what: String,
    wrong: Vec<String>,
}

impl Move<'_> {
    /// Asks; what was said, and the body that the provider got.
    async fn turn(&mut self, ask: &Ask) -> Option<(Said, serde_json::Value)> {
        let answer = self.dialect.ask(self.world, ask).await;
        let sent = self.world.primary.requests().pop().unwrap();
        if answer.status != 200 {
            let sent = String::from_utf8_lossy(&sent.body).into_owned();
            self.wrong.push(format!("{}: {} {}\n    {sent}", self.what, answer.status, answer.text()));
            return None;
        }
        let said = self.dialect.read(self.stream, &answer);
        Some((said, sent.json()))
    }

    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(format!("{}: {}", self.what, what()));
        }
    }

    /// A request brings a provider what it issued, and nothing of the other's.
    fn brought(
        &mut self,
        own: Provider,
        issued: &[String],
        (other, foreign): (Provider, &[String]),
        sent: &serde_json::Value,
    ) {
        if own.seals() {
            let found = own.state(sent);
            let holds = found == issued && !issued.is_empty();
            self.check(holds, || format!("issued {issued:?}, brought back {found:?} in {sent}"));
        }
        let body = sent.to_string();
        let opaque = other.seals() && foreign.iter().any(|state| body.contains(state));
        self.check(!opaque && !body.contains(TOKEN), || {
            format!("foreign state {foreign:?} is sent along: {body}")
        });
    }

    async fn run(&mut self, from: Provider, to: Provider) -> Option<()> {
        let case = Case::ReasoningTool;
        let mut ask = Ask::person(&from.model(case), self.stream, &case.question());
        (ask.reasons, ask.tools) = (true, true);
        let (first, _) = self.turn(&ask).await?;
        self.check(first.calls.len() == 1, || format!("calls {:?}", first.calls));

        // What the provider issued shows when the conversation stays with it.
        let stays = ask.and_then(&first, Entry::results(&first.calls));
        let (_, own) = self.turn(&stays).await?;
        let issued = from.state(&own);
        self.check(!issued.is_empty(), || format!("no state in {own}"));

        let moved = Ask { model: to.model(case), ..stays };
        let (second, foreign) = self.turn(&moved).await?;
        let quoted = second.text.contains(result_of("get_weather"));
        self.check(quoted, || format!("the result is not known: {:?}", second.text));
        let body = foreign.to_string();
        let opaque = from.seals() && issued.iter().any(|state| body.contains(state));
        self.check(!opaque && !body.contains(TOKEN), || {
            format!("foreign state {issued:?} is sent along: {body}")
        });

        // A turn whose calls were made without a thought that Anthropic can check goes on without thinking
        // there, so that it takes one more turn until all have state.
        let thanks = moved.and_then(&second, Entry::says("Thank you. And the bridge?"));
        let (third, _) = self.turn(&thanks).await?;
        let river = thanks.and_then(&third, Entry::says("And the river?"));
        let (_, own) = self.turn(&river).await?;
        let issued_there = to.state(&own);

        let back = Ask { model: from.model(case), ..river };
        let (fourth, home) = self.turn(&back).await?;
        self.check(fourth.text.contains("And the river?"), || format!("not answered: {:?}", fourth.text));
        self.brought(from, &issued, (to, &issued_there), &home);

        let again = Ask { model: to.model(case), ..back.and_then(&fourth, Entry::says("Anything else?")) };
        let (_, there) = self.turn(&again).await?;
        self.brought(to, &issued_there, (from, &issued), &there);
        Some(())
    }
}

async fn moved(dialect: Dialect) -> Vec<String> {
    let world = world().await;
    let mut wrong = Vec::new();
    for (from, to) in Provider::pairs() {
        for stream in [false, true] {
            let what = format!("{dialect:?} from {from:?} to {to:?}, stream {stream}");
            let mut one = Move { world: &world, dialect, stream, what, wrong: Vec::new() };
            one.run(from, to).await;
            wrong.extend(one.wrong);
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i19_foreign_state_is_dropped_there_and_only_there() {
    let mut running = JoinSet::new();
    // A client that keeps no state has none to take along.
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::ChatPlain) {
        running.spawn(moved(dialect));
    }
    let mut wrong = Vec::new();
    while let Some(found) = running.join_next().await {
        wrong.extend(found.unwrap());
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} things do not hold:\n{}", wrong.len(), wrong.join("\n"));
}
