//! `bedtrail report`: one report.

use std::collections::BTreeSet;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::DataType;

use super::answer::{Frame, NOT_ASSESSED};
use super::deliver::Delivery;
use super::judge::{self, Judgement};
use super::trail::{Prepared, Trail, query_failure};
use super::{Failure, print};
use crate::cli;
use crate::data;
use crate::engine::{self, Answered};
use crate::event::column::Field;
use crate::exit::{Code, Conditions};
use crate::report::{self, Report};

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Report) -> Result<Code, Failure> {
    let reports = report::catalogue().map_err(Failure::failed)?;
    let Some(name) = arguments.name.as_deref().filter(|_| !arguments.list) else {
        return print(&listing(reports)).map(|()| Code::Clean);
    };
    if let Some(which) = judge::REPORTS.iter().find(|which| which.name == name) {
        let delivery = match which.relation {
            "findings" => Delivery::of_findings(&arguments.output, 1)?,
            _ => Delivery::new(&arguments.output, 1)?,
        };
        return judged(arguments, which, &delivery);
    }
    let delivery = Delivery::new(&arguments.output, 1)?;
    let report = report::find(reports, name).map_err(Failure::usage)?;
    let framework = arguments.framework.as_deref().map(|name| framework(report, name)).transpose()?;
    let not_assessed = reports.iter().find(|report| report.name == NOT_ASSESSED);
    let prepared = Prepared::new(&arguments.input)?.on(&arguments.answering, &arguments.input)?;
    let mut queries: Vec<String> =
        [Some(report), not_assessed].into_iter().flatten().map(|one| one.sql.clone()).collect();
    let tables = prepared.engine.named(&[&report.sql]).map_err(query_failure)?;
    // Some tell what the rules found.
    let judges = judge::REPORTS.iter().any(|which| tables.contains(which.relation));
    let judgement = judges.then(|| Judgement::prepare(&prepared)).transpose()?;
    if !judges {
        prepared.judges_nothing(&report.name)?;
    }
    queries.extend(judgement.iter().flat_map(Judgement::queries));
    let columns: &[Field] = if judges { &Judgement::COLUMNS } else { &[] };
    let hash = arguments.output.out.is_some();
    let trail = prepared.open(&arguments.input, &queries, columns, hash)?;
    let mut complete = trail.complete();
    if let Some(judgement) = &judgement {
        let mut found = judgement.run(&trail)?;
        complete &= found.complete();
        found.put(&trail, false)?;
    }
    let (frame, mut rows) = asked(&trail, report, not_assessed)?;
    let frame = frame.judged_by(judgement.as_ref());
    if let Some(framework) = framework {
        let batches = rows.batches().map(|batch| of_framework(&batch.map_err(Failure::failed)?, &framework));
        rows = Answered::new(rows.schema(), batches.collect::<Result<_, _>>()?);
    }
    let answer = frame.report(report, rows);
    let conditions = Conditions {
        evidence_incomplete: !complete,
        strict: arguments.strict_evidence,
        ..Conditions::default()
    };
    let parameters = judgement.as_ref().map(Judgement::parameters).unwrap_or_default();
    delivery.deliver(&arguments.input, &trail, &frame.preamble, &[answer], parameters, conditions)?;
    Ok(conditions.code())
}

/// What opens and closes the answer, and a report's rows.
///
/// Both are asked at once: each has parts that keep one thread busy. Beside another, a query may find too little memory;
/// what fails so is asked again by itself.
fn asked(
    trail: &Trail,
    report: &Report,
    not_assessed: Option<&Report>,
) -> Result<(Frame, Answered), Failure> {
    if trail.asking.is_some() || report.name == NOT_ASSESSED {
        let frame = Frame::of(trail, not_assessed)?;
        let rows = frame.rows(trail, report)?;
        return Ok((frame, rows));
    }
    let (frame, rows) = std::thread::scope(|scope| {
        let rows = scope.spawn(|| trail.engine.answer(&report.sql));
        let frame = Frame::of(trail, not_assessed);
        (frame, rows.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let frame = frame.or_else(|_| Frame::of(trail, not_assessed))?;
    let rows = match rows {
        Err(engine::Error::Resources(_)) => trail.answer(&report.name, &report.sql)?,
        rows => rows.map_err(query_failure)?,
    };
    Ok((frame, rows))
}

/// A report made of what the rules found.
fn judged(
    arguments: &cli::Report,
    which: &judge::JudgedReport,
    delivery: &Delivery<'_>,
) -> Result<Code, Failure> {
    let reports = report::catalogue().map_err(Failure::failed)?;
    let not_assessed = reports.iter().find(|report| report.name == NOT_ASSESSED);
    let prepared = Prepared::new(&arguments.input)?.on(&arguments.answering, &arguments.input)?;
    let judgement = Judgement::prepare(&prepared)?;
    let mut queries = judgement.queries();
    queries.extend(not_assessed.map(|report| report.sql.clone()));
    let hash = arguments.output.out.is_some();
    let trail =
        prepared.open(&arguments.input, &queries, &Judgement::columns(delivery.shows_events()), hash)?;
    let mut found = judgement.run(&trail)?;
    found.put(&trail, delivery.shows_events())?;
    let frame = Frame::of(&trail, not_assessed)?.judged_by(Some(&judgement));
    let answer = frame.found(which, &judgement, &found, delivery.shows_events())?;
    let conditions = Conditions {
        evidence_incomplete: !trail.complete() || !found.complete(),
        not_assessed: found.not_assessed(),
        strict: arguments.strict_evidence,
        ..Conditions::default()
    };
    delivery.deliver(
        &arguments.input,
        &trail,
        &frame.preamble,
        &[answer],
        judgement.parameters(),
        conditions,
    )?;
    Ok(conditions.code())
}

/// A framework's name without what people leave out: soc2 is SOC 2.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The framework that was asked for, if the report has frameworks and there is such a one.
fn framework(report: &Report, name: &str) -> Result<String, Failure> {
    if report.columns.iter().all(|(column, _)| column != "framework") {
        return Err(Failure::usage(format!("the report {} is of no framework", report.name))
            .help("`bedtrail report controls --framework` takes one"));
    }
    let relation = data::relation("ref_framework").ok_or_else(|| Failure::failed("no frameworks"))?;
    let known = relation.read().map_err(Failure::failed)?;
    let names: BTreeSet<String> = known
        .column_by_name("framework")
        .and_then(|column| column.as_string_view_opt())
        .into_iter()
        .flatten()
        .flatten()
        .map(str::to_owned)
        .collect();
    if let Some(one) = meant(&plain(name), &names) {
        return Ok(one.to_owned());
    }
    let list = names.into_iter().collect::<Vec<_>>().join(", ");
    Err(Failure::usage(format!("--framework {name}: no such framework, or more than one"))
        .help(format!("one of {list}")))
}

/// The one name that is the wanted one, else the one that holds it, else the one that has its letters in their order,
/// else the one that it begins with: `iso27001` is ISO/IEC 27001, `pci-dss-4.0.1` is PCI DSS.
fn meant<'a>(wanted: &str, names: &'a BTreeSet<String>) -> Option<&'a str> {
    let in_order = |known: &str| {
        let mut letters = known.chars();
        wanted.chars().all(|letter| letters.any(|other| other == letter))
    };
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut fitting = names.iter().filter(|known| fits(&plain(known)));
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let one = only(&|known| known == wanted)
        .or_else(|| only(&|known| known.contains(wanted)))
        .or_else(|| only(&|known| known.starts_with(wanted.get(..3).unwrap_or(wanted)) && in_order(known)))
        .or_else(|| only(&|known| wanted.starts_with(known)));
    one.map(String::as_str)
}

/// The rows of one framework.
fn of_framework(batch: &RecordBatch, framework: &str) -> Result<RecordBatch, Failure> {
    let column = batch.column_by_name("framework").ok_or_else(|| Failure::failed("no column framework"))?;
    let column = cast(column, &DataType::Utf8View).map_err(Failure::failed)?;
    let keep: BooleanArray =
        column.as_string_view().iter().map(|name| Some(name == Some(framework))).collect();
    filter_record_batch(batch, &keep).map_err(Failure::failed)
}

fn listing(reports: &[Report]) -> String {
    let judged = judge::REPORTS.iter().map(|report| (report.name, report.question));
    let mut all: Vec<(&str, &str)> =
        reports.iter().map(|report| (report.name.as_str(), report.question.as_str())).chain(judged).collect();
    all.sort_unstable();
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    all.iter().fold(String::new(), |text, (name, question)| format!("{text}{name:width$}  {question}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_has_short_names() {
        let batch = data::relation("ref_framework").expect("the frameworks").read().expect("readable");
        let names = batch.column_by_name("framework").and_then(|column| column.as_string_view_opt());
        let names: BTreeSet<String> = names.expect("names").iter().flatten().map(str::to_owned).collect();
        for (short, framework) in [
            ("soc2", "SOC 2"),
            ("SOC-2", "SOC 2"),
            ("iso27001", "ISO/IEC 27001"),
            ("iso42001", "ISO/IEC 42001"),
            ("nist800-53", "NIST SP 800-53"),
            ("800-53", "NIST SP 800-53"),
            ("nist-sp-800-53r5", "NIST SP 800-53"),
            ("hipaa", "HIPAA"),
            ("pci", "PCI DSS"),
            ("pci-dss-4.0.1", "PCI DSS"),
            ("eu-ai-act", "EU AI Act"),
            ("aiact", "EU AI Act"),
            ("nist-ai-rmf", "NIST AI RMF"),
            ("rmf", "NIST AI RMF"),
            ("fedramp", "FedRAMP"),
            ("fedramp-20x", "FedRAMP 20x"),
            ("gdpr", "GDPR"),
        ] {
            assert_eq!(meant(&plain(short), &names), Some(framework), "{short}");
        }
        for name in ["", "nist", "iso", "cis", "2"] {
            assert_eq!(meant(&plain(name), &names), None, "{name}");
        }
        // Every framework answers to its own name, however it is spelled.
        for name in &names {
            assert_eq!(meant(&plain(&name.to_uppercase()), &names), Some(name.as_str()), "{name}");
        }
    }
}
