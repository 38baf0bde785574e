//! The columns of Parquet files, brought into codes.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, new_null_array};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DataFusionError, Result};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::file::metadata::ColumnChunkMetaData;
use datafusion::parquet::file::statistics::Statistics;

use super::column::{Chunk, Column, NULL};
use super::text::{self, Texts};
use super::uuid;

/// Rows read at a time.
const ROWS: usize = 1 << 15;

/// Bytes a row that a column of repeating texts takes in a file at most; one that takes more does not repeat.
const WIDE: usize = 16;

/// Bytes that even a column of few rows may take.
const LITTLE: usize = 1 << 16;

/// In a file a text has its length before it.
const LENGTH: usize = size_of::<u32>();

/// Of so many rows, one may have a text of its own.
const DISTINCT: usize = 4;

/// Files that are read column by column.
#[derive(Debug)]
pub(super) struct Files(Vec<Opened>);

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    /// With texts that repeat as dictionaries.
    metadata: ArrowReaderMetadata,
    rows: usize,
}

impl Files {
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self> {
        paths.iter().map(Opened::open).collect::<Result<_>>().map(Self)
    }

    /// The rows of each.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> + use<'_> {
        self.0.iter().map(|file| file.rows)
    }

    /// The bytes that a column will take, roughly; none if its values neither repeat nor are short.
    pub(super) fn cost(&self, field: &Field) -> Option<usize> {
        let rows: usize = self.rows().sum();
        if *field.data_type() != DataType::Utf8View {
            let width = field.data_type().primitive_width().map_or(rows / 8, |width| rows * width);
            return Some(width);
        }
        let (mut bytes, mut values) = (0, 0);
        for file in &self.0 {
            for chunk in file.chunks(field.name()) {
                bytes += usize::try_from(chunk.uncompressed_size()).unwrap_or(usize::MAX / 2);
                let nulls = chunk.statistics().and_then(Statistics::null_count_opt).unwrap_or_default();
                values += u64::try_from(chunk.num_values()).unwrap_or_default().saturating_sub(nulls);
            }
        }
        if self.0.iter().all(|file| file.repeats(field.name())) {
            return (bytes <= rows * WIDE + LITTLE).then_some(bytes + rows);
        }
        let plain = usize::try_from(values).unwrap_or(usize::MAX / 64) * (uuid::LENGTH + LENGTH);
        (bytes <= plain + plain / 16 + LITTLE).then_some(rows * size_of::<u128>())
    }

    /// A column; none if its texts do not repeat after all.
    pub(super) fn load(&self, field: &Field) -> Result<Option<Column>> {
        if *field.data_type() == DataType::Utf8View && self.0.iter().all(|file| file.repeats(field.name())) {
            return self.coded(field);
        }
        let chunks = self.0.iter().map(|file| Chunk::plain(file.values(field)?));
        Ok(Some(Column::plain(chunks.collect::<Result<_>>()?)))
    }

    /// Values of some columns in some rows of a file, which is read for these only.
    pub(super) fn pick(&self, file: usize, fields: &[&Field], places: &[u32]) -> Result<Vec<ArrayRef>> {
        let file = &self.0[file];
        let ranges = places.chunk_by(|one, next| one + 1 == *next).filter_map(|run| {
            let (first, last) = (*run.first()? as usize, *run.last()? as usize);
            Some(first..last + 1)
        });
        let selection = RowSelection::from_consecutive_ranges(ranges, file.rows);
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let batches = file.batches(&names, Some(selection))?.collect::<Result<Vec<_>>>()?;
        fields.iter().map(|field| joined(&batches, field, places.len())).collect()
    }

    fn coded(&self, field: &Field) -> Result<Option<Column>> {
        let most = self.rows().sum::<usize>() / DISTINCT + ROWS / DISTINCT;
        let mut texts = Texts::new();
        let mut chunks = Vec::with_capacity(self.0.len());
        for file in &self.0 {
            let mut codes = Vec::with_capacity(file.rows);
            for batch in file.batches(&[field.name()], None)? {
                texts.code(&batch?, &mut codes)?;
            }
            codes.resize(file.rows, NULL);
            texts.count(&codes);
            if texts.len() > most {
                return Ok(None);
            }
            chunks.push(Chunk::coded(codes));
        }
        let (texts, counts) = texts.finish();
        Ok(Some(Column::coded(texts, counts, chunks)))
    }
}

impl Opened {
    fn open(path: &PathBuf) -> Result<Self> {
        let metadata = ArrowReaderMetadata::load(&File::open(path)?, ArrowReaderOptions::new())?;
        let rows = metadata.metadata().file_metadata().num_rows();
        let file = Self { path: path.clone(), rows: usize::try_from(rows).unwrap_or_default(), metadata };
        let fields = file.metadata.schema().fields().iter().map(|field| {
            let is_text = matches!(field.data_type(), DataType::Utf8View | DataType::Utf8);
            if is_text && file.repeats(field.name()) {
                return Arc::new(field.as_ref().clone().with_data_type(text::coded()));
            }
            Arc::clone(field)
        });
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(file.metadata.metadata()), options)?;
        Ok(Self { metadata, ..file })
    }

    /// What the file says of a column, per group of rows; nothing if it lacks it.
    fn chunks(&self, column: &str) -> impl Iterator<Item = &ColumnChunkMetaData> {
        let at = self.metadata.schema().index_of(column).ok();
        let groups = self.metadata.metadata().row_groups();
        groups.iter().filter_map(move |group| at.map(|at| group.column(at)))
    }

    /// Whether the file has each text of a column once, in dictionaries; one that it lacks is null throughout.
    fn repeats(&self, column: &str) -> bool {
        self.chunks(column).all(|chunk| chunk.dictionary_page_offset().is_some())
    }

    /// The rows of those of some columns that the file has, all or some of them; nothing if it has none of them.
    fn batches(
        &self,
        columns: &[&str],
        which: Option<RowSelection>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let at: Vec<_> =
            columns.iter().filter_map(|column| self.metadata.schema().index_of(column).ok()).collect();
        let open = || {
            let mask = ProjectionMask::roots(self.metadata.parquet_schema(), at.iter().copied());
            let file = File::open(&self.path)?;
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(mask)
                .with_batch_size(ROWS);
            let reader = match which {
                Some(which) => reader.with_row_selection(which),
                None => reader,
            };
            reader.build().map_err(DataFusionError::from)
        };
        let reader = if at.is_empty() { None } else { Some(open()?) };
        Ok(reader.into_iter().flatten().map(|batch| batch.map_err(DataFusionError::from)))
    }

    /// All values of a column, in the type of `field`.
    fn values(&self, field: &Field) -> Result<ArrayRef> {
        let batches = self.batches(&[field.name()], None)?.collect::<Result<Vec<_>>>()?;
        joined(&batches, field, self.rows)
    }
}

/// A column of some batches, in the type of `field`; null in so many rows if they lack it.
fn joined(batches: &[RecordBatch], field: &Field, rows: usize) -> Result<ArrayRef> {
    let values = batches.iter().filter_map(|batch| batch.column_by_name(field.name()));
    let values = values.map(|values| cast(values, field.data_type())).collect::<Result<Vec<_>, _>>()?;
    if values.is_empty() {
        return Ok(new_null_array(field.data_type(), rows));
    }
    Ok(concat(&values.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
}
