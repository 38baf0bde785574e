//! Athena as the engine: what is sent to it, what it refuses, and that nothing is left behind.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::aws_service::{Answer, Call, Service, unforeseen};
use crate::command::Outcome;

const DAY: [&str; 4] = ["--from", "2026-10-05", "--to", "2026-10-06"];
const TABLE: [&str; 4] = ["--engine", "athena", "-s", "athena:logs.cloudtrail"];
const IDENTITY: &str = "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,username:string>";
const COLUMNS: [&str; 16] = [
    "eventversion",
    "useridentity",
    "eventtime",
    "eventsource",
    "eventname",
    "awsregion",
    "sourceipaddress",
    "useragent",
    "errorcode",
    "errormessage",
    "requestparameters",
    "additionaleventdata",
    "requestid",
    "eventid",
    "eventtype",
    "recipientaccountid",
];

/// A catalogue with one table, and queries that all end alike.
struct Athena {
    without: Vec<&'static str>,
    /// How a query that holds this text ends, and what it scanned.
    ends: Vec<(&'static str, &'static str, &'static str, u64)>,
    workgroup: Value,
    view: Option<&'static str>,
    refuses: Option<(&'static str, &'static str)>,
    busy: AtomicUsize,
    rows: Vec<(&'static str, Value)>,
    statements: Mutex<Vec<String>>,
}

impl Default for Athena {
    fn default() -> Self {
        let output = json!({"OutputLocation": "s3://acme-results/x/"});
        Self {
            without: Vec::new(),
            ends: Vec::new(),
            workgroup: json!({"EnforceWorkGroupConfiguration": false, "ResultConfiguration": output}),
            view: None,
            refuses: None,
            busy: AtomicUsize::new(0),
            rows: Vec::new(),
            statements: Mutex::default(),
        }
    }
}

impl Athena {
    fn answer(&self, call: &Call) -> Answer {
        if let Some((operation, message)) = self.refuses
            && operation == call.operation
        {
            return Err(("AccessDeniedException", message.to_owned()));
        }
        let statement = || {
            let id = call.text("QueryExecutionId").trim_start_matches("q-").parse::<usize>().unwrap_or(0);
            self.statements.lock().expect("statements").get(id).cloned().unwrap_or_default()
        };
        match call.operation.as_str() {
            "GetWorkGroup" => {
                Ok(json!({"WorkGroup": {"Name": call.text("WorkGroup"), "Configuration": self.workgroup}}))
            }
            "GetTableMetadata" => self.table(call.text("TableName")),
            "StartQueryExecution"
                if self.busy.fetch_add(1, Ordering::Relaxed) == 0 && self.refuses == Some(("", "busy")) =>
            {
                Err(("TooManyRequestsException", "You have exceeded the limit".to_owned()))
            }
            "StartQueryExecution" => {
                let mut statements = self.statements.lock().expect("statements");
                statements.push(call.text("QueryString").to_owned());
                Ok(json!({ "QueryExecutionId": format!("q-{}", statements.len() - 1) }))
            }
            "GetQueryExecution" => {
                let statement = statement();
                let end = self.ends.iter().find(|(text, ..)| statement.contains(text));
                let (state, reason, bytes) =
                    end.map_or(("SUCCEEDED", "", 99), |(_, state, reason, bytes)| (*state, *reason, *bytes));
                Ok(json!({"QueryExecution": {"QueryExecutionId": call.text("QueryExecutionId"),
                    "Status": {"State": state, "StateChangeReason": reason}, "Statistics": {"DataScannedInBytes": bytes}}}))
            }
            "GetQueryResults" => {
                let statement = statement();
                let found = self.rows.iter().find(|(text, _)| statement.contains(text));
                let rows = found
                    .map_or_else(|| json!([{"Data": [{"VarCharValue": "names"}]}]), |(_, rows)| rows.clone());
                Ok(json!({"ResultSet": {"Rows": rows}}))
            }
            "StopQueryExecution" => Ok(json!({})),
            _ => unforeseen(call),
        }
    }

    fn table(&self, name: &str) -> Answer {
        if name == "cloudtrail" {
            let kind = |name: &str| if name == "useridentity" { IDENTITY } else { "string" };
            let columns: Vec<Value> = COLUMNS
                .iter()
                .filter(|name| !self.without.contains(name))
                .map(|name| json!({"Name": name, "Type": kind(name)}))
                .collect();
            return Ok(
                json!({"TableMetadata": {"Name": name, "TableType": "EXTERNAL_TABLE", "Columns": columns,
                "PartitionKeys": [{"Name": "region", "Type": "string"}, {"Name": "day", "Type": "string"}],
                "Parameters": {"projection.day.format": "yyyy/MM/dd"}}}),
            );
        }
        match self.view {
            Some(kind) if name == "events" => Ok(json!({"TableMetadata": {"Name": name, "TableType": kind}})),
            _ => Err(("MetadataException", "EntityNotFoundException: no such table".to_owned())),
        }
    }
}

fn serve(athena: Athena) -> Service {
    Service::new(move |call| athena.answer(call))
}

fn query(service: &Service, sql: &str, more: &[&str]) -> Outcome {
    service
        .run(&["query", sql, "--format", "json"])
        .args(TABLE)
        .args(DAY)
        .args(more)
        .env("AWS_ENDPOINT_URL_S3", &service.url)
        .run()
}

fn statements(service: &Service) -> Vec<String> {
    service.calls("StartQueryExecution").iter().map(|call| call.text("QueryString").to_owned()).collect()
}

/// A page of rows, the names first.
fn page(rows: &[&[&str]]) -> Value {
    let cell = |cell: &&str| if *cell == "∅" { json!({}) } else { json!({"VarCharValue": cell}) };
    rows.iter().map(|row| json!({"Data": row.iter().map(cell).collect::<Vec<_>>()})).collect()
}

const ASK: &str = "SELECT e.model_id AS model_id, COUNT(*) AS calls FROM events AS e GROUP BY e.model_id";

#[test]
fn the_window_is_materialised_asked_and_dropped() {
    let service = serve(Athena {
        rows: vec![
            (
                "AS calls FROM events",
                page(&[&["model_id", "calls"], &["amazon.nova-pro-v1:0", "3"], &["∅", "1"]]),
            ),
            ("GROUP BY record_kind", page(&[&["record_kind", "events"], &["api_call", "4"]])),
        ],
        refuses: Some(("", "busy")),
        ..Athena::default()
    });
    let more =
        ["--region", "eu-west-1", "--athena-workgroup", "audit", "--athena-output", "s3://acme-results/y/"];
    let ran = query(&service, ASK, &more).exits(0);
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        answer["reports"][0]["rows"],
        json!([{"model_id": "amazon.nova-pro-v1:0", "calls": 3}, {"model_id": null, "calls": 1}])
    );
    ran.says("Athena scanned 297 bytes in 3 queries: about 0.0001 USD");
    let all = statements(&service);
    // The first call was turned down, since the account runs as many queries as it may.
    let [create, kinds, ask, drop] = &all[1..] else { panic!("{all:#?}") };
    assert_eq!(all[0], *create);
    assert!(create.starts_with("CREATE TABLE \"logs\".\"bedtrail_run_"), "{create}");
    assert!(create.contains("external_location = 's3://acme-results/y/bedtrail-run/"), "{create}");
    assert!(
        create.contains("  WHERE \"region\" IN ('eu-west-1') AND \"day\" >= '2026/10/04' AND \"day\" < '2026/10/13' AND r.eventtime >= '2026-10-05T00:00:00Z' AND r.eventtime < '2026-10-06T00:00:00Z'\n"),
        "{create}"
    );
    assert!(create.trim_end().ends_with(
        "WHERE e.event_time >= TIMESTAMP '2026-10-05 00:00:00' AND e.event_time < TIMESTAMP '2026-10-06 00:00:00' AND e.aws_region IN ('eu-west-1')"
    ), "{create}");
    // Only what is asked for is materialised.
    assert!(
        create
            .contains("AS\nSELECT e.\"event_time\", e.\"model_id\", e.\"record_kind\"\nFROM (\nWITH raw AS"),
        "{create}"
    );
    assert!(kinds.contains("GROUP BY record_kind"));
    assert!(
        ask.starts_with("WITH events AS (\nSELECT CAST(NULL AS VARCHAR) AS \"event_id\", \"event_time\""),
        "{ask}"
    );
    assert!(ask.ends_with("GROUP BY e.model_id ORDER BY 1, 2"), "{ask}");
    assert!(drop.starts_with("DROP TABLE IF EXISTS `logs`.`bedtrail_run_"), "{drop}");
    let started = &service.calls("StartQueryExecution")[1];
    assert_eq!(started.body["WorkGroup"], "audit");
    assert_eq!(started.body["ResultConfiguration"]["OutputLocation"], "s3://acme-results/y/");
}

#[test]
fn an_end_after_now_is_the_end_as_it_is_for_logs() {
    let service = serve(Athena::default());
    let asked = service.run(&["query", ASK]).args(TABLE).args(DAY).env("AWS_ENDPOINT_URL_S3", &service.url);
    asked.env("BEDTRAIL_NOW", "2026-10-05T06:00:00Z").run().exits(0);
    assert!(statements(&service)[0].contains("e.event_time < TIMESTAMP '2026-10-06 00:00:00'"));
}

#[test]
fn the_manifest_names_every_query() {
    let service = serve(Athena {
        rows: vec![("GROUP BY record_kind", page(&[&["record_kind", "events"], &["api_call", "4"]]))],
        ..Athena::default()
    });
    let out = tempfile::tempdir().expect("a temporary folder");
    let folder = out.path().to_str().expect("a path");
    query(&service, ASK, &["--out", folder]).exits(0);
    let text = std::fs::read_to_string(out.path().join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(manifest["athena"]["table"], "athena:logs.cloudtrail");
    assert_eq!(manifest["athena"]["workgroup"], "primary");
    assert_eq!(manifest["athena"]["scanned_bytes"], 297);
    assert_eq!(
        manifest["athena"]["queries"],
        json!([
            {"name": "events", "execution_id": "q-0", "scanned_bytes": 99},
            {"name": "events by kind", "execution_id": "q-1", "scanned_bytes": 99},
            {"name": "query", "execution_id": "q-2", "scanned_bytes": 99}
        ])
    );
    assert_eq!(manifest["balance"]["kept"], 4);
    assert_eq!(manifest["balance"].get("seen"), None);
}

#[test]
fn what_stands_behind_references_is_materialised_too() {
    let counted = "SELECT CAST(COUNT(*) AS BIGINT) AS calls FROM model_calls";
    let service = serve(Athena {
        rows: vec![(counted, page(&[&["calls"], &["1"]])), ("AS named", page(&[&["named"], &["7"]]))],
        ..Athena::default()
    });
    let ask = "SELECT COUNT(*) AS named FROM model_calls AS m WHERE m.model_known_by = 'trail'";
    let ran = query(&service, ask, &["--history", "athena:logs.cloudtrail"]).exits(0);
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(answer["reports"][0]["rows"], json!([{"named": 7}]));
    let all = statements(&service);
    let [events, open, history, _, keep, _, asked, drops @ ..] = &all[..] else { panic!("{all:#?}") };
    assert!(events.contains("e.\"response_elements\""), "what was made is read of the trail: {events}");
    // The past is paid for only where a call needs it.
    assert!(open.contains(counted) && history.contains("_history\" WITH (format = 'PARQUET'"), "{history}");
    assert!(keep.contains("_model_references\" WITH (format = 'PARQUET'"), "{keep}");
    // No alias: a relation without rows has types all the same.
    assert!(keep.contains("aliases AS (\nSELECT CAST(NULL AS VARCHAR) AS \"reference\","), "{keep}");
    assert!(
        keep.ends_with("CAST(v.\"otherwise\" AS VARCHAR) AS \"otherwise\" FROM model_references AS v"),
        "{keep}"
    );
    assert!(
        asked.contains("model_references AS (\nSELECT \"account_key\", \"region_key\", \"reference\",")
            && !asked.contains("CreateInferenceProfile"),
        "{asked}"
    );
    assert_eq!(drops.iter().filter(|sql| sql.starts_with("DROP TABLE")).count(), 3, "{drops:#?}");
}

#[test]
fn a_scheduled_run_is_told_so_in_its_configuration() {
    let service = serve(Athena { refuses: Some(("GetTableMetadata", "not this one")), ..Athena::default() });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bedtrail.toml");
    let file = path.to_str().expect("a path");
    let run = |text: &str, more: &[&str]| {
        std::fs::write(&path, text).expect("a file can be written");
        service.run(&["run", "--config", file]).args(more).run()
    };
    let text = "sources = [\"athena:logs.cloudtrail\"]\nengine = \"athena\"\n[athena]\ncatalog = \"org\"\n\
                [window]\nfrom = \"2026-10-05\"\n";
    run(text, &[]).exits(4).says("athena:GetTableMetadata is missing");
    assert_eq!(service.calls("GetTableMetadata")[0].text("CatalogName"), "org");
    run(text, &["--store", "s3://acme/store"]).exits(2).says("--engine athena collects nothing");
    run(&text.replace("2026-10-05", ""), &[]).exits(2);
    run(&text.replace("catalog = \"org\"", "output = \"results/\""), &[])
        .exits(2)
        .says("[athena] output: \"results/\": results/ names no bucket: write s3://bucket");
    run(&text.replace("\"athena\"", "\"spark\""), &[]).exits(2).says("engine: \"spark\" is no engine");
}

#[test]
fn what_is_not_portable_costs_nothing() {
    let service = serve(Athena::default());
    query(&service, "SELECT e.event_id::VARCHAR AS id FROM events AS e", &[])
        .exits(2)
        .says("on Athena only what means the same on both engines is run");
    assert_eq!(statements(&service), [] as [String; 0]);
    let nothing = service.run(&["query", ASK]).args(TABLE).run().exits(2);
    nothing.says("athena:logs.cloudtrail needs --from");
    let folder =
        service.run(&["query", ASK, "--engine", "athena", "-s", "fixtures/trail"]).args(DAY).run().exits(2);
    folder.says("--engine athena cannot read fixtures/trail");
    assert_eq!(service.calls("GetTableMetadata").len(), 0);
}

#[test]
fn what_athena_refuses_is_told_and_nothing_is_left() {
    for (end, told) in [
        (
            ("FAILED", "Insufficient Lake Formation permission(s) on cloudtrail"),
            "grant this role SELECT and DESCRIBE on it there",
        ),
        (("FAILED", "Access Denied (Service: Amazon S3; Status Code: 403)"), "the role needs s3:GetObject"),
        (("CANCELLED", "Bytes scanned limit was exceeded"), "the workgroup's limit"),
    ] {
        let service = serve(Athena { ends: vec![("CREATE TABLE", end.0, end.1, 5)], ..Athena::default() });
        query(&service, ASK, &[]).exits(4).says(told);
        let all = statements(&service);
        assert!(all.len() == 2 && all[1].starts_with("DROP TABLE"), "{all:#?}");
    }
    let nowhere = serve(Athena {
        workgroup: json!({}),
        ends: vec![(
            "CREATE TABLE",
            "FAILED",
            "No output location provided. An output location is required",
            0,
        )],
        ..Athena::default()
    });
    query(&nowhere, ASK, &[]).exits(4).says("--athena-output s3://bucket/prefix/");
    let denied = serve(Athena {
        refuses: Some((
            "StartQueryExecution",
            "User is not authorized to perform: athena:StartQueryExecution on x",
        )),
        ..Athena::default()
    });
    query(&denied, ASK, &[])
        .exits(4)
        .says("access denied to query events on Athena: athena:StartQueryExecution is missing");
}

#[test]
fn a_limit_of_bytes_ends_the_run() {
    let service = serve(Athena { ends: vec![("CREATE TABLE", "RUNNING", "", 2 << 20)], ..Athena::default() });
    query(&service, ASK, &["--max-scan", "1M"]).exits(4).says("more than the 1048576 bytes of --max-scan");
    assert!(!service.calls("StopQueryExecution").is_empty());
    let all = statements(&service);
    assert!(all.last().is_some_and(|last| last.starts_with("DROP TABLE")), "{all:#?}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_what_runs_and_waits_until_all_is_dropped() {
    use std::os::unix::process::ExitStatusExt as _;

    // A query is cancelled when it is stopped, and the table takes a while to go.
    let (athena, stopped, polls) = (Athena::default(), AtomicUsize::new(0), AtomicUsize::new(0));
    let service = Service::new(move |call| {
        let id = call.text("QueryExecutionId").to_owned();
        let answer = |state: &str| {
            json!({"QueryExecution": {"QueryExecutionId": id, "Status": {"State": state},
                "Statistics": {"DataScannedInBytes": 99}}})
        };
        match (call.operation.as_str(), id.as_str()) {
            ("StopQueryExecution", _) => stopped.fetch_add(1, Ordering::Relaxed),
            ("GetQueryExecution", "q-1") if stopped.load(Ordering::Relaxed) == 0 => {
                return Ok(answer("RUNNING"));
            }
            ("GetQueryExecution", "q-1") => return Ok(answer("CANCELLED")),
            ("GetQueryExecution", "q-2") if polls.fetch_add(1, Ordering::Relaxed) < 5 => {
                return Ok(answer("RUNNING"));
            }
            _ => 0,
        };
        athena.answer(call)
    });
    let asked = service.run(&["query", ASK]).args(TABLE).args(DAY).env("AWS_ENDPOINT_URL_S3", &service.url);
    let mut command = asked.into_command();
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn();
    let child = child.expect("it starts");
    let runs =
        || service.calls("GetQueryExecution").iter().any(|call| call.text("QueryExecutionId") == "q-1");
    for _ in 0..1200 {
        if runs() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill");
    assert!(killed.success());
    let done = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    // The signal ends it, not the query that was stopped.
    assert_eq!(done.status.signal(), Some(2), "{told}");
    assert!(!told.contains("error:"), "{told}");
    let stops = service.calls("StopQueryExecution");
    assert!(stops.iter().any(|call| call.text("QueryExecutionId") == "q-1"), "{stops:?}");
    let all = statements(&service);
    assert!(all.len() == 3 && all[2].starts_with("DROP TABLE"), "{all:#?}");
    let ended = service.calls("GetQueryExecution");
    assert_eq!(ended.iter().filter(|call| call.text("QueryExecutionId") == "q-2").count(), 6);
}

#[test]
fn a_workgroup_that_prescribes_is_obeyed() {
    let service = serve(Athena {
        workgroup: json!({"EnforceWorkGroupConfiguration": true, "BytesScannedCutoffPerQuery": 20_000_000,
            "ResultConfiguration": {"OutputLocation": "s3://theirs/x/"}}),
        ..Athena::default()
    });
    let ran = query(&service, ASK, &["--athena-output", "s3://mine/"]).exits(0);
    ran.says("the workgroup primary prescribes its settings")
        .says("the workgroup primary cancels a query beyond 20000000 bytes");
    assert!(!statements(&service)[0].contains("external_location"));
}

#[test]
fn a_workgroup_or_a_place_that_is_none_costs_nothing() {
    let message = "WorkGroup audit is not found.".to_owned();
    let service = Service::new(move |call| match call.operation.as_str() {
        "GetWorkGroup" => Err(("InvalidRequestException", message.clone())),
        _ => Athena::default().answer(call),
    });
    let ran = query(&service, ASK, &["--athena-workgroup", "audit"]).exits(4);
    ran.says("the workgroup audit for athena:logs.cloudtrail is refused")
        .says("name another with --athena-workgroup");
    let disabled = Service::new(|call| match call.operation.as_str() {
        "GetWorkGroup" => {
            Ok(json!({"WorkGroup": {"Name": "audit", "State": "DISABLED", "Configuration": {}}}))
        }
        _ => Athena::default().answer(call),
    });
    query(&disabled, ASK, &["--athena-workgroup", "audit"]).exits(4).says(
        "the workgroup audit for athena:logs.cloudtrail is refused (DISABLED: the workgroup is disabled)",
    );
    let nowhere = serve(Athena::default());
    query(&nowhere, ASK, &["--athena-output", "results/"])
        .exits(2)
        .says("results/ names no bucket: write s3://bucket");
    for service in [service, disabled, nowhere] {
        assert_eq!(statements(&service), [] as [String; 0]);
    }
}

#[test]
fn a_column_that_is_not_there_is_not_assessed() {
    let service = serve(Athena { without: vec!["errorcode", "useragent"], ..Athena::default() });
    let ran = service
        .run(&["query", "SELECT r.rule_id AS rule_id, r.state AS state, r.reason AS reason FROM rule_results AS r ORDER BY r.rule_id", "--format", "json"])
        .args(TABLE)
        .args(DAY)
        .env("AWS_ENDPOINT_URL_S3", &service.url)
        .run()
        .exits(0)
        .says("athena:logs.cloudtrail lacks");
    let answer: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let rows = answer["reports"][0]["rows"].as_array().expect("rows").clone();
    let of = |code: &str| rows.iter().find(|row| row["rule_id"] == code).cloned().unwrap_or_default();
    // It rests on the outcome, and this on the error code.
    assert_eq!(of("BT070")["state"], "not_assessed");
    assert_eq!(of("BT070")["reason"], "the table has no column errorcode, on which outcome rests");
    assert_eq!(of("BT090")["state"], "not_assessed");
    assert!(
        of("BT090")["reason"].as_str().is_some_and(|reason| reason.contains("the ledger of log objects"))
    );
    let create = &statements(&service)[0];
    assert!(create.contains("CAST(NULL AS varchar) AS error_code"), "{create}");
}

#[test]
fn ddl_prints_and_applies_and_leaves_other_views_alone() {
    let service = serve(Athena::default());
    let ddl = |service: &Service, more: &[&str]| service.run(&["athena", "ddl"]).args(more).run();
    let given = [
        "--location",
        "s3://acme-logs/AWSLogs/o-a1b2c3",
        "--account",
        "111122223333",
        "--from",
        "2026-10-01",
        "--region",
        "eu-west-1",
    ];
    let printed = ddl(&service, &given).exits(0).stdout;
    assert!(printed.contains("CREATE DATABASE IF NOT EXISTS bedtrail;\n"), "{printed}");
    assert!(printed.contains("LOCATION 's3://acme-logs/AWSLogs/o-a1b2c3/'\n"), "{printed}");
    assert!(
        printed.contains(
            "CREATE VIEW \"bedtrail\".\"events\" AS\nWITH bedtrail_version AS (SELECT 'bedtrail 0."
        ),
        "{printed}"
    );
    assert!(printed.contains("  WHERE \"day\" >= '2026/09/30' AND \"day\" < "), "{printed}");
    assert!(!printed.contains("CAST(NULL AS varchar)"), "the table has every column");
    assert_eq!(statements(&service), [] as [String; 0]);

    ddl(&service, &[&given[..], &["--apply"]].concat()).exits(0).says("the view bedtrail.events is there");
    let all = statements(&service);
    assert_eq!(all.len(), 3, "{all:#?}");
    assert!(printed.contains(&all[2]), "what is run is what is printed");

    let adopted = ddl(&service, &["--adopt", "logs.cloudtrail", "--from", "2026-10-01"])
        .exits(0)
        .says("the table lacks");
    assert!(adopted.stdout.contains("FROM \"logs\".\"cloudtrail\" AS r"));
    assert!(!adopted.stdout.contains("CREATE EXTERNAL TABLE"));

    let other = page(&[
        &["CREATE VIEW bedtrail.events AS"],
        &["WITH bedtrail_version AS (SELECT 'bedtrail 0.0.9 0123456789ab' version)"],
    ]);
    let stands = |rows: Value, kind: &'static str| {
        serve(Athena { view: Some(kind), rows: vec![("SHOW CREATE VIEW", rows)], ..Athena::default() })
    };
    let adopt = ["--adopt", "logs.cloudtrail", "--from", "2026-10-01", "--to", "2026-10-02", "--apply"];
    let service = stands(other.clone(), "VIRTUAL_VIEW");
    ddl(&service, &adopt).exits(2).says("is of another version (bedtrail 0.0.9 0123456789ab;");
    assert!(!statements(&service).iter().any(|sql| sql.contains("VIEW \"bedtrail\".\"events\" AS")));
    let service = stands(other, "VIRTUAL_VIEW");
    ddl(&service, &[&adopt[..], &["--replace"]].concat()).exits(0);
    assert!(
        statements(&service)
            .iter()
            .any(|sql| sql.starts_with("CREATE OR REPLACE VIEW \"bedtrail\".\"events\" AS"))
    );
    let service = stands(page(&[&["CREATE VIEW bedtrail.events AS SELECT 1"]]), "VIRTUAL_VIEW");
    ddl(&service, &[&adopt[..], &["--replace"]].concat()).exits(2).says("is no view of bedtrail's");
    let service = stands(json!([]), "EXTERNAL_TABLE");
    ddl(&service, &adopt).exits(2).says("is no view of bedtrail's");
}
