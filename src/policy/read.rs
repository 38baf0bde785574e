//! From TOML text to [`File`], telling every mistake of form rather than only the first.
//!
//! serde stops at the first error. So the parsed document is kept: the offending key or element is reported, cut
//! out, and the rest is tried again until it passes.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::problem::{Collector, Problem, ProblemKind, Source, nearest, quoted};
use super::written::File;

/// More mistakes of form than this are not told; each costs another pass.
const MOST: usize = 50;

/// Reads the text; mistakes of form go to `collector`, and what is left is returned.
pub(super) fn read(source: &Source, collector: &mut Collector<'_>) -> File {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        collector.problems.extend(errors.iter().map(|error| syntax(source, error)));
        return File::default();
    }
    let span = document.span();
    let mut table = document.into_inner();
    for _ in 0..MOST {
        let error = match File::deserialize(Deserializer::from(Spanned::new(span.clone(), table.clone()))) {
            Ok(file) => return file,
            Err(error) => error,
        };
        let at = error.span().unwrap_or(0..0);
        let mut path = Vec::new();
        let cut = cut(&mut table, &at, &mut path);
        collector.problems.push(form(source, &error, &at, &path));
        if !cut {
            break;
        }
    }
    File::default()
}

/// Removes the innermost key or element at the place of an error; `path` gets the keys that lead to it.
fn cut(table: &mut DeTable<'_>, at: &Range<usize>, path: &mut Vec<String>) -> bool {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        path.push(key.get_ref().to_string());
        if key.span() == *at {
            found = Some(key.get_ref().clone());
            break;
        }
        if cut_in(value, at, path) {
            return true;
        }
        if value.span() == *at {
            found = Some(key.get_ref().clone());
            break;
        }
        path.pop();
    }
    found.is_some_and(|key| table.remove(key.as_ref()).is_some())
}

fn cut_in(value: &mut Spanned<DeValue<'_>>, at: &Range<usize>, path: &mut Vec<String>) -> bool {
    match value.get_mut() {
        DeValue::Table(table) => cut(table, at, path),
        DeValue::Array(array) => {
            if array.iter_mut().any(|element| cut_in(element, at, path)) {
                return true;
            }
            let Some(index) = array.iter().position(|element| element.span() == *at) else { return false };
            let kept = array.iter().enumerate().filter(|(at, _)| *at != index);
            *array = kept.map(|(_, element)| element.clone()).collect();
            true
        }
        _ => false,
    }
}

/// A mistake in the TOML itself.
fn syntax(source: &Source, error: &Error) -> Problem {
    let at = error.span().unwrap_or(0..0);
    let mut problem = source.problem(ProblemKind::Syntax, at.start, format!("not TOML: {}", error.message()));
    let digits = source.text[at.start.min(source.text.len())..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>();
    if digits.len() == 12 {
        problem.help = Some(account_help(&digits));
    }
    problem
}

/// An unknown key or a value of the wrong type.
fn form(source: &Source, error: &Error, at: &Range<usize>, path: &[String]) -> Problem {
    let message = error.message();
    let name = path.join(".");
    let written = source.text.get(at.clone()).unwrap_or_default();
    let key = path.last().map_or("", String::as_str);
    let (message, help) = if let Some(rest) = message.strip_prefix("unknown field ") {
        let known: Vec<&str> = rest.split('`').skip(3).step_by(2).collect();
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known here: {}", known.join(", ")),
        };
        (format!("unknown key {}", quoted(&name)), Some(help))
    } else if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        let expected = match expected {
            "a string" => "text in quotes",
            "a sequence" => "a list, like [\"…\", \"…\"]",
            "a TOML datetime" => "a date, like 2026-12-31",
            "a boolean" => "true or false",
            "i64" => "a whole number",
            other if other.starts_with("struct ") || other == "a map" => "a table",
            other => other,
        };
        let found = found.split(' ').next().unwrap_or(found);
        let found = match found {
            "sequence" => "a list",
            "map" => "a table or date",
            "integer" => "a number",
            "floating" => "a number with a fraction",
            "boolean" => "true or false",
            "string" => "text",
            other => other,
        };
        let help = if ["accounts", "trusted_accounts"].contains(&key)
            && written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        {
            Some(account_help(&written.replace('_', "")))
        } else if expected.starts_with("a date") && found == "text" {
            let bare = written.trim_matches(['"', '\'']);
            let date = chrono::NaiveDate::parse_from_str(bare, "%Y-%m-%d").is_ok();
            date.then(|| format!("without quotes: {key} = {bare}"))
        } else if expected.starts_with("a list") && found == "a table or date" && path.len() == 1 {
            Some(format!("write [[{key}]], once for each"))
        } else if expected == "text in quotes" && !written.is_empty() && !written.contains(['\n', '"']) {
            Some(format!("write \"{}\"", written.escape_debug()))
        } else {
            None
        };
        (format!("{name} wants {expected}, not {found}"), help)
    } else {
        (format!("{name}: {message}"), None)
    };
    let mut problem = source.problem(ProblemKind::Syntax, at.start, message);
    problem.help = help;
    problem
}

fn account_help(digits: &str) -> String {
    format!("an account id is text, since a number loses its leading zeros: write \"{digits}\"")
}
