//! Objects whose tag is no longer what was collected: the same bytes under a new date, or other bytes.

use std::collections::BTreeMap;

use super::chunk::{Chunk, Reading};
use super::collect::tag;
use super::collecting::Collecting;
use super::entry::{Booked, Flat};
use super::ledger;
use super::write::Files;
use super::{Store, StoreError};
use crate::source::LogObject;

impl Store {
    /// Reads such objects again. Those with the same bytes are booked under their new tag; the names of the others go to
    /// `changed`, and the store keeps what it has of them.
    pub(super) fn confirm(
        &mut self,
        mut reading: Reading<'_>,
        with: &Collecting<'_>,
        changed: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        loop {
            let chunk = Chunk::gather(reading, with.shared, with.limits, with.progress)?;
            let read: BTreeMap<&str, (&LogObject, &Flat)> = chunk
                .objects
                .iter()
                .zip(&chunk.entries)
                .map(|(object, entry)| (object.name.as_str(), (object, entry)))
                .collect();
            let names: Vec<String> = read.keys().map(|name| (*name).to_owned()).collect();
            let mut booked = Vec::new();
            for known in ledger::find(&*self.medium, &self.state, &names)? {
                let Some((object, entry)) = read.get(known.name.as_str()) else { continue };
                if entry.sha256.is_some() && entry.sha256 == known.entry.sha256 {
                    booked.push(Booked { tag: tag(object), ..known });
                } else {
                    changed.push(known.name);
                }
            }
            if !booked.is_empty() {
                let mut commit = self.following("collect", &with.time);
                let mut files = Files::default();
                self.write_ledger(&booked, &mut files)?;
                (commit.added, commit.removed) = (files.added, files.removed);
                // If another run was faster, the next one confirms them.
                self.commit(commit)?;
            }
            if chunk.all {
                return Ok(());
            }
            if let Reading::Files(files) = reading {
                reading = Reading::Files(&files[chunk.objects.len()..]);
            }
        }
    }
}
