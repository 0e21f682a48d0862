//! Which class an error has (providers §0.3). The words are the providers' own; the more specific meaning
//! is asked for first, the status decides only what the words leave open.

use tollgate_domain::failure::FailureClass;

use super::body::ErrorBody;

/// The class of an error.
pub(super) fn class(provider: &str, status: u16, error: &ErrorBody) -> FailureClass {
    let rules: [fn(&str, u16, &ErrorBody) -> bool; 5] =
        [is_billing, is_content_filter, is_context, is_auth, is_missing];
    let classes = [
        FailureClass::Billing,
        FailureClass::ContentFilter,
        FailureClass::ContextLength,
        FailureClass::Auth,
        FailureClass::NotFound,
    ];
    for (rule, class) in rules.into_iter().zip(classes) {
        if rule(provider, status, error) {
            return class;
        }
    }
    by_words(provider, status, error).unwrap_or_else(|| by_status(status))
}

/// A refusal that holds for this endpoint alone, so that another may take the request.
pub(super) fn is_this_endpoint_only(error: &ErrorBody) -> bool {
    error.says("not supported by this")
        || error.says("no endpoints found that support")
        || error.says("not supported on this endpoint")
}

fn is_billing(provider: &str, status: u16, error: &ErrorBody) -> bool {
    if status == 402
        || error.is_coded(&["insufficient_quota", "billing_error", "arrearage", "insufficient_balance"])
    {
        return true;
    }
    if provider == "zai" && error.is_coded(&["1112", "1113"]) {
        return true;
    }
    error.says_any(&[
        "exceeded_current_quota",
        "insufficient_quota",
        "credit balance is too low",
        "not have any credits",
        "used all available credits",
        "insufficient balance",
        "insufficient credit",
        "billing_hard_limit",
        "billing_not_active",
        "payment required",
        "spending limit",
    ])
}

fn is_content_filter(provider: &str, status: u16, error: &ErrorBody) -> bool {
    if status >= 500 {
        return false;
    }
    if provider == "zai" && error.is_coded(&["1301"]) {
        return true;
    }
    let coded = error.is_coded(&[
        "content_filter",
        "content_policy_violation",
        "data_inspection_failed",
        "datainspectionfailed",
        "moderation_blocked",
        "responsibleaipolicyviolation",
        "invalid_prompt",
        "sensitive",
    ]);
    coded
        || error.says_any(&[
            "responsibleaipolicyviolation",
            "content_filter",
            "content management policy",
            "violates usage guidelines",
            "violating our usage policy",
            "input was flagged",
            "requires moderation",
            "output blocked by content filtering",
        ])
}

fn is_context(_provider: &str, status: u16, error: &ErrorBody) -> bool {
    // A rate in tokens speaks of too many tokens as well.
    if status == 429 || error.says_any(&["rate limit", "per minute", "rate_limit", "ratelimit", "per day"]) {
        return false;
    }
    if status >= 500 && status != 529 && !error.says("context") {
        return false;
    }
    if error.is_coded(&[
        "context_length_exceeded",
        "string_above_max_length",
        "model_max_prompt_tokens_exceeded",
    ]) {
        return true;
    }
    let exceeds = error.says("input token count") && error.says("exceeds the maximum");
    exceeds
        || error.says_any(&[
            "maximum context length",
            "max context length",
            "context_length_exceeded",
            "prompt is too long",
            "prompt too long",
            "input is too long",
            "exceeds the maximum number of tokens",
            "too many tokens",
            "too_many_prompt_tokens",
            "too_many_tokens",
            "context window",
            "context limit",
            "exceeds the context",
            "exceeds the available context",
            "exceed context",
            "reduce the length of the messages",
            "tokens + `max_new_tokens` must be",
            "tokens + max_new_tokens must be",
            "maximum prompt length",
            "exceeds the model's max input limit",
        ])
}

fn is_auth(provider: &str, status: u16, error: &ErrorBody) -> bool {
    if status == 401 {
        return true;
    }
    if provider == "zai" && error.is_coded(&["1000", "1001", "1002", "1003", "1004"]) {
        return true;
    }
    let coded = error.is_coded(&["authentication_error", "invalid_api_key", "unauthenticated"])
        || error.is_coded(&["invalid_grant", "invalid_client", "unauthorized_client"]);
    coded
        || (status < 500
            && error.says_any(&[
                "api_key_invalid",
                "api key not valid",
                "incorrect api key",
                "invalid api key",
                "unrecognizedclient",
                "expiredtoken",
                "invalidsignature",
            ]))
}

fn is_missing(provider: &str, status: u16, error: &ErrorBody) -> bool {
    if status == 404 {
        return true;
    }
    if !matches!(status, 400 | 403 | 410 | 422 | 0..=399) {
        return false;
    }
    if provider == "zai" && error.is_coded(&["1211"]) {
        return true;
    }
    let coded = error.is_coded(&[
        "model_not_found",
        "deploymentnotfound",
        "not_found_error",
        "not_found",
        "notfounderror",
    ]);
    let absent = error.says("model") && error.says_any(&["does not exist", "not found", "no such model"]);
    coded
        || (absent && status != 403)
        || error.says_any(&[
            "model identifier is invalid",
            "is not a valid model",
            "model_not_found",
            "unknown model",
            "invalid model name",
            "model not exist",
            "deploymentnotfound",
        ])
}

/// Classes that several statuses carry.
fn by_words(provider: &str, status: u16, error: &ErrorBody) -> Option<FailureClass> {
    // What a 4xx of another kind says in passing must not count.
    let open = status < 400 || status == 429 || status >= 498 || status == 424 || status == 408;
    if status == 413 || error.is_coded(&["request_too_large"]) {
        return Some(FailureClass::RequestTooLarge);
    }
    let overloaded = error.is_coded(&[
        "overloaded_error",
        "engine_overloaded_error",
        "engine_overloaded",
        "service_unavailable_error",
        "unavailable",
        "3505",
        "modelnotreadyexception",
        "server_is_overloaded",
        "serviceunavailableexception",
    ]) || (provider == "zai" && error.is_coded(&["1305"]))
        || (open && error.says_any(&["overloaded", "at capacity", "no capacity", "out of capacity"]));
    if overloaded {
        return Some(FailureClass::Overloaded);
    }
    let limited = error.is_coded(&[
        "rate_limit_error",
        "rate_limit_exceeded",
        "rate_limited",
        "resource_exhausted",
        "limit_requests",
        "too_many_requests",
        "throttlingexception",
    ]) || (provider == "zai" && error.is_coded(&["1302", "1303", "1304", "1308"]))
        || (open && error.says_any(&["throttling", "rate limit", "too many requests"]));
    if limited && status < 500 {
        return Some(FailureClass::RateLimit);
    }
    if error.is_coded(&["timeout_error", "deadline_exceeded", "modeltimeoutexception"]) {
        return Some(FailureClass::Timeout);
    }
    let refused = status == 403
        || error.is_coded(&["permission_error", "permission_denied", "unsupported_country_region_territory"])
        || error.says_any(&["accessdenied", "location is not supported", "unsupported_country"]);
    if refused && status < 500 {
        return Some(FailureClass::Permission);
    }
    let broke = error.is_coded(&[
        "api_error",
        "server_error",
        "internal_server_error",
        "internal",
        "internalserverexception",
    ]);
    if broke && status < 400 {
        return Some(FailureClass::Server);
    }
    let wrong = error.is_coded(&[
        "invalid_request_error",
        "invalid_argument",
        "validation_error",
        "validationexception",
    ]);
    (wrong && status < 400).then_some(FailureClass::InvalidRequest)
}

/// What only the status says. An error inside a 200 that says nothing is the provider's fault.
fn by_status(status: u16) -> FailureClass {
    match status {
        401 => FailureClass::Auth,
        402 => FailureClass::Billing,
        403 | 451 => FailureClass::Permission,
        404 | 410 => FailureClass::NotFound,
        408 => FailureClass::Timeout,
        413 => FailureClass::RequestTooLarge,
        429 => FailureClass::RateLimit,
        498 | 503 | 529 => FailureClass::Overloaded,
        499 => FailureClass::ClientClosed,
        409 | 424 | 425 => FailureClass::Server,
        400..=497 => FailureClass::InvalidRequest,
        _ => FailureClass::Server,
    }
}
