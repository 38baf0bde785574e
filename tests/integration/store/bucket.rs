//! Collecting from a bucket.

use crate::bucket::Server;
use crate::command::bedtrail;
use crate::corpus::Corpus;
use crate::corpus::store::write_file;
use crate::program::text;
use crate::s3::{at, with};

const USAGE: &str = "SELECT * FROM events ORDER BY event_id, log_object, log_index";

#[test]
fn a_bucket_is_collected_once_and_again_for_a_listing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
    let corpus = Corpus { files: 8, records: 20..=30, bedrock: 300, ..Corpus::new(91) };
    for index in 0..6 {
        write_file(&logs, &corpus.file(index), 1).expect("a file");
    }
    let collect = |from: bool| {
        let server = Server::over(&logs);
        let first: &[&str] = if from { &["--from", "2026-09-01"] } else { &[] };
        let run = with(&server, &["collect", "--store", text(&store), "-s", &at("")]).args(first);
        let ran = run.run();
        (ran, server.counts().1)
    };
    let (refused, reads) = collect(false);
    refused.exits(2).says("needs --from");
    assert_eq!(reads, 0);
    let (ran, reads) = collect(true);
    ran.exits(0).says("6 new objects");
    assert_eq!(reads, 6);
    let (ran, reads) = collect(false);
    ran.exits(0).says(" 0 new objects").says("6 objects were known");
    assert_eq!(reads, 0);
    for index in 6..8 {
        write_file(&logs, &corpus.file(index), 1).expect("a file");
    }
    let (ran, reads) = collect(false);
    ran.exits(0).says("2 new objects");
    assert_eq!(reads, 2);
    let server = Server::over(&logs);
    let dry = with(&server, &["collect", "--dry-run", "--store", text(&store), "-s", &at("")]).run().exits(0);
    assert!(
        dry.stdout.contains("0 objects to read") && dry.stdout.contains("LIST and 0 GET"),
        "{}",
        dry.stdout
    );
    let anew = with(&server, &["query", USAGE, "--format", "csv", "-s", &at("")]).run().exits(0).stdout;
    let kept = bedtrail(["query", USAGE, "--format", "csv", "--store", text(&store)]).run().exits(0).stdout;
    assert!(anew.lines().count() > 20);
    assert_eq!(anew, kept);
}
