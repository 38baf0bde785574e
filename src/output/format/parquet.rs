//! Parquet for DuckDB, Spark, Trino and Athena: zstd, plain strings, instants adjusted to UTC, no Arrow schema.
//!
//! The same rows give the same bytes, however they were split into batches. The file carries its own words:
//! `bedtrail.title`, `.question`, `.not_assessed`, `.footer` and `.columns` in the key-value metadata.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

use super::{Format, only};
use crate::output::{Answer, Error, Options, cell};

/// Rows per encoding step; fixed, because page ends follow from it.
const STEP: usize = 8192;
const ROW_GROUP: usize = 128 * 1024;

/// See the module.
pub(super) struct Parquet;

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn extension(&self) -> &'static str {
        "parquet"
    }

    fn about(&self) -> &'static str {
        "Parquet with zstd, for DuckDB, Spark and Athena; one report per file, only with --out."
    }

    fn binary(&self) -> bool {
        true
    }

    fn write(&self, answers: &[Answer], _: &Options, out: &mut dyn Write) -> Result<(), Error> {
        let answer = only(self, answers)?;
        let schema = cell::schema(answer, &[]);
        let options =
            ArrowWriterOptions::new().with_skip_arrow_metadata(true).with_properties(properties(answer)?);
        // The encoder wants to own a `Send` writer: it gets a buffer, emptied after every step.
        let mut writer = ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), options)?;
        let mut steps = BatchCoalescer::new(Arc::clone(&schema), STEP);
        let mut put = |batch: &RecordBatch| -> Result<(), Error> {
            writer.write(batch)?;
            let buffer = writer.inner_mut();
            out.write_all(buffer)?;
            buffer.clear();
            Ok(())
        };
        for batch in cell::batches(answer, &schema) {
            steps.push_batch(batch?)?;
            while let Some(step) = steps.next_completed_batch() {
                put(&step)?;
            }
        }
        steps.finish_buffered_batch()?;
        while let Some(step) = steps.next_completed_batch() {
            put(&step)?;
        }
        out.write_all(&writer.into_inner()?)?;
        Ok(())
    }
}

fn properties(answer: &Answer) -> Result<WriterProperties, Error> {
    let mut words = vec![
        ("bedtrail.title", answer.title.clone()),
        ("bedtrail.question", answer.question.clone()),
        (
            "bedtrail.not_assessed",
            answer.preamble.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        ),
        ("bedtrail.footer", answer.footer.join("\n")),
    ];
    let meanings: std::collections::BTreeMap<_, _> = answer
        .schema
        .fields()
        .iter()
        .filter_map(|field| Some((field.name(), field.metadata().get(cell::MEANING)?)))
        .collect();
    if !meanings.is_empty() {
        words.push(("bedtrail.columns", serde_json::to_string(&meanings)?));
    }
    let words = words.into_iter().filter(|(_, text)| !text.is_empty());
    let words = words.map(|(key, text)| KeyValue::new(key.to_owned(), text)).collect();
    Ok(WriterProperties::builder()
        .set_created_by(concat!("bedtrail version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_key_value_metadata(Some(words))
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;
    use arrow::compute::concat_batches;
    use arrow::datatypes::{DataType, TimeUnit};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    fn bytes(answer: &Answer) -> Vec<u8> {
        let mut out = Vec::new();
        Parquet.write(std::slice::from_ref(answer), &Options::default(), &mut out).unwrap();
        out
    }

    /// `bytes::Bytes` is not a dependency of ours, so the reader gets a file.
    fn open(answer: &Answer) -> ParquetRecordBatchReaderBuilder<std::fs::File> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes(answer)).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file.reopen().unwrap()).unwrap()
    }

    #[test]
    fn rows_read_back() {
        for answer in [sample::usage(), sample::types(), sample::texts(&[])] {
            let schema = cell::schema(&answer, &[]);
            let expected: Vec<RecordBatch> = cell::batches(&answer, &schema).map(Result::unwrap).collect();
            let reader = open(&answer).build().unwrap();
            let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
            let (expected, read) =
                (concat_batches(&schema, &expected).unwrap(), concat_batches(&schema, &read).unwrap());
            assert_eq!(expected.columns(), read.columns());
        }
    }

    #[test]
    fn other_engines_see_plain_types() {
        let builder = open(&sample::usage());
        let types: Vec<DataType> =
            builder.schema().fields().iter().map(|field| field.data_type().clone()).collect();
        // Read from the Parquet types alone: no Arrow schema is in the file.
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(types, [DataType::Utf8, DataType::Int64, DataType::Utf8, time, DataType::Boolean]);
        let file = builder.metadata().file_metadata();
        assert_eq!(file.created_by(), Some(concat!("bedtrail version ", env!("CARGO_PKG_VERSION"))));
        let words: Vec<String> =
            file.key_value_metadata().unwrap().iter().map(|pair| pair.key.clone()).collect();
        assert_eq!(
            words,
            [
                "bedtrail.title",
                "bedtrail.question",
                "bedtrail.not_assessed",
                "bedtrail.footer",
                "bedtrail.columns"
            ]
        );
    }

    #[test]
    fn the_split_into_batches_leaves_no_trace() {
        let cells: Vec<String> = (0..20_000).map(|n| format!("role-{}", n % 5_000)).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let whole = sample::texts(&cells);
        let mut split = whole.clone();
        let batch = sample::first(&whole);
        split.rows = sample::rows(
            [(0, 1), (1, 8191), (8192, 0), (8192, 11_000), (19_192, 808)]
                .map(|(from, rows)| batch.slice(from, rows))
                .to_vec(),
        );
        assert!(bytes(&whole) == bytes(&split));
    }
}
