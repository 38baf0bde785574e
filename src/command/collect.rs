//! `bedtrail collect`: what is new goes into the store.

use std::time::{Duration, UNIX_EPOCH};

use super::scratch::Scratch;
use super::trail::{list, threads};
use super::{Failure, progress, say, stored};
use crate::cli::{self, Input};
use crate::clock::{self, Clock, Window};
use crate::decode::filter::Filter;
use crate::decode::record::{Shared, Wanted};
use crate::event::scope::Scope;
use crate::exit::Code;
use crate::ingest::store::{self, Collected, Collecting, Listed, Store};
use crate::ingest::{self, Progress};
use crate::source::{LogObject, Place};

/// Refusals and changes said one by one; more are counted.
const TOLD: usize = 20;

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Collect) -> Result<Code, Failure> {
    let input = &arguments.input;
    let Some(place) = &input.store else {
        return Err(Failure::usage("no store: say where to collect into with --store"));
    };
    if input.to.is_some() {
        return Err(Failure::usage("collect takes no --to: what is collected is all there is; give --to to a report"));
    }
    let system = clock::System.now_micros();
    let now = match &input.now {
        None => system,
        Some(text) => clock::parse_when(text, system).map_err(Failure::usage)?,
    };
    let window = clock::parse_window(input.from.as_deref(), None, now).map_err(Failure::usage)?;
    let mut store = stored::at(place, now)?;
    let listing = list(input, &window)?;
    let skipped = listing.skipped;
    let listing: Vec<Listed> = listing.objects.into_iter().map(listed).collect();
    if let Some(stdin) = listing.iter().find(|listed| listed.object.place == Place::Stdin) {
        return Err(Failure::usage(format!("{} cannot be collected: it has no name by which to know it", stdin.object.name)));
    }
    if arguments.dry_run {
        return dry_run(&store, &listing);
    }
    let waits = || say(&format!("another run is changing {place}: waiting for it to end"));
    let _hold = store.hold(Duration::from_secs(arguments.wait), &waits)?;
    let collected = collect(&mut store, input, &listing, skipped, &window, now)?;
    if arguments.compact {
        let tidied = store.compact(&clock::format_micros(now))?;
        say(&format!("compacted: {} files, {} before", tidied.after, tidied.before));
    }
    report(&store, &collected, input.quiet);
    Ok(stored::code(!collected.refused.is_empty() || !collected.changed.is_empty()))
}

/// Reads what is new, with progress.
pub(super) fn collect(
    store: &mut Store,
    input: &Input,
    listing: &[Listed],
    skipped: u64,
    window: &Window,
    now: i64,
) -> Result<Collected, Failure> {
    let scratch = Scratch::new(input.temp_dir.as_deref())?;
    let scope = Scope::get();
    let filter = Filter::new(scope.needles(), scope.names());
    let shared = Shared {
        scope,
        filter: &filter,
        wanted: &Wanted::default(),
        environments: &|_| None,
        keep_content: input.keep_content,
    };
    let limits = ingest::Limits {
        object: input.max_object_size,
        memory: (input.memory_limit / 4).clamp(1 << 20, 64 << 20),
        threads: threads(input),
        folder: scratch.path().to_owned(),
        hash: true,
    };
    let progress = Progress::default();
    let mut sources = input.sources.clone();
    sources.sort();
    let with = Collecting {
        shared: &shared,
        limits: &limits,
        progress: &progress,
        scope: store::Scope {
            sha256: stored::scope_hash(),
            sources,
            from: window.from,
            accounts: input.accounts.clone(),
            regions: input.regions.clone(),
            keep_content: input.keep_content,
        },
        time: clock::format_micros(now),
        skipped,
    };
    let new = store.sift(listing)?.new.len() as u64;
    Ok(progress::shown(&progress, new, input.quiet, || store.collect(listing, &with))?)
}

/// An object with what tells whether it is still the same.
pub(super) fn listed(object: LogObject) -> Listed {
    let path = match &object.place {
        Place::Path(path) => path.clone(),
        _ => object.name.clone().into(),
    };
    let tag = std::fs::metadata(path).map_or_else(
        |_| String::new(),
        |found| {
            let changed = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            format!("{}-{}", found.len(), changed.unwrap_or_default().as_nanos())
        },
    );
    Listed { object, tag }
}

/// Says what would be read.
fn dry_run(store: &Store, listing: &[Listed]) -> Result<Code, Failure> {
    let sifted = store.sift(listing)?;
    let size = |at: &usize| listing[*at].tag.split('-').next().and_then(|size| size.parse::<u64>().ok());
    let bytes: u64 = sifted.new.iter().filter_map(size).sum();
    super::print(&format!(
        "{} objects to read ({}), {} in the store already\n",
        sifted.new.len(),
        indicatif::HumanBytes(bytes),
        sifted.known
    ))?;
    Ok(Code::Clean)
}

/// Tells what was done.
pub(super) fn report(store: &Store, collected: &Collected, quiet: bool) {
    let refused = collected
        .refused
        .iter()
        .map(|(name, reason)| format!("warning: {name} refused: {reason}; the next run tries again"));
    let changed = collected.changed.iter().map(|name| {
        format!("warning: {name} is not what was collected: a log never changes, so the store keeps the earlier")
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
