//! Sums of a user's query are exact, or an error.

use super::*;

fn asked(engine: &Engine, sql: &str) -> String {
    let told = |batches: Result<Vec<RecordBatch>>| match batches {
        Ok(batches) => lines(&batches).join("\n"),
        Err(error) => error.to_string(),
    };
    let streamed = told(engine.query(sql).and_then(Rows::collect_all));
    // What the command asks.
    let read = engine.query_answer(sql).map(|answer| answer.batches().map(|batch| batch.unwrap()).collect());
    assert_eq!(told(read), streamed, "{sql}");
    streamed
}

#[test]
fn a_sum_beyond_64_bits_is_an_error_that_says_what_to_write() {
    const MOST: i64 = i64::MAX;
    let engine =
        with_events(&[("a", Some("m"), MOST), ("b", Some("m"), 1), ("c", Some("n"), 2), ("d", None, 3)]);
    let error = asked(&engine, "SELECT SUM(input_tokens) AS x FROM events");
    assert!(error.contains("a sum goes beyond 9223372036854775807"), "{error}");
    assert!(error.contains("DECIMAL(38, 0)"), "{error}");
    for sql in [
        "SELECT model_id, SUM(input_tokens) FROM events GROUP BY model_id",
        "SELECT 2 * SUM(input_tokens) AS x FROM events HAVING SUM(input_tokens) > 0",
        "SELECT SUM(DISTINCT input_tokens) AS x FROM events",
        "SELECT SUM(input_tokens) FILTER (WHERE model_id = 'm') AS x FROM events",
        "SELECT event_id, SUM(input_tokens) OVER (ORDER BY event_id) AS x FROM events",
        "SELECT event_id FROM events WHERE input_tokens < (SELECT SUM(input_tokens) FROM events)",
        "WITH s AS (SELECT SUM(input_tokens) AS x FROM events) SELECT x FROM s UNION ALL SELECT 1 AS x",
    ] {
        let error = asked(&engine, sql);
        assert!(error.contains("a sum goes beyond"), "{sql}: {error}");
    }
    // What it says to write.
    let wide = "SELECT SUM(CAST(input_tokens AS DECIMAL(38, 0))) AS x FROM events";
    assert_eq!(asked(&engine, wide), "9223372036854775813");
}

#[test]
fn sums_that_fit_are_what_they_were_and_of_the_type_they_had() {
    let engine = with_events(&[
        ("a", Some("m"), i64::MIN),
        ("b", Some("m"), i64::MAX),
        ("c", Some("n"), 5),
        ("d", None, 3),
    ]);
    let same =
        |sql: &str| assert_eq!(asked(&engine, sql), lines(&engine.run(sql).unwrap()).join("\n"), "{sql}");
    same(
        "SELECT model_id, SUM(input_tokens) AS x, COUNT(*) AS n FROM events GROUP BY model_id ORDER BY model_id",
    );
    same(
        "SELECT SUM(input_tokens) AS x, SUM(input_tokens) + 1 AS y, arrow_typeof(SUM(input_tokens)) AS t FROM events",
    );
    same("SELECT SUM(input_tokens) AS x FROM events WHERE event_id = 'none'");
    same(
        "SELECT SUM(CAST(input_tokens AS DOUBLE)) AS x, SUM(2) AS y FROM events WHERE input_tokens BETWEEN 1 AND 9",
    );
    same(
        "SELECT event_id, SUM(input_tokens) OVER (PARTITION BY model_id) AS x, input_tokens FROM events ORDER BY event_id",
    );
    same(
        "SELECT model_id, GROUPING(model_id) AS g, SUM(input_tokens) AS x, GROUPING(event_id) + SUM(input_tokens) AS y FROM events \
         WHERE input_tokens BETWEEN 1 AND 9 GROUP BY GROUPING SETS ((model_id), (event_id, model_id), ()) ORDER BY 1, 2, 3, 4",
    );
    same(
        "SELECT SUM(input_tokens) AS x FROM events WHERE input_tokens < 9 AND input_tokens > 0 GROUP BY ROLLUP (model_id) ORDER BY 1",
    );
    same(
        "SELECT model_id, SUM(SUM(input_tokens)) OVER () AS x FROM events WHERE input_tokens < 9 AND input_tokens > 0 GROUP BY model_id ORDER BY 1",
    );
}
