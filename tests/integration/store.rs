//! The store: collecting bit by bit and reading the store gives what reading all logs anew gives.

mod bucket;
mod crash;
mod deploy;
mod keep;
mod night;
mod read;
mod remote;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::command::{Outcome, bedtrail};
use crate::corpus::Corpus;
use crate::corpus::random::Random;
use crate::corpus::store::{gzip, write_file};
use crate::odd::{call, document};
use crate::program::{Answer, put, text};

const EVENTS: &str = "SELECT * FROM events";
const OBJECTS: &str = "SELECT * FROM objects ORDER BY log_object";

/// Runs `collect` and returns what it said; its code is 3 where it says that it could not read something.
pub fn collect(logs: &Path, store: &Path) -> Outcome {
    let ran = bedtrail(["collect", "--store", text(store)]).source(logs).run();
    let code = if ran.stderr.contains(" refused: ") { 3 } else { 0 };
    ran.exits(code)
}

/// An answer, or the exit code of a run without one.
fn asked(sql: &str, source: &Path, options: &[&str]) -> Result<Answer, i32> {
    let ran = bedtrail(["query", sql, "--format", "json", "--quiet"]).source(source).args(options).run();
    if ran.code == 4 {
        return Err(ran.code);
    }
    let document = ran.json();
    let answer = &document["reports"][0];
    let lines = answer["footer"].as_array().expect("lines").iter();
    Ok(Answer {
        code: ran.code,
        rows: answer["rows"].as_array().expect("rows").clone(),
        footer: lines.map(|line| line.as_str().expect("text").to_owned()).collect(),
        err: ran.stderr,
    })
}

/// The answers over the logs and over the store are one.
pub fn same(logs: &Path, store: &Path, options: &[&str]) {
    for sql in [EVENTS, OBJECTS] {
        let (one, other) = match (asked(sql, logs, options), asked(sql, store, options)) {
            (Ok(one), Ok(other)) => (one, other),
            (Err(one), Err(other)) if one == other => continue,
            (one, other) => panic!("{options:?}: {one:?} but {other:?}"),
        };
        for (a, b) in one.rows.iter().zip(&other.rows) {
            assert_eq!(a, b, "{sql} {options:?}");
        }
        assert_eq!((one.rows.len(), one.code), (other.rows.len(), other.code), "{sql} {options:?}");
        assert_eq!(one.footer, other.footer, "{sql} {options:?}");
    }
}

/// Every file of an audit but the manifest, which says where it was run.
pub fn audit(source: &Path, out: &Path, options: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut run = bedtrail(["audit", "--quiet", "--now", "2026-11-01", "--format", "csv,json"]);
    run = run.source(source).policy("fixtures/policy.toml").out(out).args(options);
    let ran = run.run();
    assert!([0, 1].contains(&ran.code), "{}", ran.stderr);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(out)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("manifest")))
        .map(|path| {
            (
                path.file_name().expect("a name").to_string_lossy().into_owned(),
                std::fs::read(path).expect("a file"),
            )
        })
        .collect();
    files.sort();
    let manifest = std::fs::read_to_string(out.join("manifest.json")).expect("the manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    files.push(("balance".to_owned(), manifest["balance"].to_string().into_bytes()));
    files
}

pub fn same_audit(logs: &Path, store: &Path, options: &[&str]) {
    let out = tempfile::tempdir().expect("a temporary folder");
    let one = audit(logs, &out.path().join("logs"), options);
    let other = audit(store, &out.path().join("store"), options);
    assert!(one.len() > 10);
    for ((name, a), (other, b)) in one.iter().zip(&other) {
        assert_eq!(name, other);
        assert!(a == b, "{name} {options:?}\n{}\n{}", String::from_utf8_lossy(a), String::from_utf8_lossy(b));
    }
}

#[test]
fn an_audit_of_the_store_is_the_audit_of_the_logs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (Path::new("fixtures/trail"), folder.path().join("store"));
    let said = collect(logs, &store);
    assert!(said.stderr.contains(" 0 objects were known"), "{}", said.stderr);
    same_audit(logs, &store, &[]);
    same_audit(logs, &store, &["--region", "us-east-1", "--late-days", "0", "--to", "2026-10-12"]);
    // A second run has nothing to do.
    let before = listing(&store);
    collect(logs, &store).says(" 0 new objects").prints_nothing();
    assert_eq!(before, listing(&store));
}

/// Every file below a folder, sorted.
pub fn listing(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(root).expect("below").display().to_string());
            }
        }
    }
    files.sort();
    files
}

/// Logs with every way in which one record can say something of another: copies in other Regions, accounts and days,
/// one id with several contents, updates of others and of themselves, records without an id.
struct Tangle {
    files: Vec<(String, String)>,
}

impl Tangle {
    fn new(seed: u64, count: usize) -> Self {
        let mut random = Random::new(seed, "tangle");
        let accounts = ["111122223333", "444455556666"];
        let regions = ["eu-central-1", "us-east-1"];
        let mut files: Vec<(String, Vec<String>)> = (0..count)
            .map(|number| {
                let (account, region) = (random.one(&accounts), random.one(&regions));
                let day = random.between(1, 9);
                let name = format!(
                    "AWSLogs/{account}/CloudTrail/{region}/2026/10/{day:02}/{account}_CloudTrail_{region}_202610{day:02}T1205Z_{}{number}.json.gz",
                    random.alphanumeric(4)
                );
                (name, Vec::new())
            })
            .collect();
        for id in 0..u32::try_from(count * 4).expect("few") {
            let region = random.one(&regions);
            let account = random.one(&accounts);
            let day = random.between(1, 8);
            let mut record: Value = serde_json::from_str(&call(id, &[])).expect("JSON");
            record["awsRegion"] = region.into();
            record["recipientAccountId"] = account.into();
            record["eventTime"] = format!("2026-10-{day:02}T{:02}:00:00Z", random.below(24)).into();
            let mut versions = vec![record.clone()];
            match random.below(10) {
                0 | 1 => {
                    let mut other = record.clone();
                    other["userAgent"] = "another/1.0".into();
                    if random.chance(500) {
                        other["eventTime"] = format!("2026-10-{:02}T05:00:00Z", random.between(1, 8)).into();
                    }
                    versions.push(other);
                }
                2 => {
                    let mut update = record.clone();
                    update["addendum"] =
                        json!({"reason": "UPDATED_DATA", "originalEventID": record["eventID"]});
                    versions.push(update);
                }
                3 => {
                    let target = random.below(u64::from(id) + 3);
                    let target = format!("00000000-0000-4000-8000-{target:012x}");
                    let mut update: Value = serde_json::from_str(&call(id + 100_000, &[])).expect("JSON");
                    update["eventTime"] = record["eventTime"].clone();
                    update["addendum"] = json!({"reason": "UPDATED_DATA", "originalEventID": target});
                    versions.push(update);
                }
                4 => {
                    record.as_object_mut().expect("an object").remove("eventID");
                    versions[0] = record;
                }
                5 => {
                    versions[0]["eventSource"] = "s3.amazonaws.com".into();
                    versions[0]["eventName"] = "GetObject".into();
                }
                6 if random.chance(100) => versions[0]["userIdentity"] = 5.into(),
                _ => {}
            }
            for version in versions {
                for _ in 0..random.one(&[1, 1, 1, 2, 3]) {
                    let file = random.index(files.len());
                    files[file].1.push(version.to_string());
                }
            }
        }
        let files = files.into_iter().map(|(name, records)| (name, document(&records))).collect();
        Self { files }
    }

    fn write(&self, root: &Path, which: impl Fn(usize) -> bool) {
        for (_, (name, text)) in self.files.iter().enumerate().filter(|(at, _)| which(*at)) {
            put(root, name, gzip(text.as_bytes(), 1));
        }
    }
}

/// What a run may ask for.
const EXTENTS: [&[&str]; 9] = [
    &[],
    &["--from", "2026-10-04"],
    &["--to", "2026-10-05"],
    &["--to", "2026-10-05", "--late-days", "0"],
    &["--from", "2026-10-03T07:30:00Z", "--to", "2026-10-06T13:00:00Z", "--late-days", "1"],
    &["--region", "us-east-1"],
    &["--account", "444455556666"],
    &["--account", "111122223333", "--region", "eu-central-1", "--from", "2026-10-02"],
    &["--from", "2026-10-05", "--to", "2026-10-06", "--late-days", "0", "--account", "111122223333"],
];

fn tangled(seed: u64, objects: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let tangle = Tangle::new(seed, objects);
    let mut random = Random::new(seed, "arrival");
    let runs = random.between(2, 5);
    let arrival: Vec<u64> = tangle.files.iter().map(|_| random.below(runs)).collect();
    for run in 0..runs {
        tangle.write(&logs, |at| arrival[at] == run);
        if arrival.contains(&run) {
            let ran = bedtrail(["collect", "--quiet", "--store", text(&store)]).source(&logs).run();
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
        if random.chance(200) {
            bedtrail(["store", "compact", text(&store)]).run().exits(0);
        }
    }
    for extent in EXTENTS {
        same(&logs, &store, extent);
    }
    bedtrail(["store", "compact", text(&store)]).run().exits(0);
    for extent in [EXTENTS[0], EXTENTS[8]] {
        same(&logs, &store, extent);
    }
}

#[test]
fn whatever_comes_when_the_answers_are_those_of_all_logs() {
    let seeds = std::env::var("BEDTRAIL_TEST_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for seed in 0..seeds {
        tangled(seed, 12);
    }
}

#[test]
fn generated_logs_in_random_order_of_arrival() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let corpus = Corpus { files: 30, records: 10..=40, bedrock: 400, ..Corpus::new(11) };
    let mut random = Random::new(11, "arrival");
    let mut left: Vec<usize> = (0..corpus.files).collect();
    for file in corpus.side() {
        write_file(&logs, &file, 1).expect("a file");
    }
    while !left.is_empty() {
        for _ in 0..random.between(1, 12).min(left.len() as u64) {
            let at = random.index(left.len());
            write_file(&logs, &corpus.file(left.swap_remove(at)), 1).expect("a file");
        }
        collect(&logs, &store);
    }
    for options in [&[][..], &["--from", "2026-10-05", "--to", "2026-10-07"]] {
        same(&logs, &store, options);
    }
}

/// The files of `events`, read by the parquet crate alone.
pub fn parts(store: &Path) -> Vec<PathBuf> {
    let names = listing(store).into_iter().filter(|name| name.starts_with("events/"));
    names.map(|name| store.join(name)).collect()
}
