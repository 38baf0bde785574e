//! A Sigma rule as a rule file.

use std::fmt::Write as _;

use super::condition::{self, Parts};
use super::yaml::{self, Node, Value};
use super::{Place, Problem, shown, value};
use crate::event::column::COLUMNS;
use crate::rule::custom::{kebab, quoted};

/// A rule file made of a Sigma rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// `SIGMA001-guardrail-deleted`.
    pub stem: String,
    /// The whole file, header included.
    pub sql: String,
    /// Event sources that it looks at, lower case.
    pub sources: Vec<String>,
}

/// Sigma's levels and ours.
const LEVELS: &[(&str, &str)] = &[
    ("critical", "critical"),
    ("high", "high"),
    ("informational", "info"),
    ("low", "low"),
    ("medium", "medium"),
];

/// Reads a Sigma rule and writes the rule file with that code.
pub fn import(text: &str, code: &str) -> Result<Imported, Problem> {
    let rule = yaml::read(text)?;
    let Value::Map(members) = &rule.value else {
        return Err(rule.place.problem("a Sigma rule is a mapping with title, logsource and detection"));
    };
    if let Some((key, at, _)) =
        members.iter().find(|(key, ..)| matches!(key.as_str(), "action" | "correlation" | "filter"))
    {
        return Err(at.problem(format!("{key}: collections, correlations and filters are not read")));
    }
    logsource(&rule)?;
    let title = required(&rule, "title")?;
    let detection = rule.get("detection").ok_or_else(|| rule.place.problem("there is no detection"))?;
    let (parts, condition) = detected(detection)?;
    let severity = severity(&rule)?;
    let (attack, atlas) = techniques(&rule);
    let mut sources: Vec<String> = Vec::new();
    collect_sources(detection, &mut sources);
    let select = select(title, &parts, &condition);
    let one = |key: &str| rule.get(key).map(Node::texts).unwrap_or_default().join(", ");
    let mut origin =
        format!("Imported from the Sigma rule {}", rule.get("id").and_then(Node::text).unwrap_or(title));
    for (key, word) in [("author", " by "), ("license", ", licence ")] {
        if rule.get(key).is_some() {
            let _ = write!(origin, "{word}{}", one(key));
        }
    }
    let why = match rule.get("description").and_then(Node::text) {
        Some(text) => format!("{} {origin}.", plain(text)),
        None => format!("{origin}."),
    };
    let false_positives: Vec<String> =
        rule.get("falsepositives").map(Node::texts).unwrap_or_default().into_iter().map(plain).collect();
    let false_positives = if false_positives.is_empty() {
        "The Sigma rule names none.".to_owned()
    } else {
        false_positives.join("; ")
    };
    let mut sql = String::new();
    let mut line = |key: &str, value: String| {
        let _ = writeln!(sql, "-- {key} = {value}");
    };
    let list =
        |all: &[String]| format!("[{}]", all.iter().map(|one| toml(one)).collect::<Vec<_>>().join(", "));
    line("title", toml(&plain(title)));
    line("severity", toml(severity));
    line("kind", toml("row"));
    line("columns", list(&columns(&select)));
    line("controls", "{}".to_owned());
    line("attack", list(&attack));
    line("atlas", list(&atlas));
    line("why", toml(&plain(&why)));
    line(
        "fix",
        toml("Ask whoever answers for the principal whether it was meant, and undo it if it was not."),
    );
    line("false_positives", toml(&false_positives));
    sql.push_str(&select);
    Ok(Imported { stem: format!("{code}-{}", kebab(title)), sql, sources })
}

fn required<'n>(rule: &'n Node, key: &str) -> Result<&'n str, Problem> {
    let node = rule.get(key).ok_or_else(|| rule.place.problem(format!("there is no {key}")))?;
    node.text()
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| node.place.problem(format!("{key} is text")))
}

/// Only rules on CloudTrail are meant.
fn logsource(rule: &Node) -> Result<(), Problem> {
    let source = rule.get("logsource").ok_or_else(|| rule.place.problem("there is no logsource"))?;
    for (key, wanted) in [("product", "aws"), ("service", "cloudtrail")] {
        let given = source.get(key);
        if given.and_then(Node::text) != Some(wanted) {
            let at = given.map_or(source.place, |given| given.place);
            return Err(at.problem(format!("only rules on CloudTrail are read: {key} is {wanted}")));
        }
    }
    Ok(())
}

fn severity(rule: &Node) -> Result<&'static str, Problem> {
    let Some(level) = rule.get("level") else { return Ok("medium") };
    let text = level.text().unwrap_or_default();
    let known = LEVELS.iter().find(|(name, _)| *name == text).map(|(_, severity)| *severity);
    known.ok_or_else(|| level.place.problem(format!("{} is no level", shown(text))))
}

/// Techniques of ATT&CK and ATLAS among the tags.
fn techniques(rule: &Node) -> (Vec<String>, Vec<String>) {
    let (mut attack, mut atlas) = (Vec::new(), Vec::new());
    for tag in rule.get("tags").map(Node::texts).unwrap_or_default() {
        let upper = tag.to_ascii_uppercase();
        let Some((kind, id)) = upper.split_once('.') else { continue };
        let technique =
            id.strip_prefix('T').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        match kind {
            "ATTACK" if technique => attack.push(id.to_owned()),
            "ATLAS" | "MITRE_ATLAS" if id.starts_with("AML.T") => atlas.push(id.to_owned()),
            _ => {}
        }
    }
    (attack, atlas)
}

/// A part of a detection: its name, its column and its condition.
type Part = (String, String, String);

/// The parts of a detection, each with its column and its condition, and what puts them together.
fn detected(detection: &Node) -> Result<(Vec<Part>, String), Problem> {
    let Value::Map(members) = &detection.value else {
        return Err(detection.place.problem("a detection is a mapping of parts and a condition"));
    };
    let mut parts: Vec<Part> = Vec::new();
    let mut condition = None;
    for (name, at, node) in members {
        if name == "condition" {
            let text = node.text().ok_or_else(|| {
                node.place.problem("the condition is one text; write a rule for each of several")
            })?;
            condition = Some((text, node.place));
            continue;
        }
        if name == "timeframe" {
            return Err(at.problem("a timeframe belongs to an aggregation, which is not read"));
        }
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        let mut column = format!("is_{plain}");
        while parts.iter().any(|(_, taken, _)| *taken == column) {
            column.push('_');
        }
        parts.push((name.clone(), column, part(node)?));
    }
    let (text, at) = condition.ok_or_else(|| detection.place.problem("there is no condition"))?;
    let columns: Parts = parts.iter().map(|(name, column, _)| (name.clone(), column.clone())).collect();
    let sql = condition::sql(text, at, &columns)?;
    Ok((parts, sql))
}

/// All members of a mapping, or any of a list of mappings.
fn part(node: &Node) -> Result<String, Problem> {
    match &node.value {
        Value::Map(members) if members.is_empty() => Err(node.place.problem("the part is empty")),
        Value::Map(members) => {
            let all: Vec<String> = members
                .iter()
                .map(|(key, at, values)| value::test(key, *at, values))
                .collect::<Result<_, _>>()?;
            Ok(all.join("\n      AND "))
        }
        Value::List(nodes) if !nodes.is_empty() => {
            let any: Vec<String> = nodes
                .iter()
                .map(|node| match &node.value {
                    Value::Map(_) => part(node).map(|all| format!("({all})")),
                    _ => Err(keywords(node.place)),
                })
                .collect::<Result<_, _>>()?;
            Ok(any.join("\n      OR "))
        }
        _ => Err(keywords(node.place)),
    }
}

fn keywords(at: Place) -> Problem {
    at.problem("keywords in the whole record cannot be searched: name a field")
}

/// The rule's SELECT.
fn select(title: &str, parts: &[Part], condition: &str) -> String {
    let mut flags = String::new();
    for (_, column, test) in parts {
        let _ = write!(flags, ",\n    COALESCE(\n      {test},\n      FALSE\n    ) AS {column}");
    }
    let condition = condition
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
        .filter(|inner| {
            // The outer pair only, not `(a) AND (b)`.
            let mut depth = 0_i32;
            inner.chars().all(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth >= 0
            })
        })
        .unwrap_or(condition);
    format!(
        "WITH seen AS (
  SELECT
    account_id AS account_id,
    aws_region AS aws_region,
    principal AS principal,
    event_source AS event_source,
    event_name AS event_name,
    error_code AS error_code,
    event_time AS event_time,
    event_id AS event_id,
    outcome AS outcome{flags}
  FROM events
  WHERE record_kind <> 'shared_copy'
)
SELECT
  CASE WHEN {condition} THEN 'violation' ELSE 'pass' END AS verdict,
  account_id AS account_id,
  aws_region AS aws_region,
  principal AS principal,
  event_name AS subject,
  {} AS reason,
  'no such event' AS expected,
  event_source || ' ' || event_name || COALESCE(' ' || error_code, '') AS observed,
  event_time AS event_time,
  event_id AS event_id,
  outcome AS outcome
FROM seen
",
        quoted(&plain(title))
    )
}

/// The columns of `events` that the SELECT names.
fn columns(select: &str) -> Vec<String> {
    let words: Vec<&str> = select
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    COLUMNS
        .iter()
        .filter(|column| words.contains(&column.name))
        .map(|column| column.name.to_owned())
        .collect()
}

/// The event sources that parts name.
fn collect_sources(node: &Node, sources: &mut Vec<String>) {
    match &node.value {
        Value::Map(members) => {
            for (key, _, node) in members {
                if key == "eventSource" {
                    sources.extend(node.texts().into_iter().map(str::to_lowercase));
                } else {
                    collect_sources(node, sources);
                }
            }
        }
        Value::List(nodes) => nodes.iter().for_each(|node| collect_sources(node, sources)),
        _ => {}
    }
}

/// One line, without control characters.
fn plain(text: &str) -> String {
    // What reorders or hides a line would show another rule than the one that runs.
    let hidden = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    let calm: String = text.chars().map(|c| if c.is_control() || hidden(c) { ' ' } else { c }).collect();
    calm.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text as TOML writes it, which is as JSON does.
fn toml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
