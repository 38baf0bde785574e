//! Where a store lies: a folder, or a bucket. All that the store asks of either is in one trait.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::log::Part;

/// Why a store's place cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MediumError {
    /// A file operation failed.
    #[error("cannot {what} {name}: {message}")]
    Failed {
        /// What was tried: `read`, `write`, …
        what: &'static str,
        /// Which file or object.
        name: String,
        /// What the system said.
        message: String,
    },
    /// Somebody else works on the store and does not end.
    #[error(
        "another run has held the store {name} for {seconds} s: nothing was changed and nothing is lost; run again once it has ended"
    )]
    Busy {
        /// The store.
        name: String,
        /// How long was waited.
        seconds: u64,
    },
}

impl MediumError {
    /// A failed operation.
    pub(super) fn of(what: &'static str, name: impl Into<String>, message: &dyn std::fmt::Display) -> Self {
        Self::Failed { what, name: name.into(), message: message.to_string() }
    }
}

/// Held while a run changes a store, where the place knows such a thing. It is a courtesy: what keeps two runs from
/// harming each other is that an entry of the log can be created only once.
#[derive(Debug)]
pub struct Hold {
    pub(super) _lock: Option<File>,
    /// Nobody else can be writing: what no commit names may be removed.
    pub(super) alone: bool,
}

/// What lies under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// The key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// Whether it has been there for so long that no running commit can still be about to name it.
    pub settled: bool,
}

/// The place of a store. Keys are paths with forward slashes, relative to the store.
pub trait Medium: Send + Sync {
    /// How a person names the place.
    fn name(&self) -> String;

    /// How another program names what lies under a key.
    fn address(&self, key: &str) -> String;

    /// A file to write a part into, which [`place`](Self::place) then puts where it belongs.
    fn draft(&self) -> Result<NamedTempFile, MediumError>;

    /// Puts a finished draft under its key, all of it or nothing, lasting once this returns. Returns its size.
    fn place(&self, draft: NamedTempFile, key: &str) -> Result<u64, MediumError>;

    /// Creates a small object; false if the key is taken by somebody else.
    fn create(&self, key: &str, bytes: &[u8]) -> Result<bool, MediumError>;

    /// Reads small objects, in the order of the keys.
    fn read(&self, keys: &[String]) -> Result<Vec<Vec<u8>>, MediumError>;

    /// A local file with an object's bytes, which lasts until the object is removed or the medium goes.
    fn path(&self, key: &str) -> Result<PathBuf, MediumError>;

    /// Says that [`path`](Self::path) will be asked for these: where that takes a request each, they are made side by side.
    /// What fails is told when it is asked for.
    fn expect(&self, parts: &[&Part]) {
        let _ = parts;
    }

    /// The keys below a prefix that ends in `/` and after one of them, if one is given, sorted.
    fn list(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, MediumError>;

    /// What lies below a prefix that ends in `/`, sorted by key.
    fn lying(&self, prefix: &str) -> Result<Vec<Lying>, MediumError>;

    /// For how long what no commit names is left alone, since no lock tells whether a run is about to name it.
    fn grace(&self) -> Option<Duration> {
        None
    }

    /// Removes an object; false where that is forbidden. One that is not there is no error.
    fn delete(&self, key: &str) -> Result<bool, MediumError>;

    /// Puts a draft in the place of what must not be removed; false where that cannot be either.
    fn overwrite(&self, draft: NamedTempFile, key: &str) -> Result<bool, MediumError> {
        let _ = (draft, key);
        Ok(false)
    }

    /// Asks to be the only one who changes the store, and waits for whoever is at it; `waits` is told once.
    fn hold(&self, patience: Duration, waits: &dyn Fn()) -> Result<Hold, MediumError>;
}
