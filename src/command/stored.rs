//! A store in place of logs: the same tables, from what was collected.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::Failure;
use super::listing::{self, Passed};
use super::trail::{Prepared, Trail, cover, put, warn};
use super::version::Versions;
use crate::cli::{Aws, Input, Scope};
use crate::clock;
use crate::config::Organization;
use crate::engine::{ByAccount, Lookup, Stored};
use crate::event::builder::{self, FieldSet};
use crate::event::column::Field;
use crate::event::scope;
use crate::evidence::coverage::Coverage;
use crate::exit::Code;
use crate::ingest::store::local::Folder;
use crate::ingest::store::s3::Place;
use crate::ingest::store::{Store, StoreError, rows_schema};
use crate::source::s3::{Session, Url};
use crate::source::{Extent, Layout};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Scope { .. } => Self::usage(error),
            error => Self::failed(error),
        }
    }
}

/// Opens a store by what was typed for it.
pub(super) fn at(place: &str, aws: &Aws, kms_key: Option<&str>, now: i64) -> Result<Store, Failure> {
    if !Url::is(place) {
        return Ok(Store::open(Box::new(Folder::new(Path::new(place))), now)?);
    }
    let session = Session::open(aws.access()).map_err(Failure::failed)?;
    let bucket = Place::open(place, session, kms_key.map(str::to_owned), None).map_err(Failure::failed)?;
    Ok(Store::open(Box::new(bucket), now)?)
}

/// The store that the input names, if it names one.
pub(super) fn source(input: &Input, now: i64) -> Result<Option<Store>, Failure> {
    let among: Vec<&String> = input.sources.iter().filter(|source| Store::is_at(Path::new(source))).collect();
    let place = match (&input.store, &input.sources[..]) {
        // Given in a variable, and logs on the command line: what was typed counts.
        (Some(place), []) => place,
        (_, [only]) if among.len() == 1 => only,
        (Some(_), _) if std::env::var_os("BEDTRAIL_STORE").is_none() => {
            return Err(Failure::usage("both logs and a store are given: a run reads one or the other")
                .help("leave out -s, or --store"));
        }
        _ if among.is_empty() => return Ok(None),
        _ => {
            return Err(Failure::usage(
                "a store is given among other sources: a run reads one store, or logs",
            )
            .help("collect the other sources into the store, too"));
        }
    };
    Ok(Some(at(place, &input.aws, None, now)?.collected()?))
}

/// The trail of a store.
pub(super) fn open(
    prepared: Prepared,
    store: Store,
    input: &Input,
    tables: &BTreeSet<String>,
    wanted: FieldSet,
    hash: bool,
) -> Result<Trail, Failure> {
    let Prepared { engine, policy, versions, rules, own, window, now, organization, scratch } = prepared;
    if input.keep_content && !store.state().last.as_ref().is_some_and(|last| last.scope.keep_content) {
        return Err(Failure::usage(
            "the store was collected without --keep-content: it has no content to keep",
        )
        .help("collect with --keep-content into a new store"));
    }
    if input.scope == Scope::Agents {
        return Err(Failure::usage(
            "a store keeps the default scope: it has no calls of agents' roles to other services",
        )
        .help("read the logs with -s and --scope agents"));
    }
    let extent = listing::extent(input, &window);
    let view = store.view(&extent, hash || tables.contains("objects"))?;
    let mut by_account: Vec<ByAccount> = Vec::new();
    if wanted.contains(Field::Environment) {
        by_account.extend(versions.iter().flat_map(Versions::by_account));
    }
    let names = wanted.contains(Field::AccountName).then_some(organization.as_ref()).flatten();
    by_account.extend(account_names(names).map(|lookup| ByAccount {
        column: Field::AccountName.name(),
        before: None,
        lookup,
    }));
    let stored = Stored {
        files: &view.rows.files,
        schema: rows_schema(),
        predicate: view.rows.predicate.as_deref(),
        more: view.rows.promoted,
        by_account,
    };
    engine.register_stored("events", &builder::schema(), stored).map_err(Failure::failed)?;
    let ledger = view.ledger;
    if tables.contains("objects") {
        put(&engine, "objects", ledger.objects_batch().map_err(Failure::failed)?)?;
    }
    if tables.contains("refusals") {
        put(&engine, "refusals", ledger.refusals_batch().map_err(Failure::failed)?)?;
    }
    warn(&ledger, input.quiet);
    let objects = view.balance.objects;
    if objects == 0 {
        let message = format!("no log object was found in {}", store.name());
        let help = format!("{} objects lie outside the accounts, Regions or days asked for", view.pruned);
        return Err(Failure::failed(message).help(help));
    }
    if !view.recognised {
        return Err(listing::no_log(objects));
    }
    for note in notes(&store, &extent, input) {
        super::say(&note);
    }
    let mut coverage = Coverage::default();
    if organization.is_some() || tables.contains("coverage") {
        store.names(|name| {
            let layout = Layout::of(name);
            if extent.reads(&layout) {
                coverage.add(&layout, &window);
            }
        })?;
    }
    let silent = cover(&engine, &coverage, organization.as_ref())?;
    Ok(Trail {
        engine,
        policy,
        versions,
        window,
        now,
        rules,
        own,
        ledger,
        balance: view.balance,
        passed: Passed { pruned: view.pruned, skipped: view.skipped, unlisted: false },
        silent,
        followed: None,
        stored: Some((store, view.rows.files)),
        _scratch: scratch,
    })
}

/// The organisation's names of accounts, if it gives any.
pub(super) fn account_names(organization: Option<&Organization>) -> Option<Lookup> {
    let names = organization.filter(|organization| !organization.names.is_empty())?.names.clone();
    Some(Arc::new(move |account: &str| names.get(account).cloned()))
}

/// What the store lacks of what is asked for.
fn notes(store: &Store, extent: &Extent, input: &Input) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(last) = &store.state().last else { return notes };
    let earlier = |than: i64| extent.from.is_none_or(|from| from < than);
    if let Some(from) = last.scope.from.filter(|from| extent.from.is_some() && earlier(*from)) {
        let from = clock::format_micros(from);
        notes.push(format!("warning: the store was collected from {from} on: what is earlier is not in it"));
    }
    if let Some(before) = last.pruned.filter(|before| earlier(*before)) {
        let before = clock::format_micros(before);
        notes.push(format!("warning: events before {before} were pruned from the store"));
    }
    for (had, asked, what) in [
        (&last.scope.accounts, &input.accounts, "accounts"),
        (&last.scope.regions, &input.regions, "Regions"),
    ] {
        let within = !asked.is_empty() && asked.iter().all(|one| had.contains(one));
        if !had.is_empty() && !within {
            notes.push(format!("warning: the store was collected for the {what} {} only", had.join(", ")));
        }
    }
    if last.scope.sha256 != scope_hash() {
        notes.push(
            "warning: some objects were collected by another version, which kept other records: collect into a \
             new store to have what this version keeps"
                .to_owned(),
        );
    }
    if input.quiet { Vec::new() } else { notes }
}

/// What this version keeps, as a hash.
pub(super) fn scope_hash() -> String {
    use sha2::Digest as _;
    format!("{:x}", sha2::Sha256::digest(scope::Scope::text()))
}

/// Exit code for a run over a store that did all it should.
pub(super) fn code(incomplete: bool) -> Code {
    if incomplete { Code::Incomplete } else { Code::Clean }
}
