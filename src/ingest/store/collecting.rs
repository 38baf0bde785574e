//! What a run of `collect` is given, and what it leaves for the next one to finish.

use std::collections::{BTreeMap, BTreeSet};

use super::log::{Listed, Scope};
use crate::decode::record::Shared;
use crate::ingest::{Limits, Progress};
use crate::source::LogObject;
use crate::source::feed::Feed;

/// What a run collects with.
pub struct Collecting<'c> {
    /// What decoders share.
    pub shared: &'c Shared<'c>,
    /// What reading may use; `memory` bounds the rows of a commit.
    pub limits: &'c Limits,
    /// How far the run is.
    pub progress: &'c Progress,
    /// Fetches objects of buckets; without it there are none in the listing.
    pub fetch: Option<&'c dyn Fn(Vec<LogObject>) -> Feed>,
    /// What is collected.
    pub scope: Scope,
    /// The present, as the log tells it.
    pub time: String,
    /// Files of the listing that are no logs.
    pub skipped: u64,
    /// Sources whose listing left nothing out: what the store remembers of it once all is collected.
    pub listed: BTreeMap<String, Listed>,
    /// Whether nothing comes after the listing.
    pub last: bool,
}

impl Collecting<'_> {
    /// Notes whether all that was found of the sources is in the store with a commit: with the end of their listing it is.
    pub(super) fn note(&self, complete: bool, unfinished: &mut BTreeSet<String>) {
        if complete && self.last {
            unfinished.retain(|source| !self.scope.sources.contains(source));
        } else {
            unfinished.extend(self.scope.sources.iter().cloned());
        }
    }
}
