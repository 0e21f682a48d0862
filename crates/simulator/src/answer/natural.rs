//! The natural answer: what a helpful model would do with the request, decided from the request alone.

use serde_json::{Value, json};

use super::ask::{Ask, Attachment, Choice, Tool};
use super::schema::Source;
use super::{Call, Finish, Hit, Said, Search, text};

/// Words of tool names that say nothing about their subject.
const GENERIC: [&str; 17] = [
    "get", "set", "the", "for", "and", "current", "fetch", "find", "list", "new", "run", "call", "tool",
    "function", "make", "use", "with",
];

/// Decides.
pub(crate) fn said(ask: &Ask) -> Said {
    let reasoning = ask.reasoning.map(|steps| reasoning(&ask.question, steps));
    let calls = calls(ask);
    if !calls.is_empty() {
        return Said { reasoning, calls, finish: Finish::ToolCalls, ..Said::default() };
    }
    let search = search(ask);
    let text = if let Some(shape) = &ask.shape {
        let source = Source { root: shape, question: &ask.question, variant: 0 };
        let value = if shape.as_object().is_none_or(serde_json::Map::is_empty) {
            json!({"answer": text::excerpt(&ask.question, 80), "confident": true})
        } else {
            source.value(shape)
        };
        value.to_string()
    } else if let Some(search) = &search {
        let found: Vec<&str> = search.hits.iter().map(|hit| hit.text.as_str()).collect();
        format!("I searched the web for \"{}\". {}", search.query, found.join(" "))
    } else if !ask.results.is_empty() {
        from_results(&ask.results, &ask.question)
    } else if !ask.attachments.is_empty() {
        format!("{} {}", seen(&ask.attachments), text::prose(&ask.question))
    } else {
        text::prose(&ask.question)
    };
    Said { reasoning, search, text: Some(text), ..Said::default() }
}

fn reasoning(question: &str, steps: u8) -> String {
    let mut text = format!("The user asks: \"{}\". ", text::excerpt(question, 120));
    let thoughts = [
        "I should find out what is wanted before I answer, and keep to what I know.",
        " There may be more than one reading, so I compare them and take the likelier one.",
        " Let me check the result once more against the question before I write it down.",
    ];
    text.extend(thoughts.iter().take(usize::from(steps)).copied());
    text
}

fn from_results(results: &[String], question: &str) -> String {
    let quoted: Vec<String> = results.iter().map(|r| format!("\"{}\"", text::excerpt(r, 400))).collect();
    let what = if quoted.len() == 1 { "The tool returned" } else { "The tools returned" };
    let about = text::excerpt(question, 80);
    let about = if about.is_empty() { String::new() } else { format!(" as far as \"{about}\" is concerned") };
    format!("{what} {}. That answers the question{about}.", quoted.join(" and "))
}

fn seen(attachments: &[Attachment]) -> String {
    let list: Vec<String> = attachments
        .iter()
        .map(|a| match a.bytes {
            Some(bytes) => format!("{} of {bytes} bytes", a.media_type),
            None => format!("{} given by reference", a.media_type),
        })
        .collect();
    format!("I have received {}.", list.join(", "))
}

/// A search of the web, when the provider's own tool is on offer and the question wants one.
fn search(ask: &Ask) -> Option<Search> {
    let wanted = ask.web_search
        && ask.results.is_empty()
        && ask.choice != Choice::None
        && is_mentioned("web_search", &ask.question.to_lowercase());
    wanted.then(|| {
        let query = text::excerpt(&ask.question, 80);
        let mut state = text::hash(query.as_bytes());
        let hits = ["overview", "details"].map(|what| Hit {
            title: format!("{query}: {what}"),
            url: format!("https://example.com/{what}/{:08x}", text::mix(&mut state) >> 32),
            text: format!("The {what} page says what is known about it."),
        });
        Search { query, hits: hits.into() }
    })
}

fn calls(ask: &Ask) -> Vec<Call> {
    if ask.tools.is_empty() || ask.choice == Choice::None {
        return Vec::new();
    }
    let question = ask.question.to_lowercase();
    let two = !ask.one_call_only && question.contains("parallel");
    let mut chosen: Vec<&Tool> = ask.tools.iter().filter(|t| is_mentioned(&t.name, &question)).collect();
    match &ask.choice {
        Choice::Named(name) => chosen = ask.tools.iter().filter(|t| t.name == *name).collect(),
        Choice::Required if chosen.is_empty() => chosen.extend(ask.tools.first()),
        // What the tools said is answered, not asked again.
        Choice::Auto if !ask.results.is_empty() => return Vec::new(),
        Choice::Auto if two && chosen.is_empty() => chosen.extend(ask.tools.first()),
        _ => {}
    }
    chosen.truncate(if ask.one_call_only { 1 } else { 2 });
    if let (true, [only]) = (two, chosen.as_slice()) {
        chosen = vec![only, only];
    }
    let mut used: Vec<&str> = Vec::new();
    chosen
        .iter()
        .map(|tool| {
            let variant = used.iter().filter(|name| **name == tool.name).count();
            used.push(&tool.name);
            Call { name: tool.name.clone(), arguments: arguments(tool, &ask.question, variant) }
        })
        .collect()
}

fn arguments(tool: &Tool, question: &str, variant: usize) -> Value {
    if tool.custom {
        return json!(format!("{} {}: {}", tool.name, variant + 1, text::excerpt(question, 80)));
    }
    let value = Source { root: &tool.schema, question, variant }.value(&tool.schema);
    if value.is_object() { value } else { json!({}) }
}

/// Whether a lower-case question mentions what a tool is about: its name, or a telling word of it.
fn is_mentioned(name: &str, question: &str) -> bool {
    if question.contains(&name.to_lowercase()) {
        return true;
    }
    let words = words_of(name);
    let telling: Vec<&String> = words.iter().filter(|w| !GENERIC.contains(&w.as_str())).collect();
    let asked = || question.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    telling.iter().any(|w| asked().any(|q| q.starts_with(w.as_str()) && q.len() <= w.len() + 3))
}

/// The words of a name in snake, kebab or camel case, lower case, of three letters and more.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before_lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before_lower = c.is_lowercase();
    }
    words.retain(|w| w.len() >= 3);
    words
}
