//! The files of a commit: new rows by day, files that lose rows written anew, and rows of copies.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewArray, UInt32Array};
use arrow::compute::{
    SortColumn, SortOptions, concat_batches, filter_record_batch, lexsort_to_indices, nullif,
    take_record_batch,
};
use arrow::datatypes::SchemaRef;

use super::known::{Fate, Known};
use super::log::{Part, PartKind};
use super::part::{self, BATCH, FATE, ORDER, Reading, conform, copies_schema, rows_schema};
use super::settle::{Outcome, Settled};
use super::{Store, StoreError};
use crate::event::column::Field;

/// Columns that a copy keeps; all else stands in the row that counts.
const OF_COPIES: [Field; 8] = [
    Field::EventId,
    Field::EventTime,
    Field::RecordKind,
    Field::AwsRegion,
    Field::AccountId,
    Field::LogObject,
    Field::LogIndex,
    Field::DeliveredAt,
];

/// Files that a commit adds and removes.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) added: Vec<Part>,
    pub(super) removed: Vec<String>,
}

/// Rows that change sides, by day.
#[derive(Default)]
struct Moved {
    /// They counted, and count no more.
    copies: BTreeMap<i32, Vec<RecordBatch>>,
    /// They did not count, and do now: a ring of updates was closed.
    live: BTreeMap<i32, Vec<RecordBatch>>,
}

impl Store {
    /// Writes what was settled.
    pub(super) fn write_rows(&mut self, rows: &RecordBatch, settled: &Settled) -> Result<Files, StoreError> {
        let mut files = Files::default();
        let Moved { mut copies, live: back } = self.rewrite(&settled.changed, &mut files)?;
        let mut live: BTreeMap<i32, (Vec<u32>, Vec<bool>)> = BTreeMap::new();
        let mut other: BTreeMap<i32, (Vec<u32>, Vec<Outcome>)> = BTreeMap::new();
        for ((outcome, day), row) in settled.new.iter().zip(&settled.days).zip(0..) {
            if outcome.fate == Fate::Live {
                let (rows, conflicts) = live.entry(*day).or_default();
                rows.push(row);
                conflicts.push(outcome.conflict);
            } else {
                let (rows, outcomes) = other.entry(*day).or_default();
                rows.push(row);
                outcomes.push(*outcome);
            }
        }
        for (day, (indices, conflicts)) in live {
            let taken = taken(rows, indices)?;
            let batch = with_column(&taken, "_conflict", Arc::new(BooleanArray::from(conflicts)))?;
            files.added.push(self.write_part(PartKind::Events, day, &batch)?);
        }
        for (day, batches) in back {
            let batch = concat_batches(&rows_schema(), &batches).map_err(StoreError::internal)?;
            files.added.push(self.write_part(PartKind::Events, day, &batch)?);
        }
        for (day, (indices, outcomes)) in other {
            copies.entry(day).or_default().push(as_copies(&taken(rows, indices)?, &outcomes)?);
        }
        for (day, batches) in copies {
            let batch = concat_batches(&copies_schema(), &batches).map_err(StoreError::internal)?;
            files.added.push(self.write_part(PartKind::Copies, day, &batch)?);
        }
        Ok(files)
    }

    /// Writes the rows of one day as a part, sorted.
    pub(super) fn write_part(
        &mut self,
        kind: PartKind,
        day: i32,
        batch: &RecordBatch,
    ) -> Result<Part, StoreError> {
        let order = order(batch)?;
        let schema = batch.schema();
        let slices = (0..order.len()).step_by(BATCH).map(|start| {
            let indices = order.slice(start, BATCH.min(order.len() - start));
            take_record_batch(batch, &indices).map_err(StoreError::internal)
        });
        let key = self.fresh(folder(kind), Some(day));
        part::write(&*self.medium, key, kind, Some(day), &schema, slices)
    }

    /// Writes files anew whose rows have another outcome now; returns those that change sides.
    fn rewrite(&mut self, changed: &[(Known, Outcome)], files: &mut Files) -> Result<Moved, StoreError> {
        let mut by_part: BTreeMap<&str, BTreeMap<u64, Outcome>> = BTreeMap::new();
        for (known, outcome) in changed {
            by_part.entry(&known.part).or_default().insert(known.row, *outcome);
        }
        let mut moved = Moved::default();
        for (key, outcomes) in by_part {
            let Some((_, part)) = self.state.parts.get(key).cloned() else {
                return Err(StoreError::Internal(format!("{key} is no part of the store")));
            };
            let schema = if part.kind == PartKind::Copies { copies_schema() } else { rows_schema() };
            let day = part.day.unwrap_or_default();
            let of_copies = part.kind == PartKind::Copies;
            let goes = |outcome: &Outcome| (outcome.fate == Fate::Live) == of_copies;
            let gone = outcomes.values().filter(|outcome| goes(outcome)).count() as u64;
            let all_gone = gone == part.rows;
            let mut at = 0;
            let mut left = Vec::new();
            let batches = Reading::open(&*self.medium, &part)?.batches()?.map(|batch| {
                let batch = conform(&batch?, &schema)?;
                let range = at..at + batch.num_rows() as u64;
                let here: BTreeMap<usize, Outcome> = outcomes
                    .range(range.clone())
                    .map(|(row, outcome)| (usize::try_from(row - range.start).unwrap_or(0), *outcome))
                    .collect();
                at = range.end;
                if here.is_empty() {
                    return Ok(batch);
                }
                let batch = with_outcomes(&batch, &here, &schema)?;
                let (stay, go) = split(&batch, &here, goes)?;
                if let Some((rows, outcomes)) = go {
                    left.push(if of_copies {
                        conform(&rows, &rows_schema())?
                    } else {
                        as_copies(&rows, &outcomes)?
                    });
                }
                Ok(stay)
            });
            if all_gone {
                for batch in batches {
                    batch?;
                }
            } else {
                let key = self.fresh_in(part.kind, day);
                let written = part::write(&*self.medium, key, part.kind, part.day, &schema, batches)?;
                files.added.push(written);
            }
            files.removed.push(part.key);
            let to = if of_copies { &mut moved.live } else { &mut moved.copies };
            if !left.is_empty() {
                to.entry(day).or_default().extend(left);
            }
        }
        Ok(moved)
    }

    fn fresh_in(&mut self, kind: PartKind, day: i32) -> String {
        self.fresh(folder(kind), Some(day))
    }
}

/// The folder of a kind of part.
pub(super) fn folder(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Events => "events",
        PartKind::Copies => "_bedtrail/copies",
        PartKind::Ledger => "_bedtrail/ledger",
        PartKind::Keys => "_bedtrail/keys",
    }
}

fn taken(rows: &RecordBatch, indices: Vec<u32>) -> Result<RecordBatch, StoreError> {
    take_record_batch(rows, &UInt32Array::from(indices)).map_err(StoreError::internal)
}

/// The order of the rows in a file.
fn order(batch: &RecordBatch) -> Result<UInt32Array, StoreError> {
    let columns: Vec<SortColumn> = ORDER
        .iter()
        .filter_map(|name| batch.column_by_name(name))
        .map(|column| SortColumn { values: Arc::clone(column), options: Some(SortOptions::default()) })
        .collect();
    lexsort_to_indices(&columns, None).map_err(StoreError::internal)
}

fn with_column(batch: &RecordBatch, name: &str, column: ArrayRef) -> Result<RecordBatch, StoreError> {
    let at = batch.schema().index_of(name).map_err(StoreError::internal)?;
    let mut columns = batch.columns().to_vec();
    columns[at] = column;
    RecordBatch::try_new(batch.schema(), columns).map_err(StoreError::internal)
}

/// Sets `_conflict`, and `_fate` where there is one.
fn with_outcomes(
    batch: &RecordBatch,
    outcomes: &BTreeMap<usize, Outcome>,
    schema: &SchemaRef,
) -> Result<RecordBatch, StoreError> {
    let old = batch.column_by_name("_conflict").and_then(|column| column.as_boolean_opt());
    let conflicts: BooleanArray = (0..batch.num_rows())
        .map(|row| {
            let before = old.is_some_and(|old| old.is_valid(row) && old.value(row));
            Some(outcomes.get(&row).map_or(before, |outcome| outcome.conflict))
        })
        .collect();
    let batch = with_column(batch, "_conflict", Arc::new(conflicts))?;
    if schema.index_of(FATE).is_err() {
        return Ok(batch);
    }
    let old = batch.column_by_name(FATE).and_then(|column| column.as_string_view_opt()).cloned();
    let fates: StringViewArray = (0..batch.num_rows())
        .map(|row| match outcomes.get(&row) {
            Some(outcome) => Some(outcome.fate.name()),
            None => old.as_ref().map(|old| old.value(row)),
        })
        .collect();
    with_column(&batch, FATE, Arc::new(fates))
}

/// Rows that stay in a file and, where there are any, those that go.
#[expect(clippy::type_complexity, reason = "one use")]
fn split(
    batch: &RecordBatch,
    outcomes: &BTreeMap<usize, Outcome>,
    goes: impl Fn(&Outcome) -> bool,
) -> Result<(RecordBatch, Option<(RecordBatch, Vec<Outcome>)>), StoreError> {
    let gone = |row: usize| outcomes.get(&row).filter(|outcome| goes(outcome));
    let stays: BooleanArray = (0..batch.num_rows()).map(|row| Some(gone(row).is_none())).collect();
    let stay = filter_record_batch(batch, &stays).map_err(StoreError::internal)?;
    let goes: Vec<Outcome> = (0..batch.num_rows()).filter_map(|row| gone(row).copied()).collect();
    if goes.is_empty() {
        return Ok((stay, None));
    }
    let not = arrow::compute::not(&stays).map_err(StoreError::internal)?;
    let go = filter_record_batch(batch, &not).map_err(StoreError::internal)?;
    Ok((stay, Some((go, goes))))
}

/// Rows that do not count, as rows of copies: a duplicate keeps only what tells it from others.
fn as_copies(batch: &RecordBatch, outcomes: &[Outcome]) -> Result<RecordBatch, StoreError> {
    let duplicate: BooleanArray =
        outcomes.iter().map(|outcome| Some(outcome.fate == Fate::Duplicate)).collect();
    let fates: StringViewArray = outcomes.iter().map(|outcome| Some(outcome.fate.name())).collect();
    let conflicts: BooleanArray = outcomes.iter().map(|outcome| Some(outcome.conflict)).collect();
    let schema = copies_schema();
    let mut columns = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let name = field.name().as_str();
        let column: ArrayRef = match name {
            FATE => Arc::new(fates.clone()),
            "_conflict" => Arc::new(conflicts.clone()),
            _ => {
                let column = batch
                    .column_by_name(name)
                    .ok_or_else(|| StoreError::Internal(format!("a row has no column {name}")))?;
                let kept = name.starts_with('_')
                    || Field::named(name).is_some_and(|field| OF_COPIES.contains(&field));
                if kept {
                    Arc::clone(column)
                } else {
                    nullif(column, &duplicate).map_err(StoreError::internal)?
                }
            }
        };
        columns.push(column);
    }
    RecordBatch::try_new(schema, columns).map_err(StoreError::internal)
}
