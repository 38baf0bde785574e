//! Small parts made one, and old ones removed, without changing any answer.

use std::collections::BTreeMap;

use arrow::compute::concat_batches;

use super::entry::{self, Booked};
use super::keys::{self, Occurrence};
use super::ledger::Merged;
use super::log::{Part, PartKind};
use super::part::{self, Reading, conform, copies_schema, rows_schema};
use super::write::folder;
use super::{Store, StoreError};

/// Parts of a day larger than this are left alone, in bytes.
const LARGE: u64 = 32 << 20;
/// Bytes of parts made one at a time; in memory they take several times as much.
const TOGETHER: u64 = 48 << 20;

/// Parts that one commit adds, at most: each is read and written, and a commit must not take long.
const AT_ONCE: usize = 64;

/// What tidying did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Files before.
    pub before: u64,
    /// Files after.
    pub after: u64,
    /// Files that no commit named.
    pub orphans: u64,
}

impl Store {
    /// Makes the small files of each day one, and those of the ledger and the keys.
    pub fn compact(&mut self, time: &str) -> Result<Tidied, StoreError> {
        let before = self.state.parts.len() as u64;
        self.replaceable()?;
        let mut commit = self.following("compact", time);
        let mut days: BTreeMap<(PartKind, Option<i32>), Vec<Part>> = BTreeMap::new();
        for (_, part) in self.state.parts.values() {
            days.entry((part.kind, part.day)).or_default().push(part.clone());
        }
        for ((kind, day), _) in days.iter().filter(|(_, parts)| parts.len() > 1) {
            let mut group = Vec::new();
            for part in
                self.state.of(*kind).into_iter().filter(|part| part.day == *day).cloned().collect::<Vec<_>>()
            {
                let rows = matches!(kind, PartKind::Events | PartKind::Copies);
                if rows && part.bytes > LARGE {
                    continue;
                }
                let bytes: u64 = group.iter().map(|part: &Part| part.bytes).sum();
                if rows && bytes + part.bytes > TOGETHER {
                    self.join(std::mem::take(&mut group), &mut commit)?;
                }
                group.push(part);
            }
            self.join(group, &mut commit)?;
            if commit.added.len() >= AT_ONCE {
                self.made_one(commit)?;
                commit = self.following("compact", time);
            }
        }
        self.made_one(commit)?;
        let orphans = self.sweep()?;
        Ok(Tidied { before, after: self.state.parts.len() as u64, orphans })
    }

    /// Commits what was made one, if that is anything.
    fn made_one(&mut self, commit: super::Commit) -> Result<(), StoreError> {
        if commit.added.is_empty() || self.commit(commit)? {
            return Ok(());
        }
        Err(StoreError::Contended(self.name()))
    }

    /// Removes the rows of days that end before an instant; returns how many files went. The ledger stays: what was
    /// read is not read again.
    pub fn prune(&mut self, before: i64, time: &str) -> Result<u64, StoreError> {
        let first = super::day_of(before);
        let mut commit = self.following("prune", time);
        let old = |part: &&Part| part.day.is_some_and(|day| day < first);
        let removed: Vec<Part> =
            self.state.parts.values().map(|(_, part)| part).filter(old).cloned().collect();
        if removed.is_empty() {
            return Ok(0);
        }
        self.replaceable()?;
        let start = i64::from(first) * 86_400_000_000;
        commit.pruned = Some(commit.pruned.map_or(start, |pruned| pruned.max(start)));
        commit.removed = removed.into_iter().map(|part| part.key).collect();
        let count = commit.removed.len() as u64;
        if self.commit(commit)? { Ok(count) } else { Err(StoreError::Contended(self.name())) }
    }

    fn join(&mut self, mut group: Vec<Part>, commit: &mut super::Commit) -> Result<(), StoreError> {
        if group.len() < 2 {
            return Ok(());
        }
        group.reverse();
        commit.added.push(merge(self, &group)?);
        commit.removed.extend(group.into_iter().map(|part| part.key));
        Ok(())
    }
}

/// One part of several of a kind and day, latest commit first.
pub(super) fn merge(store: &mut Store, parts: &[Part]) -> Result<Part, StoreError> {
    let Some(first) = parts.first() else {
        return Err(StoreError::Internal("nothing to merge".to_owned()));
    };
    let (kind, day) = (first.kind, first.day);
    store.medium.expect(&parts.iter().collect::<Vec<_>>());
    match kind {
        PartKind::Events | PartKind::Copies => {
            let schema = if kind == PartKind::Copies { copies_schema() } else { rows_schema() };
            let mut batches = Vec::new();
            for part in parts {
                for batch in Reading::open(&*store.medium, part)?.batches()? {
                    batches.push(conform(&batch?, &schema)?);
                }
            }
            let all = concat_batches(&schema, &batches).map_err(StoreError::internal)?;
            drop(batches);
            store.write_part(kind, day.unwrap_or_default(), &all)
        }
        PartKind::Ledger => {
            let key = store.fresh(folder(kind), None);
            let parts: Vec<&Part> = parts.iter().collect();
            let mut merged = Merged::over(&*store.medium, &parts, None, None)?;
            let batches = std::iter::from_fn(|| next_batch(&mut merged).transpose());
            part::write(&*store.medium, key, kind, None, &entry::schema(), batches)
        }
        PartKind::Keys => {
            let key = store.fresh(folder(kind), None);
            let mut runs = Vec::new();
            for part in parts {
                runs.push(Reading::open(&*store.medium, part)?.batches()?.flat_map(|batch| match batch {
                    Ok(batch) => keys::occurrences(&batch).into_iter().map(Ok).collect::<Vec<_>>(),
                    Err(error) => vec![Err(error)],
                }));
            }
            let mut failed = None;
            let written = {
                let merged = Sorted::new(runs, &mut failed);
                part::write(&*store.medium, key, kind, None, &keys::schema(), keys::batches(merged))
            };
            match failed {
                Some(error) => Err(error),
                None => written,
            }
        }
    }
}

fn next_batch(merged: &mut Merged) -> Result<Option<arrow::array::RecordBatch>, StoreError> {
    let mut booked: Vec<Booked> = Vec::new();
    while booked.len() < part::BATCH
        && let Some((columns, row)) = merged.next()?
    {
        booked.push(columns.booked(row));
    }
    if booked.is_empty() { Ok(None) } else { entry::batch(&booked).map(Some) }
}

/// Several sorted runs as one, each occurrence once. It ends at the first error, which goes to `failed`.
struct Sorted<'f, I: Iterator<Item = Result<Occurrence, StoreError>>> {
    runs: Vec<(Option<Occurrence>, I)>,
    failed: &'f mut Option<StoreError>,
}

impl<'f, I: Iterator<Item = Result<Occurrence, StoreError>>> Sorted<'f, I> {
    fn new(runs: Vec<I>, failed: &'f mut Option<StoreError>) -> Self {
        let mut sorted = Self { runs: runs.into_iter().map(|run| (None, run)).collect(), failed };
        (0..sorted.runs.len()).for_each(|at| sorted.pull(at));
        sorted
    }

    fn pull(&mut self, at: usize) {
        let (head, run) = &mut self.runs[at];
        *head = match run.next() {
            None => None,
            Some(Ok(next)) => Some(next),
            Some(Err(error)) => {
                *self.failed = Some(error);
                None
            }
        };
    }
}

impl<I: Iterator<Item = Result<Occurrence, StoreError>>> Iterator for Sorted<'_, I> {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        if self.failed.is_some() {
            return None;
        }
        let least = self.runs.iter().filter_map(|(head, _)| *head).min()?;
        for at in 0..self.runs.len() {
            if self.runs[at].0 == Some(least) {
                self.pull(at);
            }
        }
        Some(least)
    }
}
