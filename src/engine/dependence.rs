//! What DataFusion takes for a key and is none.
//!
//! DataFusion 55 holds that whatever was a key below a join still determines every column of an aggregate above it,
//! though the join repeats its rows (`aggregate_functional_dependencies`). It then drops columns from a GROUP BY, and a
//! DISTINCT that has work to do: counts come out too small, rows too many. Keys come from aggregates alone here, so each is
//! passed through a function that gives back what it is given: nothing is known of its result.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Distinct, Expr, LogicalPlan, Projection, ReturnFieldArgs, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

/// Takes the keys of aggregates from what the optimizer knows.
#[derive(Debug)]
pub(super) struct Keyless {
    same: Arc<ScalarUDF>,
}

impl Keyless {
    pub(super) fn new() -> Self {
        Self {
            same: Arc::new(ScalarUDF::new_from_impl(Same {
                signature: Signature::any(1, Volatility::Immutable),
            })),
        }
    }

    fn keyless(&self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let aggregate = match plan {
            LogicalPlan::Aggregate(aggregate) => aggregate,
            LogicalPlan::Distinct(Distinct::All(input)) if !input.schema().fields().is_empty() => {
                let columns = input.schema().columns().into_iter().map(Expr::Column).collect();
                Aggregate::try_new(input, columns, Vec::new())?
            }
            other => return Ok(Transformed::no(other)),
        };
        let keys = aggregate.group_expr.len();
        if keys == 0 || aggregate.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_))) {
            return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
        }
        let columns = aggregate.schema.columns().into_iter().enumerate().map(|(at, column)| {
            if at >= keys {
                return Expr::Column(column);
            }
            let (relation, name) = (column.relation.clone(), column.name.clone());
            self.same.call(vec![Expr::Column(column)]).alias_qualified(relation, name)
        });
        let columns = columns.collect();
        let input = Arc::new(LogicalPlan::Aggregate(aggregate));
        Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, input)?)))
    }
}

impl AnalyzerRule for Keyless {
    fn name(&self) -> &'static str {
        "keyless"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|plan| self.keyless(plan)).data()
    }
}

/// Gives back its argument.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Same {
    signature: Signature,
}

impl ScalarUDFImpl for Same {
    fn name(&self) -> &'static str {
        "same"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    /// As the argument, also in whether it can be null.
    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let missing = || datafusion::error::DataFusionError::Internal("same of nothing".to_owned());
        let field = arguments.arg_fields.first().ok_or_else(missing)?;
        Ok(Arc::new(field.as_ref().clone().with_name(self.name())))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut values = arguments.args;
        values.pop().ok_or_else(|| datafusion::error::DataFusionError::Internal("same of nothing".to_owned()))
    }
}
