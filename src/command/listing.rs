//! What a run reads: local objects listed, buckets found and their objects on the way.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Failure, say};
use crate::cli::Input;
use crate::clock::Window;
use crate::source::feed::Feed;
use crate::source::s3::{Buckets, Session, Tally, Url};
use crate::source::{Extent, Listing, LogObject, local};

/// Where logs are to be found, if nothing else helps.
const GIVE: &str = "give the folder or prefix that holds AWSLogs, or CloudTrail's .json.gz files";

/// All sources of a run, listed or being listed.
pub(super) struct Sources {
    /// Local objects.
    pub(super) objects: Vec<LogObject>,
    /// Objects of buckets.
    pub(super) remote: Option<Remote>,
    pruned: u64,
    skipped: u64,
}

/// Objects of buckets, on their way.
pub(super) struct Remote {
    pub(super) feed: Feed,
    tally: Arc<Tally>,
    // Last: the feed is filled by its threads.
    _session: Session,
}

/// What was passed over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passed {
    /// Objects whose names show another account, Region or time.
    pub(super) pruned: u64,
    /// Objects of other services, or no logs.
    pub(super) skipped: u64,
    /// Whether there may be more, in folders and days that were not listed.
    pub(super) unlisted: bool,
}

impl Sources {
    /// Lists files and finds buckets. What can be said to be missing is said here.
    pub(super) fn open(input: &Input, window: &Window, now: i64) -> Result<Self, Failure> {
        let sources = Self::list(input, window, now)?;
        if sources.remote.is_none() && sources.objects.is_empty() {
            return Err(sources.nothing(input));
        }
        Ok(sources)
    }

    /// The same, though there may be nothing.
    pub(super) fn list(input: &Input, window: &Window, now: i64) -> Result<Self, Failure> {
        if input.sources.is_empty() {
            let message = "no source: say where the logs are with -s";
            return Err(Failure::usage(message).help(
                "a CloudTrail file, a folder of them, a glob, s3://bucket/prefix, or - for standard input",
            ));
        }
        let extent = extent(input, window);
        let mut listing = Listing::default();
        let (buckets, files): (Vec<String>, Vec<String>) =
            input.sources.iter().cloned().partition(|source| Url::is(source));
        for source in &files {
            if source == "-" && std::io::stdin().is_terminal() {
                return Err(Failure::usage("standard input is a terminal: pipe a log into it"));
            }
            listing.extend(local::list(source, &extent).map_err(Failure::failed)?);
        }
        listing.settle();
        // What is mistyped is said before anybody is asked for credentials.
        for source in &buckets {
            Url::parse(source).map_err(Failure::usage)?;
        }
        let remote = if buckets.is_empty() { None } else { Some(remote(input, &buckets, extent, now)?) };
        Ok(Self { objects: listing.objects, remote, pruned: listing.pruned, skipped: listing.skipped })
    }

    /// How many objects are known so far, with `local` ones, and whether there will be no more.
    pub(super) fn known(&self, local: u64) -> (u64, bool) {
        self.remote.as_ref().map_or((local, true), |remote| {
            let count = remote.tally.objects.load(Ordering::Relaxed);
            (local + count, remote.tally.listed.load(Ordering::Relaxed))
        })
    }

    /// What was passed over; complete once everything is read.
    pub(super) fn passed(&self) -> Passed {
        let tally = self.remote.as_ref().map(|remote| &remote.tally);
        let count = |of: fn(&Tally) -> u64| tally.map_or(0, |tally| of(tally));
        Passed {
            pruned: self.pruned + count(|tally| tally.pruned.load(Ordering::Relaxed)),
            skipped: self.skipped + count(|tally| tally.skipped.load(Ordering::Relaxed)),
            unlisted: tally.is_some_and(|tally| tally.narrowed.load(Ordering::Relaxed)),
        }
    }

    /// That there is no object at all.
    pub(super) fn nothing(&self, input: &Input) -> Failure {
        let given = input.sources.join(", ");
        let passed = self.passed();
        Failure::failed(format!("no log object was found in {given}")).help(if passed.pruned > 0 {
            format!("{} objects lie outside the accounts, Regions or days asked for", passed.pruned)
        } else if passed.unlisted {
            "nothing lies in the accounts, Regions and days asked for".to_owned()
        } else {
            GIVE.to_owned()
        })
    }
}

/// That objects were found, but no log among them.
pub(super) fn no_log(count: u64) -> Failure {
    Failure::failed(format!("no CloudTrail log is among the {count} objects found")).help(GIVE)
}

/// What may be passed over by name.
pub(super) fn extent(input: &Input, window: &Window) -> Extent {
    Extent {
        from: window.from,
        to: window.to,
        accounts: input.accounts.clone(),
        regions: input.regions.clone(),
        late_days: input.late_days,
    }
}

fn remote(input: &Input, sources: &[String], extent: Extent, now: i64) -> Result<Remote, Failure> {
    let session = Session::open(input.aws.access()).map_err(Failure::failed)?;
    let buckets = Buckets::find(&session, sources, extent, now).map_err(Failure::failed)?;
    if !input.quiet {
        buckets.notes.iter().for_each(|note| say(&format!("note: {note}")));
    }
    let tally = buckets.tally();
    let feed = buckets.feed(&session, input.max_object_size, |_| true);
    Ok(Remote { feed, tally, _session: session })
}
