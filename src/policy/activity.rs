//! What a call does: the activities, and the words that earlier drafts of the file used for them.

/// Every value of `events.activity`.
pub(super) const ACTIVITIES: &[&str] = &[
    "model_invocation",
    "batch",
    "agent_invocation",
    "retrieval",
    "flow",
    "guardrail_check",
    "tool",
    "memory",
    "token_vending",
    "session",
    "discovery",
    "entitlement",
    "guardrail_admin",
    "logging_admin",
    "agent_admin",
    "model_admin",
    "credential_admin",
    "trail_admin",
    "downstream",
    "other",
];

/// Every value of `events.outcome`.
pub(super) const OUTCOMES: &[&str] = &["ok", "denied", "throttled", "invalid", "failed"];

/// Draft words and the activity each stands for.
const DRAFT: &[(&str, &str)] = &[
    ("agent", "agent_invocation"),
    ("cred_admin", "credential_admin"),
    ("entitle", "entitlement"),
    ("guardrail", "guardrail_admin"),
    ("invoke", "model_invocation"),
    ("logging", "logging_admin"),
    ("retrieve", "retrieval"),
    ("token", "token_vending"),
];

/// Draft column names and the column each became.
const DRAFT_COLUMNS: &[(&str, &str)] = &[
    ("agent_session", "agent_session_id"),
    ("bearer_kind", "credential"),
    ("bearer_token", "credential"),
    ("caller_account", "principal_account_id"),
    ("console", "from_console"),
    ("env", "environment"),
    ("human", "person"),
    ("identity_type", "principal_type"),
    ("ip_kind", "source_kind"),
    ("key_kind", "credential"),
    ("model_raw", "model_requested"),
    ("op", "activity"),
    ("profile_kind", "model_kind"),
    ("profile_prefix", "profile_scope"),
    ("src_index", "log_index"),
    ("src_object", "log_object"),
];

/// The activity a word of the file means: the word itself, or what a draft word became.
pub(super) fn activity(word: &str) -> Option<&'static str> {
    ACTIVITIES
        .iter()
        .find(|activity| **activity == word)
        .copied()
        .or_else(|| DRAFT.iter().find(|(draft, _)| *draft == word).map(|(_, activity)| *activity))
}

/// The column that a draft column name became.
pub(super) fn column(word: &str) -> Option<&'static str> {
    DRAFT_COLUMNS.iter().find(|(draft, _)| *draft == word).map(|(_, column)| *column)
}

/// The outcome that a draft word became, or the activity, for a literal compared with that column.
pub(super) fn literal(column: &str, word: &str) -> Option<&'static str> {
    match (column, word) {
        ("activity", word) => activity(word),
        ("outcome", "success") => Some("ok"),
        ("outcome", "not_found" | "error") => Some("failed"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draft_words_lead_to_names_that_exist() {
        assert_eq!(activity("invoke"), Some("model_invocation"));
        assert_eq!(activity("batch"), Some("batch"));
        assert_eq!(activity("sing"), None);
        assert!(DRAFT.iter().all(|(draft, now)| ACTIVITIES.contains(now) && !ACTIVITIES.contains(draft)));
        for (draft, now) in DRAFT_COLUMNS {
            assert!(crate::event::column::Field::named(now).is_some(), "{now}");
            assert!(crate::event::column::Field::named(draft).is_none(), "{draft}");
        }
    }

    #[test]
    fn the_event_catalogue_knows_the_same_activities() {
        let mut reader =
            csv::Reader::from_reader(include_str!("../../queries/data/event-catalogue.csv").as_bytes());
        let index = reader.headers().unwrap().iter().position(|name| name == "activity").unwrap();
        for record in reader.records() {
            let record = record.unwrap();
            assert!(ACTIVITIES.contains(&&record[index]), "{}", &record[index]);
        }
    }
}
