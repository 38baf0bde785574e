//! What a run reads: local objects listed, buckets found and their objects on the way.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Failure, say, scratch};
use crate::cli::Input;
use crate::clock::Window;
use crate::output::Caveat;
use crate::source::api::{Api, ApiError, Queries, Setting};
use crate::source::feed::Feed;
use crate::source::s3::{Buckets, Session, Tally, Url};
use crate::source::{Extent, Listing, LogObject, local};

/// Where logs are to be found, if nothing else helps.
const GIVE: &str = "give the folder or prefix that holds AWSLogs, or CloudTrail's .json.gz files";

/// All sources of a run, listed or being listed.
pub(super) struct Sources {
    /// Local objects.
    pub(super) objects: Vec<LogObject>,
    /// Objects of buckets and APIs.
    pub(super) remote: Option<Remote>,
    pruned: u64,
    skipped: u64,
}

/// Objects of buckets and APIs, on their way.
pub(super) struct Remote {
    pub(super) feed: Feed,
    tally: Option<Arc<Tally>>,
    /// What APIs are asked, and how many objects were expected of them.
    queries: Option<(Queries, u64)>,
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
                "a CloudTrail file, a folder of them, a glob, s3://bucket/prefix, lookup:, lake:…, athena:…, or - for standard input",
            ));
        }
        let extent = extent(input, window);
        let mut listing = Listing::default();
        let (apis, others): (Vec<String>, Vec<String>) =
            input.sources.iter().cloned().partition(|source| Api::is(source));
        let (buckets, files): (Vec<String>, Vec<String>) =
            others.into_iter().partition(|source| Url::is(source));
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
        Queries::check(&apis, &extent).map_err(refusal)?;
        let any = !buckets.is_empty() || !apis.is_empty();
        let remote = if any { Some(remote(input, &buckets, &apis, extent, now)?) } else { None };
        Ok(Self { objects: listing.objects, remote, pruned: listing.pruned, skipped: listing.skipped })
    }

    /// How many objects are known so far, with `local` ones, and whether there will be no more.
    pub(super) fn known(&self, local: u64) -> (u64, bool) {
        self.remote.as_ref().map_or((local, true), |remote| {
            let asked = remote.queries.as_ref().map_or(0, |(_, count)| *count);
            let (count, all) = remote.tally.as_ref().map_or((0, true), |tally| {
                (tally.objects.load(Ordering::Relaxed), tally.listed.load(Ordering::Relaxed))
            });
            (local + asked + count, all)
        })
    }

    /// What was passed over; complete once everything is read.
    pub(super) fn passed(&self) -> Passed {
        let tally = self.remote.as_ref().and_then(|remote| remote.tally.as_ref());
        let count = |of: fn(&Tally) -> u64| tally.map_or(0, |tally| of(tally));
        Passed {
            pruned: self.pruned + count(|tally| tally.pruned.load(Ordering::Relaxed)),
            skipped: self.skipped + count(|tally| tally.skipped.load(Ordering::Relaxed)),
            unlisted: tally.is_some_and(|tally| tally.narrowed.load(Ordering::Relaxed)),
        }
    }

    /// Says what came up while APIs were asked.
    pub(super) fn say_notes(&self, quiet: bool) {
        if let Some((queries, _)) = self.remote.as_ref().and_then(|remote| remote.queries.as_ref()) {
            notes(queries, quiet);
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

/// Opens what is reached over the network, and begins to read.
fn remote(
    input: &Input,
    buckets: &[String],
    apis: &[String],
    extent: Extent,
    now: i64,
) -> Result<Remote, Failure> {
    let session = Session::open(input.aws.access()).map_err(Failure::failed)?;
    let queries = queries(&session, input, apis, &extent, now, false)?;
    if buckets.is_empty()
        && let Some(queries) = queries
    {
        let objects = queries.list();
        let feed = queries.read(&objects);
        let count = objects.len() as u64;
        return Ok(Remote { feed, tally: None, queries: Some((queries, count)), _session: session });
    }
    let buckets = Buckets::find(&session, buckets, extent, now).map_err(Failure::failed)?;
    if !input.quiet {
        buckets.notes.iter().for_each(|note| say(&format!("note: {note}")));
    }
    let tally = buckets.tally();
    let mut feed = buckets.feed(&session, input.max_object_size, |_| true);
    let queries = queries.map(|queries| {
        let objects = queries.list();
        let (out, both) = Feed::new(1);
        queries.read_into(&objects, &out);
        let buckets = std::mem::replace(&mut feed, both);
        std::thread::spawn(move || buckets.pour(&out));
        (queries, objects.len() as u64)
    });
    Ok(Remote { feed, tally: Some(tally), queries, _session: session })
}

/// The APIs among the sources, ready to be asked; their queries are cancelled by an interrupt. `hold`: for a store.
pub(super) fn queries(
    session: &Session,
    input: &Input,
    sources: &[String],
    extent: &Extent,
    now: i64,
    hold: bool,
) -> Result<Option<Queries>, Failure> {
    if sources.is_empty() {
        return Ok(None);
    }
    let setting = Setting {
        now,
        hold,
        rate: input.api.lookup_rate.unwrap_or(2.0),
        max_scan: input.api.max_scan.map(|size| size as u64),
        late_days: input.late_days,
        workgroup: input.api.athena_workgroup.clone(),
        output: input.api.athena_output.clone(),
        catalog: input.api.athena_catalog.clone(),
    };
    let queries = Queries::find(session, sources, extent, &setting).map_err(refusal)?;
    notes(&queries, input.quiet);
    let running = queries.clone();
    scratch::before_interrupt(move || running.cancel());
    Ok(Some(queries))
}

/// Says what APIs have to say.
pub(super) fn notes(queries: &Queries, quiet: bool) {
    let notes = queries.notes();
    if !quiet {
        for note in notes {
            say(&format!("note: {note}"));
        }
    }
}

/// What an API's refusal means for the exit code.
pub(super) fn refusal(error: ApiError) -> Failure {
    if error.usage() { Failure::usage(error) } else { Failure::failed(error) }
}

/// What these sources can never show, whatever they answer.
pub(super) fn blind(sources: &[String]) -> Vec<Caveat> {
    let apis: BTreeSet<Api> =
        sources.iter().filter_map(|source| Api::of(source)).map(|(api, _)| api).collect();
    apis.into_iter()
        .map(|api| {
            let (topic, meaning) = api.blind();
            Caveat::new(topic, meaning)
        })
        .collect()
}
