//! The scheduled run: the configuration, what is expected of whom, and what was found before.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::listing;
use crate::command::{Run, bedtrail};
use crate::program::{ask, put, text};

/// What a night judges by here; that all rules find the same in a store as in logs is shown elsewhere.
const RULES: [&str; 6] = ["--rule", "BT001", "--rule", "BT030", "--rule", "BT080"];

struct Night {
    folder: tempfile::TempDir,
}

impl Night {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let root = env!("CARGO_MANIFEST_DIR");
        let config = format!(
            "sources = [\"{root}/fixtures/trail\"]\nstore = {:?}\npolicy = \"{root}/fixtures/policy.toml\"\n\n\
             [output]\nout = {:?}\nformat = [\"csv\", \"json\"]\n\n{more}",
            at("store"),
            at("out")
        );
        put(folder.path(), "bedtrail.toml", config);
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self) -> Run {
        bedtrail(["run", "--now", "2026-11-01", "--config", text(&self.path("bedtrail.toml"))]).args(RULES)
    }
}

#[test]
fn a_night_collects_audits_and_writes_and_the_next_has_nothing_new() {
    let night = Night::new("");
    night.run().run().exits(1).says("114 new objects").says("violations");
    let out = listing(&night.path("out"));
    assert!(out.contains(&"manifest.json".to_owned()) && out.contains(&"coverage.csv".to_owned()), "{out:?}");
    let file = night.path("out/violations.json");
    let mut before: Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    let rows = before["reports"][0]["rows"].as_array_mut().expect("rows");
    let known = rows.iter().filter(|row| row["status"] == "violation").count();
    assert!(known > 2, "{known}");
    let again = night.run().args(["--previous", text(&night.path("out")), "--fail-on-new"]).run();
    let said = format!("0 violations are new, {known} were found before");
    again.exits(0).says(" 0 new objects").says(&said);
    // One of them is forgotten: it is new again.
    let at = rows.iter().position(|row| row["severity"] == "critical" && row["status"] == "violation");
    rows.remove(at.expect("a critical one"));
    let previous = put(night.folder.path(), "before.json", before.to_string());
    let run = night.run().args(["--previous", &previous, "--fail-on-new"]).run();
    run.exits(1).says(&format!("1 violations are new, {} were found before", known - 1));
    night.run().args(["--previous", "README.md"]).run().exits(2).says("--previous README.md");
}

#[test]
fn a_flag_wins_over_a_variable_and_both_over_the_file() {
    let night = Night::new("[verdict]\nfail_on = \"never\"\n");
    night.run().run().exits(0).says("fails on: never");
    night.run().env("BEDTRAIL_FAIL_ON", "critical").run().exits(1).says("fails on: critical");
    // An audit with the file reads the store that a run has filled.
    let audit = bedtrail(["audit", "--now", "2026-11-01", "--config", text(&night.path("bedtrail.toml"))]);
    let both = audit.args(RULES).env("BEDTRAIL_FAIL_ON", "critical").args(["--fail-on", "never"]).run();
    both.exits(0).says("fails on: never");
    let manifest = std::fs::read_to_string(night.path("out/manifest.json")).expect("the manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["balance"]["objects"], 114);
    bedtrail(["run", "--config", "/no/such.toml"]).run().exits(2).says("/no/such.toml: cannot be read");
    put(night.folder.path(), "wrong.toml", "stroe = 1\n");
    let wrong = text(&night.path("wrong.toml")).to_owned();
    bedtrail(["run", "--config", &wrong]).run().exits(2).says("wrong.toml:1:1: unknown field `stroe`");
    bedtrail(["run"]).run().exits(2).says("there is no bedtrail.toml here");
}

#[test]
fn who_is_silent_that_should_not_be_is_named() {
    let accounts = |source: &Path| -> Vec<(String, String)> {
        let pairs = ask(
            "SELECT account_id, aws_region FROM coverage WHERE state = 'delivered' ORDER BY account_id, aws_region",
            &["-s", text(source)],
        );
        let cell = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
        pairs.rows.iter().map(|row| (cell(row, "account_id"), cell(row, "aws_region"))).collect()
    };
    let delivered = accounts(Path::new("fixtures/trail"));
    assert!(delivered.len() > 2, "{delivered:?}");
    let (account, region) = &delivered[0];
    let expected = |quiet: &str| {
        Night::new(&format!(
            "[verdict]\nfail_on = \"never\"\n[organization]\naccounts = [\"{account}\", \"000000000001\"]\nregions = [\"{region}\"]\n{quiet}"
        ))
    };
    let night = expected("");
    night.run().run().exits(3).says(&format!("000000000001 delivered no log of {region}"));
    let coverage = std::fs::read_to_string(night.path("out/coverage.csv")).expect("the report");
    assert!(coverage.contains("silent") && coverage.contains("not_expected"), "{coverage}");
    assert_eq!(accounts(&night.path("store")), delivered);
    let list =
        format!(r#"{{"Accounts": [{{"Id": "{account}", "Name": "Acme production", "Status": "ACTIVE"}}]}}"#);
    let list = put(night.folder.path(), "accounts.json", list);
    let night = expected(&format!(
        "accounts_file = {list:?}\n[[organization.quiet]]\naccount = \"000000000001\"\nreason = \"closed in May\"\n"
    ));
    night.run().run().exits(0);
    let coverage = std::fs::read_to_string(night.path("out/coverage.csv")).expect("the report");
    assert!(coverage.contains(&format!("{account},Acme production,{region},delivered")), "{coverage}");
    assert!(coverage.contains("closed in May") && !coverage.contains("silent"), "{coverage}");
}
