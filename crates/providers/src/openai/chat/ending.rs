//! How an answer ended: finish reasons (providers §0.2) and the terminal rule (I16). Shared by the decoder
//! and the tap.

use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::FinishReason;

use crate::BodyForm;

/// What has been seen of an answer's end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    raw: Option<String>,
    /// `finish_reason` was there but empty (xAI).
    empty: bool,
    /// A call that the client must run was made, and all calls so far were complete.
    pub(super) tool_calls: bool,
    pub(super) tools_complete: bool,
    /// Anything at all was generated.
    pub(super) content: bool,
}

impl Ending {
    /// Notes a choice's finish reason; the last one that says something counts.
    pub(super) fn note(&mut self, reason: &str) {
        if reason.is_empty() {
            self.empty = true;
        } else {
            self.raw = Some(reason.to_owned());
        }
    }

    /// Whether a finish reason has been seen, so that errors that follow change nothing.
    pub(super) fn is_decided(&self) -> bool {
        self.raw.is_some()
    }

    /// The end of the bytes (`done`: with `[DONE]`): how the answer ended, and the provider's word for it.
    pub(super) fn resolve(
        &self,
        form: BodyForm,
        done: bool,
    ) -> Result<(FinishReason, Option<String>), Failure> {
        if let Some(raw) = &self.raw {
            return canonical(raw, self.tool_calls).map(|reason| (reason, Some(raw.clone())));
        }
        // A whole body cannot have been cut; a stream without a reason may be trusted only where the
        // provider closed it itself and left the reason out (providers §2, tool-call stream repair).
        let closed = match form {
            BodyForm::Whole => self.content || self.empty,
            BodyForm::Stream => done && (self.empty || (self.tool_calls && self.tools_complete)),
        };
        if !closed {
            return Err(truncated(self.content));
        }
        Ok((if self.tool_calls { FinishReason::ToolCalls } else { FinishReason::Stop }, None))
    }
}

fn truncated(content: bool) -> Failure {
    let message = if content {
        "The provider's answer ended in the middle, without a finish reason."
    } else {
        "The provider's answer ended before any content, without a finish reason."
    };
    Failure::provider(FailureClass::Truncated, message)
}

/// The neutral finish reason of a provider's word; a failure for the words that mean one.
fn canonical(raw: &str, tool_calls: bool) -> Result<FinishReason, Failure> {
    let reason = match raw.to_ascii_lowercase().as_str() {
        "stop" | "eos" | "end_turn" | "stop_sequence" | "pause_turn" | "complete" | "completed"
        | "eos_token" => {
            if tool_calls {
                FinishReason::ToolCalls
            } else {
                FinishReason::Stop
            }
        }
        "length" | "model_length" | "max_tokens" | "max_output_tokens" | "model_context_window_exceeded" => {
            FinishReason::Length
        }
        "tool_calls" | "function_call" | "tool_use" | "tool_call" => FinishReason::ToolCalls,
        "content_filter"
        | "content_filtered"
        | "guardrail_intervened"
        | "refusal"
        | "safety"
        | "recitation"
        | "blocklist"
        | "prohibited_content"
        | "spii"
        | "image_safety"
        | "model_armor"
        | "sensitive" => FinishReason::ContentFilter,
        "insufficient_system_resource" => return Err(broke(raw, FailureClass::Overloaded)),
        "error" | "network_error" | "malformed_function_call" | "unexpected_tool_call" => {
            return Err(broke(raw, FailureClass::Server));
        }
        _ => FinishReason::Other,
    };
    Ok(reason)
}

fn broke(raw: &str, class: FailureClass) -> Failure {
    let mut failure = Failure::provider(
        class,
        format!("The provider broke the answer off with the finish reason '{raw}'."),
    );
    failure.code = Some(raw.to_owned());
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(reasons: &[&str], tools: bool) -> Ending {
        let mut ending =
            Ending { tool_calls: tools, tools_complete: tools, content: true, ..Ending::default() };
        for reason in reasons {
            ending.note(reason);
        }
        ending
    }

    #[test]
    fn words_become_neutral_reasons() {
        for (raw, expected) in [
            ("stop", FinishReason::Stop),
            ("eos", FinishReason::Stop),
            ("COMPLETE", FinishReason::Stop),
            ("model_length", FinishReason::Length),
            ("tool_calls", FinishReason::ToolCalls),
            ("sensitive", FinishReason::ContentFilter),
            ("whatever", FinishReason::Other),
        ] {
            let (reason, word) = ending(&[raw], false).resolve(BodyForm::Stream, true).unwrap();
            assert_eq!((reason, word.as_deref()), (expected, Some(raw)));
        }
        assert_eq!(
            ending(&["stop"], true).resolve(BodyForm::Stream, true).unwrap().0,
            FinishReason::ToolCalls
        );
    }

    #[test]
    fn words_of_failure_are_failures() {
        for (raw, class) in [
            ("error", FailureClass::Server),
            ("network_error", FailureClass::Server),
            ("insufficient_system_resource", FailureClass::Overloaded),
        ] {
            assert_eq!(ending(&[raw], false).resolve(BodyForm::Stream, true).unwrap_err().class, class);
        }
    }

    #[test]
    fn i16_an_end_without_reason_is_truncated() {
        for done in [false, true] {
            let failure = ending(&[], false).resolve(BodyForm::Stream, done).unwrap_err();
            assert_eq!(failure.class, FailureClass::Truncated);
        }
        assert!(ending(&[], true).resolve(BodyForm::Stream, false).is_err());
    }

    #[test]
    fn a_reason_left_out_is_derived_where_the_provider_closed() {
        let derived = |e: Ending, form| e.resolve(form, true).unwrap().0;
        assert_eq!(derived(ending(&[""], false), BodyForm::Stream), FinishReason::Stop);
        assert_eq!(derived(ending(&[""], true), BodyForm::Stream), FinishReason::ToolCalls);
        assert_eq!(derived(ending(&[], true), BodyForm::Stream), FinishReason::ToolCalls);
        assert_eq!(derived(ending(&[], false), BodyForm::Whole), FinishReason::Stop);
    }
}
