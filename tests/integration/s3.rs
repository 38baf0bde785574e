//! Buckets give what the same files give locally, and cost no more requests than they must.

use std::path::Path;

use serde_json::{Value, json};

use crate::bucket::{BUCKET, KEY, SECRET, Server};
use crate::command::{Outcome, Run, bedtrail};
use crate::corpus::Corpus;
use crate::corpus::layout::Layout;
use crate::program::text;

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
    for prefix in
        ["trails", "trails/", "trails/second/AWSLogs/", "AWSLogs/o-abc1234567", "AWSLogs/222233334444/"]
    {
        let below = folder.path().join(prefix);
        if below.is_dir() {
            same(folder.path(), &server, "");
        }
    }
    // Sources that lie in each other are listed once.
    let usage = with(&server, &USAGE).args(["-s", &at("")]).run().exits(0).stdout;
    let (_, reads) = server.counts();
    let twice = with(&server, &USAGE)
        .args(["AWSLogs/", "", "trails/second"].map(|prefix| format!("-s{}", at(prefix))));
    assert_eq!(twice.run().exits(0).stdout, usage);
    assert_eq!(server.counts().1 - reads, 30);
}
