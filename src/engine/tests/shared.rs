//! Parts that a query names several times.

use super::*;
use crate::engine::part::worthwhile;

fn chosen(sql: &str) -> Vec<String> {
    chosen_of(sql, false)
}

fn chosen_of(sql: &str, stood_on: bool) -> Vec<String> {
    let query = crate::engine::plan::query_of(sql).unwrap();
    let parts = &query.with.as_ref().unwrap().cte_tables;
    worthwhile(&query, stood_on).into_iter().map(|place| parts[place].alias.name.value.clone()).collect()
}

#[test]
fn parts_named_several_times_are_shared_where_they_have_few_rows() {
    let grouped = "g AS (SELECT model_id AS m, COUNT(*) AS n FROM events GROUP BY model_id)";
    let twice = "SELECT a.n AS n FROM g AS a JOIN g AS b ON a.m = b.m";
    assert_eq!(chosen(&format!("WITH {grouped} {twice}")), ["g"]);
    assert!(chosen(&format!("WITH {grouped} SELECT n FROM g")).is_empty());
    // Every event's row, or the program's own: nothing to gain, or too much to hold.
    assert!(chosen(&format!("WITH g AS (SELECT model_id AS m, 1 AS n FROM events) {twice}")).is_empty());
    assert!(chosen(&format!("WITH g AS (SELECT model_id AS m, 1 AS n FROM ref_model) {twice}")).is_empty());
    // What stands on groups has few rows, too; of a chain only what is named several times is a table.
    let chain = "h AS (SELECT m AS m, n AS n FROM g WHERE n > 1), i AS (SELECT DISTINCT m AS m FROM h)";
    assert_eq!(chosen(&format!("WITH {grouped}, {chain} SELECT h.n AS n FROM h JOIN i ON h.m = i.m")), ["h"]);
    // A part is put in as often as what names it.
    let wide = "w AS (SELECT e.event_id AS event_id, g.n AS n FROM events AS e JOIN g ON g.m = e.model_id)";
    assert_eq!(
        chosen(&format!("WITH {grouped}, {wide} SELECT 1 AS x FROM w AS a JOIN w AS b ON a.n = b.n")),
        ["g"]
    );
}

#[test]
fn a_shared_part_is_answered_anew_for_other_rows_and_reads_what_it_needs() {
    let sql = "WITH g AS (SELECT model_id AS m, MAX(input_tokens) AS n FROM events GROUP BY model_id) \
        SELECT a.m AS m, b.n AS n FROM g AS a JOIN g AS b ON a.m = b.m ORDER BY 1";
    let engine = with_events(&[("a", Some("x"), 1), ("b", Some("y"), 2), ("c", Some("y"), 3)]);
    let scans = engine.scans(&[sql]).unwrap();
    assert_eq!(scans.keys().collect::<Vec<_>>(), ["events"]);
    assert_eq!(scans["events"].iter().collect::<Vec<_>>(), ["input_tokens", "model_id"]);
    assert_eq!(lines(&engine.run(sql).unwrap()), ["x|1", "y|3"]);
    let schema = schema::schema(crate::event::column::COLUMNS);
    engine.register("events", &schema, vec![events(&[("d", Some("x"), 9)])]).unwrap();
    assert_eq!(lines(&engine.run(sql).unwrap()), ["x|9"]);
    assert!(engine.names().iter().all(|name| !name.contains("shared")));
}

/// How many relations of a plan are shared parts.
fn shared_scans(engine: &Engine, sql: &str) -> usize {
    engine
        .plan_sharing(sql)
        .unwrap()
        .display_indent()
        .to_string()
        .matches("TableScan: bedtrail_shared_")
        .count()
}

#[test]
fn parts_within_the_first_part_are_shared_as_well() {
    let engine = with_events(&[("a", Some("x"), 1), ("b", Some("y"), 2), ("c", Some("y"), 3)]);
    let inner = "WITH g AS (SELECT model_id AS m, MAX(input_tokens) AS n FROM events GROUP BY model_id) \
        SELECT a.m AS m, b.n AS n FROM g AS a JOIN g AS b ON a.m = b.m";
    let rule = format!(
        "WITH judged AS ({inner}), folded AS (SELECT m AS m, n AS n FROM judged WHERE n > 1) \
        SELECT m AS m, n AS n FROM folded ORDER BY 1"
    );
    assert_eq!(shared_scans(&engine, &rule), 2);
    assert_eq!(lines(&engine.run(&rule).unwrap()), ["y|3"]);
    // A later part may name an earlier one: its own are left where they are.
    let later =
        format!("WITH o AS (SELECT 1 AS p), judged AS ({inner}) SELECT o.p AS p FROM judged CROSS JOIN o");
    assert_eq!(shared_scans(&engine, &later), 0);
}

#[test]
fn of_what_others_stand_on_the_last_part_of_few_rows_is_shared() {
    let parts = "g AS (SELECT model_id AS m, COUNT(*) AS n FROM events GROUP BY model_id), \
        h AS (SELECT m AS m, MAX(n) AS n FROM g GROUP BY m)";
    let last = format!("WITH {parts} SELECT h.n AS n FROM events AS e JOIN h ON h.m = e.model_id");
    assert!(chosen(&last).is_empty());
    assert_eq!(chosen_of(&last, true), ["h"]);
    // A part that nobody names is none.
    assert!(chosen_of(&format!("WITH {parts} SELECT 1 AS n"), true).is_empty());
}

#[test]
fn a_part_too_large_for_memory_is_held_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { memory: 2 << 10, spill_dir: Some(folder.path().to_owned()), partitions: 1 };
    let engine = Engine::new(Limits { memory: 64 << 20, ..limits.clone() }).unwrap();
    let schema = schema::schema(crate::event::column::COLUMNS);
    let ids: Vec<String> = (0..500).map(|n| format!("event-{n:03}")).collect();
    let rows: Vec<(&str, Option<&str>, i64)> = ids
        .iter()
        .zip(0..)
        .map(|(id, n)| (id.as_str(), Some(if n % 2 == 0 { "x" } else { "y" }), n))
        .collect();
    engine.register("events", &schema, vec![events(&rows)]).unwrap();
    let sql = "WITH g AS (SELECT event_id AS id, model_id AS m, MAX(input_tokens) AS n FROM events GROUP BY 1, 2) \
        SELECT a.m AS m, SUM(b.n) AS n, COUNT(*) AS c FROM g AS a JOIN g AS b ON a.id = b.id WHERE b.n > 9 GROUP BY a.m \
        ORDER BY 1";
    let files = || {
        std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_file())
            .count()
    };
    assert_eq!(lines(&engine.run(sql).unwrap()), ["x|62230|245", "y|62475|245"]);
    assert_eq!(files(), 0, "it fits");
    let small = Engine { limits, ..engine };
    assert_eq!(lines(&small.run(sql).unwrap()), ["x|62230|245", "y|62475|245"]);
    assert_eq!(files(), 0, "the file goes with the query");
    let rows = small.stream(sql).unwrap();
    assert_eq!(files(), 1, "it is there while rows are read");
    assert_eq!(lines(&rows.collect_all().unwrap()), ["x|62230|245", "y|62475|245"]);
    assert_eq!(files(), 0);
    // A plan that is kept gives it up as well.
    assert_eq!(small.scans(&[sql]).unwrap().len(), 1);
    assert_eq!(lines(&small.run(sql).unwrap()), ["x|62230|245", "y|62475|245"]);
    assert_eq!(files(), 0);
}
