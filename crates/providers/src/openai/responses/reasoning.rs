//! What a client asks of reasoning, in the protocol's words: an effort, and whether a summary shall be told
//! (providers §3).

use serde_json::{Map, Value};
use tollgate_domain::conversation::ReasoningRequest;

use super::super::chat;
use super::quirks::Quirks;
use crate::Target;

/// Efforts from none to the most.
const LEVELS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// The `reasoning` member; `None` leaves it to the provider.
pub(super) fn member(
    request: Option<&ReasoningRequest>,
    target: &Target,
    quirks: &Quirks,
) -> Option<Map<String, Value>> {
    let request = request?;
    let mut members = Map::new();
    if quirks.efforts
        && let Some(effort) = effort(request, target, quirks)
    {
        members.insert("effort".to_owned(), effort.into());
    }
    if let Some(summary) = summary(request).filter(|_| quirks.summaries && reasons(target, quirks)) {
        members.insert("summary".to_owned(), summary.into());
    }
    (!members.is_empty()).then_some(members)
}

fn reasons(target: &Target, quirks: &Quirks) -> bool {
    quirks.openai_reasoning || target.reasoning || !target.reasoning_efforts.is_empty()
}

/// Without a summary OpenAI's reasoning stays unseen, so one is asked for wherever reasoning is wanted.
fn summary(request: &ReasoningRequest) -> Option<&str> {
    if request.exclude || is_off(request) {
        return None;
    }
    match request.summary.as_deref() {
        Some(own @ ("auto" | "concise" | "detailed")) => Some(own),
        // Anthropic's words for the same.
        Some("omitted") => None,
        Some("summarized") => Some("auto"),
        _ => request.wanted().then_some("auto"),
    }
}

fn is_off(request: &ReasoningRequest) -> bool {
    request.enabled == Some(false) || request.effort.as_deref() == Some("none")
}

/// The effort that comes nearest to what was asked, of those the model takes.
fn effort(request: &ReasoningRequest, target: &Target, quirks: &Quirks) -> Option<String> {
    let known: Vec<&str> = target.reasoning_efforts.iter().map(String::as_str).collect();
    if is_off(request) {
        return off(&known, target, quirks).map(str::to_owned);
    }
    let asked = match (&request.effort, request.max_tokens) {
        (Some(level), _) if !LEVELS.contains(&level.as_str()) => return Some(level.clone()),
        (Some(level), _) => level.as_str(),
        (None, Some(tokens)) if tokens > 0 => by_budget(tokens),
        // From GPT-5.1 on a model does not reason unless it is told to.
        _ if request.enabled == Some(true) && (!known.is_empty() || quirks.samples_without_effort) => {
            "medium"
        }
        _ => return None,
    };
    if known.is_empty() {
        return Some(match asked {
            "minimal" if !quirks.openai_reasoning => "low".to_owned(),
            "xhigh" | "max" => "high".to_owned(),
            level => level.to_owned(),
        });
    }
    let place = |level: &str| LEVELS.iter().position(|own| *own == level).unwrap_or(0);
    let nearest = LEVELS[1..]
        .iter()
        .filter(|level| known.contains(level))
        .min_by_key(|level| place(level).abs_diff(place(asked)));
    nearest.map(|level| (*level).to_owned())
}

/// The nearest to "no reasoning".
fn off<'k>(known: &[&'k str], target: &Target, quirks: &Quirks) -> Option<&'k str> {
    if !known.is_empty() {
        return LEVELS.iter().find_map(|level| known.iter().copied().find(|own| own == level));
    }
    if !quirks.openai_reasoning {
        return None;
    }
    Some(match () {
        () if quirks.samples_without_effort => "none",
        () if chat::family(target).contains("gpt-5") => "minimal",
        () => "low",
    })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(provider: &str, model: &str, efforts: &[&str], request: &ReasoningRequest) -> Value {
        let target = Target {
            provider: provider.into(),
            model: model.into(),
            reasoning_efforts: efforts.iter().map(|e| (*e).to_owned()).collect(),
            ..Target::default()
        };
        member(Some(request), &target, &Quirks::for_target(&target)).map_or(Value::Null, Value::Object)
    }

    fn effort(level: &str) -> ReasoningRequest {
        ReasoningRequest { effort: Some(level.into()), ..ReasoningRequest::default() }
    }

    #[test]
    fn efforts_come_as_near_as_the_model_can() {
        let low = ["low", "medium", "high"];
        assert_eq!(of("openai", "o3", &low, &effort("minimal")), json!({"effort": "low", "summary": "auto"}));
        assert_eq!(of("openai", "o3", &low, &effort("max")), json!({"effort": "high", "summary": "auto"}));
        assert_eq!(of("openai", "o3", &low, &effort("none")), json!({"effort": "low"}));
        assert_eq!(of("openai", "gpt-5.1", &[], &effort("none")), json!({"effort": "none"}));
        assert_eq!(of("openai", "gpt-5", &[], &effort("none")), json!({"effort": "minimal"}));
        assert_eq!(of("openai", "gpt-4o", &[], &effort("low")), Value::Null);
        assert_eq!(of("xai", "grok-4.3", &[], &effort("low")), Value::Null);
        assert_eq!(of("xai", "grok-4.3", &low, &effort("low")), json!({"effort": "low", "summary": "auto"}));
    }

    #[test]
    fn budgets_and_switches_become_efforts() {
        let budget = ReasoningRequest { max_tokens: Some(3000), ..ReasoningRequest::default() };
        assert_eq!(of("openai", "gpt-5", &[], &budget)["effort"], "medium");
        let on = ReasoningRequest { enabled: Some(true), ..ReasoningRequest::default() };
        assert_eq!(of("openai", "gpt-5", &[], &on), json!({"summary": "auto"}));
        assert_eq!(of("openai", "gpt-5.2", &[], &on), json!({"effort": "medium", "summary": "auto"}));
    }

    #[test]
    fn a_summary_is_told_unless_it_is_to_be_left_out() {
        let hidden = ReasoningRequest { exclude: true, ..effort("high") };
        assert_eq!(of("openai", "o3", &[], &hidden), json!({"effort": "high"}));
        let concise = ReasoningRequest { summary: Some("concise".into()), ..ReasoningRequest::default() };
        assert_eq!(of("openai", "o3", &[], &concise), json!({"summary": "concise"}));
        let omitted = ReasoningRequest { summary: Some("omitted".into()), ..effort("low") };
        assert_eq!(of("openai", "o3", &[], &omitted), json!({"effort": "low"}));
    }
}
