//! Files that do not exist any more, or never came to: taken away, and where that is forbidden, emptied, since outside
//! readers count whatever lies in `events/`.

use super::log::PartKind;
use super::write::folder;
use super::{Store, StoreError, part};

/// Where it is tried out whether a file can be taken away.
const PROBE: &str = "_bedtrail/probe";
/// Every kind of part.
pub(super) const KINDS: [PartKind; 4] =
    [PartKind::Events, PartKind::Copies, PartKind::Ledger, PartKind::Keys];

impl Store {
    /// Files of this run that could be neither removed nor emptied, so that other readers still count their rows.
    pub fn unremoved(&self) -> &[String] {
        &self.left
    }

    /// Takes a file away that no commit names. Where removing is forbidden, one without rows takes its place: S3 has
    /// different permissions for the two.
    pub(super) fn discard(&mut self, key: &str) -> Result<bool, StoreError> {
        if self.medium.delete(key)? {
            return Ok(true);
        }
        let rows = KINDS.into_iter().take(2).find(|kind| key.starts_with(&format!("{}/", folder(*kind))));
        // Nobody else reads the others.
        let Some(kind) = rows else { return Ok(true) };
        let blank = part::blank(&*self.medium, key, kind)?;
        let emptied = self.medium.overwrite(blank, key)?;
        if !emptied {
            self.left.push(self.medium.address(key));
        }
        Ok(emptied)
    }

    /// An error where files can be neither removed nor emptied: what replaces them must not be written.
    pub(super) fn replaceable(&self) -> Result<(), StoreError> {
        let blank = || part::blank(&*self.medium, PROBE, PartKind::Keys);
        let forbidden = || StoreError::Immutable(self.name());
        if self.medium.place(blank()?, PROBE).is_err() {
            // An earlier probe that nobody could remove.
            return if self.medium.overwrite(blank()?, PROBE)? { Ok(()) } else { Err(forbidden()) };
        }
        if self.medium.delete(PROBE)? || self.medium.overwrite(blank()?, PROBE)? {
            return Ok(());
        }
        Err(forbidden())
    }

    /// Takes away what no commit names: what commits have removed, and what killed runs have left. Nobody else may be
    /// writing, or else only what has been there for long goes.
    pub(super) fn sweep(&mut self) -> Result<u64, StoreError> {
        let mut swept = 0;
        for kind in KINDS {
            let blank = part::blank(&*self.medium, PROBE, kind)?;
            let empty = std::fs::metadata(blank.path()).map_or(0, |found| found.len());
            for lying in self.medium.lying(&format!("{}/", folder(kind)))? {
                let key = lying.key;
                if !made(&key) {
                    if kind == PartKind::Events && counted(&key) {
                        return Err(StoreError::Strange { store: self.name(), first: key });
                    }
                    continue;
                }
                let gone = lying.settled || self.state.removed.contains(&key);
                if gone && !self.state.parts.contains_key(&key) && lying.bytes != empty {
                    swept += u64::from(self.discard(&key)?);
                }
            }
        }
        Ok(swept)
    }
}

/// Whether other readers take a file for one of the table: they pass over what is hidden.
pub(super) fn counted(key: &str) -> bool {
    !key.split('/').any(|part| part.starts_with(['.', '_']))
}

/// Whether a key is one that a run made: whatever else lies in the folder is somebody's own.
pub(super) fn made(key: &str) -> bool {
    let file = key.rsplit('/').next().unwrap_or_default();
    let inner = file.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".parquet"));
    inner.and_then(|inner| inner.split_once('-')).is_some_and(|(run, number)| {
        !run.is_empty()
            && run.bytes().all(|byte| byte.is_ascii_hexdigit())
            && number.len() >= 4
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
