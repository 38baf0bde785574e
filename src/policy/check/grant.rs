//! `[[allow]]` and `[[deny]]`.

use toml::Spanned;

use super::approved::principals;
use super::{Collector, Texts, Unique, filled, globs, text, texts};
use crate::policy::activity::{ACTIVITIES, activity};
use crate::policy::entry::Grant;
use crate::policy::problem::{nearest, quoted};
use crate::policy::written;

/// Draft names of clients and what `events.client` says.
const TOOLS: &[(&str, &str)] = &[("codex", "codex-cli")];

pub(super) fn allow(
    out: &mut Collector<'_>,
    written: Vec<Spanned<written::Grant>>,
    environments: &[String],
) -> Vec<Grant> {
    let mut unique = Unique::new("allow", "id");
    let mut grants = Vec::new();
    for entry in written {
        let at = entry.span();
        let entry = entry.into_inner();
        let id = unique.id(out, &at, entry.id, None);
        for (key, list) in [("roles", &entry.roles), ("models", &entry.models)] {
            if list.is_none() {
                let message = format!("allow {} has no {key}", quoted(&id));
                out.missing(&at, message, &format!("write {key} = [\"…\"]; \"*\" is every one"));
            }
        }
        let tools = texts(out, entry.tools).into_iter().map(Spanned::into_inner).map(|tool| {
            TOOLS.iter().find(|(draft, _)| *draft == tool).map_or(tool, |(_, now)| (*now).to_owned())
        });
        grants.push(Grant {
            id,
            tools: tools.collect(),
            environments: named(out, entry.env, entry.environment, environments),
            roles: principals(out, entry.roles),
            models: globs(out, entry.models),
            activities: activities(out, entry.operations, entry.activities),
            purpose: text(out, "purpose", entry.purpose),
            owner: text(out, "owner", entry.owner),
            reason: None,
        });
    }
    grants
}

pub(super) fn deny(
    out: &mut Collector<'_>,
    written: Vec<Spanned<written::Denial>>,
    environments: &[String],
) -> Vec<Grant> {
    let mut unique = Unique::new("deny", "id");
    let mut grants = Vec::new();
    for entry in written {
        let at = entry.span();
        let entry = entry.into_inner();
        let id = unique.id(out, &at, entry.id, None);
        if entry.models.is_none() && entry.roles.is_none() {
            let message = format!("deny {} names no models and no roles", quoted(&id));
            out.missing(&at, message, "to deny everything, write models = [\"*\"]");
        }
        let every = || vec!["*".to_owned()];
        grants.push(Grant {
            id,
            environments: named(out, entry.env, entry.environment, environments),
            roles: if entry.roles.is_none() { every() } else { principals(out, entry.roles) },
            models: if entry.models.is_none() { every() } else { globs(out, entry.models) },
            activities: activities(out, entry.operations, entry.activities),
            reason: text(out, "reason", entry.reason),
            ..Grant::default()
        });
    }
    grants
}

/// One of two spellings of a key.
fn either(out: &mut Collector<'_>, names: [&str; 2], lists: [Texts; 2]) -> Texts {
    let [first, second] = lists;
    if let (Some(first), Some(second)) = (&first, &second) {
        let later = first.span().start.max(second.span().start);
        let message = format!("{} and {} are the same key", names[0], names[1]);
        out.invalid(&(later..later), message, &format!("keep {}", names[1]));
    }
    let list = second.or(first);
    filled(out, list.as_ref());
    list
}

/// Environments by name; empty is every one, also written `*`.
fn named(out: &mut Collector<'_>, short: Texts, long: Texts, environments: &[String]) -> Vec<String> {
    let list = either(out, ["env", "environment"], [short, long]);
    let mut names = Vec::new();
    let mut every = false;
    for name in texts(out, list) {
        if name.get_ref() == "*" {
            every = true;
        } else if environments.contains(name.get_ref()) {
            names.push(name.into_inner());
        } else {
            let help = match nearest(name.get_ref(), environments.iter().map(String::as_str)) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "add an [[environment]] of that name".to_owned(),
            };
            out.missing(&name.span(), format!("no environment {}", quoted(name.get_ref())), &help);
        }
    }
    if every { Vec::new() } else { names }
}

fn activities(out: &mut Collector<'_>, operations: Texts, activities: Texts) -> Vec<&'static str> {
    let list = either(out, ["operations", "activities"], [operations, activities]);
    let mut kept = Vec::new();
    for word in texts(out, list) {
        match activity(word.get_ref()) {
            Some(activity) if kept.contains(&activity) => {
                out.invalid(&word.span(), format!("{activity} stands twice in the list"), "");
            }
            Some(activity) => kept.push(activity),
            None => {
                let help = match nearest(word.get_ref(), ACTIVITIES.iter().copied()) {
                    Some(near) => format!("did you mean '{near}'?"),
                    None => format!("one of {}", ACTIVITIES.join(", ")),
                };
                out.invalid(&word.span(), format!("no activity: {}", quoted(word.get_ref())), &help);
            }
        }
    }
    kept
}
