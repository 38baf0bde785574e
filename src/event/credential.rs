//! What kind of credential a call was made with.

use super::record::Identity;

/// The record's own statements about a Bedrock API key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bearer<'a> {
    /// `callWithBearerToken`, from `additionalEventData` or `requestParameters`; older records lack it.
    pub flag: Option<bool>,
    /// `bearerTokenType`: `ABSK` or `SHORT_TERM`.
    pub kind: Option<&'a str>,
}

/// `long_term`, `temporary`, `bearer_long`, `bearer_short`, `bearer_unknown`, `service`, `jwt` or `none`.
///
/// `family`: the record is one of the Bedrock family, so that a user made for an API key may have called with that key. Where
/// the record does not say whether it did, an access key id says that it did not: such a user can be given one of its own.
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
    let signed = key.starts_with("AKIA") || key.starts_with("ASIA");
    let unsaid = bearer.flag.is_none() && family && ((key_user && !signed) || key.starts_with("ABSK"));
    if bearer.flag == Some(true) || bearer.kind.is_some_and(|kind| !kind.is_empty()) || unsaid {
        return match (key_user || key.starts_with("ABSK"), session) {
            (true, _) => "bearer_long",
            (false, true) => "bearer_short",
            // A user's own keys can stand behind a long-term and behind a short-term API key.
            (false, false) => "bearer_unknown",
        };
    }
    // Exports mask key ids, and there are more prefixes than are documented for callers: then the kind of caller tells.
    // Only temporary credentials have a session.
    let masked = !key.is_empty() && matches!(kind, "IAMUser" | "Root");
    if jwt {
        "jwt"
    } else if key.starts_with("AKIA") {
        "long_term"
    } else if session || (masked && identity.session_context.is_some()) {
        "temporary"
    } else if masked {
        "long_term"
    } else if kind == "AWSService"
        || (identity.invoked_by.as_deref().is_some_and(|service| !service.is_empty()) && key.is_empty())
    {
        "service"
    } else {
        "none"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str, flag: impl Into<Option<bool>>, kind: Option<&str>, family: bool) -> &'static str {
        let identity: Identity<'_> = serde_json::from_str(json).unwrap();
        let flag = flag.into();
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
        assert_eq!(of(key_user, None, None, true), "bearer_long", "an older record");
        assert_eq!(of(key_user, None, None, false), "none", "elsewhere the key opens nothing");
        assert_eq!(of(user, true, None, true), "bearer_unknown");
        assert_eq!(of(user, None, Some("NEW_KIND"), true), "bearer_unknown");
        let absk = r#"{"type":"IAMUser","userName":"u","accessKeyId":"ABSKEXAMPLE"}"#;
        assert_eq!(of(absk, None, None, true), "bearer_long");
    }

    #[test]
    fn a_user_made_for_an_api_key_can_call_without_it() {
        let with = |key: &str| {
            format!(r#"{{"type":"IAMUser","userName":"BedrockAPIKey-ab12","accessKeyId":"{key}"}}"#)
        };
        let own = with("AKIAIOSFODNN7EXAMPLE");
        assert_eq!(of(&own, false, None, true), "long_term");
        assert_eq!(of(&own, None, None, true), "long_term", "not said, but signed with a key of its own");
        assert_eq!(of(&own, true, None, true), "bearer_long");
        assert_eq!(of(&with("ASIAIOSFODNN7EXAMPLE"), false, None, true), "temporary");
        assert_eq!(of(r#"{"type":"IAMUser","userName":"BedrockAPIKey-ab12"}"#, false, None, true), "none");
    }

    #[test]
    fn a_masked_key_id_is_judged_by_the_kind_of_caller() {
        for (json, want) in [
            (r#"{"type":"IAMUser","accessKeyId":"EXAMPLE_KEY_ID"}"#, "long_term"),
            (r#"{"type":"Root","accessKeyId":"***"}"#, "long_term"),
            (r#"{"type":"IAMUser","accessKeyId":"***","sessionContext":{"attributes":{}}}"#, "temporary"),
            (r#"{"type":"AssumedRole","accessKeyId":"***"}"#, "temporary"),
            (r#"{"type":"AWSAccount","accessKeyId":"***"}"#, "none"),
            (r#"{"type":"IAMUser","accessKeyId":"","invokedBy":""}"#, "none"),
        ] {
            assert_eq!(of(json, None, None, false), want, "{json}");
        }
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
