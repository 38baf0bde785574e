//! Running the rules: each over the events that no waiver covers, and once more per waiver over those it covers.
//!
//! No rule is silently absent: one that is turned off, has nothing to judge by, or cannot be run says so.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;

use super::ask::{self, Extent, Relations};
use super::dated::{self, Version};
use super::header::Rule;
use super::need;
use super::outcome::{NOTHING, RuleOutcome, State};
use super::plan::{Error, Plan, PlannedRule, PlannedWaiver, Setting, Settings};
use super::row::{self, Row};
use super::waiver::{self, Waiver};
use crate::finding::{Finding, Severity, Verdict, finding_id};
use crate::query_file;

/// Where rules are run.
pub trait Scope: Sync {
    /// What is asked.
    type Relations: Relations;

    /// All relations.
    fn context(&self) -> Self::Relations;

    /// The optimised plan of a statement over all relations, where it was made before.
    fn planned(&self, _sql: &str) -> Option<LogicalPlan> {
        None
    }

    /// Says that a plan was run, and will not be again.
    fn ended(&self, _plan: &LogicalPlan) {}

    /// The same relations, but `events`, and the views on it, hold only the events for which `predicate`, a
    /// condition on the columns of `events`, is true.
    fn context_where(
        &self,
        predicate: &str,
    ) -> impl Future<Output = Result<Self::Relations, DataFusionError>> + Send;
}

/// A waiver under which no violation fell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedWaiver {
    /// The waiver.
    pub waiver_id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why nothing fell under it.
    pub reason: String,
}

/// What all rules found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// One per rule, in code order.
    pub outcomes: Vec<RuleOutcome>,
    /// In the total order of [`Finding::sort_key`].
    pub findings: Vec<Finding>,
    /// In order of their ids.
    pub unused_waivers: Vec<UnusedWaiver>,
    /// What could not be run, a line each: the findings say so too, and all else was judged.
    pub errors: Vec<String>,
}

impl Judgement {
    /// The worst severity among violations that no waiver covers.
    pub fn worst(&self) -> Option<Severity> {
        let violations = self.findings.iter().filter(|finding| finding.status == Verdict::Violation);
        violations.map(|finding| finding.severity).max()
    }

    /// Whether anything could not be assessed.
    pub fn has_not_assessed(&self) -> bool {
        self.findings.iter().any(|finding| finding.status == Verdict::NotAssessed)
    }
}

/// The statements that [`run`] will run, for working out which columns to read.
pub fn statements(rules: &[Rule], settings: &Settings) -> Result<Vec<String>, Error> {
    dated::statements(&[(rules, settings)])
}

/// Runs the rules in code order.
pub async fn run<S: Scope>(rules: &[Rule], settings: &Settings, scope: &S) -> Result<Judgement, Error> {
    dated::run(&[Version { name: String::new(), rules, settings, scope }]).await
}

/// Some of the events, and how many.
pub(super) struct Part<R> {
    context: R,
    extent: Extent,
}

pub(super) struct Runner<'a, S: Scope> {
    pub(super) settings: &'a Settings,
    pub(super) scope: &'a S,
    pub(super) base: S::Relations,
    pub(super) environments: BTreeMap<String, String>,
    /// The events that rules which group them see, where it is not all.
    pub(super) slice: Option<String>,
    /// Contexts already made, by predicate: rules under the same waivers share them.
    pub(super) parts: BTreeMap<String, Part<S::Relations>>,
    /// Whether relations that rules need have no rows, as far as it was asked.
    pub(super) empty: BTreeMap<String, bool>,
    /// Waivers under which a violation fell.
    pub(super) used: BTreeSet<String>,
    /// Waivers whose condition failed on some event, by id, with the reason.
    pub(super) broken: BTreeMap<String, String>,
}

impl<S: Scope> Runner<'_, S> {
    /// The plan of a rule that is run once over all events, where there is one: such rules can be run before it is known
    /// how others come out.
    pub(super) async fn ahead(
        &mut self,
        planned: &PlannedRule<'_>,
        waivers: &[PlannedWaiver<'_>],
    ) -> Option<LogicalPlan> {
        let cut = self.slice.is_some() && planned.grouped();
        let runs = planned.setting.enabled
            && !cut
            && self.applying(planned, waivers).is_empty()
            && matches!(self.unmet(planned.rule).await, Ok(None));
        if runs { self.scope.planned(&planned.sql) } else { None }
    }

    /// How one rule comes out, and its findings; its rows, if it was run already.
    pub(super) async fn judge(
        &mut self,
        planned: &PlannedRule<'_>,
        waivers: &[PlannedWaiver<'_>],
        mut ahead: Option<Result<Vec<Row>, String>>,
    ) -> (RuleOutcome, Vec<Finding>) {
        let mut outcome = blank(planned);
        if !planned.setting.enabled {
            outcome.state = State::Disabled;
            outcome.reason = Some(disabled_reason(&planned.setting));
            return (outcome, Vec::new());
        }
        let unmet = self.unmet(planned.rule).await;
        if matches!(unmet, Ok(None))
            && let Some(reason) = self.base.unknowable(&planned.sql)
        {
            outcome.state = State::NotAssessed;
            outcome.reason = Some(reason.clone());
            return (outcome, vec![failed(planned, reason)]);
        }
        let mut applying = self.applying(planned, waivers);
        let rows = match unmet {
            Ok(Some(reason)) => {
                outcome.state = State::NotApplicable;
                outcome.reason = Some(reason);
                return (outcome, Vec::new());
            }
            Ok(None) => loop {
                let covers: Vec<String> = applying.iter().map(|waiver| waiver.covers.clone()).collect();
                let rows = self.rows(planned, &covers, ahead.take()).await;
                // A waiver's condition may be what failed: then the rule is judged without it.
                if rows.is_ok() || !self.find_broken(&applying).await {
                    break rows;
                }
                applying = self.applying(planned, waivers);
            },
            Err(error) => Err(error),
        };
        let applying: Vec<&Waiver> = applying.iter().map(|waiver| waiver.waiver).collect();
        match rows {
            Ok((rows, population)) => {
                outcome.population = population;
                let findings = self.settle(planned, &mut outcome, rows, &applying);
                (outcome, findings)
            }
            Err(error) => {
                let reason = format!("the rule could not be run: {error}");
                outcome.state = State::NotAssessed;
                outcome.reason = Some(reason.clone());
                outcome.error = Some(error);
                (outcome, vec![failed(planned, reason)])
            }
        }
    }

    /// The waivers that name the rule and can be run.
    fn applying<'w, 'p>(
        &self,
        planned: &PlannedRule<'_>,
        waivers: &'w [PlannedWaiver<'p>],
    ) -> Vec<&'w PlannedWaiver<'p>> {
        let names = |waiver: &&PlannedWaiver<'_>| {
            waiver.codes.contains(planned.rule.code.as_str())
                && !self.broken.contains_key(&waiver.waiver.waiver_id)
        };
        waivers.iter().filter(names).collect()
    }

    /// Whether the condition of any of these fails by itself.
    async fn find_broken(&mut self, waivers: &[&PlannedWaiver<'_>]) -> bool {
        let before = self.broken.len();
        for planned in waivers {
            let sql = format!("{} WHERE {}", ask::EXTENT, planned.covers);
            if let Err(error) = ask::extent(&self.base, &sql).await {
                self.broken.insert(planned.waiver.waiver_id.clone(), query_file::one_line(&error));
            }
        }
        self.broken.len() > before
    }

    /// Why the rule cannot apply: a relation it needs has no rows.
    async fn unmet(&mut self, rule: &Rule) -> Result<Option<String>, String> {
        for relation in &rule.needs {
            if self.is_empty(relation).await.map_err(|error| query_file::one_line(&error))? {
                return Ok(Some(need::reason(relation, self.settings.policy_given)));
            }
        }
        Ok(None)
    }

    async fn is_empty(&mut self, relation: &str) -> Result<bool, DataFusionError> {
        if let Some(known) = self.empty.get(relation) {
            return Ok(*known);
        }
        let empty = !self.base.any(relation).await?;
        self.empty.insert(relation.to_owned(), empty);
        Ok(empty)
    }

    /// The rule's rows with the index of the waiver that covers them, and the population of all parts.
    async fn rows(
        &mut self,
        planned: &PlannedRule<'_>,
        covers: &[String],
        ahead: Option<Result<Vec<Row>, String>>,
    ) -> Result<(Vec<(Row, Option<usize>)>, i64), String> {
        let sql = &planned.sql;
        let slice = self.slice.clone().filter(|_| planned.grouped());
        let mut whole = Vec::new();
        if covers.is_empty() || planned.whole() {
            let rows = match (ahead, &slice) {
                (Some(rows), _) => rows?,
                (None, Some(slice)) => {
                    let part = self.part(slice).await.map_err(|error| query_file::one_line(&error))?;
                    ask::select(&part.context, &planned.rule.code, sql).await?
                }
                (None, None) => match self.scope.planned(sql) {
                    Some(plan) => rows(self.scope, &self.base, &plan).await?,
                    None => ask::select(&self.base, &planned.rule.code, sql).await?,
                },
            };
            let population = population(&rows);
            whole = rows.into_iter().map(|row| (row, None)).collect();
            if covers.is_empty() {
                return Ok((whole, population));
            }
        }
        let (parts, rest) = waiver::split(covers);
        let parts = parts.into_iter().enumerate().map(|(at, part)| (Some(at), part));
        let (mut all, mut total) = (Vec::new(), 0);
        for (waiver, mut predicate) in parts.chain([(None, rest)]) {
            if let Some(slice) = &slice {
                predicate = format!("({predicate}) AND {slice}");
            }
            let part = self.part(&predicate).await.map_err(|error| query_file::one_line(&error))?;
            if part.extent.events == 0 && waiver.is_some() {
                continue;
            }
            let rows = ask::select(&part.context, &planned.rule.code, sql).await?;
            if planned.whole() {
                cover(&mut whole, &rows, waiver);
                continue;
            }
            total += population(&rows);
            all.extend(rows.into_iter().map(|row| (row, waiver)));
        }
        if planned.whole() {
            total = whole.iter().map(|(row, _)| row.population).max().unwrap_or(0);
            all = whole;
        }
        Ok((all, total))
    }

    async fn part(&mut self, predicate: &str) -> Result<&Part<S::Relations>, DataFusionError> {
        if !self.parts.contains_key(predicate) {
            let context = self.scope.context_where(predicate).await?;
            let extent = ask::extent(&context, ask::EXTENT).await?;
            self.parts.insert(predicate.to_owned(), Part { context, extent });
        }
        let missing = || DataFusionError::Internal("a part of the events went missing".to_owned());
        self.parts.get(predicate).ok_or_else(missing)
    }

    /// Turns rows into findings and counts.
    fn settle(
        &mut self,
        planned: &PlannedRule<'_>,
        outcome: &mut RuleOutcome,
        rows: Vec<(Row, Option<usize>)>,
        applying: &[&Waiver],
    ) -> Vec<Finding> {
        let tagged = rows.into_iter().map(|(mut row, waiver)| match (row.verdict, waiver) {
            (Verdict::Violation, Some(at)) => {
                row.verdict = Verdict::Waived;
                (row, Some(at))
            }
            _ => (row, None),
        });
        let mut findings = Vec::new();
        let mut inapplicable = None;
        for (row, waiver) in row::merge(tagged) {
            let waiver = waiver.and_then(|at| applying.get(at).copied());
            match row.verdict {
                Verdict::Pass => outcome.passed += row.event_count,
                Verdict::NotApplicable => {
                    inapplicable = inapplicable.or(row.not_assessed_reason).or(row.reason);
                }
                Verdict::Violation => {
                    outcome.violations += 1;
                    outcome.violating_events += row.event_count;
                    findings.push(self.finding(planned, outcome.population, row, None));
                }
                Verdict::Waived => {
                    outcome.waived += row.event_count;
                    self.used.extend(waiver.map(|waiver| waiver.waiver_id.clone()));
                    findings.push(self.finding(planned, outcome.population, row, waiver));
                }
                Verdict::NotAssessed => {
                    outcome.not_assessed += row.event_count;
                    findings.push(self.finding(planned, outcome.population, row, None));
                }
            }
        }
        let unassessed = findings.iter().find(|finding| finding.status == Verdict::NotAssessed);
        if outcome.violations > 0 || outcome.waived > 0 || outcome.passed > 0 {
            outcome.state = State::Judged;
        } else if let Some(finding) = unassessed {
            outcome.state = State::NotAssessed;
            outcome.reason.clone_from(&finding.not_assessed_reason);
        } else if let (None, Some(silence)) = (&inapplicable, &planned.rule.silence) {
            // The silence of records that are off by default proves nothing.
            outcome.state = State::NotAssessed;
            outcome.reason = Some(silence.clone());
        } else {
            outcome.state = State::NotApplicable;
            outcome.reason = inapplicable.or_else(|| Some(NOTHING.to_owned()));
        }
        findings
    }

    fn finding(
        &self,
        planned: &PlannedRule<'_>,
        population: i64,
        row: Row,
        waiver: Option<&Waiver>,
    ) -> Finding {
        let mut finding = shell(planned, row.verdict);
        finding.finding_id = finding_id(
            &planned.rule.code,
            row.account_id.as_deref(),
            row.principal.as_deref(),
            row.subject.as_deref(),
        );
        finding.severity = planned.setting.severity.or(row.severity).unwrap_or(planned.rule.severity);
        finding.environment =
            row.account_id.as_ref().and_then(|account| self.environments.get(account)).cloned();
        finding.account_id = row.account_id;
        finding.aws_region = row.aws_region;
        finding.principal = row.principal;
        finding.subject = row.subject;
        finding.reason = row.reason;
        finding.expected = row.expected;
        finding.observed = row.observed;
        finding.first_seen = row.first_seen;
        finding.last_seen = row.last_seen;
        finding.event_count = row.event_count;
        finding.population = population;
        finding.not_assessed_reason = row.not_assessed_reason;
        if row.verdict == Verdict::NotAssessed && finding.not_assessed_reason.is_none() {
            finding.not_assessed_reason =
                finding.reason.clone().or_else(|| Some("no reason is given".to_owned()));
        }
        finding.sample_event_ids = row.sample_event_ids;
        finding.waiver_id = waiver.map(|waiver| waiver.waiver_id.clone());
        finding.waiver_owner = waiver.map(|waiver| waiver.owner.clone());
        finding.waiver_expires = waiver.map(|waiver| waiver.expires);
        finding
    }

    /// The finding that a waiver has expired while events it would have covered go on.
    pub(super) async fn expired(&mut self, planned: &PlannedWaiver<'_>, plan: &Plan<'_>) -> Option<Finding> {
        let waiver = planned.waiver;
        if self.settings.run_time < waiver.expires
            || self.broken.contains_key(&waiver.waiver_id)
            || plan.waivable(planned).next().is_none()
        {
            return None;
        }
        match ask::extent(&self.base, &format!("{} WHERE {}", ask::EXTENT, planned.lapsed)).await {
            Ok(lapsed) => (lapsed.events > 0).then(|| waiver::expired(waiver, lapsed)),
            Err(error) => {
                self.broken.insert(waiver.waiver_id.clone(), query_file::one_line(&error));
                None
            }
        }
    }
}

/// The rows of a rule's plan, which will not be run again.
pub(super) async fn rows<S: Scope>(
    scope: &S,
    base: &S::Relations,
    plan: &LogicalPlan,
) -> Result<Vec<Row>, String> {
    let rows = ask::rows(base, plan).await;
    scope.ended(plan);
    rows
}

/// Marks the violations that a waiver covers with all their events: those that its events alone give as well.
fn cover(whole: &mut [(Row, Option<usize>)], part: &[Row], waiver: Option<usize>) {
    let same = |one: &Row, two: &Row| {
        (one.verdict, &one.account_id, &one.principal, &one.subject, one.event_count)
            == (two.verdict, &two.account_id, &two.principal, &two.subject, two.event_count)
    };
    for (row, covered) in whole.iter_mut().filter(|(row, _)| row.verdict == Verdict::Violation) {
        if covered.is_none() && part.iter().any(|other| same(row, other)) {
            *covered = waiver;
        }
    }
}

fn blank(planned: &PlannedRule<'_>) -> RuleOutcome {
    RuleOutcome {
        rule_id: planned.rule.code.clone(),
        rule_name: planned.rule.name.clone(),
        title: planned.rule.title.clone(),
        severity: planned.setting.severity.unwrap_or(planned.rule.severity),
        state: State::Judged,
        population: 0,
        violations: 0,
        violating_events: 0,
        waived: 0,
        passed: 0,
        not_assessed: 0,
        reason: None,
        error: None,
    }
}

/// A finding of the rule that names nothing yet.
fn shell(planned: &PlannedRule<'_>, status: Verdict) -> Finding {
    let joined = |list: &[String]| (!list.is_empty()).then(|| list.join(" "));
    Finding {
        finding_id: finding_id(&planned.rule.code, None, None, None),
        rule_id: planned.rule.code.clone(),
        rule_name: planned.rule.name.clone(),
        rule_title: planned.rule.title.clone(),
        severity: planned.setting.severity.unwrap_or(planned.rule.severity),
        status,
        account_id: None,
        aws_region: None,
        environment: None,
        principal: None,
        person: None,
        subject: None,
        reason: None,
        expected: None,
        observed: None,
        first_seen: None,
        last_seen: None,
        event_count: 0,
        population: 0,
        frameworks: planned.rule.frameworks(),
        attack: joined(&planned.rule.attack),
        atlas: joined(&planned.rule.atlas),
        not_assessed_reason: None,
        waiver_id: None,
        waiver_owner: None,
        waiver_expires: None,
        sample_event_ids: Vec::new(),
        sample_records: Vec::new(),
        rule_version: Some(planned.rule.version()),
        new_since_last_run: None,
    }
}

fn failed(planned: &PlannedRule<'_>, reason: String) -> Finding {
    Finding { not_assessed_reason: Some(reason), ..shell(planned, Verdict::NotAssessed) }
}

fn disabled_reason(setting: &Setting) -> String {
    let reason = setting.reason.as_deref().unwrap_or("no reason is given");
    let owner = setting.owner.as_deref().unwrap_or("no owner is named");
    format!("turned off by the policy: {reason} ({owner})")
}

fn population(rows: &[Row]) -> i64 {
    rows.iter().map(|row| row.population).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
