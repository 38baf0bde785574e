//! ⓪ The SQL files the program carries (`queries/**/*.sql`) and the TOML header each opens with.

use std::iter;
use std::ops::Range;

include!(concat!(env!("OUT_DIR"), "/queries.rs"));

/// One embedded SQL file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryFile {
    /// The file's name without `.sql`: `BT001-model-not-allowed`, `usage`.
    pub stem: &'static str,
    /// The whole text, header and query.
    pub sql: &'static str,
}

/// A header that is no TOML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the header: {message}")]
pub struct HeaderError {
    /// The line of the file, from 1.
    pub line: usize,
    /// What the TOML reader says.
    pub message: String,
}

/// Views, sorted by name.
pub fn views() -> impl Iterator<Item = QueryFile> {
    files(VIEWS)
}

/// Reports, sorted by name.
pub fn reports() -> impl Iterator<Item = QueryFile> {
    files(REPORTS)
}

/// Rules, sorted by name.
pub fn rules() -> impl Iterator<Item = QueryFile> {
    files(RULES)
}

fn files(list: &'static [(&'static str, &'static str)]) -> impl Iterator<Item = QueryFile> {
    list.iter().map(|&(stem, sql)| QueryFile { stem, sql })
}

/// Splits a file into its header, the leading block of `-- ` lines read as TOML, and the query that follows.
///
/// The header is a SQL comment, so the whole text runs as well as the body does; an error in the whole text
/// then names the line that an editor shows.
pub fn split_header(sql: &str) -> Result<(toml::Table, &str), HeaderError> {
    let mut header = String::new();
    let mut body = sql;
    while let Some(rest) = body.strip_prefix("--") {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        header.push_str(line.strip_prefix(' ').unwrap_or(line).trim_end_matches('\r'));
        header.push('\n');
        body = after;
    }
    let table = header.parse::<toml::Table>().map_err(|error| HeaderError {
        line: line_of(&header, error.span()),
        message: error.message().to_owned(),
    })?;
    Ok((table, body))
}

/// The line, from 1, on which a span of bytes starts.
fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start);
    iter::once(1).chain(text.bytes().take(start).filter(|byte| *byte == b'\n').map(|_| 1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_where_the_comment_block_ends() {
        let sql = "-- title = \"Usage\"\n-- [columns]\n-- a = \"--\"\n--\nSELECT a -- not a header\nFROM t\n";
        let (table, body) = split_header(sql).unwrap();
        assert_eq!(table["title"].as_str(), Some("Usage"));
        assert_eq!(table["columns"]["a"].as_str(), Some("--"));
        assert_eq!(body, "SELECT a -- not a header\nFROM t\n");
    }

    #[test]
    fn no_header_is_an_empty_table() {
        assert_eq!(split_header("SELECT 1").unwrap(), (toml::Table::new(), "SELECT 1"));
        assert_eq!(split_header("").unwrap(), (toml::Table::new(), ""));
        assert_eq!(split_header("-- a = 1").unwrap().1, "");
    }

    #[test]
    fn windows_line_ends_and_multi_line_values_are_read() {
        let (table, body) = split_header("-- a = \"\"\"\r\n-- x\"\"\"\r\nSELECT 1\r\n").unwrap();
        assert_eq!(table["a"].as_str(), Some("x"));
        assert_eq!(body, "SELECT 1\r\n");
    }

    #[test]
    fn a_bad_header_names_its_line() {
        let error = split_header("-- a = 1\n-- b = \nSELECT 1").unwrap_err();
        assert_eq!(error.line, 2, "{error}");
        let error = split_header("-- a = 1\n-- b = 2\n-- a = 3\nSELECT 1").unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (3, "duplicate key"));
    }

    #[test]
    fn every_embedded_file_has_a_readable_header() {
        for file in views().chain(reports()).chain(rules()) {
            let (header, body) =
                split_header(file.sql).unwrap_or_else(|error| panic!("{}: {error}", file.stem));
            assert!(!body.trim().is_empty(), "{} has no query", file.stem);
            assert!(!header.is_empty(), "{} has no header", file.stem);
        }
    }
}
