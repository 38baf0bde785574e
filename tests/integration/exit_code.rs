//! Exit codes, one by one: the contract with whatever schedules the program.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Run, bedtrail};
use crate::record::{call, foreign, object, write};

/// Allows what [`call`] does.
const POLICY: &str = r#"
schema = 1
name = "small"
version = "1"

[[environment]]
name = "prod"
accounts = ["111122223333"]
regions = ["eu-central-1"]
inference_geographies = ["eu"]

[[allow]]
id = "claims-bot"
environment = ["prod"]
roles = ["arn:aws:iam::111122223333:role/service/claims-bot"]
models = ["anthropic.claude-sonnet-*"]
purpose = "Claims"
owner = "claims@acme.example"
"#;

/// The one rule that decides.
const ONE: [&str; 2] = ["--rule", "BT001"];

/// A folder with logs and a policy beside them.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(records: &[Value], policy: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(place.logs()).expect("a new folder");
        if !records.is_empty() {
            write(&place.logs(), "log", records);
        }
        fs::write(place.policy(), policy).expect("a file can be written");
        place
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    fn policy(&self) -> PathBuf {
        self.folder.path().join("policy.toml")
    }

    fn audit(&self) -> Run {
        bedtrail(["audit"]).source(self.logs()).policy(self.policy())
    }

    /// The rules alone.
    fn judged(&self) -> Run {
        bedtrail(["report", "violations"]).source(self.logs()).policy(self.policy())
    }

    /// One report that reads little.
    fn report(&self) -> Run {
        bedtrail(["report", "unresolved"]).source(self.logs())
    }
}

/// A call as the root user, which needs no policy to be a violation.
fn by_root(number: u32) -> Value {
    let mut record = call(number);
    record["userIdentity"] = serde_json::json!({
        "type": "Root",
        "principalId": "111122223333",
        "arn": "arn:aws:iam::111122223333:root",
        "accountId": "111122223333"
    });
    record
}

fn unapproved(number: u32) -> Value {
    let mut record = call(number);
    record["requestParameters"]["modelId"] = "amazon.nova-pro-v1:0".into();
    record
}

#[test]
fn clean_is_0() {
    Place::new(&[call(1), foreign(2)], POLICY).audit().run().exits(0).says("0 violations");
}

#[test]
fn violations_are_1_from_the_severity_asked_for() {
    let with = |fail_on: &str| {
        let defaults = format!("[defaults]\nfail_on = \"{fail_on}\"\n\n[[environment]]");
        let policy =
            POLICY.replacen("[[environment]]", &defaults, 1) + "\n[rules.BT001]\nseverity = \"medium\"\n";
        Place::new(&[call(1), unapproved(2)], &policy)
    };
    with("high").audit().args(ONE).run().exits(0).says("1 violations (1 medium), 0 waived");
    with("medium").audit().args(ONE).run().exits(1).says("fails on: medium");
    with("high").audit().args(ONE).args(["--fail-on", "low"]).run().exits(1).says("fails on: low");
    with("medium").audit().args(ONE).env("BEDTRAIL_FAIL_ON", "never").run().exits(0).says("fails on: never");
    // Only an audit fails on violations.
    with("low").judged().args(ONE).run().exits(0);
}

#[test]
fn waived_findings_do_not_fail() {
    let waiver = r#"
[[waiver]]
id = "W-1"
rules = ["BT001"]
match = "role_arn LIKE 'arn:aws:iam::111122223333:role/service/claims-bot%'"
owner = "claims@acme.example"
approver = "ciso@acme.example"
reason = "Until the profile ships"
ticket = "T-1"
created = 2026-10-01
expires = 2026-12-31
"#;
    let place = Place::new(&[unapproved(1)], &format!("{POLICY}{waiver}"));
    place.audit().args(ONE).args(["--fail-on", "info"]).run().exits(0).says("0 violations, 1 waived");
}

#[test]
fn without_a_policy_the_rules_that_need_none_decide() {
    let place = Place::new(&[unapproved(1), by_root(2)], POLICY);
    let outcome = bedtrail(["audit"]).source(place.logs()).format("json").run().exits(1).says("1 violations");
    let document = outcome.json();
    let reports = document["reports"].as_array().expect("reports");
    let rules = reports.iter().find(|report| report["name"] == "rules").expect("the report of rules");
    let state = |code: &str| {
        let rows = rules["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["rule_id"] == code).expect("the rule")["state"].clone()
    };
    assert_eq!(state("BT001"), "not_applicable");
    assert_eq!(state("BT035"), "judged");
}

#[test]
fn a_policy_that_is_missing_or_wrong_is_2_before_anything_is_read() {
    let audit = || bedtrail(["audit"]).source("no/such/folder");
    audit().policy("no/such/policy.toml").run().exits(2).prints_nothing().says("no/such/policy.toml");
    let place = Place::new(
        &[],
        "schema = 1\nname = \"p\"\nversion = \"1\"\n\n[[allow]]\nid = \"a\"\nroles = [1]\nmodels = [\"*\"]\nowne = \"x\"\n\n[[waiver]]\nid = \"w\"\nexpires = \"soon\"\n",
    );
    let outcome = audit().policy(place.policy()).run().exits(2).prints_nothing();
    let places: Vec<&str> = outcome.stderr.lines().filter(|line| line.contains("policy.toml:")).collect();
    assert!(places.len() >= 3, "all problems at once: {}", outcome.stderr);
    for line in [7, 9, 13] {
        let at = format!("policy.toml:{line}:");
        assert!(places.iter().any(|place| place.contains(&at)), "no {at} in {}", outcome.stderr);
    }
    bedtrail(["policy", "check"]).args([place.policy()]).run().exits(2).says("policy.toml:9:1");
    bedtrail(["policy", "check", "fixtures/policy.toml"]).run().exits(0);
}

#[test]
fn a_rule_that_no_version_has_is_2() {
    let place = Place::new(
        &[call(1)],
        &format!("{POLICY}\n[rules.BTO01]\nenabled = false\nreason = \"r\"\nowner = \"o\"\n"),
    );
    place.audit().run().exits(2).prints_nothing().says("BTO01");
    let place = Place::new(&[call(1)], &format!("{POLICY}\n[rules.BT020]\nparams = {{ nothing = 1 }}\n"));
    place.audit().run().exits(2).prints_nothing().says("nothing");
}

#[test]
fn a_wrong_command_line_is_2() {
    let source = "no/such/folder";
    let wrong: [(&[&str], &str); 25] = [
        (&["audit", "-s", source, "--nothing"], "--nothing"),
        (
            &["audit", "-s", source, "--format", "xml"],
            "formats: asff, csv, json, ndjson, ocsf, parquet, table",
        ),
        (&["audit", "-s", source, "--format", "csv"], "--out"),
        (&["audit", "-s", source, "--format", "parquet"], "--out"),
        (&["audit", "-s", source, "--fail-on", "severe"], "severe"),
        (&["audit", "-s", source, "--from", "yesterday-ish"], "yesterday-ish"),
        (&["audit", "-s", source, "--account", "12"], "an account is twelve digits, such as 111122223333"),
        (
            &["report", "usage-by-role", "-s", source, "--account", "1111-2222-3333"],
            "an account is twelve digits",
        ),
        (&["collect", "-s", source, "--store", "x", "--account", "prod"], "an account is twelve digits"),
        (&["audit", "-s", source, "--region", "eu-central-1a"], "a Region is named as in eu-central-1"),
        (
            &["query", "-s", source, "SELECT 1", "--region", "Frankfurt"],
            "a Region is named as in eu-central-1",
        ),
        (&["audit", "-s", source, "--region", ""], "a Region is named as in eu-central-1"),
        (
            &["athena", "ddl", "--location", "s3://b/AWSLogs", "--account", "12"],
            "an account is twelve digits",
        ),
        (&["audit"], "say where the logs are with -s"),
        (&["report", "usage-by-rol", "-s", source], "usage-by-role"),
        (&["report", "unresolved", "-s", source, "--fail-on", "high"], "--fail-on"),
        (&["query", "-s", source, "SELEC 1"], "SELEC"),
        (&["query", "-s", source, "SELECT nothing_of_it FROM events"], "nothing_of_it"),
        (&["query", "-s", source, "SELECT event_id FROM nowhere"], "nowhere"),
        (&["rules", "explain", "BT999"], "BT999"),
        (&["audit", "-s", "fixtures/trail", "--rule", "BT999"], "BT999"),
        (&["report", "unresolved", "-s", source, "--rule", "BT001"], "--rule: unresolved tells nothing"),
        (&["query", "-s", source, "--rule", "BT001", "SELECT event_id FROM events"], "--rule: this question"),
        (&["collect", "-s", source, "--rule", "BT001"], "unexpected argument '--rule'"),
        (&["trace", "someone", "-s", source, "--rule", "BT001"], "unexpected argument '--rule'"),
    ];
    for (arguments, words) in wrong {
        bedtrail(arguments).run().exits(2).prints_nothing().says(words);
    }
    bedtrail(["query", "DELETE FROM events", "-s", source]).run().exits(2).prints_nothing();
    bedtrail(["query", "--file", "no/such.sql", "-s", source]).run().exits(2).says("no/such.sql");
}

#[test]
fn what_leaves_nothing_of_what_is_there_is_told() {
    let place = Place::new(&[call(1)], POLICY);
    let all = place.report().run().exits(0);
    assert!(!all.stderr.contains("no event is left"), "{}", all.stderr);
    place
        .report()
        .args(["--account", "999999999999"])
        .run()
        .exits(0)
        .says("no event is left by the accounts asked for: 1 records lie outside");
    let both = ["--region", "ap-south-1", "--from", "2026-01-01"];
    place.report().args(both).run().exits(0).says("no event is left by the time and Regions asked for");
    let config = "accounts = [\"12\"]\n";
    fs::write(place.folder.path().join("bedtrail.toml"), config).expect("a file can be written");
    let config = place.folder.path().join("bedtrail.toml");
    let ran =
        bedtrail(["audit", "--config"]).args([config.to_str().expect("UTF-8")]).source(place.logs()).run();
    ran.exits(2).says("the configuration, accounts: \"12\": an account is twelve digits");
}

#[test]
fn an_unreadable_object_is_3_and_the_rest_is_reported() {
    let place = Place::new(&[call(1), call(2)], POLICY);
    let whole = object(&[call(3)]);
    fs::write(place.logs().join("cut.json.gz"), &whole[..whole.len() / 2]).expect("a file can be written");
    let never = ["--fail-on", "never"];
    let outcome = place.audit().args(ONE).args(never).run().exits(3).says("cut.json.gz refused");
    assert!(outcome.stdout.contains("1 objects read, 1 refused"), "{}", outcome.stdout);
    let calls =
        || bedtrail(["query", "SELECT COUNT(*) AS calls FROM events"]).source(place.logs()).format("json");
    let outcome = calls().run().exits(3);
    assert_eq!(outcome.json()["reports"][0]["rows"][0]["calls"], 2);
    place.report().run().exits(3);
    // Violations come before incomplete evidence, unless the evidence is what is asked about.
    write(&place.logs(), "more", &[unapproved(4)]);
    place.audit().args(ONE).run().exits(1);
    place.audit().args(ONE).args(["--strict-evidence"]).run().exits(3);
}

#[test]
fn a_refused_record_is_3() {
    let mut record = call(2);
    record["eventTime"] = "not a time".into();
    let place = Place::new(&[call(1), record], POLICY);
    place.report().run().exits(3).says("record 1 of");
}

#[test]
fn strict_evidence_counts_what_is_not_assessed() {
    let mut opaque = call(1);
    opaque["requestParameters"]["modelId"] =
        "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/q1w2e3r4t5y6".into();
    let place = Place::new(&[opaque], POLICY);
    place.judged().run().exits(0);
    place.audit().args(["--strict-evidence"]).run().exits(3).says("1 violations (1 medium), 0 waived");
}

#[test]
fn no_input_is_4_and_never_0() {
    let empty = Place::new(&[], POLICY);
    let other = Place::new(&[], POLICY);
    fs::write(other.logs().join("notes.md"), "no log").expect("a file can be written");
    let foreign = Place::new(&[], POLICY);
    fs::write(foreign.logs().join("package.json"), "{\"name\": \"x\"}").expect("a file can be written");
    for subcommand in
        [["audit"].as_slice(), &["report", "unresolved"], &["query", "SELECT 1 AS one FROM events"]]
    {
        bedtrail(subcommand).source("no/such/folder").run().exits(4).prints_nothing().says("no/such/folder");
        bedtrail(subcommand).source("no/such/*.gz").run().exits(4).prints_nothing().says("no/such/*.gz");
        for place in [&empty, &other] {
            bedtrail(subcommand).source(place.logs()).run().exits(4).prints_nothing().says("no log object");
        }
        let outcome = bedtrail(subcommand).source(foreign.logs()).run().exits(4).prints_nothing();
        assert!(outcome.stderr.contains("no CloudTrail log is among"), "{}", outcome.stderr);
    }
}

#[test]
fn a_folder_with_cloudtrail_but_nothing_of_ours_is_0() {
    Place::new(&[foreign(1)], POLICY).report().run().exits(0);
}

#[test]
fn standard_input_is_a_source() {
    let report = || bedtrail(["report", "unresolved", "-s", "-"]);
    report().stdin(object(&[call(1)])).run().exits(0);
    report().stdin(Vec::new()).run().exits(4);
}

#[test]
fn what_cannot_be_written_is_4() {
    let place = Place::new(&[call(1)], POLICY);
    place.report().out(place.policy()).run().exits(4).prints_nothing().says("policy.toml");
}

#[test]
fn a_closed_pipe_is_0_and_silent() {
    let records: Vec<Value> = (0..3000).map(call).collect();
    let place = Place::new(&records, POLICY);
    let sql = "SELECT event_id, user_agent, principal, model_requested FROM events ORDER BY event_id";
    for format in ["ndjson", "table", "csv"] {
        let mut child = bedtrail(["query", sql, "--quiet"])
            .source(place.logs())
            .format(format)
            .into_command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert_eq!((child.wait().expect("it ends").code(), said.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn rules_tested_on_fixtures_they_fail_are_1() {
    bedtrail(["rules", "test", "no/such/folder"]).run().exits(4);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixture = folder.path().join("BT035-root-used");
    for (side, record) in [("fires", call(1)), ("silent", call(2))] {
        fs::create_dir_all(fixture.join(side)).expect("a new folder");
        write(&fixture.join(side), "events", &[record]);
    }
    let test = ["rules", "test", "--rule", "BT035"];
    let outcome = bedtrail(test).args([folder.path()]).run().exits(1).says("FAILED BT035 fires");
    assert_eq!(outcome.stdout, "1 passed, 1 failed\n");
    bedtrail(test).run().exits(0);
}
