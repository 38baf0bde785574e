//! Who called: one name per caller that does not change from session to session.

use std::borrow::Cow;

use super::arn::Arn;
use super::record::{Identity, Text};

/// The path under which IAM Identity Center makes its roles.
const SSO_PATH: &str = "role/aws-reserved/sso.amazonaws.com/";

/// Issuer and subject of an accepted JWT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jwt<'a> {
    /// The claim `iss`.
    pub issuer: Option<Cow<'a, str>>,
    /// The claim `sub`.
    pub subject: Option<Cow<'a, str>>,
}

/// What `userIdentity` says about the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal<'a> {
    /// Role ARN, else user ARN, `issuer|subject`, `service:…`, `account:…`, `idc:…`, `anonymous` or `unknown`.
    pub name: Cow<'a, str>,
    /// The role's own ARN.
    pub role_arn: Option<Cow<'a, str>>,
    /// Whether that ARN's path is what the record says, not lost in a session ARN.
    pub role_path_known: Option<bool>,
    /// The role's name, or the permission set of an Identity Center role.
    pub role_name: Option<&'a str>,
    /// The session's name.
    pub session_name: Option<&'a str>,
    /// Whether the role is one of IAM Identity Center, whose session names it sets itself.
    pub sso: bool,
    /// The caller's account.
    pub account_id: Option<&'a str>,
}

fn given<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(|text| &**text).filter(|text| !text.is_empty())
}

impl<'a> Principal<'a> {
    /// Derives the caller, in the order role, user, service, account, Identity Center user, federated user.
    pub fn of(identity: &'a Identity<'_>, jwt: &Jwt<'a>) -> Self {
        let kind = given(identity.kind.as_ref()).unwrap_or_default();
        let arn = given(identity.arn.as_ref());
        let issuer = identity.session_context.as_ref().and_then(|context| context.session_issuer.as_ref());
        let issuer_arn = issuer.and_then(|issuer| given(issuer.arn.as_ref()));
        let mut principal = Self::default();
        principal.sessions(identity, arn);
        let account = given(identity.account_id.as_ref());
        let invoked_by = given(identity.invoked_by.as_ref());
        let name = match kind {
            "FederatedUser" => issuer_arn.or(arn).map(Cow::Borrowed),
            "AWSService" => invoked_by.map(service),
            "AWSAccount" => Some(of_account(account, jwt)),
            "IdentityCenterUser" => {
                let user = identity.on_behalf_of.as_ref().and_then(|behalf| given(behalf.user_id.as_ref()));
                user.map(|user| Cow::Owned(format!("idc:{user}")))
            }
            "SAMLUser" | "WebIdentityUser" => {
                let provider = given(identity.identity_provider.as_ref());
                let user = given(identity.user_name.as_ref());
                provider.zip(user).map(|(provider, user)| Cow::Owned(format!("{provider}|{user}")))
            }
            _ => principal.role(issuer_arn, arn),
        };
        principal.name = name
            .or_else(|| arn.map(Cow::Borrowed))
            .or_else(|| invoked_by.map(service))
            .or_else(|| account.map(|account| Cow::Owned(format!("account:{account}"))))
            .unwrap_or(Cow::Borrowed("unknown"));
        principal.account_id = [issuer_arn, arn]
            .into_iter()
            .flatten()
            .find_map(account_of)
            .or_else(|| account.filter(|account| *account != "anonymous"));
        principal
    }

    fn sessions(&mut self, identity: &'a Identity<'_>, arn: Option<&'a str>) {
        let of_arn = arn.and_then(Arn::parse).and_then(|arn| {
            let (kind, rest) = arn.resource.split_once('/')?;
            match kind {
                "assumed-role" => rest.split_once('/').map(|(_, session)| session),
                "federated-user" => Some(rest),
                _ => None,
            }
        });
        let of_id = || {
            let id = given(identity.principal_id.as_ref())?;
            id.starts_with("AROA").then(|| id.split_once(':')).flatten().map(|(_, session)| session)
        };
        self.session_name = of_arn.or_else(of_id).filter(|session| !session.is_empty());
    }

    /// Fills in the role from the issuer's ARN, a role ARN or a session ARN, and gives the caller's name.
    fn role(&mut self, issuer_arn: Option<&'a str>, arn: Option<&'a str>) -> Option<Cow<'a, str>> {
        let whole = [issuer_arn, arn].into_iter().flatten().find_map(|text| {
            Arn::parse(text).filter(|arn| arn.resource.starts_with("role/")).map(|arn| (text, arn))
        });
        if let Some((text, arn)) = whole {
            // Anyone may give a role such a name; only Identity Center makes roles under its path.
            let name = arn.resource.rsplit('/').next()?;
            let set = permission_set(name).filter(|_| arn.resource.starts_with(SSO_PATH));
            self.set_role(Cow::Borrowed(text), name, set, true);
            return Some(Cow::Borrowed(text));
        }
        let session = arn.and_then(Arn::parse)?;
        let role = session.id("assumed-role")?;
        let text = format!("arn:{}:iam::{}:role/{role}", session.partition, session.account);
        // Whether the path is Identity Center's is not known here, which `role_path_known` says.
        self.set_role(Cow::Owned(text.clone()), role, permission_set(role), false);
        Some(Cow::Owned(text))
    }

    fn set_role(&mut self, arn: Cow<'a, str>, name: &'a str, set: Option<&'a str>, path_known: bool) {
        self.sso = set.is_some();
        self.role_arn = Some(arn);
        self.role_path_known = Some(path_known);
        self.role_name = Some(set.unwrap_or(name));
    }
}

fn service(name: &str) -> Cow<'_, str> {
    Cow::Owned(format!("service:{name}"))
}

fn account_of(arn: &str) -> Option<&str> {
    Arn::parse(arn).map(|arn| arn.account).filter(|account| !account.is_empty())
}

fn of_account<'a>(account: Option<&'a str>, jwt: &Jwt<'a>) -> Cow<'a, str> {
    match (&jwt.issuer, &jwt.subject, account) {
        // The bar stays where the issuer is missing: a subject alone could spell out a role's ARN.
        (issuer, Some(subject), _) => {
            Cow::Owned(format!("{}|{subject}", issuer.as_deref().unwrap_or_default()))
        }
        (_, None, Some(account)) if account != "anonymous" => Cow::Owned(format!("account:{account}")),
        (_, None, Some(_)) => Cow::Borrowed("anonymous"),
        (_, None, None) => Cow::Borrowed("unknown"),
    }
}

/// The permission set in `AWSReservedSSO_<set>_<16 hex digits>`.
fn permission_set(role: &str) -> Option<&str> {
    let (set, hash) = role.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?;
    (hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && !set.is_empty()).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str, check: impl FnOnce(Principal<'_>)) {
        let identity: Identity<'_> = serde_json::from_str(json).unwrap();
        check(Principal::of(&identity, &Jwt::default()));
    }

    fn name(json: &str) -> String {
        let identity: Identity<'_> = serde_json::from_str(json).unwrap();
        Principal::of(&identity, &Jwt::default()).name.into_owned()
    }

    #[test]
    fn a_role_keeps_its_path() {
        let json = r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/DevAdmin/ana/x",
            "accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role",
            "arn":"arn:aws:iam::111122223333:role/team/a/DevAdmin"}}}"#;
        of(json, |found| {
            assert_eq!(found.name, "arn:aws:iam::111122223333:role/team/a/DevAdmin");
            assert_eq!(found.role_arn.as_deref(), Some(&*found.name));
            assert_eq!((found.role_path_known, found.role_name), (Some(true), Some("DevAdmin")));
            assert_eq!((found.session_name, found.sso), (Some("ana/x"), false));
            assert_eq!(found.account_id, Some("111122223333"));
        });
    }

    #[test]
    fn a_session_arn_alone_loses_the_path() {
        let json =
            r#"{"type":"AssumedRole","arn":"arn:aws-us-gov:sts::111122223333:assumed-role/Ops/i-0abc"}"#;
        of(json, |found| {
            assert_eq!(found.name, "arn:aws-us-gov:iam::111122223333:role/Ops");
            assert_eq!((found.role_path_known, found.session_name), (Some(false), Some("i-0abc")));
            assert_eq!(found.account_id, Some("111122223333"));
        });
        // Untyped, as some exports have it.
        assert_eq!(
            name(r#"{"arn":"arn:aws-cn:sts::111122223333:assumed-role/Ops/s"}"#),
            "arn:aws-cn:iam::111122223333:role/Ops"
        );
    }

    #[test]
    fn identity_center_roles_are_named_by_permission_set() {
        let json = r#"{"type":"AssumedRole",
            "arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Power_User_0123456789abcdef/ana@example.com",
            "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Power_User_0123456789abcdef"}}}"#;
        of(json, |found| {
            assert_eq!((found.role_name, found.sso), (Some("Power_User"), true));
            assert_eq!(found.session_name, Some("ana@example.com"));
        });
        let outside = json.replace("role/aws-reserved/sso.amazonaws.com/eu-west-1/", "role/");
        of(&outside, |found| {
            let own = Some("AWSReservedSSO_Power_User_0123456789abcdef");
            assert_eq!((found.role_name, found.sso), (own, false), "anyone may give a role such a name");
        });
        let session = r#"{"arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Power_User_0123456789abcdef/ana"}"#;
        of(session, |found| {
            assert_eq!((found.role_name, found.role_path_known), (Some("Power_User"), Some(false)));
        });
        assert_eq!(permission_set("AWSReservedSSO_Admin_0123"), None);
        assert_eq!(permission_set("AWSReservedSSO__0123456789abcdef"), None);
    }

    #[test]
    fn callers_without_a_role() {
        for (json, want) in [
            (
                r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u","userName":"u"}"#,
                "arn:aws:iam::111122223333:user/u",
            ),
            (r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root"}"#, "arn:aws:iam::111122223333:root"),
            (
                r#"{"type":"Role","arn":"arn:aws:iam::111122223333:role/p/R"}"#,
                "arn:aws:iam::111122223333:role/p/R",
            ),
            (r#"{"type":"AWSService","invokedBy":"bedrock.amazonaws.com"}"#, "service:bedrock.amazonaws.com"),
            (
                r#"{"accountId":"111122223333","invokedBy":"bedrock.amazonaws.com"}"#,
                "service:bedrock.amazonaws.com",
            ),
            (
                r#"{"type":"AWSAccount","accountId":"444455556666","principalId":"AIDAX"}"#,
                "account:444455556666",
            ),
            (r#"{"type":"AWSAccount","accountId":"anonymous","principalId":""}"#, "anonymous"),
            (
                r#"{"type":"IdentityCenterUser","accountId":"111122223333","onBehalfOf":{"userId":"u-1"}}"#,
                "idc:u-1",
            ),
            (r#"{"type":"SAMLUser","identityProvider":"idp","userName":"ana"}"#, "idp|ana"),
            (
                r#"{"type":"FederatedUser","arn":"arn:aws:sts::111122223333:federated-user/f","sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u"}}}"#,
                "arn:aws:iam::111122223333:user/u",
            ),
            (
                r#"{"type":"AssumedRole","arn":"<REDACTED>","sessionContext":{"sessionIssuer":{"arn":"<REDACTED>"}}}"#,
                "<REDACTED>",
            ),
            (
                r#"{"type":"Unknown","invokedBy":"bedrock-mantle.amazonaws.com"}"#,
                "service:bedrock-mantle.amazonaws.com",
            ),
            (r#"{"type":"IAMUser","userName":"u","accountId":"111122223333"}"#, "account:111122223333"),
            (r"{}", "unknown"),
        ] {
            assert_eq!(name(json), want, "{json}");
        }
    }

    #[test]
    fn jwt_callers_are_issuer_and_subject() {
        let identity: Identity<'_> =
            serde_json::from_str(r#"{"type":"AWSAccount","accountId":"anonymous"}"#).unwrap();
        let jwt = Jwt { issuer: Some("https://idp.example".into()), subject: Some("s1".into()) };
        let found = Principal::of(&identity, &jwt);
        assert_eq!((&*found.name, found.account_id), ("https://idp.example|s1", None));
        let forged = Jwt { issuer: None, subject: Some("arn:aws:iam::111122223333:role/Admin".into()) };
        assert_eq!(Principal::of(&identity, &forged).name, "|arn:aws:iam::111122223333:role/Admin");
    }
}
