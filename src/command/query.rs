//! `bedtrail query`: any question in SQL.

use std::fmt::Write as _;

use super::answer::Frame;
use super::deliver::Delivery;
use super::judge::{self, Judgement};
use super::trail::{Prepared, put, query_failure};
use super::{Failure, print};
use crate::cli;
use crate::engine::{self, Engine, Limits, TableDoc};
use crate::event::column::{Field, Kind};
use crate::exit::{Code, Conditions};
use crate::output::{self, Answer};
use crate::{policy, report};

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Query) -> Result<Code, Failure> {
    if arguments.tables {
        return print(&tables()?).map(|()| Code::Clean);
    }
    let sql = text(arguments)?;
    let delivery = Delivery::new(&arguments.output, 1)?;
    if arguments.answering.engine == cli::Engine::Athena {
        engine::athena::portable(&sql).map_err(query_failure)?;
    }
    let prepared = Prepared::new(&arguments.input)?.on(&arguments.answering, &arguments.input)?;
    // Planned before anything is read: a typing mistake costs no reading.
    let tables = prepared.engine.tables_scanned(&[&sql]).map_err(query_failure)?;
    if arguments.explain {
        return print(&prepared.engine.explain(&sql).map_err(query_failure)?).map(|()| Code::Clean);
    }
    let judgement = if judge::REPORTS.iter().any(|report| tables.contains(report.relation)) {
        Some(Judgement::prepare(&prepared)?)
    } else {
        prepared.judges_nothing("this question")?;
        None
    };
    let mut queries = judgement.as_ref().map(Judgement::queries).unwrap_or_default();
    queries.push(sql.clone());
    let columns: &[Field] = if judgement.is_some() { &Judgement::COLUMNS } else { &[] };
    let hash = arguments.output.out.is_some() || tables.contains("objects");
    let trail = prepared.open(&arguments.input, &queries, columns, hash)?;
    let mut complete = trail.complete();
    if let Some(judgement) = &judgement {
        let mut found = judgement.run(&trail)?;
        complete &= found.complete();
        found.put(&trail, false)?;
    }
    let rows = trail.query(&sql)?;
    let frame = Frame::of_query(&trail).judged_by(judgement.as_ref());
    let answer = Answer {
        name: "query".to_owned(),
        title: String::new(),
        question: String::new(),
        preamble: frame.preamble.clone(),
        schema: rows.schema(),
        rows,
        glance: Vec::new(),
        footer: frame.footer,
        findings: None,
    };
    let conditions = Conditions { evidence_incomplete: !complete, ..Conditions::default() };
    let mut parameters = judgement.as_ref().map(Judgement::parameters).unwrap_or_default();
    parameters.insert("query".to_owned(), sql);
    delivery.deliver(&arguments.input, &trail, &frame.preamble, &[answer], parameters, conditions)?;
    Ok(conditions.code())
}

/// The SQL: as typed, of a file, or a shipped report's.
fn text(arguments: &cli::Query) -> Result<String, Failure> {
    if let Some(file) = &arguments.file {
        return std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())));
    }
    let typed = arguments.sql.as_deref().unwrap_or_default().trim();
    if typed.contains(char::is_whitespace) {
        return Ok(typed.to_owned());
    }
    let reports = report::catalogue().map_err(Failure::failed)?;
    report::find(reports, typed).map(|report| report.sql.clone()).map_err(|error| {
        Failure::usage(error).help("give a SELECT, a file with --file, or the name of a shipped report")
    })
}

/// A policy relation in the engine's words.
fn described(table: &policy::TableDoc) -> TableDoc {
    let kind = |kind: Kind| match kind {
        Kind::Text => "text",
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Time => "time",
    };
    let column = |column: &policy::ColumnDoc| {
        (column.name.to_owned(), kind(column.kind).to_owned(), column.meaning.to_owned())
    };
    TableDoc {
        name: table.name.to_owned(),
        meaning: table.meaning.to_owned(),
        columns: table.columns.iter().map(column).collect(),
    }
}

/// Every relation with what each column means.
fn tables() -> Result<String, Failure> {
    let limits = Limits { memory: 64 << 20, spill_dir: None, partitions: 1 };
    let engine = Engine::new(limits).map_err(Failure::failed)?;
    for (name, batch) in policy::empty_relations() {
        put(&engine, name, batch)?;
    }
    let mut more: Vec<TableDoc> = policy::tables().iter().map(described).collect();
    for report in judge::REPORTS {
        let schema = (report.rows)(&judge::Found::default())?.schema();
        more.push(TableDoc {
            name: report.relation.to_owned(),
            meaning: report.question.to_owned(),
            columns: schema
                .fields()
                .iter()
                .zip(report.columns)
                .map(|(field, (name, meaning))| {
                    ((*name).to_owned(), output::kind(field.data_type()).to_owned(), (*meaning).to_owned())
                })
                .collect(),
        });
    }
    let mut out = String::new();
    for table in engine.tables(more).map_err(Failure::failed)? {
        let _ = writeln!(out, "{}\n  {}", table.name, table.meaning);
        let name = table.columns.iter().map(|column| column.0.len()).max().unwrap_or(0);
        let kind = table.columns.iter().map(|column| column.1.len()).max().unwrap_or(0);
        for (column, r#type, meaning) in &table.columns {
            let _ = writeln!(out, "    {column:name$}  {type:kind$}  {meaning}");
        }
        out.push('\n');
    }
    Ok(out)
}
