//! `array_agg(DISTINCT x ORDER BY x)` of text, for many groups.
//!
//! DataFusion sorts all rows for it, though they are sorted again within their groups, and gives each group a set of its
//! own on the heap behind two tables: over tens of thousands of groups that is most of a report's time and memory. Here a
//! group's texts stand in one sorted list.

mod lists;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use self::lists::{NAME, make};

/// Puts [`lists`] in the place of `array_agg(DISTINCT x ORDER BY x)`.
#[derive(Debug)]
pub(super) struct Sorted {
    list: Arc<AggregateUDF>,
}

impl Sorted {
    pub(super) fn new() -> Self {
        Self { list: Arc::new(make()) }
    }

    fn rewritten(&self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = plan else { return Ok(Transformed::no(plan)) };
        let mut changed = false;
        let mut list = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            let new = self.in_place_of(expr, &aggregate)?;
            changed |= new.is_some();
            list.push(new.unwrap_or_else(|| expr.clone()));
        }
        if !changed {
            return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
        }
        let Aggregate { input, group_expr, .. } = aggregate;
        Ok(Transformed::yes(LogicalPlan::Aggregate(Aggregate::try_new(input, group_expr, list)?)))
    }

    fn in_place_of(&self, expr: &Expr, aggregate: &Aggregate) -> Result<Option<Expr>> {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else { return Ok(None) };
        let AggregateFunctionParams { args, distinct: true, filter, order_by, null_treatment: None } = params
        else {
            return Ok(None);
        };
        let ([argument], [order]) = (&args[..], &order_by[..]) else { return Ok(None) };
        if func.name() != "array_agg" || order.expr != *argument || !order.asc || order.nulls_first {
            return Ok(None);
        }
        if argument.get_type(aggregate.input.schema())? != DataType::Utf8View {
            return Ok(None);
        }
        let list = AggregateFunction::new_udf(
            Arc::clone(&self.list),
            args.clone(),
            false,
            filter.clone(),
            Vec::new(),
            None,
        );
        // Who reads it knows it by the name it had.
        Ok(Some(Expr::AggregateFunction(list).alias(expr.schema_name().to_string())))
    }
}

impl AnalyzerRule for Sorted {
    fn name(&self) -> &'static str {
        NAME
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| self.rewritten(plan)).data()
    }
}

#[cfg(test)]
mod tests;
