//! The Parquet files of a store: their columns, how they are written, and how they are read back.
//!
//! Files of rows have every column of `events` and, after those, a few of the store's own whose names begin with `_`:
//!
//! | column | what it says |
//! |---|---|
//! | `_content` | hash of the record's text: tells a copy from a conflict |
//! | `_content_low` | its other half, where the record has no event id |
//! | `_supersedes` | the id of the record that this one updates (`UPDATED_DATA`), in hexadecimal |
//! | `_conflict` | another row has the same event id and other content |
//! | `_object_account`, `_object_region`, `_object_day` | what the log object's name shows |
//! | `_fate` | in files of copies only: `duplicate` (its text is the row's that counts) or `superseded` |
//!
//! Outside readers may ignore them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{max, min};
use arrow::datatypes::{
    DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::StoreError;
use super::log::{Facts, Part, PartKind};
use super::medium::Medium;
use crate::event::builder;
use crate::event::row::RecordKind;

/// Rows in a row group, at most.
const GROUP: usize = 128 * 1024;
/// Rows read at once.
pub(super) const BATCH: usize = 8192;

/// The store's own columns in files of rows.
pub(super) const OWN: [(&str, DataType); 7] = [
    ("_content", DataType::Int64),
    ("_content_low", DataType::Int64),
    ("_supersedes", DataType::Utf8View),
    ("_conflict", DataType::Boolean),
    ("_object_account", DataType::Utf8View),
    ("_object_region", DataType::Utf8View),
    ("_object_day", DataType::Timestamp(TimeUnit::Microsecond, None)),
];
/// What became of a row in a file of copies.
pub(super) const FATE: &str = "_fate";
/// The order of the rows in a file.
pub(super) const ORDER: [&str; 5] = ["account_id", "principal", "event_time", "log_object", "log_index"];

/// The schema of files of rows: the columns of `events`, then the store's own.
pub fn rows_schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    Arc::clone(SCHEMA.get_or_init(|| {
        let own = OWN.into_iter().map(|(name, kind)| Arc::new(ArrowField::new(name, kind, true)));
        Arc::new(Schema::new(builder::schema().fields().iter().cloned().chain(own).collect::<Vec<_>>()))
    }))
}

/// The schema of files of copies.
pub(super) fn copies_schema() -> SchemaRef {
    let fate = Arc::new(ArrowField::new(FATE, DataType::Utf8View, true));
    Arc::new(Schema::new(rows_schema().fields().iter().cloned().chain([fate]).collect::<Vec<_>>()))
}

/// Writes a part from batches of one schema; their rows are sorted already.
pub(super) fn write(
    medium: &dyn Medium,
    key: String,
    kind: PartKind,
    day: Option<i32>,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, StoreError>>,
) -> Result<Part, StoreError> {
    let (draft, rows, facts) = drafted(medium, &key, kind, schema, batches)?;
    let sha256 = sha256(draft.path()).map_err(|error| StoreError::Part {
        what: "write",
        key: medium.address(&key),
        message: error.to_string(),
    })?;
    let bytes = medium.place(draft, &key)?;
    Ok(Part { key, kind, day, rows, bytes, sha256, facts })
}

/// A file of a kind without any row.
pub(super) fn blank(medium: &dyn Medium, key: &str, kind: PartKind) -> Result<NamedTempFile, StoreError> {
    let schema = match kind {
        PartKind::Events => rows_schema(),
        PartKind::Copies => copies_schema(),
        PartKind::Ledger => super::entry::schema(),
        PartKind::Keys => super::keys::schema(),
    };
    drafted(medium, key, kind, &schema, []).map(|(draft, _, _)| draft)
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub(super) fn sha256(path: &Path) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}

/// The local file of a part, if it is as long as it was when it was committed: the query engine takes an empty file for
/// an empty table.
pub(super) fn whole(medium: &dyn Medium, part: &Part) -> Result<PathBuf, StoreError> {
    let remedy = "restore it from a backup, or collect into a new store";
    let failed = |message: String| StoreError::Lost { key: medium.address(&part.key), message };
    let path = medium.path(&part.key).map_err(|error| failed(format!("{error}; {remedy}")))?;
    let found = std::fs::metadata(&path).map_err(|error| failed(format!("{error}; {remedy}")))?.len();
    if found == part.bytes {
        return Ok(path);
    }
    Err(failed(format!("it was committed with {} bytes and has {found}; {remedy}", part.bytes)))
}

fn drafted(
    medium: &dyn Medium,
    key: &str,
    kind: PartKind,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, StoreError>>,
) -> Result<(NamedTempFile, u64, Option<Facts>), StoreError> {
    let draft = medium.draft()?;
    let broken = |error: parquet::errors::ParquetError| StoreError::Part {
        what: "write",
        key: medium.address(key),
        message: error.to_string(),
    };
    let options = ArrowWriterOptions::new()
        .with_properties(properties(kind, schema).map_err(broken)?)
        .with_skip_arrow_metadata(true);
    let mut writer =
        ArrowWriter::try_new_with_options(draft.as_file(), Arc::clone(schema), options).map_err(broken)?;
    let mut rows = 0;
    let mut facts = matches!(kind, PartKind::Events | PartKind::Copies).then(Facts::default);
    for batch in batches {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        if let Some(facts) = &mut facts {
            gather(&batch, facts);
        }
        writer.write(&batch).map_err(broken)?;
    }
    writer.close().map_err(broken)?;
    Ok((draft, rows, facts))
}

/// A column of a batch that one of our files gave.
pub(super) fn column<'b, A: Array + 'static>(
    batch: &'b RecordBatch,
    name: &str,
) -> Result<&'b A, StoreError> {
    let found = batch.column_by_name(name).and_then(|array| array.as_any().downcast_ref());
    found.ok_or_else(|| StoreError::Internal(format!("a file of rows has no column {name}")))
}

/// Adds what the rows of a batch are.
fn gather(batch: &RecordBatch, facts: &mut Facts) {
    let column = |name: &str| batch.column_by_name(name);
    if let Some(kinds) = column("record_kind").and_then(|kinds| kinds.as_string_view_opt()) {
        for kind in kinds.iter().flatten() {
            if let Some(known) = RecordKind::ALL.into_iter().find(|known| known.as_str() == kind) {
                facts.kinds[known as usize] += 1;
            }
        }
    }
    let days = column("_object_day").and_then(|days| days.as_primitive_opt::<TimestampMicrosecondType>());
    if let Some((first, last)) = days.and_then(|days| Some((min(days)?, max(days)?))) {
        let (least, most) = facts.objects.unwrap_or((first, last));
        facts.objects = Some((least.min(first), most.max(last)));
    }
    let conflict =
        column("_conflict").and_then(|flags| flags.as_boolean_opt()).is_some_and(|f| f.true_count() > 0);
    let supersedes = column("_supersedes").is_some_and(|ids| ids.null_count() < ids.len());
    facts.odd |= conflict || supersedes;
}

fn properties(kind: PartKind, schema: &SchemaRef) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let what = match kind {
        PartKind::Events => "events",
        PartKind::Copies => "copies",
        PartKind::Ledger => "ledger",
        PartKind::Keys => "keys",
    };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(GROUP))
        .set_key_value_metadata(Some(vec![
            pair("bedtrail.table", what),
            pair("bedtrail.format", &super::log::FORMAT.to_string()),
            pair("bedtrail.version", env!("CARGO_PKG_VERSION")),
        ]));
    if matches!(kind, PartKind::Events | PartKind::Copies) {
        let at = |name: &&str| schema.index_of(name).ok().and_then(|at| i32::try_from(at).ok());
        let sorted = |at| SortingColumn { column_idx: at, descending: false, nulls_first: true };
        properties = properties.set_sorting_columns(Some(ORDER.iter().filter_map(at).map(sorted).collect()));
    }
    // Values that never repeat.
    for name in ["event_id", "request_id", "_content", "high", "low", "sha256", "log_object"] {
        if name != "log_object" || kind == PartKind::Ledger {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
    }
    Ok(properties.build())
}

/// A part being read, texts as views.
pub(super) struct Reading {
    builder: ParquetRecordBatchReaderBuilder<File>,
    key: String,
}

impl Reading {
    pub(super) fn open(medium: &dyn Medium, part: &Part) -> Result<Self, StoreError> {
        let key = medium.address(&part.key);
        let broken = |error: parquet::errors::ParquetError| StoreError::Part {
            what: "read",
            key: key.clone(),
            message: error.to_string(),
        };
        let file = File::open(whole(medium, part)?)
            .map_err(|error| StoreError::Lost { key: key.clone(), message: error.to_string() })?;
        let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let found = ArrowReaderMetadata::load(&file, plain.clone()).map_err(broken)?;
        let viewed: Vec<ArrowField> = found
            .schema()
            .fields()
            .iter()
            .map(|field| match field.data_type() {
                DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
                _ => field.as_ref().clone(),
            })
            .collect();
        let options = plain.with_schema(Arc::new(Schema::new(viewed)));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(found.metadata()), options).map_err(broken)?;
        Ok(Self { builder: ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata), key })
    }

    /// Only these columns, as far as the file has them.
    pub(super) fn columns(mut self, names: &[&str]) -> Self {
        let mask = self.mask(names);
        self.builder = self.builder.with_projection(mask);
        self
    }

    /// Only the row groups that can hold texts of a column from `first` to `last`, as their statistics have it.
    pub(super) fn between(mut self, name: &str, first: &str, last: &str) -> Self {
        let metadata = self.builder.metadata();
        let columns = metadata.file_metadata().schema_descr().columns();
        let Some(at) = columns.iter().position(|column| column.name() == name) else { return self };
        let within = |group: &usize| {
            let statistics = metadata.row_group(*group).column(at).statistics();
            let (least, most) =
                statistics.map_or((None, None), |range| (range.min_bytes_opt(), range.max_bytes_opt()));
            least.is_none_or(|least| least <= last.as_bytes())
                && most.is_none_or(|most| most >= first.as_bytes())
        };
        let groups = (0..metadata.num_row_groups()).filter(within).collect();
        self.builder = self.builder.with_row_groups(groups);
        self
    }

    pub(super) fn mask(&self, names: &[&str]) -> ProjectionMask {
        let fields = self.builder.schema().fields();
        let wanted = fields.iter().enumerate().filter(|(_, field)| names.contains(&field.name().as_str()));
        ProjectionMask::roots(self.builder.parquet_schema(), wanted.map(|(at, _)| at).collect::<Vec<_>>())
    }

    pub(super) fn with(
        mut self,
        change: impl FnOnce(ParquetRecordBatchReaderBuilder<File>) -> ParquetRecordBatchReaderBuilder<File>,
    ) -> Self {
        self.builder = change(self.builder);
        self
    }

    /// Starts reading.
    pub(super) fn batches(self) -> Result<Batches, StoreError> {
        let key = self.key;
        match self.builder.with_batch_size(BATCH).build() {
            Ok(reader) => Ok(Batches { reader, key }),
            Err(error) => Err(StoreError::Part { what: "read", key, message: error.to_string() }),
        }
    }
}

/// The batches of a part.
pub(super) struct Batches {
    reader: ParquetRecordBatchReader,
    key: String,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let broken = |error: arrow::error::ArrowError| StoreError::Part {
            what: "read",
            key: self.key.clone(),
            message: error.to_string(),
        };
        Some(self.reader.next()?.map_err(broken))
    }
}

/// The columns of `schema` by name; what the batch lacks is null, since an older version wrote it.
pub(super) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, StoreError> {
    let column = |field: &Arc<ArrowField>| -> ArrayRef {
        match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
            Some(column) => arrow::compute::cast(column, field.data_type())
                .unwrap_or_else(|_| new_null_array(field.data_type(), batch.num_rows())),
            None => new_null_array(field.data_type(), batch.num_rows()),
        }
    };
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = schema.fields().iter().map(column).collect();
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(StoreError::internal)
}

#[cfg(test)]
mod tests {
    use super::super::entry::{self, Booked};
    use super::super::local::Folder;
    use super::*;

    #[test]
    fn groups_that_cannot_hold_a_name_are_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let long = "s3://bucket/".repeat(9);
        let booked = ["b", "m"].map(|name| Booked { name: format!("{long}{name}"), ..Booked::default() });
        let key = "_bedtrail/ledger/a".to_owned();
        let part =
            write(&folder, key, PartKind::Ledger, None, &entry::schema(), [entry::batch(&booked)]).unwrap();
        let rows = |first: &str, last: &str| -> usize {
            let reading = Reading::open(&folder, &part).unwrap();
            let (first, last) = (format!("{long}{first}"), format!("{long}{last}"));
            let batches = reading.between("log_object", &first, &last).batches().unwrap();
            batches.map(|batch| batch.unwrap().num_rows()).sum()
        };
        assert_eq!([rows("a", "b"), rows("c", "d"), rows("m", "z")], [2, 2, 2]);
        // Where the statistics are cut short, they are bounds all the same.
        assert_eq!((rows("n", "z") == 2 || rows("n", "z") == 0, rows("", "")), (true, rows("a", "a")));
        let reading = Reading::open(&folder, &part).unwrap();
        let other = reading.between("log_object", "a", "b").batches().unwrap();
        assert_eq!(other.count(), 0);
    }
}
