//! Partition keys of a table, recognised by their names, as conditions that spare scanning what was not asked for.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate};

use super::relevant::{among, quoted};
use super::slice::DAY;
use crate::source::Extent;

/// A partition key: name and type in lower case.
pub(super) type Key = (String, String);

/// What is recognised, and what is not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Partitions {
    /// Conditions, to be joined by AND.
    pub(super) conditions: Vec<String>,
    /// Whether they bound the days.
    pub(super) days: bool,
    /// Keys that bound nothing.
    pub(super) unknown: Vec<String>,
}

/// The conditions for a stretch of days of publication; `parameters` are the table's, where projections say how dates are
/// written.
pub(super) fn partitions(
    keys: &[Key],
    parameters: &BTreeMap<String, String>,
    extent: &Extent,
    from: i64,
    to: i64,
    late_days: i64,
) -> Partitions {
    let mut found = Partitions::default();
    // As for the names of files: a day earlier since clocks differ, and so many later since delivery can be late.
    let (first, last) = (day(from - DAY), day(to - 1 + late_days * DAY));
    let (mut year, mut month, mut dom) = (None, None, None);
    for (name, kind) in keys {
        let column = format!("\"{}\"", name.replace('"', "\"\""));
        let value = |text: String| if kind.contains("int") { text } else { quoted(&text) };
        match name.replace(['_', '-'], "").as_str() {
            "region" | "awsregion" | "regionname" => {
                if !extent.regions.is_empty() {
                    found.conditions.push(among(&column, extent.regions.iter().map(String::as_str)));
                }
            }
            "account" | "accountid" | "acct" | "awsaccount" | "awsaccountid" | "accountnumber" => {
                if !extent.accounts.is_empty() {
                    let accounts: Vec<String> = extent.accounts.iter().cloned().map(value).collect();
                    found.conditions.push(format!("{column} IN ({})", accounts.join(",")));
                }
            }
            // Of our own statement: CloudTrail, CloudTrail-NetworkActivity. All of them are wanted.
            "folder" => {}
            "year" => year = Some((column, kind)),
            "month" => month = Some((column, kind)),
            "day" if keys.iter().any(|(name, _)| name == "month") => dom = Some((column, kind)),
            "day" | "date" | "dt" | "timestamp" | "eventdate" | "eventday" | "datehour" | "logdate" => {
                let format = parameters.get(&format!("projection.{name}.format")).map(String::as_str);
                let written = match (kind.as_str(), format) {
                    ("date", None) => Some(("DATE ", "%Y-%m-%d".to_owned())),
                    (_, Some(format)) => pattern(format).map(|pattern| ("", pattern)),
                    _ => None,
                };
                match written {
                    Some((kind, pattern)) => {
                        let bound =
                            |day: NaiveDate| format!("{kind}{}", quoted(&day.format(&pattern).to_string()));
                        let next = last.succ_opt().unwrap_or(last);
                        found.conditions.push(format!(
                            "{column} >= {} AND {column} < {}",
                            bound(first),
                            bound(next)
                        ));
                        found.days = true;
                    }
                    None => found.unknown.push(name.clone()),
                }
            }
            _ => found.unknown.push(name.clone()),
        }
    }
    if let Some(condition) = calendar(year.as_ref(), month.as_ref(), dom.as_ref(), first, last) {
        found.conditions.push(condition);
        found.days = true;
    }
    found
}

type Column<'k> = Option<&'k (String, &'k String)>;

/// Year, month and day in columns of their own: one condition for each month.
fn calendar(
    year: Column<'_>,
    month: Column<'_>,
    day: Column<'_>,
    first: NaiveDate,
    last: NaiveDate,
) -> Option<String> {
    let year = year?;
    let mut months: BTreeMap<(i32, u32), Vec<u32>> = BTreeMap::new();
    let mut at = first;
    while at <= last {
        months.entry((at.year(), at.month())).or_default().push(at.day());
        at = at.succ_opt()?;
    }
    // Some write 1 and some 01.
    let either = |column: &(String, &String), numbers: &[u32]| {
        let whole = column.1.contains("int");
        let written = |number: &u32| match (whole, *number < 10) {
            (true, _) => number.to_string(),
            (false, false) => quoted(&number.to_string()),
            (false, true) => format!("'{number}','0{number}'"),
        };
        format!("{} IN ({})", column.0, numbers.iter().map(written).collect::<Vec<_>>().join(","))
    };
    let one = |((in_year, in_month), days): (&(i32, u32), &Vec<u32>)| {
        let mut all = vec![either(year, &[in_year.unsigned_abs()])];
        if let Some(month) = month {
            all.push(either(month, &[*in_month]));
            all.extend(day.map(|day| either(day, days)));
        }
        format!("({})", all.join(" AND "))
    };
    let months: Vec<String> = months.iter().map(one).collect();
    Some(format!("({})", months.join(" OR ")))
}

fn day(micros: i64) -> NaiveDate {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().date_naive()
}

/// A projection's date format (Java's letters) as ours; none if it has more than year, month and day.
fn pattern(format: &str) -> Option<String> {
    let pattern = format.replace('\'', "").replace("yyyy", "%Y").replace("MM", "%m").replace("dd", "%d");
    let rest = pattern.replace("%Y", "").replace("%m", "").replace("%d", "");
    // Compared as text, dates must begin with the year.
    let sorted = pattern.starts_with("%Y") && pattern.find("%m") < pattern.find("%d");
    (sorted && !rest.bytes().any(|byte| byte.is_ascii_alphanumeric())).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: &[(&str, &str)], parameters: &[(&str, &str)], days: i64) -> Partitions {
        let keys: Vec<Key> =
            keys.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
        let parameters =
            parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let extent = Extent {
            accounts: vec!["111122223333".to_owned()],
            regions: vec!["eu-west-1".to_owned()],
            ..Extent::default()
        };
        // 2026-10-01
        let from = 20_727 * DAY;
        partitions(&keys, &parameters, &extent, from, from + days * DAY, 1)
    }

    #[test]
    fn projected_dates_are_bounds() {
        let found = of(
            &[("account", "string"), ("region", "string"), ("timestamp", "string")],
            &[("projection.timestamp.format", "yyyy/MM/dd")],
            3,
        );
        assert_eq!(
            found.conditions,
            [
                "\"account\" IN ('111122223333')",
                "\"region\" IN ('eu-west-1')",
                "\"timestamp\" >= '2026/09/30' AND \"timestamp\" < '2026/10/05'"
            ]
        );
        assert!(found.days && found.unknown.is_empty());
        assert_eq!(
            of(&[("dt", "date")], &[], 1).conditions,
            ["\"dt\" >= DATE '2026-09-30' AND \"dt\" < DATE '2026-10-03'"]
        );
    }

    #[test]
    fn year_month_and_day_are_listed() {
        let found = of(&[("year", "string"), ("month", "string"), ("day", "int")], &[], 1);
        assert_eq!(
            found.conditions,
            [
                "((\"year\" IN ('2026') AND \"month\" IN ('9','09') AND \"day\" IN (30)) OR (\"year\" IN ('2026') AND \"month\" IN ('10') AND \"day\" IN (1,2)))"
            ]
        );
    }

    #[test]
    fn what_is_not_known_bounds_nothing_and_is_told() {
        let found = of(&[("dt", "string"), ("team", "string")], &[], 1);
        assert_eq!(
            found,
            Partitions { unknown: vec!["dt".to_owned(), "team".to_owned()], ..Partitions::default() }
        );
        assert_eq!(pattern("dd/MM/yyyy"), None);
        assert_eq!(pattern("yyyy/MM/dd/HH"), None);
        assert_eq!(pattern("yyyy-MM-dd").as_deref(), Some("%Y-%m-%d"));
    }
}
