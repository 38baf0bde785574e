//! Rows in no more memory than they need, where operators count what they hold.
//!
//! A batch of texts holds on to whole buffers, of which it may show a few bytes: what a join, a sort, a window or groups
//! give points into the texts of all their rows, and so does each of their batches. What sorts or exchanges such batches
//! takes each for as large as the whole, spills what would fit, and finds memory exhausted long before it is.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::buffer::Buffer;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{
    CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions, replace_children_if_necessary,
};
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures_util::{StreamExt, stream};

use super::coded::CodedScan;

/// The same rows in no more memory than they need.
pub(super) fn compact(batch: &RecordBatch) -> RecordBatch {
    let columns = batch.columns().iter().map(|column| match column.as_string_view_opt() {
        // Twice what is shown is what copying at all pays for.
        Some(texts)
            if texts.data_buffers().iter().map(Buffer::len).sum::<usize>()
                > 2 * texts.total_buffer_bytes_used() =>
        {
            Arc::new(texts.gc()) as ArrayRef
        }
        _ => Arc::clone(column),
    });
    let columns: Vec<_> = columns.collect();
    RecordBatch::try_new(batch.schema(), columns).unwrap_or_else(|_| batch.clone())
}

/// A batch in pieces of so many rows at most, each compact: a sort cuts what it has sorted into such, and counts all texts
/// once for each.
fn pieces(batch: &RecordBatch, most: usize) -> Vec<Result<RecordBatch>> {
    let rows = batch.num_rows();
    if rows <= most {
        return vec![Ok(compact(batch))];
    }
    (0..rows).step_by(most.max(1)).map(|at| Ok(compact(&batch.slice(at, most.min(rows - at))))).collect()
}

/// Puts [`Dense`] between what scatters texts and what holds rows.
#[derive(Debug)]
pub(super) struct Densely;

impl PhysicalOptimizerRule for Densely {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(among)?.data)
    }

    fn name(&self) -> &'static str {
        "dense"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn among(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let children = plan.children();
    // A join lets the rows of its other side pass by.
    let holds = holding(plan.as_ref()).min(children.len());
    let sorts = plan.downcast_ref::<SortExec>().is_some();
    let loose = |child: &dyn ExecutionPlan| scatters(child) || (sorts && reads(child));
    if !children[..holds].iter().any(|child| loose(child.as_ref())) {
        return Ok(Transformed::no(plan));
    }
    let children = children.into_iter().enumerate().map(|(at, child)| {
        let child = Arc::clone(child);
        if at < holds && loose(child.as_ref()) { Arc::new(Dense { input: child }) as _ } else { child }
    });
    let children = children.collect();
    replace_children_if_necessary(plan, children).map(Transformed::yes)
}

/// Of how many of its inputs, from the first, it holds batches and counts their bytes.
fn holding(plan: &dyn ExecutionPlan) -> usize {
    if plan.downcast_ref::<SortMergeJoinExec>().is_some() {
        return 2;
    }
    usize::from(
        plan.downcast_ref::<SortExec>().is_some()
            || plan.downcast_ref::<SortPreservingMergeExec>().is_some()
            || plan.downcast_ref::<RepartitionExec>().is_some()
            || windows(plan)
            || plan.downcast_ref::<HashJoinExec>().is_some()
            || plan.downcast_ref::<NestedLoopJoinExec>().is_some(),
    )
}

/// What gives batches that point into texts of other rows.
fn scatters(plan: &dyn ExecutionPlan) -> bool {
    if let Some(input) = passed(plan) {
        return scatters(input.as_ref());
    }
    windows(plan)
        || plan.downcast_ref::<CodedScan>().is_some()
        || plan.downcast_ref::<SortExec>().is_some()
        || plan.downcast_ref::<SortPreservingMergeExec>().is_some()
        || plan.downcast_ref::<HashJoinExec>().is_some()
        || plan.downcast_ref::<SortMergeJoinExec>().is_some()
        || plan.downcast_ref::<NestedLoopJoinExec>().is_some()
}

/// What gives batches as they lie in a table: of any number of rows, and pages of a file hold the texts of several.
fn reads(plan: &dyn ExecutionPlan) -> bool {
    match passed(plan) {
        Some(input) => reads(input.as_ref()),
        None => plan.downcast_ref::<DataSourceExec>().is_some(),
    }
}

/// The input of what hands on its batches as they come.
fn passed(plan: &dyn ExecutionPlan) -> Option<&Arc<dyn ExecutionPlan>> {
    let projection = plan.downcast_ref::<ProjectionExec>().map(ProjectionExec::input);
    projection.or_else(|| plan.downcast_ref::<CoalescePartitionsExec>().map(CoalescePartitionsExec::input))
}

fn windows(plan: &dyn ExecutionPlan) -> bool {
    plan.downcast_ref::<BoundedWindowAggExec>().is_some() || plan.downcast_ref::<WindowAggExec>().is_some()
}

/// The rows of its input, each batch compact.
#[derive(Debug)]
struct Dense {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for Dense {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl ExecutionPlan for Dense {
    fn name(&self) -> &'static str {
        "Dense"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("{} has one input", self.name());
        };
        Ok(Arc::new(Self { input }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let most = context.session_config().batch_size();
        let batches = self.input.execute(partition, context)?;
        let pieces = batches.flat_map(move |batch| {
            stream::iter(batch.map_or_else(|error| vec![Err(error)], |batch| pieces(&batch, most)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), pieces)))
    }
}
