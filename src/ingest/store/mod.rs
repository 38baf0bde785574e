//! The store: what was read once, kept as Parquet that anything can read, and added to by every run.
//!
//! ```text
//! events/event_date=2026-10-05/part-….parquet            rows of `events`: what counts
//! _bedtrail/log/00000000000000000012.json                commit 12: files added and removed, sums
//! _bedtrail/copies/event_date=2026-10-05/part-….parquet  rows that do not count: copies, superseded records
//! _bedtrail/ledger/part-….parquet                        one row per log object
//! _bedtrail/keys/part-….parquet                          which record ids occur on which days
//! ```
//!
//! The [`log`] is the truth: a file that no commit names does not exist. A commit is one run's creation of the next
//! entry, so that a run killed at any instant leaves the old state or the new one; what it left unnamed is removed by
//! the next run.
//!
//! A row of `events` stays for good, with one exception: a later object can show that an earlier row does not count (an
//! updated record; a copy in an object whose name comes first, which is the one that reading all objects anew would
//! keep). Then the same commit writes the file anew without the row, and corrects the ledger.

mod check;
mod chunk;
mod collect;
mod collecting;
mod compact;
mod confirm;
pub mod ddl;
mod entry;
mod extent;
mod keys;
mod known;
mod ledger;
pub mod local;
pub mod log;
pub mod medium;
mod part;
pub mod s3;
mod settle;
mod sweep;
mod view;
mod write;

use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

pub use self::check::Checked;
pub use self::collect::{Collected, Sifted};
pub use self::collecting::Collecting;
pub use self::compact::Tidied;
pub use self::log::{Commit, Followed, Listed, Part, PartKind, Scope, State};
use self::medium::{Hold, Medium, MediumError};
pub use self::part::rows_schema;
pub use self::view::{StoredRows, View};
use super::IngestError;
use crate::clock::{Clock as _, System};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its place fails.
    #[error(transparent)]
    Medium(#[from] MediumError),
    /// Nothing is there.
    #[error("{0} is no store: `bedtrail collect -s SOURCE --store {0}` makes one")]
    Absent(String),
    /// A later version wrote it.
    #[error(
        "the store {store} was written by bedtrail {version}, which this version cannot read: update bedtrail"
    )]
    Newer {
        /// The store.
        store: String,
        /// The version.
        version: String,
    },
    /// An entry of the log is missing.
    #[error(
        "the log of the store {store} lacks commit {number}: restore _bedtrail/log from a backup, or collect into a new store"
    )]
    Gap {
        /// The store.
        store: String,
        /// Which commit.
        number: u64,
    },
    /// An entry of the log cannot be read.
    #[error("{key} is not readable: {message}; restore it from a backup, or collect into a new store")]
    Log {
        /// The entry.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// A file of the store cannot be read or written.
    #[error("cannot {what} {key}: {message}")]
    Part {
        /// What was tried.
        what: &'static str,
        /// The file.
        key: String,
        /// What went wrong.
        message: String,
    },
    /// A file that a commit names cannot be read.
    #[error("the store has lost {key}: {message}")]
    Lost {
        /// The file.
        key: String,
        /// What went wrong.
        message: String,
    },
    /// Other files lie among the store's own.
    #[error(
        "{store}/events/ holds files that no run made, which other readers would count, {first} for one: move them away, \
         or choose another place for the store"
    )]
    Strange {
        /// The store.
        store: String,
        /// One of the files.
        first: String,
    },
    /// What a commit replaces could not be taken away.
    #[error(
        "files of the store {0} can be neither removed nor overwritten: whoever reads events/ would count the rows of those \
         that are replaced twice, so nothing was changed; allow s3:DeleteObject, or overwriting, below it"
    )]
    Immutable(String),
    /// The run asks for what the store was not collected with.
    #[error("the store {store} was collected {was}: {remedy}")]
    Scope {
        /// The store.
        store: String,
        /// How it was collected.
        was: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Other runs were faster, again and again.
    #[error(
        "other runs changed the store {0} again and again: nothing was lost; run again when they have ended"
    )]
    Contended(String),
    /// Other runs may have taken its parts for those of a killed run.
    #[error(
        "one commit to the store {0} took longer than other runs wait: nothing was changed; run again, with a faster way to it"
    )]
    Slow(String),
    /// Reading the objects failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A bug of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

impl StoreError {
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

/// A store that is open.
pub struct Store {
    medium: Box<dyn Medium>,
    state: State,
    run: String,
    parts: u64,
    /// Keys of parts made since the last commit, and when the first was, microseconds UTC.
    made: Vec<String>,
    begun: Option<i64>,
    left: Vec<String>,
}

impl Store {
    /// Opens what lies at a place; empty if nothing does. `now`: the present, microseconds UTC.
    pub fn open(medium: Box<dyn Medium>, now: i64) -> Result<Self, StoreError> {
        let state = State::read(&*medium)?;
        let run = run_id(now);
        Ok(Self { medium, state, run, parts: 0, made: Vec::new(), begun: None, left: Vec::new() })
    }

    /// Whether a folder is a store.
    pub fn is_at(folder: &Path) -> bool {
        folder.join("_bedtrail/log").is_dir()
    }

    /// How a person names the store.
    pub fn name(&self) -> String {
        self.medium.name()
    }

    /// What it consists of.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// An error unless something was collected into it.
    pub fn collected(self) -> Result<Self, StoreError> {
        if self.state.last.is_some() { Ok(self) } else { Err(StoreError::Absent(self.name())) }
    }

    /// A local file for each of the parts.
    pub fn paths<'p>(
        &self,
        parts: impl IntoIterator<Item = &'p Part>,
    ) -> Result<Vec<std::path::PathBuf>, StoreError> {
        let parts: Vec<&Part> = parts.into_iter().collect();
        self.medium.expect(&parts);
        parts.into_iter().map(|part| part::whole(&*self.medium, part)).collect()
    }

    /// How another program names a part.
    pub fn address(&self, part: &Part) -> String {
        self.medium.address(&part.key)
    }

    /// Reads what the log has gained; true if that is anything.
    pub fn advance(&mut self) -> Result<bool, StoreError> {
        self.state.advance(&*self.medium)
    }

    /// Becomes the one run that changes the store, and removes what a killed run left.
    pub fn hold(&mut self, patience: Duration, waits: &dyn Fn()) -> Result<Hold, StoreError> {
        let hold = self.medium.hold(patience, waits)?;
        self.state.advance(&*self.medium)?;
        if hold.alone {
            self.sweep()?;
        }
        Ok(hold)
    }

    /// A key for a new part that no other run makes.
    fn fresh(&mut self, folder: &str, day: Option<i32>) -> String {
        self.parts += 1;
        let day = day.map(|day| format!("event_date={}/", date(day))).unwrap_or_default();
        let key = format!("{folder}/{day}part-{}-{:04}.parquet", self.run, self.parts);
        self.begun.get_or_insert_with(|| System.now_micros());
        self.made.push(key.clone());
        key
    }
}

/// `2026-10-05` of days since 1970.
pub fn date(day: i32) -> String {
    let start = chrono::NaiveDate::default();
    (start + chrono::TimeDelta::days(i64::from(day))).to_string()
}

/// The day of an instant, days since 1970.
pub fn day_of(micros: i64) -> i32 {
    i32::try_from(micros.div_euclid(86_400_000_000)).unwrap_or(i32::MAX)
}

/// Sixteen hexadecimal digits that no other run has.
fn run_id(now: i64) -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = std::hash::RandomState::new().build_hasher().finish();
    let hash = Sha256::digest(format!("{now} {} {random}", std::process::id()));
    hash.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
