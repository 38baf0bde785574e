//! Every format on Acme's trail, the folder of a scheduled run, and text that means harm.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::LazyLock;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::command::{acme, audited, bedtrail};
use crate::record::{call, write};

const FORMATS: &str = "csv,json,ndjson,parquet,table";

/// An audit of Acme's trail in every format, by one thread.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = acme("audit").args(["--threads", "1"]).format(FORMATS).out(folder.path()).run();
    run.exits(1).prints_nothing().says("files and manifest.json written to");
    folder
});

fn manifest(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

fn reports() -> &'static [Value] {
    audited()["reports"].as_array().expect("reports")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// A JSON value as the other formats spell it.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[test]
fn every_report_opens_with_what_is_not_assessed() {
    for report in reports().iter().filter(|report| report["name"] != "not-assessed") {
        let lines: Vec<&str> = report["not_assessed"].as_array().expect("lines").iter().map(text).collect();
        assert!(lines[0].starts_with("completeness: It was not verified"), "{lines:?}");
        for topic in ["bedrock-mantle calls: ", "agent calls: ", "AgentCore calls: "] {
            assert!(lines.iter().any(|line| line.starts_with(topic)), "{topic}: {lines:?}");
        }
        let footer: Vec<&str> = report["footer"].as_array().expect("lines").iter().map(text).collect();
        assert!(footer.iter().any(|line| line.contains(" records seen = ")), "{footer:?}");
    }
    let alone = bedtrail(["report", "denied", "-s", "fixtures/trail"]).run().exits(0).stdout;
    let opening: Vec<&str> = alone.lines().take(5).collect();
    assert_eq!(opening[0], "Refused calls  [denied]");
    assert!(opening[3].starts_with("Not assessed  completeness  "), "{opening:?}");
    assert!(alone.contains("Not assessed  policy"), "{alone}");
    let csv = bedtrail(["report", "denied", "-s", "fixtures/trail", "-f", "csv"]).run().exits(0);
    assert!(csv.stdout.starts_with("account_id,principal,"), "{}", csv.stdout);
    csv.says("not assessed: completeness: It was not verified");
}

#[test]
fn a_folder_has_each_report_in_each_format_and_the_manifest_proves_it() {
    let folder = FOLDER.path();
    let manifest = manifest(folder);
    let outputs = manifest["outputs"].as_array().expect("outputs");
    let catalogue = bedtrail::report::catalogue().expect("sound reports").iter();
    let written = catalogue.filter(|report| report.audit != bedtrail::report::Audit::Never).count() + 2;
    assert_eq!(outputs.len(), written * 5 + 1);
    for output in outputs {
        let bytes = fs::read(folder.join(text(&output["file"]))).expect("the file");
        assert_eq!(format!("{:x}", Sha256::digest(&bytes)), text(&output["sha256"]), "{output}");
        assert_eq!(bytes.len() as u64, output["bytes"], "{output}");
    }
    let mut there: Vec<String> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    there.sort();
    let mut named: Vec<String> = outputs.iter().map(|output| text(&output["file"]).to_owned()).collect();
    named.extend(["manifest.json", "manifest.sha256"].map(str::to_owned));
    named.sort();
    assert_eq!(there, named);
    let line = fs::read_to_string(folder.join("manifest.sha256")).expect("the hash");
    let hash = format!("{:x}", Sha256::digest(fs::read(folder.join("manifest.json")).expect("a manifest")));
    assert_eq!(line, format!("{hash}  manifest.json\n"));

    assert_eq!(manifest["ledger"]["file"], "ledger.parquet");
    assert_eq!(manifest["ledger"]["rows"], manifest["balance"]["objects"]);
    assert_eq!(manifest["run_time"], crate::command::NOW);
    assert_eq!(manifest["sources"], serde_json::json!(["fixtures/trail"]));
    let policy =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policy.toml")).expect("the policy");
    assert_eq!(text(&manifest["policy"][0]["sha256"]), format!("{:x}", Sha256::digest(policy)));
    let held: Vec<&str> = manifest["conditions"].as_array().expect("conditions").iter().map(text).collect();
    assert_eq!(held, ["violations_at_or_above", "not_assessed"]);
    let caveats = &manifest["not_assessed"];
    assert_eq!(caveats, &reports()[0]["not_assessed"]);
    let count = |name: &str| manifest["balance"][name].as_i64().expect(name);
    let parts =
        ["kept", "not_ours", "out_of_range", "duplicate", "superseded", "aggregated", "insight", "refused"];
    assert_eq!(count("seen"), parts.into_iter().map(count).sum::<i64>());
    let kinds = ["api_calls", "service_events", "network_activity", "shared_copies"];
    assert_eq!(count("kept"), kinds.into_iter().map(count).sum::<i64>());
}

#[test]
fn the_same_input_gives_the_same_bytes_whatever_the_threads() {
    let again = tempfile::tempdir().expect("a temporary folder");
    acme("audit").args(["--threads", "4"]).format(FORMATS).out(again.path()).run().exits(1);
    let (mut first, mut second) = (manifest(FOLDER.path()), manifest(again.path()));
    for one in [&mut first, &mut second] {
        // The command line names the folder and the threads.
        one.as_object_mut().expect("an object").remove("command");
    }
    // Every other file is in it by its hash.
    assert_eq!(first, second);
}

#[test]
fn json_in_a_folder_is_json_on_standard_output() {
    for report in reports() {
        let path = FOLDER.path().join(format!("{}.json", text(&report["name"])));
        let document: Value =
            serde_json::from_str(&fs::read_to_string(path).expect("the file")).expect("JSON");
        assert_eq!(&document["reports"][0], report);
    }
}

#[test]
fn ndjson_has_the_rows_of_json() {
    for report in reports() {
        let path = FOLDER.path().join(format!("{}.ndjson", text(&report["name"])));
        let lines = fs::read_to_string(path).expect("the file");
        let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(&Value::from(rows), &report["rows"]);
    }
}

#[test]
fn csv_has_the_rows_of_json() {
    for report in reports() {
        let path = FOLDER.path().join(format!("{}.csv", text(&report["name"])));
        let mut reader = csv::Reader::from_path(path).expect("the file");
        let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        let columns = report["columns"].as_array().expect("columns");
        assert_eq!(names, columns.iter().map(|column| text(&column["name"])).collect::<Vec<_>>());
        let rows = report["rows"].as_array().expect("rows");
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("records");
        assert_eq!(records.len(), rows.len(), "{}", report["name"]);
        for (record, row) in records.iter().zip(rows) {
            for (cell, name) in record.iter().zip(&names) {
                if let Some(number) = row[name].as_f64().filter(|_| row[name].is_f64()) {
                    assert_eq!(cell.parse(), Ok(number), "{name} in {row}");
                } else {
                    assert_eq!(cell, plain(&row[name]).unwrap_or_default(), "{name} in {row}");
                }
            }
        }
    }
}

fn parquet(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).expect("the file");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("Parquet");
    reader.collect::<Result<_, _>>().expect("rows")
}

#[test]
fn parquet_has_the_rows_of_json() {
    for report in reports() {
        let rows = report["rows"].as_array().expect("rows");
        let batches = parquet(&FOLDER.path().join(format!("{}.parquet", text(&report["name"]))));
        let mut rest = rows.iter();
        for batch in &batches {
            for (row, expected) in (0..batch.num_rows()).zip(rest.by_ref()) {
                for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                    let cell =
                        column.is_valid(row).then(|| array_value_to_string(column, row).expect("a value"));
                    assert_eq!(cell, plain(&expected[field.name()]), "{} in {expected}", field.name());
                }
            }
        }
        assert!(rest.next().is_none(), "{} has fewer rows", report["name"]);
    }
}

#[test]
fn the_ledger_adds_up_to_the_balance() {
    let manifest = manifest(FOLDER.path());
    let mut sums = BTreeMap::<String, i64>::new();
    for batch in parquet(&FOLDER.path().join("ledger.parquet")) {
        for name in ["seen", "kept", "not_ours", "duplicate", "aggregated", "insight", "refused", "api_calls"]
        {
            let column = batch.column_by_name(name).expect(name);
            let column = column.as_any().downcast_ref::<arrow::array::Int64Array>().expect("integers");
            *sums.entry(name.to_owned()).or_default() += column.iter().flatten().sum::<i64>();
        }
    }
    for (name, sum) in sums {
        assert_eq!(manifest["balance"][&name], sum, "{name}");
    }
}

#[test]
fn a_folder_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = || bedtrail(["report", "denied", "-s", "fixtures/trail"]).out(folder.path());
    report().run().exits(0);
    fs::write(folder.path().join("notes.md"), "mine").expect("a file can be written");
    assert!(folder.path().join("denied.csv").exists());
    report().format("json").run().exits(0);
    assert!(!folder.path().join("denied.csv").exists(), "the earlier run's");
    let manifest = manifest(folder.path());
    let files: Vec<&str> =
        manifest["outputs"].as_array().expect("outputs").iter().map(|one| text(&one["file"])).collect();
    assert_eq!(files, ["denied.json", "ledger.parquet"]);
    assert!(folder.path().join("notes.md").exists());
    fs::write(folder.path().join("denied.json"), "corrected by hand").expect("a file can be written");
    report().run().exits(0).says("warning: denied.json is of an earlier run, but changed since: it stays");
    assert!(folder.path().join("denied.json").exists());
}

/// What a caller may send, and must only ever be text.
const HOSTILE: [&str; 7] = [
    "=cmd|' /C calc'!A0",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "<script>alert(1)</script>",
    "\u{202e}gpj.exe\u{2066}",
    "two\r\nlines\n\"quoted\",'; DROP TABLE events; --",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1\u{0}\u{feff}\u{2028}",
];

/// A folder whose records carry [`HOSTILE`] wherever a caller chooses the text.
fn hostile() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let records: Vec<Value> = (0..)
        .zip(HOSTILE)
        .map(|(number, text)| {
            let mut record = call(number);
            record["userAgent"] = text.into();
            record["requestParameters"]["modelId"] = text.into();
            record["userIdentity"]["arn"] =
                format!("arn:aws:sts::111122223333:assumed-role/claims-bot/{text}").into();
            record["userIdentity"]["principalId"] = format!("AROAIOSFODNN7EXAMPLE:{text}").into();
            record["errorCode"] = "ValidationException".into();
            record["errorMessage"] = text.into();
            record
        })
        .collect();
    write(folder.path(), "log", &records);
    folder
}

const CHOSEN: [&str; 4] = ["user_agent", "model_requested", "session_name", "error_message"];

#[test]
fn hostile_text_is_only_text_in_every_format() {
    let folder = hostile();
    let sql = format!("SELECT {} FROM events ORDER BY event_id", CHOSEN.join(", "));
    let query = |format: &str| {
        let shown = ["query", &*sql, "--show-content"];
        bedtrail(shown).source(folder.path()).format(format).run().exits(0).stdout
    };
    let calm = |text: &str| {
        let bad = text
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{2066}\u{feff}\u{2028}".contains(*c));
        assert_eq!(bad, None, "{text:?}");
    };

    let table = query("table");
    calm(&table);
    assert_eq!(table.lines().filter(|line| line.contains("calc")).count(), 2, "{table}");
    assert!(table.contains(r"\u{1b}[2J\u{1b}]0;owned\u{7}"), "{table}");
    assert!(table.contains(r"two\r\nlines\n"), "{table}");

    for format in ["json", "ndjson"] {
        let text = query(format);
        calm(&text);
        let rows: Vec<Value> = if format == "json" {
            let document: Value = serde_json::from_str(&text).expect("JSON");
            document["reports"][0]["rows"].as_array().expect("rows").clone()
        } else {
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        assert_eq!(rows.len(), HOSTILE.len());
        for (row, sent) in rows.iter().zip(HOSTILE) {
            for name in ["user_agent", "model_requested", "error_message"] {
                assert_eq!(row[name], sent, "{format} {name}");
            }
        }
    }

    let text = query("csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("records");
    assert_eq!(records.len(), HOSTILE.len());
    for cell in records.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
        assert!(cell.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "{cell:?}");
    }
    assert_eq!(&records[0][0], "'=cmd|' /C calc'!A0");
    assert_eq!(&records[2][0], HOSTILE[2]);
}

#[test]
fn hostile_text_does_not_reach_a_person_through_reports_or_warnings() {
    let folder = hostile();
    fs::write(folder.path().join("\u{1b}[31m\u{202e}.json"), "{").expect("a file can be written");
    for report in ["denied", "principals", "usage-by-client", "unresolved"] {
        let outcome = bedtrail(["report", report]).source(folder.path()).run().exits(3);
        for stream in [outcome.stdout, outcome.stderr] {
            assert!(!stream.contains(['\u{1b}', '\u{202e}', '\u{7}', '\0', '\r']), "{stream:?}");
        }
    }
    // Also when the text is what cannot be understood.
    for wrong in [["query", "SELECT '\u{1b}[31m"], ["report", "\u{1b}[31m"]] {
        let outcome = bedtrail(wrong).source(folder.path()).run().exits(2);
        assert!(!outcome.stderr.contains('\u{1b}'), "{:?}", outcome.stderr);
    }
}

#[test]
fn colour_is_for_terminals() {
    let rules = || bedtrail(["rules", "list"]);
    assert!(!rules().run().exits(0).stdout.contains('\u{1b}'));
    assert!(rules().args(["--color", "always"]).run().exits(0).stdout.contains('\u{1b}'));
    let forced = rules().args(["--color", "always"]).env("NO_COLOR", "1").run().exits(0);
    assert!(forced.stdout.contains('\u{1b}'), "what is asked for by name goes before the environment");
}

#[test]
fn findings_are_told_to_other_tools() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    acme("audit").format("ocsf,asff").out(folder.path()).run().exits(1).prints_nothing();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a file of findings");
    let report = reports().iter().find(|report| report["name"] == "violations").expect("violations");
    let rows = report["rows"].as_array().expect("rows");
    let ids = |field: &str| -> Vec<String> { rows.iter().map(|row| text(&row[field]).to_owned()).collect() };

    let events: Vec<Value> =
        read("findings.ocsf.json").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<&str> = events.iter().map(|event| text(&event["finding_info"]["uid"])).collect();
    assert_eq!(told, ids("finding_id"));
    for (event, row) in events.iter().zip(rows) {
        assert_eq!(event["time"], 1_793_491_200_000_i64, "the present of the run");
        let places: Vec<String> = event["evidences"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| format!("{}#{}", text(&one["data"]["log_object"]), one["data"]["log_index"]))
            .collect();
        assert_eq!(places.join(" "), row["sample_records"].as_str().unwrap_or_default());
        assert_eq!(places.len(), row["sample_event_ids"].as_str().map_or(0, |ids| ids.split(' ').count()));
    }
    let findings: Value = serde_json::from_str(&read("findings.asff.json")).expect("JSON");
    let told: Vec<&str> = findings.as_array().expect("a list").iter().map(|one| text(&one["Id"])).collect();
    assert_eq!(told, ids("finding_id"), "each of Acme's findings has an account");

    let files: Vec<String> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.ends_with("json") && !name.starts_with("manifest"))
        .collect();
    assert_eq!(files.len(), 2, "reports without findings make no files: {files:?}");
    bedtrail(["report", "usage", "-s", "fixtures/trail", "-f", "ocsf"]).run().exits(2).says("violations");
}

#[test]
fn code_review_is_told_what_is_wrong_with_a_policy() {
    let check = |file: &str| bedtrail(["policy", "check", file, "--format", "sarif"]).run();
    let mut wrong = check("fixtures/policy/draft-vocabulary.toml").exits(2);
    let results = wrong.json()["runs"][0]["results"].clone();
    let results = results.as_array().expect("results");
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = text(&place["artifactLocation"]["uri"]);
        let (line, column) = (&place["region"]["startLine"], &place["region"]["startColumn"]);
        wrong = wrong.says(&format!("{uri}:{line}:{column}: "));
    }
    assert!(!results.is_empty());
    let right = check("fixtures/policy.toml").exits(0).json();
    assert!(
        right["runs"][0]["results"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["level"] == "note"))
    );
}
