//! How much the model shall reason: a budget for older models, an effort for newer ones (providers §4
//! "Reasoning").

use serde_json::{Value, json};
use tollgate_domain::conversation::ReasoningRequest;

use super::model::Model;
use super::options::Options;
use crate::codec::Target;

/// The least budget the protocol takes, in tokens.
const LEAST_BUDGET: u64 = 1024;
/// Tokens that a budget leaves for the answer where the model's maximum binds.
const LEAST_ANSWER: u64 = 1024;
/// `max_tokens` when neither the client nor the catalog knows one.
const DEFAULT_MAX_TOKENS: u64 = 4096;

/// Efforts from least to most.
const EFFORTS: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];

/// What the request says of reasoning and length.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// `thinking`, when it is to be said.
    pub(super) thinking: Option<Value>,
    /// `output_config.effort`.
    pub(super) effort: Option<String>,
    /// `max_tokens`.
    pub(super) max_tokens: u64,
}

impl Plan {
    /// The model will reason.
    pub(super) fn reasons(&self) -> bool {
        self.thinking.as_ref().is_some_and(|t| t.get("type").is_some_and(|kind| kind != "disabled"))
    }

    /// It will reason within a budget, which earlier turns must have done too.
    pub(super) fn has_budget(&self) -> bool {
        self.thinking.as_ref().is_some_and(|t| t.get("type").is_some_and(|kind| kind == "enabled"))
    }
}

/// Plans a request. `asked` is the client's limit of the answer's length.
pub(super) fn plan(
    request: Option<&ReasoningRequest>,
    options: &Options,
    asked: Option<u64>,
    target: &Target,
    model: Model,
) -> Plan {
    let most = target.max_output_tokens.unwrap_or(u64::MAX);
    let answer = asked.or(target.max_output_tokens).unwrap_or(DEFAULT_MAX_TOKENS).min(most);
    let plain = Plan { thinking: None, effort: options.effort.clone(), max_tokens: answer };
    if let Some(thinking) = &options.thinking {
        return match thinking.get("budget_tokens").and_then(Value::as_u64) {
            Some(budget) => with_budget(budget, thinking.clone(), plain, most),
            None => Plan { thinking: Some(thinking.clone()), ..plain },
        };
    }
    let Some(request) = request else { return plain };
    let takes_budget = target.reasoning_budget_min.is_some();
    let adaptive = model.reasons_adaptively() || (!target.reasoning_efforts.is_empty() && !takes_budget);
    if !request.wanted() {
        let off = request.enabled == Some(false)
            || request.effort.as_deref() == Some("none")
            || request.max_tokens == Some(0);
        let sayable = off && adaptive && !model.always_reasons();
        return Plan { thinking: sayable.then(|| json!({"type": "disabled"})), ..plain };
    }
    if !(target.reasoning || takes_budget || adaptive) {
        return plain;
    }
    if adaptive && !(takes_budget && request.max_tokens.is_some()) {
        return adaptively(request, target, plain);
    }
    let budget = request.max_tokens.unwrap_or_else(|| share(request.effort.as_deref(), most, answer));
    let least = target.reasoning_budget_min.unwrap_or(LEAST_BUDGET).max(LEAST_BUDGET);
    with_budget(budget.max(least), json!({"type": "enabled", "budget_tokens": 0}), plain, most)
}

/// An effort's share of the model's most output.
fn share(effort: Option<&str>, most: u64, answer: u64) -> u64 {
    let whole = if most == u64::MAX { answer.max(32_000) } else { most };
    let percent = match effort {
        Some("minimal") => 2,
        Some("low") => 10,
        Some("high") => 60,
        Some("xhigh" | "max") => 90,
        _ => 30,
    };
    whole.saturating_mul(percent) / 100
}

/// Adds the budget to the answer's length, within the model's maximum. A model too short for any budget
/// does not reason.
fn with_budget(budget: u64, mut thinking: Value, plain: Plan, most: u64) -> Plan {
    let max_tokens = plain.max_tokens.saturating_add(budget).min(most);
    let room = max_tokens.saturating_sub(plain.max_tokens.min(LEAST_ANSWER));
    let budget = budget.min(room);
    if budget < LEAST_BUDGET {
        return plain;
    }
    thinking["budget_tokens"] = budget.into();
    Plan { thinking: Some(thinking), max_tokens, ..plain }
}

fn adaptively(request: &ReasoningRequest, target: &Target, plain: Plan) -> Plan {
    let display = if request.exclude { "omitted" } else { "summarized" };
    let asked = request.effort.as_deref().or_else(|| {
        let budget = request.max_tokens?;
        let most = target.max_output_tokens?.max(1);
        Some(match budget.saturating_mul(100) / most {
            0..20 => "low",
            20..45 => "medium",
            45..75 => "high",
            _ => "xhigh",
        })
    });
    let effort = plain.effort.or_else(|| asked.and_then(|effort| known_effort(effort, target)));
    let thinking = Some(json!({"type": "adaptive", "display": display}));
    Plan { thinking, effort, max_tokens: plain.max_tokens }
}

/// The effort asked for, or the nearest one that the model has: the next lower, else its least.
fn known_effort(asked: &str, target: &Target) -> Option<String> {
    let known: Vec<&str> = if target.reasoning_efforts.is_empty() {
        vec!["low", "medium", "high"]
    } else {
        target.reasoning_efforts.iter().map(String::as_str).collect()
    };
    let at = EFFORTS.iter().position(|effort| *effort == asked)?;
    let (lower, higher) = (EFFORTS[..=at].iter().rev(), EFFORTS[at..].iter());
    lower.chain(higher).find(|effort| known.contains(effort)).map(|effort| (*effort).to_owned())
}
