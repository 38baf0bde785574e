//! What Athena must be told of the policy besides its relations, and what is asked without Athena.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use crate::engine::{Engine, Result};
use crate::source::api::quoted;

/// The environments in the order in which the policy looks at them.
const ENVIRONMENTS: &str = "SELECT environment, account_re FROM policy_environment ORDER BY position NULLS LAST, account_re NULLS LAST";

impl Engine {
    /// The policy's environment of an account as an expression; each version of the policy has its own time.
    pub fn environment(&self, account: &str) -> Result<String> {
        let mut cases = Vec::new();
        if self.eras.is_empty() {
            for batch in self.run(ENVIRONMENTS)? {
                of(&batch, account, None, &mut cases)?;
            }
        }
        for era in &self.eras {
            let found = era.relations.iter().find(|(name, _)| *name == "policy_environment");
            if let Some((_, batch)) = found {
                // Its rows are in the policy's order.
                of(batch, account, Some(&era.condition), &mut cases)?;
            }
        }
        let nothing = || "CAST(NULL AS VARCHAR)".to_owned();
        Ok(if cases.is_empty() { nothing() } else { format!("CASE {} END", cases.join(" ")) })
    }

    /// No rows, as a query would return them.
    pub fn empty(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let schema = std::sync::Arc::new(self.plan(sql)?.schema().as_arrow().clone());
        Ok(vec![RecordBatch::new_empty(schema)])
    }

    /// Whether a relation has rows, as it is here or as one version of the policy has it.
    pub fn any(&self, relation: &str, era: Option<usize>) -> Result<bool> {
        let era = era.and_then(|at| self.eras.get(at));
        let found = era.and_then(|era| era.relations.iter().find(|(name, _)| *name == relation));
        if let Some((_, batch)) = found {
            return Ok(batch.num_rows() > 0);
        }
        let batches = self.run(&format!("SELECT 1 AS one FROM {relation} LIMIT 1"))?;
        Ok(batches.iter().any(|batch| batch.num_rows() > 0))
    }
}

fn of(batch: &RecordBatch, account: &str, during: Option<&str>, cases: &mut Vec<String>) -> Result<()> {
    let texts = |name: &str| {
        let column = batch.column_by_name(name);
        column.map(|column| cast(column, &DataType::Utf8)).transpose()
    };
    let (Some(names), Some(patterns)) = (texts("environment")?, texts("account_re")?) else { return Ok(()) };
    let during = during.map(|condition| format!("{condition} AND ")).unwrap_or_default();
    for (name, pattern) in names.as_string::<i32>().iter().zip(patterns.as_string::<i32>()) {
        if let (Some(name), Some(pattern)) = (name, pattern) {
            cases.push(format!(
                "WHEN {during}regexp_like({account}, {}) THEN {}",
                quoted(pattern),
                quoted(name)
            ));
        }
    }
    Ok(())
}
