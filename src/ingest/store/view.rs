//! A store as a run reads it: the files and rows it asks for, and the ledger it would have had from the objects.
//!
//! A window, an account or a Region leaves objects unread and events out, and that can change which of several copies
//! counts: a copy stands in an object that is read, its original in one that is not. Such rows are promoted here, so
//! that the answer is the one that reading the objects anew would give.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use hashbrown::{HashMap, HashSet};

use super::entry::Flat;
use super::extent::{self, Test};
use super::known::{self, Fate, Mark, Marks};
use super::ledger::Merged;
use super::log::{Part, PartKind};
use super::part::Reading;
use super::settle::judge;
use super::{Store, StoreError};
use crate::decode::record::Update;
use crate::event::row::RecordKind;
use crate::ingest::ledger::{Balance, Ledger};
use crate::ingest::update::Superseded;
use crate::source::{Extent, Layout, LogObject, Place};

mod nearby;
mod promote;

/// Where the rows of a view are.
#[derive(Debug)]
pub struct StoredRows {
    /// Parquet files with the columns of `events` and the store's own.
    pub files: Vec<PathBuf>,
    /// Which of their rows are asked for, in SQL; all where there is none.
    pub predicate: Option<String>,
    /// Further rows, all asked for.
    pub promoted: Vec<RecordBatch>,
}

/// A store as a run reads it.
#[derive(Debug)]
pub struct View {
    /// The rows of `events`.
    pub rows: StoredRows,
    /// The objects: all, or only those that were refused or hold refused records.
    pub ledger: Ledger,
    /// The sums over all objects read.
    pub balance: Balance,
    /// Objects left aside by account, Region or day.
    pub pruned: u64,
    /// Files that are no logs, at the last listing.
    pub skipped: u64,
    /// Whether any object is a log or may have been one.
    pub recognised: bool,
}

/// A copy that is asked for.
pub(super) struct Copy {
    mark: Mark,
    time: i64,
}

/// What became of an object's rows under an extent.
#[derive(Debug, Default)]
struct Tally {
    rows: [u32; RecordKind::ALL.len()],
    duplicate: u32,
    superseded: u32,
    conflicts: u32,
    dropped: [u32; RecordKind::ALL.len()],
    times: Option<(i64, i64)>,
}

/// The rows that are asked for, counted.
#[derive(Default)]
struct Seen {
    kinds: [u64; RecordKind::ALL.len()],
    copies: Vec<Copy>,
    /// Rows that count in the store, supersede or conflict, and are asked for.
    odd: Vec<Mark>,
    /// Rows that count in the store, are of the window, and lie in objects that are not read.
    hidden: HashSet<(u128, u64)>,
    /// Updates in objects that are read, themselves not asked for.
    beyond: Vec<Update>,
    objects: Option<HashMap<String, Tally>>,
}

impl Store {
    /// The store under an extent. `objects`: whether each object's row is wanted, rather than the sums alone.
    pub fn view(&self, extent: &Extent, objects: bool) -> Result<View, StoreError> {
        let extent = &self.left(extent);
        let live = extent::parts(&self.state, PartKind::Events, extent);
        let files = self.paths(live.iter().copied())?;
        let skipped = self.state.last.as_ref().map_or(0, |last| last.skipped);
        if extent::everything(extent) {
            let balance = self.state.balance();
            let foreign = self.state.last.as_ref().map_or(0, |last| last.foreign);
            let refused = balance.objects_refused > 0 || balance.refused > 0;
            let mut entries = Vec::new();
            if objects || refused {
                self.each(|object, entry| {
                    if objects || entry.refused.is_some() || entry.counts.refused > 0 {
                        entries.push((object, entry));
                    }
                })?;
            }
            return Ok(View {
                rows: StoredRows { files, predicate: None, promoted: Vec::new() },
                ledger: listed(entries),
                balance,
                pruned: 0,
                skipped,
                recognised: balance.objects > foreign,
            });
        }
        let mut seen = self.see(&live, extent, objects)?;
        let judged = judge_again(&seen)?;
        let promoted = self.promote(&judged.promoted, extent)?;
        let mut balance = Balance::default();
        let (mut pruned, mut recognised, mut rows) = (0, false, 0);
        let mut entries = Vec::new();
        tally(&mut seen, &judged);
        self.each(|object, mut entry| {
            if !extent.reads(&Layout::of(&object.name)) {
                pruned += 1;
                return;
            }
            recognised |= !entry.foreign;
            let of_object = u64::from(entry.counts.kept + entry.duplicate + entry.superseded);
            rows += of_object;
            // What of the rows is asked for is added once all are known.
            let before = (entry.counts.kept, entry.kinds, entry.duplicate, entry.superseded, entry.conflicts);
            clear(&mut entry);
            entry.add_to(&mut balance);
            if let Some(tallies) = &seen.objects {
                narrow(&mut entry, tallies.get(&object.name), of_object);
            } else {
                (entry.counts.kept, entry.kinds, entry.duplicate, entry.superseded, entry.conflicts) = before;
            }
            if objects || entry.refused.is_some() || entry.counts.refused > 0 {
                entries.push((object, entry));
            }
        })?;
        let mut kinds = seen.kinds;
        for mark in &judged.promoted {
            kinds[mark.kind as usize] += 1;
        }
        for mark in &judged.demoted {
            kinds[mark.kind as usize] -= 1;
        }
        balance.api_calls = kinds[RecordKind::ApiCall as usize];
        balance.service_events = kinds[RecordKind::ServiceEvent as usize];
        balance.network_activity = kinds[RecordKind::NetworkActivity as usize];
        balance.shared_copies = kinds[RecordKind::SharedCopy as usize];
        balance.kept = kinds.iter().sum();
        balance.duplicate = judged.duplicate;
        balance.superseded = judged.superseded;
        balance.conflicts = judged.conflicts.len() as u64;
        balance.out_of_range = rows.saturating_sub(balance.kept + balance.duplicate + balance.superseded);
        Ok(View {
            rows: StoredRows { files, predicate: predicate(extent, &judged.demoted), promoted },
            ledger: listed(entries),
            balance,
            pruned,
            skipped,
            recognised,
        })
    }

    /// The extent without the days that were pruned.
    fn left(&self, extent: &Extent) -> Extent {
        let pruned = self.state.last.as_ref().and_then(|last| last.pruned);
        Extent { from: extent.from.max(pruned), ..extent.clone() }
    }

    /// The names of all objects, in order.
    pub fn names(&self, mut take: impl FnMut(&str)) -> Result<(), StoreError> {
        let mut merged = Merged::open(&*self.medium, &self.state, Some(&["log_object"]))?;
        while let Some((columns, row)) = merged.next()? {
            take(columns.name(row));
        }
        Ok(())
    }

    /// Every object of the ledger, in order.
    fn each(&self, mut take: impl FnMut(LogObject, Flat)) -> Result<(), StoreError> {
        let mut merged = Merged::open(&*self.medium, &self.state, None)?;
        while let Some((columns, row)) = merged.next()? {
            let name = columns.name(row).to_owned();
            let fed = name.starts_with("s3://");
            let object = LogObject {
                name,
                place: if fed { Place::Fed } else { Place::Named },
                size: None,
                etag: columns.tag(row).filter(|_| fed).map(Into::into),
            };
            take(object, columns.entry(row));
        }
        Ok(())
    }

    /// Counts the rows asked for, and gathers those about which the extent may change something.
    fn see(&self, live: &[&Part], extent: &Extent, objects: bool) -> Result<Seen, StoreError> {
        let mut seen = Seen { objects: objects.then(HashMap::new), ..Seen::default() };
        let columns: Vec<&str> = extent::COLUMNS.iter().chain(&known::COLUMNS).copied().collect();
        let copies = extent::parts(&self.state, PartKind::Copies, extent);
        self.medium.expect(&copies);
        for part in copies {
            for batch in Reading::open(&*self.medium, part)?.columns(&columns).batches()? {
                let batch = batch?;
                let (test, marks) = (Test::of(&batch)?, Marks::of(&batch)?);
                for row in 0..batch.num_rows() {
                    if test.in_range(row, extent) && test.is_read(row, extent) {
                        seen.copies.push(Copy { mark: marks.mark(row), time: marks.time(row) });
                    } else if marks.supersedes(row).is_some() && test.is_read(row, extent) {
                        seen.beyond.extend(marks.mark(row).update());
                    }
                }
            }
        }
        self.see_beyond(extent, &columns, &mut seen.beyond)?;
        let copied: HashSet<u128> = seen.copies.iter().map(|copy| copy.mark.id).collect();
        for part in live {
            let facts = part.facts.unwrap_or_default();
            let whole = extent::whole(part, extent);
            if whole && !facts.odd && !objects {
                seen.kinds.iter_mut().zip(facts.kinds).for_each(|(sum, kind)| *sum += kind);
                continue;
            }
            for batch in Reading::open(&*self.medium, part)?.columns(&columns).batches()? {
                let batch = batch?;
                let (test, marks) = (Test::of(&batch)?, Marks::of(&batch)?);
                for row in 0..batch.num_rows() {
                    if !test.in_range(row, extent) {
                        if marks.supersedes(row).is_some() && test.is_read(row, extent) {
                            seen.beyond.extend(marks.mark(row).update());
                        }
                        continue;
                    }
                    if !test.is_read(row, extent) {
                        let id = marks.id(row);
                        if copied.contains(&id) {
                            seen.hidden.insert((id, marks.content(row)));
                        }
                        continue;
                    }
                    let kind = marks.kind(row);
                    seen.kinds[kind as usize] += 1;
                    if let Some(tallies) = &mut seen.objects {
                        let tally = tallies.entry_ref(marks.object(row)).or_default();
                        tally.rows[kind as usize] += 1;
                        tally.at(marks.time(row));
                    }
                    if marks.conflict(row) || marks.supersedes(row).is_some() {
                        seen.odd.push(marks.mark(row));
                    }
                }
            }
        }
        Ok(seen)
    }

    /// Gathers the updates of days that hold no row of the window, but lie in objects that are read.
    fn see_beyond(
        &self,
        extent: &Extent,
        columns: &[&str],
        beyond: &mut Vec<Update>,
    ) -> Result<(), StoreError> {
        for kind in [PartKind::Events, PartKind::Copies] {
            let within: HashSet<&str> =
                extent::parts(&self.state, kind, extent).iter().map(|part| part.key.as_str()).collect();
            let mut others = self.state.of(kind);
            others.retain(|part| {
                !within.contains(part.key.as_str()) && part.facts.is_none_or(|facts| facts.odd)
            });
            self.medium.expect(&others);
            for part in others {
                for batch in Reading::open(&*self.medium, part)?.columns(columns).batches()? {
                    let batch = batch?;
                    let (test, marks) = (Test::of(&batch)?, Marks::of(&batch)?);
                    for row in 0..batch.num_rows() {
                        if marks.supersedes(row).is_some() && test.is_read(row, extent) {
                            beyond.extend(marks.mark(row).update());
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// What the extent changes.
#[derive(Default)]
struct Judged {
    /// Copies that count under the extent.
    promoted: Vec<Mark>,
    /// Rows that count in the store and not under the extent: a ring of updates is broken where one is not read.
    demoted: Vec<Mark>,
    duplicate: u64,
    superseded: u64,
    /// Objects of rows that share an id with another row that counts, once for each row.
    conflicts: Vec<String>,
    /// Copies that do not count: what they are, by place in the list of copies.
    fates: BTreeMap<usize, Fate>,
}

/// Applies the rule of ingestion to the rows asked for, as far as the store's own outcome may differ.
fn judge_again(seen: &Seen) -> Result<Judged, StoreError> {
    let mut ids: HashSet<u128> = HashSet::new();
    for copy in &seen.copies {
        let mark = &copy.mark;
        if mark.fate == Fate::Superseded || seen.hidden.contains(&(mark.id, mark.content)) {
            ids.insert(mark.id);
        }
    }
    ids.extend(seen.odd.iter().map(|mark| mark.id));
    let visible = || seen.copies.iter().map(|copy| &copy.mark).chain(&seen.odd);
    let superseded = Superseded::by(visible().filter_map(Mark::update).chain(seen.beyond.iter().copied()));
    let marks: Vec<&Mark> = visible().filter(|mark| ids.contains(&mark.id)).collect();
    let outcomes = judge(&[], &[], &marks, &superseded)?;
    let mut outcomes = marks.iter().zip(outcomes);
    let mut judged = Judged::default();
    for (at, copy) in seen.copies.iter().enumerate() {
        let mut fate = copy.mark.fate;
        if ids.contains(&copy.mark.id)
            && let Some((mark, outcome)) = outcomes.next()
        {
            fate = outcome.fate;
            if outcome.conflict {
                judged.conflicts.push(mark.object.clone());
            }
        }
        match fate {
            Fate::Live => judged.promoted.push(copy.mark.clone()),
            Fate::Duplicate => judged.duplicate += 1,
            Fate::Superseded => judged.superseded += 1,
        }
        judged.fates.insert(at, fate);
    }
    for (mark, outcome) in outcomes {
        if outcome.conflict {
            judged.conflicts.push(mark.object.clone());
        }
        if outcome.fate != Fate::Live {
            judged.superseded += 1;
            judged.demoted.push((*mark).clone());
        }
    }
    Ok(judged)
}

impl Tally {
    fn at(&mut self, time: i64) {
        let (first, last) = self.times.unwrap_or((time, time));
        self.times = Some((first.min(time), last.max(time)));
    }
}

/// Adds to each object's tally what became of its copies.
fn tally(seen: &mut Seen, judged: &Judged) {
    let Some(tallies) = &mut seen.objects else { return };
    for (at, fate) in &judged.fates {
        let copy = &seen.copies[*at];
        let tally = tallies.entry_ref(copy.mark.object.as_str()).or_default();
        tally.at(copy.time);
        let kind = copy.mark.kind as usize;
        match fate {
            Fate::Live => tally.rows[kind] += 1,
            Fate::Duplicate => {
                tally.duplicate += 1;
                tally.dropped[kind] += 1;
            }
            Fate::Superseded => {
                tally.superseded += 1;
                tally.dropped[kind] += 1;
            }
        }
    }
    for mark in &judged.demoted {
        let tally = tallies.entry_ref(mark.object.as_str()).or_default();
        let kind = mark.kind as usize;
        tally.rows[kind] = tally.rows[kind].saturating_sub(1);
        tally.superseded += 1;
        tally.dropped[kind] += 1;
    }
    for object in &judged.conflicts {
        tallies.entry_ref(object.as_str()).or_default().conflicts += 1;
    }
}

/// Which rows of the store's files count under an extent, in SQL.
fn predicate(extent: &Extent, demoted: &[Mark]) -> Option<String> {
    let not = demoted.iter().map(|mark| {
        format!("NOT (log_object = '{}' AND log_index = {})", mark.object.replace('\'', "''"), mark.index)
    });
    let all: Vec<String> = extent::predicate(extent).into_iter().chain(not).collect();
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// An entry without what became of its rows.
fn clear(entry: &mut Flat) {
    entry.counts.kept = 0;
    entry.kinds = [0; RecordKind::ALL.len()];
    (entry.duplicate, entry.superseded, entry.conflicts) = (0, 0, 0);
}

/// An entry as it would be, had only what is asked for been kept.
fn narrow(entry: &mut Flat, tally: Option<&Tally>, rows: u64) {
    let none = Tally::default();
    let tally = tally.unwrap_or(&none);
    entry.kinds = tally.rows;
    entry.counts.kept = tally.rows.iter().sum();
    (entry.duplicate, entry.superseded, entry.conflicts) =
        (tally.duplicate, tally.superseded, tally.conflicts);
    let asked = u64::from(entry.counts.kept + entry.duplicate + entry.superseded);
    entry.counts.out_of_range = u32::try_from(rows.saturating_sub(asked)).unwrap_or(u32::MAX);
    entry.times = tally.times;
    let network = RecordKind::NetworkActivity as usize;
    let network = tally.rows[network] + tally.dropped[network];
    entry.network = network > 0 && network == entry.counts.seen;
}

fn listed(entries: Vec<(LogObject, Flat)>) -> Ledger {
    let (objects, entries): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
    Ledger::new(objects, entries.into_iter().map(Into::into).collect())
}
