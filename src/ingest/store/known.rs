//! Rows that are in the store already, by what tells them from others.

use std::collections::BTreeSet;

use arrow::array::{
    Array, BooleanArray, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use hashbrown::HashSet;

use super::StoreError;
use super::log::{PartKind, State};
use super::medium::Medium;
use super::part::{FATE, Reading, column};
use crate::decode::id::event_id;
use crate::decode::record::Update;
use crate::event::row::RecordKind;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// It counts.
    Live,
    /// A copy of a row that counts, or would if nothing superseded it.
    Duplicate,
    /// An updated record stands in its place.
    Superseded,
}

impl Fate {
    /// The value of `_fate`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Duplicate => "duplicate",
            Self::Superseded => "superseded",
        }
    }
}

/// Columns that tell rows apart.
pub(super) const COLUMNS: [&str; 10] = [
    "event_id",
    "event_time",
    "record_kind",
    "log_object",
    "log_index",
    "_content",
    "_content_low",
    "_supersedes",
    "_conflict",
    FATE,
];

/// A row's key, as it was when it was read, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) id: u128,
    pub(super) content: u64,
    pub(super) kind: RecordKind,
    pub(super) object: String,
    pub(super) index: u32,
    pub(super) supersedes: Option<u128>,
    /// The event's time, microseconds UTC.
    pub(super) time: i64,
    pub(super) fate: Fate,
    pub(super) conflict: bool,
}

impl Mark {
    /// What it updates, if it is an update.
    pub(super) fn update(&self) -> Option<Update> {
        Some(Update { id: self.id, of: self.supersedes?, time: self.time })
    }

    /// An update under the id it had before.
    pub(super) fn renewed(&self) -> bool {
        self.supersedes == Some(self.id)
    }
}

/// A row of a part.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) mark: Mark,
    /// The part's key, and the row's place in it.
    pub(super) part: String,
    pub(super) row: u64,
}

/// A batch of rows by the columns that tell them apart.
pub(super) struct Marks<'b> {
    ids: &'b StringViewArray,
    kinds: &'b StringViewArray,
    objects: &'b StringViewArray,
    indexes: &'b Int64Array,
    contents: &'b Int64Array,
    lows: &'b Int64Array,
    supersedes: &'b StringViewArray,
    conflicts: &'b BooleanArray,
    fates: Option<&'b StringViewArray>,
    times: &'b TimestampMicrosecondArray,
}

impl<'b> Marks<'b> {
    pub(super) fn of(batch: &'b RecordBatch) -> Result<Self, StoreError> {
        let text = |name| column::<StringViewArray>(batch, name);
        let int = |name| column::<Int64Array>(batch, name);
        Ok(Self {
            ids: text("event_id")?,
            kinds: text("record_kind")?,
            objects: text("log_object")?,
            indexes: int("log_index")?,
            contents: int("_content")?,
            lows: int("_content_low")?,
            supersedes: text("_supersedes")?,
            conflicts: column(batch, "_conflict")?,
            fates: text(FATE).ok(),
            times: column(batch, "event_time")?,
        })
    }

    /// The number that stands for the record's id.
    pub(super) fn id(&self, row: usize) -> u128 {
        if self.ids.is_valid(row) {
            event_id(self.ids.value(row))
        } else {
            let low = self.lows.value(row).cast_unsigned();
            u128::from(self.content(row)) << 64 | u128::from(low)
        }
    }

    pub(super) fn content(&self, row: usize) -> u64 {
        self.contents.value(row).cast_unsigned()
    }

    pub(super) fn supersedes(&self, row: usize) -> Option<u128> {
        let text = self.supersedes.is_valid(row).then(|| self.supersedes.value(row))?;
        u128::from_str_radix(text, 16).ok()
    }

    pub(super) fn conflict(&self, row: usize) -> bool {
        self.conflicts.is_valid(row) && self.conflicts.value(row)
    }

    pub(super) fn object(&self, row: usize) -> &'b str {
        self.objects.value(row)
    }

    pub(super) fn kind(&self, row: usize) -> RecordKind {
        let kind = self.kinds.value(row);
        RecordKind::ALL.into_iter().find(|known| known.as_str() == kind).unwrap_or(RecordKind::ApiCall)
    }

    /// The event's time, microseconds UTC.
    pub(super) fn time(&self, row: usize) -> i64 {
        self.times.value(row)
    }

    pub(super) fn mark(&self, row: usize) -> Mark {
        let fate = match self.fates.map(|fates| fates.value(row)) {
            None => Fate::Live,
            Some("superseded") => Fate::Superseded,
            Some(_) => Fate::Duplicate,
        };
        Mark {
            id: self.id(row),
            content: self.content(row),
            kind: self.kind(row),
            object: self.object(row).to_owned(),
            index: u32::try_from(self.indexes.value(row)).unwrap_or(u32::MAX),
            supersedes: self.supersedes(row),
            time: self.time(row),
            fate,
            conflict: self.conflict(row),
        }
    }
}

/// The rows of these days that have one of the ids, or supersede one.
pub(super) fn find(
    medium: &dyn Medium,
    state: &State,
    days: &BTreeSet<i32>,
    ids: &HashSet<u128>,
) -> Result<Vec<Known>, StoreError> {
    let mut found = Vec::new();
    for kind in [PartKind::Events, PartKind::Copies] {
        let mut parts = state.of(kind);
        parts.retain(|part| part.day.is_some_and(|day| days.contains(&day)));
        medium.expect(&parts);
        for part in parts {
            let mut at = 0;
            for batch in Reading::open(medium, part)?.columns(&COLUMNS).batches()? {
                let batch = batch?;
                let marks = Marks::of(&batch)?;
                for row in 0..batch.num_rows() {
                    let superseding = marks.supersedes(row).is_some_and(|id| ids.contains(&id));
                    if superseding || ids.contains(&marks.id(row)) {
                        let row_in_part = at + row as u64;
                        found.push(Known { mark: marks.mark(row), part: part.key.clone(), row: row_in_part });
                    }
                }
                at += batch.num_rows() as u64;
            }
        }
    }
    Ok(found)
}
