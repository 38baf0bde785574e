//! ③ The engine: one DataFusion session over the tables, limited in memory, that answers SQL.
//!
//! [`Engine::new`] knows `events`, `objects`, `refusals` and `run` as empty tables, the reference relations
//! (`ref_*`) and the views. [`Engine::scans`] plans queries against that to learn which columns they read, ingestion
//! builds just those and [`Engine::register`]s them, and then the queries run.
//!
//! Calls block: the engine drives its own threads. Do not call it from an asynchronous task.

mod answered;
pub mod athena;
mod build_side;
mod checked_sum;
mod coded;
mod dense;
mod dependence;
mod distinct_list;
mod document;
mod era;
mod error;
mod estimate;
mod function;
mod json;
mod late_text;
mod min_by;
mod order;
mod parquet;
mod part;
mod pattern;
mod plan;
mod pool;
mod portable;
mod rows;
mod scan;
pub mod schema;
mod session;
mod shared;
mod slice;
mod spool;
mod stored;
mod variant;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{displayable, execute_stream};
use datafusion::prelude::SessionContext;
use tokio::runtime::{Builder, Runtime};

pub use self::answered::Answered;
use self::coded::{Coded, Room};
pub use self::document::TableDoc;
pub use self::era::Era;
pub use self::error::{Error, Result};
pub use self::portable::{Objection, check_portable};
pub use self::rows::Rows;
pub use self::scan::end;
use self::shared::{Life, Parts};
pub use self::slice::Slices;
pub use self::stored::{ByAccount, Lookup, Stored};
pub use self::variant::THRIFTY;
use crate::{data, query_file};

/// What the engine may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes that operators may hold together before they spill; tables in memory are not counted.
    pub memory: usize,
    /// Where operators spill to, created if need be; the system's temporary folder if none is given.
    pub spill_dir: Option<PathBuf>,
    /// How many parts of a query run at once; at least one does.
    pub partitions: usize,
}

/// Up to this many events, planning a query takes longer than running it.
const FEW: u64 = 1 << 16;

/// Of the memory that operators may use, as much again holds an answer.
const ANSWERED: usize = 8;

/// A query session.
pub struct Engine {
    // Before the context: its tasks must end before the spill folder goes.
    runtime: Runtime,
    context: SessionContext,
    views: BTreeMap<&'static str, &'static str>,
    limits: Limits,
    /// The versions of the policy, where there are several.
    eras: Vec<Era>,
    /// The views that a query has named, directly or not: they are built then, and again once a table is another.
    built: Mutex<BTreeSet<&'static str>>,
    /// The views that are held: their rows stand in their place.
    kept: Mutex<BTreeSet<&'static str>>,
    /// Tables in memory, whose rows can change under a plan that was made.
    tables: Mutex<BTreeMap<String, Arc<MemTable>>>,
    /// Queries of ours that [`scans`](Self::scans) planned, optimised; good as long as every table is the same.
    plans: Mutex<BTreeMap<String, LogicalPlan>>,
    /// The parts of these that are answered once.
    shared: Mutex<Parts>,
    /// Where columns of files are held.
    room: Arc<Room>,
}

impl Engine {
    /// A session with the base tables, empty, and everything that comes with the program.
    pub fn new(limits: Limits) -> Result<Self> {
        if let Some(folder) = &limits.spill_dir {
            // Now, so that a wrong folder is an error here and not at the first spill.
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::Internal(format!("the temporary folder {} cannot be used: {error}", folder.display()))
            })?;
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(limits.partitions.max(1))
            .thread_name("query")
            .enable_all()
            .build()
            .map_err(|error| Error::Internal(format!("threads cannot be started: {error}")))?;
        let engine = Self {
            runtime,
            context: session::context(limits.clone())?,
            room: Arc::default(),
            limits,
            views: query_file::views().map(|file| (file.stem, file.sql)).collect(),
            eras: Vec::new(),
            built: Mutex::default(),
            kept: Mutex::default(),
            tables: Mutex::default(),
            plans: Mutex::default(),
            shared: Mutex::default(),
        };
        for (name, _, columns) in schema::TABLES {
            engine.register(name, &schema::schema(columns), Vec::new())?;
        }
        Ok(engine)
    }

    /// Says how many events there will be: for few, queries are planned as quickly as can be.
    pub fn expect(&self, events: u64) {
        if events <= FEW {
            let state = variant::quick(&self.context.state());
            *self.context.state_ref().write() = state;
        }
    }

    /// Puts batches under a name, in place of what stood there.
    ///
    /// Columns are matched by name. A column that the batches lack is null in every row and costs nothing; one that
    /// the schema lacks is left out.
    pub fn register(&self, name: &str, schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let batches = rows::complete(schema, batches)?;
        let known = locked(&self.tables).get(name).filter(|table| table.schema() == *schema).cloned();
        let parts = self.context.copied_config().target_partitions().max(1);
        let lists = known.as_ref().map_or(parts, |table| table.batches.len());
        // One list per part that may run at once, in turn: the parts are then of like size.
        let mut partitions = vec![Vec::new(); lists];
        for (index, batch) in batches.into_iter().enumerate() {
            partitions[index % parts.min(lists)].push(batch);
        }
        if let Some(table) = known {
            locked(&self.shared).forget(Life::Tables);
            for (held, new) in table.batches.iter().zip(partitions) {
                *held.blocking_write() = new;
            }
            return Ok(());
        }
        let table = Arc::new(MemTable::try_new(Arc::clone(schema), partitions)?);
        self.replace(name, Arc::clone(&table) as _)?;
        locked(&self.tables).insert(name.to_owned(), table);
        Ok(())
    }

    /// Puts local Parquet files under a name, in place of what stood there; with no file, an empty table.
    ///
    /// Columns are matched by name; a column that a file lacks is null. Row groups and pages are skipped by their
    /// statistics.
    pub fn register_parquet(&self, name: &str, files: &[PathBuf], schema: &SchemaRef) -> Result<()> {
        if files.is_empty() {
            return self.register(name, schema, Vec::new());
        }
        let table = Arc::new(parquet::table(files, schema, &self.context)?);
        let room = Arc::clone(&self.room);
        self.replace(name, Arc::new(Coded::new(table, files.to_vec(), room, self.limits.partitions)))
    }

    /// Says that a view's rows are to stand in its place: for one that many queries stand on, and that must be the same
    /// when `events` is narrower (see [`Slices`]). It has none until [`keep`](Self::keep) finds them.
    pub fn hold(&self, view: &str) -> Result<()> {
        let (name, _) = self.known_view(view)?;
        locked(&self.kept).insert(name);
        Ok(())
    }

    /// Answers a view that is held, over the tables as they are now.
    pub fn keep(&self, view: &str) -> Result<()> {
        let (name, sql) = self.known_view(view)?;
        let batches = self.run(sql)?;
        let held = locked(&self.tables).get(name).map(|table| table.schema());
        // `run` yields a batch in any case.
        let Some(schema) = held.or_else(|| batches.first().map(RecordBatch::schema)) else { return Ok(()) };
        self.register(name, &schema, batches)
    }

    fn known_view(&self, view: &str) -> Result<(&'static str, &'static str)> {
        let found = self.views.get_key_value(view).map(|(name, sql)| (*name, *sql));
        found.ok_or_else(|| Error::Internal(format!("there is no view {view}")))
    }

    /// The statement of a view.
    pub fn view_sql(&self, view: &str) -> Option<&'static str> {
        self.views.get(view).copied()
    }

    fn replace(&self, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
        // A view holds on to the tables it was planned over, and so does a plan.
        locked(&self.plans).clear();
        locked(&self.tables).remove(name);
        let mut built = locked(&self.built);
        for view in self.views.keys().filter(|view| built.remove(*view)) {
            self.context.deregister_table(*view)?;
        }
        drop(built);
        self.context.deregister_table(name)?;
        self.context.register_table(name, table)?;
        Ok(())
    }

    /// The names of all relations a query may read, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self
            .context
            .catalog("datafusion")
            .and_then(|catalog| catalog.schema("public"))
            .map(|schema| schema.table_names().into_iter().collect())
            .unwrap_or_default();
        names.extend(self.views.keys().map(ToString::to_string));
        names.extend(data::RELATIONS.iter().map(|relation| relation.name.to_owned()));
        names.into_iter().collect()
    }

    /// Runs a query of ours: one SELECT. There is at least one batch, empty where there are no rows.
    pub fn run(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        self.running(sql, |rows: Rows<'_>| rows.collect_all())
    }

    /// The same for an answer that may be large.
    pub fn answer(&self, sql: &str) -> Result<Answered> {
        self.running(sql, |rows| self.read_to_end(rows))
    }

    fn running<T>(&self, sql: &str, read: impl Fn(Rows<'_>) -> Result<T>) -> Result<T> {
        // Other queries may run meanwhile: their parts are left alone.
        let plan = self.planned(sql).map_or_else(|| self.plan_sharing(sql), Ok)?;
        let answer = self.thriftily(&plan, read);
        scan::end(&plan)?;
        answer
    }

    /// Runs a plan; one that does not fit into memory again, with less of it.
    fn thriftily<T>(&self, plan: &LogicalPlan, read: impl Fn(Rows<'_>) -> Result<T>) -> Result<T> {
        let state = variant::yielding(&self.context.state(), plan.schema().fields().len());
        let mut answer = self.start(plan, &state).and_then(&read);
        for thrifty in THRIFTY {
            if !matches!(answer, Err(Error::Resources(_))) {
                break;
            }
            answer = self.start(plan, &thrifty(&state)).and_then(&read);
        }
        answer
    }

    fn read_to_end(&self, rows: Rows<'_>) -> Result<Answered> {
        Answered::of(rows, self.limits.memory / ANSWERED, self.limits.spill_dir.as_deref())
    }

    /// Runs a query of ours and yields batches as they come.
    pub fn stream(&self, sql: &str) -> Result<Rows<'_>> {
        let plan = self.ready(sql).map_or_else(|| self.plan_sharing(sql), Ok)?;
        self.start(&plan, &self.context.state())
    }

    /// Runs a user's query: one SELECT, its rows in an order that does not change from run to run.
    ///
    /// An ORDER BY of the query's own is kept and completed by all columns; without one, rows are sorted by the
    /// output columns, before any LIMIT.
    pub fn query(&self, sql: &str) -> Result<Rows<'_>> {
        self.start(&self.asked(sql)?, &self.context.state())
    }

    /// The same, read to its end, for an answer that may be large.
    pub fn query_answer(&self, sql: &str) -> Result<Answered> {
        self.thriftily(&self.asked(sql)?, |rows| self.read_to_end(rows))
    }

    /// The plan of a user's query: its rows in order, and no sum that wraps.
    fn asked(&self, sql: &str) -> Result<LogicalPlan> {
        self.optimised(&checked_sum::checked(order::total(self.plan(sql)?)?)?)
    }

    fn optimised(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        contained(|| Ok(self.context.state().optimize(plan)?))
    }

    /// Starts an optimised plan.
    fn start(&self, plan: &LogicalPlan, state: &SessionState) -> Result<Rows<'_>> {
        let stream = contained(|| {
            self.runtime.block_on(async {
                let planner = state.query_planner();
                let physical = match planner.create_physical_plan(plan, state).await {
                    // Sorted below a UNION with columns that are constant there, it can lose track of the order.
                    Err(error) if matches!(error.find_root(), DataFusionError::Plan(_)) => {
                        planner.create_physical_plan(plan, &variant::sorting_last(state)).await?
                    }
                    plan => plan?,
                };
                Ok(execute_stream(physical, state.task_ctx())?)
            })
        })?;
        Ok(Rows::new(&self.runtime, stream, plan.clone()))
    }

    /// How a query would be run, for people: the optimised logical plan, then the physical one.
    pub fn explain(&self, sql: &str) -> Result<String> {
        let state = self.context.state();
        let plan = self.optimised(&self.plan(sql)?)?;
        let physical = contained(|| {
            Ok(self.runtime.block_on(state.query_planner().create_physical_plan(&plan, &state))?)
        })?;
        Ok(format!("{}\n\n{}", plan.display_indent(), displayable(physical.as_ref()).indent(false)))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a panic of the query engine an error: a query that it did not foresee must not end the program.
fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::Internal("the query engine failed on this query; try to put it differently".to_owned()))
    })
}

#[cfg(test)]
mod tests;
