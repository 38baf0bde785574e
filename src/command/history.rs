//! What was before the window: the rows of the store that is read, or of the place that `--history` names.
//!
//! They are the relation `history`, for rules that ask what is usual. Nothing of them counts as use.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::follow::Follow;
use super::listing::{self, Sources};
use super::trail::{Tables, query_failure, threads};
use super::version::Versions;
use super::warning::warn;
use super::{Failure, progress, say, stored};
use crate::cli::{self, Input};
use crate::clock::{self, Window};
use crate::config::Organization;
use crate::decode::filter::Filter;
use crate::decode::record::{Followed, Shared, Wanted};
use crate::engine::{Engine, Stored};
use crate::event::builder::{self, FieldSet};
use crate::event::column::Field;
use crate::event::scope::Scope;
use crate::ingest::store::{Store, rows_schema};
use crate::ingest::{self, Progress, Rows};
use crate::source::s3::Url;

/// The run that asks.
pub(super) struct Asked<'a> {
    pub(super) engine: &'a Engine,
    pub(super) input: &'a Input,
    pub(super) versions: Option<&'a Versions>,
    pub(super) organization: Option<&'a Organization>,
    pub(super) window: &'a Window,
    pub(super) now: i64,
    /// Where rows that do not fit into memory go.
    pub(super) scratch: &'a Path,
    /// Roles whose calls are kept whatever service they go to.
    pub(super) follow: Option<&'a Follow>,
}

/// What there is from before the window.
#[derive(Default)]
pub(super) struct Baseline {
    /// How much it is, for the foot of reports; none if nobody asked.
    pub(super) line: Option<String>,
    /// Files of the store that is read.
    pub(super) files: Vec<PathBuf>,
    /// Another store, and its files.
    pub(super) other: Option<(Store, Vec<PathBuf>)>,
}

/// That a baseline is asked for, and nothing says where it ends.
pub(super) fn check(input: &Input, window: &Window) -> Result<(), Failure> {
    if input.history.is_some() && window.from.is_none() {
        return Err(Failure::usage(
            "--history is what was before the window, and the window has no beginning",
        )
        .help("say with --from where it begins"));
    }
    Ok(())
}

impl Asked<'_> {
    /// Fills the relation `history`, if a query asks for it. `store` is the one that is read.
    pub(super) fn fill(&self, tables: &Tables, store: Option<&Store>) -> Result<Baseline, Failure> {
        let (Some(columns), Some(from)) = (tables.get("history"), self.window.from) else {
            return Ok(Baseline::default());
        };
        let window = Window { from: None, to: Some(from) };
        let wanted =
            FieldSet::named(columns.iter().map(String::as_str)).union(FieldSet::of(&[Field::EventTime]));
        let mut baseline = Baseline::default();
        match (&self.input.history, store) {
            (Some(place), _) => match self.other(place)? {
                Some(other) => {
                    let files = self.rows_of(&other, &window)?;
                    baseline.other = Some((other, files));
                }
                None => self.logs(place, window, wanted)?,
            },
            (None, Some(store)) => baseline.files = self.rows_of(store, &window)?,
            (None, None) => return Ok(baseline),
        }
        baseline.line = Some(self.told()?);
        Ok(baseline)
    }

    /// The store at a place, if there is one.
    fn other(&self, place: &str) -> Result<Option<Store>, Failure> {
        if !Url::is(place) && !Store::is_at(Path::new(place)) {
            return Ok(None);
        }
        let store = stored::at(place, &self.input.aws, None, self.now)?;
        if store.state().last.is_none() {
            return Ok(None);
        }
        let followed = store.state().last.as_ref().is_some_and(|last| last.scope.followed.is_some());
        if self.input.scope == cli::Scope::Agents && !followed {
            return Err(Failure::usage(
                "--history: the store was collected in the default scope: it has no calls of agents' roles to other services",
            )
            .help("name logs instead"));
        }
        Ok(Some(store))
    }

    /// Takes the rows of a store as they lie in its files.
    fn rows_of(&self, store: &Store, window: &Window) -> Result<Vec<PathBuf>, Failure> {
        let view = store.view(&listing::extent(self.input, window), false)?;
        let rows = Stored {
            files: &view.rows.files,
            schema: rows_schema(),
            predicate: view.rows.predicate.as_deref(),
            more: view.rows.promoted,
            by_account: stored::by_account(self.versions, self.organization),
        };
        self.engine.register_stored("history", &builder::schema(), rows).map_err(Failure::failed)?;
        Ok(view.rows.files)
    }

    /// Reads logs as those of the window are read.
    fn logs(&self, place: &str, window: Window, columns: FieldSet) -> Result<(), Failure> {
        let input = Input { sources: vec![place.to_owned()], store: None, ..self.input.clone() };
        let mut sources = Sources::list(&input, &window, self.now)?;
        let scope = Scope::get();
        let filter = match self.follow {
            Some(follow) => follow.filter(scope),
            None => Filter::new(scope.needles(), scope.names()),
        };
        let asked = Wanted {
            from: window.from,
            to: window.to,
            accounts: input.accounts.clone(),
            regions: input.regions.clone(),
        };
        let environments = |account: &str, time: i64| {
            self.versions.and_then(|versions| versions.environment_of(account, time))
        };
        let function = |arn: &str| self.follow.is_some_and(|follow| follow.function(arn));
        let is = |role: &str| self.follow.is_some_and(|follow| follow.is(role));
        let followed = self.follow.map(|_| Followed { is: &is, function: &function, seen: &|_| () });
        let shared = Shared {
            scope,
            filter: &filter,
            wanted: &asked,
            environments: &environments,
            keep_content: input.keep_content,
            followed: followed.as_ref(),
        };
        let folder = self.scratch.join("history");
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::failed(format!("{} cannot be made: {error}", folder.display())))?;
        let limits = ingest::Limits {
            object: input.max_object_size,
            memory: (input.memory_limit / 6).clamp(1 << 20, 32 << 20),
            threads: threads(&input),
            folder,
            hash: false,
        };
        let wanted = OnceLock::from(columns);
        let progress = Progress::default();
        let objects = std::mem::take(&mut sources.objects);
        let local = objects.len() as u64;
        let known = || sources.known(local);
        let feed = sources.remote.as_ref().map(|remote| &remote.feed);
        let ingested = progress::shown(&progress, &known, input.quiet, || {
            ingest::ingest(objects, feed, &wanted, &shared, &limits, &progress)
        })
        .map_err(Failure::failed)?;
        warn(&ingested.ledger, &input);
        if ingested.ledger.balance().objects > 0 && ingested.ledger.recognised() == 0 {
            say("warning: --history: no CloudTrail log is among the objects found");
        }
        let (files, more) = match ingested.rows {
            Rows::Memory(batches) => (Vec::new(), batches),
            Rows::Files(files) => (files, Vec::new()),
        };
        let names = self.organization.filter(|_| columns.contains(Field::AccountName));
        let by_account = stored::named(names).into_iter().collect();
        let rows = Stored { files: &files, schema: builder::schema(), predicate: None, more, by_account };
        self.engine.register_stored("history", &builder::schema(), rows).map_err(Failure::failed)
    }

    /// How many events there are, and from when.
    fn told(&self) -> Result<String, Failure> {
        const EXTENT: &str =
            "SELECT COUNT(*) AS events, MIN(event_time) AS earliest, MAX(event_time) AS latest FROM history";
        let batches = self.engine.run(EXTENT).map_err(query_failure)?;
        let row = batches.iter().find(|batch| batch.num_rows() > 0);
        let events = row.map_or(0, |row| row.column(0).as_primitive::<Int64Type>().value(0));
        let time = |at: usize| {
            let times = row?.column(at).as_primitive_opt::<TimestampMicrosecondType>()?;
            times.is_valid(0).then(|| clock::format_micros(times.value(0)))
        };
        Ok(match (time(1), time(2)) {
            (Some(earliest), Some(latest)) => format!(
                "The baseline is {events} events from {earliest} to {latest}, before the window; they count nowhere else."
            ),
            _ => "The baseline is empty: no event is known from before the window.".to_owned(),
        })
    }
}
