//! `event`: one record, as it was logged.

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::odd::{call, document};
use crate::program::{put, text};

fn id(record: &str) -> String {
    let record: Value = serde_json::from_str(record).expect("JSON");
    record["eventID"].as_str().expect("an id").to_owned()
}

#[test]
fn a_record_is_read_again_from_its_object() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut hostile: Value = serde_json::from_str(&call(7, &[])).expect("JSON");
    hostile["requestParameters"]["requestMetadata"] = json!({"who": "secret \u{1b}[31m"});
    let hostile = hostile.to_string();
    put(folder.path(), "logs/a.json", document(&[call(5, &[]), call(6, &[]), hostile.clone()]));
    let logs = folder.path().join("logs");
    let shown = |id: &str, more: &[&str]| bedtrail(["event", id]).source(&logs).args(more).run();
    let seven = id(&hostile);

    let ran = shown(&seven, &[]).exits(0);
    assert!(!ran.stdout.contains("secret") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    let record = &ran.json()["records"][0];
    assert_eq!(record["log_index"], 2);
    assert_eq!(record["record"]["eventID"], seven.as_str());
    assert_eq!(record["columns"]["event_id"], seven.as_str());
    assert!(record["log_object"].as_str().expect("a name").ends_with("a.json"));
    assert!(shown(&seven, &["--keep-content"]).exits(0).stdout.contains("secret"));

    let common: String =
        seven.chars().zip(id(&call(5, &[])).chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    shown(&common, &[]).exits(2).says("may be any of these").says(&seven);
    shown("no-such-id", &[]).exits(4).says("no event of the trail has the id");
    shown("' OR 1 = 1 --", &[]).exits(4);

    let store = folder.path().join("store");
    bedtrail(["collect", "--store", text(&store)]).source(&logs).run().exits(0);
    let from_store = bedtrail(["event", &seven]).source(&store).run().exits(0).json();
    assert_eq!(from_store["records"][0]["record"], *record.get("record").expect("a record"));
    put(folder.path(), "logs/a.json", document(&[call(5, &[]), call(6, &[]), call(8, &[])]));
    let changed = bedtrail(["event", &seven]).source(&store).run().exits(3).says("the object was changed");
    assert_eq!(changed.json()["records"][0]["record"], Value::Null);
    assert_eq!(changed.json()["records"][0]["columns"]["event_id"], seven.as_str());
}
