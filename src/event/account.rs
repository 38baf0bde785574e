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
}
