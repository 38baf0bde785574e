//! The whole rows of copies that count under an extent.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use hashbrown::HashMap;

use super::super::known::{Mark, Marks};
use super::super::log::PartKind;
use super::super::part::{Reading, conform, rows_schema};
use super::super::{Store, StoreError, extent};
use crate::source::{Extent, Layout};

impl Store {
    /// The rows of these copies: the text of the row that the store keeps in full, in the copy's place.
    pub(super) fn promote(&self, marks: &[Mark], extent: &Extent) -> Result<Vec<RecordBatch>, StoreError> {
        let mut wanted: HashMap<(u128, u64), Vec<&Mark>> = HashMap::new();
        for mark in marks {
            wanted.entry((mark.id, mark.content)).or_default().push(mark);
        }
        let mut promoted = Vec::new();
        for kind in [PartKind::Events, PartKind::Copies] {
            for part in extent::parts(&self.state, kind, extent) {
                if wanted.is_empty() {
                    return Ok(promoted);
                }
                for batch in Reading::open(&*self.medium, part)?.batches()? {
                    let batch = batch?;
                    let found = Marks::of(&batch)?;
                    let sources = batch.column_by_name("event_source").map(AsArray::as_string_view);
                    let rows = conform(&batch, &rows_schema())?;
                    for row in 0..batch.num_rows() {
                        // A duplicate's row holds only what tells it from others.
                        if sources.is_none_or(|sources| sources.is_null(row)) {
                            continue;
                        }
                        let key = (found.id(row), found.content(row));
                        for mark in wanted.remove(&key).unwrap_or_default() {
                            promoted.push(placed(&rows.slice(row, 1), mark)?);
                        }
                    }
                }
            }
        }
        if wanted.is_empty() {
            return Ok(promoted);
        }
        Err(StoreError::Internal("a copy in the store has no row that is whole".to_owned()))
    }
}

/// A row where the copy stands.
fn placed(row: &RecordBatch, mark: &Mark) -> Result<RecordBatch, StoreError> {
    let layout = Layout::of(&mark.object);
    let text = |value: Option<&str>| -> ArrayRef { Arc::new(StringViewArray::from_iter([value])) };
    let time = |value: Option<i64>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from_iter([value])) };
    let schema = row.schema();
    let columns =
        schema.fields().iter().zip(row.columns()).map(|(field, column)| match field.name().as_str() {
            "log_object" => text(Some(&mark.object)),
            "log_index" => Arc::new(Int64Array::from(vec![i64::from(mark.index)])),
            "delivered_at" => time(layout.delivered_at),
            "_object_account" => text(layout.account),
            "_object_region" => text(layout.region),
            "_object_day" => time(layout.day),
            _ => Arc::clone(column),
        });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).map_err(StoreError::internal)
}
