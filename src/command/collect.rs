//! `bedtrail collect`: what is new goes into the store.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::listing::extent;
use super::scratch::Scratch;
use super::trail::threads;
use super::{Failure, progress, say, stored};
use crate::cli;
use crate::clock::{self, Clock, Window};
use crate::decode::filter::Filter;
use crate::decode::record::{Shared, Wanted};
use crate::event::scope::Scope;
use crate::exit::Code;
use crate::ingest::store::{self, Collected, Collecting, Store};
use crate::ingest::{self, Progress};
use crate::source::feed::Feed;
use crate::source::s3::{Buckets, Reader, Session, Tally, Url};
use crate::source::{Listing, LogObject, Place, local};

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
        let found = Found::list(&store, arguments, &window, now)?;
        return dry_run(&store, &found);
    }
    let _hold = store.hold(Duration::from_secs(arguments.adding.wait), &waits)?;
    let collected = collect(&mut store, arguments, &window, now)?;
    if arguments.adding.compact {
        let tidied = store.compact(&clock::format_micros(now))?;
        if !input.quiet {
            say(&format!("compacted: {} files, {} before", tidied.after, tidied.before));
        }
    }
    report(&store, &collected, input.quiet);
    Ok(stored::code(!collected.refused.is_empty() || !collected.changed.is_empty()))
}

/// Lists, and reads what is new, with progress.
pub(super) fn collect(
    store: &mut Store,
    arguments: &cli::Collect,
    window: &Window,
    now: i64,
) -> Result<Collected, Failure> {
    let input = &arguments.input;
    if input.scope == cli::Scope::Agents {
        return Err(Failure::usage("a store keeps the default scope")
            .help("`audit`, `report` and `query` take --scope agents with logs"));
    }
    let found = Found::list(store, arguments, window, now)?;
    let scratch = Scratch::new(input.temp_dir.as_deref())?;
    let scope = Scope::get();
    let filter = Filter::new(scope.needles(), scope.names());
    let shared = Shared {
        scope,
        filter: &filter,
        wanted: &Wanted::default(),
        environments: &|_, _| None,
        keep_content: input.keep_content,
        followed: None,
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
    let fetch = found.remote.as_ref().map(|remote| |objects| remote.reader.read(objects));
    let with = Collecting {
        shared: &shared,
        limits: &limits,
        progress: &progress,
        fetch: fetch.as_ref().map(|fetch| fetch as &dyn Fn(Vec<LogObject>) -> Feed),
        scope: store::Scope {
            sha256: stored::scope_hash(),
            sources,
            // A run that names no beginning goes back as far as the ones before it.
            from: window.from.or_else(|| store.state().last.as_ref().and_then(|last| last.scope.from)),
            accounts: input.accounts.clone(),
            regions: input.regions.clone(),
            keep_content: input.keep_content,
        },
        time: clock::format_micros(now),
        skipped: found.skipped,
    };
    let sifted = store.sift(&found.objects)?;
    let new = sifted.new.len() as u64;
    let known = || (new, true);
    Ok(progress::shown(&progress, &known, input.quiet, || store.collect(&found.objects, sifted, &with))?)
}

/// What a run lists.
struct Found {
    /// Sorted by name, each once.
    objects: Vec<LogObject>,
    skipped: u64,
    remote: Option<Remote>,
}

/// How objects of buckets are read.
struct Remote {
    reader: Reader,
    tally: Arc<Tally>,
    // Last: the reader works on its threads.
    _session: Session,
}

impl Found {
    fn list(store: &Store, arguments: &cli::Collect, window: &Window, now: i64) -> Result<Self, Failure> {
        let input = &arguments.input;
        if input.sources.is_empty() {
            return Err(Failure::usage("no source: say where the logs are with -s")
                .help("a CloudTrail file, a folder of them, a glob, or s3://bucket/prefix"));
        }
        let (buckets, files): (Vec<String>, Vec<String>) =
            input.sources.iter().cloned().partition(|source| Url::is(source));
        let mut listing = Listing::default();
        for source in &files {
            if source == "-" {
                return Err(Failure::usage(
                    "- cannot be collected: standard input has no name by which to know it",
                ));
            }
            listing.extend(local::list(source, &extent(input, window)).map_err(Failure::failed)?);
        }
        for source in &buckets {
            Url::parse(source).map_err(Failure::usage)?;
        }
        let mut remote = None;
        if !buckets.is_empty() {
            let from = since(store, arguments, &buckets, window)?;
            let session = Session::open(input.aws.access()).map_err(Failure::failed)?;
            let extent = extent(input, &Window { from: Some(from), to: None });
            let found = Buckets::find(&session, &buckets, extent, now).map_err(Failure::failed)?;
            if !input.quiet {
                found.notes.iter().for_each(|note| say(&format!("note: {note}")));
            }
            let (tally, reader) = (found.tally(), found.reader(&session, input.max_object_size));
            let listed = found.list(&session);
            listed.each(&session, |object| listing.objects.push(object)).map_err(Failure::failed)?;
            listing.skipped += tally.skipped.load(Ordering::Relaxed);
            remote = Some(Remote { reader, tally, _session: session });
        }
        listing.settle();
        let Listing { objects, skipped, pruned, .. } = listing;
        if objects.is_empty() && store.state().last.is_none() {
            let given = input.sources.join(", ");
            return Err(Failure::failed(format!("no log object was found in {given}")).help(if pruned > 0 {
                format!("{pruned} objects lie outside the accounts, Regions or days asked for")
            } else {
                "give the folder or prefix that holds AWSLogs".to_owned()
            }));
        }
        Ok(Self { objects, skipped, remote })
    }
}

/// From which day on buckets are listed.
///
/// From the beginning, unless a look-back is asked for: a run that was stopped, and a prefix that was denied for a time,
/// leave gaps that only a whole listing finds. With a look-back, what is new about the run itself, such as a further bucket,
/// is listed from the beginning all the same.
fn since(
    store: &Store,
    arguments: &cli::Collect,
    buckets: &[String],
    window: &Window,
) -> Result<i64, Failure> {
    const DAY: i64 = 86_400_000_000;
    let input = &arguments.input;
    let Some(last) = &store.state().last else {
        return window.from.ok_or_else(|| {
            Failure::usage("the first collect from a bucket needs --from: how far back to go").help(
                "for instance --from 2026-01-01; a trail can go back years, and every object costs a request",
            )
        });
    };
    let covered = |had: &[String], asked: &[String]| {
        had.is_empty() || !asked.is_empty() && asked.iter().all(|one| had.contains(one))
    };
    let known = buckets.iter().all(|bucket| last.scope.sources.contains(bucket))
        && covered(&last.scope.accounts, &input.accounts)
        && covered(&last.scope.regions, &input.regions)
        && window.from.is_none_or(|from| last.scope.from.is_none_or(|before| from >= before));
    let start = window
        .from
        .or(last.scope.from)
        .ok_or_else(|| Failure::usage("this bucket is new to the store: say with --from how far back to go"));
    match (known, last.newest, arguments.adding.look_back) {
        (true, Some(newest), Some(days)) => {
            let back = newest - days * DAY;
            Ok(start.map_or(back, |start| start.max(back)))
        }
        _ => start,
    }
}

/// Says what would be read, and what the requests cost.
fn dry_run(store: &Store, found: &Found) -> Result<Code, Failure> {
    let sifted = store.sift(&found.objects)?;
    let size = |at: &usize| {
        let object = &found.objects[*at];
        object.size.or_else(|| std::fs::metadata(&object.name).ok().map(|file| file.len()))
    };
    let bytes: u64 = sifted.new.iter().filter_map(size).sum();
    let new = sifted.new.len();
    let mut text = format!(
        "{new} objects to read ({}), {} in the store already\n",
        indicatif::HumanBytes(bytes),
        sifted.known
    );
    if let Some(remote) = &found.remote {
        let lists = remote.tally.lists.load(Ordering::Relaxed);
        let fed = sifted.new.iter().filter(|at| found.objects[**at].place == Place::Fed).count();
        // Millionths of a dollar: what S3 Standard asks in us-east-1, 0.005 for 1,000 LISTs, 0.0004 for 1,000 GETs.
        let micros = lists * 5 + fed as u64 * 4 / 10;
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
    let mut lines = refused.chain(changed);
    if !quiet {
        lines.by_ref().take(TOLD).for_each(|line| say(&line.replace('\n', "\\n")));
    }
    let rest = lines.count();
    if rest > 0 {
        say(&format!("warning: {rest} objects refused or changed"));
    }
    if quiet {
        return;
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
