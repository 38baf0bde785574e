//! Readers of a store: while others write, of what was lost or altered, and of what it never had.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::Value;

use super::{Tangle, collect, listing, parts};
use crate::command::bedtrail;
use crate::corpus::store::gzip;
use crate::odd::{call, document};
use crate::program::{ask, int, put, text};

const LOG: &str = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/10/05/";
const COUNT: &str = "SELECT COUNT(*) AS n FROM events";

fn log(root: &Path, name: &str, ids: std::ops::Range<u32>) -> String {
    let records: Vec<String> = ids.map(|id| call(id, &[])).collect();
    put(root, &format!("{LOG}{name}"), gzip(document(&records).as_bytes(), 1))
}

#[test]
fn who_reads_while_others_write_has_an_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    log(&logs, "0.json.gz", 0..10);
    collect(&logs, &store);
    let (done, rounds) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let round = rounds.fetch_add(1, Ordering::Relaxed) + 1;
                log(&logs, &format!("{round}.json.gz"), round * 10..round * 10 + 10);
                let run = bedtrail(["collect", "--quiet", "--compact", "--store", text(&store)]);
                run.source(&logs).run().exits(0);
            }
        });
        let (mut least, mut asked) = (0, 0);
        // Until the store has changed some times, however quick the answers are.
        while asked < 12 || (rounds.load(Ordering::Relaxed) < 5 && asked < 500) {
            asked += 1;
            let ran =
                bedtrail(["query", COUNT, "--format", "json", "--store", text(&store)]).run().exits(0).json();
            let count = int(&ran["reports"][0]["rows"][0], "n");
            // A state that was, and no earlier one than before.
            assert!(count.is_multiple_of(10) && count >= least, "{count} after {least}");
            least = count;
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(rounds.load(Ordering::Relaxed) > 3);
}

#[test]
fn what_was_altered_or_lost_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    Tangle::new(21, 8).write(&logs, |_| true);
    collect(&logs, &store);
    let check = || bedtrail(["store", "info", "--check", text(&store)]).run();
    let said = check().exits(0).stdout;
    assert!(said.contains(" 0 are broken, 0 have the size"), "{said}");
    let part = parts(&store).pop().expect("a part");
    let whole = std::fs::read(&part).expect("the part");
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    std::fs::write(&part, &altered).expect("written");
    let said = check().exits(3).stdout;
    assert!(
        said.contains(text(&part)) && said.contains("SHA-256") && said.contains(" 1 are broken"),
        "{said}"
    );
    std::fs::remove_file(&part).expect("removed");
    let said = check().exits(3).stdout;
    assert!(said.contains(text(&part)) && said.contains(" 1 are broken"), "{said}");
    let query = bedtrail(["query", COUNT, "--store", text(&store)]).run().exits(4);
    query.says(text(&part)).says("restore it from a backup");
    std::fs::write(&part, &whole).expect("written");
    std::fs::write(part.with_file_name("mine.parquet"), &whole).expect("written");
    let said = check().exits(3).stdout;
    assert!(said.contains("mine.parquet: no commit names it"), "{said}");
}

#[test]
fn what_a_store_was_not_collected_for_makes_the_evidence_incomplete() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = folder.path().join("store");
    let run =
        bedtrail(["collect", "--store", text(&store), "--region", "us-east-1", "--region", "eu-central-1"]);
    run.source("fixtures/trail").run().exits(0);
    let report = |arguments: &[&str]| {
        bedtrail(["report", "usage-by-model", "--store", text(&store)]).args(arguments.iter()).run()
    };
    let words = "was collected for the Regions eu-central-1, us-east-1 only";
    let whole = report(&[]).exits(3).says(words);
    assert!(whole.stdout.contains(words), "{}", whole.stdout);
    assert!(report(&["--quiet"]).exits(3).stdout.contains(words));
    let within = report(&["--region", "us-east-1"]).exits(0);
    assert!(!within.stdout.contains("only"), "{}", within.stdout);
    report(&["--region", "us-east-1", "--region", "eu-west-1"]).exits(3);
}

#[test]
fn a_store_among_its_own_logs_is_no_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("logs/kept/store"));
    log(&logs, "a.json.gz", 0..5);
    collect(&logs, &store).says("1 new objects, 5 events");
    let before = listing(&store);
    collect(&logs, &store).says(" 0 new objects").says("1 objects were known");
    assert_eq!(before, listing(&store));
    let asked = ask("SELECT log_object FROM objects", &["-s", text(&logs)]);
    assert_eq!(asked.rows.len(), 1, "{:?}", asked.rows);
    bedtrail(["collect", "--store", text(&folder.path().join("other"))])
        .source(&store)
        .run()
        .exits(2)
        .says("is a store");
}

#[test]
fn a_manifest_tells_from_where_a_store_was_collected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store, out) =
        (folder.path().join("logs"), folder.path().join("store"), folder.path().join("out"));
    log(&logs, "a.json.gz", 0..5);
    collect(&logs, &store);
    bedtrail(["report", "usage-by-model", "--store", text(&store)]).out(&out).run().exits(0);
    let manifest = std::fs::read_to_string(out.join("manifest.json")).expect("the manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["sources"], serde_json::json!([text(&logs)]));
    assert_eq!(manifest["store"]["place"], text(&store));
    assert_eq!(manifest["store"]["commit"], 1);
}
