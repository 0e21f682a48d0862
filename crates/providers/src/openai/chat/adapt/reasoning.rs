//! The gateway's `reasoning` object (gateway-api §7.1) and its alias `reasoning_effort`, in the provider's
//! own words (providers §2).

use tollgate_domain::conversation::ReasoningRequest;
use tollgate_wire::json::{self, Object};

use super::super::quirks::{self, Quirks, ReasoningStyle};
use crate::Target;

/// Efforts from none to the most.
const LEVELS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// Replaces the gateway's members by the provider's.
pub(super) fn rewrite(body: &mut Object<'_>, quirks: &Quirks, target: &Target) {
    if quirks.reasoning == ReasoningStyle::Object {
        return;
    }
    let included = body.remove("include_reasoning");
    let own = body.remove("reasoning");
    let mut request = own.as_deref().map(parse).unwrap_or_default();
    request.exclude |= included.as_deref() == Some(b"false");
    let alias = body.get("reasoning_effort").and_then(json::string).map(|text| text.into_owned());
    // The nested member wins over its alias.
    if request.effort.is_none() && request.max_tokens.is_none() && request.enabled.is_none() {
        request.effort = alias;
    }
    let said = own.is_some() || request.effort.is_some() || request.exclude;
    match quirks.reasoning {
        // A client that wrote the protocol's own member gets it passed on as it is.
        ReasoningStyle::Effort if own.is_some() => set_effort(body, effort(&request, target)),
        ReasoningStyle::EffortOnOff if said => {
            set_effort(body, switch(&request).map(|on| if on { "high" } else { "none" }));
        }
        ReasoningStyle::GroqSwitch => groq_switch(body, &request, said),
        ReasoningStyle::GroqEffort => {
            if own.is_some() {
                set_effort(body, effort(&request, target).filter(|level| *level != "none"));
            }
            if request.exclude {
                body.set("include_reasoning", &b"false"[..]);
            }
        }
        ReasoningStyle::Thinking => thinking(body, &request, target, own.is_some()),
        ReasoningStyle::EnableThinking if said => enable_thinking(body, &request, target),
        ReasoningStyle::Enabled if own.is_some() => {
            if let Some(on) = switch(&request) {
                body.set("reasoning", if on { &br#"{"enabled":true}"#[..] } else { br#"{"enabled":false}"# });
            }
            let level = request.effort.is_some().then(|| effort(&request, target)).flatten();
            set_effort(body, level.map(low_to_high).filter(|_| switch(&request) != Some(false)));
        }
        ReasoningStyle::Template if own.is_some() => {
            template(body, switch(&request));
            set_effort(body, request.effort.is_some().then(|| effort(&request, target)).flatten());
        }
        ReasoningStyle::Disable if said => {
            body.remove("reasoning_effort");
            if let Some(on) = switch(&request) {
                body.set("disable_reasoning", if on { &b"false"[..] } else { b"true" });
            }
        }
        _ => {}
    }
}

fn parse(raw: &[u8]) -> ReasoningRequest {
    let Ok(object) = Object::parse_checked(raw) else { return ReasoningRequest::default() };
    ReasoningRequest {
        enabled: object.get("enabled").and_then(json::boolean),
        effort: object.get("effort").and_then(json::string).map(|text| text.into_owned()),
        max_tokens: object.get("max_tokens").and_then(json::unsigned).filter(|n| *n > 0),
        exclude: object.get("exclude").and_then(json::boolean).unwrap_or(false),
        summary: object.get("summary").and_then(json::string).map(|text| text.into_owned()),
    }
}

/// On, off, or nothing said.
fn switch(request: &ReasoningRequest) -> Option<bool> {
    if request.enabled == Some(false) || request.effort.as_deref() == Some("none") {
        return Some(false);
    }
    request.wanted().then_some(true)
}

fn set_effort(body: &mut Object<'_>, level: Option<&str>) {
    match level {
        Some(level) => body.set_string("reasoning_effort", level),
        None => {
            body.remove("reasoning_effort");
        }
    }
}

/// The effort that comes nearest to what was asked, of those the model takes.
fn effort(request: &ReasoningRequest, target: &Target) -> Option<&'static str> {
    let takes = |level: &str| target.reasoning_efforts.iter().any(|own| own == level);
    let unknown = target.reasoning_efforts.is_empty();
    if switch(request) == Some(false) {
        return off(target, unknown, takes);
    }
    let asked = if let Some(level) = &request.effort {
        *LEVELS.iter().find(|own| *own == level)?
    } else if let Some(tokens) = request.max_tokens {
        by_budget(tokens)
    } else if request.enabled == Some(true) && (!unknown || quirks::samples_without_effort(target)) {
        "medium"
    } else {
        return None;
    };
    if unknown {
        return Some(if quirks::follows_openai_reasoning(target) && asked == "minimal" {
            asked
        } else {
            low_to_high(asked)
        });
    }
    let place = |level: &str| LEVELS.iter().position(|own| *own == level).unwrap_or(0);
    let wanted = place(asked);
    LEVELS[1..].iter().copied().filter(|level| takes(level)).min_by_key(|level| place(level).abs_diff(wanted))
}

/// The nearest to "no reasoning".
fn off(target: &Target, unknown: bool, takes: impl Fn(&str) -> bool) -> Option<&'static str> {
    if !unknown {
        return LEVELS.iter().copied().find(|level| takes(level));
    }
    if !quirks::follows_openai_reasoning(target) {
        return Some("none")
            .filter(|_| matches!(target.provider.as_str(), "ollama" | "fireworks" | "google"));
    }
    Some(match () {
        () if quirks::samples_without_effort(target) => "none",
        () if target.model.contains("gpt-5") || target.canonical.contains("gpt-5") => "minimal",
        () => "low",
    })
}

/// Efforts that every server with efforts knows.
fn low_to_high(level: &'static str) -> &'static str {
    match level {
        "minimal" => "low",
        "xhigh" | "max" => "high",
        other => other,
    }
}

/// The effort whose budget comes nearest from below (providers §4, effort to budget, read backwards).
fn by_budget(tokens: u64) -> &'static str {
    match tokens {
        0..1024 => "minimal",
        1024..2048 => "low",
        2048..4096 => "medium",
        _ => "high",
    }
}

/// Groq's Qwen: on is `default`, and without a format thinking would stand in the text as tags.
fn groq_switch(body: &mut Object<'_>, request: &ReasoningRequest, said: bool) {
    if said {
        set_effort(body, switch(request).map(|on| if on { "default" } else { "none" }));
    }
    if request.exclude {
        body.set("reasoning_format", &b"\"hidden\""[..]);
    } else if !body.has("reasoning_format") {
        body.set("reasoning_format", &b"\"parsed\""[..]);
    }
}

/// `thinking: {type}`; an effort goes along where the model has efforts.
fn thinking(body: &mut Object<'_>, request: &ReasoningRequest, target: &Target, own: bool) {
    let off = switch(request) == Some(false);
    if own || off {
        if let Some(on) = switch(request).filter(|_| !body.has("thinking")) {
            body.set("thinking", if on { &br#"{"type":"enabled"}"#[..] } else { br#"{"type":"disabled"}"# });
        }
        let level = (!off && !target.reasoning_efforts.is_empty() && request.effort.is_some())
            .then(|| effort(request, target))
            .flatten();
        set_effort(body, level);
    }
}

fn enable_thinking(body: &mut Object<'_>, request: &ReasoningRequest, target: &Target) {
    body.remove("reasoning_effort");
    let Some(on) = switch(request) else { return };
    body.set("enable_thinking", if on { &b"true"[..] } else { b"false" });
    if !on {
        return;
    }
    let budget = request.max_tokens.or_else(|| share(request.effort.as_deref()?, target.max_output_tokens?));
    if let Some(budget) = budget.filter(|_| !body.has("thinking_budget")) {
        body.set("thinking_budget", budget.to_string().into_bytes());
    }
}

/// An effort's share of the model's longest answer (providers §4).
fn share(effort: &str, most: u64) -> Option<u64> {
    let percent = match effort {
        "minimal" => 2,
        "low" => 10,
        "medium" => 30,
        "high" => 60,
        "xhigh" | "max" => 90,
        _ => return None,
    };
    Some((most / 100).saturating_mul(percent).max(1024))
}

/// vLLM and its kin pass the switch to the model's chat template.
fn template(body: &mut Object<'_>, switch: Option<bool>) {
    let Some(on) = switch else { return };
    let sent = body.get_borrowed("chat_template_kwargs").and_then(|raw| Object::parse_checked(raw).ok());
    let mut arguments = sent.unwrap_or_default();
    if !arguments.has("enable_thinking") {
        arguments.set("enable_thinking", if on { &b"true"[..] } else { b"false" });
        body.set("chat_template_kwargs", arguments.to_vec());
    }
}
