//! Which account a record belongs to, for the column `account_id`, the policy's environment and `--account` alike.

use std::borrow::Cow;

use super::arn::is_account;
use super::record::{Identity, Record};
use super::request::{self, Resource};

/// The account that received the record; where an export leaves that out, the caller's or the first resource's.
pub fn account<'r>(record: &'r Record<'_>, identity: &'r Identity<'_>) -> Option<Cow<'r, str>> {
    let given = record.recipient_account_id.as_deref().filter(|account| !account.is_empty());
    let caller = || identity.account_id.as_deref().filter(|account| is_account(account));
    given.or_else(caller).map(Cow::Borrowed).or_else(|| {
        let resources = request::resources(record.resources);
        let account = resources.first().and_then(Resource::parsed).map(|arn| arn.account);
        account.filter(|account| is_account(account)).map(|account| Cow::Owned(account.to_owned()))
    })
}

/// The account whose copy of a call counts, where copies went to several: the caller's, else, for callers that are no
/// account (services, JWT and unsigned callers), the smallest that owns a resource of the call. `None` where the record
/// names neither: then each copy counts for itself, since no record shows the others.
pub fn owner<'r>(caller: Option<&'r str>, resources: &'r [Resource<'_>]) -> Option<Cow<'r, str>> {
    let owners = || resources.iter().filter_map(Resource::account).filter(|account| is_account(account));
    caller.filter(|account| is_account(account)).map(Cow::Borrowed).or_else(|| owners().min())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Option<String> {
        let record: Record<'_> = serde_json::from_str(json).unwrap();
        let identity = record.user_identity.map_or("{}", |raw| raw.get());
        let identity: Identity<'_> = serde_json::from_str(identity).unwrap();
        account(&record, &identity).map(Cow::into_owned)
    }

    #[test]
    fn the_recipient_else_the_caller_else_the_first_resource() {
        for (recipient, caller, resource, want) in [
            ("111122223333", "444455556666", "777788889999", Some("111122223333")),
            ("", "444455556666", "777788889999", Some("444455556666")),
            ("", "anonymous", "777788889999", Some("777788889999")),
            ("", "", "aws", None),
        ] {
            let rest = format!(
                r#""userIdentity":{{"accountId":"{caller}"}},"resources":[{{"ARN":"arn:aws:x:y:{resource}:z"}}]"#
            );
            let given = format!(r#"{{"recipientAccountId":"{recipient}",{rest}}}"#);
            assert_eq!(of(&given).as_deref(), want, "{given}");
            if recipient.is_empty() {
                assert_eq!(of(&format!("{{{rest}}}")).as_deref(), want, "absent is as empty");
            }
        }
    }

    #[test]
    fn the_callers_copy_counts_else_the_smallest_owners() {
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(
            r#"[{"ARN":"arn:aws:s3:::b"},{"ARN":"arn:aws:x:y:777788889999:z","accountId":7},{"accountId":"444455556666"}]"#,
        )
        .unwrap();
        let resources = request::resources(Some(&raw));
        assert_eq!(owner(Some("888899990000"), &resources).as_deref(), Some("888899990000"));
        assert_eq!(owner(Some("anonymous"), &resources).as_deref(), Some("444455556666"));
        assert_eq!(owner(None, &resources[..2]).as_deref(), Some("777788889999"));
        assert_eq!(owner(None, &resources[..1]), None);
    }
}
