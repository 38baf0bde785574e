//! How many rows a plan may yield, by what tables hold and what stands between: roughly, but always.

use std::sync::Arc;

use datafusion::physical_expr::split_conjunction;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::CrossJoinExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use super::late_text::few;

/// Rows taken for a table's that says nothing of them.
const UNTOLD: u64 = 1 << 20;

/// Of so many rows, one is left by a condition, by one on the names of operations, and by grouping.
const FILTERED: u64 = 2;
const NAMED: u64 = 64;
const GROUPED: u64 = 16;

/// How many rows a plan may yield.
pub(super) fn rows(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let children = plan.children();
    let Some(first) = children.first() else { return told(plan.as_ref()) };
    if let Some(group) = plan.downcast_ref::<AggregateExec>() {
        let finishes = matches!(group.mode(), AggregateMode::Final | AggregateMode::FinalPartitioned);
        return match () {
            () if group.group_expr().is_empty() => 1,
            () if finishes => rows(first),
            () => rows(first).div_ceil(GROUPED),
        };
    }
    if let Some(join) = plan.downcast_ref::<CrossJoinExec>() {
        return rows(join.left()).saturating_mul(rows(join.right()));
    }
    let least = children.iter().map(|child| rows(child));
    let most = if plan.name() == "UnionExec" { least.sum() } else { least.max().unwrap_or(UNTOLD) };
    let most = plan.downcast_ref::<FilterExec>().map_or(most, |filter| {
        let named = split_conjunction(filter.predicate()).into_iter().any(few);
        most.div_ceil(if named { NAMED } else { FILTERED })
    });
    plan.fetch().map_or(most, |fetch| most.min(fetch as u64))
}

/// How many rows a table says that it has.
fn told(plan: &dyn ExecutionPlan) -> u64 {
    let told = StatisticsContext::new().compute(plan, &StatisticsArgs::new());
    told.ok().and_then(|told| told.num_rows.get_value().copied()).map_or(UNTOLD, |rows| rows as u64)
}
