//! What kind of credential a call was made with.

use super::record::Identity;

/// The request's own statements about a Bedrock API key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bearer<'a> {
    /// `callWithBearerToken`, from `additionalEventData` or `requestParameters`.
    pub flag: bool,
    /// `bearerTokenType`: `ABSK` or `SHORT_TERM`.
    pub kind: Option<&'a str>,
}

/// `long_term`, `temporary`, `bearer_long`, `bearer_short`, `bearer_unknown`, `service`, `jwt` or `none`.
///
/// `family`: the record is one of the Bedrock family, so that a user made for an API key called with that key.
pub fn credential(identity: &Identity<'_>, bearer: Bearer<'_>, family: bool, jwt: bool) -> &'static str {
    let kind = identity.kind.as_deref().unwrap_or_default();
    let key = identity.access_key_id.as_deref().unwrap_or_default();
    let user = identity.user_name.as_deref().unwrap_or_default();
    let key_user = user.starts_with("BedrockAPIKey-") || user.starts_with("AeaApiKey-");
    let session = matches!(kind, "AssumedRole" | "FederatedUser") || key.starts_with("ASIA");
    match bearer.kind {
        Some("ABSK") => return "bearer_long",
        Some("SHORT_TERM") => return "bearer_short",
        _ => {}
    }
    if bearer.flag || bearer.kind.is_some_and(|kind| !kind.is_empty()) || (key_user && family) {
        return match (key_user, session) {
            (true, _) => "bearer_long",
            (false, true) => "bearer_short",
            // A user's own keys can stand behind a long-term and behind a short-term API key.
            (false, false) => "bearer_unknown",
        };
    }
    if jwt {
        "jwt"
    } else if key.starts_with("AKIA") {
        "long_term"
    } else if session {
        "temporary"
    } else if kind == "AWSService" || (identity.invoked_by.is_some() && key.is_empty()) {
        "service"
    } else {
        "none"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str, flag: bool, kind: Option<&str>, family: bool) -> &'static str {
        let identity: Identity<'_> = serde_json::from_str(json).unwrap();
        credential(&identity, Bearer { flag, kind }, family, false)
    }

    #[test]
    fn api_keys() {
        let user = r#"{"type":"IAMUser","userName":"u","accessKeyId":"AKIAIOSFODNN7EXAMPLE"}"#;
        let key_user = r#"{"type":"IAMUser","userName":"BedrockAPIKey-ab12"}"#;
        let session = r#"{"type":"AssumedRole","accessKeyId":"ASIAIOSFODNN7EXAMPLE"}"#;
        assert_eq!(of(user, true, Some("ABSK"), true), "bearer_long");
        assert_eq!(of(session, true, Some("SHORT_TERM"), true), "bearer_short");
        assert_eq!(of(session, true, None, true), "bearer_short");
        assert_eq!(of(key_user, true, None, true), "bearer_long");
        assert_eq!(of(key_user, false, None, true), "bearer_long");
        assert_eq!(of(user, true, None, true), "bearer_unknown");
        assert_eq!(of(user, false, Some("NEW_KIND"), true), "bearer_unknown");
    }

    #[test]
    fn all_others() {
        assert_eq!(
            of(r#"{"type":"IAMUser","accessKeyId":"AKIAIOSFODNN7EXAMPLE"}"#, false, None, true),
            "long_term"
        );
        assert_eq!(
            of(r#"{"type":"AssumedRole","accessKeyId":"ASIAIOSFODNN7EXAMPLE"}"#, false, None, true),
            "temporary"
        );
        assert_eq!(
            of(r#"{"type":"AWSService","invokedBy":"bedrock.amazonaws.com"}"#, false, None, false),
            "service"
        );
        assert_eq!(
            of(r#"{"accountId":"111122223333","invokedBy":"x.amazonaws.com"}"#, false, None, true),
            "service"
        );
        assert_eq!(of(r#"{"type":"AWSAccount","accountId":"anonymous"}"#, false, None, true), "none");
        let turned =
            r#"{"type":"IAMUser","userName":"BedrockAPIKey-ab12","accessKeyId":"AKIAIOSFODNN7EXAMPLE"}"#;
        assert_eq!(
            of(turned, false, None, false),
            "long_term",
            "an API-key user with a key of its own, elsewhere"
        );
        let identity = Identity::default();
        assert_eq!(credential(&identity, Bearer::default(), true, true), "jwt");
    }
}
