//! `[rules.BTnnn]` and `[[custom]]`.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use toml::Spanned;
use toml::value::Datetime;

use super::{Collector, SEVERITIES, Unique, expression, filled, optional, required, text, texts, word};
use crate::policy::entry::{Custom, Parameter, RuleSetting};
use crate::policy::predicate::Place;
use crate::policy::problem::{Flaw, Named, quoted};
use crate::policy::written::{self, Text};

/// Why a text cannot name a rule: built-in rules are `BT` and three digits, own rules anything else that is short.
pub(super) fn code_mistake(code: &str) -> Option<Flaw> {
    if let Some(digits) = code.strip_prefix("BT").or_else(|| code.strip_prefix("bt"))
        && digits.starts_with(|c: char| c.is_ascii_digit())
    {
        let good = code.starts_with("BT") && digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
        return (!good).then_some(("no rule code", "built-in rules are BT and three digits, like BT001"));
    }
    let good = code.starts_with(|c: char| c.is_ascii_alphabetic())
        && code.len() <= 64
        && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (!good).then_some(("no rule code", "letters, digits, - and _, like BT001 or ACME001"))
}

fn own_code_mistake(code: &str) -> Option<Flaw> {
    let reserved = code.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("BT"))
        && code[2..].starts_with(|c: char| c.is_ascii_digit());
    if reserved {
        Some(("codes of built-in rules are taken", "choose a prefix of your own"))
    } else {
        code_mistake(code)
    }
}

/// The settings by rule, and where each rule is named.
pub(super) fn settings(
    out: &mut Collector<'_>,
    written: BTreeMap<Text, written::Rule>,
) -> (BTreeMap<String, RuleSetting>, Named) {
    let mut settings = BTreeMap::new();
    let mut spans = Vec::new();
    for (code, rule) in written {
        let at = code.span();
        let code = code.into_inner();
        if let Some((message, help)) = code_mistake(&code) {
            out.invalid(&at, format!("{message}: {}", quoted(&code)), help);
            continue;
        }
        let enabled = rule.enabled.unwrap_or(true);
        if !enabled && (rule.reason.is_none() || rule.owner.is_none()) {
            let help = "write reason = \"…\" and owner = \"…\"; reports list every rule that is off";
            out.missing(&at, format!("rule {code} is off without a reason and an owner"), help);
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in rule.params {
            let place = value.span();
            match parameter(value.into_inner()) {
                Some(value) => {
                    parameters.insert(name.into_inner(), value);
                }
                None => out.invalid(
                    &place,
                    format!("parameter {} has a type that no rule takes", quoted(name.get_ref())),
                    "a whole number, text, a date or a list of texts",
                ),
            }
        }
        let setting = RuleSetting {
            enabled,
            severity: word(out, "severity", rule.severity, SEVERITIES),
            reason: text(out, "reason", rule.reason),
            owner: text(out, "owner", rule.owner),
            parameters,
        };
        spans.push((code.clone(), at));
        settings.insert(code, setting);
    }
    (settings, spans)
}

fn parameter(value: toml::Value) -> Option<Parameter> {
    match value {
        toml::Value::Integer(number) => Some(Parameter::Int(number)),
        toml::Value::String(text) => Some(Parameter::Text(text)),
        toml::Value::Datetime(time) => timestamp(&time).map(Parameter::Timestamp),
        toml::Value::Array(elements) => elements
            .into_iter()
            .map(|element| match element {
                toml::Value::String(text) => Some(text),
                _ => None,
            })
            .collect::<Option<Vec<String>>>()
            .map(Parameter::List),
        _ => None,
    }
}

/// An instant, UTC: a date, or a date-time without an offset or with `Z`.
fn timestamp(value: &Datetime) -> Option<NaiveDateTime> {
    let date = value.date?;
    if !matches!(value.offset, None | Some(toml::value::Offset::Z)) {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))?;
    let time = match value.time {
        None => NaiveTime::MIN,
        Some(time) => NaiveTime::from_hms_nano_opt(
            u32::from(time.hour),
            u32::from(time.minute),
            time.second.map_or(0, u32::from),
            time.nanosecond.unwrap_or(0),
        )?,
    };
    Some(day.and_time(time))
}

pub(super) fn customs(out: &mut Collector<'_>, written: Vec<Spanned<written::Custom>>) -> Vec<Custom> {
    let mut unique = Unique::new("custom", "id");
    let mut customs = Vec::new();
    for entry in written {
        let at = entry.span();
        let entry = entry.into_inner();
        let id = unique.id(out, &at, entry.id, Some(own_code_mistake));
        let whose =
            if id.is_empty() { "[[custom]]".to_owned() } else { format!("custom rule {}", quoted(&id)) };
        if entry.severity.is_none() {
            out.missing(
                &at,
                format!("{whose} has no severity"),
                &format!("one of {}", SEVERITIES.join(", ")),
            );
        }
        if let Some(when) = optional(out, "when", entry.when.clone()) {
            expression(out, "when", &when, Place::Condition);
        }
        if entry.having.is_some() && entry.group_by.is_none() {
            let help = "write group_by = [\"principal\"]";
            out.missing(&at, format!("{whose} has having but no group_by"), help);
        }
        filled(out, entry.group_by.as_ref());
        let group_by = texts(out, entry.group_by);
        for group in &group_by {
            expression(out, "group_by", group, Place::Group);
        }
        let groups: Vec<String> = group_by.into_iter().map(Spanned::into_inner).collect();
        let having = optional(out, "having", entry.having);
        if let Some(having) = &having {
            expression(out, "having", having, Place::Having(&groups));
        }
        let mut words = |list| texts(out, list).into_iter().map(Spanned::into_inner).collect();
        let (frameworks, attack, atlas) = (words(entry.frameworks), words(entry.attack), words(entry.atlas));
        customs.push(Custom {
            title: required(out, &at, &whose, "title", entry.title),
            severity: word(out, "severity", entry.severity, SEVERITIES).unwrap_or("info"),
            frameworks,
            attack,
            atlas,
            when: match entry.when {
                Some(when) => when.into_inner(),
                None => required(out, &at, &whose, "when", None),
            },
            group_by: groups,
            having: having.map(Spanned::into_inner),
            id,
        });
    }
    customs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_look_like_codes() {
        for good in ["BT001", "BT099", "ACME001", "acme-shadow", "BTX"] {
            assert_eq!(code_mistake(good), None, "{good}");
        }
        for bad in ["BT1", "bt001", "BT0011", "", "1ACME", "a b", "BT00a"] {
            assert!(code_mistake(bad).is_some(), "{bad}");
        }
        assert!(own_code_mistake("BT001").is_some() && own_code_mistake("bt1").is_some());
        assert_eq!(own_code_mistake("BTX"), None);
    }
}
