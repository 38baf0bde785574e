//! Tables without rows: what joins, sorts or groups nothing is left out of a plan.
//!
//! Queries are planned before anything is read, and many ask relations that a run has nothing to put in: a past, a log of
//! invocations, aliases, what a policy could say and this one does not.

use datafusion::common::Result as PlanResult;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::logical_expr::{EmptyRelation, LogicalPlan, TableScan};
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::{OptimizerContext, OptimizerRule};

/// An optimised plan without what its empty tables make needless.
pub(super) fn left_out(plan: LogicalPlan) -> PlanResult<LogicalPlan> {
    let (rule, config) = (PropagateEmptyRelation::new(), OptimizerContext::new());
    let plan = plan.transform_up_with_subqueries(|node| {
        let node = match node {
            LogicalPlan::TableScan(scan) if is_empty(&scan) => {
                Transformed::yes(LogicalPlan::EmptyRelation(EmptyRelation {
                    produce_one_row: false,
                    schema: scan.projected_schema,
                }))
            }
            other => Transformed::no(other),
        };
        node.transform_data(|node| rule.rewrite(node, &config))
    })?;
    Ok(plan.data)
}

/// Whether a table in memory has no row now.
fn is_empty(scan: &TableScan) -> bool {
    let Ok(provider) = source_as_provider(&scan.source) else { return false };
    let Some(table) = provider.downcast_ref::<MemTable>() else { return false };
    // What is being written to is taken to have rows.
    table
        .batches
        .iter()
        .all(|part| part.try_read().is_ok_and(|batches| batches.iter().all(|batch| batch.num_rows() == 0)))
}
