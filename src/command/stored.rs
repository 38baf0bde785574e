//! A store in place of logs: the same tables, from what was collected.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use super::follow::Follow;
use super::history::{Asked, Baseline};
use super::listing::{self, Passed};
use super::trail::{NEARBY_EVENTS, Prepared, Trail, put, query_failure, run_batch, scans};
use super::version::Versions;
use super::warning::{cover, nothing_left, warn};
use crate::cli::{Aws, Input, Scope};
use crate::clock;
use crate::config::Organization;
use crate::engine::{ByAccount, Lookup, Stored};
use crate::event::builder;
use crate::event::column::Field;
use crate::event::scope;
use crate::evidence::coverage::Coverage;
use crate::exit::Code;
use crate::ingest::store::local::{self, Folder};
use crate::ingest::store::s3::Place;
use crate::ingest::store::{Followed, Store, StoreError, rows_schema};
use crate::source::s3::{Session, Url};
use crate::source::{Extent, Layout};

/// How often a store that is being changed is read before it is held still.
const READS: usize = 3;
/// How long to wait for a run that changes a store, before it is read all the same.
const PATIENCE: Duration = Duration::from_mins(5);

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

/// Whether a source is a store.
pub(super) fn is_at(source: &str, aws: &Aws) -> Result<bool, Failure> {
    if !Url::is(source) {
        return Ok(Store::is_at(Path::new(source)));
    }
    Url::parse(source).map_err(Failure::usage)?;
    let session = Session::open(aws.access()).map_err(Failure::failed)?;
    Place::is_at(source, &session).map_err(Failure::failed)
}

/// The store that the input names, if it names one.
pub(super) fn source(input: &Input, now: i64) -> Result<Option<Store>, Failure> {
    let mut among = Vec::new();
    for given in &input.sources {
        if is_at(given, &input.aws)? {
            among.push(given);
        }
    }
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
    mut store: Store,
    input: &Input,
    queries: &[String],
    also: &[Field],
    hash: bool,
) -> Result<Trail, Failure> {
    let Prepared { engine, policy, versions, rules, own, window, now, organization, scratch, .. } = prepared;
    // Beside a store without content, the invocation log's can still be asked for.
    if input.keep_content
        && input.invocation_logs.is_empty()
        && !store.state().last.as_ref().is_some_and(|last| last.scope.keep_content)
    {
        return Err(Failure::usage(
            "the store was collected without --keep-content: it has no content to keep",
        )
        .help("collect with --keep-content into a new store"));
    }
    let followed = store.state().last.as_ref().and_then(|last| last.scope.followed.clone());
    if input.scope == Scope::Agents && followed.is_none() {
        return Err(Failure::usage(
            "the store was collected in the default scope: it has no calls of agents' roles to other services",
        )
        .help("collect with --scope agents into a new store, or read the logs with -s"));
    }
    if followed.is_some() {
        put(&engine, "run", run_batch(versions.as_ref(), &window, now, Scope::Agents)?)?;
    }
    let extent = listing::extent(input, &window);
    let texts: Vec<&str> = queries.iter().map(String::as_str).collect();
    let named = engine.named(&texts).map_err(query_failure)?;
    let names = organization.is_some() || named.contains("coverage");
    let (view, coverage, nearby) = settled(&mut store, |store| {
        let mut coverage = Coverage::of(store.state().last.as_ref().and_then(|last| last.pruned), &window);
        if names {
            store.names(|name| {
                let layout = Layout::of(name);
                if extent.reads(&layout) {
                    coverage.add(&layout, &window);
                }
            })?;
        }
        let told = named.contains(NEARBY_EVENTS);
        let nearby = if told { store.nearby(&extent)? } else { Vec::new() };
        Ok((store.view(&extent, hash || named.contains("objects"))?, coverage, nearby))
    })?;
    let stored = Stored {
        files: &view.rows.files,
        schema: rows_schema(),
        predicate: view.rows.predicate.as_deref(),
        more: view.rows.promoted,
        by_account: by_account(versions.as_ref(), organization.as_ref()),
    };
    engine.expect(view.balance.kept);
    engine.register_stored("events", &builder::schema(), stored).map_err(Failure::failed)?;
    // Only now: plans are good as long as every table is the same.
    let tables = &scans(&engine, queries, also)?.0;
    super::trail::nearby(&engine, tables, &nearby)?;
    let ledger = view.ledger;
    if tables.contains_key("objects") {
        put(&engine, "objects", ledger.objects_batch().map_err(Failure::failed)?)?;
    }
    if tables.contains_key("refusals") {
        put(&engine, "refusals", ledger.refusals_batch().map_err(Failure::failed)?)?;
    }
    warn(&ledger, input);
    let objects = view.balance.objects;
    if objects == 0 {
        let message = format!("no log object was found in {}", store.name());
        let help = format!("{} objects lie outside the accounts, Regions or days asked for", view.pruned);
        return Err(Failure::failed(message).help(help));
    }
    if !view.recognised {
        return Err(listing::no_log(objects));
    }
    nothing_left(&view.balance, view.pruned, input);
    let mut lacks = lacks(&store, &extent, input);
    lacks.extend(unfollowed(followed.as_ref(), versions.as_ref())?);
    if !input.quiet {
        for lack in &lacks {
            super::say(&format!("warning: {}", lack.what));
        }
    }
    let asked = Asked {
        engine: &engine,
        input,
        versions: versions.as_ref(),
        organization: organization.as_ref(),
        window: &window,
        now,
        scratch: scratch.path(),
        follow: None,
    };
    let mut baseline = asked.fill(tables, Some(&store))?;
    let made = super::reference::fill(&asked, tables, Some(&store), &mut baseline)?;
    let Baseline { line, files, other } = baseline;
    let logs = super::invocation::fill(&engine, input, &window, now, tables)?;
    let mut read = view.rows.files;
    read.extend(files);
    read.extend(made);
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
        blind: store
            .state()
            .last
            .as_ref()
            .map(|last| listing::blind(&last.scope.sources))
            .unwrap_or_default(),
        passed: Passed { pruned: view.pruned, skipped: view.skipped, unlisted: false },
        silent,
        followed: followed.as_ref().map(|followed| followed.roles.len() + followed.late_roles.len()),
        logs,
        baseline: line,
        stored: std::iter::once((store, read)).chain(other).collect(),
        lacks,
        asking: None,
        _scratch: scratch,
    })
}

/// Columns whose value is not in the store, since it may change: found by the account, where a query asks for them.
pub(super) fn by_account(versions: Option<&Versions>, organization: Option<&Organization>) -> Vec<ByAccount> {
    let mut found: Vec<ByAccount> = versions.into_iter().flat_map(Versions::by_account).collect();
    found.extend(named(organization));
    found
}

/// The column of accounts' names, if the organisation gives any.
pub(super) fn named(organization: Option<&Organization>) -> Option<ByAccount> {
    let lookup = account_names(organization)?;
    Some(ByAccount { column: Field::AccountName.name(), before: None, lookup })
}

/// The organisation's names of accounts, if it gives any.
pub(super) fn account_names(organization: Option<&Organization>) -> Option<Lookup> {
    let names = organization.filter(|organization| !organization.names.is_empty())?.names.clone();
    Some(Arc::new(move |account: &str| names.get(account).cloned()))
}

/// Reads a store that others may be changing: what a commit has replaced meanwhile is gone, and the new state is read instead.
///
/// A writer takes replaced files away at once, so that other programs, which read whatever lies in `events/`, never count
/// a row twice. So it is readers who must give way. A store in a bucket is safe once this returns, since what is read of it
/// is read from copies; for one in a folder see [`steadily`].
fn settled<T>(store: &mut Store, ask: impl Fn(&Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
    for _ in 0..READS {
        match ask(store) {
            Err(error) if !store.advance()? => return Err(error),
            Err(_) => {}
            done => return done,
        }
    }
    ask(store)
}

/// Asks again if the store in a folder was changed meanwhile, the last time while nobody may change it.
pub(super) fn steadily<T>(input: &Input, mut ask: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let given = input.store.iter().chain(&input.sources).map(Path::new);
    let Some(folder) = given.into_iter().find(|folder| Store::is_at(folder)) else { return ask() };
    for _ in 0..READS {
        let before = local::newest(folder);
        match ask() {
            Err(failure) if failure.code == Code::Failed && local::newest(folder) != before => {
                super::say("note: the store was changed while it was read: it is read again");
            }
            done => return done,
        }
    }
    let _still = local::still(folder, PATIENCE);
    ask()
}

/// Something that was asked for and that the store cannot have.
#[derive(Debug)]
pub(super) struct Lack {
    /// What it is.
    pub(super) what: String,
    /// Whether the evidence is incomplete without it.
    pub(super) incomplete: bool,
}

/// What the store lacks of what is asked for.
fn lacks(store: &Store, extent: &Extent, input: &Input) -> Vec<Lack> {
    let mut lacks = Vec::new();
    let mut add = |incomplete: bool, what: String| lacks.push(Lack { what, incomplete });
    let Some(last) = &store.state().last else { return lacks };
    if !last.unfinished.is_empty() {
        let sources = last.unfinished.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        add(
            true,
            format!("a collect from {sources} has not ended: what it had not reached is not in the store"),
        );
    }
    let earlier = |than: i64| extent.from.is_none_or(|from| from < than);
    if let Some(from) = last.scope.from.filter(|from| extent.from.is_some() && earlier(*from)) {
        let from = clock::format_micros(from);
        add(false, format!("the store was collected from {from} on: what is earlier is not in it"));
    }
    if let Some(before) = last.pruned.filter(|before| earlier(*before)) {
        let before = clock::format_micros(before);
        // Without a window the store is what it is; who asks for an earlier day asks for what is gone.
        add(extent.from.is_some(), format!("events before {before} were pruned from the store"));
    }
    for (had, asked, what) in [
        (&last.scope.accounts, &input.accounts, "accounts"),
        (&last.scope.regions, &input.regions, "Regions"),
    ] {
        let within = !asked.is_empty() && asked.iter().all(|one| had.contains(one));
        if !had.is_empty() && !within {
            add(true, format!("the store was collected for the {what} {} only", had.join(", ")));
        }
    }
    if last.scope.sha256 != scope_hash() {
        add(
            false,
            "some objects were collected by another version, which kept other records: collect into a new store to \
             have what this version keeps"
                .to_owned(),
        );
    }
    lacks
}

/// Roles and functions that were not followed when objects of the store were collected.
fn unfollowed(followed: Option<&Followed>, versions: Option<&Versions>) -> Result<Vec<Lack>, Failure> {
    const NAMED: usize = 5;
    let Some(followed) = followed else { return Ok(Vec::new()) };
    let mut lacks = Vec::new();
    let mut add = |incomplete: bool, names: &[&str], what: &str| {
        if let Some(named) = names.get(..names.len().min(NAMED)).filter(|named| !named.is_empty()) {
            let more = if names.len() > NAMED { ", …" } else { "" };
            let names = format!("{}{more}", named.join(", "));
            lacks.push(Lack {
                what: format!("{what}: {names}; collect into a new store to have them"),
                incomplete,
            });
        }
    };
    let now = Follow::of(versions.into_iter().flat_map(Versions::all))?;
    let lacking = now.lacking(followed);
    add(
        true,
        &lacking,
        "roles and functions of agents that the policy names were not followed in every object",
    );
    let late: Vec<&str> =
        followed.late_roles.iter().map(String::as_str).filter(|role| !lacking.contains(role)).collect();
    add(false, &late, "roles that came to be known later were not followed in earlier objects");
    Ok(lacks)
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
