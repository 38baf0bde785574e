//! Sums of whole numbers in a user's query: exact, or an error.
//!
//! DataFusion adds 64-bit integers modulo 2^64 and says nothing; a log can hold any number. So a sum is made of decimals
//! of 38 digits and taken back to a BIGINT, which fails where it does not fit, as in Trino. Queries of ours need it not:
//! they take counts above a million million for none.

use std::sync::Arc;

use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Projection, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, Window, WindowFunctionDefinition, cast,
};

/// A decimal of as many digits as there are.
const WIDE: DataType = DataType::Decimal128(38, 0);

/// The plan with its sums checked.
pub(super) fn checked(plan: LogicalPlan) -> Result<LogicalPlan> {
    let back =
        Arc::new(ScalarUDF::new_from_impl(Back { signature: Signature::any(1, Volatility::Immutable) }));
    plan.transform_up_with_subqueries(|plan| rewritten(plan, &back)).data()
}

fn rewritten(plan: LogicalPlan, back: &Arc<ScalarUDF>) -> Result<Transformed<LogicalPlan>> {
    let (input, exprs) = match &plan {
        LogicalPlan::Aggregate(aggregate) => (&aggregate.input, &aggregate.aggr_expr),
        LogicalPlan::Window(window) => (&window.input, &window.window_expr),
        _ => return Ok(Transformed::no(plan)),
    };
    let wide = exprs.iter().map(|expr| widened(expr, input)).collect::<Result<Vec<_>>>()?;
    if wide.iter().all(Option::is_none) {
        return Ok(Transformed::no(plan));
    }
    let first = plan.schema().fields().len() - exprs.len();
    let columns = plan.schema().columns().into_iter().enumerate().map(|(at, column)| {
        let sum = at.checked_sub(first).and_then(|at| wide.get(at)).is_some_and(Option::is_some);
        if !sum {
            return Expr::Column(column);
        }
        let (relation, name) = (column.relation.clone(), column.name.clone());
        back.call(vec![Expr::Column(column)]).alias_qualified(relation, name)
    });
    // GROUPING is worked out later from a column that then is there no more.
    let internal = |column: &Expr| matches!(column, Expr::Column(column) if column.name == Aggregate::INTERNAL_GROUPING_ID);
    let columns: Vec<Expr> = columns.filter(|column| !internal(column)).collect();
    let list =
        exprs.iter().zip(wide.iter().cloned()).map(|(expr, wide)| wide.unwrap_or_else(|| expr.clone()));
    let list: Vec<Expr> = list.collect();
    let inner = match plan {
        LogicalPlan::Aggregate(Aggregate { input, group_expr, .. }) => {
            LogicalPlan::Aggregate(Aggregate::try_new(input, group_expr, list)?)
        }
        LogicalPlan::Window(Window { input, .. }) => LogicalPlan::Window(Window::try_new(list, input)?),
        other => other,
    };
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(inner))?)))
}

/// A sum of integers as one of decimals, under the name it had.
fn widened(expr: &Expr, input: &LogicalPlan) -> Result<Option<Expr>> {
    let mut wide = expr.clone();
    let arguments = match &mut wide {
        Expr::AggregateFunction(sum) if sum.func.name() == "sum" => &mut sum.params.args,
        Expr::WindowFunction(window) => {
            let WindowFunction { fun: WindowFunctionDefinition::AggregateUDF(function), params } =
                &mut **window
            else {
                return Ok(None);
            };
            if function.name() != "sum" {
                return Ok(None);
            }
            &mut params.args
        }
        _ => return Ok(None),
    };
    let [argument] = &mut arguments[..] else { return Ok(None) };
    if !argument.get_type(input.schema())?.is_signed_integer() {
        return Ok(None);
    }
    *argument = cast(argument.clone(), WIDE);
    Ok(Some(wide.alias(expr.schema_name().to_string())))
}

/// Takes a sum of decimals back to a BIGINT.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Back {
    signature: Signature,
}

impl ScalarUDFImpl for Back {
    fn name(&self) -> &'static str {
        "bigint_sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [sums] = &arrays[..] else {
            return Err(DataFusionError::Internal("bigint_sum of nothing".to_owned()));
        };
        let whole = cast_with_options(sums, &DataType::Int64, &strict).map_err(|_| {
            DataFusionError::Execution(format!(
                "a sum goes beyond {}, the most that a BIGINT holds: write SUM(CAST(… AS DECIMAL(38, 0)))",
                i64::MAX
            ))
        })?;
        Ok(ColumnarValue::Array(whole))
    }
}
