//! Objects whose tag is no longer what was collected: the same bytes under a new date, or other bytes.

use super::chunk::Chunk;
use super::collect::{Collecting, Listed};
use super::entry::Booked;
use super::ledger;
use super::write::Files;
use super::{Store, StoreError};
use crate::source::LogObject;

impl Store {
    /// Reads such objects again. Those with the same bytes are booked under their new tag; the names of the others are
    /// returned, and the store keeps what it has of them.
    pub(super) fn confirm(
        &mut self,
        doubtful: &[&Listed],
        with: &Collecting<'_>,
    ) -> Result<Vec<String>, StoreError> {
        let mut changed = Vec::new();
        let mut left = doubtful;
        while !left.is_empty() {
            let objects: Vec<LogObject> = left.iter().map(|listed| listed.object.clone()).collect();
            let read = Chunk::gather(&objects, with.shared, with.limits, with.progress)?.entries;
            let names: Vec<String> =
                objects[..read.len()].iter().map(|object| object.name.clone()).collect();
            let mut booked = Vec::new();
            for known in ledger::find(&*self.medium, &self.state, &names)? {
                let Ok(at) = names.binary_search(&known.name) else { continue };
                if read[at].sha256.is_some() && read[at].sha256 == known.entry.sha256 {
                    booked.push(Booked { tag: left[at].tag.clone(), ..known });
                } else {
                    changed.push(known.name);
                }
            }
            left = &left[read.len()..];
            if booked.is_empty() {
                continue;
            }
            let mut commit = self.following("collect", &with.time);
            let mut files = Files::default();
            self.write_ledger(&booked, &mut files)?;
            (commit.added, commit.removed) = (files.added, files.removed);
            // If another run was faster, the next one confirms them.
            self.commit(commit)?;
        }
        Ok(changed)
    }
}
