//! Rows in a file of their own that goes with them.

use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::parquet::arrow::ArrowWriter;
use tempfile::{NamedTempFile, TempPath};

/// Bytes of a row group: it is written when it is closed, and held until then.
const GROUP: usize = 8 << 20;

/// Takes rows.
pub(super) struct Spool(ArrowWriter<NamedTempFile>);

impl Spool {
    /// A file in a folder, the system's temporary one if none is given.
    pub(super) fn new(schema: &SchemaRef, folder: Option<&Path>) -> Result<Self> {
        let draft = match folder {
            Some(folder) => NamedTempFile::new_in(folder)?,
            None => NamedTempFile::new()?,
        };
        Ok(Self(ArrowWriter::try_new(draft, SchemaRef::clone(schema), None)?))
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch)?;
        if self.0.in_progress_size() > GROUP {
            self.0.flush()?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<TempPath> {
        Ok(self.0.into_inner()?.into_temp_path())
    }
}
