//! ⓪ Time: where "now" comes from, and how a person says a time. All of it is UTC, in microseconds since 1970.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// Where the time of a run comes from. A run asks once, so that it can be repeated.
pub trait Clock {
    /// Now, in microseconds since the epoch, UTC.
    fn now_micros(&self) -> i64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's time enters")]
    fn now_micros(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.ok().and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or(0)
    }
}

/// A clock that stands still, for a repeated run and for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed(
    /// The time it shows, in microseconds since the epoch.
    pub i64,
);

impl Clock for Fixed {
    fn now_micros(&self) -> i64 {
        self.0
    }
}

/// A time that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text names no time.
    #[error(
        "`{text}` is not a time: give an age (12h, 30d, 2w), a UTC date (2026, 2026-10, 2026-10-01), \
         a time (2026-10-01T12:00:00Z), or now, today, yesterday"
    )]
    NotATime {
        /// The text as given.
        text: String,
    },
    /// The window holds no instant.
    #[error("the window is empty: it starts at {from} ({from_utc}) and ends before {to} ({to_utc})")]
    EmptyWindow {
        /// The start as given.
        from: String,
        /// The start it means.
        from_utc: String,
        /// The end as given.
        to: String,
        /// The end it means.
        to_utc: String,
    },
}

/// A half-open stretch of time: `from` is in it, `to` is not. A missing end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first instant, in microseconds.
    pub from: Option<i64>,
    /// The instant after the last, in microseconds.
    pub to: Option<i64>,
}

/// The instant a text means, in microseconds.
///
/// An age (`12h`, `30d`, `2w`) counts back from `now`; `today` and `yesterday` are their first instant, and so
/// are a year, a month and a day, whether given as start or as end.
pub fn parse_when(text: &str, now: i64) -> Result<i64, Error> {
    let trimmed = text.trim();
    word(trimmed, now)
        .or_else(|| age(trimmed, now))
        .or_else(|| absolute(trimmed))
        .map(|time| time.and_utc().timestamp_micros())
        .ok_or_else(|| Error::NotATime { text: text.to_owned() })
}

/// The instant an absolute time means, in microseconds: as [`parse_when`], without ages and words.
pub fn parse_absolute(text: &str) -> Option<i64> {
    absolute(text.trim()).map(|time| time.and_utc().timestamp_micros())
}

/// The window between two texts (see [`parse_when`]); an error if it is empty.
pub fn parse_window(from: Option<&str>, to: Option<&str>, now: i64) -> Result<Window, Error> {
    let window = Window {
        from: from.map(|text| parse_when(text, now)).transpose()?,
        to: to.map(|text| parse_when(text, now)).transpose()?,
    };
    if let (Window { from: Some(start), to: Some(end) }, Some(from), Some(to)) = (window, from, to)
        && start >= end
    {
        return Err(Error::EmptyWindow {
            from: from.to_owned(),
            from_utc: format_micros(start),
            to: to.to_owned(),
            to_utc: format_micros(end),
        });
    }
    Ok(window)
}

/// A time as `2026-10-01T12:00:00Z`; a fraction of a second only where there is one.
pub fn format_micros(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())
}

fn naive(now: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(now).map(|time| time.naive_utc())
}

fn word(text: &str, now: i64) -> Option<NaiveDateTime> {
    let midnight = || naive(now).map(|now| now.date().and_time(NaiveTime::MIN));
    match text {
        "now" => naive(now),
        "today" => midnight(),
        "yesterday" => midnight()?.checked_sub_days(Days::new(1)),
        _ => None,
    }
}

fn age(text: &str, now: i64) -> Option<NaiveDateTime> {
    let (digits, hours) = match text.chars().last()? {
        'h' => (text.strip_suffix('h')?, 1),
        'd' => (text.strip_suffix('d')?, 24),
        'w' => (text.strip_suffix('w')?, 24 * 7),
        _ => return None,
    };
    let count = digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    naive(now)?.checked_sub_signed(TimeDelta::try_hours(i64::from(count) * hours)?)
}

fn absolute(text: &str) -> Option<NaiveDateTime> {
    date(text).map(|day| day.and_time(NaiveTime::MIN)).or_else(|| time(text))
}

fn date(text: &str) -> Option<NaiveDate> {
    // chrono takes `2026-1-1` and signs too; one form only, so that a slip is seen.
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<u32>().ok());
    let year = NaiveDate::from_ymd_opt(i32::try_from(number(0..4)?).ok()?, 1, 1)?;
    let month = |year: NaiveDate| match number(5..7)? {
        month @ 1..=12 => year.checked_add_months(Months::new(month - 1)),
        _ => None,
    };
    match shape.as_str() {
        "9999" => Some(year),
        "9999-99" => month(year),
        "9999-99-99" => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
        _ => None,
    }
}

fn time(text: &str) -> Option<NaiveDateTime> {
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|time| time.naive_utc());
    zoned.or_else(|| {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%MZ"]
            .into_iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-22T18:30:00Z, a Sunday.
    const NOW: i64 = 1_795_372_200_000_000;

    fn when(text: &str) -> String {
        parse_when(text, NOW).map_or_else(|error| error.to_string(), format_micros)
    }

    #[test]
    fn every_accepted_form() {
        let said: Vec<String> = [
            "now",
            "today",
            "yesterday",
            "12h",
            "30d",
            "2w",
            "2026",
            "2026-10",
            "2026-10-01",
            "2026-10-01T12:00:00Z",
            "2026-10-01T12:00:00.25Z",
            "2026-10-01T12:00:00+02:00",
            "2026-10-01T12:00",
            " 2024-02-29 ",
        ]
        .iter()
        .map(|text| format!("{text} = {}", when(text)))
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        now = 2026-11-22T18:30:00Z
        today = 2026-11-22T00:00:00Z
        yesterday = 2026-11-21T00:00:00Z
        12h = 2026-11-22T06:30:00Z
        30d = 2026-10-23T18:30:00Z
        2w = 2026-11-08T18:30:00Z
        2026 = 2026-01-01T00:00:00Z
        2026-10 = 2026-10-01T00:00:00Z
        2026-10-01 = 2026-10-01T00:00:00Z
        2026-10-01T12:00:00Z = 2026-10-01T12:00:00Z
        2026-10-01T12:00:00.25Z = 2026-10-01T12:00:00.250Z
        2026-10-01T12:00:00+02:00 = 2026-10-01T10:00:00Z
        2026-10-01T12:00 = 2026-10-01T12:00:00Z
         2024-02-29  = 2024-02-29T00:00:00Z
        ");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let wrong = [
            "",
            "d",
            "-3d",
            "+3d",
            "3m",
            "1.5h",
            "99999999999d",
            "26",
            "2026-13",
            "2026-00",
            "2026-02-30",
            "2026-1-1",
            "2026/10/01",
            "tomorrow",
            "Now",
            "2026-10-01 12:00:00",
            "٣d",
        ];
        for text in wrong {
            assert_eq!(parse_when(text, NOW), Err(Error::NotATime { text: text.to_owned() }), "{text}");
        }
        insta::assert_snapshot!(when("last week"), @"`last week` is not a time: give an age (12h, 30d, 2w), a UTC date (2026, 2026-10, 2026-10-01), a time (2026-10-01T12:00:00Z), or now, today, yesterday");
    }

    #[test]
    fn window_is_half_open_and_never_empty() {
        let window = parse_window(Some("2026-10"), Some("2026-11"), NOW).unwrap();
        assert_eq!(window.to.unwrap() - window.from.unwrap(), 31 * 86_400_000_000);
        assert_eq!(parse_window(Some("2026-10"), None, NOW).unwrap().to, None);
        assert_eq!(parse_window(None, None, NOW).unwrap(), Window::default());
        insta::assert_snapshot!(parse_window(Some("7d"), Some("2026-11"), NOW).unwrap_err(), @"the window is empty: it starts at 7d (2026-11-15T18:30:00Z) and ends before 2026-11 (2026-11-01T00:00:00Z)");
        assert!(parse_window(Some("today"), Some("today"), NOW).is_err());
    }

    #[test]
    fn system_clock_runs_after_this_was_written() {
        assert!(System.now_micros() > parse_when("2025", 0).unwrap());
        assert_eq!(Fixed(7).now_micros(), 7);
    }

    proptest! {
        #[test]
        fn any_text_is_answered_without_panic(text in "\\PC{0,12}|[0-9]{1,6}[-0-9dhwTZ:]{0,16}", now in any::<i64>()) {
            drop(parse_when(&text, now));
        }

        #[test]
        fn formatted_time_reads_back(micros in 0i64..4_102_444_800_000_000) {
            prop_assert_eq!(parse_when(&format_micros(micros), 0), Ok(micros));
        }
    }
}
