//! Whether a store is what its log says.

use super::log::{Part, PartKind};
use super::sweep::{counted, made};
use super::write::folder;
use super::{Store, StoreError, part};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that are what they were when they were committed.
    pub sound: u64,
    /// Files that are lost or altered, with what is wrong.
    pub broken: Vec<(String, String)>,
    /// Files whose hash no commit tells, since an earlier version wrote them; only their size was compared.
    pub unproved: u64,
    /// Files in `events/` that no commit names, and that other readers count.
    pub strange: Vec<String>,
}

impl Store {
    /// Reads every file and compares it with what its commit says of it.
    pub fn check(&self) -> Result<Checked, StoreError> {
        let mut checked = Checked::default();
        for (_, part) in self.state.parts.values() {
            match self.prove(part) {
                Ok(proved) => {
                    checked.sound += u64::from(proved);
                    checked.unproved += u64::from(!proved);
                }
                Err(error) => checked.broken.push((self.medium.address(&part.key), error)),
            }
        }
        let blank = part::blank(&*self.medium, "blank", PartKind::Events)?;
        let empty = std::fs::metadata(blank.path()).map_or(0, |found| found.len());
        for lying in self.medium.lying(&format!("{}/", folder(PartKind::Events)))? {
            let emptied = made(&lying.key) && lying.bytes == empty;
            if counted(&lying.key) && !emptied && !self.state.parts.contains_key(&lying.key) {
                checked.strange.push(self.medium.address(&lying.key));
            }
        }
        Ok(checked)
    }

    /// Whether a part has the hash that it was committed with; false where no hash is known.
    fn prove(&self, part: &Part) -> Result<bool, String> {
        let path = part::whole(&*self.medium, part).map_err(|error| match error {
            StoreError::Lost { message, .. } => message,
            error => error.to_string(),
        })?;
        if part.sha256.is_empty() {
            return Ok(false);
        }
        let found = part::sha256(&path).map_err(|error| error.to_string())?;
        if found == part.sha256 {
            return Ok(true);
        }
        Err(format!("it was committed with SHA-256 {} and has {found}", part.sha256))
    }
}
