//! Stretches of time that are asked for on their own, and what they are called in the ledger.

use crate::clock;

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// A half-open stretch of event time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slice {
    /// First instant, in microseconds UTC.
    pub(super) from: i64,
    /// First instant after it.
    pub(super) to: i64,
    /// `2026-10-01` for a day that is over; `2026-10-01@20261001T123000Z` for one that was seen in part, at that time, so
    /// that a store takes the rest when it is there; `2026-10-01..2026-11-01` for several days.
    pub(super) name: String,
}

/// The UTC days of a stretch, cut off at `now`. A day counts as over so long (`lag`) after its end, and if the service still
/// has it whole, from `earliest` on.
pub(super) fn days(from: i64, to: i64, now: i64, lag: i64, earliest: Option<i64>) -> Vec<Slice> {
    let mut slices = Vec::new();
    let mut start = from.div_euclid(DAY) * DAY;
    let to = to.min(now);
    while start < to {
        let end = start + DAY;
        let over = end + lag <= now && earliest.is_none_or(|earliest| start >= earliest);
        let day = date(start);
        let name = if over { day } else { format!("{day}@{}", stamp(now)) };
        slices.push(Slice { from: start, to: end.min(now), name });
        start = end;
    }
    slices
}

/// One slice of all.
pub(super) fn whole(from: i64, to: i64, now: i64) -> Slice {
    let name = |at: i64| if at % DAY == 0 { date(at) } else { stamp(at) };
    let to = to.min(now);
    Slice { from, to, name: format!("{}..{}", name(from), name(to)) }
}

/// `2026-10-01`
pub(super) fn date(micros: i64) -> String {
    clock::format_micros(micros).chars().take(10).collect()
}

/// `20261001T123000Z`
pub(super) fn stamp(micros: i64) -> String {
    let whole = clock::format_micros(micros - micros.rem_euclid(1_000_000));
    whole.chars().filter(|letter| !matches!(letter, '-' | ':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_goes_on_is_named_for_when_it_was_seen() {
        let (day, hour) = (20_000 * DAY, DAY / 24);
        let names = |from, to, now, earliest| -> Vec<String> {
            days(from, to, now, hour, earliest).into_iter().map(|slice| slice.name).collect()
        };
        assert_eq!(
            names(day + 5 * hour, day + 9 * DAY, day + DAY + 12 * hour, None),
            ["2024-10-04", "2024-10-05@20241005T120000Z"]
        );
        // An hour after midnight it is over.
        assert_eq!(names(day, day + DAY, day + DAY + hour - 1, None), ["2024-10-04@20241005T005959Z"]);
        assert_eq!(names(day, day + DAY, day + DAY + hour, None), ["2024-10-04"]);
        // What the service forgets meanwhile is not whole.
        assert_eq!(names(day, day + DAY, day + 9 * DAY, Some(day + 1)), ["2024-10-04@20241013T000000Z"]);
        assert!(names(day, day, day, None).is_empty());
        assert_eq!(whole(day, day + 99 * DAY, day + DAY + hour).name, "2024-10-04..20241005T010000Z");
    }
}
