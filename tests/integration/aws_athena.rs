//! A table of Athena's as a source.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use crate::aws_data::{events, finds, records, select, values, write};
use crate::aws_service::{Answer, Call, Service, unforeseen};
use crate::bucket::Server;
use crate::command::{Outcome, bedtrail};
use crate::program::text;
use crate::store::listing;

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
    run.args(DAY).args(more).env("AWS_ENDPOINT_URL_S3", &service.url).run()
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
    ran.says("scanned 99 bytes")
        .says("answers are read a thousand rows at a time, since UNLOAD gave none: no manifest of its files");
    let started = service.calls("StartQueryExecution");
    assert_eq!(started.len(), 2);
    assert_eq!(started[1].body["WorkGroup"], "audit");
    assert_eq!(started[1].body["ResultConfiguration"]["OutputLocation"], "s3://acme-results/x/");
    let statement = started[1].text("QueryString");
    let days = "FROM \"logs\".\"cloudtrail\" WHERE \"timestamp\" >= '2026/10/04' AND \"timestamp\" < '2026/10/13' AND \"eventtime\" >= '2026-10-05T00:00:00Z'";
    assert!(statement.contains(days), "{statement}");
}

/// What is between two marks of a text.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// A table whose queries write files into a bucket over a folder, as UNLOAD does.
fn unload(call: &Call, table: &Table, folder: &Path) -> Answer {
    let written = table.answer(call, &[], ("SUCCEEDED", ""), 99)?;
    let statement = call.text("QueryString");
    if let Some(select) = between(statement, "UNLOAD (", ") TO 's3://") {
        let prefix = between(statement, ") TO 's3://acme-logs/", "'").expect("a place in the bucket");
        std::fs::create_dir_all(folder.join(prefix)).expect("a folder");
        let mut manifest = String::new();
        let found: Vec<_> = records().into_iter().filter(|record| finds(select, record)).collect();
        for (number, part) in found.chunks(40).enumerate() {
            let rows: Vec<_> = part.iter().map(|record| values(select, record, true)).collect();
            let column = |at: usize| -> ArrayRef {
                Arc::new(rows.iter().map(|row| row[at].clone()).collect::<StringArray>())
            };
            let columns = (0..rows[0].len()).map(|at| (format!("c{at}"), column(at), true));
            let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("rows");
            let key = format!("{prefix}20261005_{number}_part");
            let file = std::fs::File::create(folder.join(&key)).expect("a file");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
            writer.write(&batch).expect("rows");
            writer.close().expect("a file");
            manifest.extend(["s3://acme-logs/", &key, "\n"]);
        }
        std::fs::write(folder.join("results/x-0-manifest.csv"), manifest).expect("a manifest");
    }
    let mut written = written;
    if call.operation == "GetQueryExecution" {
        written["QueryExecution"]["Statistics"]["DataManifestLocation"] =
            json!("s3://acme-logs/results/x-0-manifest.csv");
    }
    Ok(written)
}

#[test]
fn a_table_gives_in_files_what_it_gives_in_pages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("results")).expect("a folder");
    let server = Server::over(folder.path());
    let (table, place, written) = (Table::default(), folder.path().to_owned(), server.looking_again());
    let service = Service::new(move |call| {
        if call.operation == "GetWorkGroup" {
            let output = json!({"OutputLocation": "s3://acme-logs/results/"});
            let settings = json!({"EnforceWorkGroupConfiguration": true, "ResultConfiguration": output});
            return Ok(json!({"WorkGroup": {"Name": "primary", "Configuration": settings}}));
        }
        let answer = unload(call, &table, &place);
        written();
        answer
    });
    let sql = select("event_id IS NOT NULL");
    let run = service.run(&["query", &sql, "--format", "json", "-s", "athena:logs.cloudtrail"]);
    // The workgroup's place goes before the one given.
    let run = run.args(DAY).args(["--athena-output", "s3://acme-results/x/", "--path-style"]);
    let ran = run.env("AWS_ENDPOINT_URL_S3", &server.url).run().exits(0);
    let files = tempfile::tempdir().expect("a temporary folder");
    write(files.path(), &records());
    let local = bedtrail(["query", &sql, "--format", "json", "-s", text(files.path())]).run().exits(0);
    assert_eq!(events(&ran, &[]), events(&local, &[]));
    assert!(service.calls("GetQueryResults").is_empty());
    assert_eq!(service.calls("StartQueryExecution").len(), 1);
    let statement = service.calls("StartQueryExecution")[0].text("QueryString").to_owned();
    assert!(statement.ends_with("WITH (format = 'PARQUET', compression = 'ZSTD')"), "{statement}");
    // Its files are gone, and what Athena itself left is not ours.
    assert_eq!(listing(folder.path()), ["results/x-0-manifest.csv"]);
}

#[test]
fn what_may_not_be_written_is_paged() {
    let table = Table::default();
    let service = Service::new(move |call| {
        let unloading = table.statements.lock().expect("statements").len() == 1;
        let denied = "Access Denied (Service: Amazon S3; Status Code: 403)";
        match call.operation.as_str() {
            "GetQueryExecution" if unloading => Ok(json!({"QueryExecution": {
                "QueryExecutionId": call.text("QueryExecutionId"),
                "Status": {"State": "FAILED", "StateChangeReason": denied}, "Statistics": {"DataScannedInBytes": 0}}})),
            _ => table.answer(call, &[], ("SUCCEEDED", ""), 7),
        }
    });
    let ran = ask(&service, &["--athena-output", "s3://acme-results/x/"]).exits(0);
    assert!(!events(&ran, &[]).is_empty());
    ran.says("since UNLOAD gave none").says("Access Denied");
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
