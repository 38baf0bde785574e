//! Versions of the policy: its relations as each version has them, and the views over all of them.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::Result as PlanResult;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};

use super::slice::beside;
use super::{Engine, Result, contained, locked};

/// What the relations of a policy are called.
pub(super) const POLICY: &str = "policy_";

/// A version of the policy.
#[derive(Clone, Debug)]
pub struct Era {
    /// Which events it judges: a condition on the columns of `events`.
    pub condition: String,
    /// Its relations, in place of those that stand in the engine.
    pub relations: Vec<(&'static str, RecordBatch)>,
}

impl Era {
    pub(super) fn tables(&self) -> PlanResult<Vec<(&'static str, Arc<dyn TableProvider>)>> {
        let table = |batch: &RecordBatch| MemTable::try_new(batch.schema(), vec![vec![batch.clone()]]);
        let tables = self.relations.iter().map(|(name, batch)| Ok((*name, Arc::new(table(batch)?) as _)));
        tables.collect()
    }
}

impl Engine {
    /// Says that the policy has several versions, in order of time. A view that reads the policy then judges each event
    /// by the version of its time; all other queries see the relations that are registered.
    pub fn set_eras(&mut self, eras: Vec<Era>) -> Result<()> {
        self.eras = eras;
        locked(&self.plans).clear();
        let mut built = locked(&self.built);
        for view in self.views.keys().filter(|view| built.remove(*view)) {
            self.context.deregister_table(*view)?;
        }
        Ok(())
    }

    /// The versions of the policy, if there are several.
    pub fn eras(&self) -> &[Era] {
        &self.eras
    }

    /// A view's plan over all versions, where it depends on them; what it stands on has been built.
    pub(super) fn plan_over_eras(&self, view: &str) -> Result<Option<LogicalPlan>> {
        if self.eras.is_empty() || !view.contains(POLICY) {
            return Ok(None);
        }
        let mut whole: Option<LogicalPlan> = None;
        for era in &self.eras {
            // On a line of its own, since a view may end in a comment.
            let sql = format!("SELECT * FROM (\n{view}\n) AS era WHERE {}", era.condition);
            let planned = async {
                let context = beside(&self.context, &era.tables()?, &|_| false).await?;
                let plan: PlanResult<LogicalPlan> = Ok(context.sql(&sql).await?.into_unoptimized_plan());
                plan
            };
            let plan = contained(|| Ok(self.runtime.block_on(planned)?))?;
            whole = Some(match whole {
                None => plan,
                Some(before) => LogicalPlanBuilder::from(before).union(plan)?.build()?,
            });
        }
        Ok(whole)
    }
}
