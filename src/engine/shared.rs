//! Parts of a query that it names several times, each a table that is answered once: when a plan first asks for its rows.

use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as PlanResult;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::{ExecutionPlan, collect};
use tokio::sync::OnceCell;

use super::locked;

/// The rows of a part, once they were asked for.
type Cell = Arc<OnceCell<Vec<RecordBatch>>>;

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
}

impl Parts {
    /// Keeps an eye on a part; its number.
    pub(super) fn add(&mut self, part: &Arc<Shared>) -> usize {
        self.all.push(Arc::downgrade(part));
        self.numbered += 1;
        self.numbered
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

/// A part of a query as a table.
#[derive(Debug)]
pub(super) struct Shared {
    life: Life,
    /// Optimised.
    plan: LogicalPlan,
    schema: SchemaRef,
    cell: Mutex<Cell>,
}

impl Shared {
    pub(super) fn new(plan: LogicalPlan, life: Life) -> Self {
        Self { life, schema: Arc::clone(plan.schema().inner()), plan, cell: Mutex::default() }
    }

    /// The plan that answers it.
    pub(super) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }
}

/// The same rows in no more memory than they need.
///
/// Groups come in batches that all hold on to the texts of all groups: what sorts such batches takes each for as large as
/// the whole, and finds memory exhausted long before it is.
fn compact(batch: &RecordBatch) -> RecordBatch {
    let columns = batch.columns().iter().map(|column| match column.as_string_view_opt() {
        Some(texts) => Arc::new(texts.gc()) as ArrayRef,
        None => Arc::clone(column),
    });
    let columns: Vec<_> = columns.collect();
    RecordBatch::try_new(batch.schema(), columns).unwrap_or_else(|_| batch.clone())
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
        let answer = || async {
            // It is optimised: what a session does by itself would do that again.
            let plan = match state.as_any().downcast_ref::<SessionState>() {
                Some(state) => state.query_planner().create_physical_plan(&self.plan, state).await?,
                None => state.create_physical_plan(&self.plan).await?,
            };
            let batches = collect(plan, state.task_ctx()).await?;
            Ok::<_, DataFusionError>(batches.iter().map(compact).collect())
        };
        let batches = cell.get_or_try_init(answer).await?;
        // A column that the schema takes for never null may come back as one that could be.
        let batches = batches.iter().map(|batch| {
            RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
                .map_err(|error| DataFusionError::ArrowError(Box::new(error), None))
        });
        let table = MemTable::try_new(Arc::clone(&self.schema), vec![batches.collect::<PlanResult<_>>()?])?;
        table.scan(state, projection, filters, limit).await
    }
}
