//! A time zone as the stretches of time in which its distance from UTC is the same.

use arrow::array::timezone::Tz;
use chrono::{NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};

/// The years covered: the first whole one of any record, and one that no report will reach.
const FIRST: i32 = 2010;
const LAST: i32 = 2040;

/// Local time is UTC and `minutes` where `from` ≤ UTC < `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: NaiveDateTime,
    pub(super) to: NaiveDateTime,
    pub(super) minutes: i64,
}

/// A zone by its name in the IANA database, or a fixed offset like +01:00.
pub(super) fn zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// The stretches of a zone, in order and without a gap; UTC's where there is no such zone.
pub(super) fn stretches(name: &str) -> Vec<Stretch> {
    let ends = (NaiveDate::from_ymd_opt(FIRST, 1, 1), NaiveDate::from_ymd_opt(LAST + 1, 1, 1));
    let (Some(first), Some(last)) = ends else { return Vec::new() };
    let zone = zone(name);
    let minutes = |at: &NaiveDateTime| {
        zone.map_or(0, |zone| i64::from(zone.offset_from_utc_datetime(at).fix().local_minus_utc()) / 60)
    };
    let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN);
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut from = midnight(first);
    let mut now = minutes(&from);
    for day in first.iter_days().skip(1).take_while(|day| *day <= last) {
        let mut late = midnight(day);
        while minutes(&late) != now {
            // The first minute that differs from the day's beginning: no zone changes twice in a day.
            let mut early = late - TimeDelta::days(1);
            while late - early > TimeDelta::minutes(1) {
                let middle = early + TimeDelta::minutes((late - early).num_minutes() / 2);
                if minutes(&middle) == now {
                    early = middle;
                } else {
                    late = middle;
                }
            }
            stretches.push(Stretch { from, to: late, minutes: now });
            from = late;
            now = minutes(&late);
            late = midnight(day);
        }
    }
    stretches.push(Stretch { from, to: midnight(last), minutes: now });
    stretches
}

#[cfg(test)]
mod tests {
    use chrono::Datelike as _;

    use super::*;

    fn shown(name: &str, year: i32) -> String {
        stretches(name)
            .into_iter()
            .filter(|stretch| stretch.from.year() == year)
            .map(|stretch| format!("{} {} {}", stretch.from, stretch.to, stretch.minutes))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn summer_time_begins_and_ends_to_the_minute() {
        insta::assert_snapshot!(shown("Europe/Zurich", 2026), @r"
        2026-03-29 01:00:00 2026-10-25 01:00:00 120
        2026-10-25 01:00:00 2027-03-28 01:00:00 60
        ");
        // Half an hour of summer time, south of the equator.
        insta::assert_snapshot!(shown("Australia/Lord_Howe", 2026), @r"
        2026-04-04 15:00:00 2026-10-03 15:30:00 630
        2026-10-03 15:30:00 2027-04-03 15:00:00 660
        ");
    }

    #[test]
    fn stretches_leave_no_gap() {
        for name in
            ["UTC", "+05:30", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia"]
        {
            let all = stretches(name);
            for pair in all.windows(2) {
                assert_eq!(pair[0].to, pair[1].from, "{name}");
                assert_ne!(pair[0].minutes, pair[1].minutes, "{name}");
            }
            assert_eq!(all.first().unwrap().from.year(), FIRST, "{name}");
            assert_eq!(all.last().unwrap().to.year(), LAST + 1, "{name}");
        }
        assert_eq!(stretches("UTC").len(), 1);
        assert_eq!(stretches("+05:30")[0].minutes, 330);
        assert!(zone("Europe/Zuerich").is_none());
    }
}
