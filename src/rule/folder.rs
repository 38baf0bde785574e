//! Rules of a user's own: SQL files in folders, beside those of the program.
//!
//! A file is checked like a shipped one before a log is read: its header, the portable subset of SQL, the tables,
//! columns and functions it names, and the columns it returns.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::header::{self, Rule};
use super::{parameter, row};
use crate::engine::{self, Engine, check_portable};

/// A rule read from a file.
#[derive(Clone, Debug)]
pub struct Own {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// The rule.
    pub rule: Rule,
    text: String,
}

/// What is wrong with a file: `rules/ACME001-x.sql:12:8: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    path: PathBuf,
    /// Line and column, from 1, where there is a place.
    place: Option<(u64, u64)>,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display().to_string().escape_debug())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file in it cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder holds no rule.
    #[error("{}: no rule in it; a rule is a file CODE-kebab-name.sql", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Files that are no rules, or none that can be run.
    #[error("the rules cannot be used\n{}", lines(.0))]
    Rules(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Own {
    fn problem(&self, place: Option<(u64, u64)>, message: impl Into<String>) -> Problem {
        Problem { path: self.path.clone(), place, message: message.into() }
    }
}

/// Reads the rules of folders: headers and the form of the SQL are checked, everything wrong is told at once.
pub fn read(folders: &[PathBuf]) -> Result<Vec<Own>, Error> {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for folder in folders {
        let files = files(folder)?;
        if files.is_empty() {
            return Err(Error::Empty { path: folder.clone() });
        }
        for path in files {
            let bytes = fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
            match own(&path, &bytes) {
                Ok(own) => found.push(own),
                Err(wrong) => problems.extend(wrong),
            }
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(Error::Rules(problems)) }
}

fn own(path: &Path, bytes: &[u8]) -> Result<Own, Vec<Problem>> {
    let problem = |place, message| Problem { path: path.to_owned(), place, message };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(vec![problem(None, "the file is not UTF-8 text".to_owned())]);
    };
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let objections = check_portable(text);
    let parsed = Rule::parse(&stem, text);
    if let Err(error @ (header::Error::Name { .. } | header::Error::Content { .. })) = &parsed {
        return Err(vec![problem(None, error.to_string())]);
    }
    if let Err(header::Error::Header { source, .. }) = &parsed {
        let place = (source.line as u64, source.column as u64);
        return Err(vec![problem(Some(place), source.message.clone())]);
    }
    if !objections.is_empty() {
        let place = |line, column| (line > 0).then_some((line, column));
        return Err(objections
            .into_iter()
            .map(|objection| problem(place(objection.line, objection.column), objection.message))
            .collect());
    }
    let rule = parsed.map_err(|error| {
        let place = match &error {
            header::Error::Parameter { source: parameter::Error::Undeclared(name), .. } => find(text, name),
            _ => None,
        };
        vec![problem(place, error.to_string())]
    })?;
    let sha256 = format!("{:x}", Sha256::digest(bytes));
    Ok(Own { path: path.to_owned(), sha256, rule, text: text.to_owned() })
}

/// Where a parameter stands in the SQL.
fn find(text: &str, parameter: &str) -> Option<(u64, u64)> {
    let wanted = format!("${parameter}");
    let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.starts_with("--"));
    lines.find_map(|(line, number)| {
        let at = line.find(&wanted)?;
        Some((number, line[..at].chars().count() as u64 + 1))
    })
}

/// Whether a folder holds rules.
pub fn has_rules(folder: &Path) -> Result<bool, Error> {
    files(folder).map(|files| !files.is_empty())
}

/// The `.sql` files of a folder, sorted by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = |source| Error::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether the rules can be planned over the tables of a session and return what a rule has to.
pub fn check(own: &[Own], engine: &Engine) -> Result<(), Error> {
    let problems: Vec<Problem> = own.iter().filter_map(|own| unfit(own, engine)).collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Rules(problems)) }
}

fn unfit(own: &Own, engine: &Engine) -> Option<Problem> {
    let Rule { needs, columns, .. } = &own.rule;
    let tables = engine.names();
    if let Some(need) = needs.iter().find(|need| !tables.contains(need)) {
        return Some(own.problem(None, format!("`needs`: there is no table {need}")));
    }
    let known = crate::event::column::Field::named;
    if let Some(column) = columns.iter().find(|column| known(column).is_none()) {
        return Some(own.problem(None, format!("`columns`: events has no column {column}")));
    }
    let sql = own.rule.render(&BTreeMap::new()).ok()?;
    match engine.columns(&sql) {
        Ok(names) => {
            row::check(names.iter().map(String::as_str)).err().map(|message| own.problem(None, message))
        }
        Err(error) => {
            // What is run is not what is written, line by line: the place is found in what is written.
            let written = engine.columns(&placed(&own.text, &own.rule)).err().unwrap_or(error);
            Some(match written {
                engine::Error::Sql { message, line, column, help } => {
                    let help = help.map(|help| format!("; {help}")).unwrap_or_default();
                    own.problem(line.zip(column), format!("{message}{help}"))
                }
                other => own.problem(None, other.to_string()),
            })
        }
    }
}

/// The file with parameters' defaults in the places of `$name`; line by line the same.
fn placed(text: &str, rule: &Rule) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '$', '-']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let skipped = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(text) = rest.strip_prefix('\'') {
            text.find('\'').map_or(rest.len(), |end| end + 2)
        } else {
            1
        };
        let name_end = rest[1..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(rest.len(), |end| end + 1);
        let parameter = rule
            .parameters
            .iter()
            .find(|parameter| rest.starts_with('$') && parameter.name == rest[1..name_end]);
        if let Some(parameter) = parameter {
            let _ = write!(out, "{}", parameter::written(&parameter.default));
            rest = &rest[name_end..];
        } else {
            out.push_str(&rest[..skipped]);
            rest = &rest[skipped..];
        }
    }
    out.push_str(rest);
    out
}

/// The program's rules with others, sorted by code; each code stands for one rule, since findings are known by it.
pub fn join(own: &[Own], custom: &[Rule]) -> Result<Vec<Rule>, Error> {
    let mut rules = super::catalogue().map(<[Rule]>::to_vec).unwrap_or_default();
    let mut problems = Vec::new();
    let mut add = |rule: &Rule, path: &Path| match rules
        .iter()
        .find(|taken| taken.code.eq_ignore_ascii_case(&rule.code))
    {
        Some(taken) => problems.push(Problem {
            path: path.to_owned(),
            place: None,
            message: format!("the code {} is taken by rule {}", rule.code, taken.stem()),
        }),
        None => rules.push(rule.clone()),
    };
    for own in own {
        add(&own.rule, &own.path);
    }
    for rule in custom {
        add(rule, Path::new("the policy, [[custom]]"));
    }
    rules.sort_by(|a, b| a.code.cmp(&b.code));
    if problems.is_empty() { Ok(rules) } else { Err(Error::Rules(problems)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Limits;
    use crate::rule::header::SAMPLE_ROW;

    fn told(name: &str, text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let engine = Engine::new(Limits { memory: 64 << 20, spill_dir: None, partitions: 1 }).unwrap();
        let done = read(&[folder.path().to_owned()])
            .and_then(|own| check(&own, &engine).and_then(|()| join(&own, &[])).map(drop));
        let told = done.err().map(|error| error.to_string()).unwrap_or_default();
        told.replace(&folder.path().display().to_string(), "rules").replace("the rules cannot be used\n", "")
    }

    #[test]
    fn a_sound_file_passes() {
        let sample = SAMPLE_ROW.replace("policy_deny", "events");
        assert_eq!(told("ACME001-x.sql", &sample), "");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let sample = SAMPLE_ROW.replace("policy_deny", "events");
        let with = |from: &str, to: &str| {
            assert!(sample.contains(from), "{from}");
            told("ACME001-x.sql", &sample.replace(from, to))
        };
        let all = [
            told("acme-x.sql", &sample),
            told("ACME001-x.txt", &sample),
            with("-- severity = \"high\"", "-- severity = high"),
            with("-- why =", "-- wy ="),
            with("-- needs = [\"events\"]", "-- needs = [\"policy_denied\"]"),
            with("\"activity\"]", "\"activty\"]"),
            with("WHERE activity =", "WHERE activty ="),
            with("FROM events", "FROM evnts"),
            with("MIN(aws_region)", "any_value(aws_region)"),
            with("model_id IN ($models)", "model_id::TEXT IN ($models)"),
            with("IN ($models)", "IN ($model)"),
            with("'forbidden model' AS reason, ", ""),
            with("FROM judged CROSS JOIN total WHERE bad", "FROM judged CROSS JOIN totl WHERE bad"),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        rules/acme-x.sql: rule `acme-x`: the file is named CODE-kebab-name.sql, as BT001-model-not-allowed.sql
        rules: no rule in it; a rule is a file CODE-kebab-name.sql
        rules/ACME001-x.sql:2:15: string values must be quoted, expected literal string
        rules/ACME001-x.sql: rule `ACME001-x`: unknown field `wy`, expected one of `title`, `severity`, `kind`, `needs`, `columns`, `controls`, `attack`, `attack_old`, `atlas`, `why`, `fix`, `false_positives`, `silence`, `parameters`
        rules/ACME001-x.sql: `needs`: there is no table policy_denied
        rules/ACME001-x.sql: `columns`: events has no column activty
        rules/ACME001-x.sql:19:23: there is no column 'activty' here; did you mean 'activity'?
        rules/ACME001-x.sql:19:10: there is no table 'evnts'; did you mean 'events'?
        rules/ACME001-x.sql:23:41: the function any_value is not portable: it gives another value in every run; use MIN
        rules/ACME001-x.sql:18:79: :: is not portable: write CAST(x AS type)
        rules/ACME001-x.sql:18:79: the type TEXT is not portable; types are BIGINT, BOOLEAN, DATE, DECIMAL, DOUBLE, INTEGER, TIMESTAMP, VARCHAR
        rules/ACME001-x.sql:18:92: rule `ACME001-x`: `$model` in the SQL has no [parameters.model] in the header
        rules/ACME001-x.sql:22:1: UNION queries have different number of columns
        rules/ACME001-x.sql:28:24: there is no table 'totl'; tables are aliases, allowances, call_tokens, coverage, decisions, events, guardrail_changes, history, invocation_logs, model_calls, model_references, nearby_service_events, objects, ref_control, ref_event, ref_framework, ref_model, ref_price, ref_profile_destination, ref_region, ref_technique, refusals, run, usage
        ");
    }

    #[test]
    fn a_code_is_taken_once() {
        let rule = crate::rule::catalogue().unwrap().first().cloned().unwrap();
        let error = join(&[], &[rule]).unwrap_err().to_string();
        assert!(error.contains("is taken by rule BT001-"), "{error}");
    }
}
