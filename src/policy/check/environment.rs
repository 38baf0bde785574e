//! `[[environment]]`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chrono::NaiveTime;
use toml::Spanned;

use super::{Collector, Texts, Unique, filled, globs, text, texts, word};
use crate::policy::entry::{BusinessHours, Environment};
use crate::policy::glob::{glob_matches, globs_meet};
use crate::policy::problem::{nearest, quoted};
use crate::policy::written;

/// Settings of a credential class.
const SETTINGS: &[&str] = &["allow", "warn", "short_only", "deny"];

/// Settings of a class that knows no short life.
const PLAIN_SETTINGS: &[&str] = &["allow", "warn", "deny"];

/// Whether prompts and completions have to be logged.
const CONTENT_LOGGING: &[&str] = &["required", "optional"];
const MANTLE: &[&str] = &["used", "unused"];

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Where the Regions lie; `ref_region` in SQL.
const REGIONS: &str = include_str!("../../../queries/data/regions.csv");

/// Every geography that some Region lies in.
pub(in crate::policy) fn known_geographies() -> BTreeSet<&'static str> {
    let place =
        REGIONS.lines().next().and_then(|names| names.split(',').position(|name| name == "geography"));
    let rows = REGIONS.lines().skip(1);
    rows.filter_map(|row| row.split(',').nth(place?)).filter(|name| !name.is_empty()).collect()
}

pub(super) fn environments(
    out: &mut Collector<'_>,
    written: Vec<Spanned<written::Environment>>,
) -> Vec<Environment> {
    let mut unique = Unique::new("environment", "name");
    let mut environments: Vec<Environment> = Vec::new();
    for entry in written {
        let at = entry.span();
        let entry = entry.into_inner();
        let name = unique.id(out, &at, entry.name, None);
        if entry.accounts.is_none() {
            let message = format!("environment {} has no accounts", quoted(&name));
            out.missing(&at, message, "write accounts = [\"111122223333\"]");
        }
        let accounts = accounts(out, entry.accounts, &environments);
        let classes = [
            ("bearer_tokens", entry.credentials.bearer_tokens, SETTINGS),
            ("long_term_keys", entry.credentials.long_term_keys, PLAIN_SETTINGS),
            ("console", entry.credentials.console, PLAIN_SETTINGS),
        ];
        let mut credentials = Vec::new();
        for (class, setting, settings) in classes {
            credentials.extend(word(out, class, setting, settings).map(|setting| (class, setting)));
        }
        environments.push(Environment {
            name,
            accounts,
            regions: globs(out, entry.regions),
            geographies: geographies(out, entry.inference_geographies),
            guardrails: globs(out, entry.require_guardrail),
            vpc_endpoints: globs(out, entry.vpc_endpoints),
            cidrs: cidrs(out, entry.source_cidrs),
            credentials,
            business_hours: entry.business_hours.and_then(|hours| business_hours(out, hours)),
            data_class: text(out, "data_class", entry.data_class),
            data_retention: text(out, "data_retention", entry.data_retention),
            content_logging: word(out, "content_logging", entry.content_logging, CONTENT_LOGGING),
            mantle: word(out, "mantle", entry.mantle, MANTLE),
        });
    }
    environments
}

fn accounts(out: &mut Collector<'_>, list: Texts, earlier: &[Environment]) -> Vec<String> {
    filled(out, list.as_ref());
    let mut accounts: Vec<String> = Vec::new();
    for account in texts(out, list) {
        let at = account.span();
        let account = account.into_inner();
        if let Some(help) = account_mistake(&account) {
            out.invalid(&at, format!("no account id: {}", quoted(&account)), help);
            continue;
        }
        for other in earlier {
            if let Some(pattern) = other.accounts.iter().find(|pattern| covers(pattern, &account)) {
                let message = format!(
                    "accounts {account} are those of environment {} already, by {pattern}: the first match wins",
                    quoted(&other.name)
                );
                out.invalid(&at, message, "take them out of one of the two, or write the narrower one first");
            } else if let Some(pattern) = other.accounts.iter().find(|pattern| globs_meet(pattern, &account))
            {
                let message = format!(
                    "accounts {account} overlap {pattern} of environment {}; the first match wins, so {} keeps them",
                    quoted(&other.name),
                    quoted(&other.name)
                );
                out.note(&at, message);
            }
        }
        accounts.push(account);
    }
    accounts
}

/// Whether no account is left of the later pattern. A pattern is put to the test with both ends of the digits.
fn covers(earlier: &str, later: &str) -> bool {
    let any = |digit: &str| later.replace('?', digit).replace('*', &digit.repeat(12));
    earlier == later || ["0", "9"].iter().all(|digit| glob_matches(earlier, &any(digit)))
}

pub(super) fn account_mistake(account: &str) -> Option<&'static str> {
    let stars = account.contains('*');
    let places = account.chars().filter(|c| *c != '*').count();
    if account.chars().any(|c| !c.is_ascii_digit() && c != '*' && c != '?') {
        Some("an account id is twelve digits; * and ? may stand for some")
    } else if places > 12 || (!stars && places != 12) {
        Some("an account id has twelve digits")
    } else {
        None
    }
}

fn geographies(out: &mut Collector<'_>, list: Texts) -> Vec<String> {
    filled(out, list.as_ref());
    let mut names = Vec::new();
    let known = known_geographies();
    for name in texts(out, list) {
        let text = name.get_ref().as_str();
        if text == "*" || known.contains(text) {
            names.push(name.into_inner());
            continue;
        }
        let lower = text.to_lowercase();
        let near = known.iter().copied().find(|geography| lower.starts_with(geography));
        let near = near.or_else(|| {
            nearest(&lower, known.iter().copied().filter(|geography| geography.get(..1) == lower.get(..1)))
        });
        let all: Vec<&str> = known.iter().copied().collect();
        let all = format!("one of {}, or * for any", all.join(", "));
        let help = near.map_or_else(|| all.clone(), |near| format!("did you mean '{near}'? {all}"));
        out.invalid(&name.span(), format!("no geography: {}", quoted(text)), &help);
    }
    names
}

fn cidrs(out: &mut Collector<'_>, list: Texts) -> Vec<String> {
    filled(out, list.as_ref());
    let mut cidrs = Vec::new();
    for cidr in texts(out, list) {
        match cidr_mistake(cidr.get_ref()) {
            None => cidrs.push(cidr.into_inner()),
            Some(help) => out.invalid(&cidr.span(), format!("no network: {}", quoted(cidr.get_ref())), &help),
        }
    }
    cidrs
}

fn cidr_mistake(cidr: &str) -> Option<String> {
    let example = || Some("write address/bits, like 10.0.0.0/8 or 2001:db8::/32".to_owned());
    let Some((address, bits)) = cidr.split_once('/') else { return example() };
    let (Ok(address), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse::<u8>()) else { return example() };
    let width = if address.is_ipv4() { 32 } else { 128 };
    if bits > width {
        return Some(format!("at most {width} bits"));
    }
    let first = match address {
        IpAddr::V4(v4) => {
            IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(u32::from(32 - bits)).unwrap_or(0)).into())
        }
        IpAddr::V6(v6) => {
            IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(u32::from(128 - bits)).unwrap_or(0)).into())
        }
    };
    (first != address).then(|| format!("a network begins at its first address: {first}/{bits}"))
}

fn business_hours(out: &mut Collector<'_>, hours: Spanned<written::Hours>) -> Option<BusinessHours> {
    let at = hours.span();
    let hours = hours.into_inner();
    let mut days = Vec::new();
    if hours.days.is_none() || hours.start.is_none() || hours.end.is_none() {
        out.missing(&at, "business_hours wants days, start and end", "");
        return None;
    }
    filled(out, hours.days.as_ref());
    for day in texts(out, hours.days) {
        match (1u8..).zip(DAYS).find(|(_, name)| name == day.get_ref()) {
            Some((number, _)) => days.push(number),
            None => out.invalid(
                &day.span(),
                format!("no day of the week: {}", quoted(day.get_ref())),
                &format!("one of {}", DAYS.join(", ")),
            ),
        }
    }
    let mut time = |value: Option<Spanned<String>>, end: bool| {
        let value = value?;
        if end && value.get_ref() == "24:00" {
            return Some(None);
        }
        let time = NaiveTime::parse_from_str(value.get_ref(), "%H:%M").ok();
        if time.is_none() || value.get_ref().len() != 5 {
            let message = format!("no time of day: {}", quoted(value.get_ref()));
            out.invalid(&value.span(), message, "write hours and minutes, like \"06:00\"");
        }
        Some(time)
    };
    let start = time(hours.start, false)??;
    let end = time(hours.end, true)?;
    if end.is_some_and(|end| end <= start) {
        out.invalid(&at, "business_hours end before they start", "end = \"24:00\" is the end of the day");
    }
    Some(BusinessHours { days, start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_parse_or_say_why() {
        assert_eq!(cidr_mistake("10.0.0.0/8"), None);
        assert_eq!(cidr_mistake("0.0.0.0/0"), None);
        assert_eq!(cidr_mistake("2001:db8::/32"), None);
        assert_eq!(cidr_mistake("10.1.2.3/32"), None);
        assert_eq!(cidr_mistake("10.1.2.3/8").unwrap(), "a network begins at its first address: 10.0.0.0/8");
        assert_eq!(cidr_mistake("10.0.0.0/33").unwrap(), "at most 32 bits");
        assert!(cidr_mistake("10.0.0.0").unwrap().starts_with("write address/bits"));
        assert!(cidr_mistake("ten/8").is_some());
    }

    #[test]
    fn an_earlier_pattern_may_leave_nothing_of_a_later_one() {
        for (earlier, later, nothing) in [
            ("111122223333", "111122223333", true),
            ("1111*", "111122223333", true),
            ("*", "55*", true),
            ("11*", "1111*", true),
            ("1111*", "11*", false),
            ("111122223333", "1111*", false),
            ("11112222333?", "1111222233??", false),
            ("5555*", "1111*", false),
        ] {
            assert_eq!(covers(earlier, later), nothing, "{earlier} {later}");
        }
    }

    #[test]
    fn accounts_are_twelve_digits_or_globs_of_them() {
        for good in ["111122223333", "55*", "*", "1111?2223333", "*9"] {
            assert_eq!(account_mistake(good), None, "{good}");
        }
        for bad in ["11112222333", "1111222233334", "acme", "1111-2222-3333", "12?", "1234567890123*"] {
            assert!(account_mistake(bad).is_some(), "{bad}");
        }
    }
}
