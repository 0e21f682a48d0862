//! How much the model shall think: a budget for 2.5, a level from 3 on (providers §5 "Reasoning").

use serde_json::{Map, Value};
use tollgate_domain::Warning;
use tollgate_domain::conversation::ReasoningRequest;
use tollgate_domain::warning::WarningKind;

use super::super::model::Model;
use crate::codec::Target;

/// Efforts from least to most.
const EFFORTS: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];
/// The largest budgets, in tokens.
const MOST_PRO: u64 = 32_768;
const MOST: u64 = 24_576;
/// The least that the largest models think, in tokens.
const LEAST_PRO: u64 = 128;

/// `generationConfig.thinkingConfig` after the request; `None` leaves it to the provider.
pub(super) fn config(
    request: Option<&ReasoningRequest>,
    target: &Target,
    warnings: &mut Vec<Warning>,
) -> Option<Map<String, Value>> {
    let request = request?;
    let model = Model::of(target);
    let wanted = request.wanted();
    if !target.reasoning {
        if wanted {
            warnings
                .push(Warning::unsupported("reasoning", "This model does not reason; it answers without."));
        }
        return None;
    }
    let off = request.enabled == Some(false)
        || request.effort.as_deref() == Some("none")
        || request.max_tokens == Some(0);
    if !wanted && !off {
        return None;
    }
    let budgeted =
        if model.since(3, 0) { false } else { model.since(2, 5) || target.reasoning_budget_min.is_some() };
    let mut config = Map::new();
    if budgeted {
        let budget = if wanted { budget(request, target, model) } else { no_budget(model, warnings) };
        config.insert("thinkingBudget".to_owned(), budget.into());
    } else if let Some(level) = level(request, wanted, target, model, warnings) {
        config.insert("thinkingLevel".to_owned(), level.into());
    }
    if wanted && !request.exclude {
        config.insert("includeThoughts".to_owned(), Value::Bool(true));
    }
    (!config.is_empty()).then_some(config)
}

fn most(model: Model) -> u64 {
    if model.is_pro() { MOST_PRO } else { MOST }
}

/// The budget in tokens: as asked, an effort's share of the model's most, or as the model finds right (-1).
fn budget(request: &ReasoningRequest, target: &Target, model: Model) -> i64 {
    let asked = request.max_tokens.or_else(|| {
        let percent = match request.effort.as_deref()? {
            "minimal" => 2,
            "low" => 10,
            "high" => 60,
            "xhigh" | "max" => 90,
            _ => 30,
        };
        Some(most(model) * percent / 100)
    });
    let least = target.reasoning_budget_min.unwrap_or(0).max(if model.is_pro() { LEAST_PRO } else { 1 });
    asked.map_or(-1, |tokens| i64::try_from(tokens.min(most(model)).max(least)).unwrap_or(-1))
}

fn no_budget(model: Model, warnings: &mut Vec<Warning>) -> i64 {
    if !model.is_pro() {
        return 0;
    }
    warnings.push(always_thinks());
    i64::try_from(LEAST_PRO).unwrap_or(0)
}

fn level(
    request: &ReasoningRequest,
    wanted: bool,
    target: &Target,
    model: Model,
    warnings: &mut Vec<Warning>,
) -> Option<String> {
    let known: Vec<&str> = if target.reasoning_efforts.is_empty() {
        if model.is_pro() { vec!["low", "high"] } else { vec!["minimal", "low", "medium", "high"] }
    } else {
        target.reasoning_efforts.iter().map(String::as_str).collect()
    };
    if !wanted {
        warnings.push(always_thinks());
    }
    let asked = if wanted {
        request.effort.as_deref().or_else(|| {
            let percent = request.max_tokens?.saturating_mul(100) / most(model);
            Some(match percent {
                0..20 => "low",
                20..45 => "medium",
                _ => "high",
            })
        })?
    } else {
        "minimal"
    };
    // The effort asked for, else the next lower, else the least that the model has.
    let at = EFFORTS.iter().position(|effort| *effort == asked)?;
    let (lower, higher) = (EFFORTS[..=at].iter().rev(), EFFORTS[at..].iter());
    lower.chain(higher).find(|effort| known.contains(effort)).map(|effort| (*effort).to_owned())
}

fn always_thinks() -> Warning {
    Warning {
        kind: WarningKind::Compatibility,
        feature: "reasoning".to_owned(),
        details: Some("This model cannot be told not to reason; it reasons as little as it can.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(model: &str) -> Target {
        Target { model: model.into(), reasoning: true, ..Target::default() }
    }

    fn asked(model: &str, request: &ReasoningRequest) -> Value {
        let mut warnings = Vec::new();
        config(Some(request), &target(model), &mut warnings).map_or(Value::Null, Value::Object)
    }

    fn effort(word: &str) -> ReasoningRequest {
        ReasoningRequest { effort: Some(word.into()), ..ReasoningRequest::default() }
    }

    #[test]
    fn efforts_are_budgets_or_levels() {
        let both = |budget: i64| json!({"thinkingBudget": budget, "includeThoughts": true});
        assert_eq!(asked("gemini-2.5-flash", &effort("medium")), both(7372));
        assert_eq!(asked("gemini-2.5-pro", &effort("high")), both(19_660));
        assert_eq!(asked("gemini-2.5-flash", &effort("max")), both(22_118));
        let level = |level: &str| json!({"thinkingLevel": level, "includeThoughts": true});
        assert_eq!(asked("gemini-3-flash", &effort("medium")), level("medium"));
        assert_eq!(asked("gemini-3-flash", &effort("xhigh")), level("high"));
        assert_eq!(asked("gemini-3-pro-preview", &effort("medium")), level("low"));
        assert_eq!(asked("gemini-3-pro-preview", &effort("minimal")), level("low"));
    }

    #[test]
    fn budgets_keep_within_the_models_bounds() {
        let tokens =
            |n| ReasoningRequest { max_tokens: Some(n), exclude: true, ..ReasoningRequest::default() };
        assert_eq!(asked("gemini-2.5-pro", &tokens(5)), json!({"thinkingBudget": 128}));
        assert_eq!(asked("gemini-2.5-flash", &tokens(1 << 40)), json!({"thinkingBudget": 24_576}));
        assert_eq!(asked("gemini-3-flash", &tokens(20_000)), json!({"thinkingLevel": "high"}));
        let lite = Target { reasoning_budget_min: Some(512), ..target("gemini-2.5-flash-lite") };
        let found = config(Some(&tokens(5)), &lite, &mut Vec::new()).unwrap();
        assert_eq!(found["thinkingBudget"], 512);
        let on = ReasoningRequest { enabled: Some(true), ..ReasoningRequest::default() };
        assert_eq!(asked("gemini-2.5-flash", &on), json!({"thinkingBudget": -1, "includeThoughts": true}));
        assert_eq!(asked("gemini-3-flash", &on), json!({"includeThoughts": true}));
    }

    #[test]
    fn what_cannot_be_is_said() {
        let none = effort("none");
        assert_eq!(asked("gemini-2.5-flash", &none), json!({"thinkingBudget": 0}));
        for (model, wanted) in [
            ("gemini-2.5-pro", json!({"thinkingBudget": 128})),
            ("gemini-3-pro-preview", json!({"thinkingLevel": "low"})),
            ("gemini-3-flash", json!({"thinkingLevel": "minimal"})),
        ] {
            let mut warnings = Vec::new();
            let found = config(Some(&none), &target(model), &mut warnings).unwrap();
            assert_eq!(Value::Object(found), wanted);
            assert_eq!(warnings, [always_thinks()]);
        }
        let mut warnings = Vec::new();
        let plain = Target { reasoning: false, ..target("gemini-2.0-flash") };
        assert_eq!(config(Some(&effort("high")), &plain, &mut warnings), None);
        assert_eq!(warnings.len(), 1);
        assert_eq!(
            config(Some(&ReasoningRequest::default()), &target("gemini-3-flash"), &mut warnings),
            None
        );
    }
}
