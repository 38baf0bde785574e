//! ⓪ The SQL files under `queries/`, compiled in, and the TOML header each of them opens with.

use toml::de::DeTable;

/// What the build script found under `queries/`.
#[expect(unreachable_pub, reason = "the build script writes the constants for whoever includes them")]
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/queries.rs"));
}

/// One SQL file that is part of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryFile {
    /// The file's name without `.sql`.
    pub stem: &'static str,
    /// The whole text, header included.
    pub sql: &'static str,
}

/// A header that cannot be read, and where in the SQL file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct HeaderError {
    /// Line of the SQL file, from 1.
    pub line: usize,
    /// Column of that line in characters, from 1, the leading `-- ` counted.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// `queries/reports/*.sql`, sorted by name.
pub fn reports() -> impl Iterator<Item = QueryFile> {
    files(embedded::REPORTS)
}

/// `queries/rules/*.sql`, sorted by name.
pub fn rules() -> impl Iterator<Item = QueryFile> {
    files(embedded::RULES)
}

/// `queries/views/*.sql`, sorted by name.
pub fn views() -> impl Iterator<Item = QueryFile> {
    files(embedded::VIEWS)
}

fn files(list: &'static [(&'static str, &'static str)]) -> impl Iterator<Item = QueryFile> {
    list.iter().map(|&(stem, sql)| QueryFile { stem, sql })
}

/// The header of an SQL file as TOML, and the SQL after it.
///
/// The header is the block of `-- ` lines at the top; a lone `--` is an empty line of it.
pub fn split_header(sql: &str) -> Result<(toml::Table, &str), HeaderError> {
    let (text, body) = cut(sql)?;
    let table = toml::from_str(&text).map_err(|error| locate(&text, &error))?;
    Ok((table, body))
}

/// The keys of one table of the header in the order they are written, which a [`toml::Table`] forgets;
/// empty when the header has no such table.
pub fn key_order(sql: &str, table: &str) -> Result<Vec<String>, HeaderError> {
    let (text, _) = cut(sql)?;
    let root = DeTable::parse(&text).map_err(|error| locate(&text, &error))?;
    let Some(found) = root.get_ref().get(table).and_then(|value| value.get_ref().as_table()) else {
        return Ok(Vec::new());
    };
    let mut keys: Vec<_> = found.keys().collect();
    keys.sort_by_key(|key| key.span().start);
    Ok(keys.into_iter().map(|key| key.get_ref().to_string()).collect())
}

/// The candidate that a mistyped name most likely meant, if one is near enough to be worth naming.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count() / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The half-sentence that names the nearest one, or nothing.
pub fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default()
}

/// An error's text on one line.
pub fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Takes the comment marks off the leading block; line n of the result is line n of the file.
fn cut(sql: &str) -> Result<(String, &str), HeaderError> {
    let mut text = String::new();
    let mut rest = sql;
    let mut number = 0;
    while rest.starts_with("--") {
        number += 1;
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(toml) = line.strip_prefix("-- ") {
            text.push_str(toml);
        } else if line != "--" {
            let message = "a header line opens with `-- `, two dashes and a space".to_owned();
            return Err(HeaderError { line: number, column: 3, message });
        }
        text.push('\n');
        rest = after;
    }
    Ok((text, rest))
}

fn locate(text: &str, error: &toml::de::Error) -> HeaderError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let (line, tail) = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or(""));
    // Three for the `-- ` that the TOML parser does not see.
    HeaderError { line, column: tail.chars().count() + 4, message: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "-- title = \"T\"\n--\n-- [columns]\n-- zeta = \"z\"\n-- alpha = \"a\"\nSELECT 1\n-- not header\n";

    #[test]
    fn header_is_the_leading_comment_block() {
        let (table, body) = split_header(FILE).unwrap();
        assert_eq!(table["title"].as_str(), Some("T"));
        assert_eq!(table["columns"]["alpha"].as_str(), Some("a"));
        assert_eq!(body, "SELECT 1\n-- not header\n");
    }

    #[test]
    fn keys_keep_the_written_order() {
        assert_eq!(key_order(FILE, "columns").unwrap(), ["zeta", "alpha"]);
        assert_eq!(key_order(FILE, "none").unwrap(), [""; 0]);
    }

    #[test]
    fn no_header_is_an_empty_table() {
        assert_eq!(split_header("SELECT 1").unwrap(), (toml::Table::new(), "SELECT 1"));
    }

    #[test]
    fn windows_line_ends_and_a_file_of_header_only() {
        let (table, body) = split_header("-- a = 1\r\n--\r\n-- b = 2").unwrap();
        assert_eq!((table.len(), body), (2, ""));
    }

    #[test]
    fn errors_point_into_the_sql_file() {
        let error = split_header("-- title = \"T\"\n--\n-- bad = = 1\nSELECT 1").unwrap_err();
        assert_eq!((error.line, error.column), (3, 10));
        let error = split_header("-- a = 1\n--b = 2\nSELECT 1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2, column 3: a header line opens with `-- `, two dashes and a space"
        );
    }

    #[test]
    fn nearest_name_is_near_or_nothing() {
        let names = ["role-model-matrix", "usage-by-role", "coverage"];
        assert_eq!(nearest("usage-by-rol", names), Some("usage-by-role"));
        assert_eq!(nearest("covreage", names), Some("coverage"));
        assert_eq!(nearest("zzz", names), None);
    }

    #[test]
    fn embedded_files_are_sorted() {
        for list in [reports().collect::<Vec<_>>(), rules().collect(), views().collect()] {
            assert!(list.is_sorted_by_key(|file| file.stem));
        }
    }
}
