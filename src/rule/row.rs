//! The rows that a rule's SELECT returns, read out of Arrow and merged to one per group.

use std::collections::BTreeMap;

use arrow::array::cast::AsArray;
use arrow::array::types::{Int64Type, TimestampMicrosecondType};
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};

use super::fold::EVENT_COLUMNS;
use crate::finding::{Severity, Verdict};

/// The columns a rule that groups events itself returns, in order. The last, `severity`, may be left out.
pub const ROW_COLUMNS: [&str; 15] = [
    "verdict",
    "account_id",
    "aws_region",
    "principal",
    "subject",
    "reason",
    "expected",
    "observed",
    "first_seen",
    "last_seen",
    "event_count",
    "population",
    "not_assessed_reason",
    "sample_event_ids",
    "severity",
];

/// The most sample event ids that a finding carries.
pub(super) const SAMPLES: usize = 5;

/// One row: a verdict on one group of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) verdict: Verdict,
    pub(super) account_id: Option<String>,
    pub(super) principal: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) aws_region: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) expected: Option<String>,
    pub(super) observed: Option<String>,
    pub(super) first_seen: Option<i64>,
    pub(super) last_seen: Option<i64>,
    pub(super) event_count: i64,
    pub(super) population: i64,
    pub(super) not_assessed_reason: Option<String>,
    pub(super) sample_event_ids: Vec<String>,
    pub(super) severity: Option<Severity>,
}

/// Checks that columns are those that a rule returns, by name and order.
pub(super) fn check<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let names: Vec<&str> = names.into_iter().collect();
    if names == ROW_COLUMNS || names == ROW_COLUMNS[..14] {
        return Ok(());
    }
    Err(format!(
        "it must return the columns {} per event, or {} per group, not {}",
        EVENT_COLUMNS[..11].join(", "),
        ROW_COLUMNS[..14].join(", "),
        names.join(", ")
    ))
}

/// Reads rows whose columns have been [`check`]ed.
pub(super) fn read(batch: &RecordBatch) -> Result<Vec<Row>, String> {
    let get = |index: usize, kind: DataType| -> Result<Option<ArrayRef>, String> {
        batch.columns().get(index).map(|column| cast(column, &kind)).transpose().map_err(|error| {
            format!("its column {} has the wrong type: {error}", ROW_COLUMNS.get(index).unwrap_or(&"?"))
        })
    };
    let texts = |index| get(index, DataType::Utf8);
    let times = |index| get(index, DataType::Timestamp(TimeUnit::Microsecond, None));
    let (verdict, account, region, principal) = (texts(0)?, texts(1)?, texts(2)?, texts(3)?);
    let (subject, reason, expected, observed) = (texts(4)?, texts(5)?, texts(6)?, texts(7)?);
    let (first, last) = (times(8)?, times(9)?);
    let (count, population) = (get(10, DataType::Int64)?, get(11, DataType::Int64)?);
    let (unassessed, samples, severity) = (texts(12)?, texts(13)?, texts(14)?);
    (0..batch.num_rows())
        .map(|at| {
            Ok(Row {
                verdict: verdict_at(verdict.as_ref(), at)?,
                account_id: text_at(account.as_ref(), at),
                aws_region: text_at(region.as_ref(), at),
                principal: text_at(principal.as_ref(), at),
                subject: text_at(subject.as_ref(), at),
                reason: text_at(reason.as_ref(), at),
                expected: text_at(expected.as_ref(), at),
                observed: text_at(observed.as_ref(), at),
                first_seen: time_at(first.as_ref(), at),
                last_seen: time_at(last.as_ref(), at),
                event_count: int_at(count.as_ref(), at),
                population: int_at(population.as_ref(), at),
                not_assessed_reason: text_at(unassessed.as_ref(), at),
                sample_event_ids: text_at(samples.as_ref(), at)
                    .map(|ids| ids.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect())
                    .unwrap_or_default(),
                severity: text_at(severity.as_ref(), at)
                    .map(|name| name.parse::<Severity>())
                    .transpose()
                    .map_err(|error| format!("its column severity: {error}"))?,
            })
        })
        .collect()
}

fn verdict_at(column: Option<&ArrayRef>, at: usize) -> Result<Verdict, String> {
    let name = text_at(column, at).unwrap_or_default();
    match name.parse::<Verdict>() {
        // Waivers are the runner's: a rule that could say so would escape the policy.
        Ok(Verdict::Waived) => Err("its column verdict: a rule does not waive; waivers do".to_owned()),
        Ok(verdict) => Ok(verdict),
        Err(error) => Err(format!("its column verdict: {error}")),
    }
}

fn text_at(column: Option<&ArrayRef>, at: usize) -> Option<String> {
    let column = column?.as_string_opt::<i32>()?;
    column.is_valid(at).then(|| column.value(at).to_owned())
}

fn time_at(column: Option<&ArrayRef>, at: usize) -> Option<i64> {
    let column = column?.as_primitive_opt::<TimestampMicrosecondType>()?;
    column.is_valid(at).then(|| column.value(at))
}

fn int_at(column: Option<&ArrayRef>, at: usize) -> i64 {
    let column = column.and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.filter(|column| column.is_valid(at)).map_or(0, |column| column.value(at))
}

/// What makes two rows one finding.
type Group<T> = (Verdict, Option<String>, Option<String>, Option<String>, T);

/// One row per verdict, account, principal and subject, and per `tag`; sorted by these.
///
/// Counts add up, times widen, Regions and sample ids unite, the worst severity stays, and of texts those of
/// the smallest row. The order of the input does not matter.
pub(super) fn merge<T: Ord>(rows: impl IntoIterator<Item = (Row, T)>) -> Vec<(Row, T)> {
    let mut rows: Vec<(Row, T)> = rows.into_iter().collect();
    rows.sort();
    let mut groups: BTreeMap<Group<T>, Row> = BTreeMap::new();
    for (row, tag) in rows {
        let key = (row.verdict, row.account_id.clone(), row.principal.clone(), row.subject.clone(), tag);
        match groups.entry(key) {
            std::collections::btree_map::Entry::Vacant(empty) => {
                empty.insert(row).cap_samples();
            }
            std::collections::btree_map::Entry::Occupied(mut held) => held.get_mut().absorb(row),
        }
    }
    groups.into_iter().map(|((.., tag), row)| (row, tag)).collect()
}

impl Row {
    fn absorb(&mut self, other: Self) {
        self.event_count = self.event_count.saturating_add(other.event_count);
        self.population = self.population.max(other.population);
        // An absent time is smaller than any, but says nothing.
        self.first_seen = self.first_seen.into_iter().chain(other.first_seen).min();
        self.last_seen = self.last_seen.max(other.last_seen);
        self.severity = self.severity.max(other.severity);
        self.aws_region = unite(self.aws_region.as_deref(), other.aws_region.as_deref());
        self.reason = self.reason.take().or(other.reason);
        self.expected = self.expected.take().or(other.expected);
        self.observed = self.observed.take().or(other.observed);
        self.not_assessed_reason = self.not_assessed_reason.take().or(other.not_assessed_reason);
        self.sample_event_ids.extend(other.sample_event_ids);
        self.cap_samples();
    }

    fn cap_samples(&mut self) {
        self.sample_event_ids.sort();
        self.sample_event_ids.dedup();
        self.sample_event_ids.truncate(SAMPLES);
    }
}

pub(super) fn unite(one: Option<&str>, other: Option<&str>) -> Option<String> {
    let mut words: Vec<&str> = one.into_iter().chain(other).flat_map(str::split_whitespace).collect();
    words.sort_unstable();
    words.dedup();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(subject: &str, count: i64, first: Option<i64>, samples: &str) -> Row {
        Row {
            verdict: Verdict::Violation,
            account_id: None,
            principal: None,
            subject: Some(subject.to_owned()),
            aws_region: Some("eu-west-1".to_owned()),
            reason: None,
            expected: None,
            observed: Some(samples.to_owned()),
            first_seen: first,
            last_seen: first,
            event_count: count,
            population: 9,
            not_assessed_reason: None,
            sample_event_ids: samples.split_whitespace().map(str::to_owned).collect(),
            severity: None,
        }
    }

    #[test]
    fn rows_of_one_group_become_one() {
        let mut other = row("a", 2, Some(5), "e9 e1 e2 e3 e4");
        other.aws_region = Some("eu-central-1".to_owned());
        other.severity = Some(Severity::Low);
        let merged = merge([(row("b", 1, None, ""), 0), (row("a", 1, Some(7), "e5 e2"), 0), (other, 0)]);
        assert_eq!(merged.len(), 2);
        let (first, _) = &merged[0];
        assert_eq!((first.event_count, first.population), (3, 9));
        assert_eq!((first.first_seen, first.last_seen), (Some(5), Some(7)));
        assert_eq!(first.sample_event_ids, ["e1", "e2", "e3", "e4", "e5"]);
        assert_eq!(first.aws_region.as_deref(), Some("eu-central-1 eu-west-1"));
        assert_eq!(first.severity, Some(Severity::Low));
    }

    #[test]
    fn absent_time_does_not_hide_a_present_one() {
        let merged = merge([(row("a", 1, None, ""), 0), (row("a", 1, Some(7), ""), 0)]);
        assert_eq!((merged[0].0.first_seen, merged[0].0.last_seen), (Some(7), Some(7)));
    }

    #[test]
    fn tags_keep_rows_apart() {
        assert_eq!(merge([(row("a", 1, None, ""), 1), (row("a", 1, None, ""), 2)]).len(), 2);
    }

    #[test]
    fn columns_are_fixed() {
        assert_eq!(check(ROW_COLUMNS), Ok(()));
        assert_eq!(check(ROW_COLUMNS[..14].iter().copied()), Ok(()));
        assert!(check(ROW_COLUMNS[..13].iter().copied()).is_err());
        assert!(check(ROW_COLUMNS.into_iter().rev()).is_err());
    }

    proptest! {
        #[test]
        fn merging_ignores_order_and_loses_no_event(
            parts in prop::collection::vec((0..3u8, 1..9i64, prop::option::of(0..9i64), "e[0-9]( e[0-9]){0,6}"), 0..12),
        ) {
            let rows: Vec<_> =
                parts.iter().map(|(s, count, first, ids)| (row(&s.to_string(), *count, *first, ids), ())).collect();
            let merged = merge(rows.clone());
            prop_assert_eq!(&merge(rows.into_iter().rev()), &merged);
            let total: i64 = parts.iter().map(|part| part.1).sum();
            prop_assert_eq!(merged.iter().map(|(row, ())| row.event_count).sum::<i64>(), total);
            prop_assert!(merged.iter().all(|(row, ())| row.sample_event_ids.len() <= SAMPLES));
        }
    }
}
