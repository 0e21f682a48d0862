//! One cell of the matrix: what is asked, and what must hold.

use std::fmt::Write as _;

use super::axes::{Case, Dialect, LONG, Provider, without_ids};
use super::neutral::{Ask, Call, Entry, Finish, IMAGE, Said, Usage, count, result_of};
use serde_json::{Value, json};
use tollgate_simulator::{Answer as Says, Behaviour, SayCall, Script, UsageOverride};

use crate::client::{Answer, Exchange, request};
use crate::world::World;

/// The most tokens of an answer that is cut.
const LIMIT: u64 = 64;
const THOUGHT: &str = "First \"this\",\nthen\tthat: \\u00e9 é ☂ 🜁.";
const TEXT: &str = "I look it up.\n\n```json\n{\"a\": [1]}\n``` é ☂ 🜁 </end>";

/// Arguments that are easily harmed on their way.
fn hard_arguments() -> Vec<Value> {
    vec![
        json!({}),
        json!({"city": "Zürich \"☂\" \\ \n 🜁", "days": 9_007_199_254_740_993_u64, "list": [], "nested": {"a": {"b": [null, true, -0.5]}}}),
        json!({"days": 0, "city": "", "z": 1, "a": 2}),
    ]
}

/// Reasoning, text and calls in one turn.
fn everything() -> Behaviour {
    let names = Case::Everything.called().iter();
    let calls = names
        .zip(hard_arguments())
        .map(|(name, arguments)| SayCall { name: (*name).to_owned(), arguments })
        .collect();
    let (text, reasoning) = (Some(TEXT.to_owned()), Some(THOUGHT.to_owned()));
    Behaviour { answer: Says::Say { text, reasoning, calls }, ..Behaviour::default() }
}

/// One cell. Both forms are tried in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub dialect: Dialect,
    pub provider: Provider,
    pub case: Case,
}

impl Cell {
    /// Whether it can differ from the cell of chat completions: clients that keep less of a turn ask the same
    /// first question.
    pub fn differs(&self) -> bool {
        let one_question = self.case == Case::LongStream;
        !(one_question && matches!(self.dialect, Dialect::ChatJoined | Dialect::ChatPlain))
    }
}

/// Something that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// The request was served, and the next turn of the conversation too.
    Accepted,
    /// What the answer says is what the provider said: text, reasoning, calls, finish.
    Content,
    /// The answer says what the case is about.
    Sense,
    /// The client, the provider and `GET /v1/generation` say the same counts.
    Usage,
    /// The next turn brings the provider its own reasoning state, byte for byte.
    State,
    /// Whole and streamed answers are the same.
    Agreement,
}

/// Something that did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    pub aspect: Aspect,
    pub stream: Option<bool>,
    pub what: String,
}

/// A turn as client and provider saw it.
pub struct Turn {
    pub said: Said,
    /// The provider's own words.
    pub native: Said,
    /// The body that the provider was sent.
    pub sent: serde_json::Value,
}

/// One try of a cell.
pub struct Try<'w> {
    pub world: &'w World,
    pub cell: Cell,
    pub stream: bool,
    pub failures: Vec<Failure>,
}

impl Try<'_> {
    fn fail(&mut self, aspect: Aspect, what: String) {
        self.failures.push(Failure { aspect, stream: Some(self.stream), what });
    }

    fn check(&mut self, aspect: Aspect, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(aspect, what());
        }
    }

    /// Asks, and compares the answer with what the provider said. `None`: there was no answer.
    async fn turn(&mut self, ask: &Ask) -> Option<Turn> {
        let answer = self.cell.dialect.ask(self.world, ask).await;
        if answer.status != 200 || !answer.clean {
            let text = format!("{} {}", answer.status, answer.text());
            let seen = self.world.primary.requests();
            let sent = seen.last().map(|r| String::from_utf8_lossy(&r.body).into_owned()).unwrap_or_default();
            self.fail(Aspect::Accepted, format!("{text}\n    the provider was sent {sent}"));
            return None;
        }
        let said = self.cell.dialect.read(self.stream, &answer);
        let seen = self.world.primary.requests().pop().unwrap();
        let native = self.again(&seen).await;
        self.check(Aspect::Content, said.complete, || "the answer has no end".to_owned());
        // As text, so that the order of arguments counts too (I18).
        let (found, expected) = (without_ids(&said).to_string(), without_ids(&native).to_string());
        self.check(Aspect::Content, found == expected, || format!("{found}\n    instead of {expected}"));
        let ids: std::collections::BTreeSet<_> = said.calls.iter().map(|call| &call.id).collect();
        let distinct = ids.len() == said.calls.len() && !ids.iter().any(|id| id.is_empty());
        self.check(Aspect::Content, distinct, || format!("ids of calls {ids:?}"));
        // I18: the provider's own ids, where it has some. Asked again it numbers its answers anew.
        let kept = shapes(&said) == shapes(&native) || native.calls.iter().all(|call| call.id.is_empty());
        self.check(Aspect::Content, kept, || {
            format!("ids {:?}, the provider's {:?}", said.calls, native.calls)
        });
        self.usage(&answer, &said.usage, &native.usage).await;
        Some(Turn { said, native, sent: seen.json() })
    }

    /// The provider answers the same request the same way, but for ids; so its own words can be had.
    async fn again(&self, seen: &tollgate_simulator::SeenRequest) -> Said {
        let own = ["host", "content-length", "content-type", "transfer-encoding", "connection"];
        let headers: Vec<(&str, &str)> = seen
            .headers
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let raw = request(&seen.method, &seen.target, &headers, &seen.body);
        let answer = Exchange::send(self.world.primary_addr, &raw).await.answer().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.cell.provider.read(self.stream, &answer)
    }

    async fn usage(&mut self, answer: &Answer, client: &Usage, provider: &Usage) {
        let counts = |usage: &Usage| (usage.input, usage.cached, usage.output);
        self.check(Aspect::Usage, counts(client) == counts(provider) && client.output > 0, || {
            format!("the client was told {client:?}, the provider said {provider:?}")
        });
        let written = provider.written.unwrap_or_default();
        self.check(Aspect::Usage, client.written.is_none_or(|count| count == written), || {
            format!("the client was told {client:?}, the provider said {provider:?}")
        });
        let Some(id) = generation(answer) else {
            return self.fail(Aspect::Usage, "no id of a generation".to_owned());
        };
        let row = self.world.get(&format!("/v1/generation?id={id}")).await.json()["data"].clone();
        let row_usage = Usage {
            input: count(&row["tokens_prompt"]),
            cached: count(&row["native_tokens_cached"]),
            written: row["native_tokens_cache_creation"].as_u64(),
            output: count(&row["tokens_completion"]),
        };
        let expected = Usage { written: Some(written), ..*provider };
        self.check(Aspect::Usage, row_usage == expected, || {
            format!("/v1/generation says {row_usage:?}, the provider said {expected:?}")
        });
    }

    fn sense(&mut self, said: &Said, parts: &[&str]) {
        for part in parts {
            let holds = said.text.contains(part);
            self.check(Aspect::Sense, holds, || format!("no {part:?} in {:?}", said.text));
        }
    }

    /// The case from its first question to its last answer, which is returned.
    pub async fn run(&mut self) -> Option<Said> {
        let Cell { provider, case, .. } = self.cell;
        let mut ask = Ask::person(&provider.model(case), self.stream, &case.question());
        ask.reasons = case.reasons();
        ask.tools = !case.called().is_empty();
        match case {
            Case::Text => {
                let turn = self.turn(&ask).await?;
                self.sense(&turn.said, &[&case.question()]);
                Some(turn.said)
            }
            Case::Image => {
                ask.history = vec![Entry::Person { text: case.question(), image: true }];
                let turn = self.turn(&ask).await?;
                self.sense(&turn.said, &[&format!("{} of {} bytes", IMAGE.0, IMAGE.2), &case.question()]);
                Some(turn.said)
            }
            Case::LongStream => {
                let turn = self.turn(&ask).await?;
                let size = LONG.0 * LONG.1;
                self.check(Aspect::Sense, turn.said.text.len() == size, || {
                    format!("{} bytes instead of {size}", turn.said.text.len())
                });
                Some(turn.said)
            }
            Case::CachedPrompt => self.cached(ask).await,
            Case::Limit => {
                ask.limit = Some(LIMIT);
                let turn = self.turn(&ask).await?;
                let cut = turn.said.finish == Finish::Length && turn.said.usage.output == LIMIT;
                self.check(Aspect::Sense, cut, || format!("it was not cut at {LIMIT}: {:?}", turn.said));
                Some(turn.said)
            }
            Case::Tool | Case::ParallelTools | Case::ReasoningTool | Case::RedactedReasoning => {
                self.tools(&ask).await
            }
            Case::Everything => {
                // Once for the gateway, once for the comparison.
                self.world.primary.push_script(Script::new(everything()).times(2));
                self.tools(&ask).await
            }
            Case::Reasoning => self.reasoning(&ask).await,
            Case::Steps => self.steps(&ask).await,
        }
    }

    /// The same long prompt twice: the second time it comes from the cache.
    async fn cached(&mut self, mut ask: Ask) -> Option<Said> {
        let mut instructions =
            format!("{:?} {:?} {} ", self.cell.dialect, self.cell.provider, u8::from(self.stream));
        for number in 100..300 {
            let _ = write!(instructions, "Rule {number}: be kind to whoever passes the gate. ");
        }
        ask.history.insert(0, Entry::Instructions(instructions));
        let cold = self.turn_cold(&ask).await?;
        self.check(Aspect::Sense, cold.cached == 0, || format!("nothing can be cached yet: {cold:?}"));
        let turn = self.turn(&ask).await?;
        let usage = turn.said.usage;
        self.check(Aspect::Sense, usage.cached > 1000 && usage.cached < usage.input, || {
            format!("the prompt was not cached: {usage:?}")
        });
        if self.cell.provider == Provider::Anthropic {
            let wrote = cold.written.is_none_or(|written| written == usage.cached);
            self.check(Aspect::Sense, wrote, || format!("written {cold:?}, read {usage:?}"));
        }
        Some(turn.said)
    }

    /// The first sight of a prompt: asked again, the provider would have it cached.
    async fn turn_cold(&mut self, ask: &Ask) -> Option<Usage> {
        let answer = self.cell.dialect.ask(self.world, ask).await;
        if answer.status != 200 {
            self.fail(Aspect::Accepted, format!("{} {}", answer.status, answer.text()));
            return None;
        }
        Some(self.cell.dialect.read(self.stream, &answer).usage)
    }

    /// Calls, their results, and what the model makes of them.
    async fn tools(&mut self, ask: &Ask) -> Option<Said> {
        let called = self.cell.case.called();
        let first = self.turn(ask).await?;
        let names: Vec<_> = first.said.calls.iter().map(|call| call.name.as_str()).collect();
        self.check(Aspect::Sense, names == called, || format!("called {names:?} instead of {called:?}"));
        let ended = first.said.finish == Finish::ToolCalls;
        self.check(Aspect::Sense, ended, || format!("ended by {:?}", first.said.finish));
        if self.cell.case == Case::Everything {
            let given: Vec<_> = first.said.calls.iter().map(|call| call.arguments.clone()).collect();
            let same = given == hard_arguments() && first.said.text == TEXT;
            self.check(Aspect::Sense, same, || format!("{:?}", first.said));
        } else {
            let typed = |call: &Call| call.arguments["city"].is_string() && call.arguments["days"].is_u64();
            let given = first.said.calls.iter().all(typed);
            self.check(Aspect::Sense, given, || format!("arguments {:?}", first.said.calls));
        }
        self.thought(&first.said);
        let next = ask.and_then(&first.said, Entry::results(&first.said.calls));
        let second = self.turn(&next).await?;
        let results: Vec<_> = called.iter().map(|name| format!("\"{}\"", result_of(name))).collect();
        self.sense(&second.said, &[&results.join(" and ")]);
        self.state(&first, &second);
        Some(second.said)
    }

    /// A thought, and a conversation that goes on.
    async fn reasoning(&mut self, ask: &Ask) -> Option<Said> {
        let first = self.turn(ask).await?;
        self.sense(&first.said, &[&self.cell.case.question()]);
        self.thought(&first.said);
        let next = ask.and_then(&first.said, Entry::says("And who pays for a tunnel?"));
        let second = self.turn(&next).await?;
        self.sense(&second.said, &["And who pays for a tunnel?"]);
        self.state(&first, &second);
        Some(second.said)
    }

    /// One call after another within a turn, each with a thought of its own, then a further question.
    async fn steps(&mut self, ask: &Ask) -> Option<Said> {
        let mut ask = ask.clone();
        let mut turns: Vec<Turn> = Vec::new();
        for (at, tool) in self.cell.case.called().iter().enumerate() {
            let (thought, text) = (format!("Step {at}: I need {tool}."), format!("Now {tool}. "));
            let call = SayCall { name: (*tool).to_owned(), arguments: json!({"city": "Paris", "days": at}) };
            let answer = Says::Say {
                text: (at > 0).then_some(text),
                reasoning: Some(thought.clone()),
                calls: vec![call],
            };
            let says = Behaviour { answer, ..Behaviour::default() };
            // Once for the gateway, once for the comparison.
            self.world.primary.push_script(Script::new(says).times(2));
            let turn = self.turn(&ask).await?;
            self.check(Aspect::Sense, turn.said.reasoning == thought, || format!("thought {:?}", turn.said));
            self.carried(&turns, &turn);
            ask = ask.and_then(&turn.said, Entry::results(&turn.said.calls));
            turns.push(turn);
        }
        let third = self.turn(&ask).await?;
        self.sense(&third.said, &[&format!("\"{}\"", result_of("get_weather"))]);
        self.carried(&turns, &third);
        ask = ask.and_then(&third.said, Entry::says("And what of tomorrow?"));
        turns.push(third);
        // The prompt is long enough by now to be cached at its second sight.
        let usage = UsageOverride { cached_tokens: Some(0), ..UsageOverride::default() };
        let uncached = Behaviour { usage, ..Behaviour::default() };
        self.world.primary.push_script(Script::new(uncached).times(2));
        let last = self.turn(&ask).await?;
        self.sense(&last.said, &["And what of tomorrow?"]);
        // The turn with the calls is over, so that a text without a seal is wanted no more.
        if self.cell.provider.seals() {
            self.carried(&turns, &last);
        }
        Some(last.said)
    }

    /// I19: what was issued in all turns so far is in this turn's request, in order.
    fn carried(&mut self, turns: &[Turn], now: &Turn) {
        let provider = self.cell.provider;
        let joined = |texts: Vec<String>| if provider.seals() { texts } else { vec![texts.concat()] };
        let issued = joined(turns.iter().flat_map(|turn| provider.state(&turn.native.turn)).collect());
        let back = joined(provider.state(&now.sent));
        self.check(Aspect::State, issued == back, || {
            format!("issued {issued:?}\n    brought back {back:?}\n    in {}", now.sent)
        });
    }

    fn thought(&mut self, said: &Said) {
        if self.cell.case.reasons() {
            let redacted =
                self.cell.case == Case::RedactedReasoning && self.cell.provider == Provider::Anthropic;
            let thinks = match self.cell.case {
                Case::Everything => said.reasoning == THOUGHT,
                _ if redacted => said.reasoning.is_empty(),
                _ => said.reasoning.starts_with("The user asks: \""),
            };
            self.check(Aspect::Sense, thinks, || format!("it reasons {:?}", said.reasoning));
        }
    }

    /// I19: all state that the provider issued in the first turn is in the request of the second.
    fn state(&mut self, first: &Turn, second: &Turn) {
        let provider = self.cell.provider;
        // A chat provider wants the text of its reasoning only while a turn with calls goes on.
        if !provider.seals() && (!self.cell.case.reasons() || self.cell.case == Case::Reasoning) {
            return;
        }
        let issues = self.cell.case.reasons() || provider == Provider::Gemini;
        let issued = provider.state(&first.native.turn);
        self.check(Aspect::Sense, issued.is_empty() != issues, || format!("issued {issued:?}"));
        self.carried(std::slice::from_ref(first), second);
    }
}

/// The ids of the calls without the number of the answer in them: how long they are, how they begin and end.
fn shapes(said: &Said) -> Vec<(usize, &str, &str)> {
    let shape = |id: &'_ str| (id.len(), id.len().min(8), id.len().saturating_sub(2));
    let each = said.calls.iter().map(|call| (shape(&call.id), call.id.as_str()));
    each.map(|((length, head, tail), id)| (length, &id[..head], &id[tail..])).collect()
}

/// The request's id, wherever the answer has it.
fn generation(answer: &Answer) -> Option<String> {
    const LENGTH: usize = 30;
    let found = answer.generation();
    found.or_else(|| {
        let text = answer.text();
        let at = text.find("\"gen_")? + 1;
        text.get(at..at + LENGTH).map(str::to_owned)
    })
}
