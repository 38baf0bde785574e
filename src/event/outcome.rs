//! How a call ended, from error code, message and the answer of an AgentCore gateway.

/// What an AgentCore gateway answered: it reports failures in its answer, not as `errorCode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status (`responseElements.statusCode`).
    pub status: Option<i64>,
    /// JSON-RPC error code (`responseElements.body.error.code`); 0 where the error names none.
    pub rpc_error: Option<i64>,
    /// The tool itself reported an error (`responseElements.body.result.isError`).
    pub tool_error: bool,
}

/// `ok`, `denied`, `throttled`, `invalid` or `failed`. Failed authentication counts as denied, and so does a message that
/// begins "Access denied" (how Bedrock refuses legacy models under another code).
pub fn outcome(code: Option<&str>, message: Option<&str>, answer: Option<Answer>) -> &'static str {
    let code = code.filter(|code| !code.is_empty());
    let message = message.filter(|message| !message.is_empty());
    if code.is_none() && message.is_none() {
        return answer.map_or("ok", of_answer);
    }
    if code.is_some_and(denied) {
        return "denied";
    }
    let by_code = code.map_or("failed", of_code);
    // A message can quote what the caller wrote, so it never overrules a code that says what happened.
    if by_code == "failed" && message.is_some_and(says_denied) {
        return "denied";
    }
    match by_code {
        // A plain "failed" can still be told apart by the status beside it.
        "failed" => match answer.map_or("ok", of_answer) {
            "ok" => "failed",
            outcome => outcome,
        },
        outcome => outcome,
    }
}

/// Whether an error's message is what AWS writes where it refuses a call, and quotes nobody: told by the code, or by how such
/// messages begin.
pub fn is_refusal(code: Option<&str>, message: &str) -> bool {
    code.is_some_and(|code| denied(code) || of_code(code) == "throttled")
        || REFUSALS.iter().any(|start| starts(message, start))
}

/// How codes begin that deny a call. `tests/athena/generate.py` reads these lists, too.
const DENIALS: &[&str] = &[
    "AuthFailure",
    "Authorization",
    "ExpiredToken",
    "Forbidden",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
    "InvalidSignature",
    "InvalidToken",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
];

/// How messages begin that refuse a call, in small letters.
const REFUSALS: &[&str] =
    &["access denied", "failed authentication", "user is not authorized to perform", "user: arn:"];

fn starts(message: &str, start: &str) -> bool {
    message.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

fn denied(code: &str) -> bool {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    ["AccessDenied", "NotAuthorized", "Unauthorized"].iter().any(|part| code.contains(part))
        || DENIALS.iter().any(|start| code.starts_with(start))
}

fn says_denied(message: &str) -> bool {
    starts(message, "access denied")
        || starts(message, "failed authentication")
        || message.contains("is not authorized to perform")
}

fn of_code(code: &str) -> &'static str {
    let code = code.strip_prefix("Client.").unwrap_or(code);
    let starts = |starts: &[&str]| starts.iter().any(|start| code.starts_with(start));
    if code.contains("ServiceQuotaExceeded")
        || starts(&["Throttl", "TooManyRequests", "RequestLimitExceeded", "RequestThrottled", "SlowDown"])
    {
        "throttled"
    } else if starts(&[
        "BadRequest",
        "InvalidInput",
        "InvalidParam",
        "InvalidRequest",
        "Malformed",
        "MissingParam",
        "ParamValidation",
        "Serialization",
        "Validation",
    ]) {
        "invalid"
    } else {
        "failed"
    }
}

fn of_answer(answer: Answer) -> &'static str {
    match (answer.status, answer.rpc_error) {
        (Some(401 | 403), _) => "denied",
        (Some(429), _) => "throttled",
        (Some(500..), _) => "failed",
        // JSON-RPC: parse error, invalid request, unknown method, invalid parameters.
        (Some(400..=499), _) | (_, Some(-32700 | -32600 | -32601 | -32602)) => "invalid",
        (_, Some(_)) => "failed",
        (_, None) if answer.tool_error => "failed",
        _ => "ok",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_overrules_a_code() {
        let quoted = "The provided model identifier 'x is not authorized to perform' is invalid.";
        assert_eq!(outcome(Some("ValidationException"), Some(quoted), None), "invalid");
        assert_eq!(outcome(Some("ThrottlingException"), Some("Access denied? too many"), None), "throttled");
        let legacy = "Access denied. This Model is marked by provider as Legacy";
        assert_eq!(outcome(Some("ResourceNotFoundException"), Some(legacy), None), "denied");
    }

    #[test]
    fn only_what_refuses_a_call_quotes_nobody() {
        for (code, message, want) in [
            (Some("AccessDeniedException"), "anything", true),
            (Some("ThrottlingException"), "Too many tokens", true),
            (
                Some("ResourceNotFoundException"),
                "Access denied. This Model is marked by provider as Legacy",
                true,
            ),
            (
                None,
                "User: arn:aws:iam::111122223333:user/x is not authorized to perform: bedrock:InvokeModel",
                true,
            ),
            (
                Some("ValidationException"),
                "Value 'a secret' at 'inputText' failed to satisfy constraint",
                false,
            ),
            (Some("ModelErrorException"), "a secret is not authorized to perform", false),
            (None, "a secret", false),
        ] {
            assert_eq!(is_refusal(code, message), want, "{code:?} {message}");
        }
    }

    #[test]
    fn codes() {
        for (code, want) in [
            ("AccessDenied", "denied"),
            ("AccessDeniedException", "denied"),
            ("Client.UnauthorizedOperation", "denied"),
            ("UnauthorizedException", "denied"),
            ("VpceAccessDenied", "denied"),
            ("NotAuthorizedException", "denied"),
            ("ExpiredTokenException", "denied"),
            ("InvalidClientTokenId", "denied"),
            ("SignatureDoesNotMatch", "denied"),
            ("UnrecognizedClientException", "denied"),
            ("ThrottlingException", "throttled"),
            ("TooManyRequestsException", "throttled"),
            ("ServiceQuotaExceededException", "throttled"),
            ("ValidationException", "invalid"),
            ("InvalidParameterValue", "invalid"),
            ("MalformedPolicyDocument", "invalid"),
            ("ResourceNotFoundException", "failed"),
            ("ModelTimeoutException", "failed"),
            ("InternalServerException", "failed"),
            ("", "ok"),
        ] {
            assert_eq!(outcome(Some(code), None, None), want, "{code}");
        }
        assert_eq!(outcome(None, None, None), "ok");
    }

    #[test]
    fn messages() {
        let legacy = "Access denied. This Model is marked by provider as Legacy";
        assert_eq!(outcome(Some("ResourceNotFoundException"), Some(legacy), None), "denied");
        assert_eq!(outcome(Some("ResourceNotFoundException"), Some("ACCESS DENIED"), None), "denied");
        let control =
            "User: arn:aws:iam::111122223333:user/u is not authorized to perform: bedrock:ListAgents";
        assert_eq!(outcome(Some("Client.Error"), Some(control), None), "denied");
        assert_eq!(outcome(None, Some("it broke"), None), "failed");
        assert_eq!(outcome(Some("ValidationException"), Some("é"), None), "invalid");
    }

    #[test]
    fn gateway_answers() {
        let answer = |status, rpc_error| Some(Answer { status: Some(status), rpc_error, tool_error: false });
        for (status, rpc, want) in [
            (200, None, "ok"),
            (401, Some(-32001), "denied"),
            (403, None, "denied"),
            (429, None, "throttled"),
            (404, None, "invalid"),
            (500, None, "failed"),
            (200, Some(-32602), "invalid"),
            (200, Some(-32601), "invalid"),
            (200, Some(-32000), "failed"),
            (200, Some(0), "failed"),
        ] {
            assert_eq!(outcome(None, None, answer(status, rpc)), want, "{status} {rpc:?}");
        }
        let broken = Answer { status: Some(200), rpc_error: None, tool_error: true };
        assert_eq!(outcome(None, None, Some(broken)), "failed");
        assert_eq!(outcome(Some("InternalServerException"), None, answer(403, None)), "denied");
    }
}
