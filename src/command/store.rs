//! `bedtrail store`: info, compact, prune, ddl.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Failure, print, say, stored};
use crate::cli;
use crate::clock::{self, Clock};
use crate::exit::Code;
use crate::ingest::store::{PartKind, Store, date, day_of, ddl};

/// How long to wait for another run.
const PATIENCE: Duration = Duration::from_mins(10);

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Store) -> Result<Code, Failure> {
    let now = clock::System.now_micros();
    match arguments {
        cli::Store::Info { at, files, check } => {
            let store = stored::at(&at.store, &at.aws, None, now)?.collected()?;
            if *check {
                return checked(&store);
            }
            print(&if *files { live(&store) } else { info(&store) })?;
        }
        cli::Store::Compact { at } => {
            let mut store = held(at, now)?;
            let tidied = store.compact(&clock::format_micros(now))?;
            print(&format!(
                "{} files, {} before; {} removed that no commit named\n",
                tidied.after, tidied.before, tidied.orphans
            ))?;
        }
        cli::Store::Prune { at, before } => {
            let before = clock::parse_when(before, now).map_err(Failure::usage)?;
            let mut store = held(at, now)?;
            let pruned = store.prune(before, &clock::format_micros(now))?;
            print(&format!(
                "{} files with the events of days before {} removed\n",
                pruned,
                date(day_of(before))
            ))?;
        }
        cli::Store::Ddl { store, table } => {
            print(&ddl::create(store, table).map_err(Failure::usage)?)?;
        }
    }
    Ok(Code::Clean)
}

fn held(at: &cli::Place, now: i64) -> Result<Store, Failure> {
    let mut store = stored::at(&at.store, &at.aws, None, now)?.collected()?;
    let waits = || say(&format!("another run is changing {}: waiting for it to end", at.store));
    // The lock lasts as long as the process.
    std::mem::forget(store.hold(PATIENCE, &waits)?);
    Ok(store)
}

/// The files that hold the rows of `events`, as other programs name them.
fn live(store: &Store) -> String {
    let parts = store.state().of(PartKind::Events);
    parts.iter().fold(String::new(), |text, part| format!("{text}{}\n", store.address(part)))
}

/// Compares every file with what its commit says of it.
fn checked(store: &Store) -> Result<Code, Failure> {
    let found = store.check()?;
    let mut text = String::new();
    for (key, message) in &found.broken {
        let _ = writeln!(text, "broken      {key}: {message}");
    }
    for key in &found.strange {
        let _ = writeln!(text, "unnamed     {key}: no commit names it, and other readers count it");
    }
    let _ = writeln!(
        text,
        "{} files are as they were committed, {} are broken, {} have the size but no known hash, {} are not the store's",
        found.sound,
        found.broken.len(),
        found.unproved,
        found.strange.len()
    );
    print(&text)?;
    Ok(stored::code(!found.broken.is_empty() || !found.strange.is_empty()))
}

fn info(store: &Store) -> String {
    let state = store.state();
    let mut text = String::new();
    let Some(last) = &state.last else { return text };
    let parts = state.of(PartKind::Events);
    let days: std::collections::BTreeSet<i32> = parts.iter().filter_map(|part| part.day).collect();
    let bytes: u64 = state.parts.values().map(|(_, part)| part.bytes).sum();
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    let _ = writeln!(text, "store       {}", store.name());
    let _ = writeln!(text, "commits     {}, the last a {} at {}", last.number, last.operation, last.time);
    let _ = writeln!(text, "sources     {}", last.scope.sources.join(", "));
    if let Some(from) = last.scope.from {
        let _ = writeln!(text, "from        {}", clock::format_micros(from));
    }
    for (source, listed) in &last.listed {
        let at = clock::format_micros(listed.at);
        let _ = writeln!(text, "complete    {source} as of {at}");
    }
    for source in &last.unfinished {
        let _ = writeln!(text, "unfinished  {source}: collect again to have the rest");
    }
    let _ = writeln!(text, "objects     {}", last.balance.objects);
    let _ = writeln!(text, "events      {rows}");
    if let (Some(first), Some(end)) = (days.first(), days.last()) {
        let _ = writeln!(text, "days        {} to {}, {} with events", date(*first), date(*end), days.len());
    }
    let _ = writeln!(text, "files       {}, {}", state.parts.len(), indicatif::HumanBytes(bytes));
    let _ = writeln!(text, "balance     {}", last.balance);
    text
}
