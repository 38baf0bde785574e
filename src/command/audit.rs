//! `bedtrail audit`: every report and every rule.

use super::answer::{Frame, NOT_ASSESSED};
use super::configured::{self, Given};
use super::deliver::Delivery;
use super::judge::{self, Judgement};
use super::previous::Previous;
use super::trail::Prepared;
use super::{Failure, say, stored};
use crate::cli;
use crate::config::Organization;
use crate::exit::{Code, Conditions};
use crate::report::{self, Audit as When, Report};

/// Runs the subcommand.
pub(super) fn run(mut arguments: cli::Audit, given: &Given) -> Result<Code, Failure> {
    let config = arguments.config.as_deref().map(configured::load).transpose()?.unwrap_or_default();
    configured::input(&config, given, &mut arguments.input)?;
    configured::answering(&config, given, &mut arguments.answering)?;
    configured::output(&config, given, &mut arguments.output);
    configured::verdict(&config, given, &mut arguments.verdict);
    // With a store in it, the store is what is audited.
    if arguments.input.store.is_some() && !given.has("sources") {
        arguments.input.sources.clear();
    }
    stored::steadily(&arguments.input, || carry_out(&arguments, config.organization.clone(), false))
}

/// Audits. `incomplete`: something before it went wrong that makes the evidence incomplete.
pub(super) fn carry_out(
    arguments: &cli::Audit,
    organization: Option<Organization>,
    incomplete: bool,
) -> Result<Code, Failure> {
    let folder = arguments.output.out.is_some();
    let wanted = |report: &&Report| match report.audit {
        When::Always => true,
        When::Folder => folder,
        When::Never => false,
    };
    let reports: Vec<&Report> = report::catalogue().map_err(Failure::failed)?.iter().filter(wanted).collect();
    let delivery = Delivery::of_findings(&arguments.output, reports.len() + judge::REPORTS.len())?;
    // Before anything is written: the findings before may lie where the new ones go.
    let previous = arguments.verdict.previous.as_deref();
    let previous = previous.map(|path| Previous::load(path, &arguments.input.aws)).transpose()?;
    let mut prepared = Prepared::new(&arguments.input)?.on(&arguments.answering, &arguments.input)?;
    prepared.organization = organization;
    let judgement = Judgement::prepare(&prepared)?;
    let narrower = previous.as_ref().and_then(|previous| previous.narrower(judgement.only().as_deref()));
    let fail_on = judge::fail_on(&arguments.verdict, prepared.policy.as_ref())?;
    let mut queries: Vec<String> = reports.iter().map(|report| report.sql.clone()).collect();
    queries.extend(judgement.queries());
    let hash = arguments.output.out.is_some();
    let trail =
        prepared.open(&arguments.input, &queries, &Judgement::columns(delivery.shows_events()), hash)?;
    let not_assessed = reports.iter().copied().find(|report| report.name == NOT_ASSESSED);
    let mut answers = Vec::with_capacity(reports.len() + judge::REPORTS.len());
    let mut found = judgement.run(&trail)?;
    if let Some(previous) = &previous {
        found.compare(|id| previous.has(id));
    }
    // Before the reports: some tell what the rules found.
    found.put(&trail, delivery.shows_events())?;
    trail.foresee(reports.iter().map(|report| (report.name.as_str(), report.sql.as_str())))?;
    let frame = Frame::of(&trail, not_assessed)?.judged_by(Some(&judgement));
    for report in reports {
        answers.push(frame.report(report, frame.rows(&trail, report)?));
    }
    for which in judge::REPORTS {
        answers.push(frame.found(which, &judgement, &found, delivery.shows_events())?);
    }
    let conditions = Conditions {
        violations_at_or_above: match &previous {
            Some(previous) if arguments.verdict.fail_on_new => {
                found.at_or_above_besides(fail_on, |id| previous.has(id))
            }
            _ => found.at_or_above(fail_on),
        },
        evidence_incomplete: incomplete || !trail.complete() || !found.complete(),
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
    if let Some(previous) = &previous {
        let (new, known) = found.new_and_known(|id| previous.has(id));
        say(&format!("{new} violations are new, {known} were found before"));
        if let Some(narrower) = narrower {
            say(&format!("warning: {narrower}"));
        }
    }
    Ok(conditions.code())
}
