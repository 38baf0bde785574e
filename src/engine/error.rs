//! What a query can fail with, in the words of the person who wrote it.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;

use datafusion::arrow::error::ArrowError;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::common::{Column, DataFusionError, Diagnostic, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::Location;

/// Why a query gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The query is wrong, or a value made it fail; the one who wrote it can mend it.
    #[error("{}", sentence(message, *line, *column, help.as_deref()))]
    Sql {
        /// What is wrong.
        message: String,
        /// The line of the query, from 1, where it is known.
        line: Option<u64>,
        /// The column of the query, from 1, where it is known.
        column: Option<u64>,
        /// What to do instead.
        help: Option<String>,
    },
    /// Memory or temporary space ran out.
    #[error(
        "{0}; give it more with --memory-limit, read a shorter time window, or free space in the temporary folder"
    )]
    Resources(String),
    /// A file could not be read, or the program is at fault.
    #[error("{0}")]
    Internal(String),
}

/// What this floor returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

fn sentence(message: &str, line: Option<u64>, column: Option<u64>, help: Option<&str>) -> String {
    let mut text = String::new();
    if let (Some(line), Some(column)) = (line, column) {
        let _ = write!(text, "line {line}, column {column}: ");
    }
    text.push_str(message);
    if let Some(help) = help {
        let _ = write!(text, "; {help}");
    }
    text
}

impl Error {
    /// A fault of the query at a place in it; line 0 is an unknown place.
    pub(super) fn at(location: Location, message: impl Into<String>, help: Option<String>) -> Self {
        let known = location.line > 0;
        Self::Sql {
            message: message.into(),
            line: known.then_some(location.line),
            column: known.then_some(location.column),
            help,
        }
    }

    /// A fault of the query without a place.
    pub(super) fn sql(message: impl Into<String>) -> Self {
        Self::at(Location::empty(), message, None)
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        let mut place = Location::empty();
        let mut help = None;
        translate(&error, &mut place, &mut help)
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

/// Walks down to what went wrong, remembering the first place on the way.
fn translate(error: &DataFusionError, place: &mut Location, help: &mut Option<String>) -> Error {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => {
            note(diagnostic, place, help);
            translate(inner, place, help)
        }
        DataFusionError::Context(_, inner) => translate(inner, place, help),
        DataFusionError::Shared(inner) => translate(inner, place, help),
        DataFusionError::Collection(all) => match all.first() {
            Some(first) => translate(first, place, help),
            None => Error::Internal(error.to_string()),
        },
        DataFusionError::External(inner) => nested(inner.as_ref(), place, help),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::ExternalError(inner) => nested(inner.as_ref(), place, help),
            ArrowError::IoError(message, inner) => io_failed(inner, message),
            ArrowError::ParquetError(message) => {
                Error::Internal(format!("a Parquet file cannot be read: {message}"))
            }
            ArrowError::DivideByZero => Error::at(
                *place,
                "the query divides by zero",
                Some("use NULLIF(x, 0) as the divisor".to_owned()),
            ),
            ArrowError::CastError(message)
            | ArrowError::ParseError(message)
            | ArrowError::ComputeError(message)
            | ArrowError::ArithmeticOverflow(message)
            | ArrowError::InvalidArgumentError(message) => Error::at(*place, tidy(message), help.take()),
            other => Error::Internal(other.to_string()),
        },
        DataFusionError::SQL(inner, _) => parse_failed(inner),
        DataFusionError::SchemaError(inner, _) => schema_failed(inner, place, help),
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::Configuration(message) => {
            let (message, hint) = did_you_mean(message);
            Error::at(*place, tidy(message), hint.or_else(|| help.take()))
        }
        DataFusionError::NotImplemented(message) => {
            Error::at(*place, format!("not supported: {}", tidy(message)), help.take())
        }
        DataFusionError::ResourcesExhausted(message) => Error::Resources(exhausted(message)),
        DataFusionError::IoError(inner) => io_failed(inner, &inner.to_string()),
        DataFusionError::ParquetError(inner) => {
            Error::Internal(format!("a Parquet file cannot be read: {inner}"))
        }
        other => Error::Internal(other.strip_backtrace()),
    }
}

fn note(diagnostic: &Diagnostic, place: &mut Location, help: &mut Option<String>) {
    if let Some(span) = diagnostic.span.filter(|_| place.line == 0) {
        *place = Location::new(span.start.line, span.start.column);
    }
    if help.is_none() {
        // `ANY_VALUE` gives another value in every run.
        *help = diagnostic.helps.first().map(|help| tidy(&help.message).replace("ANY_VALUE", "MIN"));
    }
}

fn nested(
    error: &(dyn StdError + Send + Sync + 'static),
    place: &mut Location,
    help: &mut Option<String>,
) -> Error {
    if let Some(inner) = error.downcast_ref::<DataFusionError>() {
        return translate(inner, place, help);
    }
    if let Some(inner) = error.downcast_ref::<io::Error>() {
        return io_failed(inner, &inner.to_string());
    }
    Error::Internal(error.to_string())
}

fn io_failed(error: &io::Error, message: &str) -> Error {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        Error::Resources(format!("the temporary folder is full: {message}"))
    } else {
        Error::Internal(format!("a file cannot be read or written: {message}"))
    }
}

/// The parser writes its place into its message: ` at Line: 3, Column: 7`.
fn parse_failed(error: &ParserError) -> Error {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => return Error::sql("the query nests too deep"),
    };
    let placed = text.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message, Location::new(line.parse().ok()?, column.trim().parse().ok()?)))
    });
    let (message, place) = placed.unwrap_or((text, Location::empty()));
    Error::at(place, tidy(message).replace("expected: ", "expected ").replace("found: ", "found "), None)
}

fn schema_failed(error: &SchemaError, place: &mut Location, help: &mut Option<String>) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            if let Some(span) = field.spans().first().filter(|_| place.line == 0) {
                *place = Location::new(span.start.line, span.start.column);
            }
            let hint = hint(&field.name, valid_fields);
            Error::at(
                *place,
                format!("there is no column '{}' here", field.flat_name()),
                hint.or_else(|| help.take()),
            )
        }
        SchemaError::AmbiguousReference { field } => {
            let hint = Some("put the table's name or alias before it".to_owned());
            Error::at(*place, format!("the column '{}' stands in several tables", field.name), hint)
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            let hint = Some("give one of them another name with AS".to_owned());
            Error::at(*place, format!("two columns are named '{name}'"), hint)
        }
    }
}

/// So many names a message lists at most.
const LISTED: usize = 30;

fn hint(name: &str, valid: &[Column]) -> Option<String> {
    let names: Vec<&str> = valid.iter().map(|column| column.name.as_str()).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => Some(format!("did you mean '{near}'?")),
        None if names.is_empty() => None,
        None if names.len() <= LISTED => Some(format!("columns are {}", names.join(", "))),
        None => {
            let rest = names.len() - LISTED;
            Some(format!("columns are {} and {rest} more", names[..LISTED].join(", ")))
        }
    }
}

/// The candidate that needs the fewest edits, if they are few; the first of equals.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    candidates
        .map(|candidate| (levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| distance * 3 <= name.chars().count().max(candidate.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Splits DataFusion's `Invalid function 'x'.\nDid you mean 'y'?` into message and hint.
fn did_you_mean(message: &str) -> (&str, Option<String>) {
    match message.split_once(".\nDid you mean ") {
        Some((message, _)) if message.ends_with("'now'") || message.contains("'current_") => {
            (message, Some("take the time from run.run_time".to_owned()))
        }
        Some((message, near)) => (message, Some(format!("did you mean {}", near.trim_end()))),
        None => (message, None),
    }
}

/// One line, without what is meant for the engine's own developers.
fn tidy(message: &str) -> String {
    let mut text = message;
    if let Some((_, rest)) = text.split_once("coercion failed with: ") {
        text = rest;
    }
    for tail in [" No function matches the given name", ": While expanding wildcard", "\n\nbacktrace:"] {
        text = text.split_once(tail).map_or(text, |(head, _)| head);
    }
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for noise in ["Error during planning: ", "Execution error: ", "Internal error: ", "Arrow error: "] {
        text = text.replace(noise, "");
    }
    if let Some(name) = text.strip_prefix("Invalid function ") {
        return format!("there is no function {name}");
    }
    lower_first(text.trim_end_matches('.'))
}

/// Messages follow a place or another message, so they begin small, unless with a name or an acronym.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            format!("{}{}", first.to_lowercase(), &text[first.len_utf8()..])
        }
        _ => text.to_owned(),
    }
}

fn exhausted(message: &str) -> String {
    if message.contains("disk") || message.contains("max_temp_directory_size") {
        "the query needs more temporary space than it may use".to_owned()
    } else {
        let asked = message.split_once(" failed for ").map_or("", |(_, rest)| rest);
        let operator = asked.split(|other: char| !other.is_ascii_alphanumeric()).next().unwrap_or_default();
        let operator = if operator.is_empty() { String::new() } else { format!(" ({operator})") };
        format!("the query needs more memory than it may use{operator}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["model_id", "model_vendor", "event_id"];
        assert_eq!(nearest("modelid", names.into_iter()), Some("model_id"));
        assert_eq!(nearest("MODEL_ID", names.into_iter()), Some("model_id"));
        assert_eq!(nearest("x", names.into_iter()), None);
    }

    #[test]
    fn resources_name_the_flag_and_hide_the_operator() {
        let error =
            DataFusionError::ResourcesExhausted("Failed to allocate 1 B for ExternalSorter[0]".into());
        let text = Error::from(error.context("while sorting")).to_string();
        assert!(text.contains("--memory-limit") && !text.contains("ExternalSorter"), "{text}");
    }

    #[test]
    fn a_full_disk_is_about_resources_however_deep_it_lies() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let arrow = ArrowError::IoError("writing".into(), full);
        let error = DataFusionError::External(Box::new(DataFusionError::from(arrow)));
        assert!(matches!(Error::from(error), Error::Resources(_)));
    }

    #[test]
    fn a_parser_message_gives_up_its_place() {
        let inner =
            ParserError::ParserError("Expected: an expression, found: FROM at Line: 2, Column: 5".into());
        let error = Error::from(DataFusionError::SQL(Box::new(inner), None));
        assert_eq!(error.to_string(), "line 2, column 5: expected an expression, found FROM");
    }
}
