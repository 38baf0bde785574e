//! What a policy says of rules, held against the rules there are.

use super::Failure;
use crate::engine::Engine;
use crate::output::Caveat;
use crate::policy::{self, Parameter, Policy, Problem, RuleSetting};
use crate::rule::{self, Rule, Setting, Settings, Waiver};

/// What the policy asks for and this version does not judge.
pub(super) fn caveats(policy: &Policy, rules: &[Rule]) -> Vec<Caveat> {
    let mut absent: Vec<&str> =
        policy.named_rules().filter(|code| rules.iter().all(|rule| rule.code != *code)).collect();
    absent.sort_unstable();
    absent.dedup();
    if absent.is_empty() {
        return Vec::new();
    }
    let meaning = format!(
        "The policy names {}, which did not run. This version does not have them.",
        absent.join(", ")
    );
    vec![Caveat::new("absent rules", meaning)]
}

/// Whether every rule that the policy names exists and takes the parameters given.
pub(super) fn check_rules(policy: &Policy, rules: &[Rule]) -> Result<(), Failure> {
    let settings = settings(policy, rules, 0)?;
    rule::run::statements(rules, &settings).map(drop).map_err(Failure::usage)
}

/// Whether the engine can plan the conditions of the waivers: constants in them are worked out now.
pub(super) fn check_conditions(policy: &Policy, engine: &Engine) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for waiver in policy.waivers() {
        let Some(condition) = &waiver.condition else { continue };
        let sql = format!("SELECT COUNT(*) AS events FROM events WHERE ({condition})");
        if let Err(error) = engine.scans(&[&sql]) {
            problems.push(policy.condition_problem(&waiver.id, format!("match: it cannot be run: {error}")));
        }
    }
    refuse(&problems)
}

/// How many events a waiver covers, in SQL.
pub(super) fn covered(waived: &policy::Waiver) -> Result<String, Failure> {
    let covers = waiver(waived, &[]).covers().map_err(Failure::usage)?;
    Ok(format!("SELECT CAST(COUNT(*) AS BIGINT) AS events FROM events WHERE {covers}"))
}

fn refuse(problems: &[Problem]) -> Result<(), Failure> {
    if problems.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(Failure::usage(format!("the policy cannot be used\n{}", lines.join("\n"))).problems(problems))
}

/// Rules of the policy that this version does not have.
pub(super) fn absent_rules(policy: &Policy, rules: &[Rule]) -> Result<Vec<Problem>, Failure> {
    let codes: Vec<&str> = rules.iter().map(|rule| rule.code.as_str()).collect();
    let mut notes = Vec::new();
    let mut wrong = Vec::new();
    for (code, problem) in policy.unknown_rules(&codes) {
        if planned(&code) {
            notes.push(problem);
        } else {
            wrong.push(problem);
        }
    }
    refuse(&wrong)?;
    Ok(notes)
}

/// BT001 to BT099 is what the rule pack will grow to; any other name is a mistake.
fn planned(code: &str) -> bool {
    code.strip_prefix("BT0")
        .is_some_and(|rest| rest.len() == 2 && rest != "00" && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What the policy says of rules. Rules, parameters and conditions are checked against the catalogue later.
///
/// A policy may be written for a version with more rules: what it says of those is left aside and noted.
pub(super) fn settings(policy: &Policy, rules: &[Rule], now: i64) -> Result<Settings, Failure> {
    let mut settings = Settings { policy_given: true, run_time: now, ..Settings::default() };
    let mut problems = Vec::new();
    for rule in rules {
        let Some(given) = policy.rule_setting(&rule.code) else { continue };
        let setting = setting(given)?;
        if let Err(error) = rule::parameter::values(&rule.parameters, &setting.parameters) {
            problems.push(policy.rule_problem(&rule.code, error.to_string()));
        }
        settings.rules.insert(rule.code.clone(), setting);
    }
    refuse(&problems)?;
    settings.waivers = policy.waivers().iter().map(|one| waiver(one, rules)).collect();
    Ok(settings)
}

pub(super) fn waiver(waiver: &policy::Waiver, rules: &[Rule]) -> Waiver {
    let micros = |date: chrono::NaiveDate| date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
    let known = |code: &&String| rules.iter().any(|rule| rule.code == **code);
    Waiver {
        waiver_id: waiver.id.clone(),
        rules: waiver.rules.iter().filter(known).cloned().collect(),
        predicate: waiver.condition.clone().unwrap_or_else(|| "true".to_owned()),
        owner: waiver.owner.clone(),
        created: micros(waiver.created),
        expires: micros(waiver.expires),
        retroactive: waiver.retroactive,
    }
}

fn setting(given: &RuleSetting) -> Result<Setting, Failure> {
    let severity = given.severity.map(str::parse).transpose().map_err(Failure::usage)?;
    let parameters = given.parameters.iter().map(|(name, value)| (name.clone(), toml_value(value))).collect();
    Ok(Setting {
        enabled: given.enabled,
        severity,
        reason: given.reason.clone(),
        owner: given.owner.clone(),
        parameters,
    })
}

/// A parameter as text, lists joined by commas.
pub(super) fn toml_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Array(values) => values.iter().map(toml_text).collect::<Vec<_>>().join(","),
        other => format!("{other:?}"),
    }
}

fn toml_value(value: &Parameter) -> toml::Value {
    match value {
        Parameter::Int(number) => toml::Value::Integer(*number),
        Parameter::Text(text) => toml::Value::String(text.clone()),
        Parameter::List(texts) => {
            texts.iter().map(|text| toml::Value::String(text.clone())).collect::<Vec<_>>().into()
        }
        Parameter::Timestamp(at) => toml::Value::String(at.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
    }
}
