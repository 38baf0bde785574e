//! The generator itself: what it promises to those who compare with it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::corpus::broken::{self, Expect};
use crate::corpus::layout::Layout;
use crate::corpus::{Corpus, File};

fn files(corpus: &Corpus) -> Vec<File> {
    (0..corpus.files).map(|index| corpus.file(index)).chain(corpus.side()).collect()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn ours(record: &Value) -> bool {
    let source = record["eventSource"].as_str().unwrap_or_default();
    ["bedrock", "bedrock-mantle", "bedrock-agentcore"]
        .iter()
        .any(|service| source == format!("{service}.amazonaws.com"))
}

/// Reads the files with a plain parser, and checks the truth about them against what it finds.
fn check(corpus: &Corpus) {
    let (mut seen, mut kept, mut duplicate, mut invocations) = (0, 0, 0, 0);
    let mut ids = BTreeMap::<String, Value>::new();
    let truth = corpus.truth();
    for file in files(corpus) {
        let document: Value = serde_json::from_str(&file.text).expect("valid JSON");
        assert!(depth(&document) <= 100, "{}", file.key);
        let Some(records) = document["Records"].as_array() else { continue };
        for record in records {
            seen += 1;
            assert!(record.to_string().len() < 256 * 1024, "a record is too large");
            if !ours(record) || record["eventCategory"] == "Aggregated" {
                continue;
            }
            if let Some(first) = ids.insert(record["eventID"].to_string(), record.clone()) {
                assert!(&first == record, "one id, two contents: {}", record["eventID"]);
                duplicate += 1;
                continue;
            }
            kept += 1;
            let call = record["eventType"] == "AwsApiCall"
                && (record["sharedEventID"].is_null()
                    || record["userIdentity"]["accountId"] == record["recipientAccountId"]);
            let name = record["eventName"].as_str().unwrap_or_default();
            let invokes = name.starts_with("InvokeModel") || name.starts_with("Converse");
            invocations += u64::from(call && (invokes || name == "CreateInference"));
        }
    }
    assert_eq!(truth.records.seen, seen);
    assert_eq!(truth.records.kept, kept);
    assert_eq!(truth.records.duplicate, duplicate);
    assert_eq!(truth.calls.values().map(|tally| tally.calls).sum::<u64>(), invocations);
}

#[test]
fn the_truth_is_what_a_plain_parser_finds() {
    check(&Corpus { files: 12, records: 60..=80, bedrock: 300, ..Corpus::new(1) });
    check(&Corpus { layout: Layout::Account, files: 6, ..Corpus::new(2) });
    check(&Corpus::small(3, 60));
}

#[test]
fn hostile_records_are_valid_and_say_the_same() {
    check(&Corpus { files: 12, records: 60..=80, bedrock: 300, hostile: true, ..Corpus::new(4) });
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let corpus = Corpus { files: 4, hostile: true, bedrock: 200, ..Corpus::new(5) };
    for (first, second) in files(&corpus).iter().zip(files(&corpus)) {
        assert_eq!((&first.key, &first.text), (&second.key, &second.text));
    }
}

#[test]
fn what_is_written_to_disk_is_what_is_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = Corpus { files: 6, records: 20..=20, ..Corpus::new(6) };
    let truth = corpus.write(folder.path()).expect("it can be written");
    assert_eq!(truth, corpus.truth());
    let text = serde_json::to_string(&truth).expect("to memory");
    assert_eq!(truth, serde_json::from_str(&text).expect("its own text"));
    assert_eq!(truth.objects["cloudtrail"], 6);
}

#[test]
fn odd_objects_have_names_of_their_own_and_bombs_are_small() {
    let odd = broken::odd(7);
    let names: BTreeMap<&str, &Expect> = odd.iter().map(|odd| (odd.name, &odd.expect)).collect();
    assert_eq!(names.len(), odd.len());
    for one in odd {
        assert!(one.bytes.len() < 300_000, "{}", one.name);
        assert!(one.expect != Expect::Refused || one.truth.records.seen == 0, "{}", one.name);
    }
}
