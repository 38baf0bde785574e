//! RFC 4180: a header row, CRLF, quotes where needed; null is an empty cell, empty text is `""`.
//!
//! Text that a spreadsheet would run as a formula gets a leading apostrophe, and control characters other
//! than line feed and tab are written out (see `text::csv`); numbers are never touched. Direction marks and other
//! invisible characters stay as logged: programs read a CSV back and compare, and no spreadsheet runs them; what shows
//! them written out is a table. In an answer of one
//! column null is `""` as well: readers skip an empty line, and a row must not vanish.
//! What is not assessed has no place in a CSV: the manifest beside it says so.

use std::io::Write;

use super::{Format, only};
use crate::output::cell::{self, Value};
use crate::output::{Answer, Error, Options, text};

/// See the module.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "RFC 4180 with a header row, safe to open in a spreadsheet; one report per file."
    }

    fn rows_only(&self) -> bool {
        true
    }

    fn write(&self, answers: &[Answer], _: &Options, out: &mut dyn Write) -> Result<(), Error> {
        let answer = only(self, answers)?;
        let schema = cell::schema(answer, &[]);
        let mut line = String::new();
        for (index, field) in schema.fields().iter().enumerate() {
            separate(index, &mut line);
            quote(&text::csv(field.name()), &mut line);
        }
        line.push_str("\r\n");
        out.write_all(line.as_bytes())?;
        for batch in cell::batches(answer, &schema) {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                line.clear();
                for (index, array) in batch.columns().iter().enumerate() {
                    separate(index, &mut line);
                    match cell::value(array, row) {
                        Value::Null if batch.num_columns() == 1 => line.push_str("\"\""),
                        Value::Text(value) => quote(&text::csv(value), &mut line),
                        value => line.push_str(&value.plain()),
                    }
                }
                line.push_str("\r\n");
                out.write_all(line.as_bytes())?;
            }
        }
        Ok(())
    }
}

fn separate(index: usize, line: &mut String) {
    if index > 0 {
        line.push(',');
    }
}

// Not the csv crate's writer: it decides quotes for a whole file, so null and empty text would look alike.
fn quote(cell: &str, line: &mut String) {
    if cell.is_empty() || cell.contains([',', '"', '\n', '\r']) {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;
    use proptest::prelude::*;

    fn csv(answer: Answer) -> String {
        let mut out = Vec::new();
        Csv.write(&[answer], &Options::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_small_answer() {
        let text = csv(sample::usage());
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        insta::assert_snapshot!(text.replace('\r', ""), @r#"
        principal,input_tokens,model_id,last_seen,streaming
        arn:aws:iam::111122223333:role/ops/Summariser,9007199254740993,anthropic.claude-sonnet-4,2026-10-01T12:00:00Z,true
        unknown,,,,
        "",-5,"a,""b""",2026-10-01T12:00:00.250Z,false
        "#);
    }

    #[test]
    fn hostile_text() {
        let text = csv(sample::texts(&["=cmd|' /C calc'!A0", "-2+3", "a\"b,c", "x\r\ny", "\u{1b}[31m", ""]));
        insta::assert_snapshot!(text.replace("\r\n", "¶\n"), @r#"
        text,number¶
        '=cmd|' /C calc'!A0,-1¶
        '-2+3,-1¶
        "a""b,c",-1¶
        "x\u{d}
        y",-1¶
        \u{1b}[31m,-1¶
        "",-1¶
        "#);
    }

    #[test]
    fn a_null_alone_is_still_a_row() {
        let mut answer = sample::texts(&["a"]);
        answer.rows = sample::rows(vec![sample::nulls(&answer.schema, 2).project(&[0]).unwrap()]);
        answer.schema = answer.rows.schema();
        assert_eq!(csv(answer), "text\r\n\"\"\r\n\"\"\r\n");
    }

    proptest! {
        #[test]
        fn every_cell_reads_back(cells in prop::collection::vec(sample::hostile(), 1..8)) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let text = csv(sample::texts(&cells));
            let mut reader = ::csv::ReaderBuilder::new().from_reader(text.as_bytes());
            let rows: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(rows.len(), cells.len());
            for (row, cell) in rows.iter().zip(cells) {
                prop_assert_eq!(&row[0], &*text::csv(cell));
                prop_assert!(!row[0].starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
                prop_assert!(row[0].chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
                prop_assert_eq!(&row[1], "-1");
            }
        }
    }
}
