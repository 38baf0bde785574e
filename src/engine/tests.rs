//! The session from outside: limits, tables, views, plans, errors and the functions that queries may use.

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::*;

mod answered;
mod build_side;
mod checked_sum;
mod coded;
mod dense;
mod json;
mod late_text;
mod shared;

fn engine() -> Engine {
    let mut engine = Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions: 2 }).unwrap();
    // The views shipped need more tables than there are here, and grow in number.
    engine.views.clear();
    engine
}

/// Rows as text: cells joined by `|`, null as `∅`.
fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let mut lines = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = columns.iter().map(|column| column.value(row).to_string()).collect();
            lines.push(cells.join("|"));
        }
    }
    lines
}

fn one(engine: &Engine, expression: &str) -> String {
    match engine.run(&format!("SELECT {expression} AS x")) {
        Ok(batches) => lines(&batches).join("\n"),
        Err(error) => error.to_string(),
    }
}

fn refused(engine: &Engine, sql: &str) -> String {
    engine.query(sql).err().map(|error| error.to_string()).unwrap_or_default()
}

fn events(rows: &[(&str, Option<&str>, i64)]) -> RecordBatch {
    let text: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringViewArray>());
    let models: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<StringViewArray>());
    let tokens: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>());
    RecordBatch::try_from_iter([("event_id", text), ("model_id", models), ("input_tokens", tokens)]).unwrap()
}

fn with_events(rows: &[(&str, Option<&str>, i64)]) -> Engine {
    let engine = engine();
    let schema = schema::schema(crate::event::column::COLUMNS);
    engine.register("events", &schema, rows.chunks(2).map(events).collect()).unwrap();
    engine
}

#[test]
fn base_tables_are_there_and_empty_answers_keep_their_columns() {
    let engine = engine();
    let batches = engine.run("SELECT event_id, event_time FROM events").unwrap();
    assert_eq!((batches.len(), batches[0].num_rows()), (1, 0));
    assert_eq!(batches[0].schema().field(0).name(), "event_id");
    assert_eq!(
        lines(&engine.run("SELECT COUNT(*) AS n FROM objects CROSS JOIN refusals CROSS JOIN run").unwrap()),
        ["0"]
    );
}

#[test]
fn columns_that_batches_lack_are_null_and_others_are_left_out() {
    let engine = with_events(&[("a", Some("m"), 1), ("b", None, 2), ("c", None, 3)]);
    let rows = engine.query("SELECT event_id, model_id, user_agent, event_time FROM events").unwrap();
    assert_eq!(lines(&rows.collect_all().unwrap()), ["a|m|∅|∅", "b|∅|∅|∅", "c|∅|∅|∅"]);
    let extra = Schema::new(vec![Field::new("input_tokens", DataType::Int64, true)]);
    engine.register("narrow", &Arc::new(extra), vec![events(&[("a", None, 7)])]).unwrap();
    assert_eq!(engine.run("SELECT input_tokens FROM narrow").unwrap()[0].num_columns(), 1);
}

#[test]
fn a_user_query_without_order_is_ordered_and_an_order_of_its_own_is_completed() {
    let engine =
        with_events(&[("b", Some("x"), 1), ("a", Some("x"), 1), ("c", None, 0), ("d", Some("y"), 1)]);
    let run = |sql: &str| lines(&engine.query(sql).unwrap().collect_all().unwrap());
    assert_eq!(run("SELECT model_id, event_id FROM events"), ["x|a", "x|b", "y|d", "∅|c"]);
    assert_eq!(run("SELECT event_id FROM events LIMIT 2"), ["a", "b"]);
    assert_eq!(run("SELECT event_id FROM events ORDER BY input_tokens DESC LIMIT 2"), ["a", "b"]);
    assert_eq!(run("SELECT event_id FROM events ORDER BY event_id DESC LIMIT 1"), ["d"]);
    assert_eq!(run("SELECT DISTINCT model_id FROM events"), ["x", "y", "∅"]);
    assert_eq!(run("SELECT model_id, COUNT(*) AS n FROM events GROUP BY model_id"), ["x|2", "y|1", "∅|1"]);
    assert_eq!(run("SELECT array_agg(event_id ORDER BY event_id) AS ids FROM events"), ["[a, b, c, d]"]);
    assert_eq!(run("SELECT 1 AS x UNION ALL SELECT 0 AS x"), ["0", "1"]);
}

#[test]
fn only_the_columns_a_query_reads_are_scanned() {
    let engine = engine();
    let scanned =
        |sql: &str| engine.columns_scanned(&[sql], "events").unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(scanned("SELECT model_id FROM events WHERE outcome = 'ok'"), ["model_id", "outcome"]);
    assert_eq!(scanned("SELECT COUNT(*) AS n FROM events"), Vec::<String>::new());
    assert_eq!(
        scanned(
            "SELECT reason FROM refusals WHERE log_object IN (SELECT log_object FROM events WHERE read_only)"
        ),
        ["log_object", "read_only"]
    );
    assert_eq!(
        scanned(
            "WITH e AS (SELECT * FROM events) SELECT a.client FROM e AS a JOIN e AS b ON a.principal = b.principal"
        ),
        ["client", "principal"]
    );
    let scans = engine.scans(&["SELECT state FROM objects", "SELECT region FROM ref_region"]).unwrap();
    assert_eq!(scans.keys().collect::<Vec<_>>(), ["objects", "ref_region"]);
}

#[test]
fn views_are_built_when_named_over_the_tables_of_that_moment() {
    let mut engine = engine();
    engine.views.insert("first", "-- meaning = \"ids\"\nSELECT event_id, input_tokens AS n FROM events");
    engine.views.insert("second", "SELECT event_id FROM first WHERE n > 1");
    let read = engine.columns_scanned(&["SELECT event_id FROM second"], "events").unwrap();
    assert_eq!(read.into_iter().collect::<Vec<_>>(), ["event_id", "input_tokens"]);
    engine
        .register(
            "events",
            &schema::schema(crate::event::column::COLUMNS),
            vec![events(&[("a", None, 1), ("b", None, 2)])],
        )
        .unwrap();
    assert_eq!(lines(&engine.run("SELECT event_id FROM second").unwrap()), ["b"]);
    let doc = engine.tables(Vec::new()).unwrap().into_iter().find(|doc| doc.name == "first").unwrap();
    assert_eq!(doc.meaning, "ids");
    assert_eq!(doc.columns[0].1, "text");
    assert!(doc.columns[0].2.contains("eventID"));
}

#[test]
fn several_threads_may_ask_for_the_same_view_at_once() {
    let mut engine = engine();
    engine.views.insert("first", "SELECT region FROM ref_region");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| engine.run("SELECT region FROM first").unwrap());
        }
    });
}

#[test]
fn a_view_on_itself_ends() {
    let mut engine = engine();
    engine.views.insert("round", "SELECT x FROM round");
    assert!(refused(&engine, "SELECT x FROM round").contains("the view round"));
}

#[test]
fn every_view_of_the_program_has_sorted_uses_that_exist() {
    let views: Vec<&str> = query_file::views().map(|file| file.stem).collect();
    for file in query_file::views() {
        let (header, _) = query_file::split_header(file.sql).unwrap();
        let uses = header.get("uses").and_then(toml::Value::as_array).into_iter().flatten();
        let uses: Vec<&str> = uses.map(|used| used.as_str().unwrap()).collect();
        assert!(uses.is_sorted(), "{} uses {uses:?}", file.stem);
        assert!(uses.iter().all(|used| views.contains(used)), "{} uses {uses:?}", file.stem);
    }
}

#[test]
fn every_relation_is_described() {
    let more = TableDoc { name: "policy_x".into(), meaning: "m".into(), columns: Vec::new() };
    let mut engine = engine();
    engine.views.clear();
    let docs = engine.tables(vec![more]).unwrap();
    let names: Vec<_> = docs.iter().map(|doc| doc.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "aliases",
            "coverage",
            "events",
            "history",
            "invocation_logs",
            "nearby_service_events",
            "objects",
            "policy_x",
            "ref_control",
            "ref_event",
            "ref_framework",
            "ref_model",
            "ref_price",
            "ref_profile_destination",
            "ref_region",
            "ref_technique",
            "refusals",
            "run"
        ]
    );
    let events = docs.iter().find(|doc| doc.name == "events").unwrap();
    let time = events.columns.iter().find(|column| column.0 == "event_time").unwrap();
    assert_eq!(time.1, "time");
}

#[test]
fn faults_are_told_with_their_place_and_a_way_out() {
    let engine = engine();
    let told: Vec<String> = [
        "SELECT modelid FROM events",
        "SELECT event_id\nFROM events AS e\nWHERE e.outcom = 'ok'",
        "SELECT xyz FROM refusals",
        "SELECT event_id\n  FROM evnts",
        "SELECT a FROM zzzzzzzzzz",
        "SELECT qqqqqqqqq FROM events",
        "SELECT event_id FROM events ORDER",
        "SELECT 'open FROM events",
        "SELECT lowr(event_id) AS x FROM events",
        "SELECT now() AS x",
        "SELECT event_id FROM events WHERE input_tokens",
        "SELECT regexp_like(input_tokens, 'x') AS x FROM events",
        "SELECT starts_with(input_tokens) AS x FROM events",
        "SELECT event_id FROM events AS a CROSS JOIN events AS b",
        "SELECT event_id, COUNT(*) AS n FROM events",
        "SELECT 1 AS x; SELECT 2 AS x",
        "DELETE FROM events",
        "",
    ]
    .into_iter()
    .map(|sql| refused(&engine, sql))
    .chain(
        ["1 / 0", "CAST('x' AS BIGINT)", "regexp_like('a', '(')", "json_extract_scalar('{}', 'a')"]
            .map(|expression| one(&engine, expression)),
    )
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    line 1, column 8: there is no column 'modelid' here; did you mean 'model_id'?
    line 3, column 7: there is no column 'e.outcom' here; did you mean 'outcome'?
    line 1, column 8: there is no column 'xyz' here; columns are log_object, log_index, reason
    line 2, column 8: there is no table 'evnts'; did you mean 'events'?
    line 1, column 15: there is no table 'zzzzzzzzzz'; tables are aliases, coverage, events, history, invocation_logs, nearby_service_events, objects, ref_control, ref_event, ref_framework, ref_model, ref_price, ref_profile_destination, ref_region, ref_technique, refusals, run
    line 1, column 8: there is no column 'qqqqqqqqq' here; columns are event_id, event_time, event_source, event_name, event_category, event_type, record_kind, read_only, aws_region, account_id, account_name, environment, surface, activity, outcome, error_code, error_message, gateway_status, principal, principal_type, principal_arn, principal_id, principal_account_id, role_arn, role_path_known, role_name, session_name, source_identity, user_name, person and 60 more
    line 1, column 29: expected end of statement, found ORDER
    line 1, column 8: unterminated string literal
    line 1, column 8: there is no function 'lowr'; did you mean 'lower'?
    line 1, column 8: there is no function 'now'; take the time from run.run_time
    cannot create filter with non-boolean predicate 'events.input_tokens' returning Int64
    regexp_like wants text, not Int64; CAST the argument AS VARCHAR
    function 'starts_with' expects 2 arguments but received 1
    line 1, column 8: the column 'event_id' stands in several tables; put the table's name or alias before it
    line 1, column 8: column in SELECT must be in GROUP BY or an aggregate function; either add 'events.event_id' to GROUP BY clause, or use an aggregate function like MIN(events.event_id)
    line 1, column 16: only one query can be run at a time; remove all after the first semicolon
    only SELECT can be run, not DELETE; the tables are never changed by SQL
    there is no query
    the query divides by zero; use NULLIF(x, 0) as the divisor
    cannot cast string 'x' to value of Int64 type
    '(' is no regular expression: regex parse error: ( ^ error: unclosed group
    json_extract_scalar: the path 'a' is wrong at a; paths look like $.a.b, $["a.b"] and $.a[0]
    "#);
}

#[test]
fn nothing_but_one_select_is_run() {
    let engine = engine();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.parquet");
    let target = target.display();
    for sql in [
        "CREATE TABLE t AS SELECT 1 AS x".to_owned(),
        "CREATE VIEW events AS SELECT 1 AS x".to_owned(),
        format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{target}'"),
        format!("COPY (SELECT 1 AS x) TO '{target}'"),
        "INSERT INTO events SELECT 1 AS x".to_owned(),
        "DELETE FROM events".to_owned(),
        "DROP TABLE events".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "SHOW TABLES".to_owned(),
        "EXPLAIN SELECT 1".to_owned(),
        "SELECT 1 AS x INTO t".to_owned(),
        "SELECT 1 AS x; SELECT 2 AS x".to_owned(),
        "SELECT 1 AS x; DROP TABLE events".to_owned(),
        "SELECT table_name FROM information_schema.tables".to_owned(),
        format!("SELECT x FROM '{target}'"),
        "WITH a AS (INSERT INTO events SELECT 1 AS x) SELECT x FROM a".to_owned(),
    ] {
        assert!(!refused(&engine, &sql).is_empty(), "{sql} was run");
        assert!(engine.run(&sql).is_err() && engine.scans(&[&sql]).is_err(), "{sql} was run");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(engine.query("SELECT 1 AS x;").is_ok());
}

#[test]
fn a_query_beyond_the_memory_limit_spills_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { memory: 1 << 20, spill_dir: Some(folder.path().join("spill")), partitions: 1 };
    let engine = Engine::new(limits).unwrap();
    let batch = |part: i64| {
        let numbers: ArrayRef =
            Arc::new(Int64Array::from_iter_values((0..8192).map(|row| (row * 7919 + part) % 200_003)));
        RecordBatch::try_from_iter([("n", numbers)]).unwrap()
    };
    let batches: Vec<_> = (0..40).map(batch).collect();
    engine.register("numbers", &batches[0].schema(), batches).unwrap();
    let mut spilled = false;
    let (mut rows, mut last) = (0, i64::MIN);
    for batch in engine.query("SELECT n, n * 2 AS m FROM numbers").unwrap() {
        let batch = batch.unwrap();
        spilled |= engine.context.runtime_env().spilling_progress().active_files_count > 0;
        for number in batch.column(0).as_primitive::<Int64Type>().values() {
            assert!(last <= *number);
            last = *number;
        }
        rows += batch.num_rows();
    }
    assert_eq!(rows, 40 * 8192);
    assert!(spilled, "the sort was to spill");
    drop(engine);
    assert_eq!(std::fs::read_dir(folder.path().join("spill")).unwrap().count(), 0);
}

#[test]
fn what_cannot_spill_is_joined_by_sorting_or_says_which_limit_to_raise() {
    let engine = Engine::new(Limits { memory: 8_000_000, spill_dir: None, partitions: 1 }).unwrap();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1_000_000));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let batches = (0..1000).map(|part| batch.slice(part * 1000, 1000)).collect();
    engine.register("numbers", &batch.schema(), batches).unwrap();
    let sql = "SELECT COUNT(*) AS n FROM numbers AS a LEFT JOIN numbers AS b ON a.n = b.n";
    let hashed = engine.stream(sql).and_then(Rows::collect_all).unwrap_err();
    assert!(matches!(hashed, Error::Resources(_)), "{hashed}");
    assert_eq!(lines(&engine.run(sql).unwrap()), ["1000000"]);
    let error = engine.run("SELECT array_agg(n) AS n FROM numbers").unwrap_err();
    assert!(matches!(error, Error::Resources(_)), "{error}");
    assert!(error.to_string().contains("--memory-limit"), "{error}");
}

#[test]
fn parquet_files_are_one_table_whatever_their_names_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("with [a] *space?%");
    std::fs::create_dir(&folder).unwrap();
    let mut files = Vec::new();
    for part in 0..3_i64 {
        let ids: ArrayRef =
            Arc::new(StringArray::from_iter_values((0..10).map(|row| format!("id-{part}-{row}"))));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..10).map(|row| part * 10 + row)));
        let mut columns = vec![("input_tokens", numbers), ("event_id", ids)];
        columns.truncate(if part == 2 { 1 } else { 2 });
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let path = folder.join(format!("part={part}"));
        let mut writer = ::parquet::arrow::ArrowWriter::try_new(
            std::fs::File::create(&path).unwrap(),
            batch.schema(),
            None,
        )
        .unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        files.push(path);
    }
    let engine = engine();
    engine.register_parquet("events", &files, &schema::schema(crate::event::column::COLUMNS)).unwrap();
    let rows =
        engine.query("SELECT event_id, input_tokens, client FROM events WHERE input_tokens >= 19").unwrap();
    assert_eq!(rows.schema().field(0).data_type(), &DataType::Utf8View);
    let lines = lines(&rows.collect_all().unwrap());
    assert_eq!((lines.len(), lines[0].as_str(), lines[1].as_str()), (11, "id-1-9|19|∅", "∅|20|∅"));
    let plan = engine.explain("SELECT event_id FROM events WHERE input_tokens >= 19").unwrap();
    assert!(plan.contains("pruning_predicate"), "{plan}");
    engine.register_parquet("events", &[], &schema::schema(crate::event::column::COLUMNS)).unwrap();
    assert_eq!(engine.run("SELECT event_id FROM events").unwrap()[0].num_rows(), 0);
}

#[test]
fn a_file_that_is_no_parquet_is_no_fault_of_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.parquet");
    std::fs::write(&file, "not parquet at all").unwrap();
    let engine = engine();
    engine.register_parquet("events", &[file], &schema::schema(crate::event::column::COLUMNS)).unwrap();
    let error = engine.run("SELECT event_id FROM events").unwrap_err();
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
}

#[test]
fn a_panic_of_the_query_engine_is_an_error() {
    let error = engine().run("SELECT first_value() OVER () AS x").unwrap_err();
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
}

#[test]
fn nulls_are_last_either_way() {
    let engine = with_events(&[("a", None, 1), ("b", Some("m"), 2)]);
    for order in ["", "DESC"] {
        let sql = format!("SELECT event_id FROM events ORDER BY model_id {order}");
        assert_eq!(lines(&engine.run(&sql).unwrap()), ["b", "a"]);
    }
}

/// What rules may use, each with what Trino answers.
#[test]
fn portable_functions_answer_as_trino_does() {
    let engine = engine();
    for (expression, expected) in [
        ("json_extract_scalar('{\"a\":{\"b\":1.0}}', '$.a.b')", "1.0"),
        ("json_extract_scalar('{\"a\":{}}', '$.a')", "∅"),
        ("json_extract_scalar(NULL, '$.a')", "∅"),
        ("json_extract_scalar(CAST('{\"a\":[1,\"x\"]}' AS VARCHAR), '$.a[1]')", "x"),
        ("regexp_like('role/a_b\nc', '\\A(?s:role/.*)\\z')", "true"),
        ("regexp_like('abc', 'b')", "true"),
        ("regexp_like(NULL, 'b')", "∅"),
        ("starts_with('claude-cli/2', 'claude')", "true"),
        ("strpos('abc', 'c')", "3"),
        ("strpos('abc', 'x')", "0"),
        ("split_part('a/b/c', '/', 2)", "b"),
        ("split_part('a/b/c', '/', 4)", "∅"),
        ("split_part('a', '/', 1)", "a"),
        ("substr('abcdef', 2, 3)", "bcd"),
        ("lower('ÄB') || upper('c')", "äbC"),
        ("length('äb')", "2"),
        ("trim('  a ')", "a"),
        ("replace('aXbX', 'X', '-')", "a-b-"),
        ("coalesce(NULL, 'a')", "a"),
        ("nullif('a', 'a')", "∅"),
        ("NULL IS DISTINCT FROM 'a'", "true"),
        ("TRY_CAST('x' AS BIGINT)", "∅"),
        ("7 / 2", "3"),
        ("7 % 4", "3"),
        ("date_trunc('hour', TIMESTAMP '2026-01-02 03:04:05')", "2026-01-02T03:00:00"),
        ("TIMESTAMP '2026-01-02 03:04:05' - INTERVAL '90' DAY", "2025-10-04T03:04:05"),
        ("CAST(TIMESTAMP '2026-01-02 03:04:05' AS DATE)", "2026-01-02"),
        ("EXTRACT(HOUR FROM TIMESTAMP '2026-01-02 03:04:05')", "3"),
        ("CASE WHEN 1 = 1 THEN 'y' ELSE 'n' END", "y"),
    ] {
        assert_eq!(one(&engine, expression), expected, "{expression}");
    }
    assert!(one(&engine, "split_part('a', '/', 0)").contains("from 1"));
}

#[test]
fn portable_aggregates_and_windows_answer_as_trino_does() {
    let rows = [("a", Some("x"), 1), ("b", Some("y"), 2), ("c", Some("x"), 3), ("d", None, 4)];
    let engine = with_events(&rows);
    for (expression, expected) in [
        ("array_join(array_agg(DISTINCT model_id ORDER BY model_id), ' ')", "x y"),
        ("array_join(array_agg(DISTINCT model_id ORDER BY model_id), ' ', '-')", "x y -"),
        ("array_join(array_agg(event_id ORDER BY input_tokens DESC), ',')", "d,c,b,a"),
        ("array_join(array_agg(event_id ORDER BY event_id) FILTER (WHERE model_id = 'z'), ' ')", "∅"),
        ("array_join(array_agg(model_id ORDER BY event_id) FILTER (WHERE model_id IS NULL), ' ')", ""),
        ("COUNT(*) FILTER (WHERE model_id = 'x')", "2"),
        ("COUNT(DISTINCT model_id)", "2"),
        ("SUM(input_tokens)", "10"),
        ("MIN(event_id) || MAX(event_id)", "ad"),
        ("AVG(input_tokens)", "2.5"),
        ("bool_or(model_id = 'x')", "true"),
        ("bool_and(model_id = 'x')", "false"),
    ] {
        let rows = engine.run(&format!("SELECT {expression} AS x FROM events"));
        assert_eq!(
            lines(&rows.unwrap_or_else(|error| panic!("{expression}: {error}"))),
            [expected],
            "{expression}"
        );
    }
    let sql = "SELECT event_id, row_number() OVER w AS n, lag(event_id) OVER w AS before,
        COUNT(*) OVER (PARTITION BY model_id ORDER BY input_tokens RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) AS near
        FROM events WINDOW w AS (ORDER BY event_id) ORDER BY event_id";
    assert_eq!(lines(&engine.run(sql).unwrap()), ["a|1|∅|1", "b|2|a|1", "c|3|b|2", "d|4|c|1"]);
}

#[test]
fn our_functions_take_every_kind_of_text() {
    let engine = engine();
    for kind in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    ] {
        let plain: ArrayRef = Arc::new(StringArray::from(vec![Some(r#"{"a":"x/y"}"#), None, Some("{}")]));
        let column = datafusion::arrow::compute::cast(&plain, &kind).unwrap();
        let batch = RecordBatch::try_from_iter([("t", column)]).unwrap();
        engine.register("texts", &batch.schema(), vec![batch]).unwrap();
        let sql = "SELECT json_extract_scalar(t, '$.a') AS a, regexp_like(t, 'x') AS b, split_part(t, '/', 1) AS c FROM texts";
        let rows = lines(&engine.run(sql).unwrap());
        assert_eq!(rows, ["x/y|true|{\"a\":\"x", "∅|∅|∅", "∅|false|{}"], "{kind}");
    }
}

#[test]
fn a_key_below_a_join_is_no_key_above_it() {
    let engine = engine();
    let count = |sql: &str| {
        let batches = engine.query(sql).unwrap().collect_all().unwrap();
        batches.iter().map(RecordBatch::num_rows).sum::<usize>()
    };
    // Three rows of one key, joined with three numbers.
    let base = "WITH u AS (SELECT DISTINCT k AS k FROM (VALUES ('a'), ('b')) AS t (k)), \
                x AS (SELECT u.k AS k, n.i AS i FROM u JOIN (VALUES (1), (2), (3)) AS n (i) ON n.i > 0 GROUP BY u.k, n.i)";
    assert_eq!(count(&format!("{base} SELECT DISTINCT k AS k FROM x ORDER BY k")), 2);
    assert_eq!(count(&format!("{base} SELECT k AS k FROM x GROUP BY k ORDER BY k")), 2);
    assert_eq!(count(&format!("{base} SELECT k AS k, i AS i FROM x GROUP BY k, i ORDER BY k, i")), 6);
    let counted =
        format!("{base}, y AS (SELECT k AS k, i AS i FROM x GROUP BY k, i) SELECT COUNT(*) AS n FROM y");
    let batches = engine.query(&counted).unwrap().collect_all().unwrap();
    let total = batches[0].column(0).as_primitive::<Int64Type>().value(0);
    assert_eq!(total, 6, "no group is lost");
}
