//! The person or workload behind a call, and how we know.

use super::principal::{Jwt, Principal};
use super::record::{Identity, Text};

/// Who is behind a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person<'a> {
    /// User id, name, session name or workload.
    pub name: &'a str,
    /// `identity_center`, `source_identity`, `sso_session`, `iam_user`, `root`, `jwt`, `workload` or `session_name`.
    pub basis: &'static str,
}

/// The strongest statement of the record first: what IAM Identity Center or the role's trust policy vouches for, then what
/// an issuer says, last the session name, which the caller of `AssumeRole` chooses.
pub fn person<'a>(
    identity: &'a Identity<'_>,
    principal: &Principal<'a>,
    jwt: &'a Jwt<'_>,
) -> Option<Person<'a>> {
    fn given<'b>(text: Option<&'b Text<'_>>) -> Option<&'b str> {
        text.map(|text| &**text).filter(|text| !text.is_empty())
    }
    let kind = given(identity.kind.as_ref()).unwrap_or_default();
    let by = |basis| move |name| Person { name, basis };
    let behalf = identity.on_behalf_of.as_ref().and_then(|behalf| given(behalf.user_id.as_ref()));
    let source =
        identity.session_context.as_ref().and_then(|context| given(context.source_identity.as_ref()));
    let scope = identity.in_scope_of.as_ref();
    let workload = scope
        .and_then(|scope| given(scope.credentials_issued_to.as_ref()).or(given(scope.source_arn.as_ref())));
    let session = principal.session_name;
    behalf
        .map(by("identity_center"))
        .or_else(|| source.map(by("source_identity")))
        .or_else(|| session.filter(|_| principal.sso).map(by("sso_session")))
        .or_else(|| given(identity.user_name.as_ref()).filter(|_| kind == "IAMUser").map(by("iam_user")))
        .or_else(|| (kind == "Root").then_some("root").map(by("root")))
        .or_else(|| jwt.subject.as_deref().map(by("jwt")))
        .or_else(|| workload.map(by("workload")))
        .or_else(|| session.filter(|session| is_instance(session)).map(by("workload")))
        .or_else(|| session.map(by("session_name")))
}

/// An EC2 instance id, which names the sessions of instance roles.
fn is_instance(session: &str) -> bool {
    session.strip_prefix("i-").is_some_and(|id| {
        matches!(id.len(), 8 | 17) && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Option<(String, &'static str)> {
        let identity: Identity<'_> = serde_json::from_str(json).unwrap();
        let jwt = Jwt::default();
        let principal = Principal::of(&identity, &jwt);
        person(&identity, &principal, &jwt).map(|person| (person.name.to_owned(), person.basis))
    }

    #[test]
    fn strongest_statement_first() {
        let sso =
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/ana@example.com";
        for (json, name, basis) in [
            (format!(r#"{{"type":"AssumedRole","arn":"{sso}","onBehalfOf":{{"userId":"u-1"}}}}"#), "u-1", "identity_center"),
            (format!(r#"{{"type":"AssumedRole","arn":"{sso}","sessionContext":{{"sourceIdentity":"ana"}}}}"#), "ana", "source_identity"),
            (format!(r#"{{"type":"AssumedRole","arn":"{sso}"}}"#), "ana@example.com", "sso_session"),
            (r#"{"type":"IAMUser","userName":"ben"}"#.to_owned(), "ben", "iam_user"),
            (r#"{"type":"Root","accountId":"111122223333"}"#.to_owned(), "root", "root"),
            (r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/L/fn","inScopeOf":{"credentialsIssuedTo":"arn:aws:lambda:eu-west-1:111122223333:function:fn"}}"#.to_owned(), "arn:aws:lambda:eu-west-1:111122223333:function:fn", "workload"),
            (r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/E/i-0123456789abcdef0"}"#.to_owned(), "i-0123456789abcdef0", "workload"),
            (r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/E/i-am-ana"}"#.to_owned(), "i-am-ana", "session_name"),
        ] {
            assert_eq!(of(&json), Some((name.to_owned(), basis)), "{json}");
        }
        assert_eq!(of(r#"{"type":"AWSService","invokedBy":"bedrock.amazonaws.com"}"#), None);
        assert_eq!(of(r#"{"type":"AWSAccount","accountId":"anonymous"}"#), None);
    }
}
