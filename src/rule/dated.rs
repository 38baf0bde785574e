//! Rules under a policy of several versions: each event is judged by the version in force at its time.
//!
//! A rule that reads the policy, or that the versions set differently, is run once per version. One that judges events
//! one by one sees all of them, so that it may look back, and its verdicts on those of another time are dropped; one
//! that groups events sees those of the version's time. All other rules are run once over everything, and so are rules
//! about what is missing or about habits, which a cut would make wrong: with what the latest version says.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use super::fold::Grain;
use super::header::{Kind, Rule};
use super::outcome::{NOTHING, RuleOutcome, State};
use super::plan::{Error, Plan, PlannedRule, Setting, Settings};
use super::row::{self, SAMPLES};
use super::run::{self, Judgement, Runner, Scope, UnusedWaiver};
use super::{ask, parameter, waiver};
use crate::finding::{Finding, Verdict};
use crate::policy::Period;

/// A version of the policy, as rules are judged by it.
pub struct Version<'a, S> {
    /// What it is called.
    pub name: String,
    /// All rules, the version's own among them.
    pub rules: &'a [Rule],
    /// What it says of them, and when it is in force.
    pub settings: &'a Settings,
    /// The relations, with the policy's as this version has them.
    pub scope: &'a S,
}

/// A condition on events that is true within a period; none where it has no end.
pub fn condition(period: Period) -> Option<String> {
    let bound =
        |sign: &str, at: i64| format!("event_time {sign} TIMESTAMP '{}'", parameter::timestamp_text(at));
    let bounds = [period.from.map(|from| bound(">=", from)), period.to.map(|to| bound("<", to))];
    let bounds: Vec<String> = bounds.into_iter().flatten().collect();
    (!bounds.is_empty()).then(|| bounds.join(" AND "))
}

/// The statements that [`run()`] will run over these rules and settings, for working out which columns to read.
pub fn statements(versions: &[(&[Rule], &Settings)]) -> Result<Vec<String>, Error> {
    let mut list = vec![ask::ENVIRONMENTS.to_owned(), ask::EXTENT.to_owned()];
    let mut planned = BTreeSet::new();
    for (at, (rules, settings)) in versions.iter().enumerate() {
        let settings = Settings { period: Period::default(), ..(*settings).clone() };
        let plan = Plan::new(rules, &settings)?;
        if at == 0 {
            list.extend(plan.waivers.iter().flat_map(|waiver| {
                [&waiver.covers, &waiver.lapsed].map(|condition| format!("{} WHERE {condition}", ask::EXTENT))
            }));
        }
        for rule in plan.rules.into_iter().filter(|rule| rule.setting.enabled) {
            // Parameters change no columns; a rule of the same code may be another in another version.
            if planned.insert((rule.rule.code.clone(), rule.rule.sql.clone())) {
                list.push(rule.sql);
            }
        }
    }
    Ok(list)
}

/// How many rules are run at once: while one is planned, or brings its last rows together, another can use what is idle.
const AHEAD: usize = 2;

/// How a rule stands among the versions.
struct Place {
    /// Whether it is run once per version.
    dated: bool,
    /// The last version that has it.
    last: usize,
}

/// Runs the rules, in code order, under versions that follow one another in time; at least one.
pub async fn run<S: Scope>(versions: &[Version<'_, S>]) -> Result<Judgement, Error> {
    let places = places(versions);
    let mut environments = Vec::new();
    for version in versions {
        let during = condition(version.settings.period).filter(|_| versions.len() > 1);
        environments.push(ask::environments(&version.scope.context(), during.as_deref()).await?);
    }
    // Of an account that changed its environment, the latest.
    let latest: BTreeMap<String, String> =
        environments.iter().flatten().map(|(a, e)| (a.clone(), e.clone())).collect();
    let mut found = Found::default();
    let (mut used, mut broken) = (BTreeSet::new(), BTreeMap::new());
    for (at, version) in versions.iter().enumerate() {
        let whole = Settings { period: Period::default(), ..version.settings.clone() };
        for (dated, settings) in [(true, version.settings), (false, &whole)] {
            let plan = Plan::new(version.rules, settings)?;
            let mut runner = Runner {
                settings,
                scope: version.scope,
                base: version.scope.context(),
                environments: if dated { environments[at].clone() } else { latest.clone() },
                slice: condition(settings.period).filter(|_| dated),
                parts: BTreeMap::new(),
                empty: BTreeMap::new(),
                used,
                broken,
            };
            let here = |planned: &&PlannedRule<'_>| {
                let place = &places[planned.rule.code.as_str()];
                place.dated == dated && (dated || place.last == at)
            };
            let mut alone = Vec::new();
            for planned in plan.rules.iter().filter(here) {
                alone.extend(runner.ahead(planned, &plan.waivers).await.map(|plan| (planned, plan)));
            }
            let base = version.scope.context();
            // All of them first: one left waiting halfway may hold what another asks for.
            let rows: Vec<_> = stream::iter(&alone)
                .map(async |(_, plan)| run::rows(version.scope, &base, plan).await)
                .buffered(AHEAD)
                .collect()
                .await;
            let mut ahead = alone.iter().map(|(planned, _)| *planned).zip(rows).peekable();
            for planned in plan.rules.iter().filter(here) {
                let next = ahead.next_if(|(next, _)| std::ptr::eq(*next, planned));
                let rows = next.map(|(_, rows)| rows);
                let (outcome, findings) = runner.judge(planned, &plan.waivers, rows).await;
                found.add(&version.name, outcome, findings);
            }
            if at + 1 == versions.len() && !dated {
                return finish(found, runner, &plan).await;
            }
            (used, broken) = (runner.used, runner.broken);
        }
    }
    Ok(Judgement::default())
}

/// Where each rule stands, by its code.
fn places<'a, S>(versions: &[Version<'a, S>]) -> BTreeMap<&'a str, Place> {
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    let mut seen: BTreeMap<&str, (&Rule, Setting)> = BTreeMap::new();
    for (at, version) in versions.iter().enumerate() {
        for rule in version.rules {
            let setting = set(version.settings, rule);
            let differs = match seen.get(rule.code.as_str()) {
                Some((before, said)) => before.sql != rule.sql || *said != setting,
                None => at > 0,
            };
            seen.entry(&rule.code).or_insert((rule, setting));
            let place = places.entry(&rule.code).or_insert(Place { dated: false, last: at });
            place.last = at;
            let cut = rule.grain != Grain::Group || !matches!(rule.kind, Kind::Coverage | Kind::Baseline);
            place.dated |= versions.len() > 1 && cut && (differs || by_policy(rule));
        }
    }
    for place in places.values_mut() {
        // One that a later version no longer has.
        place.dated |= place.last + 1 < versions.len();
    }
    places
}

/// What the policy says of a rule, by whichever name.
fn set(settings: &Settings, rule: &Rule) -> Setting {
    let given = settings.rules.iter().find(|(name, _)| rule.is_called(name));
    given.map(|(_, setting)| setting.clone()).unwrap_or_default()
}

/// Whether the policy's relations, or what is made of them, are read.
fn by_policy(rule: &Rule) -> bool {
    ["policy_", "decisions"].iter().any(|name| rule.sql.contains(name))
        || rule.needs.iter().any(|relation| relation.starts_with("policy_"))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    /// By code, the name of the version and how the rule came out under it, in order of time.
    outcomes: BTreeMap<String, Vec<(String, RuleOutcome)>>,
    findings: Vec<Finding>,
}

impl Found {
    fn add(&mut self, version: &str, outcome: RuleOutcome, findings: Vec<Finding>) {
        self.outcomes.entry(outcome.rule_id.clone()).or_default().push((version.to_owned(), outcome));
        self.findings.extend(findings);
    }
}

/// Merges what the versions found, and says what became of the waivers.
async fn finish<S: Scope>(
    found: Found,
    mut runner: Runner<'_, S>,
    plan: &Plan<'_>,
) -> Result<Judgement, Error> {
    let mut judgement = Judgement { findings: merge(found.findings), ..Judgement::default() };
    for outcomes in found.outcomes.into_values() {
        for (_, outcome) in &outcomes {
            let error = outcome.error.as_ref();
            judgement
                .errors
                .extend(error.map(|error| format!("rule {} could not be run: {error}", outcome.rule_id)));
        }
        judgement.outcomes.extend(one(outcomes, &mut judgement.findings));
    }
    for planned in &plan.waivers {
        judgement.findings.extend(runner.expired(planned, plan).await);
        if let Some(error) = runner.broken.get(&planned.waiver.waiver_id) {
            let waiver = planned.waiver;
            judgement
                .errors
                .push(format!("waiver {} could not be run, so it covers nothing: {error}", waiver.waiver_id));
            judgement.findings.push(waiver::unrunnable(waiver, error));
        } else if !runner.used.contains(&planned.waiver.waiver_id)
            && (planned.codes.is_empty() || planned.codes.iter().any(|code| runner.settings.asks(code)))
        {
            judgement.unused_waivers.push(UnusedWaiver {
                waiver_id: planned.waiver.waiver_id.clone(),
                owner: planned.waiver.owner.clone(),
                reason: plan.unused_reason(planned),
            });
        }
    }
    judgement.findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    Ok(judgement)
}

/// One outcome of the rule for all versions; the findings get its population.
fn one(mut outcomes: Vec<(String, RuleOutcome)>, findings: &mut [Finding]) -> Option<RuleOutcome> {
    let several = outcomes.len() > 1;
    let (_, mut all) = outcomes.pop()?;
    if !several {
        return Some(all);
    }
    let states = || outcomes.iter().map(|(_, outcome)| outcome.state).chain([all.state]);
    let any = |state: State| states().any(|one| one == state);
    let state = if any(State::Judged) {
        State::Judged
    } else if any(State::NotAssessed) {
        State::NotAssessed
    } else if states().all(|one| one == State::Disabled) {
        State::Disabled
    } else {
        State::NotApplicable
    };
    all.reason = reason(&outcomes, &all, state);
    all.state = state;
    for (_, outcome) in outcomes {
        all.population += outcome.population;
        all.violating_events += outcome.violating_events;
        all.waived += outcome.waived;
        all.passed += outcome.passed;
        all.not_assessed += outcome.not_assessed;
        all.error = all.error.or(outcome.error);
    }
    all.violations = 0;
    for finding in findings.iter_mut().filter(|finding| finding.rule_id == all.rule_id) {
        finding.population = all.population;
        all.violations += i64::from(finding.status == Verdict::Violation);
    }
    Some(all)
}

/// Why the rule did not judge everything: what each version says of it, unless all say the same.
fn reason(before: &[(String, RuleOutcome)], last: &RuleOutcome, state: State) -> Option<String> {
    let reasons = before.iter().map(|(_, outcome)| &outcome.reason);
    if reasons.clone().all(|reason| *reason == last.reason) {
        return last.reason.clone();
    }
    let told = |name: Option<&String>, outcome: &RuleOutcome| {
        let reason = outcome.reason.as_ref().filter(|reason| state != State::Judged || *reason != NOTHING)?;
        Some(match name {
            Some(name) => format!("{reason} (version {name})"),
            None => format!("{reason} (latest version)"),
        })
    };
    let all = before.iter().map(|(name, outcome)| told(Some(name), outcome)).chain([told(None, last)]);
    let all: Vec<String> = all.flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Findings of one id as one: they come in order of the versions, and the latest says what is expected.
fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut known: BTreeMap<(String, Verdict, Option<String>), usize> = BTreeMap::new();
    for finding in findings {
        let key = (finding.finding_id.clone(), finding.status, finding.waiver_id.clone());
        if let Some(before) = known.get(&key).and_then(|at| merged.get_mut(*at)) {
            absorb(before, finding);
        } else {
            known.insert(key, merged.len());
            merged.push(finding);
        }
    }
    merged
}

fn absorb(held: &mut Finding, later: Finding) {
    held.severity = held.severity.max(later.severity);
    held.event_count = held.event_count.saturating_add(later.event_count);
    held.first_seen = held.first_seen.into_iter().chain(later.first_seen).min();
    held.last_seen = held.last_seen.max(later.last_seen);
    held.aws_region = row::unite(held.aws_region.as_deref(), later.aws_region.as_deref());
    held.observed = observed(held.observed.take(), later.observed);
    held.environment = later.environment.or(held.environment.take());
    held.reason = later.reason.or(held.reason.take());
    held.expected = later.expected.or(held.expected.take());
    held.not_assessed_reason = later.not_assessed_reason.or(held.not_assessed_reason.take());
    held.rule_version = later.rule_version.or(held.rule_version.take());
    // The earlier version's events are the earlier ones.
    let new: Vec<String> =
        later.sample_event_ids.into_iter().filter(|id| !held.sample_event_ids.contains(id)).collect();
    held.sample_event_ids.extend(new);
    held.sample_event_ids.truncate(SAMPLES);
}

/// What the later version observed; the numbers in which `queries/fold.sql` ends it are those of both.
fn observed(earlier: Option<String>, later: Option<String>) -> Option<String> {
    let (Some(earlier), Some(later)) = (&earlier, &later) else { return later.or(earlier) };
    let joined = counts(earlier).zip(counts(later)).map(|((_, before), (text, after))| {
        let [ok, denied, other] = [0, 1, 2].map(|at| before[at] + after[at]);
        format!("{text} ({ok} ok, {denied} denied, {other} other)")
    });
    Some(joined.unwrap_or_else(|| later.clone()))
}

/// `text (3 ok, 1 denied, 0 other)` as the text and the numbers.
fn counts(text: &str) -> Option<(&str, [i64; 3])> {
    let (text, numbers) = text.strip_suffix(')')?.rsplit_once(" (")?;
    let mut parts = numbers.split(", ");
    let mut next = |word: &str| parts.next()?.strip_suffix(word)?.trim_end().parse::<i64>().ok();
    Some((text, [next("ok")?, next("denied")?, next("other")?]))
}

#[cfg(test)]
mod tests;
