//! Stores and results in a bucket, and what is listed of the bucket that they are made of.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Tangle, listing};
use crate::bucket::{Asked, BUCKET, Fault, Server};
use crate::command::{Run, bedtrail};
use crate::corpus::store::gzip;
use crate::odd::{call, document};
use crate::program::{put, text};
use crate::s3::{at, with};

const EVENTS: &str = "SELECT * FROM events ORDER BY event_id, log_object, log_index";

/// A log of some calls, published on a day.
fn log(root: &Path, day: &str, name: &str, ids: std::ops::Range<u32>) -> String {
    let records: Vec<String> = ids.map(|id| call(id, &[])).collect();
    let key = format!("AWSLogs/111122223333/CloudTrail/eu-central-1/{day}/{name}.json.gz");
    put(root, &key, gzip(document(&records).as_bytes(), 1))
}

fn collect(server: &Server, store: &str) -> Run {
    with(server, &["collect", "--store", store, "-s", &at("AWSLogs"), "--from", "2026-01-01"])
}

fn events(server: &Server, source: &str) -> String {
    with(server, &["query", EVENTS, "--format", "csv", "--quiet", "-s", source]).run().exits(0).stdout
}

/// Event ids in all files that another reader takes for the table.
fn outside(store: &Path) -> Vec<String> {
    let mut ids = Vec::new();
    for name in listing(store).into_iter().filter(|name| name.starts_with("events/")) {
        let file = std::fs::File::open(store.join(name)).expect("a part");
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
        for batch in reader.expect("Parquet").build().expect("a reader") {
            let batch = batch.expect("a batch");
            let column = batch.column_by_name("event_id").expect("a column");
            let column = arrow::array::AsArray::as_string::<i32>(column);
            ids.extend(column.iter().flatten().map(str::to_owned));
        }
    }
    ids.sort();
    ids
}

fn once(store: &Path, expected: usize) {
    let ids = outside(store);
    assert_eq!(ids.len(), expected);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), expected, "an event twice");
}

#[test]
fn after_a_complete_listing_only_the_last_weeks_are_listed_and_nothing_late_is_missed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    for month in 1..=9 {
        log(&logs, &format!("2026/{month:02}/05"), "a", month * 10..month * 10 + 5);
    }
    log(&logs, "2026/10/30", "new", 500..505);
    let broken = log(&logs, "2026/02/07", "broken", 600..605);
    let sound = std::fs::read(&broken).expect("the log");
    std::fs::write(&broken, &sound[..40]).expect("written");
    let run = |code: i32| {
        let server = Server::over(&logs);
        let ran = collect(&server, text(&store)).run().exits(code);
        let after = |asked: &Asked| asked.query.get("start-after").cloned();
        let first = server.asked().iter().filter_map(after).min().unwrap_or_default();
        (ran, first)
    };
    let (ran, first) = run(3);
    ran.says("11 new objects, 50 events").says("broken.json.gz refused");
    assert!(first.contains("/2025/12/31"), "{first}");
    // Published late, and under a day long gone; and what could not be read can be now.
    log(&logs, "2026/10/01", "late", 700..705);
    log(&logs, "2026/03/03", "buried", 800..805);
    std::fs::write(&broken, &sound).expect("written");
    let (ran, first) = run(0);
    ran.says("2 new objects, 10 events");
    assert!(first.contains("/2026/09/2"), "{first}");
    // Whoever expects more says so.
    let server = Server::over(&logs);
    collect(&server, text(&store))
        .args(["--look-back", "400"])
        .run()
        .exits(0)
        .says("1 new objects, 5 events");
    assert_eq!(events(&server, &at("AWSLogs")), events(&server, text(&store)));
    // Another account was never listed.
    let (server, other) = (Server::over(&logs), "444455556666");
    with(&server, &["collect", "--store", text(&store), "-s", &at("AWSLogs"), "--account", "111122223333"])
        .run()
        .exits(0);
    let more = with(&server, &["collect", "--store", text(&store), "-s", &at("AWSLogs"), "--account", other]);
    more.run().exits(0);
    let info = bedtrail(["store", "info", text(&store)]).run().exits(0).stdout;
    assert!(info.contains("complete    s3://acme-logs/AWSLogs as of 2026-11-01"), "{info}");
}

#[test]
fn a_listing_that_does_not_fit_into_memory_is_collected_piece_by_piece() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let named = |number: u32| (format!("2026/{:02}/05", 1 + number % 9), format!("{number:03}"));
    for number in 0..150 {
        let (day, name) = named(number);
        // Every record stands in two objects.
        log(&logs, &day, &name, number * 5..number * 5 + 10);
    }
    let server = Server::over(&logs);
    let little = ["--memory-limit", "48K"];
    collect(&server, text(&store)).args(little).args(["--dry-run"]).run().exits(0);
    collect(&server, text(&store)).args(little).run().exits(0).says("150 new objects, 755 events");
    collect(&server, text(&store)).args(little).run().exits(0).says(" 0 new objects");
    assert_eq!(events(&server, &at("AWSLogs")), events(&server, text(&store)));
    let info = bedtrail(["store", "info", text(&store)]).run().exits(0).stdout;
    assert!(info.contains("complete    s3://acme-logs/AWSLogs as of 2026-11-01"), "{info}");
}

#[test]
fn a_prefix_that_was_denied_is_listed_from_the_beginning_later() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    log(&logs, "2026/10/30", "new", 0..5);
    let other = "AWSLogs/444455556666/CloudTrail/eu-central-1/";
    put(&logs, &format!("{other}2026/02/03/a.json.gz"), gzip(document(&[call(9, &[])]).as_bytes(), 1));
    let server = Server::faulty(&logs, move |asked, _| {
        (asked.lists() && asked.prefix() == other).then_some(Fault::Says(
            403,
            "AccessDenied",
            "Access Denied",
        ))
    });
    collect(&server, text(&store)).run().exits(3).says("access denied");
    collect(&server, text(&store)).run().exits(3);
    let server = Server::over(&logs);
    collect(&server, text(&store)).run().exits(0).says("1 new objects, 1 events");
}

#[test]
fn a_collect_that_is_killed_between_commits_is_completed_by_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    for number in 0..100 {
        // Old days: what the killed run did not come to lies before any look-back.
        let day = format!("2026/{:02}/05", 1 + number % 9);
        log(&logs, &day, &format!("{number:02}"), number * 200..number * 200 + 200);
    }
    let slow = |asked: &Asked, _: usize| {
        let number = asked.key.rsplit('/').next()?.split('.').next()?.parse::<u64>().ok()?;
        (asked.reads() && number >= 60).then_some(Fault::Waits(Duration::from_mins(1)))
    };
    let server = Server::faulty(&logs, slow);
    let mut command =
        collect(&server, text(&store)).args(["--memory-limit", "1M", "--threads", "1"]).into_command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = command.spawn().expect("the program runs");
    let start = Instant::now();
    while !store.join("_bedtrail/log/00000000000000000001.json").exists() {
        assert!(start.elapsed() < Duration::from_mins(1) && run.try_wait().expect("a child").is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    run.kill().expect("it can be killed");
    run.wait().expect("it ends");
    let server = Server::over(&logs);
    let ran = collect(&server, text(&store)).run().exits(0);
    assert!(!ran.stderr.contains(" 0 objects were known"), "{}", ran.stderr);
    assert_eq!(events(&server, &at("AWSLogs")), events(&server, text(&store)));
    collect(&server, text(&store)).run().exits(0).says(" 0 new objects");
}

#[test]
fn a_store_in_a_bucket_is_one_wherever_a_store_may_be_given() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Tangle::new(31, 10).write(folder.path(), |_| true);
    let server = Server::over(folder.path());
    let store = at("kept/store");
    collect(&server, &store).run().exits(0).says("10 new objects");
    assert_eq!(events(&server, &at("AWSLogs")), events(&server, &store));
    let info = with(&server, &["store", "info", "--files", &store]).run().exits(0).stdout;
    assert!(info.lines().count() > 1);
    for line in info.lines() {
        assert!(line.starts_with(&format!("s3://{BUCKET}/kept/store/events/event_date=2026-10-")), "{line}");
    }
    with(&server, &["store", "info", "--check", &store]).run().exits(0);
    with(&server, &["store", "compact", &store]).run().exits(0);
    assert_eq!(events(&server, &at("AWSLogs")), events(&server, &store));
    collect(&server, &store).run().exits(0).says(" 0 new objects");
    with(&server, &["collect", "--store", text(&folder.path().join("x")), "-s", &store])
        .run()
        .exits(2)
        .says("is a store");
    // In the folder that it is made of.
    let inside = at("AWSLogs/store");
    collect(&server, &inside).run().exits(0).says("10 new objects");
    collect(&server, &inside).run().exits(0).says(" 0 new objects");
}

#[test]
fn runs_that_meet_in_a_bucket_lose_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for number in 0..12 {
        log(folder.path(), "2026/10/05", &format!("{number:02}"), number * 7..number * 7 + 10);
    }
    let server = Server::over(folder.path());
    let store = at("store");
    let said: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..3).map(|_| scope.spawn(|| collect(&server, &store).run().exits(0).stderr)).collect();
        runs.into_iter().map(|run| run.join().expect("it ends")).collect()
    });
    let won = said.iter().filter(|said| said.contains("12 new objects")).count();
    let others = said.iter().filter(|said| said.contains("12 objects were known")).count();
    assert_eq!((won, others), (1, 2), "{said:?}");
    once(&folder.path().join("store"), 11 * 7 + 10);
    assert_eq!(events(&server, &at("AWSLogs")), events(&server, &store));
}

#[test]
fn where_removing_is_forbidden_other_readers_still_see_each_event_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (source, bucket) = (folder.path().join("source"), folder.path().join("bucket"));
    let run = |fixed: bool| {
        let denied = Fault::Says(403, "AccessDenied", "Access Denied");
        let there: BTreeSet<String> =
            if bucket.is_dir() { listing(&bucket).into_iter().collect() } else { BTreeSet::new() };
        let server = Server::faulty(&bucket, move |asked, earlier| {
            let again = asked.method == "PUT" && (earlier > 0 || there.contains(&asked.key));
            (asked.method == "DELETE" || fixed && again).then(|| denied.clone())
        });
        let collect = |compact: &[&str]| {
            with(&server, &["collect", "--store", &at("store"), "-s", text(&source)])
                .args(compact)
                .run()
                .exits(0)
        };
        (collect(&[]), with(&server, &["store", "compact", &at("store")]).run())
    };
    std::fs::create_dir_all(&bucket).expect("a folder");
    let store = bucket.join("store");
    log(&source, "2026/10/05", "c", 0..50);
    assert_eq!(run(false).1.code, 0);
    once(&store, 50);
    // The earlier rows of 40 to 49 do not count any more.
    log(&source, "2026/10/05", "b", 40..60);
    let (collected, compacted) = run(false);
    collected.says("10 earlier events no longer count");
    assert_eq!(compacted.code, 0, "{}", compacted.stderr);
    once(&store, 60);
    log(&source, "2026/10/05", "d", 55..65);
    run(false);
    once(&store, 65);
    // Nor may anything be overwritten: nothing is compacted, and a correction is told of.
    log(&source, "2026/10/05", "e", 65..70);
    let (_, compacted) = run(true);
    compacted.exits(4).says("neither removed nor overwritten");
    once(&store, 70);
    log(&source, "2026/10/05", "a", 0..5);
    run(true).0.says("neither removed nor emptied");
}

#[test]
fn results_go_to_a_bucket_and_the_next_night_finds_them_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::over(folder.path());
    let local = folder.path().join("local");
    let rules = ["--rule", "BT001", "--rule", "BT030", "--rule", "BT080"];
    let audit = |out: &str, more: &[&str]| {
        with(&server, &["audit", "-s", "fixtures/trail", "--policy", "fixtures/policy.toml", "--out", out])
            .args(rules)
            .args(more)
            .run()
    };
    let out = at("reports/nightly");
    audit(&out, &["--format", "csv,json"]).exits(1).says("written to s3://acme-logs/reports/nightly");
    audit(text(&local), &["--format", "csv,json"]).exits(1);
    let there = folder.path().join("reports/nightly");
    assert_eq!(listing(&there), listing(&local));
    for name in listing(&local).into_iter().filter(|name| !name.starts_with("manifest")) {
        let read = |folder: &Path| std::fs::read(folder.join(&name)).expect("a file");
        assert!(read(&there) == read(&local), "{name}");
    }
    let puts: Vec<String> =
        server.asked().into_iter().filter(|asked| asked.method == "PUT").map(|asked| asked.key).collect();
    assert_eq!(puts.last().map(String::as_str), Some("reports/nightly/manifest.json"));
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(there.join("manifest.json")).expect("the manifest"))
            .expect("JSON");
    assert!(manifest["outputs"].as_array().expect("files").len() > 10);
    // What was found before does not fail the job again, and what is not written any more goes.
    let next = audit(&out, &["--previous", &out, "--fail-on-new", "--format", "csv"]).exits(0);
    next.says("0 violations are new");
    assert!(there.join("manifest.json").is_file() && there.join("violations.csv").is_file());
    assert!(!there.join("violations.json").exists());
    audit(&at("none"), &["--previous", &at("none/violations.json")]).exits(1).says("holds no findings yet");
    audit("s3://", &[]).exits(2);
    audit("s3://acme-lost/x", &[]).exits(4).says("there is no bucket acme-lost");
}
