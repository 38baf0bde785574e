use arrow::util::display::array_value_to_string;

use super::*;
use crate::engine::{Engine, Limits, check_portable};
use crate::rule::row::{self, ROW_COLUMNS};

/// A rule over the events of [`EVENTS`].
const RULE: &str = "WITH some AS (SELECT verdict, account_id, aws_region, principal, subject, reason, observed, \
     CAST(event_time AS TIMESTAMP) AS event_time, event_id, outcome, severity FROM EVENTS) \
     SELECT verdict AS verdict, account_id AS account_id, aws_region AS aws_region, principal AS principal, \
     subject AS subject, reason AS reason, 'nothing' AS expected, observed AS observed, event_time AS event_time, \
     event_id AS event_id, outcome AS outcome, severity AS severity FROM some";

fn engine(partitions: usize) -> Engine {
    Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions }).unwrap()
}

/// What [`RULE`] comes to over `verdict, account_id, aws_region, principal, subject, reason, observed, event_time,
/// event_id, outcome, severity` of each event, a row a line.
fn folded(events: &[&str], own: bool, partitions: usize) -> String {
    let rows: Vec<String> = events.iter().map(|event| format!("({event})")).collect();
    let names = "verdict, account_id, aws_region, principal, subject, reason, observed, event_time, event_id, outcome, severity";
    let sql = RULE.replace("EVENTS", &format!("(VALUES {}) AS t({names})", rows.join(", ")));
    let sql = if own { sql } else { sql.replace(", severity AS severity", "") };
    assert_eq!(grain(&sql), Grain::Event { severity: own });
    let batches = engine(partitions)
        .run(&wrap(query(&sql).unwrap(), own, Severity::Medium, false, None).unwrap())
        .unwrap();
    row::check(batches[0].schema().fields().iter().map(|field| field.name().as_str())).unwrap();
    let mut lines = Vec::new();
    for batch in &batches {
        row::read(batch).unwrap();
        for at in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| array_value_to_string(column, at).unwrap());
            lines.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    lines.join("\n")
}

#[test]
fn events_become_groups() {
    let events = [
        // What passed is one row, whoever it was; a Region, subject or severity of it means nothing.
        "'pass', '1', 'eu-west-1', 'ann', 's', 'r', 'o', '2026-01-01T00:00:09', 'e09', 'ok', 'high'",
        "'pass', '2', 'eu-west-2', 'bob', 't', NULL, 'o', '2026-01-01T00:00:03', 'e03', 'denied', NULL",
        // Two Regions, two reasons, two observations; the first text and the last.
        "'violation', '1', 'eu-west-1', 'ann', 's', 'late', 'x', '2026-01-01T00:00:05', 'e05', 'ok', 'low'",
        "'violation', '1', 'eu-west-2', 'ann', 's', 'early', 'y', '2026-01-01T00:00:04', 'e04', 'failed', 'critical'",
        "'violation', '1', NULL, 'ann', 's', 'late', 'w', '2026-01-01T00:00:07', 'e07', 'denied', 'info'",
        // Another subject; one Region.
        "'violation', '1', 'eu-west-1', 'ann', 't', 'late', 'x', '2026-01-01T00:00:06', 'e06', NULL, 'low'",
        // No account and no principal; no severity of its own.
        "'violation', NULL, NULL, NULL, 't', 'late', 'x', '2026-01-01T00:00:08', NULL, 'ok', NULL",
        // The reason of what is not assessed is elsewhere.
        "'not_assessed', '1', 'eu-west-1', 'ann', 's', 'unknown', 'x', '2026-01-01T00:00:01', 'e01', 'ok', 'high'",
    ];
    let expected = "\
not_assessed|1|eu-west-1|ann|s|||x (1 ok, 0 denied, 0 other)|2026-01-01T00:00:01|2026-01-01T00:00:01|1|8|unknown|e01|
pass||||||||2026-01-01T00:00:03|2026-01-01T00:00:09|2|8|||
violation|1||ann|s|early; late|nothing|w; y (1 ok, 1 denied, 1 other)|2026-01-01T00:00:04|2026-01-01T00:00:07|3|8||e04 e05 e07|critical
violation|1|eu-west-1|ann|t|late|nothing|x (0 ok, 0 denied, 1 other)|2026-01-01T00:00:06|2026-01-01T00:00:06|1|8||e06|low
violation||||t|late|nothing|x (1 ok, 0 denied, 0 other)|2026-01-01T00:00:08|2026-01-01T00:00:08|1|8|||medium";
    for partitions in [1, 3] {
        assert_eq!(folded(&events, true, partitions), expected, "{partitions} partitions");
    }
    let reversed: Vec<&str> = events.iter().rev().copied().collect();
    assert_eq!(folded(&reversed, true, 2), expected, "the order of the events does not matter");
}

#[test]
fn rows_without_a_severity_have_the_rules() {
    let event =
        "'violation', '1', 'eu-west-1', 'ann', 's', 'r', 'o', '2026-01-01T00:00:00', 'e1', 'ok', 'low'";
    assert!(folded(&[event], false, 1).ends_with("|e1|medium"));
    assert!(folded(&[event], true, 1).ends_with("|e1|low"));
}

#[test]
fn the_five_earliest_events_are_the_sample() {
    let event = |time: &str, id: &str| {
        format!("'violation', '1', 'r', 'ann', 's', 'r', 'o', '2026-01-01T{time}', '{id}', 'ok', 'low'")
    };
    let events = [
        event("00:00:09", "a"),
        event("00:00:02", "z"),
        event("00:00:02.5", "m"),
        event("00:00:02.250", "n"),
        event("00:00:02.250001", "b"),
        event("00:00:01", "k"),
        event("00:00:01", "c"),
        event("00:00:08", "d"),
    ];
    let told = folded(&events.each_ref().map(String::as_str), true, 2);
    assert!(told.contains("|8|8||c k z n b|low"), "{told}");
}

#[test]
fn nothing_judged_is_no_row() {
    let sql = RULE.replace("EVENTS", "(VALUES ('pass', '1', '1', '1', '1', '1', '1', '2026-01-01', '1', '1', '1')) AS t(verdict, \
        account_id, aws_region, principal, subject, reason, observed, event_time, event_id, outcome, severity) WHERE event_id = '2'");
    let batches =
        engine(1).run(&wrap(query(&sql).unwrap(), true, Severity::Low, false, None).unwrap()).unwrap();
    assert_eq!(batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 0);
}

#[test]
fn the_form_is_told_by_the_columns() {
    let select = |names: &[&str]| {
        let items: Vec<String> = names.iter().map(|name| format!("'x' AS {name}")).collect();
        format!("SELECT {}", items.join(", "))
    };
    let event = select(&EVENT_COLUMNS);
    assert_eq!(grain(&event), Grain::Event { severity: true });
    assert_eq!(grain(&select(&EVENT_COLUMNS[..11])), Grain::Event { severity: false });
    assert_eq!(
        grain(&format!("WITH a AS (SELECT 1 AS b) {event} UNION ALL {event}")),
        Grain::Event { severity: true }
    );
    assert_eq!(
        grain(&event.replace("'x' AS outcome", "outcome").replace("'x' AS event_id", "e.event_id")),
        Grain::Event { severity: true }
    );
    assert_eq!(grain(&select(&ROW_COLUMNS)), Grain::Group);
    assert_eq!(grain(&select(&EVENT_COLUMNS[..10])), Grain::Group);
    assert_eq!(grain("no SQL"), Grain::Group);
}

#[test]
fn text_and_names_of_the_rule_survive() {
    let sql = "WITH judged AS (SELECT 'it''s \\' AS reason), folded AS (SELECT reason AS reason FROM judged) SELECT 'violation' AS verdict, \
         'a' AS account_id, 'b' AS aws_region, 'c' AS principal, 'd' AS subject, reason AS reason, '' AS expected, '$x' AS observed, \
         TIMESTAMP '2026-01-01 00:00:00' AS event_time, 'e' AS event_id, 'ok' AS outcome FROM folded";
    let folded = wrap(query(sql).unwrap(), false, Severity::Info, false, None).unwrap();
    assert_eq!(check_portable(&folded), []);
    let batches = engine(1).run(&folded).unwrap();
    let cell = |index: usize| array_value_to_string(batches[0].column(index), 0).unwrap();
    assert_eq!(
        (cell(5), cell(6), cell(7)),
        ("it's \\".to_owned(), String::new(), "$x (1 ok, 0 denied, 0 other)".to_owned())
    );
}

#[test]
fn every_rule_shipped_is_portable_and_returns_its_columns() {
    let engine = engine(1);
    let findings = crate::finding::findings_batch(&[]).unwrap();
    for (name, batch) in crate::policy::empty_relations().into_iter().chain([("findings", findings)]) {
        engine.register(name, &batch.schema(), vec![batch]).unwrap();
    }
    for rule in crate::rule::catalogue().unwrap() {
        let sql = rule.render(&std::collections::BTreeMap::new()).unwrap();
        assert_eq!(check_portable(&sql), [], "{}", rule.code);
        let rows = engine.stream(&sql).unwrap_or_else(|error| panic!("{}: {error}", rule.code));
        row::check(rows.schema().fields().iter().map(|field| field.name().as_str()))
            .unwrap_or_else(|error| panic!("{}: {error}", rule.code));
    }
}

#[test]
fn a_rule_can_be_asked_as_a_query() {
    let engine = engine(2);
    for (name, batch) in crate::policy::empty_relations() {
        engine.register(name, &batch.schema(), vec![batch]).unwrap();
    }
    // Constant columns on both sides of a UNION, in an order by all of them.
    let rule = crate::rule::find(crate::rule::catalogue().unwrap(), "BT097").unwrap();
    let sql = rule.render(&std::collections::BTreeMap::new()).unwrap();
    engine.query(&sql).unwrap().collect_all().unwrap();
}
