//! Rules of a request's settings.

use serde_json::{Number, Value, json};
use tollgate_domain::Conversation;
use tollgate_domain::conversation::{
    Content, FORMAT_ANTHROPIC, FunctionTool, Part, Reasoning, ReasoningRequest, ResponseFormat, Role, Tool,
    ToolChoice, ToolOutput,
};

use super::super::{encode, must_stream};
use super::{body, call, conversation, encoded, message, opus, result, says, sonnet};
use crate::codec::Target;

fn request() -> Conversation {
    conversation(vec![says(Role::User, "go")])
}

fn number(text: &str) -> Option<Number> {
    Some(serde_json::from_str(text).unwrap())
}

fn reason(request: ReasoningRequest) -> Conversation {
    Conversation { reasoning: Some(request), ..self::request() }
}

fn effort(effort: &str) -> Conversation {
    reason(ReasoningRequest { effort: Some(effort.into()), ..ReasoningRequest::default() })
}

fn tool() -> Tool {
    Tool::Function(FunctionTool {
        name: "f".into(),
        description: None,
        parameters: json!({"type": "object"}),
        strict: None,
        cache: None,
    })
}

#[test]
fn a_length_is_always_given() {
    let nothing_known = Target { max_output_tokens: None, ..sonnet() };
    let mut asked = request();
    asked.settings.max_output_tokens = Some(77);
    assert_eq!(body(&asked, &sonnet())["max_tokens"], 77);
    assert_eq!(body(&request(), &sonnet())["max_tokens"], 64_000);
    assert_eq!(body(&request(), &nothing_known)["max_tokens"], 4096);
    asked.settings.max_output_tokens = Some(1_000_000);
    assert_eq!(body(&asked, &sonnet())["max_tokens"], 64_000);
    asked.settings.max_output_tokens = Some(0);
    assert_eq!(body(&asked, &nothing_known)["max_tokens"], 4096);
}

#[test]
fn a_stream_is_asked_for_only_when_wanted() {
    let written = |stream| -> Value {
        serde_json::from_slice(&encode(&request(), &sonnet(), stream).unwrap().body).unwrap()
    };
    assert_eq!(written(true)["stream"], true);
    assert_eq!(written(false).get("stream"), None);
    assert_eq!(written(false)["model"], "claude-sonnet-4-20250514");
}

#[test]
fn sampling_is_held_to_what_the_model_takes() {
    let mut request = request();
    request.settings.temperature = number("1.7");
    request.settings.top_p = number("0.50");
    request.settings.top_k = Some(5);
    request.settings.seed = Some(1);
    request.settings.stop = vec!["END".into(), "\n ".into()];
    let older = body(&request, &sonnet());
    assert_eq!(
        (&older["temperature"], &older["top_p"], &older["top_k"]),
        (&json!(1), &json!(0.5), &json!(5))
    );
    assert_eq!(older["stop_sequences"], json!(["END"]));
    assert_eq!(older.get("seed"), None);
    let target = Target { canonical: "anthropic/claude-opus-4.1".into(), ..sonnet() };
    let newer = body(&request, &target);
    assert_eq!((newer["temperature"].clone(), newer.get("top_p")), (json!(1), None));
    let newest = body(&request, &opus());
    for key in ["temperature", "top_p", "top_k"] {
        assert_eq!(newest.get(key), None, "{key}");
    }
    request.settings.temperature = number("0.30");
    request.settings.stop = vec![" ".into()];
    let kept = body(&request, &sonnet());
    assert_eq!((kept["temperature"].clone(), kept.get("stop_sequences")), (json!(0.3), None));
    request.reasoning = effort("low").reasoning;
    let reasoning = body(&request, &sonnet());
    assert_eq!((reasoning.get("temperature"), reasoning.get("top_k")), (None, None));
    assert_eq!(reasoning["top_p"], json!(0.95));
    request.settings.top_p = number("0.97");
    assert_eq!(body(&request, &sonnet())["top_p"], json!(0.97));
}

#[test]
fn efforts_are_shares_of_the_models_output_for_older_models() {
    for (asked, budget) in [
        ("minimal", 1280),
        ("low", 6400),
        ("medium", 19_200),
        ("high", 38_400),
        ("xhigh", 57_600),
        ("max", 57_600),
    ] {
        let mut request = effort(asked);
        request.settings.max_output_tokens = Some(500);
        let body = body(&request, &sonnet());
        assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": budget}), "{asked}");
        assert_eq!(body["max_tokens"], budget + 500);
    }
    let small = Target { max_output_tokens: Some(8192), ..sonnet() };
    assert_eq!(body(&effort("minimal"), &small)["thinking"]["budget_tokens"], 1024);
    let tiny = Target { max_output_tokens: Some(1500), ..sonnet() };
    assert_eq!(body(&effort("high"), &tiny).get("thinking"), None);
    assert_eq!(body(&effort("high"), &tiny)["max_tokens"], 1500);
}

#[test]
fn a_budget_stays_within_the_models_maximum() {
    let budget =
        |tokens| reason(ReasoningRequest { max_tokens: Some(tokens), ..ReasoningRequest::default() });
    let mut asked = budget(100_000);
    asked.settings.max_output_tokens = Some(2000);
    let written = body(&asked, &sonnet());
    assert_eq!(
        (&written["max_tokens"], &written["thinking"]["budget_tokens"]),
        (&json!(64_000), &json!(62_976))
    );
    assert_eq!(body(&budget(10), &sonnet())["thinking"]["budget_tokens"], 1024);
    let off = body(&budget(0), &sonnet());
    assert_eq!(off.get("thinking"), None);
}

#[test]
fn newer_models_are_steered_by_effort() {
    for (asked, expected) in [("minimal", "low"), ("low", "low"), ("xhigh", "xhigh"), ("max", "xhigh")] {
        let body = body(&effort(asked), &opus());
        assert_eq!(body["thinking"], json!({"type": "adaptive", "display": "summarized"}));
        assert_eq!(body["output_config"], json!({"effort": expected}), "{asked}");
        assert_eq!(body["max_tokens"], 128_000);
    }
    let on = reason(ReasoningRequest { enabled: Some(true), exclude: true, ..ReasoningRequest::default() });
    let body_on = body(&on, &opus());
    assert_eq!(body_on["thinking"], json!({"type": "adaptive", "display": "omitted"}));
    assert_eq!(body_on.get("output_config"), None);
    let budget = reason(ReasoningRequest { max_tokens: Some(64_000), ..ReasoningRequest::default() });
    assert_eq!(body(&budget, &opus())["output_config"], json!({"effort": "high"}));
    let off = effort("none");
    assert_eq!(body(&off, &opus())["thinking"], json!({"type": "disabled"}));
    assert_eq!(body(&off, &sonnet()).get("thinking"), None);
    let always = Target { canonical: "anthropic/claude-fable-5".into(), ..opus() };
    assert_eq!(body(&off, &always).get("thinking"), None);
    let silent = reason(ReasoningRequest { exclude: true, ..ReasoningRequest::default() });
    assert_eq!(body(&silent, &opus()).get("thinking"), None);
    let plain = Target {
        canonical: "anthropic/claude-3-haiku".into(),
        reasoning: false,
        reasoning_budget_min: None,
        ..sonnet()
    };
    assert_eq!(body(&effort("high"), &plain).get("thinking"), None);
}

#[test]
fn a_model_with_both_takes_a_budget_when_one_is_named() {
    let both = Target {
        canonical: "anthropic/claude-opus-4.6".into(),
        reasoning_budget_min: Some(1024),
        reasoning_efforts: ["low", "medium", "high"].map(str::to_owned).to_vec(),
        ..opus()
    };
    let budget = reason(ReasoningRequest { max_tokens: Some(2000), ..ReasoningRequest::default() });
    assert_eq!(body(&budget, &both)["thinking"], json!({"type": "enabled", "budget_tokens": 2000}));
    assert_eq!(body(&effort("xhigh"), &both)["output_config"], json!({"effort": "high"}));
}

#[test]
fn nothing_is_forced_while_the_model_reasons() {
    for (target, beta) in [(sonnet(), true), (opus(), false)] {
        let mut request = effort("low");
        request.tools = vec![tool()];
        request.tool_choice = Some(ToolChoice::Required);
        let (body, encoded) = encoded(&request, &target);
        assert_eq!(body["tool_choice"], json!({"type": "auto"}));
        assert_eq!(encoded.betas == ["interleaved-thinking-2025-05-14"], beta);
    }
}

#[test]
fn i19_a_loop_begun_without_reasoning_goes_on_without() {
    let mut request = effort("low");
    request.messages.push(message(Role::Assistant, vec![call("t", "f", "{}")]));
    request.messages.push(message(Role::Tool, vec![result("t", ToolOutput::Text("r".into()))]));
    let written = body(&request, &sonnet());
    assert_eq!((written.get("thinking"), &written["max_tokens"]), (None, &json!(64_000)));
    assert!(body(&request, &opus()).get("thinking").is_some());
    let signed = Reasoning {
        text: "t".into(),
        signature: Some("s".into()),
        format: Some(FORMAT_ANTHROPIC.into()),
        ..Reasoning::default()
    };
    request.messages[1].parts.insert(0, Part::new(Content::Reasoning(signed)));
    assert!(body(&request, &sonnet()).get("thinking").is_some());
}

#[test]
fn structured_output_is_native_or_a_tool() {
    let mut request = request();
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: Some("answer".into()),
        schema: json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}}}),
        strict: Some(true),
        description: Some("The answer.".into()),
    });
    let (native, encoded_native) = encoded(&request, &sonnet());
    assert_eq!(
        native["output_config"]["format"],
        json!({"type": "json_schema", "schema": {"type": "object", "additionalProperties": false,
            "properties": {"n": {"type": "integer", "description": "(minimum: 0)"}}}})
    );
    assert_eq!((native.get("tools"), encoded_native.json_tool), (None, None));

    let plain = Target { structured_output: false, ..sonnet() };
    let (forced, encoded_forced) = encoded(&request, &plain);
    assert_eq!(encoded_forced.json_tool.as_deref(), Some("json"));
    assert_eq!(forced.get("output_config"), None);
    assert_eq!(forced["tools"][0]["name"], "json");
    assert_eq!(forced["tools"][0]["description"], "The answer.");
    assert_eq!(forced["tools"][0]["input_schema"]["properties"]["n"]["minimum"], 0);
    let only = json!({"type": "tool", "name": "json", "disable_parallel_tool_use": true});
    assert_eq!(forced["tool_choice"], only);

    let mut beside = request.clone();
    let mut taken = tool();
    if let Tool::Function(function) = &mut taken {
        function.name = "json".into();
    }
    beside.tools = vec![taken];
    let (any, encoded_any) = encoded(&beside, &plain);
    assert_eq!(encoded_any.json_tool.as_deref(), Some("json_answer"));
    assert_eq!(any["tool_choice"]["type"], "any");
    beside.reasoning = effort("low").reasoning;
    assert_eq!(body(&beside, &plain)["tool_choice"], json!({"type": "auto"}));

    request.response_format = Some(ResponseFormat::JsonSchema {
        name: None,
        schema: json!({"type": "array"}),
        strict: None,
        description: None,
    });
    let error = encode(&request, &plain, false).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("response_format.json_schema.schema"));
    request.response_format = Some(ResponseFormat::JsonObject);
    assert_eq!(body(&request, &sonnet()).get("output_config"), None);
}

#[test]
fn users_and_tiers_are_mapped() {
    let mut request = request();
    request.safety_identifier = Some("u1".into());
    assert_eq!(body(&request, &sonnet())["metadata"], json!({"user_id": "u1"}));
    for (tier, expected) in [
        ("flex", Value::Null),
        ("priority", json!("auto")),
        ("auto", json!("auto")),
        ("default", json!("standard_only")),
        ("standard_only", json!("standard_only")),
        ("other", Value::Null),
    ] {
        request.service_tier = Some(tier.into());
        assert_eq!(body(&request, &sonnet())["service_tier"], expected, "{tier}");
    }
}

#[test]
fn the_clients_own_options_win() {
    let mut request = effort("low");
    request.safety_identifier = Some("u1".into());
    request.settings.temperature = number("0.5");
    request.settings.max_output_tokens = Some(1000);
    request.tools = vec![tool()];
    request.provider_options = vec![
        ("openai".into(), json!({"reasoningEffort": "high"})),
        (
            "anthropic".into(),
            json!({
                "thinking": {"type": "enabled", "budgetTokens": 3000},
                "metadata": {"userId": "own"},
                "disableParallelToolUse": true,
                "sendReasoning": true,
                "contextManagement": {"edits": [{"type": "compact_20260112", "clearAtLeast": {"value": 1}}]},
                "speed": "fast",
                "container": {"skills": [{"skillId": "pptx"}]},
                "anthropicBeta": ["mine-1"],
                "model": "not-yours",
                "inference_geo": "us"
            }),
        ),
    ];
    let (body, encoded) = encoded(&request, &sonnet());
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 3000}));
    assert_eq!((&body["max_tokens"], body.get("temperature")), (&json!(4000), None));
    assert_eq!(body["metadata"], json!({"user_id": "own"}));
    assert_eq!(body["tool_choice"], json!({"type": "auto", "disable_parallel_tool_use": true}));
    assert_eq!(body["context_management"]["edits"][0]["clear_at_least"], json!({"value": 1}));
    assert_eq!((&body["speed"], &body["inference_geo"]), (&json!("fast"), &json!("us")));
    assert_eq!(body["container"], json!({"skills": [{"skill_id": "pptx"}]}));
    assert_eq!(body["model"], "claude-sonnet-4-20250514");
    for absent in ["send_reasoning", "sendReasoning", "anthropic_beta", "reasoning_effort"] {
        assert_eq!(body.get(absent), None, "{absent}");
    }
    assert_eq!(
        encoded.betas,
        [
            "mine-1",
            "context-management-2025-06-27",
            "compact-2026-01-12",
            "code-execution-2025-08-25",
            "skills-2025-10-02",
            "files-api-2025-04-14",
            "fast-mode-2026-02-01",
            "interleaved-thinking-2025-05-14"
        ]
    );
}

#[test]
fn options_of_the_answer_join_those_of_the_codec() {
    let mut request = request();
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: None,
        schema: json!({"type": "object"}),
        strict: None,
        description: None,
    });
    request.provider_options = vec![(
        "anthropic".into(),
        json!({"effort": "max", "thinking": {"type": "adaptive"}, "taskBudget": {"total": 9}}),
    )];
    let (body, encoded) = encoded(&request, &opus());
    let config = &body["output_config"];
    assert_eq!((&config["effort"], &config["task_budget"]), (&json!("max"), &json!({"total": 9})));
    assert_eq!(config["format"]["type"], "json_schema");
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(encoded.betas, ["task-budgets-2026-03-13"]);
}

#[test]
fn only_answers_that_are_soon_ready_are_waited_for_in_one_piece() {
    let short = Target { max_output_tokens: Some(8192), ..sonnet() };
    let limited = |most: u64| {
        let mut request = request();
        request.settings.max_output_tokens = Some(most);
        request
    };
    assert!(must_stream(&request(), &sonnet()), "the model's longest answer, where nothing is said");
    assert!(!must_stream(&request(), &short));
    assert!(!must_stream(&limited(21_333), &sonnet()));
    assert!(must_stream(&limited(21_334), &sonnet()));
    let thinks = Conversation { reasoning: effort("high").reasoning, ..limited(1000) };
    assert!(must_stream(&thinks, &sonnet()), "a budget comes on top");
    let mut own = request();
    own.provider_options = vec![("anthropic".into(), json!({"max_tokens": 100}))];
    assert!(!must_stream(&own, &sonnet()), "the client's own option is what is sent");
}
