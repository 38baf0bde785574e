//! Tables without rows.

use super::*;

#[test]
fn a_table_without_rows_is_left_out_until_it_has_some() {
    let engine = with_events(&[("a", Some("x"), 1), ("b", Some("y"), 2)]);
    let history = schema::schema(crate::event::column::COLUMNS);
    engine.register("past", &history, Vec::new()).unwrap();
    let sql = "SELECT e.event_id AS id, p.event_id AS before FROM events AS e \
        LEFT JOIN past AS p ON p.model_id = e.model_id \
        UNION ALL SELECT event_id AS id, NULL AS before FROM past ORDER BY 1, 2";
    engine.scans(&[sql]).unwrap();
    let plan = engine.ready(sql).unwrap().display_indent().to_string();
    assert!(!plan.contains("Join") && !plan.contains("Union"), "{plan}");
    assert_eq!(lines(&engine.run(sql).unwrap()), ["a|∅", "b|∅"]);
    engine.register("past", &history, vec![events(&[("z", Some("y"), 0)])]).unwrap();
    assert!(engine.ready(sql).unwrap().display_indent().to_string().contains("Join"));
    assert_eq!(lines(&engine.run(sql).unwrap()), ["a|∅", "b|z", "z|∅"]);
    assert_eq!(lines(&engine.query(sql).unwrap().collect_all().unwrap()), ["a|∅", "b|z", "z|∅"]);
}
