//! Texts that batches hold on to without showing them.

use datafusion::arrow::buffer::Buffer;

use super::*;
use crate::engine::dense::compact;

#[test]
fn rows_taken_from_many_hold_no_more_than_their_own_texts() {
    let texts: StringViewArray =
        (0..1000).map(|n| Some(format!("a text of more than twelve bytes {n}"))).collect();
    let short: StringViewArray = (0..1000).map(|n| (n % 2 > 0).then(|| n.to_string())).collect();
    let all = RecordBatch::try_from_iter_with_nullable([
        ("text", Arc::new(texts) as ArrayRef, true),
        ("short", Arc::new(short) as ArrayRef, true),
        ("number", Arc::new(Int64Array::from_iter_values(0..1000)) as ArrayRef, true),
    ])
    .unwrap();
    let few = all.slice(10, 20);
    let held = |batch: &RecordBatch| {
        let buffers = batch.column(0).as_string_view().data_buffers();
        buffers.iter().map(Buffer::len).sum::<usize>()
    };
    assert_eq!(held(&few), held(&all));
    let compacted = compact(&few);
    assert_eq!(compacted, few);
    assert!(held(&compacted) * 40 < held(&few), "{} of {}", held(&compacted), held(&few));
    // What shows most of what it holds is not copied.
    let most = all.slice(100, 900);
    let same = compact(&most);
    assert!(
        same.column(0).as_string_view().data_buffers()[0]
            .ptr_eq(&most.column(0).as_string_view().data_buffers()[0])
    );
}

#[test]
fn windows_over_joined_rows_take_the_memory_that_the_rows_take() {
    let engine = Engine::new(Limits { memory: 32 << 20, spill_dir: None, partitions: 1 }).unwrap();
    let batch = |part: i64| {
        let numbers: ArrayRef =
            Arc::new(Int64Array::from_iter_values((0..2048).map(|row| part * 2048 + row)));
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..2048).map(|row| row * 7919 % 64)));
        let texts: ArrayRef = Arc::new(
            (0..2048)
                .map(|row| Some(format!("{part} {row} {}", "text ".repeat(20))))
                .collect::<StringViewArray>(),
        );
        RecordBatch::try_from_iter([("n", numbers), ("k", keys), ("t", texts)]).unwrap()
    };
    let batches: Vec<_> = (0..20).map(batch).collect();
    engine.register("numbers", &batches[0].schema(), batches).unwrap();
    let sql = "WITH joined AS (
            SELECT a.n AS n, a.k AS k, b.t AS t FROM numbers AS a JOIN numbers AS b ON b.n = a.n
        ),
        counted AS (SELECT n AS n, k AS k, t AS t, COUNT(t) OVER (PARTITION BY k ORDER BY n) AS c FROM joined),
        ranked AS (SELECT n AS n, t AS t, c AS c, MAX(c) OVER (PARTITION BY n % 3 ORDER BY n) AS m FROM counted)
        SELECT COUNT(t) AS rows_seen, SUM(c) AS c, MAX(m) AS m FROM ranked";
    let plan = engine.explain(sql).unwrap();
    let dense = plan.lines().filter(|line| line.trim() == "Dense").count();
    assert!(dense >= 2, "{plan}");
    // Without a second try: what is tried again joins by sorting, and sorts in one part.
    let rows = engine.stream(sql).and_then(Rows::collect_all).unwrap();
    assert_eq!(lines(&rows), ["40960|13127680|640"]);
}
