//! What a listing has come to so far; read while it goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters of a run over buckets.
#[derive(Debug, Default)]
pub struct Tally {
    /// Objects that are to be read.
    pub objects: AtomicU64,
    /// Their stored bytes.
    pub bytes: AtomicU64,
    /// Objects passed over because their keys show another account, Region or time.
    pub pruned: AtomicU64,
    /// Objects passed over because their keys show another service's log or no log at all.
    pub skipped: AtomicU64,
    /// Requests that list.
    pub lists: AtomicU64,
    /// Requests that read.
    pub gets: AtomicU64,
    /// Whether keys outside accounts, Regions or days were not even listed.
    pub narrowed: AtomicBool,
    /// Whether the listing has come to its end.
    pub listed: AtomicBool,
}

impl Tally {
    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}
