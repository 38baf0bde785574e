//! ⑤ Answers become text and files: one file per format, and the folder they are written to.
//!
//! Nothing here decides what is said. An [`Answer`] arrives complete; a [`Format`] spells it, and keeps text
//! that came from a log from being anything but text.

mod cell;
mod error;
pub mod finding;
pub mod folder;
pub mod format;
pub mod manifest;
pub mod sarif;
mod text;
pub mod trace;
pub mod upload;

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::engine::Answered;

pub use cell::kind;
pub use error::Error;
pub use finding::Findings;
pub use folder::{Written, clear, earlier, write_folder, write_manifest};
pub use format::{FORMATS, Format};
pub use manifest::Manifest;
pub use text::shown;

/// A JSON document as text that a terminal can print, laid out for people too. Members keep their order, and numbers and
/// texts their spelling. `json` is valid.
pub fn document(json: &str) -> String {
    let (mut out, mut depth, mut rest) = (String::new(), 0, json);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(letter) = rest.chars().next() {
        let (token, after) = rest.split_at(token(rest));
        rest = after;
        match letter {
            '{' | '[' => {
                out.push(letter);
                let inside = rest.trim_ascii_start();
                if inside.starts_with(['}', ']']) {
                    out.push_str(&inside[..1]);
                    rest = &inside[1..];
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            letter if letter.is_ascii_whitespace() => {}
            _ => out.push_str(token),
        }
    }
    out.push('\n');
    text::json(&out).into_owned()
}

/// How many bytes the token has with which some JSON begins.
fn token(json: &str) -> usize {
    let bytes = json.as_bytes();
    if bytes.first() != Some(&b'"') {
        let ends = |byte: &u8| b"{}[],:\" \t\r\n".contains(byte);
        return bytes
            .iter()
            .skip(1)
            .position(ends)
            .map_or(bytes.len(), |at| at + 1)
            .min(if bytes.first().is_some_and(ends) { 1 } else { bytes.len() });
    }
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// One thing that the records cannot show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caveat {
    /// What it is about.
    pub topic: String,
    /// What that means; its first sentence stands alone.
    pub meaning: String,
}

impl Caveat {
    /// A caveat.
    pub fn new(topic: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { topic: topic.into(), meaning: meaning.into() }
    }

    /// The first sentence of its meaning.
    pub fn brief(&self) -> &str {
        self.meaning.find(". ").map_or(&self.meaning, |end| &self.meaning[..=end])
    }
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.topic, self.meaning)
    }
}

/// The result of one report, or of one query, with the words that belong to it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What its file is called, without extension: ASCII letters, digits, `-` and `_`.
    pub name: String,
    /// The heading; may be empty.
    pub title: String,
    /// The question it answers; may be empty.
    pub question: String,
    /// What is not assessed; people see it before the rows.
    pub preamble: Vec<Caveat>,
    /// The rows, in order. Column types need not be those of `schema`, as long as they can be cast.
    pub rows: Answered,
    /// The columns. A field's metadata may hold its `meaning`, which `json` and `parquet` carry along.
    pub schema: SchemaRef,
    /// The columns that tell most, the most telling first: what a person sees of a wide answer. Empty: all
    /// of them. Formats for machines pass it over.
    pub glance: Vec<String>,
    /// Lines after the rows, such as the balance of records.
    pub footer: Vec<String>,
    /// The rows as findings, where they are: for the formats that spell nothing else.
    pub findings: Option<Arc<Findings>>,
}

impl Answer {
    /// How many of its findings the Security Finding Format cannot tell, since they name no account.
    pub fn without_account(&self) -> usize {
        let findings = self.findings.iter().flat_map(|findings| &findings.cases);
        findings.filter(|case| !finding::asff::tells(case)).count()
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.rows.rows()
    }
}

/// How to draw for a person; formats for machines pass it over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Columns of the terminal. `None`: as wide as the content is, one line per row.
    pub width: Option<usize>,
    /// Whether escape sequences may be used.
    pub colour: bool,
}

/// Writes to a stream that a person or a pipe reads, where a binary format has no place.
///
/// # Errors
/// [`Error::Binary`] for a binary format, else as [`Format::write`].
pub fn write_stream(
    format: &dyn Format,
    answers: &[Answer],
    options: &Options,
    out: &mut dyn Write,
) -> Result<(), Error> {
    if format.binary() {
        return Err(Error::Binary { format: format.name() });
    }
    format.write(answers, options, out)
}

#[cfg(test)]
mod sample;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn binary_needs_a_folder() {
        let answers = [sample::usage()];
        let parquet = format::find("parquet").unwrap();
        let mut out = Vec::new();
        let error = write_stream(parquet, &answers, &Options::default(), &mut out).unwrap_err();
        insta::assert_snapshot!(error, @"parquet is a binary format and is not written to standard output; name a folder with --out");
        assert!(out.is_empty());
    }

    #[test]
    fn one_answer_per_csv() {
        let answers = [sample::usage(), sample::usage()];
        let csv = format::find("csv").unwrap();
        let error = write_stream(csv, &answers, &Options::default(), &mut Vec::new()).unwrap_err();
        insta::assert_snapshot!(error, @"csv holds one report, and there are 2; name a folder with --out to get a file for each");
    }

    #[test]
    fn a_document_keeps_order_and_spelling() {
        let json = r#"{"b" :1e400,"a":["x\"},{",[], { } ,null],"b":"\u001b\\"}"#;
        insta::assert_snapshot!(document(json), @r#"
        {
          "b": 1e400,
          "a": [
            "x\"},{",
            [],
            {},
            null
          ],
          "b": "\u001b\\"
        }
        "#);
    }

    proptest! {
        #[test]
        fn a_document_says_the_same(text in ".{0,40}", number: i64, pretty: bool) {
            let value = serde_json::json!({text.clone(): [number, text, {"x": {}}], "y": [[]]});
            let json = if pretty { format!("{value:#}") } else { value.to_string() };
            let told: serde_json::Value = serde_json::from_str(&document(&json)).unwrap();
            prop_assert_eq!(told, value);
        }
    }
}
