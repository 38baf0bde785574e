//! The commit log: the truth about which files a store consists of.
//!
//! `_bedtrail/log/N.json` says what commit N added and removed. A commit happens at the instant its entry is created,
//! which only one run can do for each N; files that no entry names do not exist.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::medium::Medium;
use crate::ingest::ledger::Balance;

/// Where entries are.
pub(super) const LOG: &str = "_bedtrail/log/";
/// The shape of the log and of the files it names. A store of a later one is not read.
pub const FORMAT: u32 = 1;

/// What a file of a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Rows of `events` of one day.
    Events,
    /// Rows of one day that do not count: copies and superseded records.
    Copies,
    /// Rows of the ledger, sorted by the object's name. Of two rows for one object, the later commit's holds.
    Ledger,
    /// Which record ids occur on which days, sorted by id.
    Keys,
}

/// A file of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its key in the store.
    pub key: String,
    /// What it holds.
    pub kind: PartKind,
    /// The day its rows are of, days since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<i32>,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal; empty where an earlier version wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// What its rows are, for files of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

/// What the rows of a file are, so that it need not be opened to be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// API calls, service events, network activity, shared copies.
    pub kinds: [u64; 4],
    /// The earliest and the latest day in the names of their objects, microseconds UTC.
    pub objects: Option<(i64, i64)>,
    /// A row supersedes another or shares its id with other content.
    pub odd: bool,
}

/// What a store was collected from, and with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// SHA-256 of the scope file of the version that collected.
    pub sha256: String,
    /// The sources, sorted.
    pub sources: Vec<String>,
    /// Objects of earlier days were passed over: microseconds UTC.
    pub from: Option<i64>,
    /// Only these accounts; all if empty.
    pub accounts: Vec<String>,
    /// Only these Regions; all if empty.
    pub regions: Vec<String>,
    /// Whether what callers put in by hand was kept.
    pub keep_content: bool,
    /// Roles and functions of agents whose calls were kept whatever service they go to; none in the default scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
}

/// What was followed into other services. Globs of a policy, and ARNs that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Followed {
    /// Roles followed in every object of the store, sorted.
    pub roles: Vec<String>,
    /// Functions whose invocations were kept of every object, sorted.
    pub functions: Vec<String>,
    /// Roles and functions that came to be known later: of earlier objects their calls were not kept. Sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub late_roles: Vec<String>,
    /// The functions among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub late_functions: Vec<String>,
}

impl Followed {
    /// What two runs followed together: only what both did was followed in every object.
    #[must_use]
    pub fn with(&self, now: &Self) -> Self {
        let (roles, late_roles) = both(&self.roles, &self.late_roles, &now.roles, &now.late_roles);
        let (functions, late_functions) =
            both(&self.functions, &self.late_functions, &now.functions, &now.late_functions);
        Self { roles, functions, late_roles, late_functions }
    }
}

/// What is in both, and what is in one of them or late.
fn both(mine: &[String], late: &[String], theirs: &[String], also: &[String]) -> (Vec<String>, Vec<String>) {
    let (mine, theirs): (BTreeSet<&String>, BTreeSet<&String>) =
        (mine.iter().collect(), theirs.iter().collect());
    let whole: BTreeSet<&String> = mine.intersection(&theirs).copied().collect();
    let any: BTreeSet<&String> = mine.union(&theirs).copied().chain(late).chain(also).collect();
    let owned = |texts: Vec<&&String>| texts.into_iter().map(|text| (*text).clone()).collect();
    (owned(whole.iter().collect()), owned(any.difference(&whole).collect()))
}

/// A listing of a source after which all that it showed was in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// When it began, microseconds UTC.
    pub at: i64,
    /// The first day collected, microseconds UTC; all days if none.
    pub from: Option<i64>,
    /// Only these accounts; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Only these Regions; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
}

impl Listed {
    /// Whether all accounts and Regions of another listing are among those of this one.
    pub fn spans(&self, other: &Self) -> bool {
        let among = |mine: &[String], theirs: &[String]| {
            mine.is_empty() || !theirs.is_empty() && theirs.iter().all(|one| mine.contains(one))
        };
        among(&self.accounts, &other.accounts) && among(&self.regions, &other.regions)
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// See [`FORMAT`].
    pub format: u32,
    /// Its number, from 1.
    pub number: u64,
    /// Which run made it.
    pub run: String,
    /// When, UTC.
    pub time: String,
    /// `collect`, `compact` or `prune`.
    pub operation: String,
    /// The version of this program.
    pub tool_version: String,
    /// The columns of `events` that its files have.
    pub columns: Vec<String>,
    /// What was collected.
    pub scope: Scope,
    /// Files that exist from now on.
    pub added: Vec<Part>,
    /// Keys of files that do not exist any more.
    pub removed: Vec<String>,
    /// The sums of the whole ledger after this commit.
    pub balance: Balance,
    /// Objects that were no logs, at the last listing.
    pub skipped: u64,
    /// Objects that nothing suggests ever to have been a log.
    pub foreign: u64,
    /// The newest day in an object's name, microseconds UTC.
    pub newest: Option<i64>,
    /// Rows of earlier days were removed by `prune`: microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<i64>,
    /// Buckets by the source as given: the last listing after which nothing was left to collect.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub listed: BTreeMap<String, Listed>,
    /// Sources of runs that have not read all they found: what is missing is in no sum.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unfinished: BTreeSet<String>,
}

/// A store at one moment: the sum of its log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The last commit; none for a store that is still empty.
    pub last: Option<Commit>,
    /// The files that exist, by key, each with the number of the commit that added it.
    pub parts: BTreeMap<String, (u64, Part)>,
    /// Keys of files that existed once, and never will again.
    pub removed: BTreeSet<String>,
}

impl State {
    /// Reads the log.
    pub fn read(medium: &dyn Medium) -> Result<Self, StoreError> {
        let mut state = Self::default();
        state.advance(medium)?;
        Ok(state)
    }

    /// Reads what the log has gained; true if that is anything.
    pub fn advance(&mut self, medium: &dyn Medium) -> Result<bool, StoreError> {
        let before = self.number();
        let mut keys = medium.list(LOG, Some(&key(before)))?;
        let number = |key: &String| {
            let name = key.strip_prefix(LOG)?.strip_suffix(".json")?;
            name.parse::<u64>().ok().filter(|number| *number > before)
        };
        keys.retain(|key| number(key).is_some());
        if let Some((_, expected)) =
            keys.iter().zip(before + 1..).find(|(key, expected)| number(key) != Some(*expected))
        {
            return Err(StoreError::Gap { store: medium.name(), number: expected });
        }
        for (key, bytes) in keys.iter().zip(medium.read(&keys)?) {
            self.apply(parse(&medium.name(), key, &bytes)?);
        }
        Ok(self.number() > before)
    }

    /// The number of the last commit; 0 for none.
    pub fn number(&self) -> u64 {
        self.last.as_ref().map_or(0, |commit| commit.number)
    }

    pub(super) fn apply(&mut self, commit: Commit) {
        for key in &commit.removed {
            self.parts.remove(key);
            self.removed.insert(key.clone());
        }
        for part in &commit.added {
            self.parts.insert(part.key.clone(), (commit.number, part.clone()));
        }
        self.last = Some(commit);
    }

    /// The files of a kind, oldest commit first.
    pub fn of(&self, kind: PartKind) -> Vec<&Part> {
        let mut parts: Vec<&(u64, Part)> =
            self.parts.values().filter(|(_, part)| part.kind == kind).collect();
        parts.sort_by_key(|(number, part)| (*number, &part.key));
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// The sums of the ledger.
    pub fn balance(&self) -> Balance {
        self.last.as_ref().map(|commit| commit.balance).unwrap_or_default()
    }
}

/// The key of commit `number`.
pub(super) fn key(number: u64) -> String {
    format!("{LOG}{number:020}.json")
}

fn parse(store: &str, key: &str, bytes: &[u8]) -> Result<Commit, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
        tool_version: String,
    }
    let broken = |error: serde_json::Error| StoreError::Log {
        key: format!("{store}/{key}"),
        message: error.to_string(),
    };
    let head: Head = serde_json::from_slice(bytes).map_err(broken)?;
    if head.format > FORMAT {
        return Err(StoreError::Newer { store: store.to_owned(), version: head.tool_version });
    }
    serde_json::from_slice(bytes).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::super::local::Folder;
    use super::*;

    #[test]
    fn a_store_of_a_later_version_says_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        folder.create(&key(1), br#"{"format": 9, "tool_version": "7.0.0", "what": "else"}"#).unwrap();
        let error = State::read(&folder).unwrap_err().to_string();
        assert!(error.contains("7.0.0") && error.contains("update"), "{error}");
    }

    #[test]
    fn a_log_with_a_hole_is_not_believed() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        folder.create(&key(2), b"{}").unwrap();
        assert!(matches!(State::read(&folder), Err(StoreError::Gap { number: 1, .. })));
        folder.create(&key(1), b"{").unwrap();
        assert!(matches!(State::read(&folder), Err(StoreError::Log { .. })));
    }
}
