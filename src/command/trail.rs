//! A trail opened: sources listed, the columns that the run's queries read ingested, tables registered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;

use super::athena::{self, Asking};
use super::follow::Follow;
use super::history::{self, Asked};
use super::invocation;
use super::listing::{self, Passed, Sources};
use super::progress;
use super::reference;
use super::scratch::Scratch;
use super::version::{self, Versions};
use super::warning::{cover, nothing_left, warn};
use super::{Failure, say, stored};
use crate::cli::{self, Input};
use crate::clock::{self, Clock, Window};
use crate::config::Organization;
use crate::decode::filter::Filter;
use crate::decode::record::{Followed, Shared, Wanted};
use crate::engine::{self, ByAccount, Engine, Stored, schema};
use crate::event::builder::{self, FieldSet};
use crate::event::column::Field;
use crate::event::scope::Scope;
use crate::evidence::coverage::Coverage;
use crate::finding;
use crate::ingest::ledger::{Balance, Ledger};
use crate::ingest::store::Store;
use crate::ingest::{self, Ingested, Progress, Rows};
use crate::output::Caveat;
use crate::policy::{self, Policy};
use crate::rule::folder::Own;
use crate::rule::{self, Rule};
use crate::source::Layout;
use crate::source::api::Api;

/// The relation of service events just outside the window.
pub(super) const NEARBY_EVENTS: &str = "nearby_service_events";

/// What a run works on before anything is read: arguments resolved, policy loaded, tables known but empty.
pub(super) struct Prepared {
    pub(super) engine: Engine,
    /// The policy in force at the end of the window.
    pub(super) policy: Option<Policy>,
    /// Every version of it that the run judges by.
    pub(super) versions: Option<Versions>,
    /// The rules there are, where a policy or folder speaks of them.
    pub(super) rules: Option<&'static [Rule]>,
    /// Files of rules beside the program's own.
    pub(super) own: Vec<Own>,
    pub(super) window: Window,
    pub(super) now: i64,
    /// What should deliver logs, where a configuration says so.
    pub(super) organization: Option<Organization>,
    pub(super) scratch: Scratch,
    /// Where questions are answered.
    pub(super) answering: cli::Answering,
}

/// A trail whose tables can be asked.
pub(super) struct Trail {
    pub(super) engine: Engine,
    /// The policy in force at the end of the window.
    pub(super) policy: Option<Policy>,
    /// Every version of it that the run judges by.
    pub(super) versions: Option<Versions>,
    pub(super) window: Window,
    pub(super) now: i64,
    pub(super) rules: Option<&'static [Rule]>,
    /// Files of rules beside the program's own.
    pub(super) own: Vec<Own>,
    pub(super) ledger: Ledger,
    pub(super) balance: Balance,
    pub(super) passed: Passed,
    /// What the sources can never show.
    pub(super) blind: Vec<Caveat>,
    /// Accounts and Regions that should have delivered logs and did not.
    pub(super) silent: Vec<(String, String)>,
    /// How many roles of agents were followed into other services, where they were.
    pub(super) followed: Option<usize>,
    /// What was read of the model-invocation log, if a query asked.
    pub(super) logs: Option<invocation::Told>,
    /// What is known from before the window, in words, if a query asked.
    pub(super) baseline: Option<String>,
    /// The stores that were read, and their files.
    pub(super) stored: Vec<(Store, Vec<PathBuf>)>,
    /// What was asked for and the store cannot have.
    pub(super) lacks: Vec<stored::Lack>,
    /// Athena, where the events lie there.
    pub(super) asking: Option<Asking>,
    // Last: the engine reads files in it.
    pub(super) _scratch: Scratch,
}

/// Sources that were read.
struct Read {
    sources: Sources,
    /// The tables that the run's queries read.
    tables: Tables,
    ingested: Ingested,
}

impl Prepared {
    /// Checks everything that can be checked before a log is read.
    pub(super) fn new(input: &Input) -> Result<Self, Failure> {
        let system = clock::System.now_micros();
        let now = match &input.now {
            None => system,
            Some(text) => clock::parse_when(text, system).map_err(Failure::usage)?,
        };
        let window =
            clock::parse_window(input.from.as_deref(), input.to.as_deref(), now).map_err(Failure::usage)?;
        history::check(input, &window)?;
        let versions = input.policy.as_deref().map(|path| Versions::load(path, &window, now)).transpose()?;
        let policy = versions.as_ref().and_then(Versions::latest).cloned();
        let own = rule::folder::read(&input.rules).map_err(Failure::usage)?;
        let scratch = Scratch::new(input.temp_dir.as_deref())?;
        let limits = engine::Limits {
            memory: input.memory_limit,
            spill_dir: Some(scratch.path().join("query")),
            partitions: threads(input),
        };
        let mut engine = Engine::new(limits).map_err(Failure::failed)?;
        for (name, batch) in policy::empty_relations() {
            put(&engine, name, batch)?;
        }
        if let Some(versions) = &versions {
            versions.register(&mut engine, now)?;
        }
        put(&engine, "findings", finding::findings_batch(&[]).map_err(Failure::failed)?)?;
        put(&engine, "rule_results", crate::rule::outcome::rules_batch(&[]).map_err(Failure::failed)?)?;
        reference::register(&engine, versions.as_ref(), input)?;
        invocation::prices(&engine, input)?;
        put(&engine, "run", run_batch(versions.as_ref(), &window, now, input.scope)?)?;
        let told = !own.is_empty() || policy.is_some();
        let rules = told.then(|| rules(&own, policy.as_ref(), &engine)).transpose()?;
        Ok(Self {
            engine,
            policy,
            versions,
            rules,
            own,
            window,
            now,
            organization: None,
            scratch,
            answering: cli::Answering::default(),
        })
    }

    /// The same, answered where it is said.
    pub(super) fn on(mut self, answering: &cli::Answering, input: &Input) -> Result<Self, Failure> {
        if answering.engine == cli::Engine::Athena {
            athena::check(input, &self.window)?;
        }
        self.answering = answering.clone();
        Ok(self)
    }

    /// Refuses `--rule` where no rule is asked: it would change nothing, and nobody would see that.
    pub(super) fn judges_nothing(&self, what: &str) -> Result<(), Failure> {
        if self.answering.only.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!("--rule: {what} tells nothing of what rules find"))
            .help("leave it out; violations, rules, controls and the table findings tell what rules find"))
    }

    /// Reads the sources once, building the columns that `queries` read and `also`.
    pub(super) fn open(
        self,
        input: &Input,
        queries: &[String],
        also: &[Field],
        hash: bool,
    ) -> Result<Trail, Failure> {
        if self.answering.engine == cli::Engine::Athena {
            let answering = self.answering.clone();
            return athena::open(self, input, &answering, queries, also);
        }
        if let Some(store) = stored::source(input, self.now)? {
            return stored::open(self, store, input, queries, also, hash);
        }
        if input.scope == cli::Scope::Agents
            && let Some(api) = input.sources.iter().find(|source| Api::is(source))
        {
            return Err(Failure::usage(format!("{api} is asked for the default scope only"))
                .help("read the logs themselves with -s and --scope agents"));
        }
        let mut follow = match input.scope {
            cli::Scope::Default => None,
            cli::Scope::Agents => Some(Follow::of(self.versions.iter().flat_map(Versions::all))?),
        };
        let wanted = OnceLock::new();
        let Read { sources, tables, ingested } = loop {
            let read = self.read(input, queries, also, hash, &wanted, follow.as_ref())?;
            let new = follow.as_mut().map_or(Ok(0), Follow::learn)?;
            if new == 0 {
                break read;
            }
            if input.sources.iter().any(|source| source == "-") {
                say(&format!(
                    "warning: {new} roles that no policy names were met as roles of agents: standard input cannot be read \
                     again for their other calls"
                ));
                break read;
            }
            say(&format!("reading again: {new} roles that no policy names were met as roles of agents"));
        };
        let Self { engine, policy, versions, rules, own, window, now, organization, scratch, .. } = self;
        let passed = sources.passed();
        sources.say_notes(input.quiet);
        let schema = builder::schema();
        let named = wanted.get().is_some_and(|wanted| wanted.contains(Field::AccountName));
        let names = organization.as_ref().filter(|_| named);
        engine.expect(ingested.ledger.balance().kept);
        match (ingested.rows, stored::account_names(names)) {
            (Rows::Memory(batches), None) => engine.register("events", &schema, batches),
            (Rows::Files(files), None) => engine.register_parquet("events", &files, &schema),
            (rows, Some(lookup)) => {
                let (files, more) = match rows {
                    Rows::Memory(batches) => (Vec::new(), batches),
                    Rows::Files(files) => (files, Vec::new()),
                };
                let by_account = vec![ByAccount { column: Field::AccountName.name(), before: None, lookup }];
                let rows =
                    Stored { files: &files, schema: builder::schema(), predicate: None, more, by_account };
                engine.register_stored("events", &schema, rows)
            }
        }
        .map_err(Failure::failed)?;
        nearby(&engine, &tables, &ingested.nearby)?;
        let ledger = ingested.ledger;
        // As a table the ledger takes far more memory than it does as entries: only if somebody asks it.
        if tables.contains_key("objects") {
            put(&engine, "objects", ledger.objects_batch().map_err(Failure::failed)?)?;
        }
        if tables.contains_key("refusals") {
            put(&engine, "refusals", ledger.refusals_batch().map_err(Failure::failed)?)?;
        }
        let balance = ledger.balance();
        if balance.objects == 0 {
            return Err(sources.nothing(input));
        }
        if ledger.recognised() == 0 {
            warn(&ledger, input);
            return Err(listing::no_log(balance.objects));
        }
        warn(&ledger, input);
        nothing_left(&balance, passed.pruned, input);
        let organization = organization.as_ref();
        let asked = Asked {
            engine: &engine,
            input,
            versions: versions.as_ref(),
            organization,
            window: &window,
            now,
            scratch: scratch.path(),
            follow: follow.as_ref(),
        };
        let mut baseline = asked.fill(&tables, None)?;
        reference::fill(&asked, &tables, None, &mut baseline)?;
        let logs = invocation::fill(&engine, input, &window, now, &tables)?;
        let mut coverage = Coverage::default();
        if organization.is_some() || tables.contains_key("coverage") {
            ledger.names().for_each(|name| coverage.add(&Layout::of(name), &window));
        }
        let silent = cover(&engine, &coverage, organization)?;
        Ok(Trail {
            engine,
            policy,
            versions,
            window,
            now,
            rules,
            own,
            ledger,
            balance,
            passed,
            blind: listing::blind(&input.sources),
            silent,
            followed: follow.as_ref().map(Follow::count),
            logs,
            baseline: baseline.line,
            stored: baseline.other.into_iter().collect(),
            lacks: Vec::new(),
            asking: None,
            _scratch: scratch,
        })
    }

    /// Reads the sources once, from the first to the last.
    fn read(
        &self,
        input: &Input,
        queries: &[String],
        also: &[Field],
        hash: bool,
        wanted: &OnceLock<FieldSet>,
        follow: Option<&Follow>,
    ) -> Result<Read, Failure> {
        let mut sources = Sources::open(input, &self.window, self.now)?;
        let scope = Scope::get();
        let plain = || Filter::new(scope.needles(), scope.names());
        let filter = follow.map_or_else(plain, |follow| follow.filter(scope));
        let asked = Wanted {
            from: self.window.from,
            to: self.window.to,
            accounts: input.accounts.clone(),
            regions: input.regions.clone(),
        };
        let environments = |account: &str, time: i64| {
            self.versions.as_ref().and_then(|versions| versions.environment_of(account, time))
        };
        let function = |arn: &str| follow.is_some_and(|follow| follow.function(arn));
        let is = |role: &str| follow.is_some_and(|follow| follow.is(role));
        let seen = |role: &str| follow.into_iter().for_each(|follow| follow.see(role));
        let followed = follow.map(|_| Followed { is: &is, function: &function, seen: &seen });
        let shared = Shared {
            scope,
            filter: &filter,
            wanted: &asked,
            environments: &environments,
            keep_content: input.keep_content,
            followed: followed.as_ref(),
        };
        let limits = ingest::Limits {
            object: input.max_object_size,
            memory: (input.memory_limit / 3).clamp(1 << 20, 64 << 20),
            threads: threads(input),
            folder: self.scratch.path().to_owned(),
            hash,
        };
        let progress = Progress::default();
        let objects = std::mem::take(&mut sources.objects);
        let local = objects.len() as u64;
        let known = || sources.known(local);
        let feed = sources.remote.as_ref().map(|remote| &remote.feed);
        let (tables, ingested) = std::thread::scope(|scope| {
            // Reading need not wait for plans; a query that cannot be planned ends it.
            let planned = scope.spawn(|| match scans(&self.engine, queries, also) {
                Ok((tables, columns)) => {
                    let _ = wanted.set(columns);
                    Ok(tables)
                }
                Err(error) => {
                    progress.cancelled.store(true, Ordering::Relaxed);
                    Err(error)
                }
            });
            let ingested = progress::shown(&progress, &known, input.quiet, || {
                ingest::ingest(objects, feed, wanted, &shared, &limits, &progress)
            });
            (planned.join(), ingested)
        });
        let tables = tables.map_err(|_| Failure::failed("internal error: planning ended early"))??;
        let ingested = ingested.map_err(Failure::failed)?;
        Ok(Read { sources, tables, ingested })
    }
}

impl Trail {
    /// An error if the store lost a file while it was read: the engine would have taken it for an empty one. Ask after
    /// the last query; a file that is there then was there all the time, since no name is used twice.
    pub(super) fn intact(&self) -> Result<(), Failure> {
        self.asking.as_ref().map_or(Ok(()), Asking::sound)?;
        let lost = self
            .stored
            .iter()
            .find_map(|(store, files)| files.iter().find(|file| !file.exists()).map(|file| (store, file)));
        match lost {
            None => Ok(()),
            Some((store, lost)) => Err(Failure::failed(format!(
                "the store {} lost {} while it was read",
                store.name(),
                lost.display()
            ))
            .help(
                "if no other run was changing the store, restore it from a backup or collect into a new one",
            )),
        }
    }

    /// Whether every object and record could be read, and everybody expected delivered.
    pub(super) fn complete(&self) -> bool {
        self.balance.objects_refused == 0
            && self.balance.refused == 0
            && self.silent.is_empty()
            && self.logs.as_ref().is_none_or(|logs| logs.complete)
            && !self.lacks.iter().any(|lack| lack.incomplete)
    }

    /// The lines under every report: what was read, and what became of each record.
    pub(super) fn footer(&self) -> Vec<String> {
        if let Some(asking) = &self.asking {
            let more =
                self.baseline.clone().into_iter().chain(self.logs.as_ref().map(|logs| logs.line.clone()));
            return asking.footer().into_iter().chain(more).collect();
        }
        let balance = &self.balance;
        let mut objects = format!("{} objects read", balance.objects - balance.objects_refused);
        for (count, what) in [
            (balance.objects_refused, "refused"),
            (self.passed.pruned, "pruned by account, Region or day"),
            (self.passed.skipped, "of other services or no logs"),
        ] {
            if count > 0 {
                objects = format!("{objects}, {count} {what}");
            }
        }
        let mut lines = vec![format!("{objects}."), format!("{balance}.")];
        if let Some(roles) = self.followed {
            lines
                .push(format!("Agents' roles whose calls were kept whatever service they went to: {roles}."));
        }
        lines.extend(self.baseline.clone());
        lines.extend(self.logs.as_ref().map(|logs| logs.line.clone()));
        if self.passed.unlisted {
            lines.push("Accounts, Regions and days that were not asked for were not listed.".to_owned());
        }
        if balance.conflicts > 0 {
            lines.push(format!("{} rows share an event id with a row of other content.", balance.conflicts));
        }
        if !balance.holds() {
            lines.push("The balance does not add up: please report this as a bug.".to_owned());
        }
        lines
    }
}

/// The tables that queries read, each with the columns read of it.
pub(super) type Tables = BTreeMap<String, BTreeSet<String>>;

/// The tables that queries read, and the columns of `events` among them, `also` included.
pub(super) fn scans(
    engine: &Engine,
    queries: &[String],
    also: &[Field],
) -> Result<(Tables, FieldSet), Failure> {
    let texts: Vec<&str> = queries.iter().map(String::as_str).collect();
    let tables = engine.scans(&texts).map_err(query_failure)?;
    let referred = reference::scans(engine, &tables)?;
    let columns =
        |tables: &Tables| FieldSet::named(tables.get("events").into_iter().flatten().map(String::as_str));
    let asked = columns(&tables).union(FieldSet::of(also));
    let raw = FieldSet::of(&[Field::RequestParameters, Field::ResponseElements]);
    let wanted = asked.union(columns(&referred));
    let wanted = if asked.intersects(raw) { wanted } else { wanted.raw_of_admin() };
    Ok((tables, wanted))
}

/// The program's rules, those of the folders and those of the policy. Files are checked against the tables.
pub(super) fn rules(
    own: &[Own],
    policy: Option<&Policy>,
    engine: &Engine,
) -> Result<&'static [Rule], Failure> {
    let customs = policy.map(Policy::customs).unwrap_or_default();
    if own.is_empty() && customs.is_empty() {
        return rule::catalogue().map_err(Failure::failed);
    }
    rule::folder::check(own, engine).map_err(Failure::usage)?;
    let name = policy.map(Policy::name).unwrap_or_default();
    let customs: Vec<Rule> = customs.iter().map(|custom| rule::custom::rule(custom, name)).collect();
    let rules = rule::folder::join(own, &customs).map_err(Failure::usage)?;
    // A run has one set of rules, and lives as long as they do.
    Ok(rules.leak())
}

/// Fills the relation of service events just outside the window, if a query asks for it.
pub(super) fn nearby(engine: &Engine, tables: &Tables, found: &[RecordBatch]) -> Result<(), Failure> {
    if found.is_empty() || !tables.contains_key(NEARBY_EVENTS) {
        return Ok(());
    }
    let schema = schema::schema(schema::NEARBY_SERVICE_EVENTS);
    let projected = found.iter().map(|batch| {
        let places: Result<Vec<usize>, _> =
            schema.fields().iter().map(|field| batch.schema().index_of(field.name())).collect();
        batch.project(&places?)
    });
    let batches = projected.collect::<Result<Vec<_>, _>>().map_err(Failure::failed)?;
    engine.register(NEARBY_EVENTS, &schema, batches).map_err(Failure::failed)
}

/// Registers one batch under its own schema.
pub(super) fn put(engine: &Engine, name: &str, batch: RecordBatch) -> Result<(), Failure> {
    let schema = batch.schema();
    engine.register(name, &schema, vec![batch]).map_err(Failure::failed)
}

/// A query of ours that fails is our bug; one of the user's is theirs, and a limit that was hit is the machine's.
pub(super) fn query_failure(error: engine::Error) -> Failure {
    if matches!(error, engine::Error::Sql { .. }) { Failure::usage(error) } else { Failure::failed(error) }
}

/// Loads a policy, or says everything that is wrong with it.
pub(super) fn load_policy(path: &std::path::Path) -> Result<Policy, Failure> {
    Policy::load(path).map_err(|problems| version::unusable(&problems))
}

/// How many threads read and decode.
pub(super) fn threads(input: &Input) -> usize {
    input
        .threads
        .map(usize::from)
        .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(2)
}

/// The relation `run`.
pub(super) fn run_batch(
    versions: Option<&Versions>,
    window: &Window,
    now: i64,
    scope: cli::Scope,
) -> Result<RecordBatch, Failure> {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringViewArray, TimestampMicrosecondArray};

    let kept = match scope {
        cli::Scope::Default => "default",
        cli::Scope::Agents => "agents",
    };
    let joined = |of: fn(&Policy) -> &str| versions.map(|versions| versions.joined(of));
    let text = |value: Option<&str>| -> ArrayRef { Arc::new(StringViewArray::from_iter([value])) };
    let time = |value: Option<i64>| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from_iter([value])) };
    RecordBatch::try_from_iter_with_nullable([
        ("run_time", time(Some(now)), true),
        ("window_from", time(window.from), true),
        ("window_to", time(window.to), true),
        ("policy_name", text(joined(Policy::name).as_deref()), true),
        ("policy_version", text(joined(Policy::version).as_deref()), true),
        ("policy_sha256", text(joined(Policy::sha256).as_deref()), true),
        ("scope", text(Some(kept)), true),
        ("tool_version", text(Some(env!("CARGO_PKG_VERSION"))), true),
    ])
    .map_err(Failure::failed)
}
