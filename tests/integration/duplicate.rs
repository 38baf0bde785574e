//! Counted once: copies, conflicts, superseded records, twins and copies in other accounts, whatever the order,
//! the number of threads or the memory.

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::corpus::Corpus;
use crate::corpus::store::gzip;
use crate::odd::{call, document};
use crate::program::{Answer, ask, int, put, text};
use crate::store::{collect, same};
use crate::truth::ledger;

const ROWS: &str =
    "SELECT log_object, log_index, event_id, record_kind FROM events ORDER BY log_object, log_index";

/// (file, index) of every row of events.
fn survivors(arguments: &[&str]) -> Vec<(String, u64)> {
    let answer = ask(ROWS, arguments);
    let file = |row: &Value| {
        row["log_object"].as_str().map(|name| name.rsplit(['/', '\\']).next().map(str::to_owned))
    };
    answer.rows.iter().map(|row| (file(row).flatten().expect("a name"), int(row, "log_index"))).collect()
}

fn sum(answer: &Answer, column: &str) -> u64 {
    answer.rows.iter().map(|row| int(row, column)).sum()
}

fn at(places: &[(&str, u64)]) -> Vec<(String, u64)> {
    places.iter().map(|(name, index)| ((*name).to_owned(), *index)).collect()
}

/// A record with these members changed, added or (null) taken away.
fn altered(record: &str, changes: &Value) -> String {
    let mut record: Value = serde_json::from_str(record).expect("JSON");
    let members = record.as_object_mut().expect("an object");
    for (key, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            members.remove(key);
        } else {
            members.insert(key.clone(), value.clone());
        }
    }
    record.to_string()
}

#[test]
fn copies_in_files_and_regions_count_once_and_the_first_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (one, two) = (call(1, &[]), call(2, &[]));
    let pretty: Value = serde_json::from_str(&one).expect("JSON");
    let pretty = serde_json::to_string_pretty(&pretty).expect("to memory");
    let path =
        |region: &str, name: &str| format!("AWSLogs/111122223333/CloudTrail/{region}/2026/10/05/{name}");
    put(
        folder.path(),
        &path("us-east-1", "c.json.gz"),
        gzip(document(&[two.clone(), one.clone()]).as_bytes(), 6),
    );
    put(
        folder.path(),
        &path("eu-central-1", "b.json.gz"),
        gzip(document(std::slice::from_ref(&one)).as_bytes(), 6),
    );
    put(folder.path(), &path("us-east-1", "d.json"), document(&[pretty]));
    put(folder.path(), "x/lines.ndjson", format!("{one}\n{one}\n"));
    let lookup = json!({"Events": [{"EventId": "x", "CloudTrailEvent": one}]}).to_string();
    put(folder.path(), "x/lookup.json", lookup);
    let source = ["-s", text(folder.path())];
    assert_eq!(survivors(&source), at(&[("b.json.gz", 0), ("c.json.gz", 0)]));
    let answer = ledger(&source);
    assert_eq!(answer.code, 0);
    assert_eq!((sum(&answer, "kept"), sum(&answer, "duplicate"), sum(&answer, "conflicts")), (2, 5, 0));
    let duplicates: Vec<u64> = answer.rows.iter().map(|row| int(row, "duplicate")).collect();
    assert_eq!(duplicates, [0, 1, 1, 2, 1]);
}

#[test]
fn one_id_with_two_contents_stays_twice_and_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let one = call(1, &[]);
    let other = altered(&one, &json!({"sourceIPAddress": "198.51.100.7"}));
    put(folder.path(), "a.json", document(&[one.clone(), other.clone()]));
    put(folder.path(), "b.json", document(&[other, one]));
    let source = ["-s", text(folder.path())];
    assert_eq!(survivors(&source), at(&[("a.json", 0), ("a.json", 1)]));
    let answer = ledger(&source);
    assert_eq!((sum(&answer, "kept"), sum(&answer, "duplicate"), sum(&answer, "conflicts")), (2, 2, 2));
    assert!(answer.footer.iter().any(|line| line.contains("share an event id")), "{:?}", answer.footer);
}

#[test]
fn a_copy_with_its_members_in_another_order_is_a_copy() {
    /// The members the other way round, at every level.
    fn reversed(value: &Value) -> String {
        let Some(members) = value.as_object() else { return value.to_string() };
        let members = members.iter().rev().map(|(key, value)| format!("{key:?}: {}", reversed(value)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (one, none) = (call(1, &[]), altered(&call(2, &[]), &json!({"eventID": null})));
    let again = [&one, &none].map(|record| reversed(&serde_json::from_str(record).expect("JSON")));
    assert!(again[0].find("userIdentity") < again[0].find("eventID"), "{}", again[0]);
    put(folder.path(), "a.json", document(&[one, none]));
    put(folder.path(), "b.json", document(&again));
    let source = ["-s", text(folder.path())];
    assert_eq!(survivors(&source), at(&[("a.json", 0), ("a.json", 1)]));
    let answer = ledger(&source);
    assert_eq!((sum(&answer, "kept"), sum(&answer, "duplicate"), sum(&answer, "conflicts")), (2, 2, 0));
}

#[test]
fn records_without_an_id_are_told_by_their_content() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let without = |id: u32, empty: bool| {
        let id_or_none = if empty { json!({"eventID": ""}) } else { json!({"eventID": null}) };
        altered(&call(id, &[]), &id_or_none)
    };
    put(folder.path(), "a.json", document(&[without(1, false), without(2, false), without(1, true)]));
    put(folder.path(), "b.json", document(&[without(2, false)]));
    let source = ["-s", text(folder.path())];
    assert_eq!(survivors(&source), at(&[("a.json", 0), ("a.json", 1), ("a.json", 2)]));
}

#[test]
fn ids_in_other_letters_are_other_ids() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ids = [
        "abcdef00-0000-4000-8000-000000000001",
        "ABCDEF00-0000-4000-8000-000000000001",
        "abcdef00-0000-4000-8000-000000000001 ",
        "abcdef0000004000-8000-000000000001",
        "x",
    ];
    let records: Vec<String> = ids.iter().map(|id| altered(&call(1, &[]), &json!({"eventID": id}))).collect();
    let source = put(folder.path(), "a.json", document(&records));
    assert_eq!(survivors(&["-s", &source]).len(), ids.len());
}

#[test]
fn an_updated_record_takes_the_place_of_the_first() {
    let original = call(1, &[]);
    let id = "00000000-0000-4000-8000-000000000001";
    let addendum =
        |reason: &str| json!({"reason": reason, "updatedFields": "responseElements", "originalEventID": id});
    let update = altered(
        &call(2, &[]),
        &json!({"addendum": addendum("UPDATED_DATA"), "responseElements": {"late": 1}}),
    );
    let delayed = altered(&call(3, &[]), &json!({"addendum": addendum("DELIVERY_DELAY")}));
    // The order of files does not matter, nor how often the records were delivered.
    for (first, second) in [("a.json", "b.json"), ("b.json", "a.json")] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put(folder.path(), first, document(&[original.clone(), delayed.clone()]));
        put(folder.path(), second, document(&[update.clone(), original.clone(), update.clone()]));
        let source = ["-s", text(folder.path())];
        let mut expected = at(&[(first, 1), (second, 0)]);
        expected.sort();
        assert_eq!(survivors(&source), expected);
        let answer = ledger(&source);
        assert_eq!((sum(&answer, "kept"), sum(&answer, "superseded"), sum(&answer, "duplicate")), (2, 2, 1));
        assert!(answer.footer.iter().any(|line| line.contains("+ 2 superseded")), "{:?}", answer.footer);
    }
}

#[test]
fn an_update_that_names_itself_is_not_lost() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let id = "00000000-0000-4000-8000-000000000001";
    let update = altered(
        &call(1, &[]),
        &json!({"addendum": {"reason": "UPDATED_DATA", "originalEventID": id}, "responseElements": {"late": 1}}),
    );
    put(folder.path(), "a.json", document(&[call(1, &[])]));
    put(folder.path(), "b.json", document(&[update]));
    assert_eq!(survivors(&["-s", text(folder.path())]), at(&[("b.json", 0)]));
    let only = folder.path().join("b.json");
    assert_eq!(survivors(&["-s", text(&only)]), at(&[("b.json", 0)]));
}

/// An update of the call with one number under the id of another, at a minute of noon.
pub fn update(id: u32, of: u32, minute: u32) -> String {
    let addendum = json!({"reason": "UPDATED_DATA", "originalEventID": format!("00000000-0000-4000-8000-{of:012x}"), "originalRequestID": "r"});
    let time = format!("2026-10-05T12:{minute:02}:00Z");
    altered(&call(id, &[]), &json!({"addendum": addendum, "eventTime": time}))
}

/// Updates that name each other are one call: the latest stays, of equal times the one of the larger id, whatever files
/// they lie in and in whatever order those are read or collected.
#[test]
fn updates_in_a_ring_leave_the_latest() {
    /// An update's number, that of the record it names, and its minute.
    type Link = (u32, u32, u32);
    let cases: [(&[Link], u32); 7] = [
        (&[(2, 1, 0), (3, 2, 0)], 3),
        (&[(1, 2, 5), (2, 1, 3)], 1),
        (&[(1, 2, 3), (2, 1, 3)], 2),
        (&[(1, 2, 1), (2, 3, 9), (3, 1, 2)], 2),
        (&[(1, 2, 7), (2, 3, 1), (3, 4, 2), (4, 1, 3)], 1),
        // A ring that something else supersedes is gone, and what it names beside itself is, too.
        (&[(1, 2, 7), (2, 1, 8), (3, 1, 0)], 3),
        (&[(1, 2, 7), (2, 1, 8), (1, 9, 7)], 2),
    ];
    for (updates, stays) in cases {
        for turn in 0..updates.len() {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
            let mut order = updates.to_vec();
            order.rotate_left(turn);
            put(&logs, "a.json", document(&[call(9, &[("eventTime", "\"2026-10-05T11:00:00Z\"")])]));
            for (at, (id, of, minute)) in order.into_iter().enumerate() {
                put(&logs, &format!("{at}.json"), document(&[update(id, of, minute)]));
                if turn % 2 == 1 {
                    collect(&logs, &store);
                }
            }
            collect(&logs, &store);
            let mut expected = vec![json!({"event_id": format!("00000000-0000-4000-8000-{stays:012x}")})];
            let other = json!({"event_id": "00000000-0000-4000-8000-000000000009"});
            expected.extend((!updates.iter().any(|(_, of, _)| *of == 9)).then_some(other));
            let superseded = updates.len() + 1 - expected.len();
            for source in [&logs, &store] {
                let answer = ask("SELECT event_id FROM usage ORDER BY event_id", &["-s", text(source)]);
                assert_eq!(answer.rows, expected, "{updates:?} {turn} {}", source.display());
                let told = format!("+ {superseded} superseded");
                assert!(answer.footer.iter().any(|line| line.contains(&told)), "{:?}", answer.footer);
            }
            same(&logs, &store, &["--from", "2026-10-05T12:02:00Z", "--to", "2026-10-05T12:08:00Z"]);
        }
    }
}

/// An event of the service that tells of the call number 1.
pub fn twin(id: u32, input: u64) -> String {
    altered(
        &call(id, &[]),
        &json!({
            "eventType": "AwsServiceEvent",
            "requestID": null,
            "userIdentity": {"accountId": "111122223333", "invokedBy": "bedrock.amazonaws.com"},
            "requestParameters": null,
            "serviceEventDetails": {
                "parentRequestId": "00000000-0000-4000-9000-000000000001",
                "AdditionalEventData": {"additionalEntries": {"inputTokens": input, "outputTokens": 5}},
            },
        }),
    )
}

#[test]
fn what_is_said_of_token_counts_is_what_usage_has() {
    let (request, failed) = ("00000000-0000-4000-9000-000000000001", json!("ModelStreamErrorException"));
    let ok = |id: u32| altered(&call(id, &[]), &json!({ "requestID": request }));
    let bad = |id: u32| altered(&call(id, &[]), &json!({ "requestID": request, "errorCode": failed }));
    let own =
        |id: u32| altered(&ok(id), &json!({"additionalEventData": {"inputTokens": 7, "outputTokens": 1}}));
    // The first record of a request has the twin's tokens, or the one that has some of its own: it may be one that failed.
    for (records, known, verdict) in [
        (vec![bad(2), ok(3), twin(4, 9)], 0, "not_assessed"),
        (vec![ok(2), bad(3), twin(4, 9)], 1, "seen"),
        (vec![ok(2), ok(3), twin(4, 9)], 1, "partly"),
        (vec![ok(2), own(3), twin(4, 9)], 1, "partly"),
        (vec![ok(2), twin(4, 9)], 1, "seen"),
        (vec![bad(2), twin(4, 9)], 0, "not_seen"),
        (vec![ok(2)], 0, "not_assessed"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put(folder.path(), "a.json", document(&records));
        let source = ["-s", text(folder.path())];
        let usage = ask("SELECT COUNT(token_source) AS known FROM usage WHERE outcome = 'ok'", &source).rows;
        assert_eq!(int(&usage[0], "known"), known, "{records:?}");
        let told = bedtrail(["report", "not-assessed", "--format", "json"]).args(source).run().json();
        let rows = told["reports"][0]["rows"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["topic"] == "token counts").expect("a line");
        assert_eq!((&row["verdict"], int(row, "seen_events")), (&json!(verdict), known), "{records:?}");
    }
}

#[test]
fn a_twin_gives_its_tokens_once_and_is_no_call() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let own = altered(&call(4, &[]), &json!({"additionalEventData": {"inputTokens": 7, "outputTokens": 1}}));
    let none = call(5, &[]);
    put(folder.path(), "a.json", document(&[call(1, &[]), twin(2, 100), own, none]));
    // The same twin delivered again, and another that says less.
    put(folder.path(), "b.json", document(&[twin(2, 100), twin(3, 60)]));
    let source = ["-s", text(folder.path())];
    let rows = ask(
        "SELECT event_id, input_tokens, output_tokens, token_source FROM usage ORDER BY event_id",
        &source,
    )
    .rows;
    let cells: Vec<_> =
        rows.iter().map(|row| (&row["input_tokens"], &row["output_tokens"], &row["token_source"])).collect();
    let (twin_says, own_says) = (json!("service_event"), json!("cloudtrail"));
    assert_eq!(
        cells,
        [
            (&json!(100), &json!(5), &twin_says),
            (&json!(7), &json!(1), &own_says),
            (&Value::Null, &Value::Null, &Value::Null)
        ]
    );
    let answer = ledger(&source);
    assert_eq!(
        (sum(&answer, "api_calls"), sum(&answer, "service_events"), sum(&answer, "duplicate")),
        (3, 2, 1)
    );
}

#[test]
fn summaries_and_insights_are_never_calls() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let records = [
        call(1, &[]),
        altered(&call(2, &[]), &json!({"eventCategory": "Aggregated"})),
        altered(&call(3, &[]), &json!({"eventType": "AwsAggregatedEvent"})),
        altered(&call(4, &[]), &json!({"eventCategory": "Insight"})),
        altered(&call(5, &[]), &json!({"eventType": "AwsCloudTrailInsight"})),
        altered(&call(6, &[]), &json!({"eventType": "AwsVpceEvents", "eventCategory": "NetworkActivity"})),
    ];
    let source = put(folder.path(), "a.json", document(&records));
    assert_eq!(ask("SELECT event_id FROM usage", &["-s", &source]).rows.len(), 1);
    let answer = ledger(&["-s", &source]);
    let row = &answer.rows[0];
    assert_eq!(
        (int(row, "kept"), int(row, "aggregated"), int(row, "insight"), int(row, "network_activity")),
        (2, 2, 2, 1)
    );
}

#[test]
fn a_copy_in_another_account_is_no_second_call() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shared = json!({"sharedEventID": "5ea7ed00-0000-4000-8000-000000000000"});
    let original = altered(&call(1, &[]), &shared);
    let copy = altered(&altered(&call(2, &[]), &shared), &json!({"recipientAccountId": "444455556666"}));
    let source = put(folder.path(), "a.json", document(&[copy, original]));
    let rows = ask("SELECT account_id FROM usage", &["-s", &source]).rows;
    assert_eq!(rows, [json!({"account_id": "111122223333"})]);
    assert_eq!(int(&ledger(&["-s", &source]).rows[0], "shared_copies"), 1);
}

#[test]
fn a_caller_without_an_account_makes_one_call_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shared = json!({
        "sharedEventID": "5ea7ed00-0000-4000-8000-000000000000",
        "userIdentity": {"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"},
        "resources": [{"type": "AWS::IAM::Role", "ARN": "arn:aws:iam::444455556666:role/x", "accountId": "444455556666"}],
    });
    let owners = altered(&altered(&call(1, &[]), &shared), &json!({"recipientAccountId": "444455556666"}));
    let other = altered(&call(2, &[]), &shared);
    let source = put(folder.path(), "a.json", document(&[other, owners]));
    let rows = ask("SELECT account_id FROM usage", &["-s", &source]).rows;
    assert_eq!(rows, [json!({"account_id": "444455556666"})]);
    assert_eq!(int(&ledger(&["-s", &source]).rows[0], "shared_copies"), 1);
}

#[test]
fn threads_do_not_choose_who_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let corpus = Corpus { files: 24, records: 30..=30, bedrock: 500, hostile: true, ..Corpus::new(71) };
    corpus.write(folder.path()).expect("it can be written");
    corpus.write(&folder.path().join("again")).expect("it can be written");
    let at = |threads: &str| ask(ROWS, &["-s", text(folder.path()), "--threads", threads]).rows;
    let one = at("1");
    assert!(one.len() > 200);
    for threads in ["4", "4", "2", "16"] {
        assert!(at(threads) == one, "{threads} threads give other rows");
    }
}

#[test]
fn rows_that_do_not_fit_into_memory_give_the_same_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).expect("a folder");
    let logs = folder.path().join("logs");
    for file in 0..26u32 {
        // Every file repeats a part of the one before it.
        let records: Vec<String> = (file * 1800..file * 1800 + 2000).map(|id| call(id, &[])).collect();
        put(&logs, &format!("{file:02}.json.gz"), gzip(document(&records).as_bytes(), 1));
    }
    // Every column is read somewhere, so that there is much to hold.
    let sums = "SELECT COUNT(*) AS calls, CAST(SUM(log_index) AS BIGINT) AS places, MAX(user_agent) AS agent, \
        MAX(tls_version) AS tls, COUNT(principal) AS principals, MIN(event_time) AS first, MAX(request_parameters) AS parameters, \
        MAX(user_identity) AS identity, MIN(event_id) AS id, MAX(request_id) AS request FROM events";
    let per_object = "SELECT log_object, COUNT(*) AS calls, MIN(log_index) AS first, MAX(event_id) AS last FROM events \
        GROUP BY log_object ORDER BY log_object";
    let temp = ["--temp-dir", text(&scratch), "-s", text(&logs)];
    for sql in [sums, per_object] {
        let large = ask(sql, &[&temp[..], &["--memory-limit", "512M"]].concat());
        let small = ask(sql, &[&temp[..], &["--memory-limit", "4M"]].concat());
        assert!(large.rows == small.rows, "{sql}");
        let kept = format!("= {} kept + 0 not ours + 0 out of range + 5000 duplicate", 26 * 1800 + 200);
        assert!(large.footer.iter().any(|line| line.contains(&kept)), "{:?}", large.footer);
        assert_eq!((large.footer, 0), (small.footer, small.code));
        assert_eq!(std::fs::read_dir(&scratch).expect("a folder").count(), 0, "the temporary folder stays");
    }
}

#[test]
fn an_export_that_does_not_fit_into_memory_is_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (scratch, logs) = (folder.path().join("scratch"), folder.path().join("logs"));
    std::fs::create_dir(&scratch).expect("a folder");
    for file in 0..4u32 {
        let records: Vec<String> = (file * 1500..file * 1500 + 1500).map(|id| call(id, &[])).collect();
        put(&logs, &format!("{file}.json.gz"), gzip(document(&records).as_bytes(), 1));
    }
    for question in [&["query", "SELECT * FROM events"][..], &["report", "population"]] {
        let export = |memory: &str| {
            let words = [
                "--format",
                "csv",
                "--memory-limit",
                memory,
                "--temp-dir",
                text(&scratch),
                "-s",
                text(&logs),
            ];
            bedtrail(question).args(words).run().exits(0).stdout
        };
        let large = export("512M");
        assert_eq!(large.lines().count(), 6001);
        assert!(large == export("3M"), "{question:?}");
        assert_eq!(std::fs::read_dir(&scratch).expect("a folder").count(), 0, "the temporary folder stays");
    }
}
