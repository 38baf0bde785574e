//! For a person at a terminal: a calm table, or one block per row where a table would not be legible.
//!
//! Nothing from a log reaches the terminal but visible characters (see `text::shown`). Null is a `·`, faint
//! where colour is on; empty text is empty.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, TableComponent, Width,
};

use super::Format;
use crate::output::cell::{self, Value};
use crate::output::{Answer, Error, Options, text};

/// See the module.
pub(super) struct Table;

const NULL: &str = "·";
/// Blank columns between two columns.
const GAP: usize = 2;
/// Text may wrap, but not into a thinner column than this.
const LEGIBLE: usize = 24;
/// No terminal is taken to be narrower.
const NARROWEST: usize = 40;
/// Nor is any table wider: one long cell would pad every row to its length.
const WIDEST: usize = 1000;
/// Longer text than this makes a column of too many lines; a block is better.
const LONGEST: usize = 1000;
/// Lines that are wrapped at once: wrapping takes time in the square of the length, and callers choose it.
const PIECE: usize = 20;
/// A rule above a row's block is no longer than this.
const RULE: usize = 80;

impl Format for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn about(&self) -> &'static str {
        "For reading at a terminal; rows that would not fit are shown one value per line."
    }

    fn write(&self, answers: &[Answer], options: &Options, out: &mut dyn Write) -> Result<(), Error> {
        let options =
            Options { width: options.width.map(|width| width.clamp(NARROWEST, WIDEST)), ..*options };
        for (index, answer) in answers.iter().enumerate() {
            if index > 0 {
                out.write_all(b"\n")?;
            }
            one(answer, &options, out)?;
        }
        Ok(())
    }
}

fn one(answer: &Answer, options: &Options, out: &mut dyn Write) -> Result<(), Error> {
    let lines = std::slice::from_ref;
    prose(lines(&answer.title), Some(Attribute::Bold), options, out)?;
    prose(lines(&answer.question), Some(Attribute::Dim), options, out)?;
    let mut blank = !(answer.title.is_empty() && answer.question.is_empty());
    for (part, lines) in [answer.preamble.as_slice(), &[], answer.footer.as_slice()].into_iter().enumerate() {
        if part != 1 && lines.is_empty() {
            continue;
        }
        if blank {
            out.write_all(b"\n")?;
        }
        blank = true;
        if part == 1 { rows(answer, options, out)? } else { prose(lines, None, options, out)? }
    }
    Ok(())
}

/// Lines of words, wrapped; empty ones are left out.
fn prose(
    lines: &[String],
    attribute: Option<Attribute>,
    options: &Options,
    out: &mut dyn Write,
) -> Result<(), Error> {
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let mut table = bare(options);
        let cell = Cell::new(text::shown(line));
        table.add_row([if let Some(attribute) = attribute { cell.add_attribute(attribute) } else { cell }]);
        pad(&mut table, 0);
        writeln!(out, "{}", table.trim_fmt())?;
    }
    Ok(())
}

fn rows(answer: &Answer, options: &Options, out: &mut dyn Write) -> Result<(), Error> {
    let schema = cell::schema(answer, &[]);
    if answer.rows() == 0 {
        out.write_all(b"No rows.\n")?;
        return Ok(());
    }
    if schema.fields().is_empty() {
        writeln!(out, "{} rows without columns.", answer.rows())?;
        return Ok(());
    }
    let batches: Vec<RecordBatch> = cell::batches(answer, &schema).collect::<Result<_, _>>()?;
    let mut table = bare(options);
    table
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_header(schema.fields().iter().map(|field| {
            let cell = Cell::new(text::shown(field.name())).add_attribute(Attribute::Bold);
            if cell::numeric(field.data_type()) { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
    for batch in &batches {
        for row in 0..batch.num_rows() {
            table.add_row(cells(&schema, batch, row).zip(schema.fields()).map(|(cell, field)| {
                if cell::numeric(field.data_type()) { cell.set_alignment(CellAlignment::Right) } else { cell }
            }));
        }
    }
    // One of them is the (blank) line between columns, which the rule under the header brings along.
    pad(&mut table, GAP - 1);
    if !fit(&mut table, &schema, options) {
        return records(&schema, &batches, options, out);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Gives each column the width below which it is not legible; false when the sum is too wide.
fn fit(table: &mut comfy_table::Table, schema: &Schema, options: &Options) -> bool {
    let contents: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
    let gaps = GAP * (contents.len() - 1);
    let Some(width) = options.width else { return gaps + contents.iter().sum::<usize>() <= WIDEST };
    let mut sum = gaps;
    for ((content, field), column) in contents.into_iter().zip(schema.fields()).zip(table.column_iter_mut()) {
        let name = text::shown(field.name()).chars().count();
        let least = if cell::kind(field.data_type()) == "text" && content <= LONGEST {
            content.min(LEGIBLE.max(name))
        } else {
            content
        };
        sum += least;
        if least == content {
            column.set_constraint(ColumnConstraint::ContentWidth);
        } else {
            let padded = u16::try_from(least).unwrap_or(u16::MAX).saturating_add(column.padding_width());
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(padded)));
        }
    }
    sum <= width
}

/// Each row as a block, one value per line.
fn records(
    schema: &Schema,
    batches: &[RecordBatch],
    options: &Options,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let names: Vec<_> = schema.fields().iter().map(|field| text::shown(field.name())).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let piece = PIECE * options.width.map_or(WIDEST, |width| width.saturating_sub(widest + GAP).max(1));
    let mut number = 0_u64;
    for batch in batches {
        for row in 0..batch.num_rows() {
            number += 1;
            let start = format!("── {number} ");
            let rest = options.width.unwrap_or(RULE).min(RULE).saturating_sub(start.chars().count());
            writeln!(out, "{start}{}", "─".repeat(rest))?;
            let mut table = bare(options);
            for (name, cell) in names.iter().zip(cells(schema, batch, row)) {
                let mut name = Cell::new(name).add_attribute(Attribute::Bold);
                for cell in pieces(cell, piece) {
                    table.add_row([std::mem::replace(&mut name, Cell::new("")), cell]);
                }
            }
            pad(&mut table, GAP);
            if let Some(column) = table.column_mut(0) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            for line in table.lines() {
                writeln!(out, "{}", line.trim_end())?;
            }
        }
    }
    Ok(())
}

/// A cell as cells of at most `piece` characters.
fn pieces(cell: Cell, piece: usize) -> Vec<Cell> {
    let content = cell.content();
    if content.len() <= piece {
        return vec![cell];
    }
    let mut rest = content.as_str();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let end = rest.char_indices().nth(piece).map_or(rest.len(), |(end, _)| end);
        let (piece, after) = rest.split_at(end);
        pieces.push(Cell::new(piece));
        rest = after;
    }
    pieces
}

fn cells<'a>(schema: &'a Schema, batch: &'a RecordBatch, row: usize) -> impl Iterator<Item = Cell> + 'a {
    schema.fields().iter().zip(batch.columns()).map(move |(field, array)| match cell::value(array, row) {
        Value::Null => Cell::new(NULL).add_attribute(Attribute::Dim),
        Value::Text(value) => {
            let cell = Cell::new(text::shown(value));
            if let Some(colour) = colour(field.name(), value) { cell.fg(colour) } else { cell }
        }
        value => Cell::new(value.plain()),
    })
}

/// The few words that deserve an eye.
fn colour(column: &str, value: &str) -> Option<Color> {
    match (column, value) {
        ("severity", "critical" | "high") | ("verdict", "violation") => Some(Color::Red),
        ("severity", "medium") | ("verdict", "not_assessed") => Some(Color::Yellow),
        ("verdict", "pass") => Some(Color::Green),
        _ => None,
    }
}

/// A table without lines that never asks the terminal anything.
fn bare(options: &Options) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING).force_no_tty();
    if options.colour {
        table.enforce_styling().style_text_only();
    }
    if let Some(width) = options.width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table
}

/// Blank columns after every column but the last.
fn pad(table: &mut comfy_table::Table, gap: usize) {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index < last { u16::try_from(gap).unwrap_or(0) } else { 0 }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;
    use proptest::prelude::*;

    fn table(answer: Answer, width: Option<usize>, colour: bool) -> String {
        let mut out = Vec::new();
        Table.write(&[answer], &Options { width, colour }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_small_answer() {
        insta::assert_snapshot!(table(sample::usage(), None, false), @r#"
        Usage by principal
        Who calls which model?

        Completeness is not verified.

        principal                                          input_tokens  model_id                   last_seen                 streaming
        ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        arn:aws:iam::111122223333:role/ops/Summariser  9007199254740993  anthropic.claude-sonnet-4  2026-10-01T12:00:00Z      true
        unknown                                                       ·  ·                          ·                         ·
                                                                     -5  a,"b"                      2026-10-01T12:00:00.250Z  false

        12 records seen = 3 kept + 9 not ours
        "#);
    }

    #[test]
    fn wide_without_a_width() {
        insta::assert_snapshot!(table(sample::wide(), None, false), @"
        severity  account_id    principal                                      reason                                                             first_seen            event_count  sample_event_ids
        ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        high      111122223333  arn:aws:iam::111122223333:role/ops/Summariser  The role called a model that no allow entry of the policy covers.  2026-10-01T12:00:00Z        12345  6f1c6b6e-0000-4000-8000-000000000001 6f1c6b6e-0000-4000-8000-000000000002
        ·         ·             ·                                              ·                                                                  ·                               1  ·
        ");
    }

    #[test]
    fn wide_at_200() {
        insta::assert_snapshot!(table(sample::wide(), Some(200), false), @"
        severity  account_id    principal                                      reason                                              first_seen            event_count  sample_event_ids
        ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        high      111122223333  arn:aws:iam::111122223333:role/ops/Summariser  The role called a model that no allow entry of the  2026-10-01T12:00:00Z        12345  6f1c6b6e-0000-4000-8000-000000000001
                                                                               policy covers.                                                                         6f1c6b6e-0000-4000-8000-000000000002
        ·         ·             ·                                              ·                                                   ·                               1  ·
        ");
    }

    #[test]
    fn wide_at_80_is_a_block_per_row() {
        insta::assert_snapshot!(table(sample::wide(), Some(80), false), @"
        ── 1 ───────────────────────────────────────────────────────────────────────────
        severity          high
        account_id        111122223333
        principal         arn:aws:iam::111122223333:role/ops/Summariser
        reason            The role called a model that no allow entry of the policy
                          covers.
        first_seen        2026-10-01T12:00:00Z
        event_count       12345
        sample_event_ids  6f1c6b6e-0000-4000-8000-000000000001
                          6f1c6b6e-0000-4000-8000-000000000002
        ── 2 ───────────────────────────────────────────────────────────────────────────
        severity          ·
        account_id        ·
        principal         ·
        reason            ·
        first_seen        ·
        event_count       1
        sample_event_ids  ·
        ");
    }

    #[test]
    fn hostile_text_stays_in_its_line() {
        let cells = ["a\nb\r\n", "\u{1b}[2J\u{1b}]0;title\u{7}", "\u{202e}gnp.exe", "", "·"];
        insta::assert_snapshot!(table(sample::texts(&cells), Some(80), false), @r"
        text                          number
        ────────────────────────────────────
        a\nb\r\n                          -1
        \u{1b}[2J\u{1b}]0;title\u{7}      -1
        \u{202e}gnp.exe                   -1
                                          -1
        ·                                 -1
        ");
    }

    #[test]
    fn words_around_the_rows_are_escaped_and_wrapped() {
        let mut answer = sample::texts(&[]);
        answer.title = "Title\u{1b}[5m".to_owned();
        answer.preamble =
            vec!["Not assessed: the Regions that the trail does not cover.".to_owned(), "Two.".to_owned()];
        answer.footer = vec!["s3://bucket/\u{202e}".to_owned()];
        insta::assert_snapshot!(table(answer, Some(40), false), @r"
        Title\u{1b}[5m

        Not assessed: the Regions that the trail
        does not cover.
        Two.

        No rows.

        s3://bucket/\u{202e}
        ");
    }

    #[test]
    fn colour_only_when_asked() {
        let text = table(sample::wide(), Some(80), true);
        assert!(text.contains("\u{1b}[38;5;9mhigh"), "{text:?}");
        assert!(!table(sample::wide(), Some(80), false).contains('\u{1b}'));
    }

    #[test]
    fn a_huge_cell_does_not_overflow() {
        let huge = "x".repeat(200_000);
        for width in [None, Some(80), Some(70_000)] {
            assert!(table(sample::texts(&[&huge]), width, false).matches('x').count() >= 200_000);
        }
    }

    proptest! {
        #[test]
        fn nothing_moves_the_cursor(cells in prop::collection::vec(sample::hostile(), 1..6), width in 0_usize..120) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            for width in [None, Some(width)] {
                let text = table(sample::texts(&cells), width, false);
                prop_assert!(text.chars().all(|c| c == '\n' || text::shown(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8()));
                if width.is_none() {
                    prop_assert_eq!(text.lines().count(), cells.len() + 2);
                }
            }
        }

        #[test]
        fn the_width_holds(cells in prop::collection::vec("[ -~]{0,300}", 1..6), width in 40_usize..120) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let mut wide = sample::wide();
            wide.footer = vec![cells.concat()];
            for answer in [sample::texts(&cells), wide] {
                let text = table(answer, Some(width), false);
                prop_assert!(text.lines().all(|line| line.chars().count() <= width), "{}", text);
            }
        }
    }
}
