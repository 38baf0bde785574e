//! For a person at a terminal: a calm table, or one block per row where a table would not be legible.
//!
//! Nothing from a log reaches the terminal but visible characters (see `text::shown`). Null is a `·`, faint
//! where colour is on; empty text is empty.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, TableComponent, Width,
};

use super::Format;
use crate::output::cell::{self, Value};
use crate::output::{Answer, Caveat, Error, Options, text};

/// See the module.
pub(super) struct Table;

const NULL: &str = "·";
/// Blank columns between two columns.
const GAP: usize = 2;
/// Text may wrap, but not into a thinner column than this: it holds `arn:aws:iam::111122223333:`.
const LEGIBLE: usize = 26;
/// No terminal is taken to be narrower.
const NARROWEST: usize = 40;
/// Nor is any table wider: one long cell would pad every row to its length.
const WIDEST: usize = 1000;
/// Longer text than this makes a column of too many lines; a block is better.
const LONGEST: usize = 1000;
/// Lines that are wrapped at once: wrapping takes time in the square of the length, and callers choose it.
const PIECE: usize = 20;
/// Fewer columns than this say too little of a row; a block says more.
const FEWEST: usize = 6;
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
        let mut said: &[Caveat] = &[];
        for (index, answer) in answers.iter().enumerate() {
            if index > 0 {
                out.write_all(b"\n\n")?;
            }
            // What several answers open or close with alike is said once: before the first, after the last.
            let preamble = if answer.preamble == said { &[] } else { answer.preamble.as_slice() };
            if !answer.preamble.is_empty() {
                said = &answer.preamble;
            }
            let later = answers[index + 1..].iter().any(|later| later.footer == answer.footer);
            let footer = if later { &[] } else { answer.footer.as_slice() };
            one(answer, preamble, footer, &options, out)?;
        }
        Ok(())
    }
}

fn one(
    answer: &Answer,
    preamble: &[Caveat],
    footer: &[String],
    options: &Options,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let lines = std::slice::from_ref;
    let title =
        if answer.title.is_empty() { String::new() } else { format!("{}  [{}]", answer.title, answer.name) };
    prose(lines(&title), Some(Attribute::Bold), options, out)?;
    prose(lines(&answer.question), Some(Attribute::Dim), options, out)?;
    if !(answer.title.is_empty() && answer.question.is_empty()) {
        out.write_all(b"\n")?;
    }
    if !preamble.is_empty() {
        caveats(preamble, options, out)?;
        out.write_all(b"\n")?;
    }
    rows(answer, options, out)?;
    if !footer.is_empty() {
        out.write_all(b"\n")?;
        prose(footer, Some(Attribute::Dim), options, out)?;
    }
    Ok(())
}

/// One line per thing that is not assessed, where the width allows it.
fn caveats(preamble: &[Caveat], options: &Options, out: &mut dyn Write) -> Result<(), Error> {
    let mut table = bare(options);
    for caveat in preamble {
        table.add_row([
            Cell::new("Not assessed").fg(Color::Yellow),
            Cell::new(text::shown(&caveat.topic)),
            Cell::new(text::shown(caveat.brief())),
        ]);
    }
    pad(&mut table, GAP);
    for column in table.column_iter_mut().take(2) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
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
    let (schema, batches) = glance(answer, &schema)?;
    // An answer that does not say what is most telling is shown whole, or one value per line.
    let all = schema.fields().len();
    let fewest = if answer.glance.is_empty() { all } else { FEWEST.min(all) };
    let table = drawn(&schema, &batches, None, options);
    let contents: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
    let Some(width) = options.width else {
        if total(&contents) <= WIDEST {
            print(&table, out)?;
        } else {
            records(&schema, &batches, options, out)?;
        }
        return left_out(answer, all, options, out);
    };
    for count in (fewest..=all).rev() {
        let first: Vec<usize> = (0..count).collect();
        let part = schema.project(&first)?;
        if let Some(widths) = fit(&contents[..count], &part, width) {
            let rows: Vec<RecordBatch> =
                batches.iter().map(|batch| batch.project(&first)).collect::<Result<_, _>>()?;
            print(&drawn(&part, &rows, Some(&widths), options), out)?;
            return left_out(answer, count, options, out);
        }
    }
    records(&schema, &batches, options, out)?;
    left_out(answer, all, options, out)
}

/// The rows under their header, each column of its width where widths are given.
fn drawn(
    schema: &Schema,
    batches: &[RecordBatch],
    widths: Option<&[usize]>,
    options: &Options,
) -> comfy_table::Table {
    let mut table = bare(options);
    head(&mut table, schema);
    for batch in batches {
        for row in 0..batch.num_rows() {
            table.add_row(cells(schema, batch, row, widths).zip(schema.fields()).map(|(cell, field)| {
                if cell::numeric(field.data_type()) { cell.set_alignment(CellAlignment::Right) } else { cell }
            }));
        }
    }
    // One of them is the (blank) line between columns, which the rule under the header brings along.
    pad(&mut table, GAP - 1);
    for (column, width) in table.column_iter_mut().zip(widths.into_iter().flatten()) {
        let padded = u16::try_from(*width).unwrap_or(u16::MAX).saturating_add(column.padding_width());
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded)));
    }
    table
}

fn print(table: &comfy_table::Table, out: &mut dyn Write) -> Result<(), Error> {
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The width of columns and the blanks between them.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// A width for each column, given those of their contents; none when the sum of what is legible is too wide.
fn fit(contents: &[usize], schema: &Schema, width: usize) -> Option<Vec<usize>> {
    let least = contents.iter().zip(schema.fields()).map(|(&content, field)| {
        let name = text::shown(field.name()).chars().count();
        let wraps = cell::kind(field.data_type()) == "text" && content <= LONGEST;
        if wraps { content.min(LEGIBLE.max(name)) } else { content }
    });
    let mut widths: Vec<usize> = least.collect();
    let mut spare = width.checked_sub(total(&widths))?;
    // What is left goes to those that wrap, in equal parts; who needs less leaves the rest to the others.
    let mut short: Vec<usize> =
        (0..widths.len()).filter(|&column| widths[column] < contents[column]).collect();
    short.sort_by_key(|&column| contents[column] - widths[column]);
    for (index, &column) in short.iter().enumerate() {
        let part = (spare / (short.len() - index)).min(contents[column] - widths[column]);
        widths[column] += part;
        spare -= part;
    }
    Some(widths)
}

/// The columns that the answer says tell most, in that order.
fn glance(answer: &Answer, schema: &SchemaRef) -> Result<(SchemaRef, Vec<RecordBatch>), Error> {
    let batches = cell::batches(answer, schema);
    let chosen: Vec<usize> = answer.glance.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    if chosen.is_empty() {
        return Ok((Arc::clone(schema), batches.collect::<Result<_, _>>()?));
    }
    // All that is drawn is held, and no more.
    let batches = batches.map(|batch| Ok::<_, Error>(batch?.project(&chosen)?)).collect::<Result<_, _>>()?;
    Ok((Arc::new(schema.project(&chosen)?), batches))
}

fn head(table: &mut comfy_table::Table, schema: &Schema) {
    table
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_header(schema.fields().iter().map(|field| {
            let cell = Cell::new(text::shown(field.name())).add_attribute(Attribute::Bold);
            if cell::numeric(field.data_type()) { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
}

/// Says that there is more to an answer than a person sees of it.
fn left_out(answer: &Answer, shown: usize, options: &Options, out: &mut dyn Write) -> Result<(), Error> {
    let all = answer.schema.fields().len();
    if shown == all {
        return Ok(());
    }
    let line = format!("{shown} of {all} columns; the other formats have all of them.");
    prose(&[line], Some(Attribute::Dim), options, out)
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
    let room = options.width.map(|width| width.saturating_sub(widest + GAP).max(1));
    let piece = PIECE * room.unwrap_or(WIDEST);
    let widths = room.map(|room| vec![room; names.len()]);
    let mut number = 0_u64;
    for batch in batches {
        for row in 0..batch.num_rows() {
            number += 1;
            let start = format!("── {number} ");
            let rest = options.width.unwrap_or(RULE).min(RULE).saturating_sub(start.chars().count());
            writeln!(out, "{start}{}", "─".repeat(rest))?;
            let mut table = bare(options);
            for (name, cell) in names.iter().zip(cells(schema, batch, row, widths.as_deref())) {
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

fn cells<'a>(
    schema: &'a Schema,
    batch: &'a RecordBatch,
    row: usize,
    widths: Option<&'a [usize]>,
) -> impl Iterator<Item = Cell> + 'a {
    let columns = schema.fields().iter().zip(batch.columns()).enumerate();
    columns.map(move |(index, (field, array))| match cell::value(array, row) {
        Value::Null => Cell::new(NULL).add_attribute(Attribute::Dim),
        Value::Text(value) => {
            let shown = text::shown(value);
            let cell = match widths.and_then(|widths| widths.get(index)) {
                Some(width) => Cell::new(text::wrapped(&shown, *width)),
                None => Cell::new(shown),
            };
            if let Some(colour) = colour(field.name(), value) { cell.fg(colour) } else { cell }
        }
        value => Cell::new(value.plain()),
    })
}

/// The few words that deserve an eye.
fn colour(column: &str, value: &str) -> Option<Color> {
    match (column, value) {
        ("severity", "critical" | "high") | ("verdict" | "status", "violation") => Some(Color::Red),
        ("severity", "medium") | ("verdict" | "status" | "state", "not_assessed" | "not_seen" | "partly") => {
            Some(Color::Yellow)
        }
        ("verdict" | "status", "waived") => Some(Color::Cyan),
        ("verdict", "pass" | "seen") => Some(Color::Green),
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
        Usage by principal  [usage]
        Who calls which model?

        Not assessed  completeness  It is not verified.

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
        severity  account_id    principal                                      reason                                          first_seen            event_count  sample_event_ids
        ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        high      111122223333  arn:aws:iam::111122223333:role/ops/Summariser  The role called a model that no allow entry of  2026-10-01T12:00:00Z        12345  6f1c6b6e-0000-4000-8000-000000000001
                                                                               the policy covers.                                                                 6f1c6b6e-0000-4000-8000-000000000002
        ·         ·             ·                                              ·                                               ·                               1  ·
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
    fn a_block_breaks_names_at_their_joints() {
        let narrow = table(sample::wide(), Some(60), false);
        let parts = "principal         arn:aws:iam::111122223333:role/ops/\n                  Summariser\n";
        assert!(narrow.contains(parts), "{narrow}");
    }

    #[test]
    fn a_glance_leaves_out_what_tells_least_and_says_so() {
        let mut answer = sample::wide();
        let glance = ["severity", "principal", "event_count", "reason", "account_id", "first_seen"];
        answer.glance = glance.map(str::to_owned).to_vec();
        answer.glance.push("sample_event_ids".to_owned());
        insta::assert_snapshot!(table(answer.clone(), Some(120), false), @"
        severity  principal                      event_count  reason                          account_id    first_seen
        ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        high      arn:aws:iam::111122223333:           12345  The role called a model that    111122223333  2026-10-01T12:00:00Z
                  role/ops/Summariser                         no allow entry of the policy
                                                              covers.
        ·         ·                                        1  ·                               ·             ·
        6 of 7 columns; the other formats have all of them.
        ");
        assert!(table(answer.clone(), Some(80), false).starts_with("── 1 "));
        assert!(table(answer, None, false).contains("sample_event_ids"));
    }

    #[test]
    fn what_answers_share_is_said_once() {
        let mut last = sample::usage();
        last.title = "Another".to_owned();
        let mut own = sample::texts(&["a"]);
        own.preamble = vec![Caveat::new("own", "Only here.")];
        let mut out = Vec::new();
        Table.write(&[sample::usage(), last.clone(), own, last], &Options::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("It is not verified.").count(), 2);
        assert_eq!(text.matches("Only here.").count(), 1);
        assert_eq!(text.matches("12 records seen").count(), 1);
        assert!(text.trim_end().ends_with("9 not ours"));
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
        answer.preamble = vec![
            Caveat::new("Regions\u{7}", "Not all are covered by the trail. More."),
            Caveat::new("two", "One sentence."),
        ];
        answer.footer = vec!["s3://bucket/\u{202e}".to_owned()];
        insta::assert_snapshot!(table(answer, Some(40), false), @r"
        Title\u{1b}[5m  [texts]

        Not assessed  Regions\u{7}  Not all are
                                    covered by
                                    the trail.
        Not assessed  two           One
                                    sentence.

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
