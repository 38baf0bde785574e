//! Buckets give what the same files give locally, and cost no more requests than they must.

use std::path::Path;

use serde_json::{Value, json};

use crate::bucket::{Asked, BUCKET, Fault, KEY, SECRET, Server};
use crate::command::{Outcome, Run, bedtrail};
use crate::corpus::Corpus;
use crate::corpus::layout::Layout;
use crate::corpus::store::gzip;
use crate::odd::{call, document};
use crate::program::{put, text};

const USAGE: [&str; 4] = ["report", "usage-by-role-model", "--format", "csv"];

/// The program with access to a server.
pub fn with(server: &Server, arguments: &[&str]) -> Run {
    bedtrail(arguments)
        .args(["--endpoint-url", &server.url, "--path-style", "--aws-region", "eu-central-1"])
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("NO_PROXY", "127.0.0.1")
}

/// The bucket, or a prefix of it, as a source.
pub fn at(prefix: &str) -> String {
    format!("s3://{BUCKET}/{prefix}")
}

/// The rows of `objects` with their names below the source.
pub fn objects(ran: Outcome, root: &str) -> Vec<Value> {
    let mut rows = ran.exits(0).json()["reports"][0]["rows"].as_array().expect("rows").clone();
    for row in &mut rows {
        let name = row["log_object"].as_str().expect("a name");
        row["log_object"] = json!(name.strip_prefix(root).unwrap_or(name).trim_start_matches('/'));
    }
    rows
}

const LEDGER: &str = "SELECT log_object, kind, shape, state, size_bytes, inflated_bytes, sha256, account_id, aws_region, delivered_at, seen, kept, \
     not_ours, duplicate, aggregated, insight, refused, superseded, api_calls, service_events, network_activity, \
     shared_copies, conflicts, first_event_time, last_event_time FROM objects ORDER BY log_object";

/// Everything that a run says of a folder and of the same folder as a bucket.
fn same(folder: &Path, server: &Server, prefix: &str) {
    let (local, bucket) = (["-s", text(folder)], at(prefix));
    let remote = ["-s", bucket.as_str()];
    let usage = bedtrail([&USAGE[..], &local].concat()).run().exits(0).stdout;
    assert_eq!(with(server, &[&USAGE[..], &remote].concat()).run().exits(0).stdout, usage, "{prefix}");
    let ask = ["query", LEDGER, "--format", "json"];
    let expected = bedtrail([&ask[..], &local].concat()).run();
    let found = with(server, &[&ask[..], &remote].concat()).run();
    let footer = |ran: &Outcome| {
        let document: Value = serde_json::from_str(&ran.stdout).expect("an answer");
        document["reports"][0]["footer"].clone()
    };
    assert_eq!(footer(&found), footer(&expected), "{prefix}");
    assert_eq!(objects(found, &at("")), objects(expected, text(folder)), "{prefix}");
}

/// The same of a folder below, whose names begin there.
fn below(folder: &Path, server: &Server, prefix: &str) {
    let local = folder.join(prefix);
    let usage = bedtrail(USAGE).args(["-s", text(&local)]).run().exits(0).stdout;
    assert_eq!(with(server, &USAGE).args(["-s", &at(prefix)]).run().exits(0).stdout, usage, "{prefix}");
}

#[test]
fn every_layout_gives_what_the_files_give() {
    for (seed, layout) in
        [(71, Layout::Organisation("o-abc1234567".to_owned())), (72, Layout::Accounts), (73, Layout::Account)]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let corpus = Corpus { files: 12, records: 30..=40, bedrock: 300, layout, ..Corpus::new(seed) };
        corpus.write(folder.path()).expect("it can be written");
        let server = Server::over(folder.path());
        same(folder.path(), &server, "");
        same(folder.path(), &server, "AWSLogs");
        // Not one request for an object twice, and none but these.
        let reads = server.asked().iter().filter(|one| one.reads()).count();
        assert_eq!(reads, 4 * 16, "{:?}", corpus.layout);
    }
}

#[test]
fn several_trails_in_one_bucket_are_found_wherever_they_begin() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let account = |seed| Corpus {
        files: 6,
        records: 20..=20,
        bedrock: 300,
        layout: Layout::Accounts,
        ..Corpus::new(seed)
    };
    account(81).write(folder.path()).expect("it can be written");
    let organisation = Layout::Organisation("o-abc1234567".to_owned());
    // As a trail leaves it that became an organisation's.
    Corpus { layout: organisation.clone(), ..account(82) }.write(folder.path()).expect("it can be written");
    Corpus { layout: organisation, ..account(83) }
        .write(&folder.path().join("trails/second"))
        .expect("written");
    let server = Server::over(folder.path());
    same(folder.path(), &server, "");
    for prefix in ["trails", "trails/", "trails/second/AWSLogs/", "AWSLogs/o-abc1234567"] {
        below(folder.path(), &server, prefix);
    }
    // Sources that lie in each other are listed once.
    let usage = with(&server, &USAGE).args(["-s", &at("")]).run().exits(0).stdout;
    let (_, reads) = server.counts();
    let twice = with(&server, &USAGE)
        .args(["AWSLogs/", "", "trails/second"].map(|prefix| format!("-s{}", at(prefix))));
    assert_eq!(twice.run().exits(0).stdout, usage);
    assert_eq!(server.counts().1 - reads, 30);
}

/// A trail of so many days in three Regions, one object a day with one call, from 1 January 2026.
fn days(folder: &Path, days: u32) {
    for region in ["eu-central-1", "eu-west-1", "us-east-1"] {
        for day in 0..days {
            let date =
                chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date") + chrono::Days::new(day.into());
            let (folders, stamp) = (date.format("%Y/%m/%d"), date.format("%Y%m%d"));
            let name = format!(
                "AWSLogs/111122223333/CloudTrail/{region}/{folders}/111122223333_CloudTrail_{region}_{stamp}T1205Z_abcdefghijklmnop.json.gz"
            );
            let time = format!("\"{}T12:00:00Z\"", date.format("%Y-%m-%d"));
            let id = if region == "us-east-1" { 1000 + day } else { day };
            put(folder, &name, gzip(document(&[call(id, &[("eventTime", &time)])]).as_bytes(), 1));
        }
    }
}

const IDS: [&str; 4] =
    ["query", "SELECT event_id, log_object FROM events ORDER BY event_id", "--format", "csv"];

#[test]
fn a_window_costs_requests_for_its_own_days_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    days(folder.path(), 400);
    let server = Server::over(folder.path());
    let window = ["--from", "2026-10-05", "--to", "2026-10-08", "--late-days", "2"];
    let ran = with(&server, &IDS).args(["-s", &at("")]).args(window).run().exits(0);
    assert_eq!(ran.stdout.lines().count(), 1 + 3 + 3, "{}", ran.stdout);
    // The bucket, the account, its folders, its Regions, and one page of each Region; six days of each are read:
    // one before, since clocks differ, three wanted, and two in which they may come late.
    assert_eq!(server.counts(), (4 + 3, 3 * 6));
    let asked = server.asked();
    let pages: Vec<&str> =
        asked.iter().filter_map(|one| one.query.get("start-after")).map(String::as_str).collect();
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|after| after.ends_with("/2026/10/04")), "{pages:?}");

    // The Region named, nothing of another is asked for; the prefix given, nothing above it.
    let before = server.counts();
    let one = with(&server, &IDS).args(["-s", &at("AWSLogs"), "--region", "eu-west-1"]).args(window);
    one.run().exits(0);
    let after = server.counts();
    assert_eq!((after.0 - before.0, after.1 - before.1), (1 + 3 + 1, 6));
    let day = at("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/06/");
    let ran = with(&server, &IDS).args(["-s", &day]).run().exits(0);
    assert_eq!(ran.stdout.lines().count(), 2);
    assert_eq!((server.counts().0 - after.0, server.counts().1 - after.1), (1, 1));
    // Nothing there.
    let none = with(&server, &IDS).args(["-s", &at(""), "--from", "2030-01-01"]).run().exits(4);
    insta::assert_snapshot!(none.stderr, @"
    error: no log object was found in s3://acme-logs/
    help: nothing lies in the accounts, Regions and days asked for
    ");
}

#[test]
fn of_two_copies_the_one_with_the_smaller_name_stays_whatever_arrives_first() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    days(folder.path(), 40);
    // What comes first by name arrives last.
    let slow = |asked: &Asked, _: usize| {
        (asked.reads() && asked.key.contains("eu-central-1"))
            .then_some(Fault::Waits(std::time::Duration::from_millis(300)))
    };
    let expected = bedtrail(IDS).source(folder.path()).run().exits(0).stdout;
    let server = Server::faulty(folder.path(), slow);
    let found = with(&server, &IDS).args(["-s", &at("")]).run().exits(0).stdout;
    assert_eq!(found.replace(&at(""), ""), expected.replace(&format!("{}/", text(folder.path())), ""));
    // Mixed, a folder's names and a bucket's are compared alike.
    let mixed = with(&server, &IDS).args(["-s", &at(""), "-s", text(folder.path())]).run().exits(0).stdout;
    assert_eq!(mixed, expected);
}

#[test]
fn a_long_region_is_listed_by_runs_of_days() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for minute in 0..6000_u32 {
        let (day, hour) = (1 + minute / 300, minute / 60 % 5);
        let name = format!(
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/{day:02}/111122223333_CloudTrail_eu-west-1_202610{day:02}T{hour:02}{:02}Z_abcdefghijklmnop.json.gz",
            minute % 60
        );
        put(folder.path(), &name, gzip(document(&[call(minute, &[])]).as_bytes(), 1));
    }
    let server = Server::over(folder.path());
    let count = ["query", "SELECT COUNT(*) AS n FROM objects", "--format", "csv"];
    let ran =
        with(&server, &count).args(["-s", &at("AWSLogs/111122223333/CloudTrail/eu-west-1/")]).run().exits(0);
    assert_eq!(ran.stdout, "n\r\n6000\r\n");
    let (lists, reads) = server.counts();
    // Six pages in a row would do; from the third on the days left are asked for side by side.
    assert!((6..=12).contains(&lists), "{lists}");
    assert_eq!(reads, 6000);
}

#[test]
fn one_object_is_a_source() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    days(folder.path(), 3);
    put(folder.path(), "exports/records.dump", document(&[call(77, &[])]));
    put(folder.path(), "exports/2026/a.json", document(&[call(78, &[])]));
    let server = Server::over(folder.path());
    let rows = |prefixes: &[&str]| {
        let sources = prefixes.iter().map(|prefix| format!("-s{}", at(prefix)));
        with(&server, &IDS).args(sources).run().exits(0).stdout.lines().count() - 1
    };
    let key = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/02/111122223333_CloudTrail_eu-west-1_20260102T1205Z_abcdefghijklmnop.json.gz";
    assert_eq!(rows(&[key]), 1);
    assert_eq!(rows(&[key, "AWSLogs/"]), 6);
    // What is named is read, whatever its name, and no folder is taken for a trail that has none.
    assert_eq!(rows(&["exports/records.dump"]), 1);
    assert_eq!(rows(&["exports"]), 1);
    assert_eq!(rows(&["exports/20"]), 1);
    let beside = with(&server, &IDS).args(["-s", &at("")]).run().exits(0);
    assert_eq!(beside.stdout.lines().count(), 7);
    insta::assert_snapshot!(beside.stderr.lines().next().unwrap_or_default(), @"note: objects of s3://acme-logs/ outside its trails, not read: 1; name them with -s");
}

#[test]
#[ignore = "serves the folder named by SERVE until it is stopped, for measurements by hand"]
fn serve() {
    let folder = std::env::var("SERVE").expect("a folder");
    let wait: u64 = std::env::var("WAIT_MS").map_or(0, |text| text.parse().expect("milliseconds"));
    let server = Server::faulty(Path::new(&folder), move |_, _| {
        (wait > 0).then_some(Fault::Waits(std::time::Duration::from_millis(wait)))
    });
    println!("{}", server.url);
    loop {
        std::thread::sleep(std::time::Duration::from_mins(1));
        println!("{:?}", server.counts());
    }
}
