//! `bedtrail collect`: what is new goes into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::follow::Follow;
use super::listing::{self, extent};
use super::scratch::Scratch;
use super::trail::threads;
use super::version::Versions;
use super::{Failure, progress, say, stored};
use crate::cli;
use crate::clock::{self, Clock, Window};
use crate::decode::filter::Filter;
use crate::decode::record::{Followed, Shared, Wanted};
use crate::event::scope::Scope;
use crate::exit::Code;
use crate::ingest::store::{self, Collected, Collecting, Listed, Store, StoreError};
use crate::ingest::{self, Progress};
use crate::source::api::{Api, Queries};
use crate::source::feed::Feed;
use crate::source::s3::{Buckets, Reader, Session, Tally, Url};
use crate::source::{Extent, Layout, Listing, LogObject, Names, Place, local};

/// Refusals and changes said one by one; more are counted.
const TOLD: usize = 20;

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Collect) -> Result<Code, Failure> {
    let input = &arguments.input;
    let Some(place) = &input.store else {
        return Err(Failure::usage("no store: say where to collect into with --store"));
    };
    if input.to.is_some() {
        return Err(Failure::usage(
            "collect takes no --to: what is collected is all there is; give --to to a report",
        ));
    }
    let system = clock::System.now_micros();
    let now = match &input.now {
        None => system,
        Some(text) => clock::parse_when(text, system).map_err(Failure::usage)?,
    };
    let window = clock::parse_window(input.from.as_deref(), None, now).map_err(Failure::usage)?;
    let mut store = stored::at(place, &input.aws, arguments.adding.kms_key.as_deref(), now)?;
    let waits = || say(&format!("another run is changing {place}: waiting for it to end"));
    if arguments.dry_run {
        let (found, pending) = Found::open(&store, arguments, &window, now)?;
        return dry_run(&store, &found, pending);
    }
    let _hold = store.hold(Duration::from_secs(arguments.adding.wait), &waits)?;
    let collected = collect(&mut store, arguments, &window, now)?;
    if arguments.adding.compact {
        match store.compact(&clock::format_micros(now)) {
            Ok(tidied) if !input.quiet => {
                say(&format!("compacted: {} files, {} before", tidied.after, tidied.before));
            }
            // What was collected is there all the same.
            Err(error @ (StoreError::Immutable(_) | StoreError::Contended(_))) => {
                say(&format!("warning: not compacted: {error}"));
            }
            tidied => drop(tidied?),
        }
    }
    report(&store, &collected, input.quiet);
    Ok(stored::code(
        !collected.refused.is_empty() || collected.records_refused > 0 || !collected.changed.is_empty(),
    ))
}

/// Lists, and reads what is new, with progress.
pub(super) fn collect(
    store: &mut Store,
    arguments: &cli::Collect,
    window: &Window,
    now: i64,
) -> Result<Collected, Failure> {
    let input = &arguments.input;
    let follow = follow(store, input, window, now)?;
    let (found, pending) = Found::open(store, arguments, window, now)?;
    let scratch = Scratch::new(input.temp_dir.as_deref())?;
    let scope = Scope::get();
    let plain = || Filter::new(scope.needles(), scope.names());
    let filter = follow.as_ref().map_or_else(plain, |follow| follow.filter(scope));
    let is = |role: &str| follow.as_ref().is_some_and(|follow| follow.is(role));
    let function = |arn: &str| follow.as_ref().is_some_and(|follow| follow.function(arn));
    let seen = |role: &str| follow.iter().for_each(|follow| follow.see(role));
    let followed = Followed { is: &is, function: &function, seen: &seen };
    let shared = Shared {
        scope,
        filter: &filter,
        wanted: &Wanted::default(),
        environments: &|_, _| None,
        keep_content: input.keep_content,
        followed: follow.as_ref().map(|_| &followed),
    };
    let limits = ingest::Limits {
        object: input.max_object_size,
        // Rows are held twice while they are sorted and written.
        memory: (input.memory_limit / 6).clamp(1 << 20, 32 << 20),
        threads: threads(input),
        folder: scratch.path().to_owned(),
        hash: true,
    };
    let progress = Progress::default();
    let mut sources = input.sources.clone();
    sources.sort();
    let scope = store::Scope {
        sha256: stored::scope_hash(),
        sources,
        // A run that names no beginning goes back as far as the ones before it.
        from: window.from.or_else(|| store.state().last.as_ref().and_then(|last| last.scope.from)),
        accounts: sorted(&input.accounts),
        regions: sorted(&input.regions),
        keep_content: input.keep_content,
        followed: follow.as_ref().map(Follow::remembered),
    };
    let time = clock::format_micros(now);
    let (new, all) = (AtomicU64::new(0), AtomicBool::new(false));
    let known = || (new.load(Ordering::Relaxed), all.load(Ordering::Relaxed));
    let mut collected = Collected::default();
    let remote = found.remote.as_ref();
    let fetch = remote.map(|remote| |objects| remote.read(objects));
    let each = |piece: Piece| -> Result<(), Failure> {
        let with = Collecting {
            shared: &shared,
            limits: &limits,
            progress: &progress,
            fetch: fetch.as_ref().map(|fetch| fetch as &dyn Fn(Vec<LogObject>) -> Feed),
            scope: scope.clone(),
            time: time.clone(),
            skipped: piece.skipped,
            listed: piece.complete,
            last: piece.last,
        };
        let sifted = store.sift(&piece.objects)?;
        new.fetch_add(sifted.new.len() as u64, Ordering::Relaxed);
        all.store(piece.last, Ordering::Relaxed);
        collected.add(store.collect(&piece.objects, sifted, &with)?);
        Ok(())
    };
    progress::shown(&progress, &known, input.quiet, || pieces(&found, pending, each))?;
    if let Some(queries) = found.remote.as_ref().and_then(|remote| remote.queries.as_ref()) {
        listing::notes(queries, input.quiet);
    }
    let seen = follow.as_ref().map(Follow::seen).unwrap_or_default();
    if !seen.is_empty() {
        store.follow(&seen, &time)?;
        say(&format!(
            "warning: {} roles of agents were met that were not followed: the next collect follows them; to have their \
             calls in what was collected so far, name them as execution_role in the policy and collect into a new store: {}",
            seen.len(),
            seen.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(collected)
}

/// What is followed into other services: the roles and functions of the policy, and those of earlier runs.
fn follow(store: &Store, input: &cli::Input, window: &Window, now: i64) -> Result<Option<Follow>, Failure> {
    if input.scope == cli::Scope::Default {
        return Ok(None);
    }
    if let Some(api) = input.sources.iter().find(|source| Api::is(source)) {
        return Err(Failure::usage(format!("{api} is asked for the default scope only"))
            .help("collect the logs themselves with --scope agents"));
    }
    let versions = input.policy.as_deref().map(|path| Versions::load(path, window, now)).transpose()?;
    let stored = store.state().last.as_ref().and_then(|last| last.scope.followed.as_ref());
    Follow::with(versions.iter().flat_map(Versions::all), stored).map(Some)
}

fn sorted(names: &[String]) -> Vec<String> {
    names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// What a run collects from.
struct Found {
    /// Files that are no logs, and those outside the accounts, Regions and days asked for.
    skipped: u64,
    pruned: u64,
    /// Whether one file may have been reached by several names.
    linked: bool,
    /// Objects to read whatever the listing shows.
    again: Vec<LogObject>,
    remote: Option<Remote>,
    /// What the store may remember of each bucket once all of it was listed.
    shows: BTreeMap<String, Listed>,
    /// How many objects are handed over at a time.
    together: usize,
    /// Whether nothing was ever collected.
    first: bool,
    sources: Vec<String>,
}

/// What is still to be handed over.
struct Pending {
    /// Files, and what APIs are asked.
    objects: Names,
    /// To be listed.
    buckets: Option<Buckets>,
}

/// How much of the memory limit the listing may take: an object's name and tag take some 150 bytes, twice while they are
/// sorted. With the usual limit that makes a quarter of a million objects that are compared with the ledger and read together;
/// more of a listing are never held, however long it is.
const OF_LIMIT: usize = 768;

/// A part of a listing.
struct Piece {
    /// Sorted by name, each once.
    objects: Names,
    /// Objects that are no logs, so far.
    skipped: u64,
    /// Buckets that were listed without a gap; only in the last piece.
    complete: BTreeMap<String, Listed>,
    last: bool,
}

/// How objects of buckets and APIs are read.
struct Remote {
    reader: Option<Reader>,
    tally: Arc<Tally>,
    queries: Option<Queries>,
    // Last: the reader works on its threads.
    session: Session,
}

impl Remote {
    fn read(&self, objects: Vec<LogObject>) -> Feed {
        let (asked, stored): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| Api::is(&object.name));
        match (&self.reader, &self.queries) {
            (Some(reader), Some(queries)) if !asked.is_empty() => {
                let (out, both) = Feed::new(1);
                queries.read_into(&asked, &out);
                let buckets = reader.read(stored);
                std::thread::spawn(move || buckets.pour(&out));
                both
            }
            (Some(reader), _) => reader.read(stored),
            (None, Some(queries)) => queries.read(&asked),
            (None, None) => Feed::new(1).1,
        }
    }
}

impl Found {
    fn open(
        store: &Store,
        arguments: &cli::Collect,
        window: &Window,
        now: i64,
    ) -> Result<(Self, Pending), Failure> {
        let input = &arguments.input;
        if input.sources.is_empty() {
            return Err(Failure::usage("no source: say where the logs are with -s")
                .help("a CloudTrail file, a folder of them, a glob, s3://bucket/prefix, lookup:, lake:… or athena:…"));
        }
        let (apis, others): (Vec<String>, Vec<String>) =
            input.sources.iter().cloned().partition(|source| Api::is(source));
        let (buckets, files): (Vec<String>, Vec<String>) =
            others.into_iter().partition(|source| Url::is(source));
        for source in &input.sources {
            if stored::is_at(source, &input.aws)? {
                return Err(Failure::usage(format!("{source} is a store: logs are collected, not stores")));
            }
        }
        let (mut listing, mut objects) = (Listing::default(), Names::default());
        for source in &files {
            if source == "-" {
                return Err(Failure::usage(
                    "- cannot be collected: standard input has no name by which to know it",
                ));
            }
            let mut take = |object| objects.push(object);
            local::each(source, &extent(input, window), &mut listing, &mut take).map_err(Failure::failed)?;
        }
        for source in &buckets {
            Url::parse(source).map_err(Failure::usage)?;
        }
        // A run that names no beginning goes back as far as the ones before it.
        let last = store.state().last.as_ref();
        let from = window.from.or_else(|| last.and_then(|last| last.scope.from));
        let reach = extent(input, &Window { from, to: None });
        Queries::check(&apis, &reach).map_err(super::listing::refusal)?;
        let (mut remote, mut there, mut shows, mut retried) = (None, None, BTreeMap::new(), Vec::new());
        if !apis.is_empty() && buckets.is_empty() {
            let session = Session::open(input.aws.access()).map_err(Failure::failed)?;
            let queries = super::listing::queries(&session, input, &apis, &reach, now, true)?;
            remote = Some(Remote { reader: None, tally: Arc::default(), queries, session });
        }
        if !buckets.is_empty() {
            let asked = since(store, arguments, &buckets, window)?;
            let from = asked.values().map(|one| one.first).min().unwrap_or_default();
            let session = Session::open(input.aws.access()).map_err(Failure::failed)?;
            let queries = super::listing::queries(&session, input, &apis, &reach, now, true)?;
            let extent = extent(input, &Window { from: Some(from), to: None });
            let found = Buckets::find(&session, &buckets, extent.clone(), now).map_err(Failure::failed)?;
            if !input.quiet {
                found.notes.iter().for_each(|note| say(&format!("note: {note}")));
            }
            let (tally, reader) = (found.tally(), found.reader(&session, input.max_object_size));
            shows = worth(store, asked, now);
            retried = again(store, &extent, &buckets)?;
            there = Some(found);
            remote = Some(Remote { reader: Some(reader), tally, queries, session });
        }
        let queries = remote.as_ref().and_then(|remote| remote.queries.as_ref());
        queries.into_iter().flat_map(Queries::list).for_each(|object| objects.push(object));
        let found = Self {
            skipped: listing.skipped,
            pruned: listing.pruned,
            // Two sources can lead to one file.
            linked: listing.linked || files.len() > 1,
            again: retried,
            remote,
            shows,
            together: (input.memory_limit / OF_LIMIT).max(64),
            first: store.state().last.is_none(),
            sources: input.sources.clone(),
        };
        Ok((found, Pending { objects, buckets: there }))
    }

    fn piece(&self, mut objects: Names, complete: Option<BTreeMap<String, Listed>>) -> Piece {
        objects.settle(self.linked);
        let tally = self.remote.as_ref().map(|remote| remote.tally.skipped.load(Ordering::Relaxed));
        let skipped = self.skipped + tally.unwrap_or(0);
        Piece { objects, skipped, last: complete.is_some(), complete: complete.unwrap_or_default() }
    }
}

/// Lists what buckets hold, and hands everything over piece by piece.
fn pieces(
    found: &Found,
    pending: Pending,
    mut each: impl FnMut(Piece) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Pending { mut objects, buckets } = pending;
    let mut gaps = Vec::new();
    let mut any = !objects.is_empty();
    if let (Some(buckets), Some(remote)) = (buckets, &found.remote) {
        let mut listed = buckets.list(&remote.session);
        while let Some(object) = listed.wait() {
            any = true;
            if objects.len() >= found.together {
                each(found.piece(std::mem::take(&mut objects), None))?;
            }
            if matches!(object.place, Place::Unreachable(_)) {
                gaps.push(object.name.clone());
            }
            objects.push(object);
        }
        listed.end(&remote.session).map_err(Failure::failed)?;
    }
    found.again.iter().for_each(|object| objects.push(object.clone()));
    if !any && found.first {
        let given = found.sources.join(", ");
        return Err(Failure::failed(format!("no log object was found in {given}")).help(
            if found.pruned > 0 {
                format!("{} objects lie outside the accounts, Regions or days asked for", found.pruned)
            } else {
                "give the folder or prefix that holds AWSLogs".to_owned()
            },
        ));
    }
    let mut complete = found.shows.clone();
    complete.retain(|source, _| !gaps.iter().any(|gap| lies_in(source, gap)));
    each(found.piece(objects, Some(complete)))
}

/// From where a bucket is listed, and what its listing will have shown together with the earlier ones.
struct Asked {
    first: i64,
    shows: Listed,
}

/// From which day on each bucket is listed.
///
/// From the beginning until a run has read all that it listed. Then from some days before that run: files come late, and
/// what could not be read then is asked for by its name. What is new about the run itself, such as a further bucket or an
/// earlier day, is listed from the beginning all the same.
fn since(
    store: &Store,
    arguments: &cli::Collect,
    buckets: &[String],
    window: &Window,
) -> Result<BTreeMap<String, Asked>, Failure> {
    const DAY: i64 = 86_400_000_000;
    let input = &arguments.input;
    let last = store.state().last.as_ref();
    let mut asked = BTreeMap::new();
    for bucket in buckets {
        let start = window.from.or_else(|| last.and_then(|last| last.scope.from)).ok_or_else(|| {
            let message = match last {
                None => "the first collect from a bucket needs --from: how far back to go",
                Some(_) => "this bucket is new to the store: say with --from how far back to go",
            };
            Failure::usage(message).help(
                "for instance --from 2026-01-01; a trail can go back years, and every object costs a request",
            )
        })?;
        let mut shows = Listed {
            at: 0,
            from: Some(start),
            accounts: sorted(&input.accounts),
            regions: sorted(&input.regions),
        };
        let before = last.and_then(|last| last.listed.get(bucket)).filter(|before| before.spans(&shows));
        let before = before.filter(|before| before.from.is_none_or(|from| from <= start));
        let first = match before {
            Some(before) => {
                shows.from = before.from;
                let newest = last.and_then(|last| last.newest).unwrap_or(before.at);
                start.max(before.at.min(newest) - arguments.adding.look_back * DAY)
            }
            None => start,
        };
        asked.insert(bucket.clone(), Asked { first, shows });
    }
    Ok(asked)
}

/// Whether a name lies in a source.
fn lies_in(source: &str, name: &str) -> bool {
    name.strip_prefix(source).is_some_and(|rest| {
        source.ends_with('/') || rest.is_empty() || rest.starts_with('/') || source.matches('/').count() > 2
    })
}

/// What the store may remember of the listing, if it leaves no gap.
fn worth(store: &Store, asked: BTreeMap<String, Asked>, now: i64) -> BTreeMap<String, Listed> {
    let before = store.state().last.as_ref().map(|last| &last.listed);
    asked
        .into_iter()
        .map(|(source, asked)| (source, Listed { at: now, ..asked.shows }))
        // What some accounts were asked for again tells nothing of the others.
        .filter(|(source, shows)| {
            before.and_then(|before| before.get(source)).is_none_or(|before| shows.spans(before))
        })
        .collect()
}

/// Objects of buckets that earlier runs could not read and that lie before what is listed now.
fn again(store: &Store, extent: &Extent, buckets: &[String]) -> Result<Vec<LogObject>, Failure> {
    let mut refused = BTreeSet::new();
    let anywhen = Extent { from: None, to: None, ..extent.clone() };
    store.refused(|name| {
        let layout = Layout::of(name);
        if Url::is(name)
            && !extent.reads(&layout)
            && anywhen.reads(&layout)
            && buckets.iter().any(|bucket| lies_in(bucket, name))
        {
            refused.insert(name.to_owned());
        }
    })?;
    Ok(refused.into_iter().map(|name| LogObject::new(name, Place::Fed)).collect())
}

/// Says what would be read, and what the requests cost.
fn dry_run(store: &Store, found: &Found, pending: Pending) -> Result<Code, Failure> {
    let (mut new, mut known, mut bytes, mut fed, mut asked) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    pieces(found, pending, |piece| {
        let sifted = store.sift(&piece.objects)?;
        known += sifted.known;
        for object in sifted.new.iter().filter_map(|at| piece.objects.get(*at)) {
            new += 1;
            let size = || std::fs::metadata(&object.name).ok().map(|file| file.len());
            bytes += object.size.or_else(size).unwrap_or(0);
            let api = Api::is(&object.name);
            asked += u64::from(api);
            fed += u64::from(!api && object.place == Place::Fed);
        }
        Ok(())
    })?;
    let mut text =
        format!("{new} objects to read ({}), {known} in the store already\n", indicatif::HumanBytes(bytes));
    if let Some(remote) = &found.remote {
        let lists = remote.tally.lists.load(Ordering::Relaxed);
        if asked > 0 {
            let _ = writeln!(text, "{asked} slices to ask APIs for");
        }
        // Millionths of a dollar: what S3 Standard asks in us-east-1, 0.005 for 1,000 LISTs, 0.0004 for 1,000 GETs.
        let micros = lists * 5 + fed * 4 / 10;
        let _ = writeln!(
            text,
            "requests: {lists} LIST and {fed} GET, about ${}.{:04} at the price of S3 Standard in us-east-1",
            micros / 1_000_000,
            micros % 1_000_000 / 100
        );
    }
    super::print(&text)?;
    Ok(Code::Clean)
}

/// Tells what was done.
pub(super) fn report(store: &Store, collected: &Collected, quiet: bool) {
    let refused = collected
        .refused
        .iter()
        .map(|(name, reason)| format!("warning: {name} refused: {reason}; the next run tries again"));
    let changed = collected.changed.iter().map(|name| {
        format!(
            "warning: {name} is not what was collected: a log never changes, so the store keeps the earlier"
        )
    });
    let records = collected
        .records
        .iter()
        .map(|(name, index, reason)| format!("warning: record {index} of {name} refused: {reason}"));
    let mut lines = refused.chain(changed).chain(records);
    let mut told = 0;
    if !quiet {
        lines.by_ref().take(TOLD).for_each(|line| {
            say(&line.replace('\n', "\\n"));
            told += 1;
        });
    }
    let troubles = collected.refused.len() + collected.changed.len();
    let rest = troubles as u64 + collected.records_refused - told;
    if rest > 0 {
        say(&format!("warning: {rest} objects or records refused or changed"));
    }
    if let Some(first) = store.unremoved().first() {
        say(&format!(
            "warning: {} replaced files can be neither removed nor emptied, {first} for one: who reads events/ counts their \
             rows twice; give other readers the list of `store info --files`",
            store.unremoved().len()
        ));
    }
    if quiet {
        return;
    }
    if collected.overtaken > 0 {
        let times = collected.overtaken;
        say(&format!("note: another run changed the store meanwhile ({times} times): it has done the rest"));
    }
    say(&format!(
        "{}: {} new objects, {} events; {} objects were known{}",
        store.name(),
        collected.new,
        collected.rows,
        collected.known,
        if collected.corrected > 0 {
            format!("; {} earlier events no longer count", collected.corrected)
        } else {
            String::new()
        }
    ));
}
