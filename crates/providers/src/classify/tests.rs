use serde_json::json;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(k, v)| (http::HeaderName::from_static(k), http::HeaderValue::from_static(v))).collect()
}

fn of(provider: &str, status: u16, body: &str) -> Failure {
    classify(provider, status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn class_by_meaning_not_by_status() {
    use FailureClass as C;
    let table: &[(&str, u16, &str, C)] = &[
        (
            "openai",
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            C::Billing,
        ),
        (
            "openai",
            429,
            r#"{"error":{"message":"Rate limit reached for tokens per min. Too many tokens.","code":"rate_limit_exceeded"}}"#,
            C::RateLimit,
        ),
        (
            "google",
            429,
            r#"[{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED"}}]"#,
            C::RateLimit,
        ),
        (
            "google",
            400,
            r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
            C::Auth,
        ),
        (
            "google",
            400,
            r#"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#,
            C::Permission,
        ),
        ("vertex", 400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#, C::Auth),
        (
            "google",
            504,
            r#"{"error":{"code":504,"message":"Deadline expired.","status":"DEADLINE_EXCEEDED"}}"#,
            C::Timeout,
        ),
        (
            "xai",
            400,
            r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xx"}"#,
            C::Auth,
        ),
        ("xai", 403, r#"{"code":"denied","error":"Your team does not have any credits yet."}"#, C::Billing),
        (
            "anthropic",
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API"}}"#,
            C::Billing,
        ),
        (
            "anthropic",
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
            C::ContextLength,
        ),
        (
            "anthropic",
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            C::Overloaded,
        ),
        (
            "anthropic",
            413,
            r#"{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
            C::RequestTooLarge,
        ),
        (
            "anthropic",
            403,
            r#"{"type":"error","error":{"type":"permission_error","message":"no"}}"#,
            C::Permission,
        ),
        (
            "anthropic",
            504,
            r#"{"type":"error","error":{"type":"timeout_error","message":"slow"}}"#,
            C::Timeout,
        ),
        ("bedrock", 400, r#"{"message":"The provided model identifier is invalid."}"#, C::NotFound),
        (
            "mistral",
            429,
            r#"{"object":"error","message":"Service tier capacity exceeded","type":"x","code":"3505"}"#,
            C::Overloaded,
        ),
        ("mistral", 401, r#"{"detail":"Invalid API Key"}"#, C::Auth),
        (
            "together",
            422,
            r#"{"error":{"message":"`inputs` tokens + `max_new_tokens` must be <= 100"}}"#,
            C::ContextLength,
        ),
        ("huggingface", 402, r#"{"error":"You have exceeded your monthly included credits"}"#, C::Billing),
        ("groq", 498, "", C::Overloaded),
        ("bedrock", 424, "{}", C::Server),
        ("openai", 500, r#"{"error":{"message":"The model produced invalid content"}}"#, C::Server),
        ("openai", 504, "", C::Server),
        ("openai", 408, "", C::Timeout),
        ("openrouter", 400, r#"{"error":{"message":"abc is not a valid model ID","code":400}}"#, C::NotFound),
        (
            "openai",
            400,
            r#"{"error":{"message":"Unsupported parameter","code":"unsupported_parameter"}}"#,
            C::InvalidRequest,
        ),
        (
            "minimax",
            200,
            r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
            C::Billing,
        ),
    ];
    for (provider, status, body, class) in table {
        assert_eq!(of(provider, *status, body).class, *class, "{provider} {status} {body}");
    }
    let amazon = headers(&[("x-amzn-errortype", "ThrottlingException:http://internal")]);
    assert_eq!(classify("bedrock", 400, &amazon, b"{\"message\":\"slow down\"}").class, C::RateLimit);
}

#[test]
fn every_shape_gives_a_sentence() {
    let table: &[(&str, &str)] = &[
        (r#"{"error":{"message":"one"}}"#, "one"),
        (r#"{"error":"two"}"#, "two"),
        (r#"{"error":"invalid_grant","error_description":"Account deleted."}"#, "Account deleted."),
        (r#"[{"error":{"message":"three"}}]"#, "three"),
        (r#"{"detail":"four"}"#, "four"),
        (
            r#"{"detail":[{"loc":["body","store"],"msg":"not permitted"},{"msg":"again"}]}"#,
            "body.store: not permitted; again",
        ),
        (r#"{"message":"six","type":"x"}"#, "six"),
        (r#""seven""#, "seven"),
        ("eight", "eight"),
        ("", "The provider answered 400 without a body."),
        (
            "<html><head><title>400 Bad\n Request</title></head></html>",
            "The provider answered 400 with an HTML page: 400 Bad Request.",
        ),
        (r#"{"error":{"message":"","type":"odd"}}"#, "The provider answered 400 and said only 'odd'."),
        ("{}", "The provider answered 400 with an error that it did not explain."),
        (
            r#"{"error":{"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"inner\"}}"}}}"#,
            "Provider returned error: inner",
        ),
    ];
    for (body, message) in table {
        assert_eq!(of("x", 400, body).message, *message, "{body}");
    }
    let long = "ä".repeat(9000);
    assert_eq!(of("x", 400, &long).message.chars().count(), 2000);
}

#[test]
fn waits_decide_between_the_same_and_the_next_target() {
    let limited = |pairs: &[(&'static str, &'static str)], body: &str| {
        classify("openai", 429, &headers(pairs), body.as_bytes())
    };
    let short = limited(&[("retry-after", "17")], "{}");
    assert_eq!(short.retry, Retry::SameTarget(Some(Duration::from_secs(17))));
    let long = limited(&[("retry-after", "61")], "{}");
    assert_eq!((long.retry, long.retry_after), (Retry::OtherTarget, Some(Duration::from_secs(61))));
    let said = limited(&[], r#"{"error":{"message":"Please try again in 8s."}}"#);
    assert_eq!(said.retry, Retry::SameTarget(Some(Duration::from_secs(8))));
    let info =
        limited(&[], r#"{"error":{"message":"x","details":[{"@type":"t/RetryInfo","retryDelay":"33.5s"}]}}"#);
    assert_eq!(info.retry_after, Some(Duration::from_millis(33_500)));
    let daily = limited(
        &[],
        r#"{"error":{"message":"x","status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDay"}]}]}}"#,
    );
    assert_eq!(daily.retry, Retry::OtherTarget);
    assert_eq!(limited(&[], "{}").retry, Retry::SameTarget(None));
}

#[test]
fn the_providers_own_word_on_retrying() {
    let with = |status, word: &'static str, body: &str| {
        classify("anthropic", status, &headers(&[("x-should-retry", word)]), body.as_bytes()).retry
    };
    assert_eq!(with(500, "false", "{}"), Retry::OtherTarget);
    assert_eq!(with(400, "true", "{}"), Retry::SameTarget(None));
    assert_eq!(with(400, "false", "{}"), Retry::Never);
    let balance = r#"{"error":{"message":"Your credit balance is too low"}}"#;
    assert_eq!(with(400, "true", balance), Retry::OtherTarget);
    let context = r#"{"error":{"message":"prompt is too long"}}"#;
    assert_eq!(with(400, "true", context), Retry::Never);
}

#[test]
fn errors_inside_a_stream_carry_their_own_status() {
    let groq = error_value(
        "groq",
        200,
        &json!({"error": {"message": "bad call", "type": "invalid_request_error", "code": "tool_use_failed", "status_code": 400}}),
    );
    assert_eq!(
        (groq.class, groq.status, groq.retry),
        (FailureClass::InvalidRequest, Some(400), Retry::Never)
    );
    assert_eq!(groq.code.as_deref(), Some("tool_use_failed"));
    let openrouter =
        error_value("openrouter", 200, &json!({"error": {"code": 502, "message": "Provider disconnected"}}));
    assert_eq!((openrouter.class, openrouter.status), (FailureClass::Server, Some(502)));
    let anthropic = error_value(
        "anthropic",
        200,
        &json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    );
    assert_eq!((anthropic.class, anthropic.status), (FailureClass::Overloaded, None));
    assert_eq!(error_value("x", 200, &json!({"error": {}})).class, FailureClass::Server);
}

#[test]
fn a_body_of_nothing_visible_is_no_message() {
    for body in ["\u{b}", " \u{a0}\n", "\u{3000}\u{85}"] {
        let failure = of("vllm", 413, body);
        assert_eq!(failure.message, "The provider answered 413 without a body.", "{body:?}");
    }
}
