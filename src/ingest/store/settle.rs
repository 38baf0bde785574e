//! Which of the rows of a commit count, and which rows of earlier commits do not count any more.
//!
//! The rule is ingestion's own, applied to the new rows and to the rows in the store that share an id with them or
//! supersede it: so the store ends where reading all objects anew would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use hashbrown::HashSet;

use super::keys::{self, Occurrence};
use super::known::{self, Fate, Known, Mark};
use super::log::State;
use super::medium::Medium;
use super::{StoreError, day_of};
use crate::decode::record::{Key, Update};
use crate::event::column::Field;
use crate::ingest::duplicate::{Duplicates, Placed, Verdict};
use crate::ingest::update::Superseded;

/// What became of a row, and whether another has its id and other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) fate: Fate,
    pub(super) conflict: bool,
}

/// What a commit decides.
#[derive(Debug)]
pub(super) struct Settled {
    /// For each new row.
    pub(super) new: Vec<Outcome>,
    /// Rows in the store whose outcome is another now.
    pub(super) changed: Vec<(Known, Outcome)>,
    /// The day of each new row.
    pub(super) days: Vec<i32>,
    /// What the keys must tell of the new rows.
    pub(super) occurrences: BTreeSet<Occurrence>,
}

/// Settles new rows. `names` are the objects that the keys speak of, `updates` those among the new rows.
pub(super) fn settle(
    medium: &dyn Medium,
    state: &State,
    rows: &RecordBatch,
    new: &[Key],
    names: &[&str],
    updates: &[Update],
) -> Result<Settled, StoreError> {
    let times = rows.column(Field::EventTime as usize).as_primitive::<TimestampMicrosecondType>();
    let days: Vec<i32> = times.values().iter().map(|time| day_of(*time)).collect();
    let marks = known::Marks::of(rows)?;
    let mut occurrences = BTreeSet::new();
    for (row, (key, day)) in new.iter().zip(&days).enumerate() {
        occurrences.insert(Occurrence { id: key.id, day: *day, by: false });
        if let Some(id) = marks.supersedes(row).filter(|id| *id != key.id) {
            occurrences.insert(Occurrence { id, day: *day, by: true });
        }
    }
    let mut ids: Vec<u128> = occurrences.iter().map(|one| one.id).collect();
    ids.dedup();
    let (there, touched, known) = loop {
        let asked = Arc::new(ids);
        let there = keys::find(medium, state, &asked)?;
        let touched: HashSet<u128> = there.iter().map(|one| one.id).collect();
        let at_days: BTreeSet<i32> = there.iter().map(|one| one.day).collect();
        let known = known::find(medium, state, &at_days, &touched)?;
        // What hangs together by updates is judged together: one that closes a ring decides on all of it.
        let linked =
            known.iter().filter_map(|known| known.mark.update()).flat_map(|update| [update.id, update.of]);
        let more: BTreeSet<u128> = linked.filter(|id| asked.binary_search(id).is_err()).collect();
        if more.is_empty() {
            break (there, touched, known);
        }
        ids = asked.iter().copied().chain(more).collect();
        ids.sort_unstable();
    };
    let superseded =
        Superseded::by(updates.iter().copied().chain(known.iter().filter_map(|known| known.mark.update())));
    let judged: Vec<&Known> = known.iter().filter(|known| touched.contains(&known.mark.id)).collect();
    let marks: Vec<&Mark> = judged.iter().map(|known| &known.mark).collect();
    let outcomes = judge(new, names, &marks, &superseded)?;
    let (new, old) = outcomes.split_at(new.len());
    let changed = judged
        .into_iter()
        .zip(old)
        .filter(|(known, outcome)| (known.mark.fate, known.mark.conflict) != (outcome.fate, outcome.conflict))
        .map(|(known, outcome)| (known.clone(), *outcome))
        .collect();
    // What is known already need not be said again.
    occurrences.retain(|one| !there.contains(one));
    Ok(Settled { new: new.to_vec(), changed, days, occurrences })
}

/// Compares rows by the rule of ingestion: first the new ones, then those of `marks`.
pub(super) fn judge(
    new: &[Key],
    names: &[&str],
    marks: &[&Mark],
    superseded: &Superseded,
) -> Result<Vec<Outcome>, StoreError> {
    // The rule compares objects by their place among all names.
    let mut order: BTreeMap<&str, u32> = names.iter().map(|name| (*name, 0)).collect();
    order.extend(marks.iter().map(|mark| (mark.object.as_str(), 0)));
    for (place, rank) in order.values_mut().zip(0..) {
        *place = rank;
    }
    let rank = |name: &str| order.get(name).copied().unwrap_or(u32::MAX);
    let ranks: Vec<u32> = names.iter().map(|name| rank(name)).collect();
    let old = marks.iter().map(|mark| Key {
        id: mark.id,
        content: mark.content,
        object: rank(&mark.object),
        index: mark.index,
        kind: mark.kind,
        renewed: mark.renewed(),
    });
    let new = new.iter().map(|key| {
        let object = ranks.get(key.object as usize).copied().unwrap_or(u32::MAX);
        Key { object, ..*key }
    });
    // Used only by a million keys and more.
    let folder = tempfile::tempdir().map_err(StoreError::internal)?;
    let mut duplicates = Duplicates::default();
    let mut count = 0;
    for (key, row) in new.chain(old).zip(0..) {
        let placed = Placed { key, part: 0, row };
        duplicates.push(placed, folder.path()).map_err(StoreError::internal)?;
        count += 1;
    }
    let mut outcomes = vec![Outcome { fate: Fate::Live, conflict: false }; count];
    duplicates
        .finish(superseded, None, |placed: Placed, verdict| {
            let outcome = &mut outcomes[placed.row as usize];
            match verdict {
                Verdict::Duplicate => outcome.fate = Fate::Duplicate,
                Verdict::Superseded => outcome.fate = Fate::Superseded,
                Verdict::Conflict => outcome.conflict = true,
            }
        })
        .map_err(StoreError::internal)?;
    Ok(outcomes)
}
