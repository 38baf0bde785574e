use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use datafusion::datasource::{MemTable, ViewTable};
use datafusion::prelude::SessionContext;
use proptest::prelude::*;

use super::*;
use crate::rule::header::Kind;
use crate::rule::header::samples;
use crate::rule::waiver::sample as waiver;

const COLUMNS: [&str; 8] =
    ["event_id", "account_id", "aws_region", "principal", "model_id", "activity", "outcome", "environment"];

/// Events as (seconds since 1970, principal, model, outcome).
struct World {
    base: SessionContext,
}

impl Scope for World {
    type Relations = SessionContext;

    fn context(&self) -> SessionContext {
        self.base.clone()
    }

    async fn context_where(&self, predicate: &str) -> Result<SessionContext, DataFusionError> {
        let part = SessionContext::new();
        for name in ["policy_deny", "policy_allow"] {
            part.register_table(name, self.base.table_provider(name).await?)?;
        }
        let sql = format!("SELECT * FROM events WHERE {predicate}");
        let plan = self.base.state().create_logical_plan(&sql).await?;
        part.register_table("events", Arc::new(ViewTable::new(plan, None)))?;
        Ok(part)
    }
}

fn texts(values: Vec<Option<String>>) -> ArrayRef {
    Arc::new(StringViewArray::from_iter(values))
}

fn world(events: &[(i64, &str, &str, &str)], denies: usize) -> World {
    let base = SessionContext::new();
    let of = |name: &str| match name {
        "event_id" => texts((0..events.len()).map(|at| Some(format!("e{at}"))).collect()),
        "account_id" => {
            texts(events.iter().map(|event| (event.1 != "lost").then(|| "111122223333".to_owned())).collect())
        }
        "aws_region" => texts(events.iter().map(|_| Some("eu-central-1".to_owned())).collect()),
        "principal" => texts(events.iter().map(|event| Some(event.1.to_owned())).collect()),
        "model_id" => texts(events.iter().map(|event| Some(event.2.to_owned())).collect()),
        "activity" => texts(events.iter().map(|_| Some("model_invocation".to_owned())).collect()),
        "outcome" => texts(events.iter().map(|event| Some(event.3.to_owned())).collect()),
        _ => texts(events.iter().map(|_| Some("prod".to_owned())).collect()),
    };
    let mut columns: Vec<(&str, ArrayRef)> = COLUMNS.iter().map(|name| (*name, of(name))).collect();
    let times = events.iter().map(|event| event.0 * 1_000_000).collect::<Vec<_>>();
    columns.push(("event_time", Arc::new(TimestampMicrosecondArray::from(times))));
    let table = |columns| {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap())
    };
    base.register_table("events", table(columns)).unwrap();
    let entries = |count: usize| texts((0..count).map(|at| Some(format!("d{at}"))).collect());
    base.register_table("policy_deny", table(vec![("deny_id", entries(denies))])).unwrap();
    base.register_table("policy_allow", table(vec![("allow_id", entries(0))])).unwrap();
    World { base }
}

/// One use of a forbidden model by each of two roles, at second 2 and 4, and one of another model.
fn usual() -> World {
    world(
        &[(2, "role-a", "model-x", "ok"), (4, "role-b", "model-x", "ok"), (3, "role-a", "model-y", "ok")],
        1,
    )
}

fn settings() -> Settings {
    Settings { policy_given: true, ..Settings::default() }
}

fn judged(world: &World, settings: &Settings) -> Judgement {
    ran(&samples(), world, settings).unwrap()
}

fn ran(rules: &[Rule], world: &World, settings: &Settings) -> Result<Judgement, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(run(rules, settings, world))
}

fn outcome(outcome: &RuleOutcome) -> String {
    format!(
        "{} {} {}: of {} {} violations ({} events), {} waived, {} passed, {} not assessed; {}",
        outcome.rule_id,
        outcome.severity,
        outcome.state,
        outcome.population,
        outcome.violations,
        outcome.violating_events,
        outcome.waived,
        outcome.passed,
        outcome.not_assessed,
        outcome.reason.as_deref().unwrap_or("-")
    )
}

fn finding(finding: &Finding) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {}/{}/{} {}x {} waiver {}; {}",
        finding.severity,
        finding.rule_id,
        finding.status,
        text(&finding.account_id),
        text(&finding.principal),
        text(&finding.subject),
        finding.event_count,
        finding.sample_event_ids.join(" "),
        text(&finding.waiver_id),
        text(&finding.not_assessed_reason),
    )
}

fn told(judgement: &Judgement) -> String {
    let outcomes = judgement.outcomes.iter().map(outcome);
    let findings = judgement.findings.iter().map(finding);
    let unused = judgement
        .unused_waivers
        .iter()
        .map(|unused| format!("unused {}: {}", unused.waiver_id, unused.reason));
    outcomes.chain(findings).chain(unused).collect::<Vec<_>>().join("\n")
}

#[test]
fn violations_and_passes() {
    let judgement = judged(&usual(), &settings());
    insta::assert_snapshot!(told(&judgement), @r"
    BT901 high judged: of 3 2 violations (2 events), 0 waived, 1 passed, 0 not assessed; -
    BT902 medium not_applicable: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; there was nothing for it to judge
    high BT901 violation 111122223333/role-a/model-x 1x e0 waiver -; -
    high BT901 violation 111122223333/role-b/model-x 1x e1 waiver -; -
    ");
    let first = &judgement.findings[0];
    assert_eq!(first.environment.as_deref(), Some("prod"));
    assert_eq!(first.frameworks.as_deref(), Some("ISO/IEC 42001: A.9.4; SOC 2: CC6.1, CC6.3"));
    assert_eq!((first.attack.as_deref(), first.atlas.as_deref()), (Some("T1078.004"), Some("AML.T0040")));
    assert_eq!((first.first_seen, first.population), (Some(2_000_000), 3));
    assert_eq!(judgement.worst(), Some(Severity::High));
}

#[test]
fn waiver_splits_by_event() {
    let mut with = settings();
    with.waivers = vec![waiver("W1", &["model-forbidden"], "principal = 'role-a'")];
    let judgement = judged(&usual(), &with);
    insta::assert_snapshot!(told(&judgement), @r"
    BT901 high judged: of 3 1 violations (1 events), 1 waived, 1 passed, 0 not assessed; -
    BT902 medium not_applicable: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; there was nothing for it to judge
    high BT901 waived 111122223333/role-a/model-x 1x e0 waiver W1; -
    high BT901 violation 111122223333/role-b/model-x 1x e1 waiver -; -
    ");
    let waived = judgement.findings.iter().find(|finding| finding.status == Verdict::Waived).unwrap();
    assert_eq!(waived.waiver_owner.as_deref(), Some("team@acme.example"));
    assert_eq!(waived.waiver_expires, Some(5_000_000));
    // The id is that of the same finding without a waiver.
    assert_eq!(waived.finding_id, judged(&usual(), &settings()).findings[0].finding_id);
    assert_eq!(waived.population, 3);
}

#[test]
fn waiver_holds_from_creation_until_expiry() {
    let at = |seconds: i64| (seconds, "role-a", "model-x", "ok");
    let world = world(&[at(1), at(2), at(3), at(4)], 1);
    let mut with = settings();
    let mut one = waiver("W1", &["BT901"], "model_id = 'model-x'");
    (one.created, one.expires) = (2_000_000, 4_000_000);
    with.waivers = vec![one.clone()];
    insta::assert_snapshot!(told(&judged(&world, &with)), @r"
    BT901 high judged: of 4 1 violations (2 events), 2 waived, 0 passed, 0 not assessed; -
    BT902 medium not_applicable: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; there was nothing for it to judge
    high BT901 violation 111122223333/role-a/model-x 2x e0 waiver -; -
    high BT901 waived 111122223333/role-a/model-x 2x e1 waiver W1; -
    ");
    one.retroactive = true;
    with.waivers = vec![one];
    insta::assert_snapshot!(told(&judged(&world, &with)), @r"
    BT901 high judged: of 4 1 violations (1 events), 3 waived, 0 passed, 0 not assessed; -
    BT902 medium not_applicable: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; there was nothing for it to judge
    high BT901 violation 111122223333/role-a/model-x 1x e3 waiver -; -
    high BT901 waived 111122223333/role-a/model-x 3x e0 waiver W1; -
    ");
}

#[test]
fn overlapping_waivers_waive_an_event_once() {
    let mut with = settings();
    with.waivers = vec![
        waiver("W2", &["BT901"], "principal IN ('role-a', 'role-b')"),
        waiver("W1", &["bt901"], "principal = 'role-a'"),
    ];
    insta::assert_snapshot!(told(&judged(&usual(), &with)), @r"
    BT901 high judged: of 3 0 violations (0 events), 2 waived, 1 passed, 0 not assessed; -
    BT902 medium not_applicable: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; there was nothing for it to judge
    high BT901 waived 111122223333/role-a/model-x 1x e0 waiver W1; -
    high BT901 waived 111122223333/role-b/model-x 1x e1 waiver W2; -
    ");
}

#[test]
fn waiver_over_null_columns_loses_no_event() {
    let mut with = settings();
    with.waivers = vec![waiver("W1", &["BT901"], "account_id = 'x'")];
    let world = world(&[(2, "lost", "model-x", "ok")], 1);
    let judgement = judged(&world, &with);
    assert_eq!((judgement.outcomes[0].violations, judgement.outcomes[0].population), (1, 1));
}

#[test]
fn unused_and_expired_waivers_are_told() {
    let mut with = settings();
    with.run_time = 9_000_000;
    let mut expired = waiver("W2", &["BT901"], "principal = 'role-b'");
    expired.expires = 3_000_000;
    with.waivers = vec![
        waiver("W1", &["BT901"], "principal = 'role-none'"),
        expired.clone(),
        waiver("W3", &["BT902"], "principal = 'role-a'"),
    ];
    with.rules.insert("BT902".to_owned(), Setting { enabled: false, ..Setting::default() });
    let judgement = judged(&usual(), &with);
    insta::assert_snapshot!(told(&judgement), @r"
    BT901 high judged: of 3 2 violations (2 events), 0 waived, 1 passed, 0 not assessed; -
    BT902 medium disabled: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; turned off by the policy: no reason is given (no owner is named)
    high BT901 violation 111122223333/role-a/model-x 1x e0 waiver -; -
    high BT901 violation 111122223333/role-b/model-x 1x e1 waiver -; -
    info WAIVER violation -/-/W2 1x e1 waiver W2; -
    unused W1: no violation falls under it
    unused W2: no violation falls under it
    unused W3: the policy turns its rules off
    ");
    let told = judgement.findings.iter().find(|finding| finding.rule_id == "WAIVER").unwrap();
    insta::assert_snapshot!(told.observed.as_deref().unwrap(), @"expired 1970-01-01T00:00:03Z; events that match it since: 1");
    // In force, it raises nothing.
    with.run_time = 2_999_999;
    assert!(judged(&usual(), &with).findings.iter().all(|finding| finding.rule_id != "WAIVER"));
}

#[test]
fn coverage_rules_are_judged_over_all_events_and_waived_by_whole_findings() {
    let mut rules = samples();
    rules[0].kind = Kind::Coverage;
    let mut with = settings();
    for (predicate, expected) in [("true", (0, 2)), ("event_id = 'e0'", (1, 1)), ("event_id = 'e9'", (2, 0))]
    {
        with.waivers = vec![waiver("W1", &["BT901"], predicate)];
        let judgement = ran(&rules, &usual(), &with).unwrap();
        let outcome = &judgement.outcomes[0];
        assert_eq!((outcome.violations, outcome.waived), expected, "{predicate}");
        let parts = outcome.violating_events + outcome.waived + outcome.passed + outcome.not_assessed;
        assert_eq!(outcome.population, parts);
    }
}

#[test]
fn disabled_rule_says_who_and_why() {
    let mut with = settings();
    let off = Setting {
        enabled: false,
        reason: Some("done by finance".to_owned()),
        owner: Some("finops@acme.example".to_owned()),
        ..Setting::default()
    };
    with.rules.insert("model-forbidden".to_owned(), off);
    let judgement = judged(&usual(), &with);
    assert!(judgement.findings.is_empty());
    insta::assert_snapshot!(outcome(&judgement.outcomes[0]), @"BT901 high disabled: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; turned off by the policy: done by finance (finops@acme.example)");
}

#[test]
fn needs_without_rows_make_it_not_applicable() {
    let world = world(&[(2, "role-a", "model-x", "ok")], 0);
    let with = outcome(&judged(&world, &settings()).outcomes[0]);
    let without = outcome(&judged(&world, &Settings::default()).outcomes[0]);
    insta::assert_snapshot!(format!("{with}\n{without}"), @r"
    BT901 high not_applicable: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; the policy has no [[deny]] entries
    BT901 high not_applicable: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; no policy was given
    ");
}

#[test]
fn severity_is_the_policys_else_the_rows_else_the_rules() {
    let denied = |count: usize| vec![(2, "role-a", "model-y", "denied"); count];
    let severity = |count: usize, set: Option<Severity>| {
        let mut with = settings();
        with.rules.insert("BT902".to_owned(), Setting { severity: set, ..Setting::default() });
        judged(&world(&denied(count), 1), &with).worst()
    };
    assert_eq!(severity(3, None), Some(Severity::Medium));
    assert_eq!(severity(6, None), Some(Severity::Critical));
    assert_eq!(severity(6, Some(Severity::Low)), Some(Severity::Low));
}

#[test]
fn parameters_come_from_the_policy() {
    let world = world(&[(2, "role-a", "model-y", "denied")], 1);
    let mut with = settings();
    let set = toml::from_str("min_denied = 1").unwrap();
    with.rules.insert("BT902".to_owned(), Setting { parameters: set, ..Setting::default() });
    assert_eq!(judged(&world, &with).outcomes[1].violations, 1);
    assert_eq!(judged(&world, &settings()).outcomes[1].violations, 0);
}

#[test]
fn not_assessed_is_never_a_pass() {
    let world = world(
        &[(2, "lost", "model-y", "denied"), (2, "lost", "model-y", "denied"), (2, "lost", "m", "denied")],
        1,
    );
    let judgement = judged(&world, &settings());
    insta::assert_snapshot!(told(&judgement), @r"
    BT901 high judged: of 3 0 violations (0 events), 0 waived, 3 passed, 0 not assessed; -
    BT902 medium not_assessed: of 3 0 violations (0 events), 0 waived, 0 passed, 3 not assessed; no account is recorded
    medium BT902 not_assessed -/lost/- 3x e0 waiver -; no account is recorded
    ");
    assert!(judgement.has_not_assessed());
    assert_eq!(judgement.worst(), None);
}

#[test]
fn a_rule_that_cannot_be_run_is_not_assessed_and_stops_no_other() {
    let mut rules = samples();
    rules[0].sql = rules[0].sql.replace("activity = 'model_invocation'", "no_such_column = 1");
    let judgement = ran(&rules, &usual(), &settings()).unwrap();
    assert_eq!(judgement.outcomes[0].state, State::NotAssessed);
    assert!(judgement.outcomes[0].error.as_deref().unwrap().contains("no_such_column"));
    assert_eq!(judgement.findings[0].status, Verdict::NotAssessed);
    assert_eq!(judgement.outcomes.len(), 2);

    rules[0].sql = "SELECT 'pass' AS verdict FROM events WHERE model_id IN ($models)".to_owned();
    let reason = ran(&rules, &usual(), &settings()).unwrap().outcomes[0].reason.clone().unwrap();
    insta::assert_snapshot!(reason, @"the rule could not be run: it must return the columns verdict, account_id, aws_region, principal, subject, reason, expected, observed, event_time, event_id, outcome per event, or verdict, account_id, aws_region, principal, subject, reason, expected, observed, first_seen, last_seen, event_count, population, not_assessed_reason, sample_event_ids per group, not verdict");
}

#[test]
fn a_rule_cannot_waive_itself() {
    let mut rules = samples();
    rules[0].sql = rules[0].sql.replace("'violation' AS verdict", "'waived' AS verdict");
    let outcome = &ran(&rules, &usual(), &settings()).unwrap().outcomes[0];
    insta::assert_snapshot!(outcome.reason.as_deref().unwrap(), @"the rule could not be run: its column verdict: a rule does not waive; waivers do");
}

#[test]
fn policy_that_does_not_fit_is_refused() {
    let error = |change: fn(&mut Settings)| {
        let mut with = settings();
        change(&mut with);
        ran(&samples(), &usual(), &with).unwrap_err().to_string()
    };
    let said = [
        error(|with| drop(with.rules.insert("BT991".to_owned(), Setting::default()))),
        error(|with| {
            for name in ["BT901", "model-forbidden"] {
                with.rules.insert(name.to_owned(), Setting::default());
            }
        }),
        error(|with| {
            let parameters = toml::from_str("min_denied = 'many'").unwrap();
            with.rules.insert("BT902".to_owned(), Setting { parameters, ..Setting::default() });
        }),
        error(|with| with.waivers = vec![waiver("W1", &["BT9"], "true")]),
        error(|with| with.waivers = vec![waiver("W1", &["BT901"], "true) OR (true")]),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    policy, [rules]: there is no rule `BT991`; did you mean `BT901`? `rules list` shows all
    policy: rule BT901 is set twice, by code and by name; keep one
    policy, [rules.BT902]: parameter `min_denied` takes a whole number, not "many"
    policy, waiver W1: there is no rule `BT9`; `rules list` shows all
    policy, waiver W1: its condition cannot be used: `)` follows the condition
    "#);
}

#[test]
fn statements_are_all_that_is_run() {
    let mut with = settings();
    with.waivers = vec![waiver("W1", &["BT901"], "session_name = 'x'")];
    with.rules.insert("BT902".to_owned(), Setting { enabled: false, ..Setting::default() });
    let all = statements(&samples(), &with).unwrap();
    assert!(all.iter().any(|sql| sql.contains("session_name")));
    assert!(all.iter().any(|sql| sql.contains("IN ('model-x', 'it''s')")));
    assert!(all.iter().all(|sql| !sql.contains("denied")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the waivers, each event is judged once: the parts add up to the whole.
    #[test]
    fn every_event_is_judged_once(
        events in prop::collection::vec((0..6i64, 0..3usize, 0..2usize), 1..12),
        waivers in prop::collection::vec((0..4usize, 0..6i64, 0..6i64, any::<bool>()), 0..4),
    ) {
        let roles = ["role-a", "role-b", "lost"];
        let events: Vec<_> =
            events.into_iter().map(|(at, role, model)| (at, roles[role], ["model-x", "model-y"][model], "ok")).collect();
        let predicates = ["principal = 'role-a'", "account_id = '111122223333'", "model_id IS NOT NULL", "NULL"];
        let mut with = settings();
        with.waivers = waivers
            .into_iter()
            .enumerate()
            .map(|(at, (predicate, created, expires, retroactive))| Waiver {
                created: created * 1_000_000,
                expires: expires * 1_000_000,
                retroactive,
                ..waiver(&format!("W{at}"), &["BT901"], predicates[predicate])
            })
            .collect();
        let total = i64::try_from(events.len()).unwrap();
        let bad = i64::try_from(events.iter().filter(|event| event.2 == "model-x").count()).unwrap();
        let outcome = judged(&world(&events, 1), &with).outcomes.swap_remove(0);
        prop_assert_eq!(outcome.population, total);
        prop_assert_eq!(outcome.violating_events + outcome.waived, bad);
        prop_assert_eq!(outcome.passed, total - bad);
    }
}

#[test]
fn two_runs_tell_the_same() {
    let mut with = settings();
    with.waivers = vec![waiver("W1", &["BT901"], "principal = 'role-a'")];
    assert_eq!(judged(&usual(), &with), judged(&usual(), &with));
}

#[test]
fn silence_of_records_that_are_off_by_default_is_not_assessed() {
    let mut rules = samples();
    rules[1].silence = Some("no such record was read".to_owned());
    let judgement = ran(&rules, &usual(), &settings()).unwrap();
    insta::assert_snapshot!(outcome(&judgement.outcomes[1]), @"BT902 medium not_assessed: of 0 0 violations (0 events), 0 waived, 0 passed, 0 not assessed; no such record was read");
    // Without what it needs, the rule does not apply, whatever is recorded.
    rules[0].silence = Some("no such record was read".to_owned());
    let judgement = ran(&rules, &world(&[], 0), &settings()).unwrap();
    assert_eq!(judgement.outcomes[0].state, State::NotApplicable);
}
