//! Waivers: which events each of them covers, as SQL over `events`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Value as Literal, ValueWithSpan, Visit, Visitor};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::ask::Extent;
use super::condition;
use super::parameter;
use crate::clock;
use crate::finding::{Finding, Severity, Verdict, finding_id};

/// An exception that the policy makes: events it covers are waived from the rules it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its id in the policy.
    pub waiver_id: String,
    /// Rules it names, by code or name.
    pub rules: Vec<String>,
    /// A condition on the columns of `events`, as SQL.
    pub predicate: String,
    /// Who answers for it.
    pub owner: String,
    /// Events from here on are covered, in microseconds.
    pub created: i64,
    /// Events before this are covered, in microseconds.
    pub expires: i64,
    /// Whether events before `created` are covered too.
    pub retroactive: bool,
}

impl Waiver {
    /// The events it covers: those that match, from its creation (unless retroactive) until it expires.
    /// Never null, so that `NOT` gives exactly the other events.
    pub fn covers(&self) -> Result<String, String> {
        let mut parts = vec![self.matches()?];
        if !self.retroactive {
            parts.push(format!("event_time >= TIMESTAMP '{}'", parameter::timestamp_text(self.created)));
        }
        parts.push(format!("event_time < TIMESTAMP '{}'", parameter::timestamp_text(self.expires)));
        Ok(format!("COALESCE({}, false)", parts.join(" AND ")))
    }

    /// The events that it would cover had it not expired.
    pub fn lapsed(&self) -> Result<String, String> {
        let expires = parameter::timestamp_text(self.expires);
        Ok(format!("COALESCE({} AND event_time >= TIMESTAMP '{expires}', false)", self.matches()?))
    }

    /// The predicate in parentheses that nothing in it can close: it is parsed as one condition first.
    fn matches(&self) -> Result<String, String> {
        let mut parser = parameter::parser(&self.predicate).map_err(parameter::message)?;
        let mut expr = parser.parse_expr().map_err(parameter::message)?;
        if parser.peek_token().token != Token::EOF {
            return Err(format!("`{}` follows the condition", parser.peek_token()));
        }
        match expr.visit(&mut Plain) {
            ControlFlow::Break(what) => Err(format!("it must not hold {what}")),
            ControlFlow::Continue(()) => {
                condition::rewrite(&mut expr);
                Ok(format!("({expr})"))
            }
        }
    }
}

/// Refuses what a condition on one event has no need of.
struct Plain;

impl Visitor for Plain {
    type Break = &'static str;

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<Self::Break> {
        ControlFlow::Break("a query")
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        match expr {
            Expr::Function(function) if function.over.is_some() => ControlFlow::Break("a window function"),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<Self::Break> {
        match value.value {
            Literal::Placeholder(_) => ControlFlow::Break("a placeholder"),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// A finding about the waiver itself.
fn finding(waiver: &Waiver, name: &str, title: &str, status: Verdict) -> Finding {
    let subject = Some(waiver.waiver_id.clone());
    Finding {
        finding_id: finding_id("WAIVER", None, None, subject.as_deref()),
        rule_id: "WAIVER".to_owned(),
        rule_name: name.to_owned(),
        rule_title: title.to_owned(),
        severity: Severity::Info,
        status,
        account_id: None,
        aws_region: None,
        environment: None,
        principal: None,
        person: None,
        subject,
        reason: None,
        expected: None,
        observed: None,
        first_seen: None,
        last_seen: None,
        event_count: 0,
        population: 0,
        frameworks: None,
        attack: None,
        atlas: None,
        not_assessed_reason: None,
        waiver_id: Some(waiver.waiver_id.clone()),
        waiver_owner: Some(waiver.owner.clone()),
        waiver_expires: Some(waiver.expires),
        sample_event_ids: Vec::new(),
        sample_records: Vec::new(),
        rule_version: None,
        new_since_last_run: None,
    }
}

/// The finding that a waiver has expired while events it would have covered go on.
pub(super) fn expired(waiver: &Waiver, lapsed: Extent) -> Finding {
    let expires = clock::format_micros(waiver.expires);
    Finding {
        reason: Some("waiver expired".to_owned()),
        expected: Some("renew the waiver, or end what it covered and remove it".to_owned()),
        observed: Some(format!("expired {expires}; events that match it since: {}", lapsed.events)),
        first_seen: lapsed.first_seen,
        last_seen: lapsed.last_seen,
        event_count: lapsed.events,
        population: lapsed.events,
        sample_event_ids: lapsed.sample,
        ..finding(waiver, "waiver-expired", "A waiver has expired", Verdict::Violation)
    }
}

/// The finding that a waiver's condition fails on some event, and that it covers nothing therefore.
pub(super) fn unrunnable(waiver: &Waiver, error: &str) -> Finding {
    Finding {
        not_assessed_reason: Some(format!("the waiver could not be run: {error}")),
        expected: Some("a condition that can be worked out for every event".to_owned()),
        ..finding(waiver, "waiver-failed", "A waiver could not be run", Verdict::NotAssessed)
    }
}

/// The events split into those each waiver covers, in the order given and no event twice, and the rest.
pub(super) fn split(covers: &[String]) -> (Vec<String>, String) {
    let none = |of: &[String]| format!("NOT ({})", of.join(" OR "));
    let parts = covers
        .iter()
        .enumerate()
        .map(|(at, cover)| match covers.get(..at) {
            Some(before) if at > 0 => format!("{cover} AND {}", none(before)),
            _ => cover.clone(),
        })
        .collect();
    (parts, none(covers))
}

#[cfg(test)]
pub(super) fn sample(id: &str, rules: &[&str], predicate: &str) -> Waiver {
    Waiver {
        waiver_id: id.to_owned(),
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        predicate: predicate.to_owned(),
        owner: "team@acme.example".to_owned(),
        created: 1_000_000,
        expires: 5_000_000,
        retroactive: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cover_is_bounded_in_time() {
        let mut waiver = sample("W1", &["BT901"], "principal = 'it''s' OR model_id IS NULL");
        insta::assert_snapshot!(waiver.covers().unwrap(), @"COALESCE((principal = 'it''s' OR model_id IS NULL) AND event_time >= TIMESTAMP '1970-01-01 00:00:01' AND event_time < TIMESTAMP '1970-01-01 00:00:05', false)");
        waiver.retroactive = true;
        insta::assert_snapshot!(waiver.covers().unwrap(), @"COALESCE((principal = 'it''s' OR model_id IS NULL) AND event_time < TIMESTAMP '1970-01-01 00:00:05', false)");
        insta::assert_snapshot!(waiver.lapsed().unwrap(), @"COALESCE((principal = 'it''s' OR model_id IS NULL) AND event_time >= TIMESTAMP '1970-01-01 00:00:05', false)");
    }

    #[test]
    fn predicate_is_one_plain_condition() {
        let refused = [
            "a = 1) OR (1 = 1",
            "a = 1; DROP TABLE events",
            "a = $x",
            "a IN (SELECT b FROM c)",
            "COUNT(a) OVER () > 1",
            "a = 'open",
            "",
        ];
        let said: Vec<String> =
            refused.iter().map(|text| sample("W1", &[], text).covers().unwrap_err()).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        `)` follows the condition
        `;` follows the condition
        it must not hold a placeholder
        it must not hold a query
        it must not hold a window function
        Unterminated string literal at Line: 1, Column: 5
        Expected: an expression, found: EOF
        ");
    }

    #[test]
    fn an_escape_means_the_same_to_both_engines() {
        let waiver = sample("W1", &["BT901"], r"role_name LIKE 'a\_b%'");
        assert!(
            waiver
                .covers()
                .unwrap()
                .starts_with(r"COALESCE(((regexp_like(role_name, '\A(?s:a_b.*)\z'))) AND")
        );
    }

    #[test]
    fn a_comment_at_the_end_swallows_nothing() {
        let waiver = sample("W1", &["BT901"], "a = 1 -- all of them");
        assert!(waiver.lapsed().unwrap().starts_with("COALESCE((a = 1) AND event_time"));
    }

    #[test]
    fn parts_are_disjoint_and_the_rest_is_what_remains() {
        let (parts, rest) = split(&["a".to_owned(), "b".to_owned()]);
        assert_eq!(parts, ["a", "b AND NOT (a)"]);
        assert_eq!(rest, "NOT (a OR b)");
    }
}
