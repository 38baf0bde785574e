//! Keeping a store: what outsiders see, compaction, pruning, changed and refused objects.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::{collect, listing, parts, same};
use crate::command::bedtrail;
use crate::corpus::store::gzip;
use crate::odd::{call, document};
use crate::program::{ask, int, put, text};

const LOG: &str = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/10/05/";

fn log(root: &Path, name: &str, ids: std::ops::Range<u32>) -> String {
    let records: Vec<String> = ids.map(|id| call(id, &[])).collect();
    put(root, &format!("{LOG}{name}"), gzip(document(&records).as_bytes(), 1))
}

#[test]
fn another_reader_sees_each_event_once_whatever_was_collected_when() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let count = || {
        let mut ids = BTreeSet::new();
        let mut rows = 0;
        for path in parts(&store) {
            let reader =
                ParquetRecordBatchReaderBuilder::try_new(File::open(path).expect("a part")).expect("Parquet");
            for batch in reader.build().expect("a reader") {
                let batch = batch.expect("a batch");
                let column = batch.column_by_name("event_id").expect("a column");
                let column = arrow::array::AsArray::as_string::<i32>(column);
                rows += batch.num_rows();
                ids.extend(column.iter().flatten().map(str::to_owned));
            }
        }
        assert_eq!(rows, ids.len());
        rows
    };
    log(&logs, "c.json.gz", 0..50);
    collect(&logs, &store);
    assert_eq!(count(), 50);
    // Their names come before: the rows there were do not count any more.
    log(&logs, "b.json.gz", 40..60);
    collect(&logs, &store).says("10 earlier events no longer count");
    assert_eq!(count(), 60);
    log(&logs, "d.json.gz", 0..70);
    collect(&logs, &store);
    assert_eq!(count(), 70);
    same(&logs, &store, &[]);
    let file = bedtrail(["store", "info", "--files", text(&store)]).run().exits(0).stdout;
    assert_eq!(file.lines().count(), parts(&store).len());
    bedtrail(["store", "compact", text(&store)]).run().exits(0);
    assert_eq!((count(), parts(&store).len()), (70, 1));
    same(&logs, &store, &[]);
}

#[test]
fn a_part_is_sorted_compressed_typed_plainly_and_says_what_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("store");
    collect(Path::new("fixtures/trail"), &store);
    let path = parts(&store).remove(0);
    let file = SerializedFileReader::new(File::open(path).expect("a part")).expect("Parquet");
    let metadata = file.metadata();
    let pairs = metadata.file_metadata().key_value_metadata().expect("pairs");
    assert!(pairs.iter().any(|pair| pair.key == "bedtrail.format" && pair.value.as_deref() == Some("1")));
    assert!(pairs.iter().all(|pair| pair.key != "ARROW:schema"), "plain Parquet types only");
    let group = metadata.row_group(0);
    assert!(group.sorting_columns().is_some_and(|columns| columns.len() == 5));
    let times = group
        .columns()
        .iter()
        .find(|column| column.column_path().string() == "event_time")
        .expect("a column");
    assert!(times.statistics().is_some() && times.column_index_offset().is_some());
    let compression = format!("{:?}", times.compression());
    assert!(compression.starts_with("ZSTD"), "{compression}");
}

#[test]
fn a_refused_object_is_tried_again_and_a_changed_one_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    log(&logs, "a.json.gz", 0..5);
    let whole = gzip(document(&[call(7, &[])]).as_bytes(), 1);
    let broken = put(&logs, &format!("{LOG}b.json.gz"), &whole[..whole.len() - 20]);
    let run = || bedtrail(["collect", "--store", text(&store)]).source(&logs).run();
    run().exits(3).says("b.json.gz refused");
    let before = listing(&store);
    run().exits(3).says("1 objects were known");
    assert_eq!(listing(&store), before, "nothing new is no commit");
    same(&logs, &store, &[]);
    std::fs::write(&broken, &whole).expect("the file");
    run().exits(0).says("1 new objects, 1 events");
    same(&logs, &store, &[]);
    log(&logs, "a.json.gz", 0..4);
    run().exits(3).says("is not what was collected");
    assert_eq!(ask("SELECT COUNT(*) AS n FROM events", &["-s", text(&store)]).rows[0]["n"], 6);
}

#[test]
fn a_refused_record_is_told_and_the_rest_of_its_object_is_collected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let odd = call(1, &[]).replacen("2026-10-05T", "never", 1);
    assert_ne!(odd, call(1, &[]), "the record has a time");
    put(&logs, &format!("{LOG}a.json.gz"), gzip(document(&[call(0, &[]), odd]).as_bytes(), 1));
    let run = || bedtrail(["collect", "--store", text(&store)]).source(&logs).run();
    run().exits(3).says("warning: record 1 of ").says("1 new objects, 1 events");
    run().exits(0).says("1 objects were known");
    same(&logs, &store, &[]);
}

#[test]
fn pruned_days_are_gone_and_the_rest_is_as_with_from() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (Path::new("fixtures/trail"), folder.path().join("store"));
    collect(logs, &store);
    bedtrail(["store", "prune", text(&store), "--before", "2026-10-12"]).run().exits(0);
    let days = ask("SELECT COUNT(*) AS n, MIN(event_time) AS first FROM events", &["-s", text(&store)]);
    assert!(days.rows[0]["first"].as_str().is_some_and(|first| first >= "2026-10-12"), "{:?}", days.rows);
    assert!(int(&days.rows[0], "n") > 100 && days.err.contains("were pruned"), "{}", days.err);
    same(logs, &store, &["--from", "2026-10-12"]);
    same(logs, &store, &["--from", "2026-10-14", "--to", "2026-10-20"]);
    let days = |from: &str| {
        bedtrail(["report", "usage-by-day", "--from", from, "--to", "2026-10-15", "--store", text(&store)])
            .run()
    };
    days("2026-10-10").exits(3).says("were pruned");
    days("2026-10-12").exits(0);
    // Nothing is known of days that are gone: they are neither delivered nor silent.
    let coverage = |window: &[&str]| {
        let ran =
            bedtrail(["report", "coverage", "--format", "json", "--store", text(&store)]).args(window).run();
        let rows = ran.json()["reports"][0]["rows"].as_array().expect("rows").clone();
        let states: BTreeSet<String> =
            rows.iter().map(|row| row["state"].as_str().expect("a state").to_owned()).collect();
        assert!(rows.iter().all(|row| (row["state"] == "pruned") <= (row["objects"] == 0)), "{rows:?}");
        (ran.code, states.into_iter().collect::<Vec<_>>(), rows)
    };
    let (code, states, rows) = coverage(&["--from", "2026-10-05", "--to", "2026-10-10"]);
    assert_eq!((code, states), (3, vec!["pruned".to_owned()]), "{rows:?}");
    let (code, states, rows) = coverage(&["--from", "2026-10-10", "--to", "2026-10-20"]);
    assert_eq!(code, 3);
    assert!(states.contains(&"delivered".to_owned()), "{rows:?}");
    assert!(
        rows.iter().all(|row| row["reason"].as_str().is_some_and(|reason| reason.contains("2026-10-12"))),
        "{rows:?}"
    );
    let (code, states, rows) = coverage(&["--from", "2026-10-12"]);
    assert_eq!((code, states), (0, vec!["delivered".to_owned()]), "{rows:?}");
    // What was pruned is not collected again.
    collect(logs, &store).says(" 0 new objects");
}

#[test]
fn a_store_stands_alone_and_one_that_is_none_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("store");
    collect(Path::new("fixtures/trail"), &store);
    let report = |arguments: &[&str]| bedtrail(["report", "usage-by-model"]).args(arguments.iter()).run();
    report(&["-s", text(&store), "-s", "fixtures/trail"]).exits(2).says("among other sources");
    report(&["--store", text(&store)]).exits(0);
    report(&["--store", "/no/such/store"]).exits(4).says("bedtrail collect");
    report(&["-s", text(&store), "--keep-content"]).exits(2).says("without --keep-content");
    bedtrail(["collect", "--store", text(&store), "--keep-content"])
        .source("fixtures/trail")
        .run()
        .exits(2)
        .says("collected without --keep-content");
    bedtrail(["collect"]).source("fixtures/trail").run().exits(2).says("--store");
    let dry = bedtrail(["collect", "--dry-run", "--store", text(&folder.path().join("new"))])
        .source("fixtures/trail");
    assert!(dry.run().exits(0).stdout.contains("114 objects to read"));
    assert!(!folder.path().join("new").exists());
}

#[test]
fn a_store_can_be_named_by_a_relative_path() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    log(&folder.path().join("logs"), "a.json.gz", 0..5);
    for (arguments, words) in [
        (["collect", "-s", "logs", "--store", "store"].as_slice(), "1 new objects, 5 events"),
        (&["collect", "-s", "./logs/", "--store", "./store/"], "1 objects were known"),
    ] {
        let ran = bedtrail(arguments).into_command().current_dir(folder.path()).output().expect("it runs");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success() && said.contains(words), "{said}");
    }
}

#[test]
fn what_no_run_made_is_left_alone_and_a_part_that_lost_rows_is_no_empty_table() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    put(&store, "events/mine/notes.parquet", b"mine");
    put(&store, "events/_hidden/notes.parquet", b"mine");
    log(&logs, "a.json.gz", 0..10);
    let run = || bedtrail(["collect", "--store", text(&store)]).source(&logs).run();
    run().exits(4).says("events/mine/notes.parquet").says("no run made");
    std::fs::remove_dir_all(store.join("events/mine")).expect("removed");
    // Other readers pass over what is hidden.
    run().exits(0);
    assert!(store.join("events/_hidden/notes.parquet").is_file());
    std::fs::remove_dir_all(store.join("events/_hidden")).expect("removed");
    let part = parts(&store).into_iter().next().expect("a part");
    File::create(&part).expect("emptied");
    let asked =
        bedtrail(["query", "SELECT COUNT(*) AS n FROM events", "--store", text(&store)]).run().exits(4);
    assert!(asked.stderr.contains("was committed with"), "{}", asked.stderr);
}
