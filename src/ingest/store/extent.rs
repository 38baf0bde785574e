//! Which rows of a store a run asks for: those in its window whose objects it would read.

use std::fmt::Write as _;

use arrow::array::{Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};

use super::log::{Part, PartKind, State};
use super::part::column;
use super::{StoreError, day_of};
use crate::source::{Extent, Layout, among};

/// Columns that the test of a row reads.
pub(super) const COLUMNS: [&str; 6] =
    ["event_time", "account_id", "aws_region", "_object_account", "_object_region", "_object_day"];

/// Whether everything is asked for.
pub(super) fn everything(extent: &Extent) -> bool {
    extent.from.is_none() && extent.to.is_none() && extent.accounts.is_empty() && extent.regions.is_empty()
}

/// The parts of a kind that can hold rows of the window.
pub(super) fn parts<'s>(state: &'s State, kind: PartKind, extent: &Extent) -> Vec<&'s Part> {
    let within = |part: &&Part| {
        part.day.is_none_or(|day| {
            extent.from.is_none_or(|from| day >= day_of(from))
                && extent.to.is_none_or(|to| day <= day_of(to - 1))
        })
    };
    state.of(kind).into_iter().filter(within).collect()
}

/// Whether every row of a part is asked for, as far as the log tells.
pub(super) fn whole(part: &Part, extent: &Extent) -> bool {
    const DAY: i64 = 86_400_000_000;
    let Some((facts, day)) = part.facts.zip(part.day) else { return false };
    let start = i64::from(day) * DAY;
    let in_window = extent.from.is_none_or(|from| from <= start)
        && extent.to.is_none_or(|to| start.checked_add(DAY).is_some_and(|end| end <= to));
    let named = |day: i64| extent.reads(&Layout { day: Some(day), ..Layout::default() });
    extent.accounts.is_empty()
        && extent.regions.is_empty()
        && in_window
        && facts.objects.is_none_or(|(first, last)| named(first) && named(last))
}

/// A batch of rows by the columns that tell whether they are asked for.
pub(super) struct Test<'b> {
    times: &'b TimestampMicrosecondArray,
    days: &'b TimestampMicrosecondArray,
    accounts: &'b StringViewArray,
    regions: &'b StringViewArray,
    object_accounts: &'b StringViewArray,
    object_regions: &'b StringViewArray,
}

impl<'b> Test<'b> {
    pub(super) fn of(batch: &'b RecordBatch) -> Result<Self, StoreError> {
        let text = |name| column::<StringViewArray>(batch, name);
        let time = |name| column::<TimestampMicrosecondArray>(batch, name);
        Ok(Self {
            times: time("event_time")?,
            days: time("_object_day")?,
            accounts: text("account_id")?,
            regions: text("aws_region")?,
            object_accounts: text("_object_account")?,
            object_regions: text("_object_region")?,
        })
    }

    /// Whether the event lies in the time, accounts and Regions asked for.
    pub(super) fn in_range(&self, row: usize, extent: &Extent) -> bool {
        let at = self.times.value(row);
        extent.from.is_none_or(|from| at >= from)
            && extent.to.is_none_or(|to| at < to)
            && among(&extent.accounts, text(self.accounts, row))
            && among(&extent.regions, text(self.regions, row))
    }

    /// Whether the object would be read.
    pub(super) fn is_read(&self, row: usize, extent: &Extent) -> bool {
        extent.reads(&Layout {
            account: text(self.object_accounts, row),
            region: text(self.object_regions, row),
            day: self.days.is_valid(row).then(|| self.days.value(row)),
            ..Layout::default()
        })
    }
}

fn text(array: &StringViewArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// The same test in SQL, over files of rows; none where everything is asked for.
pub(super) fn predicate(extent: &Extent) -> Option<String> {
    const DAY: i64 = 86_400_000_000;
    let instant = |micros: i64| format!("arrow_cast({micros}, 'Timestamp(Microsecond, None)')");
    let mut all: Vec<String> = Vec::new();
    let mut list = |column: &str, wanted: &[String]| {
        if wanted.is_empty() {
            return;
        }
        let mut text = format!("({column} IS NULL OR {column} IN (");
        for (at, one) in wanted.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let _ = write!(text, "{comma}'{}'", one.replace('\'', "''"));
        }
        text.push_str("))");
        all.push(text);
    };
    list("account_id", &extent.accounts);
    list("aws_region", &extent.regions);
    list("_object_account", &extent.accounts);
    list("_object_region", &extent.regions);
    if let Some(from) = extent.from {
        all.push(format!("event_time >= {}", instant(from)));
        let day = instant(from.saturating_sub(2 * DAY));
        all.push(format!("(_object_day IS NULL OR _object_day > {day})"));
    }
    if let Some(to) = extent.to {
        all.push(format!("event_time < {}", instant(to)));
        let day = instant(to.saturating_add(extent.late_days * DAY));
        all.push(format!("(_object_day IS NULL OR _object_day < {day})"));
    }
    (!all.is_empty()).then(|| all.join(" AND "))
}
