//! Which side of a join is held in memory: the one with fewer rows.
//!
//! The planner decides by the statistics of the sides, and knows nothing of a side that filters, groups or joins: it then
//! holds whichever a query names first, which for "the calls, with what is known of each" are all calls. Here the rows are
//! estimated from what the tables hold and what stands between, roughly, but always: a join of events to groups of
//! events holds the groups and lets the events pass by.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::session_state::SessionState;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, HashJoinExecBuilder, PartitionMode, SortMergeJoinExec};

use super::estimate::rows;

/// The planner's own rule, after which ours stands: later ones place exchanges and sorts by what is chosen.
const AFTER: &str = "join_selection";

/// A side with so many times fewer rows than the other is held whole, so that the other need not be divided by the key.
const MUCH_SMALLER: u64 = 8;

/// The rules of a session with ours among them.
pub(super) fn among(state: &SessionState) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<_> = state.physical_optimizers().to_vec();
    let after = rules.iter().position(|rule| rule.name() == AFTER).map_or(rules.len(), |at| at + 1);
    rules.insert(after, Arc::new(BuildSide));
    rules
}

/// Puts the smaller side of a join where it is held.
#[derive(Debug)]
struct BuildSide;

impl PhysicalOptimizerRule for BuildSide {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(turned)?.data)
    }

    fn name(&self) -> &'static str {
        "build_side"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn turned(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        return hash(join).map(|turned| turned.map_or_else(|| Transformed::no(plan), Transformed::yes));
    }
    if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
        return sorted(join).map(|turned| turned.map_or_else(|| Transformed::no(plan), Transformed::yes));
    }
    Ok(Transformed::no(plan))
}

/// A hash join with the smaller side held.
fn hash(join: &HashJoinExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if join.null_aware {
        return Ok(None);
    }
    let (held, passing) = (rows(join.left()), rows(join.right()));
    if passing < held && join.join_type().supports_swap() {
        return join.swap_inputs(mode(*join.partition_mode(), passing, held)).map(Some);
    }
    let mode = mode(*join.partition_mode(), held, passing);
    if mode == *join.partition_mode() {
        return Ok(None);
    }
    join.builder().with_partition_mode(mode).build_exec().map(Some)
}

/// A join that sorts both sides, as one that holds the smaller side, where that is much smaller.
fn sorted(join: &SortMergeJoinExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (left, right) = (rows(&join.left), rows(&join.right));
    if !much_smaller(left.min(right), left.max(right)) {
        return Ok(None);
    }
    let held = HashJoinExecBuilder::new(
        Arc::clone(&join.left),
        Arc::clone(&join.right),
        join.on.clone(),
        join.join_type,
    )
    .with_filter(join.filter.clone())
    .with_null_equality(join.null_equality)
    .with_partition_mode(PartitionMode::CollectLeft)
    .build()?;
    if right < left && held.join_type().supports_swap() {
        return held.swap_inputs(PartitionMode::CollectLeft).map(Some);
    }
    Ok((left <= right).then(|| Arc::new(held) as _))
}

fn mode(mode: PartitionMode, held: u64, passing: u64) -> PartitionMode {
    if mode == PartitionMode::Partitioned && much_smaller(held, passing) {
        return PartitionMode::CollectLeft;
    }
    mode
}

fn much_smaller(held: u64, passing: u64) -> bool {
    held.saturating_mul(MUCH_SMALLER) <= passing
}
