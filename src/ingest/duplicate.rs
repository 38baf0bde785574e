//! Which rows are copies of others: the same event id with the same content counts once, and the row of the
//! smallest (object, index) stays, whatever order the threads worked in.
//!
//! Keys beyond a fixed number go to files by their id, so that ten million rows need no more memory than one.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use hashbrown::HashSet;

use crate::decode::record::Key;
use crate::event::row::RecordKind;
use crate::ingest::update::Superseded;

/// Keys kept in memory: 48 MiB.
const IN_MEMORY: usize = 1 << 20;
/// Files that keys are spread over once they are too many.
const FILES: usize = 64;
const WIDTH: usize = 41;
/// The content of records that were put together from columns: nobody knows their text as it was logged.
pub(super) const REBUILT: u64 = 0;
/// Beside the kind in a key's last byte.
const RENEWED: u8 = 0x80;

/// A key and where its row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) key: Key,
    pub(super) part: u32,
    pub(super) row: u32,
}

/// Why a row does not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A copy of a row that stays.
    Duplicate,
    /// A later `UPDATED_DATA` record replaces it.
    Superseded,
    /// Stays, but another row has its id and other content.
    Conflict,
}

/// Collects keys and finds copies.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    memory: Vec<Placed>,
    files: Option<(PathBuf, Vec<BufWriter<File>>)>,
}

impl Duplicates {
    pub(super) fn push(&mut self, placed: Placed, folder: &Path) -> std::io::Result<()> {
        self.memory.push(placed);
        if self.memory.len() >= IN_MEMORY { self.spill(folder) } else { Ok(()) }
    }

    fn spill(&mut self, folder: &Path) -> std::io::Result<()> {
        if self.files.is_none() {
            let files = (0..FILES).map(|number| File::create(path(folder, number)).map(BufWriter::new));
            self.files = Some((folder.to_owned(), files.collect::<std::io::Result<_>>()?));
        }
        if let Some((_, files)) = &mut self.files {
            for placed in self.memory.drain(..) {
                files[file_of(placed.key.id)].write_all(&to_bytes(placed))?;
            }
        }
        Ok(())
    }

    /// Calls `found` for every row that does not simply stay. `ranks` are the objects' places in the order of their
    /// names, if the ordinals in the keys are not.
    pub(super) fn finish(
        mut self,
        superseded: &Superseded,
        ranks: Option<&[u32]>,
        mut found: impl FnMut(Placed, Verdict),
    ) -> std::io::Result<()> {
        let Some((folder, _)) = &self.files else {
            rank(&mut self.memory, ranks);
            judge(&mut self.memory, superseded, &mut found);
            return Ok(());
        };
        let folder = folder.clone();
        self.spill(&folder)?;
        let Some((_, files)) = self.files.take() else { return Ok(()) };
        for (number, file) in files.into_iter().enumerate() {
            file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            let mut reader = BufReader::new(File::open(path(&folder, number))?);
            let mut keys = std::mem::take(&mut self.memory);
            let mut bytes = [0; WIDTH];
            while let Ok(()) = reader.read_exact(&mut bytes) {
                keys.push(from_bytes(&bytes));
            }
            rank(&mut keys, ranks);
            judge(&mut keys, superseded, &mut found);
            keys.clear();
            self.memory = keys;
            std::fs::remove_file(path(&folder, number))?;
        }
        Ok(())
    }
}

fn rank(keys: &mut [Placed], ranks: Option<&[u32]>) {
    if let Some(ranks) = ranks {
        for placed in keys {
            placed.key.object = ranks[placed.key.object as usize];
        }
    }
}

fn judge(keys: &mut [Placed], superseded: &Superseded, found: &mut impl FnMut(Placed, Verdict)) {
    keys.sort_unstable_by_key(|placed| (placed.key.id, placed.key.object, placed.key.index));
    for group in keys.chunk_by(|a, b| a.key.id == b.key.id) {
        if superseded.has(group[0].key.id) {
            for placed in group {
                found(*placed, Verdict::Superseded);
            }
            continue;
        }
        let renewed = superseded.renewed(group[0].key.id) || group.iter().any(|placed| placed.key.renewed);
        let stays = |placed: &&Placed| placed.key.renewed == renewed;
        for placed in group.iter().filter(|placed| !stays(placed)) {
            found(*placed, Verdict::Superseded);
        }
        let mut group: Vec<&Placed> = group.iter().filter(stays).collect();
        // One that was logged says more than one put together from a table's columns, and the same.
        if group.iter().any(|placed| placed.key.content != REBUILT) {
            let (rebuilt, logged) = group.into_iter().partition(|placed| placed.key.content == REBUILT);
            group = logged;
            for placed in Vec::<&Placed>::from_iter(rebuilt) {
                found(*placed, Verdict::Duplicate);
            }
        }
        let conflict = group.iter().any(|placed| placed.key.content != group[0].key.content);
        let mut contents = HashSet::new();
        for placed in group {
            if !contents.insert(placed.key.content) {
                found(*placed, Verdict::Duplicate);
            } else if conflict {
                found(*placed, Verdict::Conflict);
            }
        }
    }
}

fn path(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("keys-{number}"))
}

fn file_of(id: u128) -> usize {
    (id >> 122) as usize
}

fn to_bytes(placed: Placed) -> [u8; WIDTH] {
    let mut bytes = [0; WIDTH];
    bytes[..16].copy_from_slice(&placed.key.id.to_le_bytes());
    bytes[16..24].copy_from_slice(&placed.key.content.to_le_bytes());
    bytes[24..28].copy_from_slice(&placed.key.object.to_le_bytes());
    bytes[28..32].copy_from_slice(&placed.key.index.to_le_bytes());
    bytes[32..36].copy_from_slice(&placed.part.to_le_bytes());
    bytes[36..40].copy_from_slice(&placed.row.to_le_bytes());
    bytes[40] = placed.key.kind as u8 | if placed.key.renewed { RENEWED } else { 0 };
    bytes
}

fn from_bytes(bytes: &[u8; WIDTH]) -> Placed {
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let wide = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
    Placed {
        key: Key {
            id: u128::from(wide(0)) | u128::from(wide(8)) << 64,
            content: wide(16),
            object: word(24),
            index: word(28),
            kind: RecordKind::ALL
                .into_iter()
                .find(|kind| *kind as u8 == bytes[40] & !RENEWED)
                .unwrap_or(RecordKind::ApiCall),
            renewed: bytes[40] & RENEWED != 0,
        },
        part: word(32),
        row: word(36),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::record::Update;

    fn placed(id: u128, content: u64, object: u32, row: u32) -> Placed {
        let kind = RecordKind::ServiceEvent;
        let renewed = content == 99;
        Placed { key: Key { id, content, object, index: 7, kind, renewed }, part: 3, row }
    }

    fn verdicts(keys: Vec<Placed>, superseded: &[u128]) -> Vec<(u32, Verdict)> {
        let mut duplicates = Duplicates { memory: keys, files: None };
        duplicates.memory.rotate_left(1);
        let mut out = vec![];
        let update = |of: &u128| Update { id: u128::MAX, of: *of, time: 0 };
        let superseded = Superseded::by(superseded.iter().map(update));
        duplicates.finish(&superseded, None, |placed, verdict| out.push((placed.row, verdict))).unwrap();
        out.sort_by_key(|(row, _)| *row);
        out
    }

    #[test]
    fn the_smallest_object_stays_and_conflicts_are_marked() {
        let keys = vec![
            placed(1, 10, 5, 0),
            placed(1, 10, 4, 1),
            placed(2, 10, 4, 2),
            placed(2, 11, 6, 3),
            placed(2, 10, 7, 4),
            placed(9, 1, 1, 5),
            placed(8, 1, 1, 6),
            placed(7, 1, 1, 7),
            placed(7, 99, 2, 8),
            placed(7, 99, 3, 9),
        ];
        assert_eq!(
            verdicts(keys, &[8]),
            [
                (0, Verdict::Duplicate),
                (2, Verdict::Conflict),
                (3, Verdict::Conflict),
                (4, Verdict::Duplicate),
                (6, Verdict::Superseded),
                (7, Verdict::Superseded),
                (9, Verdict::Duplicate)
            ]
        );
    }

    #[test]
    fn what_was_put_together_gives_way_to_what_was_logged() {
        let keys = vec![
            placed(1, REBUILT, 1, 0),
            placed(1, 10, 4, 1),
            placed(1, REBUILT, 5, 2),
            placed(2, REBUILT, 6, 3),
            placed(2, REBUILT, 7, 4),
        ];
        let duplicates = [0, 2, 4].map(|row| (row, Verdict::Duplicate));
        assert_eq!(verdicts(keys, &[]), duplicates);
    }

    #[test]
    fn files_give_the_same_answer_as_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut spilled = Duplicates::default();
        let mut keys = vec![];
        for number in 0..5000u32 {
            let id = u128::from(number % 1700).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            keys.push(placed(id, u64::from(number % 3400 / 1700) * 99, number, number));
        }
        for (number, key) in keys.iter().enumerate() {
            spilled.push(*key, folder.path()).unwrap();
            if number % 1000 == 0 {
                spilled.spill(folder.path()).unwrap();
            }
        }
        let mut from_files = vec![];
        spilled
            .finish(&Superseded::default(), None, |placed, verdict| from_files.push((placed, verdict)))
            .unwrap();
        let mut from_memory = vec![];
        let memory = Duplicates { memory: keys, files: None };
        memory
            .finish(&Superseded::default(), None, |placed, verdict| from_memory.push((placed, verdict)))
            .unwrap();
        let order = |(placed, _): &(Placed, Verdict)| placed.row;
        from_files.sort_by_key(order);
        from_memory.sort_by_key(order);
        assert_eq!(from_files, from_memory);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
