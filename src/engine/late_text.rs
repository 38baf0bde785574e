//! Texts that few rows are asked for are read for those rows only.
//!
//! A store's rows carry the record's own JSON and ids that no dictionary shortens: most of the bytes of a file. Where the
//! condition is on names of operations, which most rows do not have, the reader is told to apply it itself, before it
//! looks at the other columns. Where most rows pass that costs more than it saves, so it is not told in general.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, InListExpr};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

/// The column whose values divide the rows finely.
const NAME: &str = "event_name";

/// Lets a reader of files apply a condition that few rows meet.
#[derive(Debug)]
pub(super) struct LateText;

impl PhysicalOptimizerRule for LateText {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan
            .transform_down(|plan| Ok(late(&plan).map_or_else(|| Transformed::no(plan), Transformed::yes)))?
            .data)
    }

    fn name(&self) -> &'static str {
        "late_text"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn late(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let scan = plan.downcast_ref::<DataSourceExec>()?;
    let config = scan.data_source().downcast_ref::<FileScanConfig>()?;
    let source = config.file_source().downcast_ref::<ParquetSource>()?;
    if !split_conjunction(&config.file_source().filter()?).into_iter().any(few) {
        return None;
    }
    let source = source.clone().with_pushdown_filters(true);
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    Some(DataSourceExec::from_data_source(config))
}

/// Whether a condition is that the operation is one of some.
pub(super) fn few(condition: &Arc<dyn PhysicalExpr>) -> bool {
    let named = |expr: &Arc<dyn PhysicalExpr>| {
        expr.downcast_ref::<Column>().is_some_and(|column| column.name() == NAME)
    };
    if let Some(list) = condition.downcast_ref::<InListExpr>() {
        return !list.negated() && named(list.expr());
    }
    let Some(binary) = condition.downcast_ref::<BinaryExpr>() else { return false };
    match binary.op() {
        Operator::Eq => named(binary.left()) || named(binary.right()),
        Operator::Or => few(binary.left()) && few(binary.right()),
        Operator::And => few(binary.left()) || few(binary.right()),
        _ => false,
    }
}
