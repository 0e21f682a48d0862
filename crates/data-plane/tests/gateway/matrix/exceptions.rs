//! Cells that cannot hold, and why. This is the only list; `docs/matrix.md` shows it.

use super::axes::{Case, Dialect, Provider};
use super::cell::{Aspect, Cell};

/// Something that does not hold in some cells.
pub struct Exception {
    pub dialects: &'static [Dialect],
    pub providers: &'static [Provider],
    pub cases: &'static [Case],
    pub aspect: Aspect,
    pub reason: &'static str,
}

/// All of them. Each must fail in every cell that it names: one that has come to hold is to be removed.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        dialects: &[Dialect::ChatPlain],
        providers: &[Provider::Responses, Provider::Anthropic, Provider::OlderGemini],
        cases: REASONING,
        aspect: Aspect::State,
        reason: "The client drops `reasoning_details`, the only place that chat completions have for the state. The \
                 conversation goes on without it.",
    },
    Exception {
        dialects: &[Dialect::ChatPlain],
        providers: &[Provider::Gemini],
        cases: SIGNED,
        aspect: Aspect::State,
        reason: "The same. Gemini 3 is told, by the word that it has for this, that the signature of a call is missing.",
    },
];

const REASONING: &[Case] =
    &[Case::Reasoning, Case::ReasoningTool, Case::RedactedReasoning, Case::Everything, Case::Steps];
/// Gemini signs calls unasked.
const SIGNED: &[Case] = &[
    Case::Reasoning,
    Case::ReasoningTool,
    Case::RedactedReasoning,
    Case::Everything,
    Case::Steps,
    Case::Tool,
    Case::ParallelTools,
];

impl Exception {
    pub fn covers(&self, cell: Cell) -> bool {
        self.dialects.contains(&cell.dialect)
            && self.providers.contains(&cell.provider)
            && self.cases.contains(&cell.case)
    }
}
