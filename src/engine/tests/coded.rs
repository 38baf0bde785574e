//! Columns of files that are held in codes.

use std::path::{Path, PathBuf};

use datafusion::arrow::array::{BooleanArray, TimestampMicrosecondArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;

use super::*;

/// Files of events: texts that repeat, ids, numbers, times and a text that does not repeat; the last file lacks some.
fn files(folder: &Path) -> Vec<PathBuf> {
    let written = |part: u128| {
        let rows = 3000 + part * 500;
        let places = || 0..i64::try_from(rows).unwrap();
        let text = |make: &dyn Fn(u128) -> Option<String>| {
            Arc::new((0..rows).map(make).collect::<StringViewArray>()) as ArrayRef
        };
        let id = |n: u128| format!("{:08x}-0000-4000-8000-{:012x}", part * 7919 + n, n * n);
        let numbers: ArrayRef = Arc::new(
            places()
                .map(|n| (n % 3 > 0).then_some(n * if part == 1 { 1 << 40 } else { 1 }))
                .collect::<Int64Array>(),
        );
        let times: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from_iter_values(places().map(|n| n * 1_000_003)));
        let streaming: ArrayRef =
            Arc::new((0..rows).map(|n| (n % 5 > 0).then_some(n % 2 == 0)).collect::<BooleanArray>());
        let mut columns = vec![
            ("event_id", text(&|n| Some(id(n)))),
            ("event_time", times),
            (
                "event_name",
                text(&|n| {
                    Some(if n % 700 == 3 {
                        "DeleteGuardrail".to_owned()
                    } else {
                        format!("Converse{}", n % 4)
                    })
                }),
            ),
            (
                "principal",
                text(&|n| {
                    (n % 11 > 0).then(|| format!("arn:aws:iam::111122223333:role/role-{}", n % 300 + part))
                }),
            ),
            ("model_id", text(&|n| (part < 2 || n % 2 == 0).then(|| format!("m{}", n % 7)))),
            (
                "request_id",
                text(&|n| match n % 900 {
                    0 => None,
                    1 if part == 1 => Some("ABC 1".to_owned()),
                    _ => Some(id(n + 1)),
                }),
            ),
            (
                "request_parameters",
                text(&|n| {
                    (n % 13 > 0).then(|| format!("{{\"n\":{n},\"part\":{part},\"of\":\"{}\"}}", id(n)))
                }),
            ),
            ("input_tokens", numbers),
            ("streaming", streaming),
        ];
        columns.truncate(if part == 3 { 6 } else { columns.len() });
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        )
        .unwrap();
        let path = folder.join(format!("part-{part}.parquet"));
        let plain = |name: &str| datafusion::parquet::schema::types::ColumnPath::from(name);
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(1024))
            .set_column_dictionary_enabled(plain("event_id"), false)
            .set_column_dictionary_enabled(plain("request_id"), part == 2)
            .build();
        let mut writer =
            ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), Some(properties))
                .unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    };
    (0..4).map(written).collect()
}

/// An engine over the files, which holds so many bytes of their columns.
fn over(files: &[PathBuf], held: usize) -> Engine {
    let engine = engine();
    engine.room.open(held);
    engine.register_parquet("events", files, &schema::schema(crate::event::column::COLUMNS)).unwrap();
    engine
}

const ALL: &str = "event_id AS event_id, event_time AS event_time, event_name AS event_name, principal AS principal, \
     model_id AS model_id, request_id AS request_id, input_tokens AS input_tokens, streaming AS streaming, client AS client";

const CONDITIONS: &[&str] = &[
    "event_name = 'Converse1'",
    "event_name <> 'Converse1' AND principal IS NULL",
    "principal LIKE '%role-1_' OR principal IS NULL",
    "COALESCE(principal, 'nobody') = 'nobody' AND input_tokens > 100",
    "event_name = 'DeleteGuardrail'",
    "event_name = 'DeleteGuardrail' AND model_id IN ('m1', 'm2') AND streaming",
    "model_id IS NULL",
    "model_id = 'no such model'",
    "client IS NULL AND model_id = 'm3'",
    "client = 'x'",
    "request_id = 'ABC 1'",
    "request_id IS NULL AND event_name = 'Converse0'",
    "regexp_like(principal, 'role-(7|8)$') AND event_time > TIMESTAMP '1970-01-01 00:30:00'",
    "model_id = (SELECT MIN(model_id) AS m FROM events)",
    "model_id = principal",
    "principal = event_name OR model_id = 'm6'",
    "TRUE",
    // What an improvement of the plan makes null or false.
    "event_name IN (NULL)",
    "event_name NOT IN (NULL)",
    "event_name NOT IN ('Converse1', NULL)",
    "NOT (event_name IN (NULL))",
    "COALESCE(principal, 'x') IN (NULL)",
    "event_name IN (NULL) AND model_id = 'm1'",
    "event_name = 'Converse1' AND event_name = 'Converse2'",
    "(event_name = 'Converse1') IS NOT TRUE",
    // What fails for some values fails, or does not, as it does over the files.
    "event_name = 'DeleteGuardrail' AND CAST(model_id AS BIGINT) = 1",
    "model_id = 'no such model' AND CAST(principal AS BIGINT) = 1",
];

#[test]
fn rows_from_codes_are_the_rows_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let (read, held) = (over(&files, 0), over(&files, 64 << 20));
    assert!(!read.explain("SELECT principal FROM events").unwrap().contains("CodedScan"));
    for condition in CONDITIONS {
        for columns in
            [ALL, "request_parameters AS request_parameters, event_id AS event_id", "COUNT(*) AS n"]
        {
            let sql = format!("SELECT {columns} FROM events WHERE {condition}");
            let all = |engine: &Engine| {
                let mut rows = engine.run(&sql).map(|rows| lines(&rows)).map_err(drop)?;
                rows.sort_unstable();
                Ok::<_, ()>(rows)
            };
            assert_eq!(all(&held), all(&read), "{sql}");
        }
    }
    let plan =
        held.explain("SELECT event_id, principal, streaming FROM events WHERE model_id = 'm6'").unwrap();
    assert!(plan.contains("CodedScan: parts=2, conditions=1") && !plan.contains("FilterExec"), "{plan}");
    // A column that does not repeat is read from the files: for few rows alone, else with all others.
    let wide = |condition: &str| {
        held.explain(&format!("SELECT request_parameters FROM events WHERE event_name = '{condition}'"))
            .unwrap()
    };
    assert!(
        wide("DeleteGuardrail").contains("CodedScan: parts=1, conditions=0"),
        "{}",
        wide("DeleteGuardrail")
    );
    assert!(!wide("Converse1").contains("CodedScan"), "{}", wide("Converse1"));
}

#[test]
fn columns_for_which_there_is_no_room_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let engine = over(&files, 60_000);
    let held =
        |column: &str| engine.explain(&format!("SELECT {column} FROM events")).unwrap().contains("CodedScan");
    assert!(!held("event_id"), "ids take 16 bytes a row");
    assert!(held("model_id"));
    assert!(!held("principal, event_name, streaming, model_id"), "two more do not fit");
    assert!(held("model_id"));
}

#[test]
fn a_file_that_cannot_be_opened_is_reported_by_what_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    std::fs::write(&files[1], "no parquet").unwrap();
    assert!(matches!(over(&files, 64 << 20).run("SELECT model_id FROM events"), Err(Error::Internal(_))));
}

#[test]
fn many_queries_ahead_make_room_for_columns() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let engine = over(&files, 0);
    let queries: Vec<String> =
        (0..30).map(|n| format!("SELECT model_id FROM events WHERE input_tokens = {n}")).collect();
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    let reads = engine.scans(&queries[..3]).unwrap();
    assert!(!engine.explain(queries[0]).unwrap().contains("CodedScan"));
    assert_eq!(engine.scans(&queries).unwrap(), reads);
    assert!(engine.explain(queries[0]).unwrap().contains("CodedScan"));
}
