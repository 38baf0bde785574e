//! A service control policy, or another of IAM's, as entries of a policy file.
//!
//! What it says of Bedrock is turned into `[[deny]]` entries and Regions of an environment where both mean the same;
//! every statement that cannot be expressed is told in a comment, with the reason.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::draft::{escape, quote};
use super::glob::glob_mistake;

/// Actions of Bedrock that use models or agents, and the activity that each is.
const ACTIONS: &[(&str, &str)] = &[
    ("converse", "model_invocation"),
    ("conversestream", "model_invocation"),
    ("createmodelinvocationjob", "batch"),
    ("invokeagent", "agent_invocation"),
    ("invokeflow", "flow"),
    ("invokeinlineagent", "agent_invocation"),
    ("invokemodel", "model_invocation"),
    ("invokemodelwithbidirectionalstream", "model_invocation"),
    ("invokemodelwithresponsestream", "model_invocation"),
    ("retrieve", "retrieval"),
    ("retrieveandgenerate", "retrieval"),
];

/// The policy file as text. `basis` names what it was made from.
///
/// # Errors
/// The text is no JSON, or has no statements.
pub fn import(json: &str, basis: &str) -> Result<String, String> {
    let document: Value = serde_json::from_str(json).map_err(|error| format!("it is not JSON: {error}"))?;
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement @ Value::Object(_)) => vec![statement.clone()],
        _ => return Err("it has no Statement: an SCP or IAM policy is wanted".to_owned()),
    };
    let mut regions: Option<BTreeSet<String>> = None;
    let mut entries = String::new();
    let mut told = String::new();
    for (at, statement) in statements.iter().enumerate() {
        let sid = statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        let label = sid
            .map_or_else(|| format!("statement {}", at + 1), |sid| format!("statement {} ({sid})", at + 1));
        let label = escape(&label);
        match read(statement) {
            Ok(Meaning::Nothing(why)) => {
                let _ = writeln!(told, "# {label}: {why}.");
            }
            Ok(Meaning::Regions(list)) => {
                let _ = writeln!(told, "# {label}: Regions of the environment below.");
                // Two statements both hold: a Region has to be in each list.
                regions = Some(match regions.take() {
                    None => list,
                    Some(before) if before.iter().chain(&list).all(|one| !one.contains(['*', '?'])) => {
                        before.intersection(&list).cloned().collect()
                    }
                    Some(before) if before == list => before,
                    Some(before) => {
                        let _ = writeln!(
                            told,
                            "# {label}: NOT EXPRESSED: patterns of Regions of two statements."
                        );
                        before
                    }
                });
            }
            Ok(Meaning::Deny { roles, models, activities }) => {
                let _ = writeln!(told, "# {label}: a deny entry.");
                let reason = format!("{basis}, {label}");
                let _ = write!(entries, "\n[[deny]]\nid = {}\n", quote(&format!("scp-{}", at + 1)));
                for (key, list) in [("roles", roles), ("models", models), ("activities", activities)] {
                    if !list.is_empty() {
                        let _ = writeln!(entries, "{key} = {}", array(&list));
                    }
                }
                let _ = writeln!(entries, "reason = {}", quote(&reason));
            }
            Err(why) => {
                let _ = writeln!(told, "# {label}: NOT EXPRESSED: {}.", escape(&why));
            }
        }
    }
    let mut out = format!(
        "# Made from {}. Statement by statement:\n{told}\nschema = 1\nname = \"imported\"\nversion = \"1\"\n",
        escape(basis)
    );
    match regions {
        Some(regions) if regions.is_empty() => {
            out.push_str("\n# NOT EXPRESSED: the statements about Regions leave none.\n");
        }
        Some(regions) => {
            let _ = write!(
                out,
                "\n[[environment]]\nname = \"imported\"\n# The accounts that the policy is attached to.\naccounts = \
                 [\"*\"]\nregions = {}\n",
                array(&regions)
            );
        }
        None => {}
    }
    out.push_str(&entries);
    Ok(out)
}

fn array(texts: &BTreeSet<String>) -> String {
    format!("[{}]", texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", "))
}

/// What a statement comes to.
enum Meaning {
    /// Nothing that a policy file has to say, and why.
    Nothing(&'static str),
    /// The Regions that may be called.
    Regions(BTreeSet<String>),
    /// What may not be used; an empty set is everything.
    Deny { roles: BTreeSet<String>, models: BTreeSet<String>, activities: BTreeSet<String> },
}

fn read(statement: &Value) -> Result<Meaning, String> {
    let deny = match statement.get("Effect").and_then(Value::as_str) {
        Some("Deny") => true,
        Some("Allow") => false,
        _ => return Err("its Effect is neither Allow nor Deny".to_owned()),
    };
    let actions = Actions::of(statement)?;
    if matches!(&actions, Actions::Some(some) if some.is_empty()) {
        return Ok(Meaning::Nothing("it says nothing of using models or agents of Bedrock"));
    }
    let conditions = conditions(statement)?;
    if !deny {
        return match conditions.as_slice() {
            [(operator, key, values)] if key == "aws:requestedregion" && equals(operator) => {
                pass(&actions)?;
                Ok(Meaning::Regions(globs(values)?))
            }
            [] => Ok(Meaning::Nothing(
                "it allows without saying to whom: write an allow entry with roles by hand",
            )),
            _ => Err("an Allow with conditions says who may: write an allow entry by hand".to_owned()),
        };
    }
    let mut roles = BTreeSet::new();
    for (operator, key, values) in &conditions {
        match key.as_str() {
            "aws:requestedregion" if differs(operator) && conditions.len() == 1 => {
                if statement.get("NotResource").is_some() || !everything(statement) {
                    return Err("it limits Regions for some resources only".to_owned());
                }
                pass(&actions)?;
                return Ok(Meaning::Regions(globs(values)?));
            }
            "aws:requestedregion" if differs(operator) => {
                return Err("it limits Regions for some callers only".to_owned());
            }
            "aws:principalarn" if equals(operator) => roles = globs(values)?,
            "aws:principalarn" if differs(operator) => {
                return Err("a deny entry has no exceptions, and this one excepts principals".to_owned());
            }
            key => return Err(format!("a deny entry knows no condition {operator} on {key}")),
        }
    }
    if statement.get("NotResource").is_some() {
        return Err("it denies all models but some: write allow entries for those".to_owned());
    }
    let activities = match actions {
        Actions::Every => BTreeSet::new(),
        Actions::Some(some) => some,
        Actions::Partly(what) => return Err(what),
    };
    let mut models = BTreeSet::new();
    if !everything(statement) {
        for resource in texts(statement.get("Resource"))? {
            models.insert(model(&resource).ok_or_else(|| {
                format!(
                    "{resource} is more or less than a foundation model, or a profile of AWS, in every Region"
                )
            })?);
        }
    } else if activities.is_empty() || roles.is_empty() {
        models.insert("*".to_owned());
    }
    Ok(Meaning::Deny { roles, models, activities })
}

/// Regions bind every call: only a statement about all actions of Bedrock says as much.
fn pass(actions: &Actions) -> Result<(), String> {
    match actions {
        Actions::Every => Ok(()),
        Actions::Some(some) if some.contains("model_invocation") => Ok(()),
        Actions::Some(_) => Err("it limits Regions for some actions only".to_owned()),
        Actions::Partly(what) => Err(what.clone()),
    }
}

/// What a statement's actions are to Bedrock.
enum Actions {
    Every,
    /// Activities; none where Bedrock is not meant.
    Some(BTreeSet<String>),
    /// Something that no activity is.
    Partly(String),
}

impl Actions {
    fn of(statement: &Value) -> Result<Self, String> {
        if let Some(excepted) = statement.get("NotAction") {
            let excepted = texts(Some(excepted))?;
            let ours = |action: &String| service(action).is_some();
            return Ok(if excepted.iter().any(ours) {
                Self::Partly("it excepts actions of Bedrock".to_owned())
            } else {
                Self::Every
            });
        }
        let mut activities = BTreeSet::new();
        for action in texts(statement.get("Action"))? {
            let Some(name) = service(&action) else { continue };
            if name == "*" {
                return Ok(Self::Every);
            }
            let meant: Vec<&str> = ACTIONS
                .iter()
                .filter(|(action, _)| super::glob_matches(&name, action))
                .map(|(_, activity)| *activity)
                .collect();
            activities.extend(meant.into_iter().map(str::to_owned));
        }
        Ok(Self::Some(activities))
    }
}

/// The action's name in lower case, if its service may be Bedrock's; `*` for all.
fn service(action: &str) -> Option<String> {
    if action == "*" {
        return Some("*".to_owned());
    }
    let (service, name) = action.split_once(':')?;
    super::glob_matches(&service.to_lowercase(), "bedrock").then(|| name.to_lowercase())
}

/// Whether it is about every resource.
fn everything(statement: &Value) -> bool {
    match statement.get("Resource") {
        None => statement.get("NotResource").is_none(),
        Some(resource) => texts(Some(resource)).is_ok_and(|all| all.iter().any(|one| one == "*")),
    }
}

/// `arn:aws:bedrock:*::foundation-model/anthropic.*` as the pattern of the model, and the same of a system-defined
/// inference profile, whose prefix patterns know: `arn:aws:bedrock:*:*:inference-profile/us.*`.
fn model(arn: &str) -> Option<String> {
    let scoped = |profile: &str| {
        let scope = profile.split_once('.').map_or("", |(scope, _)| scope);
        !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let profile = || arn.split_once(":inference-profile/").filter(|(_, profile)| scoped(profile));
    let (head, model) = arn.split_once(":foundation-model/").or_else(profile)?;
    let head: Vec<&str> = head.split(':').collect();
    let every =
        head.len() == 5 && head[0] == "arn" && head[3] == "*" && (head[4].is_empty() || head[4] == "*");
    (every && !model.is_empty() && glob_mistake(model).is_none()).then(|| model.to_owned())
}

/// Operator, key in lower case and values of each condition.
fn conditions(statement: &Value) -> Result<Vec<(String, String, Vec<String>)>, String> {
    let mut all = Vec::new();
    let Some(conditions) = statement.get("Condition") else { return Ok(all) };
    let wrong = || "its Condition has no known form".to_owned();
    for (operator, keys) in conditions.as_object().ok_or_else(wrong)? {
        for (key, values) in keys.as_object().ok_or_else(wrong)? {
            all.push((operator.clone(), key.to_lowercase(), texts(Some(values))?));
        }
    }
    Ok(all)
}

fn equals(operator: &str) -> bool {
    matches!(operator, "StringEquals" | "StringLike" | "ArnEquals" | "ArnLike" | "StringEqualsIgnoreCase")
}

fn differs(operator: &str) -> bool {
    matches!(
        operator,
        "StringNotEquals" | "StringNotLike" | "ArnNotEquals" | "ArnNotLike" | "StringNotEqualsIgnoreCase"
    )
}

/// Values as globs of ours, which are those of IAM.
fn globs(values: &[String]) -> Result<BTreeSet<String>, String> {
    for value in values {
        if value.contains("${") || glob_mistake(value).is_some() {
            return Err(format!("{value} is no pattern of a policy file"));
        }
    }
    if values.is_empty() {
        Err("a condition has no values".to_owned())
    } else {
        Ok(values.iter().cloned().collect())
    }
}

/// A text or a list of texts.
fn texts(value: Option<&Value>) -> Result<Vec<String>, String> {
    let wrong = || "it has an element that is neither text nor a list of texts".to_owned();
    match value {
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(list)) => {
            list.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests;
