//! The rows of an answer, read to its end: held while they are few, else in a file.
//!
//! An answer may be as large as what was asked: every call of a year, sorted. It is complete before a line of it is
//! written, so that a query that fails halfway leaves no half of a report.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::errors::ParquetError;
use tempfile::TempPath;

use super::dense::compact;
use super::spool::Spool;
use super::{Result, Rows};

/// Rows of a file that are read at a time.
const ROWS: usize = 1024;

/// All rows of an answer.
#[derive(Clone, Debug)]
pub struct Answered {
    schema: SchemaRef,
    rows: u64,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Vec<RecordBatch>),
    File(Arc<TempPath>),
}

impl Answered {
    /// Reads an answer to its end and holds so many bytes of it; more goes to a file in `folder`, the system's temporary
    /// one if none is given.
    pub(super) fn of(rows: Rows<'_>, memory: usize, folder: Option<&Path>) -> Result<Self> {
        let schema = rows.schema();
        let (mut held, mut bytes, mut count) = (Vec::new(), 0, 0);
        let mut file: Option<Spool> = None;
        let fits = schema.flattened_fields().iter().all(|field| fits(field.data_type()));
        for batch in rows {
            let batch = compact(&batch?);
            count += batch.num_rows() as u64;
            match &mut file {
                None => {
                    bytes += batch.get_array_memory_size();
                    held.push(batch);
                }
                Some(file) => file.write(&batch)?,
            }
            if file.is_none() && fits && bytes > memory {
                let mut spool = Spool::new(&schema, folder)?;
                held.drain(..).try_for_each(|batch| spool.write(&batch))?;
                file = Some(spool);
            }
        }
        let place = match file {
            Some(file) => Place::File(Arc::new(file.finish()?)),
            None => Place::Memory(held),
        };
        Ok(Self { schema, rows: count, place })
    }

    /// Rows at hand, of columns that are known.
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        Self { schema, rows, place: Place::Memory(batches) }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows in their order, some at a time; once more each time that it is asked.
    pub fn batches(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + '_> {
        match &self.place {
            Place::Memory(batches) => Box::new(batches.iter().cloned().map(Ok)),
            Place::File(path) => match read(path) {
                Ok(batches) => Box::new(batches),
                Err(error) => Box::new(std::iter::once(Err(error.into()))),
            },
        }
    }
}

impl From<RecordBatch> for Answered {
    fn from(batch: RecordBatch) -> Self {
        Self::new(batch.schema(), vec![batch])
    }
}

/// Whether a file can have values of a type.
fn fits(data_type: &DataType) -> bool {
    !matches!(data_type, DataType::Interval(_) | DataType::Union(..) | DataType::RunEndEncoded(..))
}

fn read(path: &Path) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>> + use<>, ParquetError> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.with_batch_size(ROWS).build()
}
