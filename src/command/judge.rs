//! The rules run over a trail, and what they found as reports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use super::trail::{self, Prepared, Trail, put, query_failure};
use super::{Failure, athena, sample, say, setting};
use crate::cli;
use crate::engine::{self, Engine, Slices};
use crate::event::column::Field;
use crate::finding::{self, Finding, Severity, Verdict};
use crate::output::finding::{Case, Event};
use crate::output::{Caveat, Findings};
use crate::policy::Policy;
use crate::rule::{self, Rule, RuleOutcome, Settings};

/// The severity from which an audit fails, if nobody says otherwise.
const FAIL_ON: Severity = Severity::High;

/// A report made of what the rules found.
pub(super) struct JudgedReport {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) question: &'static str,
    pub(super) glance: &'static [&'static str],
    /// The relation it is in SQL.
    pub(super) relation: &'static str,
    /// Every column in order, with its meaning.
    pub(super) columns: &'static [(&'static str, &'static str)],
    pub(super) rows: fn(&Found) -> Result<RecordBatch, Failure>,
}

/// The reports made of what the rules found.
pub(super) const REPORTS: &[JudgedReport] = &[
    JudgedReport {
        name: "rules",
        title: "Rules",
        question: "What did each rule decide, on how many events, and what could it not decide?",
        glance: &[
            "rule_id",
            "title",
            "severity",
            "state",
            "violations",
            "violating_events",
            "population",
            "waived",
            "passed",
            "not_assessed",
            "reason",
        ],
        relation: "rule_results",
        columns: &[
            ("rule_id", "The rule's code."),
            ("rule_name", "The rule's name."),
            ("title", "What the rule finds."),
            (
                "severity",
                "info, low, medium, high or critical: the policy's, else the rule's; single findings may differ.",
            ),
            (
                "state",
                "judged; not_applicable: nothing to judge, or nothing to judge by; disabled: by the policy; not_assessed: the records do not say enough.",
            ),
            ("population", "Events the rule looked at."),
            ("violations", "Findings that are violations: groups, not events."),
            ("violating_events", "Events in these."),
            ("waived", "Events that break the rule under a waiver."),
            ("passed", "Events found right."),
            ("not_assessed", "Events that could not be judged."),
            ("reason", "Why it is disabled, not applicable or not assessed."),
        ],
        rows: Found::rules_batch,
    },
    JudgedReport {
        name: "violations",
        title: "Findings",
        question: "What broke the policy, what is waived, and what could not be assessed?",
        glance: &[
            "severity",
            "rule_id",
            "status",
            "principal",
            "subject",
            "event_count",
            "last_seen",
            "observed",
            "account_id",
            "first_seen",
            "waiver_id",
        ],
        relation: "findings",
        columns: &[
            ("finding_id", "The same from run to run: a hash of rule, account, principal and subject."),
            ("rule_id", "The rule's code."),
            ("rule_name", "The rule's name."),
            ("rule_title", "What the rule finds."),
            ("severity", "info, low, medium, high or critical."),
            ("status", "violation, waived or not_assessed."),
            ("account_id", "The account it is about."),
            ("aws_region", "The Region, where there is one."),
            ("environment", "The policy's environment for the account."),
            ("principal", "Whose doing it is."),
            ("person", "Who is behind the sample events, as far as they say; several separated by commas."),
            ("subject", "What it is about: all that tells two findings of one principal apart."),
            ("reason", "What is wrong."),
            ("expected", "What the policy or the rule asks for."),
            ("observed", "What the records show."),
            ("first_seen", "Time of the first event, UTC."),
            ("last_seen", "Time of the last event, UTC."),
            ("event_count", "How many events it stands for."),
            ("population", "How many events the rule looked at."),
            ("frameworks", "The controls it is evidence for."),
            ("attack", "MITRE ATT&CK techniques."),
            ("atlas", "MITRE ATLAS techniques."),
            ("not_assessed_reason", "Why it could not be judged."),
            ("waiver_id", "The waiver that covers it."),
            ("waiver_owner", "Who answers for that waiver."),
            ("waiver_expires", "When that waiver ends, UTC."),
            ("sample_event_ids", "At most five of the events, by their ids."),
            (
                "sample_records",
                "Where these are: log object, #, index of the record in it from 0; blanks in names are %20.",
            ),
            ("rule_version", "What the rule judged by: the beginning of the SHA-256 of its SELECT."),
            (
                "new_since_last_run",
                "Whether the run given by --previous did not have it as a violation; empty without one.",
            ),
            ("reviewer", "Empty, for the reviewer: who looked at it."),
            ("review_date", "Empty, for the reviewer: when."),
            ("disposition", "Empty, for the reviewer: what became of it."),
        ],
        rows: Found::findings_batch,
    },
];

/// The rules of a run, with all that the policy says of them.
pub(super) struct Judgement {
    /// Per version of the policy, oldest first; one where there is none.
    parts: Vec<Part>,
    statements: Vec<String>,
}

/// The manifest's parameter that names the rules asked for alone.
pub(super) const RULE: &str = "rule";

/// The rules under one version of the policy.
struct Part {
    version: String,
    rules: &'static [Rule],
    settings: Settings,
}

/// What the rules found.
#[derive(Default)]
pub(super) struct Found {
    judgement: rule::Judgement,
    /// The sample events, by their ids.
    events: BTreeMap<String, Event>,
}

impl Judgement {
    /// Resolves rules, parameters and waivers before anything is read.
    pub(super) fn prepare(prepared: &Prepared) -> Result<Self, Failure> {
        let Some(versions) = &prepared.versions else {
            return Self::of(trail::rules(&prepared.own, None, &prepared.engine)?, prepared);
        };
        let mut rules = Vec::new();
        for policy in versions.used() {
            let own = trail::rules(&prepared.own, Some(policy), &prepared.engine)?;
            setting::absent_rules(policy, own)?;
            rules.push(own);
        }
        Self::with(rules, prepared)
    }

    /// The same for some of the rules.
    pub(super) fn of(rules: &'static [Rule], prepared: &Prepared) -> Result<Self, Failure> {
        let versions = prepared.versions.as_ref().map_or(1, |versions| versions.used().count());
        Self::with(vec![rules; versions], prepared)
    }

    /// The same with the rules of each version.
    fn with(rules: Vec<&'static [Rule]>, prepared: &Prepared) -> Result<Self, Failure> {
        let only = only(&prepared.answering.only, &rules)?;
        let mut parts = Vec::new();
        if let Some(versions) = &prepared.versions {
            for policy in versions.all() {
                setting::check_conditions(policy, &prepared.engine)?;
            }
            for ((policy, period), rules) in versions.periods().zip(rules) {
                let waivers = versions.timeline().waivers();
                let mut settings = setting::settings(policy, rules, prepared.now)?;
                if versions.all().len() > 1 {
                    settings.waivers =
                        waivers.into_iter().map(|(_, one)| setting::waiver(one, rules)).collect();
                }
                settings.period = period;
                settings.only.clone_from(&only);
                parts.push(Part { version: policy.version().to_owned(), rules, settings });
            }
        } else {
            let settings = Settings { run_time: prepared.now, only: only.clone(), ..Settings::default() };
            parts.extend(rules.into_iter().map(|rules| Part {
                version: String::new(),
                rules,
                settings: settings.clone(),
            }));
        }
        let all: Vec<(&[Rule], &Settings)> = parts.iter().map(|part| (part.rules, &part.settings)).collect();
        let statements = rule::dated::statements(&all).map_err(Failure::usage)?;
        Ok(Self { parts, statements })
    }

    /// The codes of the rules asked for, the same under every version; none if all are.
    pub(super) fn only(&self) -> Option<Vec<&str>> {
        let only = self.parts.first()?.settings.only.as_ref()?;
        Some(only.iter().map(String::as_str).collect())
    }

    /// That only some rules were asked for, if so.
    pub(super) fn caveat(&self) -> Option<Caveat> {
        let only = self.only()?.join(", ");
        Some(Caveat::new(
            "rules",
            format!("Judged by {only} alone, as --rule asks: what other rules would find is not told."),
        ))
    }

    /// The statements whose columns must be read.
    pub(super) fn queries(&self) -> Vec<String> {
        self.statements.clone()
    }

    /// Columns read besides those of the statements: what every finding tells.
    pub(super) const COLUMNS: [Field; 7] = [
        Field::EventId,
        Field::EventTime,
        Field::AccountId,
        Field::Environment,
        Field::LogObject,
        Field::LogIndex,
        Field::Person,
    ];

    /// The same, and if the sample events are `shown`, what is shown of them.
    pub(super) fn columns(shown: bool) -> Vec<Field> {
        Self::COLUMNS.into_iter().chain(sample::SHOWN.into_iter().filter(|_| shown)).collect()
    }

    /// Every rule's parameters, for the manifest: the latest version's, and of others those that differ.
    pub(super) fn parameters(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        for part in self.parts.iter().rev() {
            for rule in part.rules.iter().filter(|rule| part.settings.asks(&rule.code)) {
                let given =
                    [&rule.code, &rule.name].into_iter().find_map(|name| part.settings.rules.get(name));
                for parameter in &rule.parameters {
                    let value = given.and_then(|setting| setting.parameters.get(&parameter.name));
                    let text = value.map_or_else(|| parameter.default.to_string(), setting::toml_text);
                    let name = format!("{}.{}", rule.code, parameter.name);
                    match all.get(&name) {
                        None => drop(all.insert(name, text)),
                        Some(latest) if *latest == text => {}
                        Some(_) => drop(all.insert(format!("{name} ({})", part.version), text)),
                    }
                }
            }
        }
        all.extend(self.only().map(|only| (RULE.to_owned(), only.join(" "))));
        all
    }

    /// Runs the rules.
    pub(super) fn run(&self, trail: &Trail) -> Result<Found, Failure> {
        let engine = &trail.engine;
        if let Some(asking) = &trail.asking {
            // Once to learn what would be asked, so that Athena works on much of it at a time.
            let foreseen = athena::Foreseen::default();
            self.run_afar(engine, asking, Some(&foreseen))?;
            let foreseen = foreseen.into_inner().map_err(Failure::failed)?;
            asking.athena.foresee(engine, &foreseen).map_err(query_failure)?;
            let judgement = self.run_afar(engine, asking, None)?;
            asking.sound()?;
            return Ok(Self::told(judgement));
        }
        let slices = engine.slices().map_err(Failure::failed)?;
        let mut scopes = Vec::new();
        for era in engine.eras() {
            let slices = engine.block_on(slices.era(era)).map_err(Failure::failed)?;
            scopes.push(Tables { slices, engine: None });
        }
        if scopes.is_empty() {
            // Plans made before the events were there are lost where a table was replaced. One that fails here will say so as
            // a rule that could not be run.
            for sql in &self.statements {
                let _ = engine.scans(&[sql]);
            }
            scopes.push(Tables { slices, engine: Some(engine) });
        }
        let judgement =
            engine.block_on(rule::dated::run(&self.versions(&scopes))).map_err(Failure::failed)?;
        Ok(Self::told(judgement))
    }

    /// Runs the rules over events that lie in Athena.
    fn run_afar(
        &self,
        engine: &Engine,
        asking: &athena::Asking,
        foreseen: Option<&athena::Foreseen>,
    ) -> Result<rule::Judgement, Failure> {
        let eras: Vec<Option<usize>> = match engine.eras().len() {
            0 => vec![None],
            several => (0..several).map(Some).collect(),
        };
        let scopes: Vec<athena::Part<'_>> =
            eras.into_iter().map(|era| athena::Part { engine, asking, era, foreseen }).collect();
        athena::at_once(rule::dated::run(&self.versions(&scopes)))?.map_err(Failure::failed)
    }

    fn versions<'v, S>(&'v self, scopes: &'v [S]) -> Vec<rule::dated::Version<'v, S>> {
        let version = |(part, scope): (&'v Part, &'v S)| rule::dated::Version {
            name: part.version.clone(),
            rules: part.rules,
            settings: &part.settings,
            scope,
        };
        self.parts.iter().zip(scopes).map(version).collect()
    }

    fn told(judgement: rule::Judgement) -> Found {
        for error in &judgement.errors {
            say(&format!("warning: {error}"));
        }
        Found { judgement, events: BTreeMap::new() }
    }
}

struct Tables<'a> {
    slices: Slices,
    /// What has plans of the same relations already; a version of the policy among several has relations of its own.
    engine: Option<&'a Engine>,
}

impl rule::Scope for Tables<'_> {
    type Relations = SessionContext;

    fn context(&self) -> SessionContext {
        self.slices.all()
    }

    fn planned(&self, sql: &str) -> Option<LogicalPlan> {
        self.engine?.planned(sql)
    }

    fn ended(&self, plan: &LogicalPlan) {
        // It tells of what a plan names: one that was run can be read.
        let _ = engine::end(plan);
    }

    async fn context_where(&self, predicate: &str) -> Result<SessionContext, DataFusionError> {
        self.slices.matching(predicate).await
    }
}

impl Found {
    /// Looks up the sample events of the findings, with what is `shown` of them, and puts what was found where queries
    /// ask for it.
    pub(super) fn put(&mut self, trail: &Trail, shown: bool) -> Result<(), Failure> {
        if self.judgement.findings.iter().any(|finding| !finding.sample_event_ids.is_empty()) {
            put(&trail.engine, "findings", self.findings_batch()?)?;
            self.events = sample::events(trail, shown)?;
            sample::locate(&mut self.judgement.findings, &self.events);
        }
        for report in REPORTS {
            put(&trail.engine, report.relation, (report.rows)(self)?)?;
        }
        Ok(())
    }

    /// Tells the violations of an earlier run from new ones.
    pub(super) fn compare(&mut self, known: impl Fn(&str) -> bool) {
        let violations =
            self.judgement.findings.iter_mut().filter(|finding| finding.status == Verdict::Violation);
        for finding in violations {
            finding.new_since_last_run = Some(!known(&finding.finding_id));
        }
    }

    /// The findings for formats that show more than rows.
    pub(super) fn told(&self, of: &Judgement, found_at: i64) -> Arc<Findings> {
        let rule = |code: &str| {
            of.parts.iter().rev().find_map(|part| part.rules.iter().find(|rule| rule.code == code))
        };
        let case = |finding: &Finding| Case {
            finding: finding.clone(),
            rule: rule(&finding.rule_id),
            events: finding.sample_event_ids.iter().filter_map(|id| self.events.get(id)).cloned().collect(),
        };
        Arc::new(Findings { found_at, cases: self.judgement.findings.iter().map(case).collect() })
    }

    /// Whether a violation of this severity or above was found; waived ones do not count.
    pub(super) fn at_or_above(&self, fail_on: Option<Severity>) -> bool {
        fail_on.is_some_and(|least| self.judgement.worst().is_some_and(|worst| worst >= least))
    }

    /// The same, leaving aside those whose id was known before.
    pub(super) fn at_or_above_besides(
        &self,
        fail_on: Option<Severity>,
        known: impl Fn(&str) -> bool,
    ) -> bool {
        let new = self.judgement.findings.iter().filter(|finding| finding.status == Verdict::Violation);
        fail_on.is_some_and(|least| {
            new.clone().any(|finding| finding.severity >= least && !known(&finding.finding_id))
        })
    }

    /// How many violations are new, and how many were known before.
    pub(super) fn new_and_known(&self, known: impl Fn(&str) -> bool) -> (usize, usize) {
        let all = self.judgement.findings.iter().filter(|finding| finding.status == Verdict::Violation);
        let (known, new): (Vec<&Finding>, Vec<&Finding>) =
            all.partition(|finding| known(&finding.finding_id));
        (new.len(), known.len())
    }

    /// Whether a rule could not assess something.
    pub(super) fn not_assessed(&self) -> bool {
        self.judgement.has_not_assessed()
    }

    /// Whether every rule and waiver could be run.
    pub(super) fn complete(&self) -> bool {
        self.judgement.errors.is_empty()
    }

    pub(super) fn outcomes(&self) -> &[RuleOutcome] {
        &self.judgement.outcomes
    }

    pub(super) fn findings_batch(&self) -> Result<RecordBatch, Failure> {
        finding::findings_batch(&self.judgement.findings).map_err(Failure::failed)
    }

    pub(super) fn rules_batch(&self) -> Result<RecordBatch, Failure> {
        rule::outcome::rules_batch(&self.judgement.outcomes).map_err(Failure::failed)
    }

    /// What the owner of the policy should know.
    pub(super) fn notes(&self) -> Vec<String> {
        let unused = self.judgement.unused_waivers.iter();
        unused
            .map(|waiver| format!("waiver {} ({}): {}", waiver.waiver_id, waiver.owner, waiver.reason))
            .collect()
    }

    /// One line: how many violations of which severity.
    pub(super) fn summary(&self, fail_on: Option<Severity>) -> String {
        let of =
            |status: Verdict| self.judgement.findings.iter().filter(move |finding| finding.status == status);
        let violations: Vec<&Finding> = of(Verdict::Violation).collect();
        let mut parts = Vec::new();
        for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info]
        {
            let count = violations.iter().filter(|finding| finding.severity == severity).count();
            if count > 0 {
                parts.push(format!("{count} {severity}"));
            }
        }
        let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        let (waived, not_assessed) = (of(Verdict::Waived).count(), of(Verdict::NotAssessed).count());
        let fail = fail_on.map_or_else(|| "never".to_owned(), |severity| severity.to_string());
        format!(
            "{} violations{parts}, {waived} waived, {not_assessed} not assessed; fails on: {fail}",
            violations.len()
        )
    }
}

/// The codes of rules that were named; each must be of one version of the rules at least.
fn only(named: &[String], versions: &[&'static [Rule]]) -> Result<Option<BTreeSet<String>>, Failure> {
    let code = |name: &String| {
        let mut found = versions.iter().map(|rules| rule::find(rules, name));
        let first = found.next().unwrap_or_else(|| rule::find(&[], name));
        let found = first.or_else(|unknown| found.find_map(Result::ok).ok_or(unknown));
        found.map(|rule| rule.code.clone()).map_err(|error| Failure::usage(format!("--rule: {error}")))
    };
    let codes = named.iter().map(code).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(Some(codes).filter(|codes| !codes.is_empty()))
}

/// The severity from which the run fails: the flag's, the policy's, or high. None: never.
pub(super) fn fail_on(verdict: &cli::Verdict, policy: Option<&Policy>) -> Result<Option<Severity>, Failure> {
    match verdict.fail_on.as_deref() {
        Some("never") => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|error| Failure::usage(format!("--fail-on: {error}")).help("or never")),
        None => Ok(Some(policy.and_then(|policy| policy.defaults().fail_on.parse().ok()).unwrap_or(FAIL_ON))),
    }
}
