//! How an answer ended: the protocol's words as neutral reasons (providers §0.2).

use tollgate_domain::Failure;
use tollgate_domain::failure::FailureClass;
use tollgate_domain::reply::FinishReason;

/// The neutral finish reason of the provider's word; a failure for the words that mean one.
pub(super) fn canonical(raw: &str, message: Option<&str>, tool_calls: bool) -> Result<FinishReason, Failure> {
    Ok(match raw {
        "STOP" if tool_calls => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE"
        | "ERROR" => {
            let told = message.filter(|m| !m.is_empty()).map(|m| format!(": {m}")).unwrap_or_default();
            let mut failure = Failure::provider(
                FailureClass::Server,
                format!("The provider broke the answer off with the finish reason '{raw}'{told}"),
            );
            failure.code = Some(raw.to_owned());
            return Err(failure);
        }
        _ => FinishReason::Other,
    })
}

/// The answer stopped before the provider gave a reason (I16).
pub(super) fn truncated(content: bool) -> Failure {
    let message = if content {
        "The provider's answer ended in the middle, without a finish reason; try again."
    } else {
        "The provider's answer ended before any content, without a finish reason; try again."
    };
    Failure::provider(FailureClass::Truncated, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_neutral_reasons() {
        for (raw, calls, expected) in [
            ("STOP", false, FinishReason::Stop),
            ("STOP", true, FinishReason::ToolCalls),
            ("MAX_TOKENS", true, FinishReason::Length),
            ("IMAGE_SAFETY", false, FinishReason::ContentFilter),
            ("MODEL_ARMOR", false, FinishReason::ContentFilter),
            ("OTHER", false, FinishReason::Other),
            ("NEW_WORD", true, FinishReason::Other),
        ] {
            assert_eq!(canonical(raw, None, calls), Ok(expected), "{raw}");
        }
        let failure = canonical("MALFORMED_FUNCTION_CALL", Some("print(1)"), false).unwrap_err();
        assert_eq!(
            (failure.class, failure.code.as_deref()),
            (FailureClass::Server, Some("MALFORMED_FUNCTION_CALL"))
        );
        assert!(failure.message.ends_with("'MALFORMED_FUNCTION_CALL': print(1)"));
    }
}
