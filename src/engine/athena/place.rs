//! Where the tables of a run keep their files in S3: below one prefix, which is emptied when the run ends.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::engine::{Error, Result};
use crate::source::s3::{Action, S3Error, Session, Target, Url};

/// A table's rows as a Parquet file that Athena reads: texts as strings, times in milliseconds.
pub(super) fn parquet(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let plain = |kind: &DataType| match kind {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(..) | DataType::Null => {
            DataType::Utf8
        }
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Float32 => DataType::Float64,
        kind if kind.is_integer() => DataType::Int64,
        kind => kind.clone(),
    };
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), plain(field.data_type()), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let wrong = |error: parquet::errors::ParquetError| Error::Internal(error.to_string());
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()));
    let options =
        ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    let mut writer =
        ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), options).map_err(wrong)?;
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(column, field)| cast(column, field.data_type()))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns)?).map_err(wrong)?;
    }
    writer.into_inner().map_err(wrong)
}

/// What Hive calls a column's type.
pub(super) fn hive_type(kind: &DataType) -> Result<String> {
    Ok(match super::literal::type_name(kind)?.as_str() {
        "VARCHAR" => "string".to_owned(),
        "TIMESTAMP(3)" => "timestamp".to_owned(),
        other => other.to_ascii_lowercase().replace(' ', ""),
    })
}

/// Puts an object.
pub(super) async fn put(session: &Session, url: &Url, body: Vec<u8>) -> Result<(), S3Error> {
    let bucket = session.bucket(&url.bucket).await?;
    let request = bucket.client.put_object().bucket(&url.bucket).key(&url.prefix).body(body.into());
    let sent = request.set_request_payer(bucket.payer.clone()).send().await;
    let target = Target::new(&url.bucket, &url.prefix);
    sent.map(drop).map_err(|error| S3Error::of(&error, Action::Put, &target))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, StringViewArray, TimestampMicrosecondArray};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn a_file_has_plain_types_and_no_notes_of_arrow() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a"), None]));
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, 0]));
        let batch =
            RecordBatch::try_from_iter_with_nullable([("t", texts, true), ("w", times, true)]).unwrap();
        let file = parquet(&batch.schema(), &[batch]).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes(&file)).unwrap();
        let kinds: Vec<String> =
            builder.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
        assert_eq!(kinds, ["Utf8", "Timestamp(ms)"]);
        assert!(builder.metadata().file_metadata().key_value_metadata().is_none());
        let rows: usize = builder.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows, 2);
        assert_eq!(hive_type(&DataType::Decimal128(38, 0)).unwrap(), "decimal(38,0)");
    }

    fn bytes(file: &[u8]) -> std::fs::File {
        use std::io::{Seek as _, Write as _};
        let mut held = tempfile::tempfile().unwrap();
        held.write_all(file).unwrap();
        held.rewind().unwrap();
        held
    }
}
