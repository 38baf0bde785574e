//! Batches on their way in and out of the session.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use tokio::runtime::Runtime;

use super::{Result, contained};

/// The rows of an answer, a batch at a time.
pub struct Rows<'engine> {
    runtime: &'engine Runtime,
    stream: SendableRecordBatchStream,
    schema: SchemaRef,
    /// Parts of it may lie in files that go with it.
    _plan: LogicalPlan,
}

impl<'engine> Rows<'engine> {
    pub(super) fn new(
        runtime: &'engine Runtime,
        stream: SendableRecordBatchStream,
        plan: LogicalPlan,
    ) -> Self {
        let schema = stream.schema();
        Self { runtime, stream, schema, _plan: plan }
    }

    /// The columns, known before the first row.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// All batches; one without rows if there are none.
    pub fn collect_all(self) -> Result<Vec<RecordBatch>> {
        let schema = self.schema();
        let mut batches = Vec::new();
        for batch in self {
            let batch = batch?;
            if batch.num_rows() > 0 {
                batches.push(batch);
            }
        }
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = &mut self.stream;
        let next = || {
            let next = self.runtime.block_on(poll_fn(|context| stream.as_mut().poll_next(context)));
            Ok(next.transpose()?)
        };
        contained(next).transpose()
    }
}

/// Puts the columns in the schema's order and fills those that are missing with nulls.
///
/// All missing columns of a type share one array of nulls, however many columns and batches there are.
pub(super) fn complete(schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let longest = batches.iter().map(RecordBatch::num_rows).max().unwrap_or_default();
    let mut nulls: HashMap<DataType, ArrayRef> = HashMap::new();
    let mut complete = Vec::with_capacity(batches.len());
    for batch in batches {
        let rows = batch.num_rows();
        let mut column = |name: &str, kind: &DataType| {
            batch.column_by_name(name).map_or_else(
                || nulls.entry(kind.clone()).or_insert_with(|| new_null_array(kind, longest)).slice(0, rows),
                Arc::clone,
            )
        };
        let columns = schema.fields().iter().map(|field| column(field.name(), field.data_type())).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        complete.push(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?);
    }
    Ok(complete)
}
