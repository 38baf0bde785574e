//! Service events of a store just outside a window: they may tell of calls within it.

use arrow::array::{BooleanArray, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::compute::filter_record_batch;

use super::super::extent::{self, Test};
use super::super::log::PartKind;
use super::super::part::{Reading, column};
use super::super::{Store, StoreError, day_of};
use crate::decode::record::{NEARBY, Wanted};
use crate::event::row::RecordKind;
use crate::source::Extent;

/// What is read of them.
const COLUMNS: [&str; 8] = [
    "record_kind",
    "account_id",
    "request_id",
    "inference_region",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
];

impl Store {
    /// The service events at most [`NEARBY`] outside the window of `extent`, of the accounts and Regions asked for.
    pub fn nearby(&self, extent: &Extent) -> Result<Vec<RecordBatch>, StoreError> {
        let extent = &self.left(extent);
        let wanted = Wanted { from: extent.from, to: extent.to, ..Wanted::default() };
        let timeless = Extent { from: None, to: None, ..extent.clone() };
        let days: Vec<i32> = [
            extent.from.map(|from| [from.saturating_sub(NEARBY), from - 1]),
            extent.to.map(|to| [to, to.saturating_add(NEARBY)]),
        ]
        .into_iter()
        .flatten()
        .flatten()
        .map(day_of)
        .collect();
        let mut parts = self.state.of(PartKind::Events);
        parts.retain(|part| {
            let some = part.facts.is_none_or(|facts| facts.kinds[RecordKind::ServiceEvent as usize] > 0);
            some && part.day.is_some_and(|day| days.contains(&day))
        });
        self.medium.expect(&parts);
        let columns: Vec<&str> = COLUMNS.iter().chain(&extent::COLUMNS).copied().collect();
        let mut found = Vec::new();
        for part in parts {
            for batch in Reading::open(&*self.medium, part)?.columns(&columns).batches()? {
                let batch = batch?;
                let test = Test::of(&batch)?;
                let kinds: &StringViewArray = column(&batch, "record_kind")?;
                let times: &TimestampMicrosecondArray = column(&batch, "event_time")?;
                let keep: BooleanArray = (0..batch.num_rows())
                    .map(|row| {
                        let kept = kinds.value(row) == RecordKind::ServiceEvent.as_str()
                            && wanted.nearby(times.value(row))
                            && test.in_range(row, &timeless)
                            && test.is_read(row, extent);
                        Some(kept)
                    })
                    .collect();
                if keep.true_count() > 0 {
                    found.push(filter_record_batch(&batch, &keep).map_err(StoreError::internal)?);
                }
            }
        }
        Ok(found)
    }
}
