//! The objects of one commit, read: their rows with the store's own columns, their keys and their ledger entries.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;

use super::StoreError;
use super::entry::Flat;
use super::part::rows_schema;
use crate::decode::id::superseded_by;
use crate::decode::record::{Key, Shared, Update};
use crate::event::builder::FieldSet;
use crate::event::column::Field;
use crate::ingest::ledger::Entry;
use crate::ingest::{Limits, Parcel, Progress, read};
use crate::source::feed::Feed;
use crate::source::{Layout, LogObject};

/// Objects of one commit, at most.
pub(super) const OBJECTS: usize = 16_384;

/// What was read.
pub(super) struct Chunk {
    /// The objects read.
    pub(super) objects: Vec<LogObject>,
    /// Whether nothing is left to read.
    pub(super) all: bool,
    /// Their rows, none settled yet.
    pub(super) rows: RecordBatch,
    /// The key of each row.
    pub(super) keys: Vec<Key>,
    /// The updates among their records.
    pub(super) updates: Vec<Update>,
    /// The entry of each object read.
    pub(super) entries: Vec<Flat>,
}

/// Where objects come from.
#[derive(Clone, Copy)]
pub(super) enum Reading<'r> {
    /// Local files.
    Files(&'r [LogObject]),
    /// Objects of buckets, as they arrive.
    Feed(&'r Feed),
}

#[derive(Default)]
struct Held {
    batches: Vec<RecordBatch>,
    keys: Vec<Key>,
    updates: Vec<Update>,
    entries: Vec<(u32, Entry)>,
    arrived: Vec<(u32, LogObject)>,
    bytes: usize,
}

impl Chunk {
    /// Reads files from the first on, or what a feed brings, as many as fit into the memory that `limits` allows.
    pub(super) fn gather(
        from: Reading<'_>,
        shared: &Shared<'_>,
        limits: &Limits,
        progress: &Progress,
    ) -> Result<Self, StoreError> {
        let held = Mutex::new(Held::default());
        let take = |parcel: Parcel| {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            held.bytes += parcel.bytes;
            held.batches.extend(parcel.rows);
            held.keys.extend(parcel.keys);
            held.updates.extend(parcel.updates);
            held.entries.extend(parcel.entries);
            held.arrived.extend(parcel.arrived);
            Ok(held.bytes < limits.memory && held.entries.len() < OBJECTS)
        };
        // The environment is the policy's of the day of reading.
        let wanted = FieldSet::all().without(FieldSet::of(&[Field::Environment, Field::AccountName]));
        let (files, feed): (&[LogObject], _) = match from {
            Reading::Files(files) => (&files[..files.len().min(OBJECTS)], None),
            Reading::Feed(feed) => (&[], Some(feed)),
        };
        let wanted = OnceLock::from(wanted);
        let done = read(files, feed, &wanted, shared, limits, progress, &take)?;
        let Held { batches, keys, updates, mut entries, mut arrived, .. } =
            held.into_inner().unwrap_or_else(PoisonError::into_inner);
        entries.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        arrived.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        let (objects, all) = match from {
            Reading::Files(files) => (files[..done.local].to_vec(), done.local == files.len()),
            Reading::Feed(_) => (arrived.into_iter().map(|(_, object)| object).collect(), done.all),
        };
        let events =
            concat_batches(&crate::event::builder::schema(), &batches).map_err(StoreError::internal)?;
        drop(batches);
        let rows = with_own(&events, &keys, &objects)?;
        let entries = entries.into_iter().map(|(_, entry)| entry.into()).collect();
        Ok(Self { objects, all, rows, keys, updates, entries })
    }
}

/// The rows with the store's own columns.
fn with_own(events: &RecordBatch, keys: &[Key], objects: &[LogObject]) -> Result<RecordBatch, StoreError> {
    let ids = events.column(Field::EventId as usize);
    let addenda = events.column(Field::Addendum as usize).as_string_view();
    let supersedes = (0..addenda.len()).map(|row| {
        let addendum = addenda.is_valid(row).then(|| addenda.value(row))?;
        superseded_by(addendum).map(|id| format!("{id:032x}"))
    });
    let layouts: Vec<Layout<'_>> = keys
        .iter()
        .map(|key| {
            objects.get(key.object as usize).map_or_else(Layout::default, |object| Layout::of(&object.name))
        })
        .collect();
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    let low = |(row, key): (usize, &Key)| ids.is_null(row).then(|| (key.id as u64).cast_signed());
    let own: [ArrayRef; 7] = [
        Arc::new(keys.iter().map(|key| key.content.cast_signed()).collect::<Int64Array>()),
        Arc::new(keys.iter().enumerate().map(low).collect::<Int64Array>()),
        Arc::new(supersedes.collect::<StringViewArray>()),
        Arc::new(BooleanArray::from(vec![false; keys.len()])),
        Arc::new(layouts.iter().map(|layout| layout.account).collect::<StringViewArray>()),
        Arc::new(layouts.iter().map(|layout| layout.region).collect::<StringViewArray>()),
        Arc::new(layouts.iter().map(|layout| layout.day).collect::<TimestampMicrosecondArray>()),
    ];
    let columns = events.columns().iter().cloned().chain(own).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(keys.len()));
    RecordBatch::try_new_with_options(rows_schema(), columns, &options).map_err(StoreError::internal)
}
