//! A table of Athena's as a source.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::aws_data::{events, finds, records, select, values, write};
use crate::aws_service::{Answer, Call, Service, unforeseen};
use crate::command::{Outcome, bedtrail};
use crate::program::text;

const DAY: [&str; 4] = ["--from", "2026-10-05", "--to", "2026-10-06"];

/// The columns of AWS's own statement for CloudTrail tables, both SerDes having them alike.
const COLUMNS: &[(&str, &str)] = &[
    ("eventversion", "string"),
    (
        "useridentity",
        "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,username:string,onbehalfof:struct<userid:string,identitystorearn:string>,sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>,sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,ec2roledelivery:string,webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>>",
    ),
    ("eventtime", "string"),
    ("eventsource", "string"),
    ("eventname", "string"),
    ("awsregion", "string"),
    ("sourceipaddress", "string"),
    ("useragent", "string"),
    ("errorcode", "string"),
    ("errormessage", "string"),
    ("requestparameters", "string"),
    ("responseelements", "string"),
    ("additionaleventdata", "string"),
    ("requestid", "string"),
    ("eventid", "string"),
    ("readonly", "string"),
    ("resources", "array<struct<arn:string,accountid:string,type:string>>"),
    ("eventtype", "string"),
    ("apiversion", "string"),
    ("recipientaccountid", "string"),
    ("serviceeventdetails", "string"),
    ("sharedeventid", "string"),
    ("vpcendpointid", "string"),
    ("eventcategory", "string"),
    ("tlsdetails", "struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>"),
];

#[derive(Default)]
struct Table {
    statements: std::sync::Mutex<Vec<String>>,
    polls: AtomicUsize,
}

impl Table {
    fn answer(&self, call: &Call, without: &[&str], end: (&str, &str), bytes: u64) -> Answer {
        match call.operation.as_str() {
            "GetTableMetadata" => {
                let columns: Vec<Value> = COLUMNS
                    .iter()
                    .filter(|(name, _)| !without.contains(name))
                    .map(|(name, kind)| json!({"Name": name, "Type": kind}))
                    .collect();
                Ok(json!({"TableMetadata": {"Name": call.text("TableName"), "Columns": columns,
                    "PartitionKeys": [{"Name": "timestamp", "Type": "string"}],
                    "Parameters": {"projection.timestamp.format": "yyyy/MM/dd", "projection.enabled": "true"}}}))
            }
            "StartQueryExecution" => {
                let mut statements = self.statements.lock().expect("statements");
                statements.push(call.text("QueryString").to_owned());
                Ok(json!({ "QueryExecutionId": format!("x-{}", statements.len() - 1) }))
            }
            "GetQueryExecution" => {
                let state = ["QUEUED", "RUNNING", end.0][self.polls.fetch_add(1, Ordering::Relaxed) % 3];
                Ok(json!({"QueryExecution": {"QueryExecutionId": call.text("QueryExecutionId"),
                    "Status": {"State": state, "StateChangeReason": end.1}, "Statistics": {"DataScannedInBytes": bytes}}}))
            }
            "GetQueryResults" => {
                let number: usize =
                    call.text("QueryExecutionId").trim_start_matches("x-").parse().expect("our id");
                let statement = self.statements.lock().expect("statements")[number].clone();
                let found: Vec<Vec<Option<String>>> = records()
                    .iter()
                    .filter(|record| finds(&statement, record))
                    .map(|record| values(&statement, record, true))
                    .collect();
                let head = (0..values(&statement, &json!({}), true).len())
                    .map(|at| Some(format!("c{at}")))
                    .collect();
                let all: Vec<Value> = [vec![head], found]
                    .concat()
                    .into_iter()
                    .map(|row: Vec<Option<String>>| {
                        let data = row.into_iter().map(|cell| {
                            cell.map_or_else(|| json!({}), |cell| json!({ "VarCharValue": cell }))
                        });
                        json!({ "Data": data.collect::<Vec<_>>() })
                    })
                    .collect();
                let at: usize = call.text("NextToken").trim_start_matches("n-").parse().unwrap_or(0);
                let mut answer =
                    json!({"ResultSet": {"Rows": all.iter().skip(at).take(60).collect::<Vec<_>>()}});
                if at + 60 < all.len() {
                    answer["NextToken"] = json!(format!("n-{}", at + 60));
                }
                Ok(answer)
            }
            "StopQueryExecution" => Ok(json!({})),
            _ => unforeseen(call),
        }
    }
}

fn ask(service: &Service, more: &[&str]) -> Outcome {
    let sql = select("event_id IS NOT NULL");
    let run = service.run(&["query", &sql, "--format", "json", "-s", "athena:logs.cloudtrail"]);
    run.args(DAY).args(more).run()
}

#[test]
fn a_table_gives_what_files_give() {
    let table = Table::default();
    let service = Service::new(move |call| table.answer(call, &[], ("SUCCEEDED", ""), 99));
    let ran =
        ask(&service, &["--athena-workgroup", "audit", "--athena-output", "s3://acme-results/x/"]).exits(0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), &records());
    let sql = select("event_id IS NOT NULL");
    let files = bedtrail(["query", &sql, "--format", "json", "-s", text(folder.path())]).run().exits(0);
    assert_eq!(events(&ran, &[]), events(&files, &[]));
    ran.says("scanned 99 bytes");
    let started = service.calls("StartQueryExecution");
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].body["WorkGroup"], "audit");
    assert_eq!(started[0].body["ResultConfiguration"]["OutputLocation"], "s3://acme-results/x/");
    let statement = started[0].text("QueryString");
    let days = "FROM \"logs\".\"cloudtrail\" WHERE \"timestamp\" >= '2026/10/04' AND \"timestamp\" < '2026/10/13' AND \"eventtime\" >= '2026-10-05T00:00:00Z'";
    assert!(statement.contains(days), "{statement}");
}

#[test]
fn what_a_table_lacks_and_what_it_refuses_is_said() {
    let table = Table::default();
    let service =
        Service::new(move |call| table.answer(call, &["useridentity", "eventid"], ("SUCCEEDED", ""), 1));
    ask(&service, &[])
        .exits(4)
        .says("athena:logs.cloudtrail is no CloudTrail table: it lacks the columns eventid, useridentity");
    let table = Table::default();
    let service = Service::new(move |call| table.answer(call, &["requestid"], ("SUCCEEDED", ""), 1));
    ask(&service, &[]).exits(0).says("has no columns requestid");
    let table = Table::default();
    let reason = "Insufficient Lake Formation permission(s) on cloudtrail";
    let service = Service::new(move |call| table.answer(call, &[], ("FAILED", reason), 1));
    ask(&service, &[]).says("grant this role SELECT and DESCRIBE on it there");
    let table = Table::default();
    let service = Service::new(move |call| table.answer(call, &[], ("SUCCEEDED", ""), 2 << 20));
    ask(&service, &["--max-scan", "1M"]).says("of --max-scan");
    assert_eq!(service.calls("StopQueryExecution").len(), 1);
    let service = Service::new(|_| {
        Err(("MetadataException", "EntityNotFoundException: Table cloudtrail not found".to_owned()))
    });
    ask(&service, &[]).exits(4).says("Table cloudtrail not found");
}
