//! Event times: ISO 8601 text to microseconds, without a general date parser on the way.

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// Microseconds since the epoch, UTC, of `YYYY-MM-DDTHH:MM:SS[.fraction][Z|±HH[:]MM]`.
///
/// Without an offset the time is UTC, as all CloudTrail times are; digits beyond microseconds are cut.
/// `None` for anything else, impossible dates and leap seconds included.
pub fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || bytes[4] != b'-' || bytes[7] != b'-' || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let [year, month, day] = [digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..10])?];
    let [hour, minute, second] = [digits(&bytes[11..13])?, digits(&bytes[14..16])?, digits(&bytes[17..19])?];
    if hour > 23 || minute > 59 || second > 59 || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || day > days_in(year, month) {
        return None;
    }
    let (fraction, rest) = fraction(&bytes[19..])?;
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds - offset(rest)?) * SECOND + fraction)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, reckoned in years that begin in March, so that the leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

/// The fraction in microseconds and what follows it.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let places = rest[..length].iter().copied().chain(std::iter::repeat(b'0')).take(6);
    let micros = places.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    Some((micros, &rest[length..]))
}

/// The offset from UTC in seconds.
fn offset(bytes: &[u8]) -> Option<i64> {
    let (sign, rest) = match bytes {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        2 => (digits(rest)?, 0),
        4 => (digits(&rest[..2])?, digits(&rest[2..])?),
        5 if rest[2] == b':' => (digits(&rest[..2])?, digits(&rest[3..])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_forms_that_occur() {
        for (text, want) in [
            ("2023-07-10T12:00:01Z", "2023-07-10T12:00:01+00:00"),
            ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500+00:00"),
            ("2024-02-29 23:59:59.123456789", "2024-02-29T23:59:59.123456+00:00"),
            ("2026-01-01T00:30:00+02:00", "2025-12-31T22:30:00+00:00"),
            ("2026-01-01T00:30:00-0530", "2026-01-01T06:00:00+00:00"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59+00:00"),
        ] {
            let want = DateTime::parse_from_rfc3339(want).unwrap().timestamp_micros();
            assert_eq!(parse(text), Some(want), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "[REDACTED]",
            "2023-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-04-31T00:00:00Z",
            "2023-04-00T00:00:00Z",
            "2023-04-01T24:00:00Z",
            "2023-04-01T23:59:60Z",
            "2023-04-01T23:60:00Z",
            "2023-04-01T23:59:00.Z",
            "2023-04-01T23:59:00Zx",
            "2023-04-01T23:59:00+24:00",
            "2023-04-01T23:59:00+1",
            "2023-04-01",
            "1688990401",
            "+023-04-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(days in -800_000i32..800_000, second in 0u32..86_400, micro in 0u32..1_000_000) {
            let date = NaiveDate::from_epoch_days(days).filter(|date| (0..=9999).contains(&chrono::Datelike::year(date)));
            if let Some(time) = date.and_then(|date| date.and_hms_micro_opt(second / 3600, second / 60 % 60, second % 60, micro)) {
                let text = time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
                prop_assert_eq!(parse(&text), Some(time.and_utc().timestamp_micros()));
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,30}", digits in "[0-9TZ:. +-]{15,30}") {
            parse(&text);
            parse(&digits);
        }
    }
}
