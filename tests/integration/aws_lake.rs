//! An event data store as a source.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::aws_data::{events, finds, records, select, values, write};
use crate::aws_service::{Answer, Call, Service, unforeseen};
use crate::command::{Outcome, bedtrail};
use crate::program::text;

const STORE: &str =
    "arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/0a1b2c3d-1111-2222-3333-444455556666";
const DAY: [&str; 4] = ["--from", "2026-10-05", "--to", "2026-10-06"];

/// An event data store with these records; `logged` says whether it has a record as it was logged.
#[derive(Default)]
struct Lake {
    statements: std::sync::Mutex<Vec<String>>,
    polls: AtomicUsize,
}

impl Lake {
    fn answer(&self, call: &Call, logged: &dyn Fn(usize) -> bool, bytes: u64, end: &str) -> Answer {
        match call.operation.as_str() {
            "GetEventDataStore" => Ok(json!({"EventDataStoreArn": STORE, "Status": "ENABLED"})),
            "StartQuery" => {
                let statement = call.text("QueryStatement").to_owned();
                assert!(statement.len() <= 10_000, "longer than the service takes");
                let mut statements = self.statements.lock().expect("statements");
                statements.push(statement);
                Ok(json!({ "QueryId": format!("q-{}", statements.len() - 1) }))
            }
            "DescribeQuery" => {
                let status = ["QUEUED", "RUNNING", end][self.polls.fetch_add(1, Ordering::Relaxed) % 3];
                Ok(json!({"QueryId": call.text("QueryId"), "QueryStatus": status,
                    "QueryStatistics": {"BytesScanned": bytes, "EventsScanned": 5, "EventsMatched": 5}}))
            }
            "GetQueryResults" => {
                let number: usize = call.text("QueryId").trim_start_matches("q-").parse().expect("our id");
                let statement = self.statements.lock().expect("statements")[number].clone();
                let records = records();
                let rows: Vec<Value> = records
                    .iter()
                    .enumerate()
                    .filter(|(number, record)| {
                        finds(&statement, record)
                            && (!statement.contains("eventjson IS NULL") || !logged(*number))
                    })
                    .map(|(number, record)| row(&statement, record, logged(number)))
                    .collect();
                let at: usize = call.text("NextToken").trim_start_matches("n-").parse().unwrap_or(0);
                let mut answer = json!({"QueryStatus": end, "QueryResultRows": rows.iter().skip(at).take(40).collect::<Vec<_>>()});
                if at + 40 < rows.len() {
                    answer["NextToken"] = json!(format!("n-{}", at + 40));
                }
                Ok(answer)
            }
            "CancelQuery" => Ok(json!({"QueryId": call.text("QueryId"), "QueryStatus": "CANCELLED"})),
            _ => unforeseen(call),
        }
    }
}

/// Each row is a list of maps of one column each.
fn row(statement: &str, record: &Value, logged: bool) -> Value {
    if statement.starts_with("SELECT eventjson") {
        let json = if logged { record.to_string() } else { String::new() };
        return json!([{ "eventjson": json }, { "eventid": record["eventID"] }]);
    }
    let values = values(statement, record, false).into_iter().enumerate();
    values.filter_map(|(at, value)| Some(json!({ format!("c{at}"): value? }))).collect()
}

fn ask(service: &Service, more: &[&str]) -> Outcome {
    let sql = select("event_id IS NOT NULL");
    let source = format!("lake:{STORE}");
    service.run(&["query", &sql, "--format", "json", "-s", &source]).args(DAY).args(more).run()
}

fn from_files() -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), &records());
    let sql = select("event_id IS NOT NULL");
    bedtrail(["query", &sql, "--format", "json", "-s", text(folder.path())]).run().exits(0)
}

#[test]
fn an_event_data_store_gives_what_files_give() {
    let lake = Lake::default();
    let service = Service::new(move |call| lake.answer(call, &|_| true, 4321, "FINISHED"));
    let ran = ask(&service, &[]).exits(0);
    assert_eq!(events(&ran, &[]), events(&from_files(), &[]));
    ran.says("scanned 4321 bytes").says("closed to new customers since 2026-05-31");
    assert_eq!(service.calls("StartQuery").len(), 1);
    assert!(service.calls("GetQueryResults").len() > 2);
    // Of some records it has the columns only: what they say is the same, but for how free text was written.
    let lake = Lake::default();
    let service = Service::new(move |call| lake.answer(call, &|number| number % 2 == 0, 1, "FINISHED"));
    assert_eq!(events(&ask(&service, &[]).exits(0), &[]), events(&from_files(), &[]));
    assert_eq!(service.calls("StartQuery").len(), 2);
    // An old one does not have them at all.
    let lake = Lake::default();
    let service = Service::new(move |call| {
        if call.operation == "StartQuery" && call.text("QueryStatement").contains("eventjson") {
            return Err((
                "InvalidQueryStatementException",
                "Column 'eventjson' cannot be resolved".to_owned(),
            ));
        }
        lake.answer(call, &|_| false, 1, "FINISHED")
    });
    assert_eq!(events(&ask(&service, &[]).exits(0), &[]), events(&from_files(), &[]));
}

#[test]
fn a_query_that_times_out_or_scans_too_much_is_told_of() {
    let lake = Lake::default();
    let service = Service::new(move |call| lake.answer(call, &|_| true, 10, "TIMED_OUT"));
    let ran = ask(&service, &[]).exits(3);
    assert!(!events(&ran, &[]).is_empty());
    ran.says("TIMED_OUT, results are partial");
    let lake = Lake::default();
    let service = Service::new(move |call| lake.answer(call, &|_| true, 5 << 20, "FINISHED"));
    ask(&service, &["--max-scan", "1M"]).says("more than the 1048576 bytes of --max-scan");
    assert_eq!(service.calls("CancelQuery").len(), 1);
    let lake = Lake::default();
    let service = Service::new(move |call| lake.answer(call, &|_| true, 0, "FAILED"));
    ask(&service, &[]).says("FAILED");
}

#[test]
fn of_several_days_the_first_tells_what_the_others_take() {
    let ask = |bytes: u64, more: &[&str]| {
        let lake = Lake::default();
        let service = Service::new(move |call| lake.answer(call, &|_| true, bytes, "FINISHED"));
        let sql = select("event_id IS NOT NULL");
        let source = format!("lake:{STORE}");
        let run = service.run(&["query", &sql, "--format", "json", "-s", &source]);
        let ran =
            run.args(["--from", "2026-10-05", "--to", "2026-10-15", "--now", "2026-11-01"]).args(more).run();
        (ran, service.calls("StartQuery").len())
    };
    let (ran, queries) = ask(100, &[]);
    let ran = ran.exits(0);
    assert_eq!((queries, events(&ran, &[])), (2, events(&from_files(), &[])));
    ran.says("2026-10-05..2026-10-06 scanned 100 bytes: about 900 more for the rest");
    // What is foreseen to be too much is not begun; what came is a floor.
    let (ran, queries) = ask(100, &["--max-scan", "999B"]);
    let ran = ran.exits(3);
    assert_eq!((queries, events(&ran, &[])), (1, events(&from_files(), &[])));
    ran.says("it would scan about 900 bytes, beyond --max-scan").says("2026-10-06..2026-10-15/floor");
    assert_eq!(ask(100, &["--max-scan", "1000B"]).1, 2);
}

#[test]
fn a_store_that_answers_nothing_is_an_error() {
    let pending = |call: &Call| match call.operation.as_str() {
        "GetEventDataStore" => Ok(json!({"EventDataStoreArn": STORE, "Status": "PENDING_DELETION"})),
        _ => unforeseen(call),
    };
    ask(&Service::new(pending), &[]).exits(4).says("about to be deleted");
    let gone = |_: &Call| -> Answer {
        Err(("EventDataStoreNotFoundException", "The store does not exist.".to_owned()))
    };
    ask(&Service::new(gone), &[]).exits(4).says("cannot be queried: The store does not exist.");
    let inactive = |call: &Call| -> Answer {
        match call.operation.as_str() {
            "GetEventDataStore" => Err(("AccessDeniedException", "no".to_owned())),
            _ => Err(("InactiveEventDataStoreException", "The event data store is inactive.".to_owned())),
        }
    };
    ask(&Service::new(inactive), &[]).says("cannot be queried: The event data store is inactive.");
}

#[test]
fn an_interrupt_cancels_the_query() {
    let lake = Lake::default();
    let service = Service::new(move |call| lake.answer(call, &|_| true, 1, "RUNNING"));
    let sql = select("event_id IS NOT NULL");
    let source = format!("lake:{STORE}");
    let mut child = service
        .run(&["query", &sql, "-s", &source])
        .args(DAY)
        .into_command()
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    for _ in 0..200 {
        if !service.calls("DescribeQuery").is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill");
    assert!(killed.success());
    child.wait().expect("it ends");
    assert_eq!(service.calls("CancelQuery").len(), 1);
}

#[test]
fn a_store_is_filled_day_by_day_and_knows_the_days_it_has() {
    let store = tempfile::tempdir().expect("a temporary folder");
    let lake = Lake::default();
    let service = Service::new(move |call| lake.answer(call, &|number| number % 2 == 0, 1, "FINISHED"));
    let source = format!("lake:{STORE}");
    let collect = |source: &str, now: &str| {
        let run =
            service.run(&["collect", "--store", text(store.path()), "-s", source, "--from", "2026-10-05"]);
        run.env("BEDTRAIL_NOW", now).run().exits(0)
    };
    collect(&source, "2026-10-07T00:00:00Z");
    // A query of records, and one of the columns of those that lack them; of the second day, which has none, only the first.
    assert_eq!(service.calls("StartQuery").len(), 3);
    collect(&source, "2026-10-07T00:00:00Z").says("2 objects were known");
    assert_eq!(service.calls("StartQuery").len(), 3);
    // 6 October had just ended, and gets its last events; the 7th is new.
    collect(&source, "2026-10-07T12:00:00Z");
    assert_eq!(service.calls("StartQuery").len(), 5);
    // What is put together from columns gives way to what a trail logged.
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), &records());
    collect(text(folder.path()), "2026-10-07T12:00:00Z");
    let sql = select("event_id IS NOT NULL");
    let all = bedtrail(["query", &sql, "--format", "json", "--store", text(store.path())]).run().exits(0);
    assert_eq!(events(&all, &[]), events(&from_files(), &[]));
}
