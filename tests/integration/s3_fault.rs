//! Buckets that answer wrongly, late or not at all: what can pass is tried again, the rest is said for what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::bucket::{Asked, Fault, KEY, SECRET, Server};
use crate::command::{Outcome, bedtrail};
use crate::corpus::Corpus;
use crate::program::put;
use crate::s3::{at, with};

const USAGE: [&str; 4] = ["report", "usage-by-role-model", "--format", "csv"];
const REFUSED: [&str; 4] = [
    "query",
    "SELECT log_object, reason FROM objects WHERE state = 'refused' ORDER BY log_object",
    "--format",
    "json",
];

fn corpus(folder: &Path) -> String {
    Corpus { files: 24, records: 10..=20, bedrock: 400, ..Corpus::new(91) }
        .write(folder)
        .expect("it can be written");
    bedtrail(USAGE).source(folder).run().exits(0).stdout
}

/// Which of `count` kinds a key is, evenly and always the same.
fn kind(asked: &Asked, count: u32) -> u32 {
    asked.key.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31) + u32::from(byte)) % count
}

/// The one refused object and why.
fn refused(ran: &Outcome) -> (String, String) {
    let document: Value = serde_json::from_str(&ran.stdout).expect("an answer");
    let rows = document["reports"][0]["rows"].as_array().expect("rows").clone();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let cell = |name: &str| rows[0][name].as_str().expect("text").to_owned();
    (cell("log_object"), cell("reason"))
}

#[test]
fn what_passes_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let expected = corpus(folder.path());
    // By turns, whatever comes first.
    let turns = Mutex::new(BTreeMap::new());
    let turn = move |key: &str| {
        let mut turns = turns.lock().expect("turns");
        let next = turns.len() % 7;
        *turns.entry(key.to_owned()).or_insert(next)
    };
    let server = Server::faulty(folder.path(), move |asked, earlier| match (asked.reads(), earlier) {
        (false, 1 | 3) => Some(Fault::Says(503, "SlowDown", "Please reduce your request rate.")),
        (true, 0) => match turn(&asked.key) {
            0 => Some(Fault::Says(503, "SlowDown", "Please reduce your request rate.")),
            1 => Some(Fault::Says(500, "InternalError", "We encountered an internal error.")),
            2 => Some(Fault::Resets(0)),
            3 => Some(Fault::Resets(100)),
            4 => Some(Fault::Shortens(100)),
            5 => Some(Fault::Waits(Duration::from_secs(2))),
            _ => None,
        },
        // Some go wrong more than once.
        (true, 1 | 2) if turn(&asked.key) == 3 => Some(Fault::Resets(200)),
        _ => None,
    });
    let ran = with(&server, &USAGE).args(["-s", &at("")]).run().exits(0);
    assert_eq!(ran.stdout, expected);
    // 28 objects, four of each kind: three kinds need one more try, one kind three more.
    let (_, reads) = server.counts();
    assert!(reads >= 28 + 4 * (1 + 1 + 1 + 3 + 1), "{reads}");
}

#[test]
fn what_cannot_be_read_is_a_row_of_the_ledger() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    corpus(folder.path());
    let kms = "User: arn:aws:sts::111122223333:assumed-role/audit/job is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:111122223333:key/1";
    for (fault, reason) in [
        (Fault::Says(403, "AccessDenied", "Access Denied"), "s3:GetObject is missing (Access Denied)"),
        (Fault::Says(403, "AccessDenied", kms), "kms:Decrypt is missing"),
        (Fault::Says(403, "InvalidObjectState", "GLACIER"), "is archived (GLACIER); restore it"),
        (Fault::Says(412, "PreconditionFailed", "no"), "was overwritten after it was listed"),
        (Fault::Says(404, "NoSuchKey", "gone"), "does not exist any more"),
        (Fault::Shortens(99), "99 of "),
    ] {
        let target = "_CloudTrail_";
        let first = std::sync::OnceLock::new();
        let wrong = fault.clone();
        let server = Server::faulty(folder.path(), move |asked, _| {
            (asked.key.contains(target) && first.get_or_init(|| asked.key.clone()) == &asked.key)
                .then(|| wrong.clone())
        });
        let ran = with(&server, &REFUSED).args(["-s", &at("")]).run().exits(3);
        let (name, why) = refused(&ran);
        assert!(name.starts_with(&at("AWSLogs/o-abc123/")), "{name}");
        assert!(why.contains(&name) && why.contains(reason), "{fault:?}: {why}");
        assert!(ran.stderr.contains(&format!("warning: {name} refused: ")), "{}", ran.stderr);
        assert_eq!(
            server
                .asked()
                .iter()
                .filter(|one| one.reads())
                .map(|one| &one.key)
                .collect::<BTreeSet<_>>()
                .len(),
            28
        );
    }
}

#[test]
fn a_prefix_that_is_closed_is_a_row_and_the_others_go_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    corpus(folder.path());
    let closed = std::fs::read_dir(folder.path().join("AWSLogs/o-abc123"))
        .expect("accounts")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("digits"))
        .min()
        .expect("an account");
    let prefix = format!("AWSLogs/o-abc123/{closed}/");
    let rule = prefix.clone();
    let server = Server::faulty(folder.path(), move |asked, _| {
        (asked.prefix() == rule).then_some(Fault::Says(403, "AccessDenied", "Access Denied"))
    });
    let ran = with(&server, &REFUSED).args(["-s", &at("")]).run().exits(3);
    let (name, why) = refused(&ran);
    assert_eq!(name, at(&prefix));
    assert_eq!(why, format!("access denied to {name}: s3:ListBucket is missing (Access Denied)"));
    // Asked for by itself, there is nothing to go on with.
    let ran = with(&server, &REFUSED).args(["-s", &at(&prefix)]).run().exits(4);
    assert!(ran.stderr.contains("s3:ListBucket is missing"), "{}", ran.stderr);
}

/// What a run says that cannot go on.
fn ends(server: &Server, more: &[&str], environment: &[(&str, &str)]) -> String {
    let mut run = with(server, &USAGE).args(more);
    for (name, value) in environment {
        run = run.env(name, value);
    }
    let ran = run.run().exits(4);
    assert_eq!(ran.stdout, "");
    ran.stderr.replace(&server.url, "URL")
}

#[test]
fn a_run_that_cannot_go_on_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    corpus(folder.path());
    let server = Server::over(folder.path());
    let source = ["-s", &at("")];
    insta::assert_snapshot!(ends(&server, &["-s", "s3://acme-lost"], &[]), @"error: there is no bucket acme-lost (asked in eu-central-1); check the name, and --aws-region if it is in GovCloud or China");
    insta::assert_snapshot!(ends(&server, &["-s", &at("nothing/here/")], &[]), @"
    error: no log object was found in s3://acme-logs/nothing/here/
    help: give the folder or prefix that holds AWSLogs, or CloudTrail's .json.gz files
    ");
    insta::assert_snapshot!(ends(&server, &source, &[("AWS_SECRET_ACCESS_KEY", "wrong")]), @"error: AWS rejects the credentials for s3://acme-logs/ (SignatureDoesNotMatch: without a reason); check the profile or keys, and --aws-region if the account is in GovCloud or China");
    insta::assert_snapshot!(ends(&server, &source, &[("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")]), @"error: AWS rejects the credentials for s3://acme-logs/ (NotSignedUp: Your account is not signed up); check the profile or keys, and --aws-region if the account is in GovCloud or China");
    insta::assert_snapshot!(ends(&server, &[&source[..], &["--aws-profile", "nobody"]].concat(), &[]), @"error: no AWS credentials in profile nobody: the files of AWS's configuration have no such profile with credentials; sign in (`aws sso login`), set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --aws-profile");
    // A profile that is named comes before keys of the environment.
    let config = format!("[profile audit]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    with(&server, &[&USAGE[..], &source, &["--aws-profile", "audit"]].concat())
        .env("AWS_SECRET_ACCESS_KEY", "wrong")
        .env("AWS_CONFIG_FILE", &put(elsewhere.path(), "config", config))
        .run()
        .exits(0);
    let says = |code: &'static str, status: u16| {
        Server::faulty(folder.path(), move |asked, _| {
            (asked.reads() && kind(asked, 5) == 0).then_some(Fault::Says(status, code, "words"))
        })
    };
    let cut = |text: String| text.split("AWSLogs/").next().unwrap_or_default().to_owned();
    insta::assert_snapshot!(cut(ends(&says("ExpiredToken", 400), &source, &[])), @"error: the AWS session expired while reading s3://acme-logs/");
    insta::assert_snapshot!(cut(ends(&says("RequestTimeTooSkewed", 403), &source, &[])), @"error: the clock of this machine differs too much from AWS's to sign a request for s3://acme-logs/");
    let ran = bedtrail(["report", "usage-by-role-model", "-s", "s3:///x"]).run().exits(2);
    insta::assert_snapshot!(ran.stderr, @"error: s3:///x names no bucket: write s3://bucket or s3://bucket/prefix");
}

#[test]
fn the_bucket_tells_its_region() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let expected = corpus(folder.path());
    let server = Server::faulty(folder.path(), |asked, _| {
        let signed = asked.headers.get("authorization").is_some_and(|text| text.contains("/eu-west-3/s3/"));
        (!signed).then_some(Fault::Elsewhere("eu-west-3"))
    });
    assert_eq!(with(&server, &USAGE).args(["-s", &at("")]).run().exits(0).stdout, expected);
    let wrong =
        server.asked().iter().filter(|asked| !asked.headers["authorization"].contains("/eu-west-3/")).count();
    assert_eq!(wrong, 1, "requests went to the wrong Region, and not only the first");
}

#[test]
fn every_request_says_who_pays_and_what_was_listed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let expected = corpus(folder.path());
    let server = Server::over(folder.path());
    let ran = with(&server, &USAGE).args(["-s", &at(""), "--requester-pays"]).run().exits(0);
    assert_eq!(ran.stdout, expected);
    let asked = server.asked();
    for one in asked.iter().filter(|one| one.method == "GET") {
        assert_eq!(one.headers.get("x-amz-request-payer").map(String::as_str), Some("requester"), "{one:?}");
        assert_eq!(one.headers.contains_key("if-match"), one.reads(), "{one:?}");
    }
    // One for the bucket, and one for whether it is a store.
    assert_eq!(asked.iter().filter(|one| one.method == "HEAD").count(), 2);
    let plain = with(&server, &USAGE).args(["-s", &at("AWSLogs")]).run().exits(0);
    assert_eq!(plain.stdout, expected);
    assert!(server.asked()[asked.len()..].iter().all(|one| !one.headers.contains_key("x-amz-request-payer")));
}

#[test]
fn one_key_needs_no_leave_to_list() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    corpus(folder.path());
    let server = Server::faulty(folder.path(), |asked, _| {
        (!asked.reads()).then_some(Fault::Says(403, "AccessDenied", "Access Denied"))
    });
    let key = Corpus { files: 24, records: 10..=20, bedrock: 400, ..Corpus::new(91) }.file(0).key;
    let expected = bedtrail(USAGE).source(folder.path().join(&key)).run().exits(0).stdout;
    assert_eq!(with(&server, &USAGE).args(["-s", &at(&key)]).run().exits(0).stdout, expected);
    let ran = with(&server, &USAGE).args(["-s", &at("")]).run().exits(4);
    assert!(ran.stderr.contains("s3:ListBucket is missing"), "{}", ran.stderr);
}
