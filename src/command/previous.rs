//! The violations of an earlier run, by their ids.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{Failure, say};
use crate::cli::Aws;
use crate::output::upload::Upload;

/// Names of the file in a run's folder, the best first.
const NAMES: [&str; 4] = ["violations.json", "violations.csv", "violations.ndjson", "violations.parquet"];

/// Where a run says what it was asked.
const MANIFEST: &str = "manifest.json";

/// What an earlier run found.
#[derive(Debug, Default)]
pub(super) struct Previous {
    /// Ids of findings.
    ids: BTreeSet<String>,
    /// Codes of the rules that it asked; none if all.
    only: Option<BTreeSet<String>>,
}

impl Previous {
    /// Reads them from a file of an earlier run, or from its folder, here or in a bucket. What is not there yet is none.
    pub(super) fn load(path: &Path, aws: &Aws) -> Result<Self, Failure> {
        if Upload::is(path) {
            return Self::fetched(path, aws);
        }
        let found = if path.is_dir() {
            NAMES.map(|name| path.join(name)).into_iter().find(|file| file.exists())
        } else {
            None
        };
        let file: PathBuf = found.unwrap_or_else(|| path.to_owned());
        if path.is_dir() && file == path || !file.exists() {
            say(&format!("note: {} holds no findings yet: all are new", path.display()));
            return Ok(Self::default());
        }
        let mut previous = Self::default();
        let read = match file.extension().and_then(|ending| ending.to_str()) {
            Some("parquet") => previous.parquet(&file),
            Some("csv") => previous.csv(&file),
            _ => previous.json(&file),
        };
        read.map_err(|message| {
            Failure::usage(format!("--previous {}: {message}", file.display()))
                .help("give violations.json, .csv, .ndjson or .parquet of an earlier run's --out")
        })?;
        // A file that was carried off alone has none beside it.
        let manifest = file.with_file_name(MANIFEST);
        previous.only = std::fs::read(manifest).ok().and_then(|bytes| rules_asked(&bytes));
        Ok(previous)
    }

    /// The same from a bucket.
    fn fetched(path: &Path, aws: &Aws) -> Result<Self, Failure> {
        let remote = Upload::open(path, aws.access())?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let ending = NAMES.iter().any(|known| Path::new(&name).extension() == Path::new(known).extension());
        let names: Vec<&str> = if ending { vec![""] } else { NAMES.to_vec() };
        for wanted in names {
            let Some(bytes) = remote.fetch(wanted)? else { continue };
            let folder = tempfile::tempdir().map_err(Failure::failed)?;
            let file = folder.path().join(if wanted.is_empty() { &name } else { wanted });
            std::fs::write(&file, bytes).map_err(Failure::failed)?;
            if !wanted.is_empty()
                && let Some(bytes) = remote.fetch(MANIFEST)?
            {
                std::fs::write(folder.path().join(MANIFEST), bytes).map_err(Failure::failed)?;
            }
            return Self::load(&file, aws);
        }
        say(&format!("note: {} holds no findings yet: all are new", path.display()));
        Ok(Self::default())
    }

    /// Whether a finding was there.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// That the run before asked some rules alone, if this one asks more: `now`, or all.
    pub(super) fn narrower(&self, now: Option<&[&str]>) -> Option<String> {
        let only = self.only.as_ref()?;
        if now.is_some_and(|now| now.iter().all(|code| only.contains(*code))) {
            return None;
        }
        let only: Vec<&str> = only.iter().map(String::as_str).collect();
        Some(format!(
            "--previous was judged by {} alone, as --rule asked: what other rules find counts as new, though it may have been \
             there before",
            only.join(", ")
        ))
    }

    fn add(&mut self, id: &str, status: &str) {
        if status == "violation" {
            self.ids.insert(id.to_owned());
        }
    }

    fn csv(&mut self, file: &Path) -> Result<(), String> {
        let mut reader = csv::Reader::from_path(file).map_err(|error| error.to_string())?;
        let headers = reader.headers().map_err(|error| error.to_string())?.clone();
        let column =
            |name: &str| headers.iter().position(|header| header.trim_start_matches('\u{feff}') == name);
        let (Some(id), Some(status)) = (column("finding_id"), column("status")) else {
            return Err("it has no columns finding_id and status".to_owned());
        };
        for row in reader.records() {
            let row = row.map_err(|error| error.to_string())?;
            self.add(row.get(id).unwrap_or_default(), row.get(status).unwrap_or_default());
        }
        Ok(())
    }

    fn json(&mut self, file: &Path) -> Result<(), String> {
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
        let mut any = false;
        for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            any = true;
            self.walk(&value.map_err(|error| error.to_string())?);
        }
        if any || text.trim().is_empty() { Ok(()) } else { Err("it holds no JSON".to_owned()) }
    }

    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(object) => {
                if let (Some(id), Some(status)) = (
                    object.get("finding_id").and_then(Value::as_str),
                    object.get("status").and_then(Value::as_str),
                ) {
                    self.add(id, status);
                }
                object.values().for_each(|value| self.walk(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.walk(value)),
            _ => {}
        }
    }

    fn parquet(&mut self, file: &Path) -> Result<(), String> {
        let file = File::open(file).map_err(|error| error.to_string())?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(|error| error.to_string())?;
        for batch in reader {
            let batch = batch.map_err(|error| error.to_string())?;
            let text = |name: &str| {
                let column = batch.column_by_name(name).ok_or_else(|| format!("it has no column {name}"))?;
                arrow::compute::cast(column, &DataType::Utf8).map_err(|error| error.to_string())
            };
            let (ids, statuses) = (text("finding_id")?, text("status")?);
            for (id, status) in ids.as_string::<i32>().iter().zip(statuses.as_string::<i32>()) {
                self.add(id.unwrap_or_default(), status.unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// The rules that a run asked alone, as its manifest tells.
fn rules_asked(manifest: &[u8]) -> Option<BTreeSet<String>> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let rules = manifest.get("parameters")?.get(super::judge::RULE)?.as_str()?;
    Some(rules.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringViewArray};
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn ids(path: &Path) -> Vec<String> {
        Previous::load(path, &Aws::default()).ok().unwrap().ids.into_iter().collect()
    }

    #[test]
    fn every_format_of_a_run_is_read_and_only_violations_count() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(ids(folder.path()).is_empty() && ids(&at("none.json")).is_empty());
        let text = |values: [&str; 2]| Arc::new(StringViewArray::from_iter_values(values)) as _;
        let columns = [("status", text(["violation", "waived"])), ("finding_id", text(["a", "b"]))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer =
            ArrowWriter::try_new(File::create(at("violations.parquet")).unwrap(), batch.schema(), None)
                .unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        assert_eq!(ids(folder.path()), ["a"]);
        let lines = "{\"finding_id\":\"b\",\"status\":\"violation\"}\n{\"finding_id\":\"c\",\"status\":\"not_assessed\"}\n";
        std::fs::write(at("violations.ndjson"), lines).unwrap();
        assert_eq!(ids(folder.path()), ["b"]);
        std::fs::write(
            at("violations.csv"),
            "finding_id,rule_id,status\nc,BT001,violation\nd,BT001,waived\n",
        )
        .unwrap();
        assert_eq!(ids(folder.path()), ["c"]);
        let report = r#"{"reports": [{"rows": [{"finding_id": "d", "status": "violation"}]}]}"#;
        std::fs::write(at("violations.json"), report).unwrap();
        assert_eq!(ids(folder.path()), ["d"]);
        std::fs::write(at("violations.json"), "no JSON").unwrap();
        assert!(Previous::load(folder.path(), &Aws::default()).is_err());
    }

    #[test]
    fn a_run_of_some_rules_is_narrower_than_one_of_more() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("violations.json"), "[]").unwrap();
        let narrower =
            |now: Option<&[&str]>| Previous::load(folder.path(), &Aws::default()).ok().unwrap().narrower(now);
        assert_eq!(narrower(None), None);
        let manifest = folder.path().join(MANIFEST);
        std::fs::write(&manifest, r#"{"parameters": {"rule": "BT001 BT030"}}"#).unwrap();
        assert!(narrower(None).unwrap().contains("BT001, BT030 alone"));
        assert!(narrower(Some(&["BT001", "BT002"])).is_some());
        assert_eq!(narrower(Some(&["BT030"])), None);
        std::fs::write(&manifest, r#"{"parameters": {}}"#).unwrap();
        assert_eq!(narrower(None), None);
    }
}
