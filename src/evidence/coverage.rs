//! Which accounts and Regions delivered logs, and which of those expected did not.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::error::ArrowError;

use crate::clock::{Window, format_micros};
use crate::config::Organization;
use crate::source::{Folder, Layout};

/// What a pair of account and Region delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Delivered {
    objects: i64,
    times: Option<(i64, i64)>,
    /// Whether there were objects of days that were pruned since.
    pruned: bool,
}

/// Log objects by the account and Region in their names.
#[derive(Debug, Default)]
pub struct Coverage {
    pairs: BTreeMap<(String, String), Delivered>,
    /// What was before that instant was pruned from the store: nothing is known of it any more.
    pruned: Option<i64>,
    /// Whether the window begins before that, and whether it ends before that.
    partly: bool,
    wholly: bool,
}

/// A pair, and whether it may be as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    account: String,
    region: String,
    delivered: Delivered,
    state: &'static str,
    reason: Option<String>,
}

impl Coverage {
    /// What a store delivers in a window, with the days before `pruned` gone.
    pub fn of(pruned: Option<i64>, window: &Window) -> Self {
        let before = |at: Option<i64>| pruned.is_some_and(|pruned| at.is_none_or(|at| at < pruned));
        let wholly = pruned.zip(window.to).is_some_and(|(pruned, to)| to <= pruned);
        Self { pairs: BTreeMap::new(), pruned, partly: before(window.from), wholly }
    }

    /// Counts an object, by its name, if it is a log of the window.
    pub fn add(&mut self, layout: &Layout<'_>, window: &Window) {
        let (Some(account), Some(region)) = (layout.account, layout.region) else { return };
        if layout.folder != Folder::CloudTrail {
            return;
        }
        let Some(at) = layout.delivered_at.or(layout.day) else { return };
        if window.from.is_some_and(|from| at < from) || window.to.is_some_and(|to| at >= to) {
            return;
        }
        let pair = self.pairs.entry((account.to_owned(), region.to_owned())).or_default();
        if self.pruned.is_some_and(|pruned| at < pruned) {
            pair.pruned = true;
            return;
        }
        pair.objects += 1;
        let (first, last) = pair.times.unwrap_or((at, at));
        pair.times = Some((first.min(at), last.max(at)));
    }

    fn pairs(&self, organization: Option<&Organization>) -> Vec<Pair> {
        let mut all = self.pairs.clone();
        let expected = |account: &str, region: &str| {
            organization.is_some_and(|organization| {
                organization.accounts.iter().any(|one| one == account)
                    && organization.regions.iter().any(|one| one == region)
            })
        };
        if let Some(organization) = organization {
            for account in &organization.accounts {
                for region in &organization.regions {
                    all.entry((account.clone(), region.clone())).or_default();
                }
            }
        }
        all.into_iter()
            .map(|((account, region), delivered)| {
                let quiet = organization.and_then(|organization| organization.quiet(&account, &region));
                let state = match (delivered.objects > 0, expected(&account, &region), quiet) {
                    (true, true, _) => "delivered",
                    (true, false, _) => {
                        if organization.is_some() {
                            "not_expected"
                        } else {
                            "delivered"
                        }
                    }
                    // Of days that are gone nobody can say who was silent in them.
                    (false, _, _) if delivered.pruned || self.wholly => "pruned",
                    (false, _, Some(_)) => "quiet",
                    (false, _, None) => "silent",
                };
                let reason = match (state, self.pruned.filter(|_| self.partly)) {
                    ("quiet", _) => Some(quiet.unwrap_or_default().to_owned()),
                    (_, Some(pruned)) => {
                        Some(format!("what was before {} was pruned from the store", format_micros(pruned)))
                    }
                    _ => None,
                };
                Pair { account, region, delivered, state, reason }
            })
            .collect()
    }

    /// Pairs that should have delivered something and did not.
    pub fn silent(&self, organization: &Organization) -> Vec<(String, String)> {
        let pairs = self.pairs(Some(organization)).into_iter();
        pairs.filter(|pair| pair.state == "silent").map(|pair| (pair.account, pair.region)).collect()
    }

    /// The relation `coverage`.
    pub fn batch(&self, organization: Option<&Organization>) -> Result<RecordBatch, ArrowError> {
        let pairs = self.pairs(organization);
        let name = |pair: &Pair| organization?.names.get(&pair.account).cloned();
        let text = |of: &dyn Fn(&Pair) -> Option<String>| -> ArrayRef {
            Arc::new(pairs.iter().map(of).collect::<StringViewArray>())
        };
        let time = |of: fn((i64, i64)) -> i64| -> ArrayRef {
            Arc::new(
                pairs.iter().map(|pair| pair.delivered.times.map(of)).collect::<TimestampMicrosecondArray>(),
            )
        };
        let objects: ArrayRef =
            Arc::new(pairs.iter().map(|pair| Some(pair.delivered.objects)).collect::<Int64Array>());
        RecordBatch::try_from_iter_with_nullable([
            ("account_id", text(&|pair| Some(pair.account.clone())), true),
            ("account_name", text(&name), true),
            ("aws_region", text(&|pair| Some(pair.region.clone())), true),
            ("state", text(&|pair| Some(pair.state.to_owned())), true),
            ("objects", objects, true),
            ("first_delivered", time(|(first, _)| first), true),
            ("last_delivered", time(|(_, last)| last), true),
            ("reason", text(&|pair| pair.reason.clone()), true),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Quiet;

    #[test]
    fn pairs_that_are_silent_are_named_unless_they_may_be() {
        let mut coverage = Coverage::default();
        let window = Window { from: Some(1_790_812_800_000_000), to: None };
        for (account, region, day) in
            [("111122223333", "eu-west-1", "05"), ("999999999999", "eu-west-1", "06")]
        {
            let name = format!(
                "AWSLogs/{account}/CloudTrail/{region}/2026/10/{day}/{account}_CloudTrail_{region}_202610{day}T1205Z_a.json.gz"
            );
            coverage.add(&Layout::of(&name), &window);
            coverage.add(&Layout::of(&name.replace("2026", "2025")), &window);
        }
        let quiet =
            Quiet { account: None, region: Some("us-west-2".to_owned()), reason: "denied".to_owned() };
        let organization = Organization {
            accounts: vec!["111122223333".to_owned(), "444455556666".to_owned()],
            regions: vec!["eu-west-1".to_owned(), "us-west-2".to_owned()],
            quiet: vec![quiet],
            ..Organization::default()
        };
        assert_eq!(coverage.silent(&organization), [("444455556666".to_owned(), "eu-west-1".to_owned())]);
        let states: Vec<_> = coverage
            .pairs(Some(&organization))
            .into_iter()
            .map(|pair| (pair.state, pair.delivered.objects))
            .collect();
        assert_eq!(
            states,
            [("delivered", 1), ("quiet", 0), ("silent", 0), ("quiet", 0), ("not_expected", 1)]
        );
        assert_eq!(coverage.pairs(None).len(), 2);
        assert_eq!(coverage.batch(Some(&organization)).unwrap().num_rows(), 5);
    }

    #[test]
    fn of_days_that_were_pruned_nobody_is_silent_and_nothing_is_delivered() {
        const DAY: i64 = 86_400_000_000;
        let october = 1_790_812_800_000_000;
        let organization = Organization {
            accounts: vec!["111122223333".to_owned(), "222233334444".to_owned()],
            regions: vec!["eu-west-1".to_owned()],
            ..Organization::default()
        };
        let states = |from: Option<i64>, to: Option<i64>| {
            let at = |day: i64| october + (day - 1) * DAY;
            let window = Window { from: from.map(at), to: to.map(at) };
            let mut coverage = Coverage::of(Some(at(10)), &window);
            for day in ["05", "12"] {
                let name = format!(
                    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10/{day}/111122223333_CloudTrail_eu-west-1_202610{day}T1205Z_a.json.gz"
                );
                coverage.add(&Layout::of(&name), &window);
            }
            let pairs = coverage.pairs(Some(&organization));
            assert_eq!(
                coverage.silent(&organization).len(),
                pairs.iter().filter(|pair| pair.state == "silent").count()
            );
            pairs
                .into_iter()
                .map(|pair| (pair.state, pair.delivered.objects, pair.reason.is_some()))
                .collect::<Vec<_>>()
        };
        assert_eq!(states(Some(11), None), [("delivered", 1, false), ("silent", 0, false)]);
        assert_eq!(states(Some(1), None), [("delivered", 1, true), ("silent", 0, true)]);
        assert_eq!(states(None, None), [("delivered", 1, true), ("silent", 0, true)]);
        assert_eq!(states(Some(1), Some(8)), [("pruned", 0, true), ("pruned", 0, true)]);
        assert_eq!(states(Some(1), Some(12)), [("pruned", 0, true), ("silent", 0, true)]);
    }
}
