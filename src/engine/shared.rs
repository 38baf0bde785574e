//! Parts of a query that it names several times, each a table that is answered once: when a plan first asks for its rows.

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as PlanResult, exec_err};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use tokio::sync::OnceCell;

use tempfile::TempPath;

use super::dense::compact;
use super::spool::Spool;
use super::{locked, parquet};

/// The rows of a part, once they were asked for.
type Cell = Arc<OnceCell<Held>>;

/// Where the rows of a part are.
#[derive(Debug)]
enum Held {
    Memory {
        rows: Vec<RecordBatch>,
        /// Gives the memory back when the rows go.
        _share: Share,
    },
    /// In a file, since they were too many.
    File(TempPath),
}

/// What one part has of the memory that all parts share.
#[derive(Debug)]
struct Share {
    all: Arc<AtomicUsize>,
    bytes: usize,
}

impl Share {
    /// Takes more; all parts' memory then.
    fn take(&mut self, bytes: usize) -> usize {
        self.bytes += bytes;
        self.all.fetch_add(bytes, Ordering::Relaxed) + bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// How long rows are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// Until the next query.
    Query,
    /// As long as the tables have the same rows: of a view, on which many queries stand.
    Tables,
}

/// The parts there are.
#[derive(Debug, Default)]
pub(super) struct Parts {
    all: Vec<Weak<Shared>>,
    /// How many there ever were.
    numbered: usize,
    /// Bytes that they hold together.
    held: Arc<AtomicUsize>,
}

impl Parts {
    /// Keeps an eye on a part; its number.
    pub(super) fn add(&mut self, part: &Arc<Shared>) -> usize {
        self.all.push(Arc::downgrade(part));
        self.numbered += 1;
        self.numbered
    }

    /// The counter of the bytes that all hold together.
    pub(super) fn held(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.held)
    }

    /// Lets go of the rows that are good no longer: those of another query, or, where tables have other rows, all.
    pub(super) fn forget(&mut self, life: Life) {
        self.all.retain(|part| {
            let part = part.upgrade();
            if let Some(part) = part.as_ref().filter(|part| life == Life::Tables || part.life == life) {
                *locked(&part.cell) = Cell::default();
            }
            part.is_some()
        });
    }
}

/// Where rows can be held.
#[derive(Debug)]
pub(super) struct Room {
    /// Bytes in memory: of this part, and of all together.
    pub(super) memory: usize,
    pub(super) together: usize,
    /// Those that all have taken.
    pub(super) held: Arc<AtomicUsize>,
    /// The folder for more; the system's temporary folder if none is given.
    pub(super) folder: Option<PathBuf>,
}

/// A part of a query as a table.
#[derive(Debug)]
pub(super) struct Shared {
    life: Life,
    /// Optimised.
    plan: LogicalPlan,
    schema: SchemaRef,
    room: Room,
    cell: Mutex<Cell>,
}

impl Shared {
    pub(super) fn new(plan: LogicalPlan, life: Life, room: Room) -> Self {
        Self { life, schema: Arc::clone(plan.schema().inner()), plan, room, cell: Mutex::default() }
    }

    /// Lets go of its rows, if they are the query's.
    pub(super) fn end(&self) {
        if self.life == Life::Query {
            *locked(&self.cell) = Cell::default();
        }
    }

    /// The plan that answers it.
    pub(super) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Asks for its rows. Those that take more than may be held go to a file.
    async fn rows(&self, state: &dyn Session) -> PlanResult<Held> {
        let mut stream = execute_stream(physical(&self.plan, state).await?, state.task_ctx())?;
        let mut rows = Vec::new();
        let mut share = Share { all: Arc::clone(&self.room.held), bytes: 0 };
        let mut file: Option<Spool> = None;
        while let Some(batch) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
            let batch = self.typed(&compact(&batch?))?;
            if let Some(file) = &mut file {
                file.write(&batch)?;
                continue;
            }
            let together = share.take(batch.get_array_memory_size());
            rows.push(batch);
            if share.bytes > self.room.memory || together > self.room.together {
                let mut spool = Spool::new(&self.schema, self.room.folder.as_deref())?;
                rows.drain(..).try_for_each(|batch| spool.write(&batch))?;
                file = Some(spool);
            }
        }
        match file {
            Some(file) => Ok(Held::File(file.finish()?)),
            None => Ok(Held::Memory { rows, _share: share }),
        }
    }

    /// A column that the schema takes for never null may come back as one that could be.
    fn typed(&self, batch: &RecordBatch) -> PlanResult<RecordBatch> {
        RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
            .map_err(|error| DataFusionError::ArrowError(Box::new(error), None))
    }
}

/// The physical plan of an optimised one: what a session does by itself would optimise that again.
async fn physical(plan: &LogicalPlan, state: &dyn Session) -> PlanResult<Arc<dyn ExecutionPlan>> {
    match state.as_any().downcast_ref::<SessionState>() {
        Some(state) => state.query_planner().create_physical_plan(plan, state).await,
        None => state.create_physical_plan(plan).await,
    }
}

#[async_trait]
impl TableProvider for Shared {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let cell = Arc::clone(&locked(&self.cell));
        match cell.get_or_try_init(|| self.rows(state)).await? {
            Held::Memory { rows, .. } => {
                let table = MemTable::try_new(Arc::clone(&self.schema), vec![rows.clone()])?;
                table.scan(state, projection, filters, limit).await
            }
            Held::File(path) => {
                // A table of files takes one that is gone for one without rows.
                if !path.exists() {
                    return exec_err!("the temporary file {} of a part of the query is gone", path.display());
                }
                let table = parquet::over(&[path.to_path_buf()], &self.schema, state)?;
                table.scan(state, projection, filters, limit).await
            }
        }
    }
}
