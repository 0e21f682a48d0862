use serde_json::json;

use super::ask::{Ask, Choice, Mark, Tool};
use super::cache::PromptCache;
use super::*;

fn ask(question: &str) -> Ask {
    Ask {
        model: "m".to_owned(),
        question: question.to_owned(),
        prompt: question.to_owned(),
        choices: 1,
        ..Ask::default()
    }
}

fn tools(names: &[&str]) -> Vec<Tool> {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    names.iter().map(|n| Tool { name: (*n).to_owned(), schema: schema.clone(), custom: false }).collect()
}

fn called(question: &str, names: &[&str], change: impl Fn(&mut Ask)) -> Vec<String> {
    let mut ask = ask(question);
    ask.tools = tools(names);
    change(&mut ask);
    decide(&ask, &Answer::Natural).calls.into_iter().map(|c| c.name).collect()
}

#[test]
fn a_tool_is_called_when_its_subject_comes_up() {
    let names = ["get_current_weather", "searchFlights"];
    let plain = |q: &str| called(q, &names, |_| {});
    assert_eq!(plain("What is the weather in Oslo?"), ["get_current_weather"]);
    assert_eq!(plain("any flights to Rome?"), ["searchFlights"]);
    assert_eq!(plain("the weather, and flights"), ["get_current_weather", "searchFlights"]);
    assert!(plain("What is the current time? Get it.").is_empty());
    assert_eq!(plain("the weather in parallel please"), ["get_current_weather", "get_current_weather"]);
    assert!(called("weather", &names, |a| a.choice = Choice::None).is_empty());
    assert!(called("weather", &names, |a| a.results = vec!["sunny".to_owned()]).is_empty());
    assert_eq!(called("hi", &names, |a| a.choice = Choice::Required), ["get_current_weather"]);
    assert_eq!(
        called("hi", &names, |a| a.choice = Choice::Named("searchFlights".to_owned())),
        ["searchFlights"]
    );
    assert_eq!(called("weather flights parallel", &names, |a| a.one_call_only = true).len(), 1);
}

#[test]
fn parallel_calls_of_one_tool_differ() {
    let mut ask = ask("look up the weather in Oslo and Rome in parallel");
    ask.tools = tools(&["weather"]);
    let calls = decide(&ask, &Answer::Natural).calls;
    let cities: Vec<_> = calls.iter().map(|c| c.arguments["city"].as_str().unwrap_or_default()).collect();
    assert_eq!(cities, ["Oslo", "Rome"]);
}

#[test]
fn limits_and_stop_sequences_are_honoured() {
    let say = Answer::text("one two three END four");
    let mut limited = ask("q");
    limited.max_tokens = Some(2);
    let said = decide(&limited, &say);
    assert_eq!((said.text.as_deref(), &said.finish), (Some("one two "), &Finish::Length));
    let mut stopped = ask("q");
    stopped.stop = vec!["four".to_owned(), " END".to_owned()];
    let said = decide(&stopped, &say);
    assert_eq!(said.text.as_deref(), Some("one two three"));
    assert_eq!(said.finish, Finish::Sequence(" END".to_owned()));
    let mut exact = ask("q");
    exact.max_tokens = Some(6);
    assert_eq!(decide(&exact, &say).finish, Finish::Stop);
}

#[test]
fn a_call_that_does_not_fit_ends_in_length() {
    let mut ask = ask("weather");
    ask.tools = tools(&["weather"]);
    ask.max_tokens = Some(3);
    let said = decide(&ask, &Answer::Natural);
    assert!(said.calls.is_empty());
    assert_eq!(said.finish, Finish::Length);
}

#[test]
fn openai_counts_a_repeated_prefix_from_1024_bytes() {
    let mut cache = PromptCache::default();
    let prefix = text::filler(1600);
    assert_eq!(cache.openai(&ask(&prefix)).cache_read, 0);
    let longer = cache.openai(&ask(&format!("{prefix} and more")));
    assert_eq!((longer.cache_read, longer.input), (1536 / 4, 1609u64.div_ceil(4)));
    assert_eq!(cache.openai(&ask(&format!("X{prefix}"))).cache_read, 0);
    let short = text::filler(1000);
    cache.openai(&ask(&short));
    assert_eq!(cache.openai(&ask(&short)).cache_read, 0);
}

#[test]
fn anthropic_counts_up_to_the_marks() {
    let mut cache = PromptCache::default();
    let mut first = ask(&text::filler(4000));
    first.marks = vec![Mark { at: 2000, one_hour: true }, Mark { at: 3000, one_hour: false }];
    let written = cache.anthropic(&first, 0);
    assert_eq!((written.cache_write_1h, written.cache_write_5m, written.cache_read), (500, 250, 0));
    assert_eq!(written.input, 1000);
    let again = cache.anthropic(&first, 0);
    assert_eq!((again.cache_write_1h, again.cache_write_5m, again.cache_read), (0, 0, 750));
    let mut grown = first.clone();
    grown.marks.push(Mark { at: 4000, one_hour: false });
    let more = cache.anthropic(&grown, 0);
    assert_eq!((more.cache_read, more.cache_write_5m), (750, 250));
    assert_eq!(PromptCache::default().anthropic(&first, 1024).cache_write_5m, 0);
}
