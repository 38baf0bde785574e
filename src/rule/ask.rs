//! What the runner asks of a context: a rule's rows, the accounts' environments, how far some events reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::cast::AsArray;
use arrow::array::types::{Int64Type, TimestampMicrosecondType};
use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;

use super::row::{self, Row};
use crate::engine::{self, THRIFTY};
use crate::query_file;

/// The environment of each account, as the policy gives it.
pub(super) const ENVIRONMENTS: &str = "SELECT account_id, MIN(environment) AS environment FROM events \
     WHERE account_id IS NOT NULL AND environment IS NOT NULL GROUP BY account_id ORDER BY account_id";

/// What tells how far a waiver reaches.
pub(super) const EXTENT: &str = "SELECT COUNT(*) AS events, MIN(event_time) AS first_seen, MAX(event_time) AS last_seen, \
     MIN(event_id) AS sample_event_id FROM events";

/// How many events there are, and when.
#[derive(Default)]
pub(super) struct Extent {
    pub(super) events: i64,
    pub(super) first_seen: Option<i64>,
    pub(super) last_seen: Option<i64>,
    pub(super) sample: Vec<String>,
}

/// Relations that rules ask.
pub trait Relations: Send + Sync {
    /// The rows of a query that is known as `name`: at least one batch.
    fn rows(
        &self,
        name: &str,
        sql: &str,
    ) -> impl Future<Output = Result<Vec<RecordBatch>, DataFusionError>> + Send;

    /// Whether a relation has rows.
    fn any(&self, relation: &str) -> impl Future<Output = Result<bool, DataFusionError>> + Send;

    /// The rows of an optimised plan, where plans are made.
    fn planned(
        &self,
        plan: &LogicalPlan,
    ) -> impl Future<Output = Result<Vec<RecordBatch>, DataFusionError>> + Send;

    /// Why a query cannot be answered here, whatever the rows are; none where it can.
    fn unknowable(&self, _sql: &str) -> Option<String> {
        None
    }
}

impl Relations for SessionContext {
    async fn rows(&self, _name: &str, sql: &str) -> Result<Vec<RecordBatch>, DataFusionError> {
        let plan = self.sql(sql).await?.into_optimized_plan()?;
        self.planned(&plan).await
    }

    async fn planned(&self, plan: &LogicalPlan) -> Result<Vec<RecordBatch>, DataFusionError> {
        let state = self.state();
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let mut answered = answer(plan, &state).await;
        for thrifty in THRIFTY {
            let Err(error) = &answered else { break };
            if !matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) {
                break;
            }
            answered = answer(plan, &thrifty(&state)).await;
        }
        let mut batches = answered?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }

    async fn any(&self, relation: &str) -> Result<bool, DataFusionError> {
        let table = TableReference::bare(relation);
        Ok(self.table(table).await?.limit(0, Some(1))?.count().await? > 0)
    }
}

async fn answer(plan: &LogicalPlan, state: &SessionState) -> Result<Vec<RecordBatch>, DataFusionError> {
    let plan = state.query_planner().create_physical_plan(plan, state).await?;
    collect(plan, state.task_ctx()).await
}

/// The rows that a rule returns.
pub(super) async fn select(relations: &impl Relations, name: &str, sql: &str) -> Result<Vec<Row>, String> {
    read(relations.rows(name, sql).await)
}

/// The rows that a rule's optimised plan returns.
pub(super) async fn rows(relations: &impl Relations, plan: &LogicalPlan) -> Result<Vec<Row>, String> {
    read(relations.planned(plan).await)
}

fn read(batches: Result<Vec<RecordBatch>, DataFusionError>) -> Result<Vec<Row>, String> {
    let batches = batches.map_err(|error| query_file::one_line(&engine::Error::from(error)))?;
    for batch in batches.iter().take(1) {
        row::check(batch.schema().fields().iter().map(|field| field.name().as_str()))?;
    }
    let rows = batches.iter().map(row::read).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// The environment of each account that has one, by the events for which a condition is true.
pub(super) async fn environments(
    relations: &impl Relations,
    during: Option<&str>,
) -> Result<BTreeMap<String, String>, DataFusionError> {
    let mut found = BTreeMap::new();
    let sql = match during {
        Some(condition) => ENVIRONMENTS.replace("WHERE", &format!("WHERE {condition} AND")),
        None => ENVIRONMENTS.to_owned(),
    };
    for batch in relations.rows("environments", &sql).await? {
        let texts = |at: usize| cast(batch.column(at), &DataType::Utf8);
        let (accounts, names) = (texts(0)?, texts(1)?);
        for (account, name) in accounts.as_string::<i32>().iter().zip(names.as_string::<i32>()) {
            found.extend(account.zip(name).map(|(account, name)| (account.to_owned(), name.to_owned())));
        }
    }
    Ok(found)
}

/// How far the events of an [`EXTENT`] statement reach.
pub(super) async fn extent(relations: &impl Relations, sql: &str) -> Result<Extent, DataFusionError> {
    let batches = relations.rows("extent", sql).await?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(Extent::default()) };
    let ids = cast(batch.column(3), &DataType::Utf8)?;
    let ids = ids.as_string::<i32>();
    Ok(Extent {
        events: batch.column(0).as_primitive::<Int64Type>().value(0),
        first_seen: time(batch, 1)?,
        last_seen: time(batch, 2)?,
        sample: ids.is_valid(0).then(|| ids.value(0).to_owned()).into_iter().collect(),
    })
}

fn time(batch: &RecordBatch, at: usize) -> Result<Option<i64>, DataFusionError> {
    let column = cast(batch.column(at), &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let column = column.as_primitive::<TimestampMicrosecondType>();
    Ok(column.is_valid(0).then(|| column.value(0)))
}
