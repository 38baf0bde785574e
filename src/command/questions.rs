//! `bedtrail questions`: what auditors ask, and which command answers.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};

use super::Failure;
use super::deliver::Delivery;
use crate::cli::Output;
use crate::exit::Code;
use crate::output::Answer;

const QUESTIONS: &str = include_str!("../../queries/data/questions.csv");

/// The columns shown, as in the file.
const COLUMNS: [&str; 6] = ["number", "question", "command", "rules", "state", "note"];

/// Runs the subcommand.
pub(super) fn run(output: &Output) -> Result<Code, Failure> {
    let delivery = Delivery::new(output, 1)?;
    if output.out.is_some() {
        return Err(Failure::usage("questions writes to standard output only"));
    }
    let batch = questions()?;
    delivery.stream(&[Answer {
        name: "questions".to_owned(),
        title: String::new(),
        question: String::new(),
        preamble: Vec::new(),
        schema: batch.schema(),
        rows: batch.into(),
        glance: ["number", "question", "command", "state"].map(str::to_owned).to_vec(),
        footer: Vec::new(),
        findings: None,
    }])?;
    Ok(Code::Clean)
}

fn questions() -> Result<RecordBatch, Failure> {
    let mut reader = csv::Reader::from_reader(QUESTIONS.as_bytes());
    let headers = reader.headers().map_err(Failure::failed)?.clone();
    let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(Failure::failed)?;
    let columns = COLUMNS.map(|name| {
        let at = headers.iter().position(|header| header == name).unwrap_or(usize::MAX);
        let cells = rows.iter().map(|row| row.get(at).filter(|cell| !cell.is_empty()));
        (name, Arc::new(cells.collect::<StringViewArray>()) as ArrayRef, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).map_err(Failure::failed)
}
