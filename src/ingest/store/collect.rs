//! Collecting: what is new in a listing is read and committed, a bounded piece at a time.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::chunk::{Chunk, OBJECTS, Reading};
use super::collecting::Collecting;
use super::compact;
use super::entry::{self, Booked, Flat};
use super::known::Fate;
use super::ledger::{self, Merged};
use super::log::{Commit, FORMAT, Followed, Listed, Part, PartKind, Scope, key};
use super::settle::{Outcome, Settled, settle};
use super::write::{Files, folder};
use super::{Store, StoreError, day_of, keys, part};
use crate::clock::{Clock as _, System};
use crate::event::column::COLUMNS;
use crate::event::row::RecordKind;
use crate::ingest::ledger::Balance;
use crate::source::feed::Feed;
use crate::source::{Layout, LogObject, Names, Place};

/// How often a run that others overtook begins again.
const ATTEMPTS: usize = 20;

/// Of so many records that could not be read, it is said why.
const TOLD: usize = 20;

/// What a run has collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects that the store had already.
    pub known: u64,
    /// Objects read and committed.
    pub new: u64,
    /// Commits made.
    pub commits: u64,
    /// Rows written that count.
    pub rows: u64,
    /// Earlier rows that do not count any more.
    pub corrected: u64,
    /// Objects whose content is no longer what was collected: the store keeps the earlier.
    pub changed: Vec<String>,
    /// Objects that could not be read, with the reason.
    pub refused: Vec<(String, String)>,
    /// How many records could not be read.
    pub records_refused: u64,
    /// Some of these: the object, the record's place in it, the reason.
    pub records: Vec<(String, u32, String)>,
    /// How often another run was faster, and this one looked anew what was left for it.
    pub overtaken: u64,
}

impl Collected {
    /// Adds what came of a further part of a listing.
    pub fn add(&mut self, more: Self) {
        self.known += more.known;
        self.new += more.new;
        self.commits += more.commits;
        self.rows += more.rows;
        self.corrected += more.corrected;
        self.changed.extend(more.changed);
        self.refused.extend(more.refused);
        self.records_refused += more.records_refused;
        self.records.extend(more.records);
        self.overtaken += more.overtaken;
    }
}

/// A listing against the ledger.
#[derive(Debug, Default)]
pub struct Sifted {
    /// Indices of objects to read, in the order in which they are.
    pub new: Vec<usize>,
    /// Objects that the store has.
    pub known: u64,
    /// Indices of objects that the store has under another tag.
    pub doubtful: Vec<usize>,
    /// Of the new ones those that were refused before.
    before: BTreeMap<String, Flat>,
}

impl Store {
    /// The names of objects that could not be read, in order.
    pub fn refused(&self, mut take: impl FnMut(&str)) -> Result<(), StoreError> {
        if self.state.balance().objects_refused == 0 {
            return Ok(());
        }
        let mut merged = Merged::open(&*self.medium, &self.state, Some(&["log_object", "reason"]))?;
        while let Some((columns, row)) = merged.next()? {
            if columns.reason(row).is_some() {
                take(columns.name(row));
            }
        }
        Ok(())
    }

    /// Compares a listing, sorted by name, with the ledger. Both are walked once, side by side.
    pub fn sift(&self, listing: &Names) -> Result<Sifted, StoreError> {
        let columns = ["log_object", "tag", "reason", "sha256", "foreign"];
        let mut sifted = Sifted::default();
        let ends = listing.get(0).zip(listing.get(listing.len().saturating_sub(1)));
        let Some((first, last)) = ends else { return Ok(sifted) };
        let names = (first.name.as_str(), last.name.as_str());
        let mut merged = Merged::between(&*self.medium, &self.state, Some(&columns), names)?;
        let mut at = 0;
        while at < listing.len() {
            let Some((columns, row)) = merged.next()? else { break };
            let name = columns.name(row);
            while listing.compare(at, name).is_some_and(Ordering::is_lt) {
                sifted.new.push(at);
                at += 1;
            }
            if listing.compare(at, name) != Some(Ordering::Equal) {
                continue;
            }
            if columns.reason(row).is_some() {
                sifted.before.insert(name.to_owned(), columns.entry(row));
                sifted.new.push(at);
            } else {
                sifted.known += 1;
                if listing.get(at).is_some_and(|listed| columns.tag(row) != Some(&tag(&listed))) {
                    sifted.doubtful.push(at);
                }
            }
            at += 1;
        }
        sifted.new.extend(at..listing.len());
        sifted.new = by_day(listing, sifted.new);
        Ok(sifted)
    }

    /// Reads what is new in a listing, sorted by name and `sifted`, and commits it.
    pub fn collect(
        &mut self,
        listing: &Names,
        sifted: Sifted,
        with: &Collecting<'_>,
    ) -> Result<Collected, StoreError> {
        self.fits(&with.scope)?;
        let mut collected = Collected::default();
        let doubtful: Vec<LogObject> = sifted.doubtful.iter().filter_map(|at| listing.get(*at)).collect();
        for reading in sources(doubtful, with).iter().map(Source::reading) {
            self.confirm(reading, with, &mut collected.changed)?;
        }
        collected.changed.sort_unstable();
        let mut given = Some(sifted);
        for _ in 0..ATTEMPTS {
            let sifted = given.take().map_or_else(|| self.sift(listing), Ok);
            match sifted.and_then(|sifted| self.collect_all(listing, &sifted, with, &mut collected)) {
                Ok(true) => {
                    self.remember(with)?;
                    collected.refused.sort_unstable();
                    return Ok(collected);
                }
                Ok(false) => {}
                // What another run has replaced meanwhile is gone, and no loss.
                Err(error) => match self.state.advance(&*self.medium) {
                    Ok(true) => self.abandon(),
                    Ok(false) => {
                        self.abandon();
                        return Err(error);
                    }
                    Err(_) => return Err(error),
                },
            }
            collected.overtaken += 1;
        }
        Err(StoreError::Contended(self.name()))
    }

    /// Reads and commits what a listing has of new objects; false if another run was faster.
    fn collect_all(
        &mut self,
        listing: &Names,
        sifted: &Sifted,
        with: &Collecting<'_>,
        collected: &mut Collected,
    ) -> Result<bool, StoreError> {
        collected.known = sifted.known;
        collected.refused.clear();
        (collected.records_refused, collected.records) = (0, Vec::new());
        // A listing can be long: never all of it as objects.
        let mut pieces = sifted.new.chunks(OBJECTS).peekable();
        while let Some(piece) = pieces.next() {
            let objects = piece.iter().filter_map(|at| listing.get(*at)).collect();
            let sources = sources(objects, with);
            for (source, left) in sources.iter().zip((0..sources.len()).rev()) {
                let last = left == 0 && pieces.peek().is_none();
                if !self.collect_from(source, last, &sifted.before, with, collected)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Reads all of one source and commits it, piece by piece; false if another run was faster.
    fn collect_from(
        &mut self,
        source: &Source,
        last: bool,
        before: &BTreeMap<String, Flat>,
        with: &Collecting<'_>,
        collected: &mut Collected,
    ) -> Result<bool, StoreError> {
        let mut reading = source.reading();
        loop {
            let chunk = Chunk::gather(reading, with.shared, with.limits, with.progress)?;
            let (read, all) = (chunk.objects.len(), chunk.all);
            if !self.commit_chunk(chunk, last && all, before, with, collected)? {
                return Ok(false);
            }
            if all {
                return Ok(true);
            }
            if let Reading::Files(files) = reading {
                reading = Reading::Files(&files[read..]);
            }
        }
    }

    /// Commits that the listing is complete, if that makes the next one shorter, or readers are told that it is not, and no
    /// commit has said it.
    fn remember(&mut self, with: &Collecting<'_>) -> Result<(), StoreError> {
        let known = self.state.last.as_ref().map(|last| &last.listed);
        let same = |(source, now): (&String, &Listed)| {
            let day = |listed: &Listed| Listed { at: day_of(listed.at).into(), ..listed.clone() };
            known.and_then(|known| known.get(source)).is_some_and(|known| day(known) == day(now))
        };
        let begun = self.state.last.as_ref().map(|last| &last.unfinished);
        let ended =
            with.last && begun.is_some_and(|begun| with.scope.sources.iter().any(|one| begun.contains(one)));
        if with.listed.iter().all(same) && !ended {
            return Ok(());
        }
        let mut commit = self.next_commit("collect", with);
        commit.listed.extend(with.listed.clone());
        with.note(true, &mut commit.unfinished);
        // If another run was faster, the next one lists as far as this one did.
        self.commit(commit).map(drop)
    }

    /// Whether what is to be collected goes together with what was.
    fn fits(&self, scope: &Scope) -> Result<(), StoreError> {
        let Some(last) = &self.state.last else { return Ok(()) };
        if last.scope.keep_content != scope.keep_content {
            let was = if last.scope.keep_content { "with --keep-content" } else { "without --keep-content" };
            let remedy = "collect as before, or into a new store";
            return Err(StoreError::Scope { store: self.name(), was: was.to_owned(), remedy });
        }
        if last.scope.followed.is_some() != scope.followed.is_some() {
            let was = if scope.followed.is_some() { "in the default scope" } else { "with --scope agents" };
            let remedy = "collect as before, or into a new store";
            return Err(StoreError::Scope { store: self.name(), was: was.to_owned(), remedy });
        }
        Ok(())
    }

    /// Takes in roles that were seen to be assumed by Bedrock services: the next run follows them.
    pub fn follow(&mut self, roles: &[String], time: &str) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let mut commit = self.following("collect", time);
            let Some(followed) = &mut commit.scope.followed else { return Ok(()) };
            let before = followed.clone();
            let late = Followed { late_roles: roles.to_vec(), ..followed.clone() };
            *followed = followed.with(&late);
            if *followed == before || self.commit(commit)? {
                return Ok(());
            }
        }
        Err(StoreError::Contended(self.name()))
    }

    /// Commits what was read; false if another run was faster. `complete`: nothing of the listing is left after it.
    fn commit_chunk(
        &mut self,
        chunk: Chunk,
        complete: bool,
        before: &BTreeMap<String, Flat>,
        with: &Collecting<'_>,
        collected: &mut Collected,
    ) -> Result<bool, StoreError> {
        let names: Vec<&str> = chunk.objects.iter().map(|object| object.name.as_str()).collect();
        let settled = settle(&*self.medium, &self.state, &chunk.rows, &chunk.keys, &names, &chunk.updates)?;
        let mut entries = chunk.entries;
        for (key, outcome) in chunk.keys.iter().zip(&settled.new) {
            if let Some(entry) = entries.get_mut(key.object as usize) {
                count(entry, key.kind, Outcome { fate: Fate::Live, conflict: false }, *outcome);
            }
        }
        let mut booked = Vec::with_capacity(entries.len());
        let mut last = self.next_commit("collect", with);
        if complete {
            last.listed.extend(with.listed.clone());
        }
        with.note(complete, &mut last.unfinished);
        for (object, entry) in chunk.objects.into_iter().zip(entries) {
            if let Some(reason) = &entry.refused {
                collected.refused.push((object.name.clone(), reason.to_string()));
            }
            collected.records_refused += u64::from(entry.counts.refused);
            let room = TOLD.saturating_sub(collected.records.len());
            collected.records.extend(
                entry.refusals.iter().take(room).map(|(at, why)| (object.name.clone(), *at, why.clone())),
            );
            // It says what could not be listed in this run: no object of the store, and perhaps readable in the next one.
            if matches!(object.place, Place::Unreachable(_)) {
                continue;
            }
            if let Some(before) = before.get(&object.name) {
                if entry.refused == before.refused && entry.sha256 == before.sha256 {
                    continue;
                }
                before.take_from(&mut last.balance);
                last.foreign -= u64::from(before.foreign);
            }
            entry.add_to(&mut last.balance);
            last.foreign += u64::from(entry.foreign);
            last.newest = last.newest.max(Layout::of(&object.name).day);
            booked.push(Booked { tag: tag(&object), name: object.name, entry });
        }
        if booked.is_empty() {
            return Ok(true);
        }
        let new = booked.len() as u64;
        booked.extend(self.corrections(&settled, &mut last.balance)?);
        booked.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut files = self.write_rows(&chunk.rows, &settled)?;
        drop(chunk.rows);
        self.write_ledger(&booked, &mut files)?;
        self.write_keys(&settled, &mut files)?;
        last.added = files.added;
        last.removed = files.removed;
        if !self.commit(last)? {
            return Ok(false);
        }
        collected.new += new;
        collected.commits += 1;
        collected.rows += settled.new.iter().filter(|outcome| outcome.fate == Fate::Live).count() as u64;
        collected.corrected +=
            settled.changed.iter().filter(|(_, outcome)| outcome.fate != Fate::Live).count() as u64;
        Ok(true)
    }

    /// Ledger rows of earlier objects whose rows count differently now.
    fn corrections(&self, settled: &Settled, balance: &mut Balance) -> Result<Vec<Booked>, StoreError> {
        let names: BTreeSet<&str> =
            settled.changed.iter().map(|(known, _)| known.mark.object.as_str()).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut booked = ledger::find(&*self.medium, &self.state, &names)?;
        for row in &booked {
            row.entry.take_from(balance);
        }
        for (known, after) in &settled.changed {
            let mark = &known.mark;
            let Ok(at) = booked.binary_search_by(|row| row.name.cmp(&mark.object)) else {
                return Err(StoreError::Internal(format!("the ledger has no object {}", mark.object)));
            };
            let before = Outcome { fate: mark.fate, conflict: mark.conflict };
            count(&mut booked[at].entry, mark.kind, before, *after);
        }
        for row in &booked {
            row.entry.add_to(balance);
        }
        Ok(booked)
    }

    /// Writes a part of the ledger, together with earlier parts that are not much larger.
    pub(super) fn write_ledger(&mut self, booked: &[Booked], files: &mut Files) -> Result<(), StoreError> {
        let key = self.fresh(folder(PartKind::Ledger), None);
        let batches = booked.chunks(part::BATCH).map(entry::batch);
        let written = part::write(&*self.medium, key, PartKind::Ledger, None, &entry::schema(), batches)?;
        self.fold(written, files)
    }

    fn write_keys(&mut self, settled: &Settled, files: &mut Files) -> Result<(), StoreError> {
        if settled.occurrences.is_empty() {
            return Ok(());
        }
        let key = self.fresh(folder(PartKind::Keys), None);
        let batches = keys::batches(settled.occurrences.iter().copied());
        let written = part::write(&*self.medium, key, PartKind::Keys, None, &keys::schema(), batches)?;
        self.fold(written, files)
    }

    /// Adds a part; where earlier ones of its kind are not much larger, one part of all of them in their place.
    fn fold(&mut self, written: Part, files: &mut Files) -> Result<(), StoreError> {
        let mut rows = written.rows;
        let mut with = Vec::new();
        for earlier in self.state.of(written.kind).into_iter().rev() {
            if earlier.rows > 2 * rows {
                break;
            }
            rows += earlier.rows;
            with.push(earlier.clone());
        }
        if with.is_empty() {
            files.added.push(written);
            return Ok(());
        }
        let own = written.key.clone();
        files.removed.extend(with.iter().map(|part| part.key.clone()));
        with.insert(0, written);
        let merged = compact::merge(self, &with)?;
        files.added.push(merged);
        // No commit names it.
        self.discard(&own)?;
        Ok(())
    }

    /// The entry that comes next, nothing changed yet.
    fn next_commit(&self, operation: &str, with: &Collecting<'_>) -> Commit {
        let mut commit = self.following(operation, &with.time);
        commit.skipped = with.skipped;
        commit.scope = match &self.state.last {
            None => with.scope.clone(),
            Some(last) => together(&last.scope, &with.scope),
        };
        commit
    }

    /// The entry after the last one, with the same sums.
    pub(super) fn following(&self, operation: &str, time: &str) -> Commit {
        let last = self.state.last.as_ref();
        Commit {
            format: FORMAT,
            number: self.state.number() + 1,
            run: self.run.clone(),
            time: time.to_owned(),
            operation: operation.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            columns: COLUMNS.iter().map(|column| column.name.to_owned()).collect(),
            scope: last.map(|last| last.scope.clone()).unwrap_or_default(),
            added: Vec::new(),
            removed: Vec::new(),
            balance: self.state.balance(),
            skipped: last.map_or(0, |last| last.skipped),
            foreign: last.map_or(0, |last| last.foreign),
            newest: last.and_then(|last| last.newest),
            pruned: last.and_then(|last| last.pruned),
            listed: last.map(|last| last.listed.clone()).unwrap_or_default(),
            unfinished: last.map(|last| last.unfinished.clone()).unwrap_or_default(),
        }
    }

    /// Makes a commit the next one; false, and its files gone, if another run was faster.
    pub(super) fn commit(&mut self, commit: Commit) -> Result<bool, StoreError> {
        let text = serde_json::to_vec(&commit).map_err(StoreError::internal)?;
        if self.late() {
            self.abandon();
            return Err(StoreError::Slow(self.name()));
        }
        let created = self.medium.create(&key(commit.number), &text);
        if !matches!(created, Ok(false)) {
            // Also where nobody knows whether it was created: then its parts must stay.
            self.made.clear();
            self.begun = None;
        }
        if created? {
            for removed in &commit.removed {
                self.discard(removed)?;
            }
            self.state.apply(commit);
            return Ok(true);
        }
        self.abandon();
        self.state.advance(&*self.medium)?;
        Ok(false)
    }

    /// Whether parts of the commit that is being made are so old that another run is about to remove them.
    fn late(&self) -> bool {
        let (Some(grace), Some(begun)) = (self.medium.grace(), self.begun) else { return false };
        // A clock that was set back tells nothing.
        let long = u128::try_from(System.now_micros() - begun).unwrap_or(0);
        long > grace.as_micros() * 3 / 4
    }

    /// Takes away the parts of a commit that does not come to anything. What stays goes with a later run.
    pub(super) fn abandon(&mut self) {
        self.begun = None;
        for key in std::mem::take(&mut self.made) {
            if !self.state.parts.contains_key(&key) {
                let _ = self.discard(&key);
            }
        }
    }
}

/// Places in a listing by day and, within a day, by name. In the order of names, each commit of a long history would write a
/// file for each of its days, and look for copies in the files of all of them.
fn by_day(listing: &Names, places: Vec<usize>) -> Vec<usize> {
    let day = |at: usize| Layout::of(&listing.get(at)?.name).day.map(day_of);
    let mut dated: Vec<(Option<i32>, u32)> =
        places.into_iter().map(|at| (day(at), u32::try_from(at).unwrap_or(u32::MAX))).collect();
    dated.sort_unstable();
    dated.into_iter().map(|(_, at)| at as usize).collect()
}

/// Objects that are read in one way.
enum Source {
    Files(Vec<LogObject>),
    Feed(Feed),
}

impl Source {
    fn reading(&self) -> Reading<'_> {
        match self {
            Self::Files(files) => Reading::Files(files),
            Self::Feed(feed) => Reading::Feed(feed),
        }
    }
}

/// Files, and objects of buckets, each where there are any.
fn sources(objects: Vec<LogObject>, with: &Collecting<'_>) -> Vec<Source> {
    let (fed, files): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| object.place == Place::Fed);
    let files = (!files.is_empty()).then_some(Source::Files(files));
    let feed = with.fetch.filter(|_| !fed.is_empty()).map(|fetch| Source::Feed(fetch(fed)));
    files.into_iter().chain(feed).collect()
}

/// What tells whether an object is still the same: its ETag, or its size and time of change.
pub(super) fn tag(object: &LogObject) -> String {
    if let Some(etag) = &object.etag {
        return etag.to_string();
    }
    let path = match &object.place {
        Place::Path(path) => path.as_path(),
        Place::Named => Path::new(&object.name),
        _ => return object.size.map(|size| size.to_string()).unwrap_or_default(),
    };
    let Ok(found) = std::fs::metadata(path) else { return String::new() };
    let changed = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{}-{}", found.len(), changed.unwrap_or_default().as_nanos())
}

/// What two runs collected together.
fn together(before: &Scope, now: &Scope) -> Scope {
    let both = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter().chain(b).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    };
    let narrow = |a: &[String], b: &[String]| {
        if a.is_empty() || b.is_empty() { Vec::new() } else { both(a, b) }
    };
    Scope {
        // What an earlier version did not keep is not there.
        sha256: before.sha256.clone(),
        sources: both(&before.sources, &now.sources),
        from: before.from.zip(now.from).map(|(before, now)| before.min(now)),
        accounts: narrow(&before.accounts, &now.accounts),
        regions: narrow(&before.regions, &now.regions),
        keep_content: before.keep_content,
        followed: before.followed.as_ref().zip(now.followed.as_ref()).map(|(before, now)| before.with(now)),
    }
}

/// Moves one row of an object's entry from what it was to what it is.
fn count(entry: &mut Flat, kind: RecordKind, before: Outcome, after: Outcome) {
    let kind = kind as usize;
    match before.fate {
        Fate::Live => {
            entry.counts.kept -= 1;
            entry.kinds[kind] -= 1;
            entry.conflicts -= u32::from(before.conflict);
        }
        Fate::Duplicate => entry.duplicate -= 1,
        Fate::Superseded => entry.superseded -= 1,
    }
    match after.fate {
        Fate::Live => {
            entry.counts.kept += 1;
            entry.kinds[kind] += 1;
            entry.conflicts += u32::from(after.conflict);
        }
        Fate::Duplicate => entry.duplicate += 1,
        Fate::Superseded => entry.superseded += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_read_day_by_day() {
        let mut listing = Names::default();
        for name in [
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/05/b.json.gz",
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/06/a.json.gz",
            "AWSLogs/111122223333/CloudTrail/us-east-1/2026/10/05/a.json.gz",
            "events.json",
        ] {
            listing.push(LogObject::new(name.to_owned(), Place::Named));
        }
        assert_eq!(by_day(&listing, vec![0, 1, 2, 3]), [3, 0, 2, 1]);
        assert_eq!(by_day(&listing, vec![1, 2]), [2, 1]);
    }
}
