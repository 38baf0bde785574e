//! Findings with all that formats for other tools say of them: the rule's texts, and what the sample events show.

pub(super) mod asff;
pub(super) mod ocsf;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::finding::{Finding, Severity, Verdict};
use crate::rule::Rule;

/// What the rules of a run found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// When it was found: the time of the run, in microseconds, UTC.
    pub found_at: i64,
    /// The findings, in order.
    pub cases: Vec<Case>,
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Case {
    /// What was found.
    pub finding: Finding,
    /// The rule that found it; none for findings about waivers.
    pub rule: Option<&'static Rule>,
    /// Its sample events, in order; those that could be found again.
    pub events: Vec<Event>,
}

/// Columns of an event with their values as text; none is null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event(BTreeMap<&'static str, String>);

impl Event {
    /// An event of these columns and values.
    pub fn new(cells: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self(cells.into_iter().collect())
    }

    /// The value of a column; a blank one says nothing.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// Where the record is: log object, `#`, its index. Blanks are written `%20`, so that places can be listed.
    pub fn place(&self) -> Option<String> {
        let (object, index) = (self.get("log_object")?, self.get("log_index")?);
        Some(format!("{}#{index}", object.replace(char::is_whitespace, "%20")))
    }
}

/// The families of rules about abuse and tampering; the others are about the policy, and about coverage.
const DETECTIONS: [&str; 3] = ["BT05", "BT07", "BT08"];

impl Case {
    /// Whether it tells of an attack rather than of a rule not kept. What could not be assessed tells of none.
    fn detection(&self) -> bool {
        let code = &self.finding.rule_id;
        let own = !code.starts_with("BT");
        let threat = own && (self.finding.attack.is_some() || self.finding.atlas.is_some());
        self.finding.status != Verdict::NotAssessed
            && (threat || DETECTIONS.iter().any(|family| code.starts_with(family)))
    }

    /// The one Region it is about, if it is one.
    fn region(&self) -> Option<&str> {
        let mut regions = self.finding.aws_region.as_deref()?.split_whitespace();
        let first = regions.next()?;
        regions.next().is_none().then_some(first)
    }

    /// The account, or that of its first sample event.
    fn account(&self) -> Option<&str> {
        let of_event = || self.events.iter().find_map(|event| event.get("account_id"));
        self.finding.account_id.as_deref().or_else(of_event)
    }

    /// What is wrong, in a sentence.
    fn sentence(&self) -> &str {
        let finding = &self.finding;
        let unassessed = finding.not_assessed_reason.as_ref();
        let unassessed = unassessed.filter(|_| finding.status == Verdict::NotAssessed);
        let texts = [unassessed, finding.reason.as_ref(), Some(&finding.rule_title)];
        texts.into_iter().flatten().find(|text| !text.trim().is_empty()).unwrap_or(&finding.rule_name)
    }

    /// The rule's title, or its name where there is none.
    fn title(&self) -> &str {
        let title = &self.finding.rule_title;
        if title.trim().is_empty() { &self.finding.rule_name } else { title }
    }

    /// The frameworks with their controls: `SOC 2: CC6.1, CC6.3; …`, as the finding has them.
    fn controls(&self) -> Vec<(&str, Vec<&str>)> {
        let cell = self.finding.frameworks.as_deref().unwrap_or_default();
        let parts = cell.split("; ").filter_map(|part| part.split_once(": "));
        parts.map(|(framework, controls)| (framework, controls.split(", ").collect())).collect()
    }
}

/// A severity as OCSF and the Security Finding Format spell it; the former numbers them from 1.
fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// The partition of a Region.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Leaves out members that say nothing: null, empty texts, lists and objects. Whether anything is left.
fn prune(value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => {
            list.retain_mut(prune);
            !list.is_empty()
        }
        Value::Object(members) => {
            let all = std::mem::take(members);
            members
                .extend(all.into_iter().filter_map(|(key, mut one)| prune(&mut one).then_some((key, one))));
            !members.is_empty()
        }
        _ => true,
    }
}

/// An object without the members that say nothing.
fn object(mut value: Value) -> Map<String, Value> {
    prune(&mut value);
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
pub(super) mod tests;
