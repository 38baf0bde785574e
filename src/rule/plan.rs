//! What a run will do: each rule with what the policy says of it, each waiver with the rules it names.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::error::DataFusionError;

use super::fold::Grain;
use super::header::{Kind, Rule};
use super::waiver::Waiver;
use super::{UnknownRule, dated, parameter};
use crate::finding::Severity;
use crate::policy::Period;

/// What the policy says of one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Whether it is run.
    pub enabled: bool,
    /// The severity of its violations, above all else.
    pub severity: Option<Severity>,
    /// Why the policy says so.
    pub reason: Option<String>,
    /// Who answers for that.
    pub owner: Option<String>,
    /// Values of its parameters.
    pub parameters: BTreeMap<String, toml::Value>,
}

impl Default for Setting {
    fn default() -> Self {
        Self { enabled: true, severity: None, reason: None, owner: None, parameters: BTreeMap::new() }
    }
}

/// What the policy says of rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Whether there is a policy at all.
    pub policy_given: bool,
    /// Per rule, by code or name.
    pub rules: BTreeMap<String, Setting>,
    /// The waivers in force or past.
    pub waivers: Vec<Waiver>,
    /// The time of the run, in microseconds.
    pub run_time: i64,
    /// When this is what the policy says.
    pub period: Period,
    /// The codes of the rules asked for; all if none is given.
    pub only: Option<BTreeSet<String>>,
}

impl Settings {
    /// Whether a rule is asked for.
    pub fn asks(&self, code: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(code))
    }
}

/// The policy does not fit the rules, or the events cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The policy sets a rule that there is not.
    #[error("policy, [rules]: {0}")]
    Rule(UnknownRule),
    /// The policy sets one rule by its code and by its name.
    #[error("policy: rule {0} is set twice, by code and by name; keep one")]
    SetTwice(String),
    /// A value does not fit a parameter.
    #[error("policy, [rules.{code}]: {source}")]
    Parameter {
        /// The rule.
        code: String,
        /// What does not fit.
        source: parameter::Error,
    },
    /// A waiver names a rule that there is not.
    #[error("policy, waiver {waiver_id}: {source}")]
    WaiverRule {
        /// The waiver.
        waiver_id: String,
        /// The name and what it most likely meant.
        source: UnknownRule,
    },
    /// A waiver's condition cannot be used.
    #[error("policy, waiver {waiver_id}: its condition cannot be used: {message}")]
    WaiverMatch {
        /// The waiver.
        waiver_id: String,
        /// What is wrong with it.
        message: String,
    },
    /// The events cannot be read.
    #[error("the rules could not be run: {0}")]
    Events(#[from] DataFusionError),
}

/// A rule with all that the policy says of it.
pub(super) struct PlannedRule<'a> {
    pub(super) rule: &'a Rule,
    pub(super) setting: Setting,
    pub(super) sql: String,
}

impl PlannedRule<'_> {
    /// Whether its findings say what is missing among the events: leaving some out would make more of them.
    pub(super) fn whole(&self) -> bool {
        self.rule.kind == Kind::Coverage
    }

    /// Whether it groups events itself: then only some of them can be put before it.
    pub(super) fn grouped(&self) -> bool {
        self.rule.grain == Grain::Group
    }
}

/// A waiver with its conditions and the codes of the rules it names.
pub(super) struct PlannedWaiver<'a> {
    pub(super) waiver: &'a Waiver,
    pub(super) covers: String,
    pub(super) lapsed: String,
    pub(super) codes: BTreeSet<&'a str>,
}

pub(super) struct Plan<'a> {
    pub(super) rules: Vec<PlannedRule<'a>>,
    pub(super) waivers: Vec<PlannedWaiver<'a>>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(rules: &'a [Rule], settings: &'a Settings) -> Result<Self, Error> {
        let mut given: BTreeMap<&str, &Setting> = BTreeMap::new();
        for (name, setting) in &settings.rules {
            let code = &super::find(rules, name).map_err(Error::Rule)?.code;
            if given.insert(code, setting).is_some() {
                return Err(Error::SetTwice(code.clone()));
            }
        }
        let during = dated::condition(settings.period);
        let mut planned = Vec::with_capacity(rules.len());
        for rule in rules.iter().filter(|rule| settings.asks(&rule.code)) {
            let setting = given.get(rule.code.as_str()).map(|setting| (*setting).clone()).unwrap_or_default();
            let sql = rule
                .render_during(&setting.parameters, during.as_deref())
                .map_err(|source| Error::Parameter { code: rule.code.clone(), source })?;
            planned.push(PlannedRule { rule, setting, sql });
        }
        planned.sort_by(|a, b| a.rule.code.cmp(&b.rule.code));
        let mut waivers = settings
            .waivers
            .iter()
            .map(|waiver| plan_waiver(rules, waiver))
            .collect::<Result<Vec<_>, _>>()?;
        waivers.sort_by(|a, b| a.waiver.waiver_id.cmp(&b.waiver.waiver_id));
        Ok(Self { rules: planned, waivers })
    }

    /// Rules that a waiver names and that run.
    pub(super) fn waivable(&self, waiver: &PlannedWaiver<'_>) -> impl Iterator<Item = &PlannedRule<'a>> {
        self.rules
            .iter()
            .filter(|rule| rule.setting.enabled && waiver.codes.contains(rule.rule.code.as_str()))
    }

    pub(super) fn unused_reason(&self, waiver: &PlannedWaiver<'_>) -> String {
        let reason = if waiver.codes.is_empty() {
            "this version does not have its rules"
        } else if self.waivable(waiver).next().is_some() {
            "no violation falls under it"
        } else {
            "the policy turns its rules off"
        };
        reason.to_owned()
    }
}

fn plan_waiver<'a>(rules: &'a [Rule], waiver: &'a Waiver) -> Result<PlannedWaiver<'a>, Error> {
    let waiver_id = || waiver.waiver_id.clone();
    let unusable = |message| Error::WaiverMatch { waiver_id: waiver_id(), message };
    let codes = waiver
        .rules
        .iter()
        .map(|name| super::find(rules, name).map(|rule| rule.code.as_str()))
        .collect::<Result<_, _>>()
        .map_err(|source| Error::WaiverRule { waiver_id: waiver_id(), source })?;
    Ok(PlannedWaiver {
        waiver,
        covers: waiver.covers().map_err(unusable)?,
        lapsed: waiver.lapsed().map_err(unusable)?,
        codes,
    })
}
