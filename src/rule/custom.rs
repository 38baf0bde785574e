//! The rules that a policy brings along: a condition in SQL, and what to say when it holds.
//!
//! The condition was checked when the policy was read: it is one expression over the columns of `events`. It looks at
//! calls (`record_kind = 'api_call'`) unless it asks for other records itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Visit, Visitor};

use super::condition;
use super::fold;
use super::header::{Kind, Rule};
use super::parameter;
use crate::event::column::COLUMNS;
use crate::finding::Severity;
use crate::policy::Custom;

/// What is read of every event that a rule of a policy judges.
const ALWAYS: &[&str] = &[
    "event_id",
    "event_time",
    "account_id",
    "aws_region",
    "principal",
    "event_name",
    "model_id",
    "outcome",
    "record_kind",
];

/// A rule as the runner takes it. `policy` is the policy's name, for the rule's page.
pub fn rule(custom: &Custom, policy: &str) -> Rule {
    let read = columns(custom);
    let scope = if read.contains("record_kind") { "TRUE" } else { "record_kind = 'api_call'" };
    let sql = if custom.group_by.is_empty() { single(custom, scope) } else { grouped(custom, scope) };
    let mut controls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for written in &custom.frameworks {
        let (framework, control) = written.split_once(':').unwrap_or(("policy", written));
        controls.entry(framework.trim().to_owned()).or_default().push(control.trim().to_owned());
    }
    let atlas = |id: &&String| id.starts_with("AML.");
    Rule {
        code: custom.id.clone(),
        name: kebab(&custom.title),
        title: custom.title.clone(),
        severity: custom.severity.parse().unwrap_or(Severity::Info),
        kind: if custom.group_by.is_empty() { Kind::Row } else { Kind::Window },
        // Not of the time before any policy was in force.
        needs: vec!["policy_version".to_owned()],
        columns: COLUMNS
            .iter()
            .map(|column| column.name)
            .filter(|name| ALWAYS.contains(name) || read.contains(*name))
            .map(str::to_owned)
            .collect(),
        controls,
        attack: custom.attack.iter().filter(|id| !atlas(id)).cloned().collect(),
        attack_old: Vec::new(),
        atlas: custom.attack.iter().filter(atlas).chain(&custom.atlas).cloned().collect(),
        why: format!("The policy {policy} asks for it."),
        fix: "Ask the owner of the policy what is to be done.".to_owned(),
        false_positives: "The policy names none.".to_owned(),
        silence: None,
        parameters: Vec::new(),
        grain: fold::grain(&sql),
        sql,
    }
}

/// `titan-image-models-are-not-approved` of a title.
pub(super) fn kebab(title: &str) -> String {
    let lower = title.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "custom".to_owned() } else { words.join("-") }
}

/// Text as a literal of SQL.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The columns of `events` that its expressions name.
fn columns(custom: &Custom) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl Visitor for Names {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let Expr::Identifier(name) = expression {
                self.0.insert(name.value.to_lowercase());
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(BTreeSet::new());
    for text in custom.having.iter().chain(&custom.group_by).chain([&custom.when]) {
        if let Ok(expression) = parameter::parser(text).and_then(|mut parser| parser.parse_expr()) {
            let _ = expression.visit(&mut names);
        }
    }
    names.0
}

/// One row for each event.
fn single(custom: &Custom, scope: &str) -> String {
    let Custom { when: written, title, .. } = custom;
    let when = condition::portable(written);
    format!(
        "SELECT
  CASE WHEN ({when}) THEN 'violation' WHEN NOT ({when}) THEN 'pass' ELSE 'not_assessed' END AS verdict,
  account_id,
  aws_region,
  principal,
  CAST(NULL AS VARCHAR) AS subject,
  CASE WHEN ({when}) IS NULL THEN 'the record lacks what the condition reads' ELSE {} END AS reason,
  {} AS expected,
  event_name || COALESCE(' ' || model_id, '') AS observed,
  event_time,
  event_id,
  outcome
FROM events
WHERE {scope}",
        quoted(title),
        quoted(&format!("no event with {written}")),
    )
}

/// One row for each group of events.
fn grouped(custom: &Custom, scope: &str) -> String {
    let Custom { when, title, group_by, .. } = custom;
    let is = |group: &String, column: &str| group.trim().eq_ignore_ascii_case(column);
    let place = |column: &str| group_by.iter().position(|group| is(group, column)).map(|at| at + 1);
    let keys: Vec<String> =
        group_by.iter().enumerate().map(|(at, group)| format!("{group} AS group_{},", at + 1)).collect();
    let subject: Vec<String> = (1..=group_by.len())
        .filter(|at| Some(*at) != place("principal") && Some(*at) != place("account_id"))
        .map(|at| format!("COALESCE(CAST(group_{at} AS VARCHAR), '-')"))
        .collect();
    let subject =
        if subject.is_empty() { "CAST(NULL AS VARCHAR)".to_owned() } else { subject.join(" || ' ' || ") };
    let account = place("account_id").map_or_else(
        || "CASE WHEN first_account = last_account THEN first_account END".to_owned(),
        |at| format!("group_{at}"),
    );
    let principal =
        place("principal").map_or_else(|| "CAST(NULL AS VARCHAR)".to_owned(), |at| format!("group_{at}"));
    let verdict = match custom.having.as_deref().map(condition::portable) {
        None => "'violation'".to_owned(),
        Some(having) => format!(
            "CASE WHEN ({having}) THEN 'violation' WHEN NOT ({having}) THEN 'pass' ELSE 'not_assessed' END"
        ),
    };
    let expected = match &custom.having {
        None => format!("no event with {when}"),
        Some(having) => format!("no {} with {having}, of events with {when}", group_by.join(", ")),
    };
    let when = condition::portable(when);
    format!(
        "WITH grouped AS (
  SELECT
    {keys}
    {verdict} AS verdict,
    MIN(account_id) AS first_account,
    MAX(account_id) AS last_account,
    MIN(aws_region) AS first_region,
    MAX(aws_region) AS last_region,
    MIN(event_time) AS first_seen,
    MAX(event_time) AS last_seen,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE outcome = 'ok') AS ok,
    COUNT(*) FILTER (WHERE outcome = 'denied') AS denied,
    min_by(event_id, CAST(event_time AS VARCHAR) || ' ' || event_id, 5) AS samples
  FROM events
  WHERE {scope} AND ({when})
  GROUP BY {groups}
),
total AS (
  SELECT
    COUNT(*) AS population,
    COUNT(*) FILTER (WHERE ({when}) IS NULL) AS unknown
  FROM events
  WHERE {scope} AND COALESCE(({when}), TRUE)
)
SELECT
  verdict AS verdict,
  {account} AS account_id,
  CASE WHEN first_region = last_region THEN first_region END AS aws_region,
  {principal} AS principal,
  {subject} AS subject,
  CASE WHEN verdict = 'violation' THEN {title} END AS reason,
  CASE WHEN verdict = 'violation' THEN {expected} END AS expected,
  CAST(events AS VARCHAR) || ' events (' || CAST(ok AS VARCHAR) || ' ok, ' || CAST(denied AS VARCHAR)
    || ' denied, ' || CAST(events - ok - denied AS VARCHAR) || ' other)' AS observed,
  first_seen AS first_seen,
  last_seen AS last_seen,
  events AS event_count,
  population AS population,
  CASE WHEN verdict = 'not_assessed' THEN 'the records lack what the condition on groups reads' END
    AS not_assessed_reason,
  array_join(samples, ' ') AS sample_event_ids
FROM grouped CROSS JOIN total
WHERE verdict <> 'pass'
UNION ALL
SELECT
  'pass', NULL, NULL, NULL, NULL, NULL, NULL, NULL, MIN(first_seen), MAX(last_seen),
  CAST(SUM(events) AS BIGINT), MAX(population), NULL, NULL
FROM grouped CROSS JOIN total
WHERE verdict = 'pass'
HAVING COUNT(*) > 0
UNION ALL
SELECT
  'not_assessed', NULL, NULL, NULL, 'unknown', NULL, NULL, NULL, NULL, NULL,
  unknown, population, 'the record lacks what the condition reads', NULL
FROM total
WHERE unknown > 0
ORDER BY
  verdict ASC NULLS LAST,
  account_id ASC NULLS LAST,
  principal ASC NULLS LAST,
  subject ASC NULLS LAST",
        keys = keys.join("\n    "),
        groups = group_by.join(", "),
        title = quoted(title),
        expected = quoted(&expected),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Limits};
    use crate::rule::Grain;

    fn custom(when: &str, group_by: &[&str], having: Option<&str>) -> Custom {
        Custom {
            id: "ACME001".to_owned(),
            title: "Titan's image models: not approved".to_owned(),
            severity: "medium",
            frameworks: vec![
                "SOC 2:CC6.1".to_owned(),
                "ISO/IEC 42001: A.9.4".to_owned(),
                "internal".to_owned(),
            ],
            attack: vec!["AML.T0040".to_owned(), "T1078.004".to_owned()],
            when: when.to_owned(),
            group_by: group_by.iter().map(|group| (*group).to_owned()).collect(),
            having: having.map(str::to_owned),
            ..Custom::default()
        }
    }

    #[test]
    fn a_rule_says_what_the_policy_says() {
        let rule = rule(&custom("model_id LIKE 'amazon.titan-image%'", &[], None), "acme");
        assert_eq!(rule.stem(), "ACME001-titan-s-image-models-not-approved");
        assert_eq!(rule.frameworks().unwrap(), "ISO/IEC 42001: A.9.4; SOC 2: CC6.1; policy: internal");
        assert_eq!((rule.attack.join(" "), rule.atlas.join(" ")), ("T1078.004".into(), "AML.T0040".into()));
        assert_eq!(
            (rule.kind, rule.severity, rule.grain),
            (Kind::Row, Severity::Medium, Grain::Event { severity: false })
        );
        assert!(
            rule.columns.contains(&"model_id".to_owned()) && !rule.columns.contains(&"tool_name".to_owned())
        );
    }

    #[test]
    fn what_is_made_of_it_can_be_run() {
        let engine = Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions: 1 }).unwrap();
        for (name, batch) in crate::policy::empty_relations() {
            engine.register(name, &batch.schema(), vec![batch]).unwrap();
        }
        for custom in [
            custom(
                "activity = 'model_invocation' AND json_extract_scalar(request_parameters, '$.a') = 'it''s'",
                &[],
                None,
            ),
            custom("record_kind = 'network_activity'", &[], None),
            custom("TRUE", &["principal"], None),
            custom(r"role_name LIKE 'a\_b%'", &["principal"], Some(r"MAX(model_id) NOT LIKE '%\_'")),
            custom(
                "activity IN ('model_invocation', 'discovery')",
                &["Principal", "CAST(date_trunc('day', event_time) AS DATE)", "lower(model_id)"],
                Some("COUNT(DISTINCT model_id) > 40"),
            ),
            custom("outcome = 'denied'", &["account_id"], Some("MAX(input_tokens) > 5")),
        ] {
            let rule = rule(&custom, "acme");
            let sql = rule.render(&BTreeMap::new()).unwrap();
            let columns = engine.run(&sql).unwrap_or_else(|error| panic!("{error}\n{sql}"))[0].schema();
            crate::rule::row::check(columns.fields().iter().map(|field| field.name().as_str())).unwrap();
            assert_eq!(rule.sql.contains("record_kind = 'api_call'"), !custom.when.contains("record_kind"));
        }
    }
}
