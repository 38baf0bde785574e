//! The violations of an earlier run, by their ids.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{Failure, say};

/// Names of the file in a run's folder, the best first.
const NAMES: [&str; 4] = ["violations.json", "violations.csv", "violations.ndjson", "violations.parquet"];

/// Ids of findings.
#[derive(Debug, Default)]
pub(super) struct Previous(BTreeSet<String>);

impl Previous {
    /// Reads them from a file of an earlier run, or from its folder. What is not there yet is none.
    pub(super) fn load(path: &Path) -> Result<Self, Failure> {
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
        Ok(previous)
    }

    /// Whether a finding was there.
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    fn add(&mut self, id: &str, status: &str) {
        if status == "violation" {
            self.0.insert(id.to_owned());
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
