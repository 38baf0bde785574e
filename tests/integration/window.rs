//! What is asked for: windows to the microsecond, names that prune, accounts and Regions, and every way to name a
//! source.

use std::path::Path;

use serde_json::{Value, json};

use crate::command::bedtrail;
use crate::corpus::random::Random;
use crate::corpus::store::gzip;
use crate::duplicate::twin;
use crate::odd::{call, document};
use crate::program::{Answer, ask, ask_with, int, put, text};
use crate::store::{collect, same};
use crate::truth::{balanced, ledger};

const IDS: &str = "SELECT event_id FROM events ORDER BY event_id";

/// The numbers of the events found.
fn found(arguments: &[&str]) -> Vec<u32> {
    numbers(&ask(IDS, arguments))
}

fn numbers(answer: &Answer) -> Vec<u32> {
    let number = |row: &serde_json::Value| {
        let id = row["event_id"].as_str()?;
        u32::from_str_radix(id.rsplit('-').next()?, 16).ok()
    };
    answer.rows.iter().map(|row| number(row).expect("an id of ours")).collect()
}

fn timed(number: u32, time: &str) -> String {
    call(number, &[("eventTime", &format!("{time:?}"))])
}

#[test]
fn a_window_is_half_open_to_the_microsecond() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let records = [
        timed(1, "2026-10-04T23:59:59.999999Z"),
        timed(2, "2026-10-05T00:00:00Z"),
        timed(3, "2026-10-05T00:00:00.000001Z"),
        timed(4, "2026-10-05T23:59:59.999999Z"),
        timed(5, "2026-10-06T00:00:00.000000Z"),
        // The same instants with an offset, and with digits beyond microseconds.
        timed(6, "2026-10-05T02:00:00+02:00"),
        timed(7, "2026-10-05T23:59:59.9999999Z"),
        timed(8, "2026-10-05T22:00:00-02:00"),
        call(9, &[("eventTime", "\"2026-10-05T00:00:00Z\""), ("eventSource", "\"ec2.amazonaws.com\"")]),
    ];
    let source = put(folder.path(), "a.json", document(&records));
    let at = |from: &str, to: &str| found(&["-s", &source, "--from", from, "--to", to]);
    assert_eq!(at("2026-10-05", "2026-10-06"), [2, 3, 4, 6, 7]);
    assert_eq!(at("2026-10-05T00:00:00Z", "2026-10-05T23:59:59Z"), [2, 3, 6]);
    assert_eq!(at("2026-10-05T00:00:00.000001Z", "2026-10-06T00:00:00.000001Z"), [3, 4, 5, 7, 8]);
    assert_eq!(found(&["-s", &source, "--from", "2026-10-06"]), [5, 8]);
    assert_eq!(found(&["-s", &source, "--to", "2026-10-05"]), [1]);
    assert_eq!(found(&["-s", &source, "--from", "1d", "--now", "2026-10-07T00:00:00Z"]), [5, 8]);
    let answer = ledger(&["-s", &source, "--from", "2026-10-05", "--to", "2026-10-06"]);
    let row = &answer.rows[0];
    assert_eq!((int(row, "kept"), int(row, "out_of_range"), int(row, "not_ours")), (5, 3, 1));
    assert_eq!(answer.code, 0);
    let empty = bedtrail(["query", IDS, "-s", &source, "--from", "2026-10-06", "--to", "2026-10-06"]).run();
    assert_eq!((empty.code, empty.stdout.as_str()), (2, ""), "{}", empty.stderr);
}

/// Files published on ten days around the window, each with one event of 5 October 2026.
fn days(root: &Path) {
    for day in 1..=20u32 {
        let name = format!(
            "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/10/{day:02}/111122223333_CloudTrail_eu-central-1_202610{day:02}T0005Z_abcdefghijklmnop.json.gz"
        );
        put(root, &name, gzip(document(&[call(day, &[])]).as_bytes(), 1));
    }
}

#[test]
fn files_are_passed_over_only_if_their_day_cannot_hold_the_window() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    days(folder.path());
    let window = ["-s", text(folder.path()), "--from", "2026-10-05", "--to", "2026-10-06"];
    let with = |late: &str| ask(IDS, &[&window[..], &["--late-days", late]].concat());
    // From the day before the window, as clocks differ, to so many days after its end.
    assert_eq!(numbers(&with("7")), (4..=12).collect::<Vec<_>>());
    assert_eq!(numbers(&with("0")), [4, 5]);
    assert_eq!(numbers(&with("1")), [4, 5, 6]);
    assert_eq!(numbers(&with("400")), (4..=20).collect::<Vec<_>>());
    assert_eq!(numbers(&ask(IDS, &window)), (4..=12).collect::<Vec<_>>(), "seven days unless said otherwise");
    let line = &with("7").footer[0];
    assert_eq!(line, "9 objects read, 11 pruned by account, Region or day.");
    // In the middle of a day, that day is read.
    let part = [
        "-s",
        text(folder.path()),
        "--from",
        "2026-10-05T12:00:00Z",
        "--to",
        "2026-10-05T12:00:01Z",
        "--late-days",
        "0",
    ];
    assert_eq!(found(&part), [4, 5]);
    let nothing = bedtrail(["query", IDS, "-s", text(folder.path()), "--from", "2027-01-01"]).run();
    assert_eq!(nothing.code, 4);
    assert!(nothing.stderr.contains("outside"), "{}", nothing.stderr);
}

#[test]
fn accounts_and_regions_are_those_of_name_and_record() {
    for organisation in ["", "o-abc1234567/"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut number = 0;
        for account in ["111122223333", "444455556666"] {
            for region in ["eu-central-1", "us-east-1"] {
                number += 1;
                let record = call(
                    number,
                    &[("recipientAccountId", &format!("{account:?}")), ("awsRegion", &format!("{region:?}"))],
                );
                let name = format!(
                    "p/AWSLogs/{organisation}{account}/CloudTrail/{region}/2026/10/05/{account}_CloudTrail_{region}_20261005T1205Z_x.json.gz"
                );
                put(folder.path(), &name, gzip(document(std::slice::from_ref(&record)).as_bytes(), 1));
                // A name that shows nothing is read, and its records judged.
                put(folder.path(), &format!("flat/{number}.json"), document(&[record]));
            }
        }
        let source = ["-s", text(folder.path())];
        let with = |more: &[&str]| ask(IDS, &[&source[..], more].concat());
        assert_eq!(numbers(&with(&[])), [1, 2, 3, 4]);
        let one = with(&["--account", "444455556666"]);
        assert_eq!(
            (numbers(&one), one.footer[0].as_str()),
            (vec![3, 4], "6 objects read, 2 pruned by account, Region or day.")
        );
        assert!(
            one.footer[1].contains("6 records seen = 2 kept + 0 not ours + 2 out of range + 2 duplicate"),
            "{one:?}"
        );
        assert_eq!(numbers(&with(&["--region", "us-east-1"])), [2, 4]);
        assert_eq!(numbers(&with(&["--region", "us-east-1", "--account", "111122223333"])), [2]);
        assert_eq!(numbers(&with(&["--account", "111122223333", "--account", "444455556666"])), [1, 2, 3, 4]);
        assert_eq!(numbers(&with(&["--region", "ap-south-1"])), Vec::<u32>::new());
    }
}

#[test]
fn an_account_is_the_same_in_column_choice_and_policy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let policy = "schema = 1\nname = \"x\"\nversion = \"1\"\n[[environment]]\nname = \"prod\"\naccounts = [\"444455556666\"]\n";
    let policy = put(folder.path(), "policy.toml", policy);
    let caller = ("userIdentity.accountId", "\"444455556666\"");
    let anonymous = ("userIdentity.accountId", "\"anonymous\"");
    let resources = ("resources", r#"[{"ARN":"arn:aws:bedrock:eu-central-1:444455556666:prompt/p"}]"#);
    let (absent, empty) = (("recipientAccountId", "null"), ("recipientAccountId", "\"\""));
    let records = [
        call(1, &[("recipientAccountId", "\"444455556666\"")]),
        call(2, &[absent, caller]),
        call(3, &[empty, caller]),
        call(4, &[empty, anonymous, resources]),
        call(5, &[absent, anonymous, resources]),
        call(6, &[caller]),
    ];
    let log = put(folder.path(), "a.json", document(&records));
    let source = ["-s", &log, "--policy", &policy];
    for condition in ["account_id = '444455556666'", "environment = 'prod'"] {
        let sql = format!("SELECT event_id FROM events WHERE {condition} ORDER BY event_id");
        assert_eq!(numbers(&ask(&sql, &source)), [1, 2, 3, 4, 5], "{condition}");
    }
    assert_eq!(found(&[&source[..], &["--account", "444455556666"]].concat()), [1, 2, 3, 4, 5]);
}

#[test]
fn a_source_is_a_folder_a_file_a_glob_or_several() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = text(folder.path());
    let a = put(folder.path(), "a.json", document(&[call(1, &[])]));
    put(folder.path(), "b.json", document(&[call(2, &[])]));
    put(folder.path(), "sub/c.json.gz", gzip(document(&[call(3, &[])]).as_bytes(), 1));
    put(folder.path(), "sub/.hidden.json", document(&[call(4, &[])]));
    put(folder.path(), "sub/notes.md", "no log");
    put(folder.path(), "AWSLogs/111122223333/elasticloadbalancing/eu-central-1/2026/10/05/x.json", "{}");
    // A file that is named is read, whatever its name.
    let odd = put(folder.path(), "records.dump", document(&[call(5, &[])]));
    assert_eq!(found(&["-s", root]), [1, 2, 3]);
    assert_eq!(found(&["-s", &a]), [1]);
    assert_eq!(found(&["-s", &odd]), [5]);
    assert_eq!(found(&["-s", &format!("{root}/*.json")]), [1, 2]);
    assert_eq!(found(&["-s", &format!("{root}/**/*.gz")]), [3]);
    assert_eq!(found(&["-s", &format!("{root}/s*")]), [3]);
    assert_eq!(found(&["-s", &a, "-s", &format!("{root}/sub")]), [1, 3]);
    let footer = ask(IDS, &["-s", root]).footer;
    assert_eq!(footer[0], "3 objects read, 4 of other services or no logs.");
    for none in [format!("{root}/nothing"), format!("{root}/*.nothing")] {
        let ran = bedtrail(["query", IDS, "-s", &none]).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
        assert!(ran.stderr.contains(&none), "{}", ran.stderr);
    }
    assert_eq!(bedtrail(["query", IDS]).run().code, 2);
}

#[test]
fn the_same_file_given_twice_counts_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = text(folder.path());
    let a = put(
        folder.path(),
        "a.json",
        document(&[
            call(1, &[]),
            call(2, &[("eventName", "\"ListBuckets\""), ("eventSource", "\"s3.amazonaws.com\"")]),
        ]),
    );
    let glob = format!("{root}/*.json");
    for sources in [vec![a.as_str(), a.as_str()], vec![root, &a], vec![&glob, root, &a]] {
        let arguments: Vec<&str> = sources.iter().flat_map(|source| ["-s", *source]).collect();
        let answer = ledger(&arguments);
        assert_eq!(
            (answer.rows.len(), int(&answer.rows[0], "seen"), int(&answer.rows[0], "duplicate")),
            (1, 2, 0)
        );
        assert_eq!(found(&arguments), [1]);
    }
    for other in [format!("{root}//a.json"), format!("{root}/./a.json"), format!("{root}/")] {
        let answer = ledger(&["-s", &a, "-s", &other]);
        assert_eq!((answer.rows.len(), int(&answer.rows[0], "seen")), (1, 2), "{other}");
    }
    // What only the file system knows to be the same is read twice, and its records count once all the same.
    let folder_name = folder.path().file_name().and_then(|name| name.to_str()).expect("a name");
    assert_eq!(found(&["-s", &a, "-s", &format!("{root}/../{folder_name}/a.json")]), [1]);
}

#[test]
fn standard_input_takes_every_shape() {
    let records = [call(1, &[]), call(2, &[("userAgent", "\"é\\u0022{[\"")])];
    let quoted = records.clone().map(|record| json!({"EventId": "x", "CloudTrailEvent": record}));
    let plain = document(&records).into_bytes();
    let detail = records
        .clone()
        .map(|record| format!(r#"{{"version":"0","source":"aws.bedrock","detail":{record}}}"#));
    let events = records.clone().map(|record| json!({"id": "1", "timestamp": 1, "message": record}));
    let delivered = events.clone().map(|event| {
        json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail", "logEvents": [event]})
            .to_string()
    });
    let answered = json!({"events": events, "searchedLogStreams": []});
    let shapes: Vec<(&str, Vec<u8>)> = vec![
        // As Firehose puts them into a bucket: one document after the other, each compressed by itself.
        ("log_events", delivered.concat().into_bytes()),
        ("log_events", delivered.each_ref().map(|document| gzip(document.as_bytes(), 6)).concat()),
        ("log_events", gzip(&delivered.each_ref().map(|document| gzip(document.as_bytes(), 6)).concat(), 6)),
        ("log_events", answered.to_string().into_bytes()),
        ("log_events", serde_json::to_vec_pretty(&answered).expect("to memory")),
        ("log_events", format!("[{}]", delivered.join(",")).into_bytes()),
        ("log_events", events.each_ref().map(ToString::to_string).join("\n").into_bytes()),
        ("records", plain.clone()),
        ("records", gzip(&plain, 6)),
        ("records", zstd::encode_all(&plain[..], 3).expect("to memory")),
        ("records", [gzip(&plain[..100], 6), gzip(&plain[100..], 6)].concat()),
        ("lines", records.join("\n").into_bytes()),
        (
            "lines",
            gzip(
                records.each_ref().map(|one| format!("2026-10-05T12:00:00.000Z {one}\n")).concat().as_bytes(),
                6,
            ),
        ),
        ("lines", gzip(records.join("\r\n").as_bytes(), 6)),
        ("array", format!("[{}]", records.join(",")).into_bytes()),
        ("lookup", json!({"Events": quoted, "NextToken": "x"}).to_string().into_bytes()),
        ("lookup", serde_json::to_vec_pretty(&json!({"Events": quoted})).expect("to memory")),
        ("envelope", detail.join("\n").into_bytes()),
        ("envelope", format!("[{}]", detail.join(", ")).into_bytes()),
    ];
    for (shape, bytes) in shapes {
        let what = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(numbers(&ask_with(IDS, &["-s", "-"], &bytes)), [1, 2], "{what}");
        let sql = "SELECT source, shape, state, seen, kept, not_ours, out_of_range, duplicate, superseded, aggregated, insight, \
            refused, api_calls, service_events, network_activity, shared_copies FROM objects";
        let answer = ask_with(sql, &["-s", "-", "-s", "-"], &bytes);
        assert_eq!((answer.code, answer.rows.len()), (0, 1), "{what}");
        balanced(&answer.rows[0]);
        assert_eq!((&answer.rows[0]["shape"], &answer.rows[0]["source"]), (&json!(shape), &json!("stdin")));
    }
    let sql = "SELECT user_agent FROM events WHERE log_index = 1";
    let detail = format!(r#"{{"detail":{}}}"#, records.join("}\n{\"detail\":"));
    assert_eq!(ask_with(sql, &["-s", "-"], detail.as_bytes()).rows, [json!({"user_agent": "é\"{["})]);
    let nothing = bedtrail(["query", IDS, "-s", "-"]).stdin(b"").run();
    assert_eq!((nothing.code, nothing.stdout.as_str()), (4, ""), "{}", nothing.stderr);
    assert!(nothing.stderr.contains("- refused: the object is empty"), "{}", nothing.stderr);
}

/// A log group is anybody's to write to, and a subscription begins with a word of the service's own.
#[test]
fn what_else_stands_in_a_log_group_is_counted_as_not_ours() {
    let deep =
        format!(r#"{{"eventVersion":"1.11","eventName":"x","a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let cut = &call(3, &[])[..200];
    let messages = [
        call(1, &[]),
        "START RequestId: 1".to_owned(),
        r#"{"level":"info","msg":"bedrock"}"#.to_owned(),
        call(
            2,
            &[
                ("eventSource", "\"ec2.amazonaws.com\""),
                ("eventName", "\"RunInstances\""),
                ("userAgent", "\"x\""),
            ],
        ),
        deep,
        cut.to_owned(),
    ];
    let control = json!({
        "messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
        "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination Firehose."}],
    });
    let data = json!({
        "messageType": "DATA_MESSAGE", "logGroup": "trail",
        "logEvents": messages.each_ref().map(|message| json!({"timestamp": 1, "message": message})),
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let alone = put(folder.path(), "a/control.json", control.to_string());
    let answer = ledger(&["-s", &alone]);
    let row = &answer.rows[0];
    assert_eq!((answer.code, int(row, "seen"), int(row, "not_ours")), (0, 1, 1), "{}", answer.err);
    put(folder.path(), "b/both.json.gz", gzip(format!("{control}{data}").as_bytes(), 6));
    let source = ["-s", text(folder.path())];
    let answer = ledger(&source);
    assert_eq!(answer.code, 3);
    let row = &answer.rows[1];
    assert_eq!((int(row, "seen"), int(row, "kept"), int(row, "not_ours"), int(row, "refused")), (7, 1, 4, 2));
    balanced(row);
    let reasons = ask("SELECT log_index, reason FROM refusals ORDER BY log_index", &source).rows;
    assert_eq!(reasons.iter().map(|row| int(row, "log_index")).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(numbers(&ask(IDS, &source)), [1]);
    // The record behind a row is found again.
    let raw = bedtrail(["event", "00000000-0000-4000-8000-000000000001"]).args(source).run();
    assert!(raw.code == 3 && raw.stdout.contains("amazon.nova-pro"), "{}", raw.stderr);
}

/// A message is a record only if its own keys say so; what begins as one is not lost, and one odd element costs only itself.
#[test]
fn log_groups_of_anybody_lose_no_record_and_refuse_no_line_of_others() {
    let message = |text: &str| json!({"timestamp": 1, "message": text});
    let both = format!("[{},{}]", call(2, &[]), call(3, &[]));
    let records = format!(r#"{{"Records":[{},{}]}}"#, call(4, &[]), call(5, &[]));
    let noise = [
        message(r#"{"eventName":"click","bedrock":1}"#),
        message(r#"{"msg":"caf\u00e9"}"#),
        message(r#"{"log":"\u00e9 bedrock event" not json"#),
        message(r#"{"eventVersion":2}"#),
    ];
    let found = [json!({"message": call(1, &[])}), message(&both), message(&records)];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let events = [noise.as_slice(), found.as_slice()].concat();
    let clean = json!({"logEvents": events});
    let clean = put(folder.path(), "a/clean.json", clean.to_string());
    let answer = ledger(&["-s", &clean]);
    let row = &answer.rows[0];
    assert_eq!((answer.code, int(row, "seen"), int(row, "not_ours")), (0, 9, 4), "{}", answer.err);
    balanced(row);
    let indexes = ask("SELECT log_index FROM events ORDER BY log_index", &["-s", &clean]).rows;
    assert_eq!(indexes.iter().map(|row| int(row, "log_index")).collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
    assert_eq!(numbers(&ask(IDS, &["-s", &clean])), [1, 2, 3, 4, 5]);
    // Each is found again by its index, those within one message, too.
    for number in 1..=5 {
        let raw = bedtrail(["event", &id(number), "-s", &clean]).run();
        assert!(raw.code == 0 && raw.stdout.contains(&id(number)), "{number}: {}{}", raw.stdout, raw.stderr);
    }
    let odd = json!({"logEvents": [null, found[0], 5, {"id": "x"}, message(&both[..300]), message(&both)]});
    let odd = put(folder.path(), "b/odd.json", odd.to_string());
    let answer = ledger(&["-s", &odd]);
    let row = &answer.rows[0];
    assert_eq!((answer.code, int(row, "seen"), int(row, "kept"), int(row, "refused")), (3, 7, 3, 4));
    balanced(row);
    let time = "2026-10-05T12:00:00.000Z";
    let lines = format!("{time} hello\n{time} {}\n{time} {{\"a\":1}}\n  more\n{time} {both}\n", call(1, &[]));
    let lines = put(folder.path(), "c/000000.gz", gzip(lines.as_bytes(), 6));
    let answer = ledger(&["-s", &lines]);
    let row = &answer.rows[0];
    assert_eq!((answer.code, int(row, "seen"), int(row, "kept"), int(row, "not_ours")), (0, 5, 3, 2));
    balanced(row);
}

/// A log group of Bedrock's own log is no trail: it is told, and read where it is asked for.
#[test]
fn the_model_invocation_log_in_a_log_group_is_told_and_read() {
    let line = json!({
        "schemaType": "ModelInvocationLog", "timestamp": "2026-10-05T12:00:00Z", "accountId": "111122223333",
        "requestId": "r-1", "modelId": "amazon.nova-pro-v1:0", "input": {"inputTokenCount": 7}, "output": {"outputTokenCount": 1},
    });
    let document =
        json!({"messageType": "DATA_MESSAGE", "logEvents": [{"timestamp": 1, "message": line.to_string()}]});
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trail = put(folder.path(), "trail/a.json", call(1, &[]));
    let log = put(folder.path(), "log/b.json", document.to_string());
    let answer = ledger(&["-s", &trail, "-s", &log]);
    assert_eq!(answer.code, 0);
    assert!(answer.err.contains("b.json: messages of the model-invocation log"), "{}", answer.err);
    assert!(answer.err.contains("--invocation-logs"), "{}", answer.err);
    answer.rows.iter().for_each(balanced);
    let sql = "SELECT input_tokens AS number FROM invocation_logs";
    let answer = ask(sql, &["-s", &trail, "--invocation-logs", &log]);
    assert_eq!((answer.code, answer.rows), (0, vec![json!({"number": 7})]), "{}", answer.err);
}

/// A call, with tokens of its own.
fn counted(number: u32, minute: i64, tokens: u64) -> Value {
    let mut record: Value = serde_json::from_str(&timed(number, &at_minute(minute))).expect("JSON");
    record["additionalEventData"] = json!({"inputTokens": tokens, "outputTokens": 1});
    record
}

/// So many minutes after noon of the fifth.
fn at_minute(minute: i64) -> String {
    let (day, minute) = (5 + (minute + 720).div_euclid(1440), (minute + 720).rem_euclid(1440));
    format!("2026-10-{day:02}T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

/// Records of calls around midnight: some with a service event at most an hour from them, some updated later or earlier, by
/// chains and by rings.
fn around_midnight(random: &mut Random) -> Vec<Value> {
    let mut records = Vec::new();
    let mut next = 1;
    for _ in 0..24 {
        let minute = 720 + random.seconds(-200, 200);
        let number = next;
        next += 1;
        records.push(counted(number, minute, random.between(1, 99)));
        let more = random.below(10);
        if more < 4 {
            let mut twin: Value = serde_json::from_str(&twin(next, random.between(100, 999))).expect("JSON");
            let lag = random.seconds(-59, 59);
            twin["eventTime"] = json!(at_minute(minute + lag));
            twin["serviceEventDetails"]["parentRequestId"] = records[records.len() - 1]["requestID"].clone();
            if let Some(call) = records.last_mut() {
                call["additionalEventData"] = Value::Null;
            }
            records.push(twin);
            next += 1;
        } else if more < 7 {
            let length = random.one(&[1, 2, 3, 4]);
            let ring = random.chance(300);
            let first = if ring { next } else { number };
            for step in 0..length {
                let of = if ring && step == 0 {
                    next + length - 1
                } else if step == 0 {
                    first
                } else {
                    next - 1
                };
                let mut update = counted(next, minute + random.seconds(-300, 3000), random.between(1, 99));
                update["addendum"] = json!({"reason": "UPDATED_DATA", "originalEventID": id(of)});
                records.push(update);
                next += 1;
            }
        }
    }
    records
}

fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// Two windows that meet add up to the one that is both, wherever they meet: calls, rows of each kind and tokens, over
/// logs and over a store.
#[test]
fn windows_that_meet_add_up() {
    const SUMS: &str = "SELECT COUNT(*) AS calls, CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input, \
        CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output, COUNT(token_source) AS known, \
        (SELECT COUNT(*) FROM events) AS events FROM usage";
    for seed in 0..4 {
        let mut random = Random::new(seed, "windows");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (logs, store) = (folder.path().join("logs"), folder.path().join("store"));
        let records: Vec<String> = around_midnight(&mut random).iter().map(Value::to_string).collect();
        for (file, some) in records.chunks(7).enumerate() {
            let layout = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/10/08";
            let name =
                format!("{layout}/111122223333_CloudTrail_eu-central-1_20261008T0005Z_{file:016}.json.gz");
            put(&logs, &name, gzip(document(some).as_bytes(), 6));
        }
        collect(&logs, &store);
        let sums = |source: &Path, window: &[&str]| {
            let ran = bedtrail(["query", SUMS, "--format", "json", "-q"]).source(source).args(window).run();
            let row = &ran.json()["reports"][0]["rows"][0];
            ["calls", "input", "output", "known", "events"].map(|column| int(row, column))
        };
        for source in [&logs, &store] {
            let whole = sums(source, &["--from", "2026-10-01", "--to", "2026-10-12"]);
            assert_eq!(whole, sums(source, &[]), "seed {seed}");
            for minute in [720, 720 + random.seconds(-120, 120), 720 + random.seconds(-120, 120)] {
                let edge = at_minute(minute);
                let before = sums(source, &["--from", "2026-10-01", "--to", &edge]);
                let after = sums(source, &["--from", &edge, "--to", "2026-10-12"]);
                let both: Vec<u64> = before.iter().zip(&after).map(|(one, other)| one + other).collect();
                assert_eq!(both, whole, "seed {seed}, {edge}, {}: {before:?} {after:?}", source.display());
            }
        }
        same(&logs, &store, &["--to", &at_minute(720)]);
    }
}
