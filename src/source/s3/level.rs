//! What a prefix is in CloudTrail's layout, and between which keys of it the wanted days lie.

use chrono::DateTime;

use crate::source::{Extent, Folder, Layout};

const DAY: i64 = 86_400_000_000;

/// What a prefix is, and so how it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Not yet in a trail: somewhere below there may be an `AWSLogs`.
    Outside,
    /// In a trail, above the Region: listed by folder.
    Branch,
    /// A Region's folder or below: listed whole, by key.
    Leaf,
    /// Another service's logs.
    Foreign,
}

/// What a prefix that ends with `/` (or is empty) shows, by the layout of a file in it.
pub(super) fn level(prefix: &str) -> Level {
    let parts: Vec<&str> = prefix.split_terminator('/').collect();
    let Some(root) = parts.iter().rposition(|part| *part == "AWSLogs") else { return Level::Outside };
    let inside = &parts[root + 1..];
    let file = format!("{prefix}-");
    let layout = Layout::of(&file);
    let above = usize::from(inside.first().is_some_and(|part| part.starts_with("o-")));
    let depth = inside.len() - above;
    match (layout.account, depth) {
        (None, 0) | (Some(_), 0 | 1) => Level::Branch,
        (Some(_), _) if layout.folder == Folder::Other => Level::Foreign,
        (Some(_), 2) => Level::Branch,
        // A Region, or something below that CloudTrail did not write: listed as it is.
        _ => Level::Leaf,
    }
}

/// Up to and with the Region of a leaf, if it has one: what days follow on.
pub(super) fn region_folder(prefix: &str) -> Option<&str> {
    let file = format!("{prefix}-");
    let region = Layout::of(&file).region?;
    let inside = prefix.rfind("AWSLogs/")?;
    let at = prefix[inside..].find(&format!("/{region}/"))?;
    Some(&prefix[..inside + at + region.len() + 2])
}

/// The folder of a day: `2026/10/05`.
pub(super) fn day_folder(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map(|time| time.format("%Y/%m/%d").to_string())
        .unwrap_or_default()
}

/// The first day whose files can hold what is asked for, as microseconds of its start.
pub(super) fn first_day(extent: &Extent) -> Option<i64> {
    // The least day that `Extent::reads` admits.
    extent.from.map(|from| (from - 2 * DAY).div_euclid(DAY) * DAY + DAY)
}

/// The first day whose files cannot hold what is asked for any more.
pub(super) fn end_day(extent: &Extent) -> Option<i64> {
    extent.to.map(|to| (to + extent.late_days * DAY + DAY - 1).div_euclid(DAY) * DAY)
}

/// Splits the days from the one after `from` up to `end` into at most `parts` runs; their first days.
pub(super) fn days_after(from: i64, end: i64, parts: i64) -> Vec<i64> {
    let first = from.div_euclid(DAY) + 1;
    let days = end.div_euclid(DAY) + i64::from(end.rem_euclid(DAY) > 0) - first;
    let parts = parts.min(days).max(0);
    (0..parts).map(|part| (first + days * part / parts) * DAY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_told_by_its_folders() {
        for (prefix, expected) in [
            ("", Level::Outside),
            ("trails/one/", Level::Outside),
            ("AWSLogs/", Level::Branch),
            ("x/y/AWSLogs/", Level::Branch),
            ("AWSLogs/o-abc1234567/", Level::Branch),
            ("AWSLogs/111122223333/", Level::Branch),
            ("AWSLogs/o-abc1234567/111122223333/", Level::Branch),
            ("AWSLogs/111122223333/CloudTrail/", Level::Branch),
            ("AWSLogs/111122223333/CloudTrail-Digest/", Level::Branch),
            ("AWSLogs/o-abc1234567/111122223333/CloudTrail/", Level::Branch),
            ("AWSLogs/111122223333/CloudTrail/eu-central-1/", Level::Leaf),
            ("AWSLogs/111122223333/CloudTrail/global/", Level::Leaf),
            ("AWSLogs/o-abc1234567/111122223333/CloudTrail/eu-central-1/2026/10/", Level::Leaf),
            ("AWSLogs/111122223333/Config/", Level::Foreign),
            ("AWSLogs/111122223333/vpcflowlogs/eu-central-1/", Level::Foreign),
            ("AWSLogs/others/", Level::Leaf),
            ("AWSLogs/copy/AWSLogs/", Level::Branch),
            ("AWSLogs/copy/AWSLogs/111122223333/CloudTrail/", Level::Branch),
        ] {
            assert_eq!(level(prefix), expected, "{prefix}");
        }
    }

    #[test]
    fn days_follow_on_the_region() {
        let region = "x/AWSLogs/o-abc1234567/111122223333/CloudTrail/eu-central-1/";
        assert_eq!(region_folder(region), Some(region));
        assert_eq!(region_folder(&format!("{region}2026/10/05/")), Some(region));
        assert_eq!(region_folder("x/AWSLogs/111122223333/CloudTrail/"), None);
        assert_eq!(
            region_folder("eu-central-1/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/"),
            Some("eu-central-1/AWSLogs/111122223333/CloudTrail/eu-central-1/")
        );
    }

    #[test]
    fn the_first_and_the_last_day_are_those_that_are_read() {
        for from in [10 * DAY, 10 * DAY + 1, 11 * DAY - 1] {
            for late_days in [0, 1, 7] {
                let to = from + DAY / 2;
                let extent = Extent { from: Some(from), to: Some(to), late_days, ..Extent::default() };
                let reads = |day: i64| extent.reads(&Layout { day: Some(day * DAY), ..Layout::default() });
                let days: Vec<i64> = (0..40).filter(|day| reads(*day)).collect();
                assert_eq!(first_day(&extent), days.first().map(|day| day * DAY));
                assert_eq!(end_day(&extent), days.last().map(|day| (day + 1) * DAY));
            }
        }
        assert_eq!((first_day(&Extent::default()), end_day(&Extent::default())), (None, None));
    }

    #[test]
    fn days_are_split_without_a_gap() {
        assert_eq!(days_after(5 * DAY + 7, 9 * DAY, 8), [6 * DAY, 7 * DAY, 8 * DAY]);
        assert_eq!(days_after(5 * DAY, 6 * DAY, 8), Vec::<i64>::new());
        assert_eq!(days_after(0, 101 * DAY, 4), [DAY, 26 * DAY, 51 * DAY, 76 * DAY]);
        assert_eq!(days_after(9 * DAY, 3 * DAY, 4), Vec::<i64>::new());
        assert_eq!(day_folder(1_791_158_400_000_000), "2026/10/05");
    }
}
