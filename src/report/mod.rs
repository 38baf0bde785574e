//! ④ Reports: one SQL file each under `queries/reports/`, found by name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::query_file::{self, HeaderError};

/// One report: a question, and the SELECT that answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name it is asked for by: the file's name.
    pub name: String,
    /// The heading over the answer.
    pub title: String,
    /// The auditor's question.
    pub question: String,
    /// The controls it is evidence for, as free text.
    pub frameworks: Vec<String>,
    /// Output columns in order, with their meaning.
    pub columns: Vec<(String, String)>,
    /// The columns that tell most, the most telling first: what a person sees of a wide answer. Empty: all.
    pub glance: Vec<String>,
    /// What it means that there is no row, where that may be for want of records. Empty: nothing to say.
    pub empty: String,
    /// When an audit runs it.
    pub audit: Audit,
    /// The SELECT, without the header.
    pub sql: String,
}

/// When an audit runs a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audit {
    /// Every time.
    #[default]
    Always,
    /// Where the answers go to a folder: on a screen it would be one page too many.
    Folder,
    /// Never: it has a row for each event, and is asked for by its name.
    Never,
}

/// What is wrong with a report file, or with the name of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The header is no TOML.
    #[error("report `{name}`: {source}")]
    Header {
        /// The file's name without `.sql`.
        name: String,
        /// Where and what.
        source: HeaderError,
    },
    /// The header is TOML, but not that of a report.
    #[error("report `{name}`: {message}")]
    Content {
        /// The file's name without `.sql`.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// No report has this name.
    #[error("there is no report `{name}`; {}`report --list` shows all", query_file::did_you_mean(.nearest.as_deref()))]
    Unknown {
        /// The name as given.
        name: String,
        /// The name it most likely meant.
        nearest: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    title: String,
    question: String,
    #[serde(default)]
    frameworks: Vec<String>,
    #[serde(default)]
    glance: Vec<String>,
    #[serde(default)]
    empty: String,
    #[serde(default)]
    audit: Audit,
    columns: BTreeMap<String, String>,
}

impl Report {
    /// Reads a report file: strict, an unknown key or an empty text is an error.
    pub fn parse(name: &str, sql: &str) -> Result<Self, Error> {
        let wrong = |message: String| Error::Content { name: name.to_owned(), message };
        let misread = |source| Error::Header { name: name.to_owned(), source };
        let (table, body) = query_file::split_header(sql).map_err(misread)?;
        let mut header: Header =
            table.try_into().map_err(|error: toml::de::Error| wrong(query_file::one_line(&error)))?;
        let columns: Vec<(String, String)> = query_file::key_order(sql, "columns")
            .map_err(misread)?
            .into_iter()
            .filter_map(|column| header.columns.remove_entry(&column))
            .collect();
        if columns.is_empty() {
            return Err(wrong("`columns` must describe the columns that it returns".to_owned()));
        }
        if let Some(name) = header.glance.iter().find(|name| columns.iter().all(|(known, _)| known != *name))
        {
            return Err(wrong(format!("`glance` names {name}, which is not among its columns")));
        }
        let texts = [("title", &header.title), ("question", &header.question)].into_iter();
        let meanings = columns.iter().map(|(column, meaning)| (column.as_str(), meaning));
        if let Some((key, _)) = texts.chain(meanings).find(|(_, text)| text.trim().is_empty()) {
            return Err(wrong(format!("`{key}` must not be empty")));
        }
        Ok(Self {
            name: name.to_owned(),
            title: header.title,
            question: header.question,
            frameworks: header.frameworks,
            columns,
            glance: header.glance,
            empty: header.empty,
            audit: header.audit,
            sql: body.trim().to_owned(),
        })
    }
}

/// Every report of the program, sorted by name.
pub fn catalogue() -> Result<&'static [Report], &'static Error> {
    static REPORTS: OnceLock<Result<Vec<Report>, Error>> = OnceLock::new();
    REPORTS
        .get_or_init(|| query_file::reports().map(|file| Report::parse(file.stem, file.sql)).collect())
        .as_deref()
}

/// The report of that name among `reports`; the error names the nearest one.
pub fn find<'a>(reports: &'a [Report], name: &str) -> Result<&'a Report, Error> {
    reports.iter().find(|report| report.name == name).ok_or_else(|| Error::Unknown {
        name: name.to_owned(),
        nearest: query_file::nearest(name, reports.iter().map(|report| report.name.as_str()))
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = r#"-- title = "Models by role"
-- question = "Which role used which model?"
-- frameworks = ["SOC 2 CC6.1"]
--
-- [columns]
-- role_arn = "The role."
-- calls = "Calls it made."
SELECT role_arn, COUNT(*) AS calls FROM usage GROUP BY role_arn ORDER BY role_arn
"#;

    #[test]
    fn embedded_reports_are_sound() {
        let reports = catalogue().unwrap();
        assert!(reports.is_sorted_by_key(|report| &report.name));
    }

    #[test]
    fn columns_keep_their_order() {
        let report = Report::parse("models-by-role", SQL).unwrap();
        let columns: Vec<&str> = report.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(columns, ["role_arn", "calls"]);
        assert!(report.sql.starts_with("SELECT") && report.sql.ends_with("role_arn"));
    }

    #[test]
    fn strictness() {
        let error =
            |from: &str, to: &str| Report::parse("r", &SQL.replace(from, to)).unwrap_err().to_string();
        let said = [
            error("-- question", "-- qestion"),
            error("Which role used which model?", " "),
            error("The role.", ""),
            error("-- [columns]\n-- role_arn = \"The role.\"\n-- calls = \"Calls it made.\"", "-- [columns]"),
            error("-- title = \"", "-- title = \"\" \""),
            error("-- frameworks", "-- glance = [\"call\"]\n-- frameworks"),
        ];
        insta::assert_snapshot!(said.join("\n"), @r"
        report `r`: unknown field `qestion`, expected one of `title`, `question`, `frameworks`, `glance`, `empty`, `audit`, `columns`
        report `r`: `question` must not be empty
        report `r`: `role_arn` must not be empty
        report `r`: `columns` must describe the columns that it returns
        report `r`: line 1, column 15: unexpected key or value, expected newline, `#`
        report `r`: `glance` names call, which is not among its columns
        ");
    }

    #[test]
    fn lookup_suggests_the_nearest() {
        let reports = [Report::parse("models-by-role", SQL).unwrap()];
        assert_eq!(find(&reports, "models-by-role").unwrap().name, "models-by-role");
        insta::assert_snapshot!(find(&reports, "model-by-roles").unwrap_err(), @"there is no report `model-by-roles`; did you mean `models-by-role`? `report --list` shows all");
        insta::assert_snapshot!(find(&reports, "zzz").unwrap_err(), @"there is no report `zzz`; `report --list` shows all");
    }
}
