//! Which record ids occur on which days: parts sorted by id, asked for the few ids that a commit brings.
//!
//! A copy of a record or an update of it can come a month later, in another Region or under another day; looking its
//! id up here tells which days' rows must be looked at.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use arrow::array::{AsArray, BooleanArray, Int32Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field as ArrowField, Int32Type, Int64Type, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ArrowPredicateFn, RowFilter};

use super::StoreError;
use super::log::{Part, PartKind, State};
use super::medium::Medium;
use super::part::{BATCH, Reading};

/// That a row of `day` has this id, or supersedes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Occurrence {
    pub(super) id: u128,
    pub(super) day: i32,
    /// The row supersedes the id rather than having it.
    pub(super) by: bool,
}

/// The schema of a part of keys.
pub(super) fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    Arc::clone(SCHEMA.get_or_init(|| {
        Arc::new(Schema::new(vec![
            ArrowField::new("high", DataType::Int64, false),
            ArrowField::new("low", DataType::Int64, false),
            ArrowField::new("day", DataType::Int32, false),
            ArrowField::new("by", DataType::Boolean, false),
        ]))
    }))
}

/// Half an id as a number that sorts as it does.
fn signed(half: u128) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower 64 bits are wanted")]
    let bits = half as u64;
    (bits ^ (1 << 63)).cast_signed()
}

fn halves(id: u128) -> (i64, i64) {
    (signed(id >> 64), signed(id))
}

fn whole(high: i64, low: i64) -> u128 {
    let bits = |half: i64| u128::from(half.cast_unsigned() ^ (1 << 63));
    bits(high) << 64 | bits(low)
}

/// Batches of a part from occurrences, sorted and each once.
pub(super) fn batches(
    occurrences: impl Iterator<Item = Occurrence>,
) -> impl Iterator<Item = Result<RecordBatch, StoreError>> {
    let mut occurrences = occurrences.peekable();
    std::iter::from_fn(move || {
        occurrences.peek()?;
        let (mut high, mut low, mut day, mut by) = (vec![], vec![], vec![], vec![]);
        for one in occurrences.by_ref().take(BATCH) {
            let (upper, lower) = halves(one.id);
            high.push(upper);
            low.push(lower);
            day.push(one.day);
            by.push(one.by);
        }
        let batch = RecordBatch::try_new(
            schema(),
            vec![
                Arc::new(Int64Array::from(high)),
                Arc::new(Int64Array::from(low)),
                Arc::new(Int32Array::from(day)),
                Arc::new(BooleanArray::from(by)),
            ],
        );
        Some(batch.map_err(StoreError::internal))
    })
}

/// The occurrences in a batch.
pub(super) fn occurrences(batch: &RecordBatch) -> Vec<Occurrence> {
    let int = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
    let (Some(high), Some(low)) = (int("high"), int("low")) else { return Vec::new() };
    let day = batch.column_by_name("day").and_then(|day| day.as_primitive_opt::<Int32Type>());
    let by = batch.column_by_name("by").and_then(|by| by.as_boolean_opt());
    let (Some(day), Some(by)) = (day, by) else { return Vec::new() };
    (0..batch.num_rows())
        .map(|row| Occurrence {
            id: whole(high.value(row), low.value(row)),
            day: day.value(row),
            by: by.value(row),
        })
        .collect()
}

/// The occurrences of these ids in the store; `ids` is sorted.
pub(super) fn find(
    medium: &dyn Medium,
    state: &State,
    ids: &Arc<Vec<u128>>,
) -> Result<BTreeSet<Occurrence>, StoreError> {
    let mut found = BTreeSet::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let parts = state.of(PartKind::Keys);
    medium.expect(&parts);
    for part in parts {
        for batch in probe(medium, part, ids)? {
            let hits = occurrences(&batch?).into_iter();
            found.extend(hits.filter(|one| ids.binary_search(&one.id).is_ok()));
        }
    }
    Ok(found)
}

/// Rows whose id may be among `ids`: only the upper half is read of the others.
fn probe(
    medium: &dyn Medium,
    part: &Part,
    ids: &Arc<Vec<u128>>,
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<>, StoreError> {
    let reading = Reading::open(medium, part)?;
    let mask = reading.mask(&["high"]);
    let ids = Arc::clone(ids);
    let mut at = 0;
    let among = move |batch: RecordBatch| {
        let highs = batch.column(0).as_primitive::<Int64Type>();
        let mut hits = Vec::with_capacity(highs.len());
        for high in highs.values() {
            while ids.get(at).is_some_and(|id| halves(*id).0 < *high) {
                at += 1;
            }
            hits.push(ids.get(at).is_some_and(|id| halves(*id).0 == *high));
        }
        Ok(BooleanArray::from(hits))
    };
    let filter = RowFilter::new(vec![Box::new(ArrowPredicateFn::new(mask, among))]);
    reading.with(|builder| builder.with_row_filter(filter)).batches()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::local::Folder;
    use super::super::log::Commit;
    use super::*;

    proptest! {
        #[test]
        fn halves_keep_the_order(a: u128, b: u128) {
            let (one, two) = (halves(a), halves(b));
            prop_assert_eq!(whole(one.0, one.1), a);
            prop_assert_eq!(one.cmp(&two), a.cmp(&b));
        }
    }

    #[test]
    fn ids_are_found_among_many() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let spread = |number: u128| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let mut all: Vec<Occurrence> = (0..30_000)
            .map(|number| Occurrence { id: spread(number), day: 7, by: number % 3 == 0 })
            .collect();
        all.sort_unstable();
        let key = "_bedtrail/keys/a".to_owned();
        let part = super::super::part::write(
            &folder,
            key,
            PartKind::Keys,
            None,
            &schema(),
            batches(all.into_iter()),
        )
        .unwrap();
        assert_eq!(part.rows, 30_000);
        let mut state = State::default();
        let commit = serde_json::json!({
            "format": 1, "number": 1, "run": "", "time": "", "operation": "", "tool_version": "", "columns": [],
            "scope": {}, "added": [part], "removed": [], "balance": {}, "skipped": 0, "foreign": 0, "newest": null
        });
        state.apply(serde_json::from_value::<Commit>(commit).unwrap());
        let mut ids = vec![spread(5), spread(6), spread(29_999), spread(30_000), spread(5) + 1];
        ids.sort_unstable();
        let found = find(&folder, &state, &Arc::new(ids)).unwrap();
        let mut found: Vec<(u128, bool)> = found.into_iter().map(|one| (one.id, one.by)).collect();
        found.sort_unstable();
        let mut expected = vec![(spread(5), false), (spread(6), true), (spread(29_999), false)];
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}
