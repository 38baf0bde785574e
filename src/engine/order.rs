//! A total order for the rows of a user's query, so that two runs print the same.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};

/// The plan with its rows in an order that depends on nothing but their values.
pub(super) fn total(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(mut sort) if sort.fetch.is_none() => {
            let keys = tie_breakers(&sort.input, &sort.expr);
            sort.expr.extend(keys);
            Ok(LogicalPlan::Sort(sort))
        }
        LogicalPlan::Limit(_) => inside(&plan),
        LogicalPlan::Projection(ref projection) if ordered(&projection.input) => inside(&plan),
        plan => {
            let keys = tie_breakers(&plan, &[]);
            if keys.is_empty() { Ok(plan) } else { LogicalPlanBuilder::from(plan).sort(keys)?.build() }
        }
    }
}

/// Whether the order of the rows is decided in here.
fn ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => true,
        LogicalPlan::Projection(projection) => ordered(&projection.input),
        _ => false,
    }
}

fn inside(plan: &LogicalPlan) -> Result<LogicalPlan> {
    let expressions = plan.expressions();
    let inputs = plan.inputs().into_iter().cloned().map(total).collect::<Result<Vec<_>>>()?;
    plan.with_new_exprs(expressions, inputs)
}

/// Every column of the plan that can be compared and is no key yet, ascending, nulls last.
fn tie_breakers(plan: &LogicalPlan, keys: &[SortExpr]) -> Vec<SortExpr> {
    let known =
        |column: &Column| keys.iter().any(|key| matches!(&key.expr, Expr::Column(known) if known == column));
    plan.schema()
        .iter()
        .filter(|(_, field)| sortable(field.data_type()))
        .map(|(qualifier, field)| Column::from((qualifier, field)))
        .filter(|column| !known(column))
        .map(|column| Expr::Column(column).sort(true, false))
        .collect()
}

fn sortable(kind: &DataType) -> bool {
    match kind {
        DataType::Map(..)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => false,
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            sortable(field.data_type())
        }
        DataType::Struct(fields) => fields.iter().all(|field| sortable(field.data_type())),
        _ => true,
    }
}
