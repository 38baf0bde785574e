//! Versions of a policy, and what they find together.

use super::*;
use crate::finding::Severity;
use crate::rule::header::samples;

fn finding(subject: &str, count: i64, samples: &[&str], observed: &str) -> Finding {
    let rule = &samples_of()[0];
    Finding {
        finding_id: subject.to_owned(),
        rule_id: rule.code.clone(),
        rule_name: rule.name.clone(),
        rule_title: rule.title.clone(),
        severity: Severity::Low,
        status: Verdict::Violation,
        account_id: None,
        aws_region: Some("eu-west-1".to_owned()),
        environment: Some("old".to_owned()),
        principal: None,
        person: None,
        subject: Some(subject.to_owned()),
        reason: None,
        expected: Some(observed.to_owned()),
        observed: Some(observed.to_owned()),
        first_seen: Some(count),
        last_seen: Some(count),
        event_count: count,
        population: 9,
        frameworks: None,
        attack: None,
        atlas: None,
        not_assessed_reason: None,
        waiver_id: None,
        waiver_owner: None,
        waiver_expires: None,
        sample_event_ids: samples.iter().map(|id| (*id).to_owned()).collect(),
        sample_records: Vec::new(),
        rule_version: None,
        new_since_last_run: None,
    }
}

fn samples_of() -> Vec<Rule> {
    samples()
}

#[test]
fn periods_are_half_open_conditions() {
    let period = |from, to| condition(Period { from, to });
    assert_eq!(period(None, None), None);
    assert_eq!(period(None, Some(1_000_000)).unwrap(), "event_time < TIMESTAMP '1970-01-01 00:00:01'");
    assert_eq!(
        period(Some(0), Some(1)).unwrap(),
        "event_time >= TIMESTAMP '1970-01-01 00:00:00' AND event_time < TIMESTAMP '1970-01-01 00:00:00.000001'"
    );
}

#[test]
fn findings_of_one_id_are_one() {
    let mut later = finding("a", 4, &["e5", "e6", "e7"], "model x (1 ok, 2 denied, 1 other)");
    later.severity = Severity::High;
    later.environment = Some("new".to_owned());
    later.aws_region = Some("us-east-1".to_owned());
    let mut waived = finding("a", 1, &[], "w");
    waived.status = Verdict::Waived;
    let earlier = finding("a", 3, &["e9", "e1", "e2"], "model x (3 ok, 0 denied, 0 other)");
    let merged = merge(vec![earlier, finding("b", 1, &[], "b"), later, waived]);
    assert_eq!(merged.len(), 3);
    let one = &merged[0];
    assert_eq!((one.event_count, one.first_seen, one.last_seen), (7, Some(3), Some(4)));
    assert_eq!(one.severity, Severity::High);
    assert_eq!(one.environment.as_deref(), Some("new"));
    assert_eq!(one.aws_region.as_deref(), Some("eu-west-1 us-east-1"));
    assert_eq!(one.observed.as_deref(), Some("model x (4 ok, 2 denied, 1 other)"));
    assert_eq!(one.sample_event_ids, ["e9", "e1", "e2", "e5", "e6"]);
}

fn outcome(state: State, reason: Option<&str>, population: i64) -> RuleOutcome {
    RuleOutcome {
        rule_id: samples_of()[0].code.clone(),
        rule_name: String::new(),
        title: String::new(),
        severity: Severity::Low,
        state,
        population,
        violations: 7,
        violating_events: population,
        waived: 0,
        passed: 0,
        not_assessed: 0,
        reason: reason.map(str::to_owned),
        error: None,
    }
}

#[test]
fn outcomes_add_up_and_say_what_a_version_left_out() {
    let mut findings = vec![finding("a", 1, &[], "x")];
    let off = "turned off by the policy: later (o)";
    let merged = one(
        vec![
            ("1".to_owned(), outcome(State::Disabled, Some(off), 0)),
            ("2".to_owned(), outcome(State::Judged, None, 5)),
            ("3".to_owned(), outcome(State::NotApplicable, Some(NOTHING), 0)),
        ],
        &mut findings,
    )
    .unwrap();
    assert_eq!((merged.state, merged.population, merged.violations), (State::Judged, 5, 1));
    assert_eq!(merged.reason.as_deref(), Some("turned off by the policy: later (o) (version 1)"));
    assert_eq!(findings[0].population, 5);
    let same = |state| ("1".to_owned(), outcome(state, Some(off), 0));
    let merged = one(vec![same(State::Disabled), same(State::Disabled)], &mut []).unwrap();
    assert_eq!((merged.state, merged.reason.as_deref()), (State::Disabled, Some(off)));
}

#[test]
fn rules_are_run_per_version_only_where_they_may_differ() {
    let rules: Vec<Rule> = samples_of();
    let plain = Settings::default();
    let mut off = Settings::default();
    let quiet = rules.iter().find(|rule| !by_policy(rule)).map(|rule| rule.code.clone());
    if let Some(code) = &quiet {
        off.rules.insert(code.clone(), Setting { enabled: false, ..Setting::default() });
    }
    let version = |settings| Version { name: String::new(), rules: &rules, settings, scope: &() };
    for rule in &rules {
        let dated = |versions: &[Version<'_, ()>]| places(versions)[rule.code.as_str()].dated;
        let cut = rule.grain != Grain::Group || !matches!(rule.kind, Kind::Coverage | Kind::Baseline);
        assert!(!dated(&[version(&plain)]), "{}", rule.code);
        assert_eq!(dated(&[version(&plain), version(&plain)]), cut && by_policy(rule), "{}", rule.code);
        let differs = quiet.as_deref() == Some(rule.code.as_str());
        assert_eq!(
            dated(&[version(&plain), version(&off)]),
            cut && (differs || by_policy(rule)),
            "{}",
            rule.code
        );
    }
}
