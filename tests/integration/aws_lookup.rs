//! Event history as a source: what it gives is what the files give, as far as it can see.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::aws_data::{events, records, select, write};
use crate::aws_service::{Answer, Call, Service, unforeseen};
use crate::bucket::Server;
use crate::command::{Outcome, bedtrail};
use crate::program::text;
use crate::s3::at;

const DAY: [&str; 4] = ["--from", "2026-10-05", "--to", "2026-10-06"];

/// What LookupEvents answers from these records: management events only, one attribute, newest first, 50 a page.
fn lookup(records: &[Value], call: &Call) -> Answer {
    if call.operation != "LookupEvents" {
        return unforeseen(call);
    }
    let attributes = call.body["LookupAttributes"].as_array().expect("attributes");
    assert_eq!(attributes.len(), 1, "the service takes one");
    let (key, value) = (&attributes[0]["AttributeKey"], &attributes[0]["AttributeValue"]);
    let (from, to) = (&call.body["StartTime"], &call.body["EndTime"]);
    let (from, to) = (from.as_i64().expect("a time"), to.as_i64().expect("a time"));
    let seconds = |record: &Value| {
        let time = chrono::DateTime::parse_from_rfc3339(record["eventTime"].as_str().expect("a time"));
        time.expect("a time").timestamp()
    };
    let field = if key == "EventSource" { "eventSource" } else { "eventName" };
    let mut found: Vec<&Value> = records
        .iter()
        .filter(|record| {
            record["eventCategory"] == "Management" && record["awsRegion"] == call.region.as_str()
        })
        .filter(|record| record[field] == *value && (from..=to).contains(&seconds(record)))
        .collect();
    found.sort_by(|a, b| b["eventTime"].as_str().cmp(&a["eventTime"].as_str()));
    let at: usize = match call.text("NextToken") {
        "" => 0,
        token => token.strip_prefix("page-").and_then(|at| at.parse().ok()).expect("our token"),
    };
    let page: Vec<Value> = found
        .iter()
        .skip(at)
        .take(50)
        .map(|record| {
            json!({"EventId": record["eventID"], "EventName": record["eventName"], "EventSource": record["eventSource"],
                "ReadOnly": record["readOnly"].to_string(), "EventTime": seconds(record), "Resources": [],
                "CloudTrailEvent": record.to_string()})
        })
        .collect();
    let mut answer = json!({ "Events": page });
    if at + 50 < found.len() {
        answer["NextToken"] = json!(format!("page-{}", at + 50));
    }
    Ok(answer)
}

fn ask(service: &Service, more: &[&str]) -> Outcome {
    let sql = select("event_id IS NOT NULL");
    service.run(&["query", &sql, "--format", "json"]).args(DAY).args(more).run()
}

fn from_files(condition: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), &records());
    let sql = select(condition);
    events(&bedtrail(["query", &sql, "--format", "json", "-s", text(folder.path())]).run().exits(0), &[])
}

/// What Event history can see of the day.
const SEEN: &str = "event_category = 'Management' AND event_source <> 'sts.amazonaws.com'";

#[test]
fn event_history_gives_what_files_give_but_for_what_it_cannot_see() {
    let service = Service::new(|call| lookup(&records(), call));
    let ran = ask(&service, &["-s", "lookup:", "--region", "eu-west-1", "--region", "us-east-1"]).exits(0);
    assert_eq!(events(&ran, &[]), from_files(SEEN));
    assert_eq!(from_files(SEEN).len(), 125);
    // Said at once, and in what is printed.
    let said = "bedrock-mantle inference, calls of agents";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let report = service.run(&["report", "usage-by-role-model", "-s", "lookup:eu-west-1"]).args(DAY).run();
    assert!(
        report.stdout.contains("LookupEvents answers with management events"),
        "{}{}",
        report.stdout,
        report.stderr
    );
    // One Region only.
    let ran = ask(&service, &["-s", "lookup:us-east-1"]).exits(0);
    assert_eq!(events(&ran, &[]), from_files(&format!("{SEEN} AND aws_region = 'us-east-1'")));
    // The ledger tells of each slice.
    let sql = "SELECT log_object, state, seen, kept FROM objects WHERE seen > 0 ORDER BY log_object";
    let ledger =
        service.run(&["query", sql, "--format", "csv", "-s", "lookup:us-east-1"]).args(DAY).run().exits(0);
    insta::assert_snapshot!(ledger.stdout, @r"
    log_object,state,seen,kept
    lookup:us-east-1/2026-10-05/bedrock.amazonaws.com/0001,read,31,31
    lookup:us-east-1/2026-10-05/iam.amazonaws.com/0001,read,2,1
    ");
}

#[test]
fn throttling_is_waited_out_and_a_rejected_token_begins_the_slice_again() {
    let service = Service::new(|call| {
        if call.nth % 7 == 3 {
            return Err(("ThrottlingException", "Rate exceeded".to_owned()));
        }
        lookup(&records(), call)
    });
    let ran = ask(&service, &["-s", "lookup:us-east-1"]).exits(0);
    assert_eq!(events(&ran, &[]).len(), from_files(&format!("{SEEN} AND aws_region = 'us-east-1'")).len());
    let rejected = std::sync::atomic::AtomicBool::new(false);
    let service = Service::new(move |call| {
        if call.text("NextToken") == "page-50" && !rejected.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return Err(("InvalidNextTokenException", "The token is not valid.".to_owned()));
        }
        lookup(&records(), call)
    });
    let ran = ask(&service, &["-s", "lookup:eu-west-1"]).exits(0);
    assert_eq!(events(&ran, &[]), from_files(&format!("{SEEN} AND aws_region = 'eu-west-1'")));
    // Always: what came is a floor, and that is said.
    let service = Service::new(|call| {
        if !call.text("NextToken").is_empty() {
            return Err(("InvalidNextTokenException", "The token is not valid.".to_owned()));
        }
        lookup(&records(), call)
    });
    let ran = ask(&service, &["-s", "lookup:eu-west-1"]).exits(3);
    let rows = events(&ran, &[]);
    assert!(!rows.is_empty() && rows.len() < 90, "{}", rows.len());
    ran.says("lookup:eu-west-1/2026-10-05/bedrock.amazonaws.com/floor refused: not all of it could be read");
}

#[test]
fn a_region_that_is_denied_is_told_of_and_one_that_is_not_enabled_is_passed_over() {
    let service = Service::new(|call| {
        match call.region.as_str() {
        "eu-west-1" | "us-east-1" => lookup(&records(), call),
        "sa-east-1" => Err(("AccessDeniedException", "User: arn:aws:iam::111122223333:user/x is not authorized to perform: cloudtrail:LookupEvents because no identity-based policy allows it".to_owned())),
        "af-south-1" | "me-south-1" => Err(("UnrecognizedClientException", "The security token included in the request is invalid.".to_owned())),
        _ => Ok(json!({ "Events": [] })),
    }
    });
    let ran = ask(&service, &["-s", "lookup:"]).exits(3);
    assert_eq!(events(&ran, &[]), from_files(SEEN));
    let ran = ran.says("warning: lookup:sa-east-1 refused: access denied to lookup:sa-east-1");
    let ran = ran.says("cloudtrail:LookupEvents is missing");
    ran.says("note: Regions that are not enabled for the account were skipped: af-south-1, me-south-1");
    // All Regions of the partition were asked, and no more of one that refuses.
    let regions: BTreeSet<String> =
        service.calls("LookupEvents").into_iter().map(|call| call.region).collect();
    assert!(regions.len() > 25 && !regions.iter().any(|region| region.contains("gov")), "{regions:?}");
    assert_eq!(service.calls("LookupEvents").iter().filter(|call| call.region == "sa-east-1").count(), 1);
    let named = ["-s", "lookup:", "--region", "us-east-1", "--region", "me-south-1"];
    ask(&service, &named).exits(3).says("lookup:me-south-1 refused: the Region is not enabled");
    // Where every Region says so, it is the key.
    let service = Service::new(|_| Err(("UnrecognizedClientException", "invalid".to_owned())));
    ask(&service, &["-s", "lookup:"]).exits(4).says("AWS rejects the credentials");
}

#[test]
fn more_than_ninety_days_and_broken_text_are_told_of() {
    let service = Service::new(|call| {
        let mut answer = lookup(&records(), call)?;
        if call.body["LookupAttributes"][0]["AttributeValue"] == "iam.amazonaws.com"
            && call.region == "us-east-1"
        {
            answer["Events"][0]["CloudTrailEvent"] = json!("{\"eventID\": \"cut off");
        }
        Ok(answer)
    });
    let sql = select("event_id IS NOT NULL");
    let ran = service
        .run(&["query", &sql, "--format", "json", "-s", "lookup:us-east-1", "--from", "2026-01-01"])
        .run()
        .exits(3)
        .says("warning: lookup:/2026-01-01..2026-08-03 refused: CloudTrail keeps Event history for 90 days");
    assert_eq!(events(&ran, &[]).len(), 32);
    ran.says("of lookup:us-east-1/2026-10-05/iam.amazonaws.com/0001 refused");
}

#[test]
fn a_store_takes_it_once_and_knows_the_same_events_of_files() {
    let store = tempfile::tempdir().expect("a temporary folder");
    let service = Service::new(|call| lookup(&records(), call));
    let collect = |more: &[&str]| {
        let ran =
            service.run(&["collect", "--store", text(store.path()), "--from", "2026-10-04"]).args(more).run();
        ran.exits(0)
    };
    collect(&["-s", "lookup:us-east-1"]).says("32 events");
    let calls = service.calls("LookupEvents").len();
    // What is over is known; only the days that may still get events are asked again.
    collect(&["-s", "lookup:us-east-1"]).says(" 0 new objects, 0 events");
    assert_eq!(service.calls("LookupEvents").len(), calls);
    // A trail's files hold the same events, and more.
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), &records());
    collect(&["-s", text(folder.path())]);
    let sql = select("event_id IS NOT NULL");
    let all = bedtrail(["query", &sql, "--format", "json", "--store", text(store.path())]).run().exits(0);
    assert_eq!(events(&all, &[]), from_files("event_id IS NOT NULL"));
    let report = bedtrail(["report", "usage-by-role-model", "--store", text(store.path())]).run().exits(0);
    assert!(report.stdout.contains("LookupEvents answers with management events"), "{}", report.stdout);
}

#[test]
fn a_slice_that_is_a_floor_is_no_slice_of_a_store() {
    let store = tempfile::tempdir().expect("a temporary folder");
    let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let now = std::sync::Arc::clone(&broken);
    let service = Service::new(move |call| {
        if now.load(std::sync::atomic::Ordering::Relaxed) && !call.text("NextToken").is_empty() {
            return Err(("InvalidNextTokenException", "The token is not valid.".to_owned()));
        }
        lookup(&records(), call)
    });
    let arguments =
        ["collect", "--store", text(store.path()), "-s", "lookup:eu-west-1", "--from", "2026-10-04"];
    // Bedrock has more events than one answer holds; the others have not.
    service
        .run(&arguments)
        .run()
        .exits(3)
        .says("2026-10-05/bedrock.amazonaws.com/0001 refused")
        .says("1 events");
    broken.store(false, std::sync::atomic::Ordering::Relaxed);
    service.run(&arguments).run().exits(0);
    let sql = select("event_id IS NOT NULL");
    let all = bedtrail(["query", &sql, "--format", "json", "--store", text(store.path())]).run().exits(0);
    assert_eq!(events(&all, &[]), from_files(&format!("{SEEN} AND aws_region = 'eu-west-1'")));
}

#[test]
fn a_bucket_and_event_history_are_read_together_and_counted_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), &records());
    let bucket = Server::over(folder.path());
    let service = Service::new(|call| lookup(&records(), call));
    let more = ["--endpoint-url", &bucket.url, "--path-style", "-s", &at("")];
    let ran = ask(&service, &[&["-s", "lookup:eu-west-1"], &more[..]].concat()).exits(0);
    assert_eq!(events(&ran, &[]), from_files("event_id IS NOT NULL"));
    let footer = ran.json()["reports"][0]["footer"].to_string();
    assert!(footer.contains("+ 93 duplicate"), "{footer}");
    let store = tempfile::tempdir().expect("a temporary folder");
    let collect =
        ["collect", "--store", text(store.path()), "-s", "lookup:eu-west-1", "--from", "2026-10-05"];
    service.run(&collect).args(more).run().exits(0).says("128 events");
    service.run(&collect).args(more).run().exits(0).says(" 0 new objects");
}

#[test]
fn what_is_mistyped_is_said_before_anybody_is_asked() {
    let service = Service::new(unforeseen);
    for (source, words) in [
        ("lookup:eu_west", "write lookup: or lookup:REGION"),
        ("lookup:mars-1", "as lookup:eu-west-1"),
        ("lake:", "write lake: and the id or ARN"),
        ("athena:table", "write athena:DATABASE.TABLE"),
        ("lake:abc", "needs --from"),
    ] {
        service.run(&["report", "usage-by-role-model", "-s", source]).run().exits(2).says(words);
    }
    let both = ["report", "usage-by-role-model", "-s", "lookup:eu-west-1", "--region", "us-east-1"];
    service.run(&both).run().exits(2).says("not among the Regions given");
}
