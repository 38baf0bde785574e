//! Answers that are larger than what is held of them.

use super::*;

/// Some of 20,000 rows that are wide, in no order.
fn wide(part: i64) -> RecordBatch {
    let numbers = (part * 1000..part * 1000 + 1000).map(|n| (n * 7919) % 20_000);
    let texts = numbers.clone().map(|n| format!("{n:016x}").repeat(40));
    RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from_iter_values(numbers)) as ArrayRef),
        ("t", Arc::new(StringViewArray::from_iter_values(texts)) as ArrayRef),
    ])
    .unwrap()
}

fn with_wide(memory: usize, folder: &std::path::Path) -> Engine {
    let limits = Limits { memory, spill_dir: Some(folder.to_owned()), partitions: 2 };
    let mut engine = Engine::new(limits).unwrap();
    engine.views.clear();
    engine.register("wide", &wide(0).schema(), (0..20).map(wide).collect()).unwrap();
    engine
}

fn files(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file()).count()
}

#[test]
fn what_is_not_held_is_read_from_a_file_that_goes_with_it() {
    let (small, large) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sql = "SELECT n, t, CAST(NULL AS VARCHAR) AS nothing, DATE '2026-10-01' AS day FROM wide ORDER BY n";
    let held = with_wide(256 << 20, large.path()).query_answer(sql).unwrap();
    assert_eq!(files(large.path()), 0, "it fits");
    // Wide rows are sorted in less memory than one batch of the usual number takes.
    let engine = with_wide(3 << 20, small.path());
    for read in [Engine::query_answer, Engine::answer] {
        let answer = read(&engine, sql).unwrap();
        assert_eq!((files(small.path()), answer.rows(), answer.schema()), (1, 20_000, held.schema()));
        for _ in 0..2 {
            let read: Vec<RecordBatch> = answer.batches().map(Result::unwrap).collect();
            let expected: Vec<RecordBatch> = held.batches().map(Result::unwrap).collect();
            assert!(lines(&read) == lines(&expected));
        }
        drop(answer);
        assert_eq!(files(small.path()), 0);
    }
}

#[test]
fn a_type_that_no_file_has_is_held_however_large() {
    let folder = tempfile::tempdir().unwrap();
    let engine = with_wide(8 << 20, folder.path());
    let answer = engine.answer("SELECT n, INTERVAL '1' MONTH AS months, t FROM wide").unwrap();
    assert_eq!((answer.rows(), files(folder.path())), (20_000, 0));
}

#[test]
fn a_file_that_is_gone_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let engine = with_wide(8 << 20, folder.path());
    let answer = engine.answer("SELECT n, t FROM wide").unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        std::fs::remove_file(entry.path()).unwrap();
    }
    assert!(answer.batches().next().unwrap().is_err());
}
