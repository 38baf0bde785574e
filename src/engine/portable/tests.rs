//! What passes, what does not, and that all of `queries` passes.

use datafusion::arrow::array::RecordBatch;

use super::*;
use crate::engine::{Engine, Limits};
use crate::query_file;

/// A rule of the shape that the shipped ones have.
const SAMPLE: &str = r#"-- title = "A sample"
-- columns = ["event_id", "event_time"]
WITH judged AS (
  SELECT e.account_id, e.principal, e.model_id AS subject, e.event_time, e.event_id,
         COALESCE(e.role_arn, e.principal) AS role,
         json_extract_scalar(e.request_parameters, '$.a.b') AS mode,
         COUNT(*) OVER (PARTITION BY e.principal ORDER BY e.event_time
                        RANGE BETWEEN INTERVAL '60' MINUTE PRECEDING AND CURRENT ROW) AS near
  FROM events AS e
  WHERE e.record_kind = 'api_call' AND e.activity IN ('model_invocation', 'batch')
    AND e.event_time >= TIMESTAMP '2026-01-01 00:00:00' - INTERVAL '90' DAY
    AND NOT EXISTS (SELECT 1 FROM refusals AS r WHERE r.log_object = e.log_object)
)
SELECT CASE WHEN near >= 20 THEN 'violation' ELSE 'pass' END AS verdict,
       account_id, principal, subject,
       MIN(event_time) AS first_seen,
       COUNT(*) FILTER (WHERE mode IS DISTINCT FROM 'x') AS event_count,
       CAST(date_trunc('day', MAX(event_time)) AS DATE) AS last_day,
       array_join(array_agg(DISTINCT event_id ORDER BY event_id), ' ') AS sample_event_ids
FROM judged
WHERE regexp_like(role, '\A(?s:.*)\z') AND subject LIKE 'anthropic.%' AND starts_with(role, 'arn:')
GROUP BY 1, account_id, principal, subject
UNION ALL
SELECT 'pass', NULL, NULL, NULL, NULL, 0, NULL, NULL
ORDER BY verdict, account_id, principal, subject
LIMIT 10
"#;

fn objections(sql: &str) -> String {
    let told =
        |objection: &Objection| format!("{}:{} {}", objection.line, objection.column, objection.message);
    check_portable(sql).iter().map(told).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_rule_as_they_are_written_passes_and_runs() {
    assert_eq!(objections(SAMPLE), "");
    let engine = Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions: 2 }).unwrap();
    assert_eq!(engine.run(SAMPLE).unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[test]
fn parameters_stand_for_values() {
    assert_eq!(
        objections("SELECT a FROM t WHERE b >= $least AND c IN ($names) AND d > e - INTERVAL '1' HOUR"),
        ""
    );
}

#[test]
fn everything_shipped_is_portable() {
    for file in query_file::views().chain(query_file::reports()).chain(query_file::rules()) {
        assert_eq!(objections(file.sql), "", "{}", file.stem);
    }
}

#[test]
fn what_matches_once_may_be_replaced_and_parts_cut_either_way() {
    for portable in [
        r"SELECT regexp_replace(a, '\Aarn:(x|y):', '') AS b, substr(a, 2) AS c, substring(a, 2, 3) AS d FROM t",
        r"SELECT regexp_replace(a, '\.+\z', '') AS b, substring(a FROM 2 FOR 3) AS c FROM t",
    ] {
        assert_eq!(objections(portable), "", "{portable}");
    }
    assert!(objections(r"SELECT regexp_replace(a, '\Aa|b', '') AS b FROM t").contains("begin with"));
}

#[test]
fn json_stands_only_where_json_is_taken() {
    for portable in [
        "SELECT json_format(json_extract(a, '$.b')) AS b, json_array_length(json_extract(a, '$.c')) AS c FROM t",
        "SELECT json_extract_scalar((json_array_get(json_extract(a, '$.b'), 0)), '$.c') AS b FROM t",
        "SELECT a FROM t WHERE json_extract(a, '$.b') IS NOT NULL AND json_array_get(a, 0) IS NULL",
    ] {
        assert_eq!(objections(portable), "", "{portable}");
    }
    for odd in [
        "SELECT json_extract(a, '$.b') AS b FROM t",
        "SELECT a FROM t WHERE json_array_get(a, 0) = 'x'",
        "SELECT json_extract(a, json_extract(b, '$')) IS NULL AS c FROM t",
    ] {
        assert!(objections(odd).contains("gives a value of type JSON in Trino"), "{odd}");
    }
    assert!(objections("SELECT json_format(a) AS b FROM t").contains("json_format takes"));
}

#[test]
fn every_function_on_the_list_exists_here() {
    let engine = Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions: 1 }).unwrap();
    for name in function::FUNCTIONS {
        let sql = format!("SELECT {name}() OVER () AS x");
        let told = engine.run(&sql).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(!told.contains("no function"), "{name}: {told}");
    }
}

#[test]
fn what_is_not_portable_is_told_with_its_place() {
    let told: Vec<String> = [
        "SELECT * FROM events",
        "SELECT e.* FROM events AS e",
        "SELECT a\n     , b::BIGINT AS c FROM t",
        "SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1",
        "SELECT date_bin(INTERVAL '5' MINUTE, a) AS b FROM t",
        "SELECT a AT TIME ZONE 'UTC' AS b FROM t",
        "SELECT now() AS a, current_timestamp AS b FROM t",
        "SELECT a FROM t WHERE a LIKE 'x!_y' ESCAPE '!'",
        "SELECT a FROM t WHERE a LIKE 'AWSReservedSSO_%'",
        "SELECT a FROM t WHERE a LIKE b",
        "SELECT a FROM t WHERE a ILIKE 'x'",
        "SELECT approx_distinct(a) AS b, any_value(a) AS c FROM t",
        "SELECT frobnicate(a) AS b FROM t",
        "SELECT regexp_replace(a, '[0-9]+', '') AS b, regexp_replace(a, c, '') AS d FROM t",
        "SELECT min_by(a, b) AS c, min_by(a, b, d) AS e FROM t",
        "SELECT a + 1 FROM t",
        "SELECT a FROM (SELECT MAX(b) FROM t) AS x",
        "SELECT a FROM t; SELECT b FROM t",
        "SELECT a FROM t LIMIT 5",
        "SELECT a FROM t ORDER BY a LIMIT 5 OFFSET 5",
        "SELECT array_agg(a) AS b FROM t",
        "SELECT lag(a) OVER () AS b FROM t",
        "SELECT COUNT(DISTINCT a) OVER (PARTITION BY b) AS c FROM t",
        "SELECT COUNT(*) FILTER (WHERE a > 1) OVER (PARTITION BY b) AS c FROM t",
        "SELECT CASE a WHEN 'x' THEN 1 END AS b FROM t",
        "SELECT CAST(a AS TEXT) AS b, CAST(a AS TIMESTAMP WITH TIME ZONE) AS c FROM t",
        "SELECT EXTRACT(DOW FROM a) AS b FROM t",
        "SELECT a FROM t WHERE b > c - INTERVAL '1 day' DAY",
        "SELECT a FROM t WHERE a ~ 'x'",
        "SELECT a FROM t WHERE a IS TRUE",
        "SELECT a FROM t LEFT SEMI JOIN u ON t.a = u.a",
        "SELECT a FROM t NATURAL JOIN u",
        "SELECT a FROM t CROSS JOIN UNNEST(b) AS u",
        "SELECT a[1] AS b FROM t",
        "SELECT DISTINCT ON (a) a FROM t",
        "SELECT a, FROM t",
        "SELECT `a` FROM t",
        "DELETE FROM t",
        "SELECT E'x' AS a FROM t WHERE b = ?",
        "WITH RECURSIVE r AS (SELECT 1 AS a) SELECT a FROM r",
        "",
    ]
    .into_iter()
    .map(objections)
    .inspect(|told| assert!(!told.is_empty()))
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    1:8 SELECT * changes with the table: name the columns
    1:8 SELECT * changes with the table: name the columns
    2:8 :: is not portable: write CAST(x AS type)
    1:1 QUALIFY is not portable: filter the window function in an outer SELECT
    1:8 the function date_bin is not portable: use date_trunc or a RANGE frame
    1:8 AT TIME ZONE is not portable: times are UTC without a zone
    1:8 the function now is not portable: take the time from the relation run
    1:20 the function current_timestamp is not portable: take the time from the relation run
    1:23 ESCAPE is not portable: use regexp_like or strpos
    1:23 LIKE with _ or a backslash does not mean what it seems: use starts_with, strpos or regexp_like
    1:23 LIKE with _ or a backslash does not mean what it seems: use starts_with, strpos or regexp_like
    1:23 LIKE takes a text written in the query: a value may hold _; use starts_with or regexp_like
    1:23 ILIKE is not portable: compare lower(x)
    1:8 the function approx_distinct is not portable: use COUNT(DISTINCT x)
    1:33 the function any_value is not portable: it gives another value in every run; use MIN
    1:8 the function frobnicate is not portable: functions are array_agg, array_join, avg, bool_and, bool_or, coalesce, count, date_add, date_trunc, day_of_week, dense_rank, first_value, floor, grouping, json_array_contains, json_array_get, json_array_length, json_extract, json_extract_scalar, json_format, json_size, lag, last_value, lead, length, lower, max, min, min_by, nullif, rank, regexp_extract, regexp_like, regexp_replace, replace, row_number, split_part, starts_with, strpos, substr, substring, sum, to_unixtime, trim, upper
    1:8 regexp_replace replaces every match in Trino and one in DataFusion: let the pattern begin with \A or end in \z
    1:46 regexp_replace replaces every match in Trino and one in DataFusion: let the pattern begin with \A or end in \z
    1:8 min_by is portable with a number as its third argument: min_by(x, y, 5)
    1:27 min_by is portable with a number as its third argument: min_by(x, y, 5)
    1:8 an expression needs a name: the engines make up different ones; add AS name
    1:23 an expression needs a name: the engines make up different ones; add AS name
    1:18 one query stands in one file: remove all after the first semicolon
    1:1 LIMIT without ORDER BY gives other rows in every run
    1:1 OFFSET and LIMIT BY are not portable: number the rows with row_number()
    1:8 array_agg without ORDER BY answers differently in every run: array_agg(x ORDER BY x)
    1:8 lag without ORDER BY answers differently in every run
    1:8 DISTINCT with OVER is not portable: group first
    1:8 FILTER with OVER is not portable: write COUNT(CASE WHEN … THEN 1 END) OVER (…)
    1:8 CASE x WHEN y is not portable: Trino fails on some; write CASE WHEN x = y
    1:13 the type TEXT is not portable; types are BIGINT, BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, TIMESTAMP, VARCHAR
    1:35 the type TIMESTAMP WITH TIME ZONE is not portable; types are BIGINT, BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, TIMESTAMP, VARCHAR
    1:25 EXTRACT is portable for YEAR, QUARTER, MONTH, DAY, HOUR and MINUTE only
    1:40 an interval is written INTERVAL '90' DAY: a quoted number and one unit
    1:23 the operator ~ is not portable
    1:23 IS TRUE, IS FALSE and IS UNKNOWN are not portable: write x, NOT x or x IS NULL, or COALESCE(x, false)
    1:32 this kind of join is not portable: use WHERE [NOT] EXISTS for semi and anti joins
    1:30 a join needs ON or USING, or is a CROSS JOIN
    1:28 only tables, subqueries and joins stand behind FROM
    1:8 this construct does not run alike on both engines
    1:1 DISTINCT ON is not portable
    1:16 expected an expression, found FROM
    1:8 expected an expression, found `
    0:0 only SELECT is allowed
    1:13 expected end of statement, found AS
    1:1 WITH RECURSIVE is not portable
    0:0 there is no query
    ");
}
