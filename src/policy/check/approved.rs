//! `[approved]`.

use super::environment::account_mistake;
use super::{Collector, Texts, filled, globs, texts};
use crate::policy::entry::Approved;
use crate::policy::problem::quoted;
use crate::policy::written::{self, Text};

pub(super) fn approved(out: &mut Collector<'_>, written: written::Approved) -> Approved {
    Approved {
        model_admins: principals(out, written.model_admins),
        entitlement_admins: principals(out, written.entitlement_admins),
        agent_admins: principals(out, written.agent_admins),
        capacity_admins: principals(out, written.capacity_admins),
        evaluators: principals(out, written.evaluators),
        shared_roles: principals(out, written.shared_roles),
        batch_buckets: buckets(out, written.batch_buckets),
        data_buckets: buckets(out, written.data_buckets),
        trusted_accounts: accounts(out, written.trusted_accounts),
        runtime_agents: globs(out, written.runtime_agents),
    }
}

/// Principals as `events.principal` has them: a role's own ARN, never that of a session.
pub(super) fn principals(out: &mut Collector<'_>, list: Texts) -> Vec<String> {
    for principal in list.iter().flat_map(toml::Spanned::get_ref) {
        no_session(out, principal);
    }
    globs(out, list)
}

/// Tells a session that stands for its role: no principal is written so.
pub(super) fn no_session(out: &mut Collector<'_>, principal: &Text) {
    if principal.get_ref().contains(":assumed-role/") {
        let message = format!("a session is no principal: {}", quoted(principal.get_ref()));
        let help = "write the role's own ARN, like arn:aws:iam::111122223333:role/name";
        out.invalid(&principal.span(), message, help);
    }
}

/// Names of buckets, or `s3://bucket/prefix`.
fn buckets(out: &mut Collector<'_>, list: Texts) -> Vec<String> {
    for bucket in list.iter().flat_map(toml::Spanned::get_ref) {
        let text = bucket.get_ref();
        let name = text.strip_prefix("s3://");
        let mistake = match name {
            None => text.contains(['/', ':']),
            Some(name) => name.is_empty() || name.starts_with('/'),
        };
        if mistake {
            let message = format!("no bucket: {}", quoted(text));
            out.invalid(&bucket.span(), message, "write its name, or s3://bucket/prefix*");
        }
    }
    globs(out, list)
}

fn accounts(out: &mut Collector<'_>, list: Texts) -> Vec<String> {
    filled(out, list.as_ref());
    let mut accounts = Vec::new();
    for account in texts(out, list) {
        match account_mistake(account.get_ref()) {
            Some(help) => {
                out.invalid(&account.span(), format!("no account id: {}", quoted(account.get_ref())), help);
            }
            None => accounts.push(account.into_inner()),
        }
    }
    accounts
}
