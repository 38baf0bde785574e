//! What of CloudTrail is asked for, as a condition in SQL: `queries/scope.toml`, the window, accounts and Regions.

use std::collections::BTreeSet;

use crate::event::scope::Scope;
use crate::source::Extent;

/// How a table tells what the condition is about.
pub(super) struct Names<'n> {
    /// `eventsource`
    pub(super) source: &'n str,
    /// `eventname`
    pub(super) name: &'n str,
    /// `useridentity.invokedby`
    pub(super) invoked_by: Option<&'n str>,
    /// `sourceipaddress`
    pub(super) address: Option<&'n str>,
    /// `useridentity.username`
    pub(super) user: Option<&'n str>,
    /// `errorcode`
    pub(super) error_code: Option<&'n str>,
    /// `awsregion`
    pub(super) region: &'n str,
    /// `recipientaccountid`
    pub(super) account: Option<&'n str>,
}

/// A text in quotes.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `name IN ('a', 'b')`
pub(super) fn among<'t>(name: &str, values: impl IntoIterator<Item = &'t str>) -> String {
    let values: Vec<String> = values.into_iter().map(quoted).collect();
    format!("{name} IN ({})", values.join(","))
}

/// Records that can be ours, in the accounts and Regions asked for. It lets through a few more: the decoder decides.
pub(super) fn condition(scope: &Scope, extent: &Extent, names: &Names<'_>) -> String {
    let mut ours = vec![among(names.source, scope.sources())];
    // Sources and names apart: each with its own would be longer than a statement of CloudTrail Lake may be.
    let sources = among(names.source, scope.wanted().map(|(source, _)| source));
    let wanted: BTreeSet<&str> = scope.wanted().flat_map(|(_, names)| names).collect();
    ours.push(format!("({sources} AND {})", among(names.name, wanted)));
    let makers: Vec<String> = scope.makers().map(regex::escape).collect();
    let makers = quoted(&format!("^({})", makers.join("|")));
    for by in [names.invoked_by, names.address].into_iter().flatten() {
        ours.push(format!("regexp_like({by}, {makers})"));
    }
    let users: Vec<String> = scope.users().map(regex::escape).collect();
    let users = quoted(&format!("^({})", users.join("|")));
    ours.extend(names.user.map(|user| format!("regexp_like({user}, {users})")));
    let (error_code, sources) = scope.at_endpoint();
    let at_endpoint = among(names.source, sources);
    ours.extend(names.error_code.map(|code| format!("({at_endpoint} AND {code} = {})", quoted(error_code))));
    let mut all = vec![format!("({})", ours.join(" OR "))];
    if !extent.regions.is_empty() {
        all.push(among(names.region, extent.regions.iter().map(String::as_str)));
    }
    if let Some(account) = names.account.filter(|_| !extent.accounts.is_empty()) {
        all.push(among(account, extent.accounts.iter().map(String::as_str)));
    }
    all.join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(among("a", ["x", "o'y"]), "a IN ('x','o''y')");
        let names = Names {
            source: "s",
            name: "n",
            invoked_by: Some("i"),
            address: None,
            user: Some("u"),
            error_code: Some("e"),
            region: "r",
            account: Some("a"),
        };
        let extent = Extent { accounts: vec!["111122223333".to_owned()], ..Extent::default() };
        let text = condition(Scope::get(), &extent, &names);
        assert!(text.starts_with("(s IN ('agent-registry.amazonaws.com',"), "{text}");
        assert!(text.contains(" OR (s IN ('agreement-marketplace.amazonaws.com',"), "{text}");
        assert!(text.contains(" AND n IN ('AcceptAgreementApprovalRequest',"), "{text}");
        assert!(text.contains(r"regexp_like(i, '^(agent\-registry\.|"), "{text}");
        assert!(text.contains(r" OR regexp_like(u, '^(AeaApiKey\-|BedrockAPIKey\-)') OR "), "{text}");
        let at_endpoint =
            " OR (s IN ('lambda.amazonaws.com','s3.amazonaws.com') AND e = 'VpceAccessDenied'))";
        assert!(text.contains(at_endpoint), "{text}");
        assert!(text.ends_with(" AND a IN ('111122223333')"), "{text}");
    }
}
