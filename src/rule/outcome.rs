//! How each rule came out: one row per rule, the silent ones included.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::finding::Severity;

/// Whether a rule could say anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It judged events, whatever it found.
    Judged,
    /// There was nothing for it to judge, or nothing to judge by.
    NotApplicable,
    /// The policy turned it off.
    Disabled,
    /// The trail does not record what it would have to know, or it could not be run.
    NotAssessed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Judged => "judged",
            Self::NotApplicable => "not_applicable",
            Self::Disabled => "disabled",
            Self::NotAssessed => "not_assessed",
        })
    }
}

/// Why a rule that met nothing is not applicable.
pub(super) const NOTHING: &str = "there was nothing for it to judge";

/// How one rule came out. Counts are events, but for `violations`. Of a rule that judges one event at a time,
/// population = violating events + waived + passed + not assessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleOutcome {
    /// The rule's code.
    pub rule_id: String,
    /// The rule's name.
    pub rule_name: String,
    /// The rule's title.
    pub title: String,
    /// The policy's severity, else the header's; single findings may differ.
    pub severity: Severity,
    /// Whether it could say anything.
    pub state: State,
    /// Events it looked at.
    pub population: i64,
    /// Findings that are violations: groups, not events.
    pub violations: i64,
    /// Events in these.
    pub violating_events: i64,
    /// Events that break the rule under a waiver.
    pub waived: i64,
    /// Events found right.
    pub passed: i64,
    /// Events that could not be judged.
    pub not_assessed: i64,
    /// Why it is disabled, not applicable or not assessed.
    pub reason: Option<String>,
    /// Why it could not be run: an error of the program or of the rule file, not of the evidence.
    pub error: Option<String>,
}

/// The names of the columns of `rule_results`, in order.
pub const COLUMNS: [&str; 12] = [
    "rule_id",
    "rule_name",
    "title",
    "severity",
    "state",
    "population",
    "violations",
    "violating_events",
    "waived",
    "passed",
    "not_assessed",
    "reason",
];

/// The columns of the relation `rule_results`.
pub fn rules_schema() -> SchemaRef {
    let field = |name: &str| match name {
        "reason" => Field::new(name, DataType::Utf8View, true),
        "rule_id" | "rule_name" | "title" | "severity" | "state" => {
            Field::new(name, DataType::Utf8View, false)
        }
        _ => Field::new(name, DataType::Int64, false),
    };
    Arc::new(Schema::new(COLUMNS.map(field).to_vec()))
}

/// Outcomes as rows of `rule_results`, in the order given.
pub fn rules_batch(outcomes: &[RuleOutcome]) -> Result<RecordBatch, ArrowError> {
    let text = |get: fn(&RuleOutcome) -> Option<String>| -> ArrayRef {
        Arc::new(outcomes.iter().map(get).collect::<StringViewArray>())
    };
    let int = |get: fn(&RuleOutcome) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(outcomes.iter().map(get)))
    };
    let columns = vec![
        text(|outcome| Some(outcome.rule_id.clone())),
        text(|outcome| Some(outcome.rule_name.clone())),
        text(|outcome| Some(outcome.title.clone())),
        text(|outcome| Some(outcome.severity.to_string())),
        text(|outcome| Some(outcome.state.to_string())),
        int(|outcome| outcome.population),
        int(|outcome| outcome.violations),
        int(|outcome| outcome.violating_events),
        int(|outcome| outcome.waived),
        int(|outcome| outcome.passed),
        int(|outcome| outcome.not_assessed),
        text(|outcome| outcome.reason.clone()),
    ];
    RecordBatch::try_new(rules_schema(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_carries_every_column() {
        let outcome = RuleOutcome {
            rule_id: "BT001".to_owned(),
            rule_name: "model-not-allowed".to_owned(),
            title: "Model not allowed".to_owned(),
            severity: Severity::High,
            state: State::Disabled,
            population: 1,
            violations: 2,
            violating_events: 3,
            waived: 4,
            passed: 5,
            not_assessed: 6,
            reason: None,
            error: None,
        };
        let batch = rules_batch(&[outcome]).unwrap();
        let row: Vec<String> = batch
            .columns()
            .iter()
            .map(|column| arrow::util::display::array_value_to_string(column, 0).unwrap())
            .collect();
        insta::assert_snapshot!(row.join("|"), @"BT001|model-not-allowed|Model not allowed|high|disabled|1|2|3|4|5|6|");
        assert_eq!(rules_batch(&[]).unwrap().schema(), rules_schema());
    }
}
