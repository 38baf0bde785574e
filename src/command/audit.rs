//! `bedtrail audit`: every report and every rule.

use super::answer::{Frame, NOT_ASSESSED};
use super::deliver::Delivery;
use super::judge::{self, Judgement};
use super::trail::{Prepared, query_failure};
use super::{Failure, say};
use crate::exit::{Code, Conditions};
use crate::{cli, report};

/// Runs the subcommand.
pub(super) fn run(arguments: &cli::Audit) -> Result<Code, Failure> {
    let reports = report::catalogue().map_err(Failure::failed)?;
    let delivery = Delivery::new(&arguments.output, reports.len() + judge::REPORTS.len())?;
    let prepared = Prepared::new(&arguments.input)?;
    let judgement = Judgement::prepare(&prepared)?;
    let fail_on = judge::fail_on(&arguments.verdict, prepared.policy.as_ref())?;
    let mut queries: Vec<String> = reports.iter().map(|report| report.sql.clone()).collect();
    queries.extend(judgement.queries());
    let hash = arguments.output.out.is_some();
    let trail = prepared.open(&arguments.input, &queries, &Judgement::COLUMNS, hash)?;
    let not_assessed = reports.iter().find(|report| report.name == NOT_ASSESSED);
    let frame = Frame::of(&trail, not_assessed)?;
    let mut answers = Vec::with_capacity(reports.len() + judge::REPORTS.len());
    for report in reports {
        answers.push(frame.report(report, trail.engine.run(&report.sql).map_err(query_failure)?)?);
    }
    let found = judgement.run(&trail)?;
    for which in judge::REPORTS {
        answers.push(frame.judged(which, (which.rows)(&found)?));
    }
    let conditions = Conditions {
        violations_at_or_above: found.at_or_above(fail_on),
        evidence_incomplete: !trail.complete() || !found.complete(),
        not_assessed: found.not_assessed(),
        strict: arguments.verdict.strict_evidence,
        ..Conditions::default()
    };
    delivery.deliver(
        &arguments.input,
        &trail,
        &frame.preamble,
        &answers,
        judgement.parameters(),
        conditions,
    )?;
    for note in found.notes() {
        say(&format!("note: {note}"));
    }
    say(&found.summary(fail_on));
    Ok(conditions.code())
}
