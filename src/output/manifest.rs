//! What a run read, by which rules, and what it wrote: the file by which everything else in a folder is proved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Error, Written, text};

/// The version of the manifest's own shape.
pub const SCHEMA: &str = "bedtrail-manifest/1";

/// The manifest of one run. Times are RFC 3339 in UTC; hashes are SHA-256 in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`SCHEMA`] in what this version writes.
    pub schema: String,
    /// The version of bedtrail.
    pub tool_version: String,
    /// When the run began.
    pub run_time: String,
    /// The command line, program name first. The caller leaves secrets out.
    pub command: Vec<String>,
    /// The half-open window of event time.
    pub window: Window,
    /// Where the log objects came from, as given: to this run, or to those that collected the store.
    pub sources: Vec<String>,
    /// The store that was read, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
    /// What Amazon Athena was asked, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub athena: Option<Athena>,
    /// Parameters of reports and rules that were set or defaulted, by `name` or `rule.name`.
    pub parameters: BTreeMap<String, String>,
    /// The policies judged by, oldest first; empty when there was none.
    pub policy: Vec<Policy>,
    /// Files of rules beside the program's own.
    #[serde(default)]
    pub rules: Vec<RuleFile>,
    /// Records by what became of them: `seen`, `kept`, `not_ours`, …
    pub balance: BTreeMap<String, i64>,
    /// The list of log objects, when it was written.
    pub ledger: Option<Ledger>,
    /// What the records cannot show, which every report opens with and a CSV has no place for.
    pub not_assessed: Vec<String>,
    /// Every exit condition that held, not only the one that won.
    pub conditions: Vec<String>,
    /// Every other file of the run, in the order written.
    pub outputs: Vec<Written>,
}

/// A store, at the commit that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Its folder, or `s3://bucket/prefix`.
    pub place: String,
    /// The number of its last commit.
    pub commit: u64,
    /// When that was made.
    pub time: String,
}

/// A table in Amazon Athena and the queries that were put to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Athena {
    /// `athena:DATABASE.TABLE`.
    pub table: String,
    /// Where tables were made for the time of the run.
    pub database: String,
    /// The workgroup.
    pub workgroup: String,
    /// Bytes that all queries scanned.
    pub scanned_bytes: u64,
    /// The queries, in the order in which they were asked for.
    pub queries: Vec<Query>,
}

/// A query of Athena's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The report or rule, or what it materialised.
    pub name: String,
    /// Athena's id of it.
    pub execution_id: String,
    /// Bytes it scanned.
    pub scanned_bytes: u64,
}

/// A half-open window, `from` ≤ event time < `to`; null is unbounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first instant inside.
    pub from: Option<String>,
    /// The first instant outside.
    pub to: Option<String>,
}

/// A policy file that was in force for some of the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its own name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// The hash of the file.
    pub sha256: String,
    /// The first instant it was in force, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first instant another was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A file with a rule that the program does not bring along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFile {
    /// The rule's code.
    pub rule: String,
    /// The file, as it was found.
    pub file: String,
    /// The hash of the file.
    pub sha256: String,
}

/// The ledger, by reference: it can have millions of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The file's name in the folder.
    pub file: String,
    /// Its hash.
    pub sha256: String,
    /// How many log objects it lists.
    pub rows: u64,
}

impl Manifest {
    /// Pretty-printed JSON in the order of the fields, with a line feed at the end.
    ///
    /// # Errors
    /// None that this type can cause.
    pub fn to_json(&self) -> Result<String, Error> {
        let mut json = text::json(&serde_json::to_string_pretty(self)?).into_owned();
        json.push('\n');
        Ok(json)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn sample() -> Manifest {
        Manifest {
            schema: SCHEMA.to_owned(),
            tool_version: "0.1.0".to_owned(),
            run_time: "2026-10-02T03:00:00Z".to_owned(),
            command: ["bedtrail", "audit", "-s", "logs/"].map(str::to_owned).to_vec(),
            window: Window { from: Some("2026-10-01T00:00:00Z".to_owned()), to: None },
            sources: vec!["logs/\u{202e}gnp".to_owned()],
            store: None,
            athena: None,
            parameters: BTreeMap::from([("BT101.days".to_owned(), "30".to_owned())]),
            policy: vec![Policy {
                name: "ai-use".to_owned(),
                version: "3".to_owned(),
                sha256: "00".repeat(32),
                from: None,
                to: None,
            }],
            rules: vec![RuleFile {
                rule: "ACME001".to_owned(),
                file: "rules/ACME001-x.sql".to_owned(),
                sha256: "33".repeat(32),
            }],
            balance: BTreeMap::from([("seen".to_owned(), 12), ("kept".to_owned(), 3)]),
            ledger: Some(Ledger { file: "ledger.parquet".to_owned(), sha256: "11".repeat(32), rows: 2 }),
            not_assessed: vec!["completeness: It is not verified.".to_owned()],
            conditions: vec!["findings".to_owned()],
            outputs: vec![Written {
                file: "usage.csv".to_owned(),
                sha256: "22".repeat(32),
                bytes: 40,
                rows: 3,
            }],
        }
    }

    #[test]
    fn it_is_stable_and_reads_back() {
        let json = sample().to_json().unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "schema": "bedtrail-manifest/1",
          "tool_version": "0.1.0",
          "run_time": "2026-10-02T03:00:00Z",
          "command": [
            "bedtrail",
            "audit",
            "-s",
            "logs/"
          ],
          "window": {
            "from": "2026-10-01T00:00:00Z",
            "to": null
          },
          "sources": [
            "logs/\u202egnp"
          ],
          "parameters": {
            "BT101.days": "30"
          },
          "policy": [
            {
              "name": "ai-use",
              "version": "3",
              "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
            }
          ],
          "rules": [
            {
              "rule": "ACME001",
              "file": "rules/ACME001-x.sql",
              "sha256": "3333333333333333333333333333333333333333333333333333333333333333"
            }
          ],
          "balance": {
            "kept": 3,
            "seen": 12
          },
          "ledger": {
            "file": "ledger.parquet",
            "sha256": "1111111111111111111111111111111111111111111111111111111111111111",
            "rows": 2
          },
          "not_assessed": [
            "completeness: It is not verified."
          ],
          "conditions": [
            "findings"
          ],
          "outputs": [
            {
              "file": "usage.csv",
              "sha256": "2222222222222222222222222222222222222222222222222222222222222222",
              "bytes": 40,
              "rows": 3
            }
          ]
        }
        "#);
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), sample());
    }
}
