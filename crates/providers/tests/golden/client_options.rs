//! What a client asks of reasoning, and the options it has for a provider, in every protocol.

use serde_json::{Map, Value, json};
use tollgate_domain::Conversation;
use tollgate_domain::conversation::{Message, Part, ReasoningRequest, Role};
use tollgate_providers::{Target, anthropic, gemini, openai};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Protocol {
    Anthropic,
    Gemini,
    Responses,
    Chat,
}

fn encode(protocol: Protocol, conversation: &Conversation, target: &Target) -> Value {
    let body = match protocol {
        Protocol::Anthropic => anthropic::messages::encode(conversation, target, false).unwrap().body,
        Protocol::Gemini => gemini::generate::encode(conversation, target, false).unwrap().body,
        Protocol::Responses => openai::responses::encode(conversation, target, false).unwrap().body,
        Protocol::Chat => openai::chat::encode(conversation, target, false).unwrap(),
    };
    serde_json::from_slice(&body).unwrap()
}

fn question() -> Conversation {
    let message = Message { role: Role::User, name: None, parts: vec![Part::text("x")], cache: None };
    Conversation { messages: vec![message], ..Conversation::default() }
}

fn target(provider: &str, model: &str, efforts: &[&str], budget: Option<u64>) -> Target {
    Target {
        provider: provider.to_owned(),
        model: model.to_owned(),
        max_output_tokens: Some(50_000),
        reasoning: true,
        reasoning_efforts: efforts.iter().map(|e| (*e).to_owned()).collect(),
        reasoning_budget_min: budget,
        ..Target::default()
    }
}

/// The members of a body that have to do with reasoning.
fn reasoning_of(body: &Value) -> Value {
    let mut found = Map::new();
    for path in [
        "/thinking",
        "/output_config/effort",
        "/generationConfig/thinkingConfig/thinkingBudget",
        "/generationConfig/thinkingConfig/thinkingLevel",
        "/reasoning/effort",
        "/reasoning_effort",
        "/enable_thinking",
        "/thinking_budget",
    ] {
        if let Some(value) = body.pointer(path) {
            let name = path.rsplit('/').next().unwrap();
            found.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(found)
}

/// Of every kind of model: what is sent for `none`, `minimal`, `low`, `medium`, `high`, `max`, for budgets of
/// 1,500 and 30,000 tokens, and for reasoning that is merely switched on.
type Row = (Protocol, Target, [Value; 9]);

fn budgeted(tokens: u64) -> Value {
    json!({"thinking": {"type": "enabled", "budget_tokens": tokens}})
}

fn adaptive(effort: &str) -> Value {
    json!({"thinking": {"type": "adaptive", "display": "summarized"}, "effort": effort})
}

fn one(name: &str, value: impl Into<Value>) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value.into())]))
}

fn budgets_and_levels() -> Vec<Row> {
    let budget = |tokens: i64| one("thinkingBudget", tokens);
    let level = |word: &str| one("thinkingLevel", word);
    vec![
        (
            Protocol::Anthropic,
            target("anthropic", "claude-sonnet-4-20250514", &[], Some(1024)),
            [
                json!({}),
                budgeted(1024),
                budgeted(5000),
                budgeted(15_000),
                budgeted(30_000),
                budgeted(45_000),
                budgeted(1500),
                budgeted(30_000),
                budgeted(15_000),
            ],
        ),
        (
            Protocol::Anthropic,
            target("anthropic", "claude-opus-4-6", &["low", "medium", "high", "max"], None),
            [
                json!({"thinking": {"type": "disabled"}}),
                adaptive("low"),
                adaptive("low"),
                adaptive("medium"),
                adaptive("high"),
                adaptive("max"),
                adaptive("low"),
                adaptive("high"),
                json!({"thinking": {"type": "adaptive", "display": "summarized"}}),
            ],
        ),
        (
            Protocol::Gemini,
            target("google", "gemini-2.5-flash", &[], None),
            [
                budget(0),
                budget(491),
                budget(2457),
                budget(7372),
                budget(14_745),
                budget(22_118),
                budget(1500),
                budget(24_576),
                budget(-1),
            ],
        ),
        (
            Protocol::Gemini,
            target("google", "gemini-3-flash", &[], None),
            [
                level("minimal"),
                level("minimal"),
                level("low"),
                level("medium"),
                level("high"),
                level("high"),
                level("low"),
                level("high"),
                json!({}),
            ],
        ),
    ]
}

fn efforts_and_switches() -> Vec<Row> {
    let effort = |level: &str| one("effort", level);
    let chat = |level: &str| one("reasoning_effort", level);
    let thinks = |tokens: u64| json!({"enable_thinking": true, "thinking_budget": tokens});
    let on = || json!({"thinking": {"type": "enabled"}});
    let low_to_high = ["low", "medium", "high"];
    vec![
        (
            Protocol::Responses,
            target("openai", "o3", &low_to_high, None),
            [
                effort("low"),
                effort("low"),
                effort("low"),
                effort("medium"),
                effort("high"),
                effort("high"),
                effort("low"),
                effort("high"),
                effort("medium"),
            ],
        ),
        (
            Protocol::Responses,
            target("openai", "gpt-5.2", &["none", "low", "medium", "high", "xhigh"], None),
            [
                effort("none"),
                effort("low"),
                effort("low"),
                effort("medium"),
                effort("high"),
                effort("xhigh"),
                effort("low"),
                effort("high"),
                effort("medium"),
            ],
        ),
        (
            Protocol::Chat,
            target("openai", "gpt-5", &["minimal", "low", "medium", "high"], None),
            [
                chat("minimal"),
                chat("minimal"),
                chat("low"),
                chat("medium"),
                chat("high"),
                chat("high"),
                chat("low"),
                chat("high"),
                chat("medium"),
            ],
        ),
        (
            Protocol::Chat,
            target("alibaba", "qwen3-max", &[], None),
            [
                one("enable_thinking", false),
                thinks(1024),
                thinks(5000),
                thinks(15_000),
                thinks(30_000),
                thinks(45_000),
                thinks(1500),
                thinks(30_000),
                one("enable_thinking", true),
            ],
        ),
        (
            Protocol::Chat,
            target("deepseek", "deepseek-chat", &[], None),
            [json!({"thinking": {"type": "disabled"}}), on(), on(), on(), on(), on(), on(), on(), on()],
        ),
    ]
}

#[test]
fn efforts_and_budgets_reach_every_kind_of_model_in_its_own_words() {
    let effort = |word: &str| ReasoningRequest { effort: Some(word.into()), ..ReasoningRequest::default() };
    let tokens = |n: u64| ReasoningRequest { max_tokens: Some(n), ..ReasoningRequest::default() };
    let asked = [
        effort("none"),
        effort("minimal"),
        effort("low"),
        effort("medium"),
        effort("high"),
        effort("max"),
        tokens(1500),
        tokens(30_000),
        ReasoningRequest { enabled: Some(true), ..ReasoningRequest::default() },
    ];
    for (protocol, target, expected) in budgets_and_levels().into_iter().chain(efforts_and_switches()) {
        for (request, expected) in asked.iter().zip(expected) {
            let mut conversation = Conversation { reasoning: Some(request.clone()), ..question() };
            conversation.settings.max_output_tokens = Some(2000);
            let found = reasoning_of(&encode(protocol, &conversation, &target));
            assert_eq!(found, expected, "{protocol:?} {} {request:?}", target.model);
        }
        let silent = reasoning_of(&encode(protocol, &question(), &target));
        assert_eq!(silent, json!({}), "{protocol:?} {} is told nothing unasked", target.model);
    }
}

const SLUGS: [&str; 10] =
    ["anthropic", "openai", "azure", "google", "groq", "minimax", "deepseek", "xai", "bedrock", "vertex"];

/// An option of its own for each provider.
fn options() -> Vec<(String, Value)> {
    SLUGS.iter().map(|slug| ((*slug).to_owned(), one(&format!("x_{slug}"), 1))).collect()
}

#[test]
fn options_of_one_provider_never_reach_another() {
    let all = SLUGS;
    let conversation = Conversation { provider_options: options(), ..question() };
    for (protocol, provider, model, own) in [
        (Protocol::Anthropic, "anthropic", "claude-sonnet-4-5", &["anthropic"][..]),
        (Protocol::Anthropic, "azure", "claude-sonnet-4-5", &["anthropic", "azure"]),
        (Protocol::Anthropic, "minimax", "MiniMax-M2", &["minimax"]),
        (Protocol::Anthropic, "deepseek", "deepseek-chat", &["deepseek"]),
        (Protocol::Gemini, "google", "gemini-3-flash", &["google"]),
        (Protocol::Gemini, "vertex", "gemini-3-flash", &["google", "vertex"]),
        (Protocol::Responses, "openai", "gpt-5", &["openai"]),
        (Protocol::Responses, "azure", "gpt-5", &["openai", "azure"]),
        (Protocol::Responses, "xai", "grok-4", &["xai"]),
        (Protocol::Chat, "openai", "gpt-5", &["openai"]),
        (Protocol::Chat, "azure", "gpt-5", &["openai", "azure"]),
        (Protocol::Chat, "groq", "m", &["groq"]),
        (Protocol::Chat, "minimax", "MiniMax-M2", &["minimax"]),
        (Protocol::Chat, "vllm", "m", &[]),
    ] {
        let body = encode(protocol, &conversation, &target(provider, model, &[], None));
        // Gemini writes names in camel case.
        let text = body.to_string().replace("xGoogle", "x_google").replace("xVertex", "x_vertex");
        let found: Vec<&str> =
            all.iter().copied().filter(|slug| text.contains(&format!("\"x_{slug}\""))).collect();
        let mut own = own.to_vec();
        own.sort_by_key(|slug| all.iter().position(|s| s == slug));
        assert_eq!(found, own, "{protocol:?} {provider}: {text}");
        assert!(!text.contains("providerOptions"), "{protocol:?} {provider}: {text}");
    }
}

#[test]
fn options_of_one_provider_never_reach_another_in_a_body_that_is_passed_through() {
    let all = SLUGS;
    let namespaces: Map<String, Value> = options().into_iter().collect();
    let mut body =
        json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "input": "x"});
    body["providerOptions"] = Value::Object(namespaces);
    let body = body.to_string();
    for (provider, model, own) in [
        ("anthropic", "claude-sonnet-4-5", &["anthropic"][..]),
        ("minimax", "MiniMax-M2", &["minimax"]),
        ("openai", "gpt-5", &["openai"]),
    ] {
        let target = target(provider, model, &[], None);
        let spliced = match provider {
            "openai" => {
                vec![
                    openai::chat::adapt(body.as_bytes(), &target, false).unwrap(),
                    openai::responses::adapt(body.as_bytes(), &target, false, None).unwrap(),
                ]
            }
            _ => vec![anthropic::messages::adapt(body.as_bytes(), &target, false).unwrap()],
        };
        for text in spliced.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()) {
            let found: Vec<&str> =
                all.iter().copied().filter(|slug| text.contains(&format!("\"x_{slug}\""))).collect();
            assert_eq!(found, own, "{provider}: {text}");
        }
    }
}
