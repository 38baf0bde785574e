//! `bedtrail report`: one report.

use std::collections::BTreeMap;

use super::answer::{Frame, NOT_ASSESSED};
use super::deliver::Delivery;
use super::judge::{self, Judgement};
use super::trail::{Prepared, query_failure};
use super::{Failure, print};
use crate::cli;
use crate::exit::{Code, Conditions};
use crate::report::{self, Report};

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Report) -> Result<Code, Failure> {
    let reports = report::catalogue().map_err(Failure::failed)?;
    let Some(name) = arguments.name.as_deref().filter(|_| !arguments.list) else {
        return print(&listing(reports)).map(|()| Code::Clean);
    };
    let delivery = Delivery::new(&arguments.output, 1)?;
    if let Some(which) = judge::REPORTS.iter().find(|which| which.name == name) {
        return judged(arguments, which, &delivery);
    }
    let report = report::find(reports, name).map_err(Failure::usage)?;
    let not_assessed = reports.iter().find(|report| report.name == NOT_ASSESSED);
    let prepared = Prepared::new(&arguments.input)?;
    let queries: Vec<String> =
        [Some(report), not_assessed].into_iter().flatten().map(|one| one.sql.clone()).collect();
    let hash = arguments.output.out.is_some();
    let trail = prepared.open(&arguments.input, &queries, &[], hash)?;
    let frame = Frame::of(&trail, not_assessed)?;
    let answer = frame.report(report, trail.engine.run(&report.sql).map_err(query_failure)?)?;
    let conditions = Conditions {
        evidence_incomplete: !trail.complete(),
        strict: arguments.strict_evidence,
        ..Conditions::default()
    };
    delivery.deliver(&arguments.input, &trail, &frame.preamble, &[answer], BTreeMap::new(), conditions)?;
    Ok(conditions.code())
}

/// A report made of what the rules found.
fn judged(
    arguments: &cli::Report,
    which: &judge::JudgedReport,
    delivery: &Delivery<'_>,
) -> Result<Code, Failure> {
    let reports = report::catalogue().map_err(Failure::failed)?;
    let not_assessed = reports.iter().find(|report| report.name == NOT_ASSESSED);
    let prepared = Prepared::new(&arguments.input)?;
    let judgement = Judgement::prepare(&prepared)?;
    let mut queries = judgement.queries();
    queries.extend(not_assessed.map(|report| report.sql.clone()));
    let hash = arguments.output.out.is_some();
    let trail = prepared.open(&arguments.input, &queries, &Judgement::COLUMNS, hash)?;
    let found = judgement.run(&trail)?;
    let frame = Frame::of(&trail, not_assessed)?;
    let answer = frame.judged(which, (which.rows)(&found)?);
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

fn listing(reports: &[Report]) -> String {
    let judged = judge::REPORTS.iter().map(|report| (report.name, report.question));
    let mut all: Vec<(&str, &str)> =
        reports.iter().map(|report| (report.name.as_str(), report.question.as_str())).chain(judged).collect();
    all.sort_unstable();
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    all.iter().fold(String::new(), |text, (name, question)| format!("{text}{name:width$}  {question}\n"))
}
