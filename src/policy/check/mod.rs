//! From what is written to what is meant: every check that needs more than the shape of the file.

mod approved;
mod environment;
mod grant;
mod rule;
mod waiver;

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use toml::value::Datetime;

use super::Content;
use super::alias::Alias;
use super::entry::{Agent, Defaults, Logging, ModelEnd};
use super::glob::{glob_likeness, glob_mistake};
use super::offset;
use super::predicate::{self, Place};
use super::problem::{Collector, Flaw, nearest, quoted};
use super::written::{self, Date, File, Text, Texts};

pub(super) use environment::known_geographies as geographies;

/// The severities, worst first.
pub(super) const SEVERITIES: &[&str] = &["critical", "high", "medium", "low", "info"];

/// Checks a whole file; what is wrong goes to the collector and is left out of the result.
pub(super) fn check(file: File, out: &mut Collector<'_>) -> Content {
    let top = 0..0;
    match &file.schema {
        None => out.missing(&top, "schema is missing", "write schema = 1"),
        Some(schema) if *schema.get_ref() != 1 => {
            let message = format!("schema {} is not known", schema.get_ref());
            out.invalid(&schema.span(), message, "this version reads schema = 1");
        }
        Some(_) => {}
    }
    let name = required(out, &top, "the policy", "name", file.name);
    let version = required(out, &top, "the policy", "version", file.version);
    let timezone = optional(out, "timezone", file.timezone).map_or_else(
        || "UTC".to_owned(),
        |zone| {
            if offset::zone(zone.get_ref()).is_none() {
                let message = format!("unknown time zone {}", quoted(zone.get_ref()));
                out.invalid(&zone.span(), message, "write an IANA name, like Europe/Zurich");
            }
            zone.into_inner()
        },
    );
    let effective_from = date(out, "effective_from", file.effective_from.as_ref());
    let defaults = defaults(out, file.defaults);
    let environments = environment::environments(out, file.environment);
    let names: Vec<String> = environments.iter().map(|environment| environment.name.clone()).collect();
    let allow = grant::allow(out, file.allow, &names);
    let deny = grant::deny(out, file.deny, &names);
    let model_ends = model_ends(out, file.model_end);
    let agents = agents(out, file.agent);
    let logging = Logging {
        invocation_log_targets: globs(out, file.logging.invocation_log_targets),
        buckets: globs(out, file.logging.log_buckets),
        keys: globs(out, file.logging.log_keys),
    };
    let approved = approved::approved(out, file.approved);
    let aliases = aliases(out, file.aliases, file.alias);
    let customs = rule::customs(out, file.custom);
    let (rules, rule_spans) = rule::settings(out, file.rules);
    let (waivers, waived, conditions) = waiver::waivers(out, file.waiver, file.allow_tamper_waiver);
    Content {
        name,
        version,
        timezone,
        effective_from,
        defaults,
        environments,
        allow,
        deny,
        model_ends,
        agents,
        logging,
        approved,
        aliases,
        rules,
        customs,
        waivers,
        conditions,
        named_rules: rule_spans.into_iter().chain(waived).collect(),
    }
}

fn defaults(out: &mut Collector<'_>, written: written::Defaults) -> Defaults {
    let default = Defaults::default();
    Defaults {
        unknown_model: word(out, "unknown_model", written.unknown_model, &["deny", "warn", "allow"])
            .unwrap_or(default.unknown_model),
        fail_on: word(out, "fail_on", written.fail_on, SEVERITIES).unwrap_or(default.fail_on),
        assess_missing: word(out, "assess_missing", written.assess_missing, &["not_assessed"])
            .unwrap_or(default.assess_missing),
    }
}

fn model_ends(out: &mut Collector<'_>, written: Vec<toml::Spanned<written::ModelEnd>>) -> Vec<ModelEnd> {
    let mut unique = Unique::new("model_end", "model");
    let mut ends = Vec::new();
    for entry in written {
        let at = entry.span();
        let entry = entry.into_inner();
        let model = unique.id(out, &at, entry.model, Some(glob_mistake));
        let after = date(out, "after", entry.after.as_ref());
        if entry.after.is_none() {
            out.missing(
                &at,
                "[[model_end]] has no after",
                "write the first day without it: after = 2026-12-31",
            );
        }
        let replacement = text(out, "replacement", entry.replacement);
        if let Some(after) = after {
            ends.push(ModelEnd { model, after: midnight(after), replacement });
        }
    }
    ends
}

fn agents(out: &mut Collector<'_>, written: Vec<toml::Spanned<written::Agent>>) -> Vec<Agent> {
    let mut unique = Unique::new("agent", "name");
    let mut agents = Vec::new();
    for entry in written {
        let at = entry.span();
        let entry = entry.into_inner();
        let name = unique.id(out, &at, entry.name, None);
        let runtime = entry.runtime.and_then(|pattern| glob(out, pattern));
        if let Some(role) = &entry.execution_role {
            approved::no_session(out, role);
        }
        let execution_role = entry.execution_role.and_then(|pattern| glob(out, pattern));
        if runtime.is_none() && execution_role.is_none() {
            let help = "write runtime, execution_role or both";
            out.missing(&at, format!("agent {} cannot be told from others", quoted(&name)), help);
        }
        for action in entry.deny_actions.iter().flat_map(toml::Spanned::get_ref) {
            if !action.get_ref().contains(':') && !action.get_ref().is_empty() {
                let message = format!("no action: {}", quoted(action.get_ref()));
                out.invalid(&action.span(), message, "write service:Action, like s3:Delete*");
            }
        }
        let services = texts(out, entry.services)
            .into_iter()
            .map(|service| service.get_ref().trim_end_matches(".amazonaws.com").to_owned())
            .collect();
        agents.push(Agent {
            name,
            runtime,
            execution_role,
            callers: approved::principals(out, entry.callers),
            services,
            deny_actions: globs(out, entry.deny_actions),
            providers: texts(out, entry.credential_providers)
                .into_iter()
                .map(toml::Spanned::into_inner)
                .collect(),
            lambdas: globs(out, entry.action_lambdas),
            uses: globs(out, entry.uses),
        });
    }
    agents
}

/// The aliases of a file, by their references.
pub(super) fn aliases(
    out: &mut Collector<'_>,
    table: BTreeMap<Text, Text>,
    list: Vec<toml::Spanned<written::Alias>>,
) -> Vec<Alias> {
    let mut aliases = BTreeMap::new();
    for (reference, model) in table {
        if let Some(model) = text(out, "an alias", Some(model)) {
            aliases.insert(reference.into_inner(), (model, None));
        }
    }
    for entry in list {
        let at = entry.span();
        let entry = entry.into_inner();
        let place = entry.reference.as_ref().map_or(at.clone(), toml::Spanned::span);
        let reference = required(out, &at, "[[alias]]", "reference", entry.reference);
        let model = required(out, &at, "[[alias]]", "model_id", entry.model_id);
        let since = date(out, "since", entry.since.as_ref()).map(midnight);
        if reference.is_empty() || model.is_empty() {
            continue;
        }
        if aliases.insert(reference.clone(), (model, since)).is_some() {
            out.invalid(&place, format!("alias {} stands twice", quoted(&reference)), "");
        }
    }
    let alias = |(reference, (model, since))| Alias { reference, model, since };
    aliases.into_iter().map(alias).collect()
}

/// Ids of one kind, each of which may stand once.
struct Unique {
    kind: &'static str,
    key: &'static str,
    seen: BTreeMap<String, usize>,
}

impl Unique {
    fn new(kind: &'static str, key: &'static str) -> Self {
        Self { kind, key, seen: BTreeMap::new() }
    }

    /// The entry's id, checked to be there, well formed and unique.
    fn id(
        &mut self,
        out: &mut Collector<'_>,
        at: &Range<usize>,
        id: Option<Text>,
        mistake: Option<fn(&str) -> Option<Flaw>>,
    ) -> String {
        let place = id.as_ref().map_or(at.clone(), toml::Spanned::span);
        let id = required(out, at, &format!("[[{}]]", self.kind), self.key, id);
        if id.is_empty() {
            return id;
        }
        if let Some((message, help)) = mistake.and_then(|mistake| mistake(&id)) {
            out.invalid(&place, format!("{message}: {}", quoted(&id)), help);
        }
        let (line, _) = out.source.place(place.start);
        if let Some(first) = self.seen.insert(id.clone(), line) {
            let message = format!("{} {} of [[{}]] stands twice", self.key, quoted(&id), self.kind);
            out.invalid(&place, message, &format!("the first is on line {first}"));
            self.seen.insert(id.clone(), first);
        }
        id
    }
}

/// Text that has to be there; empty where it is not.
fn required(
    out: &mut Collector<'_>,
    at: &Range<usize>,
    whose: &str,
    key: &str,
    value: Option<Text>,
) -> String {
    match value {
        Some(text) if !text.get_ref().trim().is_empty() => text.into_inner(),
        Some(text) => {
            out.invalid(&text.span(), format!("{key} is empty"), &format!("write {key} = \"…\""));
            String::new()
        }
        None => {
            out.missing(at, format!("{whose} has no {key}"), &format!("write {key} = \"…\""));
            String::new()
        }
    }
}

/// Text that may be left out but not left empty.
fn optional(out: &mut Collector<'_>, key: &str, value: Option<Text>) -> Option<Text> {
    let value = value?;
    if value.get_ref().trim().is_empty() {
        out.invalid(&value.span(), format!("{key} is empty"), "leave the key out instead");
        return None;
    }
    Some(value)
}

fn text(out: &mut Collector<'_>, key: &str, value: Option<Text>) -> Option<String> {
    optional(out, key, value).map(toml::Spanned::into_inner)
}

/// One of a few words.
fn word(
    out: &mut Collector<'_>,
    key: &str,
    value: Option<Text>,
    words: &'static [&'static str],
) -> Option<&'static str> {
    let value = value?;
    let found = words.iter().find(|word| *word == value.get_ref()).copied();
    if found.is_none() {
        let message = format!("{key} is never {}", quoted(value.get_ref()));
        let help = match nearest(value.get_ref(), words.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("one of {}", words.join(", ")),
        };
        out.invalid(&value.span(), message, &help);
    }
    found
}

/// The texts of a list; empty and repeated ones are told.
fn texts(out: &mut Collector<'_>, list: Texts) -> Vec<Text> {
    let mut kept: Vec<Text> = Vec::new();
    for text in list.into_iter().flat_map(toml::Spanned::into_inner) {
        if text.get_ref().trim().is_empty() {
            out.invalid(&text.span(), "an empty text in a list", "");
        } else if kept.iter().any(|earlier| earlier.get_ref() == text.get_ref()) {
            out.invalid(&text.span(), format!("{} stands twice in the list", quoted(text.get_ref())), "");
        } else {
            kept.push(text);
        }
    }
    kept
}

/// One glob.
fn glob(out: &mut Collector<'_>, pattern: Text) -> Option<String> {
    if let Some((message, help)) = glob_mistake(pattern.get_ref()) {
        out.invalid(&pattern.span(), format!("{message}: {}", quoted(pattern.get_ref())), help);
        return None;
    }
    Some(pattern.into_inner())
}

/// The globs of a list. A list that is there but empty is told: it might be read as "none" or as "all".
fn globs(out: &mut Collector<'_>, list: Texts) -> Vec<String> {
    filled(out, list.as_ref());
    let patterns: Vec<Text> = list.into_iter().flat_map(toml::Spanned::into_inner).collect();
    let mut kept = Vec::new();
    for pattern in patterns {
        let at = pattern.span();
        let Some(pattern) = glob(out, pattern) else { continue };
        if let Some(likeness) = glob_likeness(&pattern) {
            out.note(&at, format!("{} {likeness}", quoted(&pattern)));
        }
        if kept.contains(&pattern) {
            out.invalid(&at, format!("{} stands twice in the list", quoted(&pattern)), "");
        } else {
            kept.push(pattern);
        }
    }
    kept
}

fn filled(out: &mut Collector<'_>, list: Option<&toml::Spanned<Vec<Text>>>) {
    if let Some(list) = list
        && list.get_ref().is_empty()
    {
        out.missing(&list.span(), "an empty list", "leave the key out, or say what is meant");
    }
}

/// A day.
fn date(out: &mut Collector<'_>, key: &str, value: Option<&Date>) -> Option<NaiveDate> {
    let value = value?;
    let day = match value.get_ref() {
        Datetime { date: Some(date), time: None, offset: None } => {
            NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        }
        _ => None,
    };
    if day.is_none() {
        let message = format!("{key} is a day, not {}", quoted(&value.get_ref().to_string()));
        out.invalid(&value.span(), message, &format!("write {key} = 2026-12-31"));
    }
    day
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

/// Tells every mistake of an expression at its place in the file.
fn expression(out: &mut Collector<'_>, key: &str, sql: &Text, place: Place<'_>) {
    let span = sql.span();
    let raw = out.source.text.get(span.clone()).unwrap_or_default();
    let offsets = offsets(raw);
    for mistake in predicate::check(sql.get_ref(), place) {
        let at = span.start + offsets.get(mistake.at).copied().unwrap_or(0);
        out.invalid(&(at..at), format!("{key}: {}", mistake.message), &mistake.help);
    }
}

/// For each character of a TOML string's value, its offset in the string as it is written.
fn offsets(raw: &str) -> Vec<usize> {
    if raw.len() < 2 {
        return Vec::new();
    }
    let long = raw.starts_with("\"\"\"") || raw.starts_with("'''");
    let basic = raw.starts_with('"');
    let mut at = if long { 3 } else { 1 };
    if long {
        at += if raw[at..].starts_with("\r\n") { 2 } else { usize::from(raw[at..].starts_with('\n')) };
    }
    let mut offsets = Vec::new();
    while let Some(c) = raw[at..].chars().next() {
        if basic && c == '\\' {
            let escape = raw[at + 1..].chars().next();
            let length = match escape {
                Some('x') => 4,
                Some('u') => 6,
                Some('U') => 10,
                // A backslash at the end of a line eats the white space that follows.
                Some(' ' | '\t' | '\r' | '\n') => {
                    at = raw.len() - raw[at + 1..].trim_start().len();
                    continue;
                }
                _ => 2,
            };
            offsets.push(at);
            at = (at + length).min(raw.len());
        } else {
            offsets.push(at);
            at += c.len_utf8();
        }
        while !raw.is_char_boundary(at) {
            at += 1;
        }
    }
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_a_string_are_found_where_they_are_written() {
        assert_eq!(offsets("\"ab\"")[..2], [1, 2]);
        assert_eq!(offsets(r#""\"a\u00e9b""#)[..4], [1, 3, 4, 10]);
        assert_eq!(offsets("'''\nab'''")[..2], [4, 5]);
        let folded = "\"\"\"a \\\n   b\"\"\"";
        assert_eq!(offsets(folded)[2], folded.find('b').unwrap());
        assert_eq!(offsets(r"'a\n'")[..3], [1, 2, 3]);
    }
}
