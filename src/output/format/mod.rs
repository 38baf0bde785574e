//! The formats an answer can be written in: one file each, and one line in [`FORMATS`].

mod asff;
mod csv;
mod json;
mod ndjson;
mod ocsf;
mod parquet;
mod table;

use std::io::Write;

use super::{Answer, Error, Options};

/// A way to write answers.
pub trait Format: Sync {
    /// What `--format` calls it.
    fn name(&self) -> &'static str;
    /// The extension of its files, without the dot.
    fn extension(&self) -> &'static str;
    /// One sentence for the help and the documentation.
    fn about(&self) -> &'static str;
    /// Whether its bytes are not text.
    fn binary(&self) -> bool {
        false
    }
    /// Whether it has no place for words around the rows, so that they must be said elsewhere.
    fn rows_only(&self) -> bool {
        false
    }
    /// Whether it spells findings alone, and passes over answers that bring none.
    fn findings_only(&self) -> bool {
        false
    }
    /// What its file of this answer is called, without the extension; none if it has nothing to say of it.
    fn stem<'a>(&self, answer: &'a Answer) -> Option<&'a str> {
        match &answer.findings {
            _ if !self.findings_only() => Some(&answer.name),
            Some(_) => Some("findings"),
            None => None,
        }
    }
    /// Writes the answers, in order.
    ///
    /// # Errors
    /// When the stream fails, when a column cannot be spelled, and [`Error::OneAnswer`] when the format
    /// holds one answer and there are more.
    fn write(&self, answers: &[Answer], options: &Options, out: &mut dyn Write) -> Result<(), Error>;
}

/// Every format, sorted by name.
pub const FORMATS: &[&dyn Format] =
    &[&asff::Asff, &csv::Csv, &json::Json, &ndjson::Ndjson, &ocsf::Ocsf, &parquet::Parquet, &table::Table];

/// The format of that name.
pub fn find(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The only answer, for a format that holds one.
fn only<'a>(format: &dyn Format, answers: &'a [Answer]) -> Result<&'a Answer, Error> {
    match answers {
        [answer] => Ok(answer),
        _ => Err(Error::OneAnswer { format: format.name(), count: answers.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_sorted_and_findable() {
        let names: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for name in names {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
            assert_eq!(find(name).map(Format::name), Some(name));
        }
        assert!(find("CSV").is_none());
    }

    #[test]
    fn extensions_are_unique_so_that_two_formats_never_share_a_file() {
        let mut extensions: Vec<_> = FORMATS.iter().map(|format| format.extension()).collect();
        extensions.sort_unstable();
        assert!(extensions.is_sorted_by(|a, b| a < b), "{extensions:?}");
    }

    #[test]
    fn each_is_documented_in_one_sentence() {
        for format in FORMATS {
            let about = format.about();
            assert!(about.len() > 20 && about.ends_with('.'), "{}: {about}", format.name());
        }
    }

    #[test]
    fn the_folder_is_the_registry() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/output/format");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs" && !name.starts_with('.'))
            .collect();
        files.sort();
        let names: Vec<_> = FORMATS.iter().map(|format| format!("{}.rs", format.name())).collect();
        assert_eq!(files, names);
    }
}
