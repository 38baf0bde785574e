//! Damage and oddities: what can be read is counted, what cannot is a row of the ledger with its reason, a
//! warning and exit code 3, and nothing else suffers.

use std::path::Path;

use serde_json::Value;

use crate::command::bedtrail;
use crate::corpus::broken::{self, Expect, Odd};
use crate::corpus::hostile::Decoys;
use crate::corpus::random::Random;
use crate::corpus::store::gzip;
use crate::corpus::truth::Truth;
use crate::program::{Answer, ask, int, put, text};
use crate::truth::{ledger, records};

/// A call of ours, with some fields of its record given other values.
pub fn call(id: u32, changed: &[(&str, &str)]) -> String {
    let mut record = serde_json::json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/app/one",
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/app"}},
        },
        "eventTime": "2026-10-05T12:00:00Z",
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "InvokeModel",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "bedrock-app/1.0",
        "requestParameters": {"modelId": "amazon.nova-pro-v1:0"},
        "responseElements": null,
        "requestID": format!("00000000-0000-4000-9000-{id:012x}"),
        "eventID": format!("00000000-0000-4000-8000-{id:012x}"),
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "clientProvidedHostHeader": "bedrock-runtime.eu-central-1.amazonaws.com"},
    });
    for (field, json) in changed {
        let (outer, inner) = field.split_once('.').unwrap_or((field, ""));
        let value: Value = serde_json::from_str(json).expect("JSON");
        match inner {
            "" => record[outer] = value,
            inner => record[outer][inner] = value,
        }
    }
    record.to_string()
}

/// `{"Records":[…]}`
pub fn document(records: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

fn written(root: &Path, odd: &[Odd]) -> Truth {
    let mut truth = Truth::default();
    for one in odd {
        put(root, one.name, &one.bytes);
        truth.merge(&one.truth);
    }
    truth
}

/// The ledger's row of each odd object is what a reader owes it, and the refusals are told.
fn as_expected(answer: &Answer, odd: &[Odd]) {
    assert_eq!(answer.rows.len(), odd.len());
    for one in odd {
        let ends = |row: &&Value| row["log_object"].as_str().is_some_and(|name| name.ends_with(one.name));
        let row = answer.rows.iter().find(|row| {
            row["log_object"].as_str().is_some_and(|name| name.rsplit(['/', '\\']).next() == Some(one.name))
        });
        let row = row.filter(ends).unwrap_or_else(|| panic!("{} is not in the ledger", one.name));
        let why = format!("{} ({}): {row}", one.name, one.why);
        match one.expect {
            Expect::Refused => {
                assert_eq!((&row["state"], int(row, "seen")), (&Value::from("refused"), 0), "{why}");
                assert!(row["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{why}");
                assert_eq!(answer.err.matches(&format!("{} refused: ", one.name)).count(), 1, "{why}");
            }
            Expect::Read | Expect::RecordsRefused(_) => {
                let refused = if let Expect::RecordsRefused(count) = one.expect { count } else { 0 };
                assert_eq!(row["state"], "read", "{why}");
                assert_eq!((&row["reason"], int(row, "refused")), (&Value::Null, refused), "{why}");
                let mut found = records(row);
                found.outside_family = one.truth.records.outside_family;
                assert_eq!(found, one.truth.records, "{why}");
                let kind = one.truth.objects.keys().next().expect("a kind");
                assert_eq!(row["kind"], kind.as_str(), "{why}");
                let warnings = answer.err.matches(&format!("{} refused: ", one.name)).count();
                assert_eq!(warnings as u64, refused, "{why}");
            }
        }
    }
}

#[test]
fn every_odd_object_gets_what_it_is_owed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let odd = broken::odd(1);
    let truth = written(folder.path(), &odd);
    let answer = ledger(&["-s", text(folder.path())]);
    as_expected(&answer, &odd);
    assert_eq!(answer.code, 3);
    let sql = "SELECT COUNT(*) AS calls, CAST(SUM(input_tokens) AS BIGINT) AS input FROM usage";
    let usage = &ask(sql, &["-s", text(folder.path()), "-q"]).rows[0];
    assert_eq!(int(usage, "calls"), truth.calls.values().map(|tally| tally.calls).sum::<u64>());
    let refusals = ask("SELECT log_index, reason FROM refusals", &["-s", text(folder.path()), "-q"]).rows;
    let expected: u64 =
        odd.iter().map(|one| if let Expect::RecordsRefused(count) = one.expect { count } else { 0 }).sum();
    assert_eq!(refusals.len() as u64, expected);
    assert!(refusals.iter().all(|row| row["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
}

#[test]
fn what_can_be_read_is_read_without_a_word() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let odd: Vec<Odd> = broken::odd(3).into_iter().filter(|one| one.expect == Expect::Read).collect();
    written(folder.path(), &odd);
    let answer = ledger(&["-s", text(folder.path())]);
    as_expected(&answer, &odd);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
}

#[test]
fn one_broken_object_among_good_ones_is_exit_3() {
    let good = document(&[call(1, &[])]);
    for one in broken::odd(4).into_iter().filter(|one| one.expect != Expect::Read) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put(folder.path(), "good.json", &good);
        put(folder.path(), one.name, &one.bytes);
        let ran = bedtrail(["report", "usage-by-role-model"]).source(folder.path()).format("csv").run();
        assert_eq!(ran.code, 3, "{}: {}", one.name, ran.stderr);
        assert!(
            ran.stderr.contains("warning: ") && ran.stderr.contains(one.name),
            "{}: {}",
            one.name,
            ran.stderr
        );
        assert!(ran.stdout.contains("role/app"), "{}", one.name);
    }
}

#[test]
fn the_size_limit_can_be_set() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text_of_one = document(&[call(1, &[("userAgent", &format!("\"{}\"", "a".repeat(400_000)))])]);
    put(folder.path(), "small.json.gz", gzip(document(&[call(2, &[])]).as_bytes(), 6));
    for (name, bytes) in [
        ("large.json.gz", gzip(text_of_one.as_bytes(), 6)),
        ("large.json", text_of_one.clone().into_bytes()),
        ("large.json.zst", zstd::encode_all(text_of_one.as_bytes(), 3).expect("to memory")),
    ] {
        let source = put(folder.path(), name, bytes);
        let small = put(folder.path(), "small.json", document(&[call(2, &[])]));
        let at = |limit: &str| ledger(&["-s", &source, "-s", &small, "--max-object-size", limit]);
        let answer = at("300K");
        assert_eq!((answer.code, answer.rows[0]["state"].as_str()), (3, Some("refused")), "{name}");
        assert!(answer.rows[0]["reason"].as_str().is_some_and(|reason| reason.contains("--max-object-size")));
        assert_eq!(int(&answer.rows[1], "kept"), 1);
        let answer = at("500K");
        assert_eq!((answer.code, int(&answer.rows[0], "kept")), (0, 1), "{name}");
    }
}

#[test]
fn large_and_deep_records_that_are_valid_are_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let decoys = Decoys::new(&mut Random::new(1, "decoys"));
    let nasty = decoys.nasty(&mut Random::new(2, "nasty"));
    let deep =
        |levels: usize| format!(r#"{{"modelId":"m","a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let long = format!(r#"{{"modelId":"m","text":"{}"}}"#, "é\\n".repeat(50_000));
    let records = [
        call(1, &[("requestParameters", &long)]),
        call(2, &[("requestParameters", &deep(97))]),
        call(3, &[("annotation", &nasty)]),
    ];
    assert!(records[0].len() > 200_000);
    let quoted = serde_json::to_string(&records[1]).expect("to memory");
    put(folder.path(), "records.json", document(&records));
    put(folder.path(), "lookup.json", format!(r#"{{"Events":[{{"CloudTrailEvent":{quoted}}}]}}"#));
    put(folder.path(), "lines.json", records.join("\n"));
    let answer = ledger(&["-s", text(folder.path())]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    let sum = |column| answer.rows.iter().map(|row| int(row, column)).sum::<u64>();
    assert_eq!((sum("seen"), sum("kept"), sum("duplicate")), (7, 3, 4));
}

#[test]
fn nesting_too_deep_is_refused_in_every_shape() {
    let deep = format!("{}{}", r#"{"a":["#.repeat(5000), "]}".repeat(5000));
    let good = call(1, &[]);
    let bad = call(2, &[]).replace(r#"{"modelId":"amazon.nova-pro-v1:0"}"#, &deep);
    let quoted = |text: &str| serde_json::to_string(text).expect("to memory");
    for (name, text) in [
        ("records.json", document(&[good.clone(), bad.clone()])),
        ("lines.json", format!("{good}\n{bad}\n")),
        ("array.json", format!("[{good},{bad}]")),
        ("eventbridge.json", format!("{{\"detail\":{good}}}\n{{\"detail\":{bad}}}")),
        (
            "lookup.json",
            format!(
                r#"{{"Events":[{{"CloudTrailEvent":{}}},{{"CloudTrailEvent":{}}}]}}"#,
                quoted(&good),
                quoted(&bad)
            ),
        ),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let answer = ledger(&["-s", &put(folder.path(), name, text)]);
        let row = &answer.rows[0];
        assert_eq!((answer.code, int(row, "kept"), int(row, "refused")), (3, 1, 1), "{name}: {row}");
        assert!(
            answer.err.contains("record 1 of ") && answer.err.contains("nested deeper"),
            "{name}: {}",
            answer.err
        );
    }
}

#[test]
fn a_wrong_type_in_any_field_is_refused_with_its_reason() {
    let texts = [
        "eventVersion",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "errorCode",
        "errorMessage",
        "requestID",
        "eventID",
        "eventType",
        "recipientAccountId",
        "sharedEventID",
        "vpcEndpointId",
        "eventCategory",
        "userIdentity.type",
        "userIdentity.arn",
        "userIdentity.accountId",
        "userIdentity.principalId",
        "userIdentity.accessKeyId",
        "userIdentity.userName",
        "userIdentity.invokedBy",
        "userIdentity.identityProvider",
        "tlsDetails.tlsVersion",
        "tlsDetails.clientProvidedHostHeader",
    ];
    let flags = ["readOnly", "managementEvent", "sessionCredentialFromConsole"];
    let objects = [
        "userIdentity",
        "tlsDetails",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "serviceEventDetails",
        "addendum",
        "userIdentity.sessionContext",
        "userIdentity.onBehalfOf",
        "userIdentity.inScopeOf",
        "userIdentity.invokedByDelegate",
    ];
    let lists = ["resources"];
    let mut records = vec![call(0, &[])];
    let mut wrong = vec![];
    for (fields, fits) in [(&texts[..], "\""), (&flags, "bt"), (&objects, "{"), (&lists, "[")] {
        for field in fields {
            for value in ["7", "true", "[]", "{}", "\"no\"", "[\"a\",\"b\"]"] {
                let flag = fits == "bt" && value == "true";
                if value.starts_with(fits) || flag {
                    continue;
                }
                records.push(call(u32::try_from(records.len()).expect("few"), &[(field, value)]));
                wrong.push(format!("{field} = {value}"));
            }
        }
    }
    records.push("[]".to_owned());
    wrong.push("an array".to_owned());
    records.push(
        r#"["1.11",{"type":"Root"},"2026-10-05T12:00:00Z","bedrock.amazonaws.com","InvokeModel"]"#.to_owned(),
    );
    wrong.push("an array of what a record has".to_owned());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = put(folder.path(), "wrong.json", document(&records));
    let sql = "SELECT log_index, reason FROM refusals ORDER BY log_index";
    let answer = ask(sql, &["-s", &source]);
    let refused: Vec<u64> = answer.rows.iter().map(|row| int(row, "log_index")).collect();
    let passed: Vec<&String> =
        (1..).zip(&wrong).filter(|(index, _)| !refused.contains(index)).map(|(_, what)| what).collect();
    assert!(passed.is_empty(), "not refused: {passed:#?}");
    assert_eq!((answer.code, refused.len()), (3, wrong.len()));
    assert!(
        answer.err.contains(&format!("{} objects or records refused more", wrong.len() - 20)),
        "{}",
        answer.err
    );
    assert_eq!(ask("SELECT event_id FROM events", &["-s", &source, "-q"]).rows.len(), 1);
}

#[test]
fn versions_and_dates_that_are_none_are_refused() {
    let fine = [
        ("eventVersion", "\"1.12\""),
        ("eventVersion", "\"1.0\""),
        ("eventVersion", "null"),
        ("eventTime", "\"2026-10-05T12:00:00.123Z\""),
        ("eventTime", "\"2024-02-29T00:00:00Z\""),
    ];
    let wrong = [
        ("eventVersion", "\"2.0\""),
        ("eventVersion", "\"\""),
        ("eventVersion", "\"x\""),
        ("eventVersion", "\"1.x\""),
        ("eventVersion", "\"11.0\""),
        ("eventTime", "\"2026-02-30T00:00:00Z\""),
        ("eventTime", "\"2025-02-29T00:00:00Z\""),
        ("eventTime", "\"2026-10-05T24:00:00Z\""),
        ("eventTime", "\"yesterday\""),
        ("eventTime", "\"\""),
        ("eventTime", "null"),
        ("eventTime", "\"1790812800\""),
        ("eventName", "null"),
        ("eventSource", "\"\""),
    ];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let all: Vec<String> =
        fine.iter().chain(&wrong).zip(0..).map(|(change, id)| call(id, &[*change])).collect();
    let source = put(folder.path(), "versions.json", document(&all));
    let answer = ask("SELECT log_index, reason FROM refusals ORDER BY log_index", &["-s", &source]);
    let refused: Vec<u64> = answer.rows.iter().map(|row| int(row, "log_index")).collect();
    assert_eq!(refused, (5..19).filter(|index| refused.contains(index)).collect::<Vec<_>>());
    let passed: Vec<_> = (5..).zip(&wrong).filter(|(index, _)| !refused.contains(index)).collect();
    assert!(passed.is_empty(), "not refused: {passed:?}");
    assert_eq!(answer.code, 3);
}

#[test]
fn hostile_text_in_a_reason_stays_text() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = put(
        folder.path(),
        "x.json",
        document(&[call(1, &[("eventTime", r#""\u001b[2J\u202ex\nwarning: y""#)])]),
    );
    let answer = ledger(&["-s", &source]);
    assert_eq!(answer.code, 3);
    assert!(
        !answer.err.contains(['\u{1b}', '\u{202e}']) && answer.err.lines().count() == 1,
        "{:?}",
        answer.err
    );
}
